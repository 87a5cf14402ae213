#include "model/verifier.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/digest.h"
#include "model/family.h"
#include "model/onnx_file.h"
#include "model/onnx_passes.h"
#include "model/verifier_form.h"

bool vd_verifier_is_named(const char *task)
{
    return task && strcmp(task, "verify") == 0;
}

/* --- Reading */

static bool has_two(vd_verifier_output output)
{
    return output == VD_VERIFIER_LOGITS || output == VD_VERIFIER_PROBABILITIES;
}

static void describe(const vd_verifier_form *form, vd_model *model)
{
    static const char *const layouts[] = {[VD_CLIP_STACKED] = "picture by picture",
                                          [VD_CLIP_PICTURES] = "picture by picture, as a batch",
                                          [VD_CLIP_PLANES] = "channel by channel"};
    static const char *const outputs[] = {[VD_VERIFIER_LOGIT] = "one answer: a logit",
                                          [VD_VERIFIER_LOGITS] = "two answers, rejected and verified: logits",
                                          [VD_VERIFIER_PROBABILITY] = "one answer: a probability",
                                          [VD_VERIFIER_PROBABILITIES] =
                                              "two answers, rejected and verified: probabilities"};
    model->format = VD_FORMAT_ONNX;
    model->feed.channels = VD_CHANNELS_RGB;
    vd_text_copy(model->variant, sizeof model->variant, "stage-2 verifier");
    vd_model_note(model, "clips of %d pictures, %d × %d pixels, %s", form->frames, form->width, form->height,
                  layouts[form->layout]);
    vd_model_note(model, "%s", outputs[form->output]);
}

/* A file that says what else it is. */
static int screen(const Onnx__ModelProto *proto, const char *place, vd_error *error)
{
    const char *ours = vd_onnx_metadata(proto, "vedette.task"), *task = vd_onnx_metadata(proto, "task");
    const char *sentence = NULL;
    if (ours && !vd_verifier_is_named(ours))
        sentence = "The file's metadata (vedette.task) calls it something else than a verifier.";
    else if (!ours && task && strcmp(task, "detect") == 0)
        sentence = "This is a detector, and no stage-2 verifier.";
    else if (proto->graph->n_sparse_initializer > 0)
        sentence = "The network's weights are stored in sparse form; export it without.";
    else if (proto->graph->n_output == 0)
        sentence = "The network has no output.";
    return sentence ? vd_error_set(error, VD_EFORMAT, place, "%s", sentence) : VD_OK;
}

static int rewrite_graph(vd_onnx_graph *graph, vd_verifier_form *form, vd_model *model, vd_error *error)
{
    int code = vd_onnx_normalise(graph, error);
    if (code == VD_OK)
        code = vd_verifier_tell_output(graph, form, error);
    if (code == VD_OK)
        code = vd_onnx_cure(graph, error);
    if (code == VD_OK)
        code = vd_model_list_outputs(graph, model, error);
    if (code != VD_OK)
        return code;
    describe(form, model);
    vd_model_note_rewriting(graph, model);
    return VD_OK;
}

static int rewrite(Onnx__ModelProto *proto, const char *place, const vd_verifier_wish *wish,
                   vd_verifier_form *form, vd_model *model, vd_error *error)
{
    vd_onnx_graph graph;
    int code = screen(proto, place, error);
    if (code == VD_OK)
        code = vd_verifier_tell_input(proto, place, wish, form, model, error);
    if (code == VD_OK)
        code = vd_onnx_graph_init(&graph, proto, place, error);
    if (code != VD_OK)
        return code;
    code = rewrite_graph(&graph, form, model, error);
    vd_onnx_graph_fini(&graph);
    return code;
}

