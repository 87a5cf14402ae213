#include "vedette/app/models.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

static const char DETECTOR[] = "road-detector.onnx", VERIFIER[] = "road-verifier.onnx";

/* The program's own folder; false when the system does not say. */
static bool own_folder(char *out, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", out, size);
    if (length <= 0 || (size_t)length >= size)
        return false;
    out[length] = '\0';
    char *slash = strrchr(out, '/');
    if (!slash)
        return false;
    *slash = '\0';
    return true;
}

static bool is_there(const char *folder, const char *below, const char *file, char out[static VD_MODEL_PATH])
{
    char path[VD_MODEL_PATH];
    int length = snprintf(path, sizeof path, "%s/%s%s%s", folder, below, *below ? "/" : "", file);
    if (length < 0 || length >= (int)sizeof path || access(path, R_OK) != 0)
        return false;
    vd_text_copy(out, VD_MODEL_PATH, path);
    return true;
}

static const char *what_is(const char *file)
{
    return file == DETECTOR ? "detector" : "verifier";
}

static int find_file(const char *file, char out[static VD_MODEL_PATH], vd_error *error)
{
    char folder[PATH_MAX];
    const char *given = getenv("VEDETTE_MODELS");
    if (given && *given) {
        if (is_there(given, "", file, out))
            return VD_OK;
        return vd_error_set(error, VD_ENOTFOUND, VD_MODEL_DEMO,
                            "The demonstration's %s %s is not in %s, which VEDETTE_MODELS names.",
                            what_is(file), file, given);
    }
    /* VD_MODELS_BELOW leads from the folder of the programs to that of the models, so that an installation
     * may be moved. */
    if (own_folder(folder, sizeof folder) && is_there(folder, VD_MODELS_BELOW, file, out))
        return VD_OK;
    if (is_there(VD_MODELS_IN_TREE, "", file, out))
        return VD_OK;
    return vd_error_set(error, VD_ENOTFOUND, VD_MODEL_DEMO,
                        "The demonstration's %s %s is not installed; choose a model file%s.", what_is(file),
                        file, file == DETECTOR ? ", builtin:people or builtin:motion" : "");
}

static int find(const char *model, const char *file, char out[static VD_MODEL_PATH], vd_error *error)
{
    if (strcmp(model, VD_MODEL_DEMO) == 0)
        return find_file(file, out, error);
    if (strlen(model) >= VD_MODEL_PATH)
        return vd_error_set(error, VD_EINVAL, NULL, "A model's name has at most %d characters.",
                            VD_MODEL_PATH - 1);
    vd_text_copy(out, VD_MODEL_PATH, model);
    return VD_OK;
}

int vd_model_find(const char *model, char out[static VD_MODEL_PATH], vd_error *error)
{
    return find(model, DETECTOR, out, error);
}

int vd_model_find_verifier(const char *model, char out[static VD_MODEL_PATH], vd_error *error)
{
    return find(model, VERIFIER, out, error);
}

const char *vd_model_default(const char *address)
{
    char path[VD_MODEL_PATH];
    if (strncmp(address, "demo:", 5) != 0)
        return "builtin:people";
    return find_file(DETECTOR, path, NULL) == VD_OK ? VD_MODEL_DEMO : "builtin:motion";
}
