#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "detect/decode.h"
#include "detect/kinds.h"
#include "engine/engine.h"
#include "frame/convert.h"
#include "model/verifier.h"
#include "vedette/app/bench.h"
#include "verify/crop.h"

/* Passes before any is measured: the first builds the plan. */
enum { WARM_PASSES = 3, MOST_LAYERS = 8192 };

#define FLOOR 0.05f

struct vd_bench_engine {
    vd_model *model;
    vd_net *net;
    vd_decoder *decoder; /* NULL of a verifier */
    float *tensor;       /* the picture as the network wants it */
    size_t floats;
    vd_letterbox letterbox;
    int width, height; /* of the picture */
    vd_detection candidates[VD_MAX_CANDIDATES];
};

int vd_bench_has_precision(vd_precision precision)
{
    return vd_engine_has(precision);
}

const char *vd_bench_onednn_version(void)
{
    return vd_engine_onednn_version();
}

static int make_tensor(vd_bench_engine *engine, const vd_image *picture, vd_error *error)
{
    const vd_feed feed = vd_network_feed(engine->model);
    vd_scratch scratch = {0};
    size_t channels = feed.channels == VD_FEED_GREY ? 1 : 3;
    engine->floats = channels * (size_t)feed.width * (size_t)feed.height;
    engine->tensor = malloc(engine->floats * sizeof *engine->tensor);
    engine->width = picture->width;
    engine->height = picture->height;
    int code = engine->tensor ? vd_convert_feed(picture, &feed, &scratch, engine->tensor, &engine->letterbox)
                              : VD_ENOMEM;
    vd_scratch_fini(&scratch);
    return code ? vd_error_set(error, code, NULL, "The picture could not be brought to the network's size.")
                : VD_OK;
}

/* A clip that goes along the middle row of a BGRX picture. */
static int cut_clip(vd_bench_engine *engine, const vd_verifier_form *form, const vd_image *picture,
                    vd_error *error)
{
    size_t area = (size_t)form->width * (size_t)form->height;
    int size = form->width < form->height ? form->width : form->height, code = VD_OK;
    uint8_t *rgb = calloc(area, 3);
    engine->floats = (size_t)form->frames * 3 * area;
    engine->tensor = malloc(engine->floats * sizeof *engine->tensor);
    if (!rgb || !engine->tensor)
        code = VD_ENOMEM;
    for (int i = 0; i < form->frames && code == VD_OK; i++) {
        double x = (double)picture->width * (i + 1) / (form->frames + 1);
        code = vd_crop_take(picture, x, picture->height / 2.0, VD_CROP_LEAST_SIDE, size, rgb);
        vd_verifier_feed(form, 0, i, rgb, engine->tensor);
    }
    free(rgb);
    return code ? vd_error_set(error, code, NULL, "No clip can be cut from the picture.") : VD_OK;
}

static int make_clip(vd_bench_engine *engine, const vd_verifier_form *form, const vd_image *picture,
                     vd_error *error)
{
    vd_scratch scratch = {0};
    vd_image copy = {.format = VD_PIXEL_BGRX, .width = picture->width, .height = picture->height};
    copy.strides[0] = copy.width * 4;
    copy.planes[0] = malloc((size_t)copy.width * (size_t)copy.height * 4);
    int code = copy.planes[0] ? vd_convert_scale(picture, VD_FILTER_LINEAR, &scratch, &copy) : VD_ENOMEM;
    code = code ? vd_error_set(error, code, NULL, "The picture could not be brought to the network's size.")
                : cut_clip(engine, form, &copy, error);
    vd_scratch_fini(&scratch);
    free(copy.planes[0]);
    return code;
}

static int read_model(vd_bench_engine *engine, const vd_bench_engine_options *options,
                      const vd_image *picture, vd_error *error)
{
    const vd_model_options wanted = {.input_width = options->input_width,
                                     .input_height = options->input_height};
    vd_verifier_form form;
    if (options->verifier) {
        int code = vd_model_read_verifier(options->model, NULL, &form, &engine->model, error);
        return code ? code : make_clip(engine, &form, picture, error);
    }
    int code = vd_model_read(options->model, &wanted, &engine->model, error);
    if (code == VD_OK)
        code = make_tensor(engine, picture, error);
    if (code == VD_OK)
        code = vd_decoder_new(engine->model, &engine->decoder, error);
    return code;
}