static int read_bytes(const uint8_t *bytes, size_t length, const char *place, const vd_verifier_wish *wish,
                      vd_verifier_form *form, vd_model *model, vd_error *error)
{
    Onnx__ModelProto *proto = NULL;
    int code = vd_onnx_parse(bytes, length, place, &proto, error);
    if (code != VD_OK)
        return code;
    vd_digest_sha256(bytes, length, model->digest);
    code = rewrite(proto, place, wish, form, model, error);
    if (code == VD_OK && vd_onnx_pack(proto, &model->network, &model->network_bytes) != VD_OK)
        code = vd_error_set(error, VD_ENOMEM, place, "There is not enough memory to rewrite the model.");
    onnx__model_proto__free_unpacked(proto, NULL);
    return code == VD_OK ? vd_model_plan(model, place, error) : code;
}

int vd_model_read_verifier_bytes(const uint8_t *bytes, size_t length, const char *name,
                                 const vd_verifier_wish *wish, vd_verifier_form *ret_form,
                                 vd_model **ret_model, vd_error *error)
{
    char place[192];
    const vd_verifier_wish usual = {0};
    vd_verifier_form form = {0};
    vd_model *model = calloc(1, sizeof *model);
    if (!model)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory to read the model.");
    model->bins = 1;
    vd_text_mask_address(place, sizeof place, name);
    vd_model_name(model, name);
    int code = read_bytes(bytes, length, place, wish ? wish : &usual, &form, model, error);
    if (code != VD_OK) {
        vd_model_free(&model);
        return code;
    }
    *ret_form = form;
    *ret_model = model;
    return VD_OK;
}

int vd_model_read_verifier(const char *path, const vd_verifier_wish *wish, vd_verifier_form *ret_form,
                           vd_model **ret_model, vd_error *error)
{
    char place[192];
    uint8_t *bytes = NULL;
    size_t length = 0;
    vd_text_mask_address(place, sizeof place, path);
    int code = vd_onnx_load(path, place, VD_ONNX_MAX_BYTES, &bytes, &length, error);
    if (code == VD_OK)
        code = vd_model_read_verifier_bytes(bytes, length, path, wish, ret_form, ret_model, error);
    free(bytes);
    return code;
}

/* --- Feeding and scoring */

void vd_verifier_feed(const vd_verifier_form *form, int clip, int number, const uint8_t *rgb, float *tensor)
{
    enum { COLOURS = VD_CLIP_COLOURS };
    size_t area = (size_t)form->width * (size_t)form->height, frames = (size_t)form->frames;
    bool planes = form->layout == VD_CLIP_PLANES;
    float *first =
        tensor + ((size_t)clip * frames * COLOURS + (size_t)number * (planes ? 1 : COLOURS)) * area;
    for (size_t c = 0; c < COLOURS; c++) {
        float *to = first + c * (planes ? frames : 1) * area, mean = form->mean[c], scale = form->scale[c];
        for (size_t i = 0; i < area; i++)
            to[i] = ((float)rgb[COLOURS * i + c] - mean) * scale;
    }
}

int vd_verifier_score(const vd_verifier_form *form, const float *output, int clip, float *ret_score,
                      vd_error *error)
{
    const double slack = 1e-4; /* what rounding may add to a share */
    bool two = has_two(form->output);
    const float *numbers = output + (two ? 2 * clip : clip);
    double value = (double)numbers[two];
    if (!isfinite(numbers[0]) || !isfinite(value))
        return vd_error_set(error, VD_EFORMAT, NULL, "The network's answer is no number.");
    if (form->output == VD_VERIFIER_LOGITS)
        value -= (double)numbers[0];
    if (form->output == VD_VERIFIER_LOGIT || form->output == VD_VERIFIER_LOGITS)
        value = 1 / (1 + exp(-value));
    if (value < -slack || value > 1 + slack)
        return vd_error_set(
            error, VD_EFORMAT, NULL,
            "The network's answer is %g, and it is said to be a probability; its metadata key "
            "vedette.output may have to be %s.",
            value, two ? "logits" : "logit");
    *ret_score = (float)fmin(fmax(value, 0), 1);
    return VD_OK;
}
