#include "verify/worker_model.h"

#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "model/verifier.h"
#include "verify/worker_double.h"

/* A model file made ready for a number of clips a pass. */
struct opened {
    vd_verifier_form form;
    vd_model *model;
    vd_net *net;
};

struct vd_worker_model {
    vd_wire_setup setup;
    bool is_double;
    struct opened one,
        several; /* for one clip a pass, and for VD_WIRE_CLIPS where the file leaves that open */
};

static void close_model(struct opened *opened)
{
    vd_net_free(&opened->net);
    vd_model_free(&opened->model);
}

static int open_model(const vd_wire_setup *setup, int clips, struct opened *opened, vd_error *error)
{
    const vd_verifier_wish wish = {setup->frames, setup->width, setup->height, clips};
    int code = vd_model_read_verifier(setup->model_path, &wish, &opened->form, &opened->model, error);
    if (code == VD_OK)
        code = vd_net_new(opened->model, NULL, &opened->net, error);
    if (opened->model)
        vd_model_drop_file(opened->model);
    if (code != VD_OK)
        close_model(opened);
    return code;
}

int vd_worker_model_new(const vd_wire_setup *setup, vd_worker_model **ret_model, vd_error *error)
{
    bool is_double = vd_worker_double_has(setup->model_type);
    if (!is_double && strcmp(setup->model_type, "onnx") != 0)
        return vd_error_set(error, VD_EINVAL, "model_type", "There is no model type \"%s\"; there is onnx.",
                            setup->model_type);
    vd_worker_model *model = calloc(1, sizeof *model);
    if (!model)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for the model.");
    model->setup = *setup;
    model->is_double = is_double;
    vd_engine_set_threads(1); /* workers share the cores with everything else */
    if (is_double)
        vd_worker_double_load(setup);
    int code = is_double ? VD_OK : open_model(setup, 1, &model->one, error);
    if (code != VD_OK) {
        vd_worker_model_free(&model);
        return code;
    }
    /* A file that says it takes any number but does not is used one by one. */
    if (model->one.form.any_clips)
        open_model(setup, VD_WIRE_CLIPS, &model->several, NULL);
    *ret_model = model;
    return VD_OK;
}

void vd_worker_model_free(vd_worker_model **pointer)
{
    vd_worker_model *model = *pointer;
    *pointer = NULL;
    if (!model)
        return;
    close_model(&model->one);
    close_model(&model->several);
    free(model);
}

int vd_worker_model_batch(const vd_worker_model *model)
{
    return model->several.net ? VD_WIRE_CLIPS : 1;
}

const char *vd_worker_model_name(const vd_worker_model *model)
{
    return model->is_double ? model->setup.model_type : model->one.model->name;
}

/* One pass over `count` clips. */
static int pass(const struct opened *opened, const uint8_t *rgb, size_t clip_bytes, uint32_t count,
                float *ret_scores, vd_error *error)
{
    const vd_verifier_form *form = &opened->form;
    size_t picture_bytes = clip_bytes / (size_t)form->frames;
    const float *data[VD_MODEL_OUTPUTS];
    float *input;
    int code = vd_net_input(opened->net, &input, error);
    if (code != VD_OK)
        return code;
    for (uint32_t i = 0; i < count; i++)
        for (int k = 0; k < form->frames; k++)
            vd_verifier_feed(form, (int)i, k, rgb + i * clip_bytes + (size_t)k * picture_bytes, input);
    code = vd_net_forward(opened->net, data, error);
    for (uint32_t i = 0; i < count && code == VD_OK; i++)
        code = vd_verifier_score(form, data[0], (int)i, &ret_scores[i], error);
    return code;
}

int vd_worker_model_run(vd_worker_model *model, const uint8_t *rgb, const vd_wire_ask *ask,
                        vd_wire_answer *ret_answer, size_t *ret_size, vd_error *error)
{
    const vd_wire_setup *setup = &model->setup;
    size_t clip_bytes = (size_t)setup->frames * (size_t)setup->width * (size_t)setup->height * 3;
    if (model->is_double)
        return vd_worker_double_run(setup, rgb, clip_bytes, ask, ret_answer, ret_size, error);
    bool together = ask->count > 1 && model->several.net;
    if (together)
        return pass(&model->several, rgb, clip_bytes, ask->count, ret_answer->scores, error);
    int code = VD_OK;
    for (uint32_t i = 0; i < ask->count && code == VD_OK; i++)
        code = pass(&model->one, rgb + i * clip_bytes, clip_bytes, 1, &ret_answer->scores[i], error);
    return code;
}