static int make(vd_bench_engine *engine, const vd_bench_engine_options *options, const vd_image *picture,
                vd_error *error)
{
    const vd_net_options how = {.precision = options->precision, .plain = options->plain != 0};
    int64_t forward_ns, decode_ns;
    vd_engine_set_threads(options->threads);
    int code = read_model(engine, options, picture, error);
    if (code == VD_OK)
        code = vd_net_new(engine->model, &how, &engine->net, error);
    for (int i = 0; i < WARM_PASSES && code == VD_OK; i++)
        code = vd_bench_engine_pass(engine, &forward_ns, &decode_ns, error);
    if (code == VD_OK)
        vd_model_drop_file(engine->model);
    return code;
}

int vd_bench_engine_new(const vd_bench_engine_options *options, const vd_image *picture,
                        vd_bench_engine **ret_engine, vd_error *error)
{
    vd_bench_engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for the network.");
    int code = make(engine, options, picture, error);
    if (code)
        vd_bench_engine_free(&engine);
    else
        *ret_engine = engine;
    return code;
}

void vd_bench_engine_free(vd_bench_engine **pointer)
{
    vd_bench_engine *engine = *pointer;
    *pointer = NULL;
    if (!engine)
        return;
    vd_net_free(&engine->net);
    vd_decoder_free(&engine->decoder);
    vd_model_free(&engine->model);
    free(engine->tensor);
    free(engine);
}

const char *vd_bench_engine_text(const vd_bench_engine *engine)
{
    return vd_net_engine(engine->net);
}

const char *vd_bench_engine_model(const vd_bench_engine *engine)
{
    return engine->model->name;
}

void vd_bench_engine_input(const vd_bench_engine *engine, int *ret_width, int *ret_height)
{
    *ret_width = engine->model->input_width;
    *ret_height = engine->model->input_height;
}

int vd_bench_engine_pass(vd_bench_engine *engine, int64_t *ret_forward_ns, int64_t *ret_decode_ns,
                         vd_error *error)
{
    const float *data[VD_MODEL_OUTPUTS];
    float *input;
    int code = vd_net_input(engine->net, &input, error);
    if (code)
        return code;
    memcpy(input, engine->tensor, engine->floats * sizeof *input);
    int64_t began_ns = vd_clock_now_ns();
    code = vd_net_forward(engine->net, data, error);
    if (code)
        return code;
    int64_t passed_ns = vd_clock_now_ns();
    if (engine->decoder)
        vd_decoder_read(engine->decoder, data, 0, &engine->letterbox, engine->width, engine->height, FLOOR,
                        engine->candidates);
    *ret_forward_ns = passed_ns - began_ns;
    *ret_decode_ns = vd_clock_now_ns() - passed_ns;
    return VD_OK;
}

int vd_bench_engine_layers(vd_bench_engine *engine, int passes, vd_bench_layer **ret_layers,
                           size_t *ret_count, vd_error *error)
{
    size_t count = 0;
    vd_plan_line *lines = calloc(MOST_LAYERS, sizeof *lines);
    vd_bench_layer *layers = calloc(MOST_LAYERS, sizeof *layers);
    int code = lines && layers ? vd_net_measure(engine->net, passes, lines, MOST_LAYERS, &count, error)
                               : vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory.");
    count = count < MOST_LAYERS ? count : MOST_LAYERS;
    for (size_t i = 0; i < count && code == VD_OK; i++) {
        vd_text_copy(layers[i].text, sizeof layers[i].text, lines[i].text);
        vd_text_copy(layers[i].kernel, sizeof layers[i].kernel, lines[i].kernel);
        layers[i].ms = (double)lines[i].median_ns / (double)VD_NS_PER_MS;
        layers[i].gflop = lines[i].gflop;
    }
    free(lines);
    if (code) {
        free(layers);
        return code;
    }
    *ret_layers = layers;
    *ret_count = count;
    return VD_OK;
}
