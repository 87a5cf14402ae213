#include "ui/verifiers.h"

#include <glib.h>
#include <string.h>

#include "vedette/app/camera.h"
#include "vedette/app/models.h"

struct vd_verifiers {
    vd_verifier *running;      /* NULL: none */
    vd_verify_options options; /* what it was made with */
    GPtrArray *stopped;        /* of vd_verifier: a camera that is being closed may hold them */
};

static void free_verifier(gpointer data)
{
    vd_verifier *verifier = data;
    vd_verifier_free(&verifier);
}

vd_verifiers *vd_verifiers_new(void)
{
    vd_verifiers *verifiers = g_new0(vd_verifiers, 1);
    verifiers->stopped = g_ptr_array_new_with_free_func(free_verifier);
    return verifiers;
}

void vd_verifiers_free(vd_verifiers **verifiers)
{
    if (!*verifiers)
        return;
    vd_verifiers_stop(*verifiers);
    g_ptr_array_free((*verifiers)->stopped, TRUE);
    g_clear_pointer(verifiers, g_free);
}

void vd_verifiers_stop(vd_verifiers *verifiers)
{
    if (!verifiers->running)
        return;
    vd_verifier_stop(verifiers->running);
    g_ptr_array_add(verifiers->stopped, verifiers->running);
    verifiers->running = NULL;
}

/* What verifies what `model` detects; false: nothing does. The demonstration's detector brings its verifier,
 * unless the settings say something else. */
static bool verifier_for(const vd_settings *settings, const char *model, vd_verify_options *ret_options)
{
    char path[VD_MODEL_PATH];
    if (vd_verify_options_from_settings(settings, ret_options))
        return true;
    if (settings->step2.enabled_given || strcmp(model, VD_MODEL_DEMO) != 0 ||
        vd_model_find_verifier(VD_MODEL_DEMO, path, NULL) != VD_OK ||
        strlen(path) >= sizeof ret_options->model_path)
        return false;
    strcpy(ret_options->model_path, path);
    return true;
}

vd_verifier *vd_verifiers_choose(vd_verifiers *verifiers, const vd_settings *settings, const char *model,
                                 void (*wake)(void *context), void *context, vd_error *error)
{
    char path[VD_MODEL_PATH];
    vd_verify_options options = VD_VERIFY_OPTIONS_INIT;
    *error = (vd_error){0};
    bool wanted = verifier_for(settings, model, &options);
    /* The settings stay as they are, so only the model tells one detector's options from another's. */
    if (wanted && verifiers->running && !strcmp(options.model_path, verifiers->options.model_path))
        return verifiers->running;
    vd_verifiers_stop(verifiers);
    if (vd_camera_join_closed(0))
        g_ptr_array_set_size(verifiers->stopped, 0);
    /* `demo` that is still a name: the sentence says what is missing. */
    if (!wanted || vd_model_find_verifier(options.model_path, path, error) != VD_OK)
        return NULL;
    verifiers->options = options;
    if (vd_verifier_new(&options, wake, context, &verifiers->running, error) != VD_OK)
        verifiers->running = NULL;
    return verifiers->running;
}
