#include <stdlib.h>

#include "base/clock.h"
#include "detect/kinds.h"
#include "detect/yolo_decode.h"
#include "engine/engine.h"
#include "frame/convert.h"

/* One worker's state: its own network, made from the model that all share. */
struct yolo {
    const vd_model *model;
    vd_net *net;
    vd_scratch pixels;
    vd_yolo_scratch scratch;
};

static void close_yolo(void *state)
{
    struct yolo *yolo = state;
    vd_net_free(&yolo->net);
    vd_scratch_fini(&yolo->pixels);
    vd_yolo_scratch_fini(&yolo->scratch);
    free(yolo);
}

static int forward(struct yolo *yolo, const float **ret_output, vd_error *error)
{
    const vd_model *model = yolo->model;
    int shape[4];
    int code = vd_net_forward(yolo->net, model->output_name, ret_output, shape, error);
    if (code)
        return code;
    if (shape[0] != 1 || shape[1] != 4 + model->classes || shape[2] != model->anchors || shape[3] != 1)
        return vd_error_set(error, VD_EFORMAT, model->name,
                            "The network gave an output of %d × %d × %d × %d; its file promises 1 × %d × %d.",
                            shape[0], shape[1], shape[2], shape[3], 4 + model->classes, model->anchors);
    return VD_OK;
}

/* Makes the network and runs it once: the first pass allocates, and what cannot run is known before work
 * comes. */
static int warm_up(struct yolo *yolo, vd_error *error)
{
    const vd_model *model = yolo->model;
    float *input;
    const float *output;
    int code = vd_net_new(model->onnx, model->onnx_bytes, &yolo->net, error);
    if (code == VD_OK)
        code = vd_net_input(yolo->net, model->input_width, model->input_height, &input, error);
    if (code == VD_OK)
        code = forward(yolo, &output, error);
    return code;
}

static int open_yolo(const void *config, void **ret_state, vd_labels **ret_labels, vd_error *error)
{
    struct yolo *yolo = calloc(1, sizeof *yolo);
    if (!yolo)
        return vd_error_set(error, VD_ENOMEM, NULL, "There was not enough memory for the model.");
    yolo->model = config;
    int code = warm_up(yolo, error);
    if (code == VD_OK && vd_yolo_scratch_init(&yolo->scratch, yolo->model->anchors))
        code = vd_error_set(error, VD_ENOMEM, yolo->model->name,
                            "There was not enough memory for the model's boxes.");
    if (code) {
        close_yolo(yolo);
        return code;
    }
    *ret_labels = vd_labels_ref(yolo->model->labels);
    *ret_state = yolo;
    return VD_OK;
}

static int detect_yolo(void *state, const vd_image *image, vd_result *result, vd_error *error)
{
    struct yolo *yolo = state;
    const vd_model *model = yolo->model;
    int64_t start_ns = vd_clock_now_ns();
    float *input;
    vd_letterbox letterbox;
    int code = vd_image_validate(image, error);
    if (code == VD_OK)
        code = vd_net_input(yolo->net, model->input_width, model->input_height, &input, error);
    if (code)
        return code;
    code = vd_convert_letterbox(image, model->input_width, model->input_height, &yolo->pixels, input,
                                &letterbox);
    if (code)
        return vd_error_set(error, code, NULL, "The picture could not be brought to the network's size.");

    int64_t filled_ns = vd_clock_now_ns();
    const float *output;
    code = forward(yolo, &output, error);
    if (code)
        return code;

    int64_t forward_ns = vd_clock_now_ns();
    result->input_width = model->input_width;
    result->input_height = model->input_height;
    result->count = vd_yolo_decode(output, model->classes, &letterbox, image->width, image->height,
                                   result->floor, &yolo->scratch, result->candidates);
    result->preprocess_ns = filled_ns - start_ns;
    result->forward_ns = forward_ns - filled_ns;
    result->decode_ns = vd_clock_now_ns() - forward_ns;
    return VD_OK;
}

const vd_detector_ops vd_yolo_ops = {.open = open_yolo, .detect = detect_yolo, .close = close_yolo};
