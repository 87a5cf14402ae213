#include "vedette/app/model_info.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/model.h"

static const char *format_text(vd_model_format format)
{
    switch (format) {
    case VD_FORMAT_ONNX:
        return "ONNX";
    case VD_FORMAT_DARKNET:
        return "Darknet";
    case VD_FORMAT_CAFFE:
        return "Caffe";
    case VD_FORMAT_TENSORFLOW:
        return "TensorFlow";
    }
    return "unknown";
}

static void add(char *out, size_t size, const char *text)
{
    size_t length = strlen(out);
    snprintf(out + length, size - length, "%s", text);
}

/* The first `count` of three numbers, or one when they are the same. */
static void add_numbers(char *out, size_t size, const float *numbers, int count)
{
    bool same = count < 2 || (numbers[0] == numbers[1] && numbers[1] == numbers[2]);
    for (int i = 0; i < (same ? 1 : count); i++) {
        char text[32];
        snprintf(text, sizeof text, "%s%.6g", i > 0 ? ", " : "", (double)numbers[i]);
        add(out, size, text);
    }
}

/* The values as they are, or less a mean and divided by a number, as the papers have it. */
static void describe_values(const vd_model_feed *feed, int channels, char *out, size_t size)
{
    float divisors[3];
    bool shifted = false, scaled = false;
    for (int i = 0; i < channels; i++) {
        divisors[i] = 1 / feed->scale[i];
        shifted = shifted || feed->mean[i] != 0;
        scaled = scaled || feed->scale[i] != 1;
    }
    if (!shifted && !scaled) {
        add(out, size, "values 0 to 255 as they are");
        return;
    }
    add(out, size, shifted ? "(value - " : "value");
    if (shifted) {
        add_numbers(out, size, feed->mean, channels);
        add(out, size, ")");
    }
    if (scaled) {
        add(out, size, " / ");
        add_numbers(out, size, divisors, channels);
    }
}

static void describe_feed(const vd_model_feed *feed, char *out, size_t size)
{
    static const char *const channels[] = {
        [VD_CHANNELS_RGB] = "RGB, ", [VD_CHANNELS_BGR] = "BGR, ", [VD_CHANNELS_GREY] = "grey, "};
    char pad[16];
    snprintf(pad, sizeof pad, "%g, ", (double)feed->pad);
    *out = '\0';
    if (feed->fit == VD_FIT_STRETCH) {
        add(out, size, "stretched, ");
    } else {
        add(out, size, feed->fit == VD_FIT_CENTRE ? "letterboxed on grey " : "at the top left on grey ");
        add(out, size, pad);
    }
    add(out, size, channels[feed->channels]);
    describe_values(feed, feed->channels == VD_CHANNELS_GREY ? 1 : 3, out, size);
}

static void describe_outputs(const vd_model *model, vd_model_info *info)
{
    for (int i = 0; i < model->output_count && i < VD_MODEL_INFO_OUTPUTS; i++) {
        vd_model_info_output *output = &info->outputs[info->output_count++];
        vd_text_copy(output->name, sizeof output->name, model->outputs[i].name);
        memcpy(output->extents, model->outputs[i].extents, sizeof output->extents);
        output->rank = model->outputs[i].rank;
    }
    for (int i = 0; i < model->level_count && i < VD_MODEL_INFO_LEVELS; i++) {
        const vd_model_level *level = &model->levels[i];
        info->levels[info->level_count++] = (vd_model_info_level){level->stride, level->width, level->height};
    }
}

static void describe(const vd_model *model, vd_model_info *info)
{
    memset(info, 0, sizeof *info);
    vd_text_copy(info->name, sizeof info->name, model->name);
    vd_text_copy(info->digest, sizeof info->digest, model->digest);
    vd_text_copy(info->format, sizeof info->format, format_text(model->format));
    vd_text_copy(info->family, sizeof info->family, model->variant);
    describe_feed(&model->feed, info->preprocessing, sizeof info->preprocessing);
    vd_text_copy(info->input_name, sizeof info->input_name, model->input_name);
    info->input_width = model->input_width;
    info->input_height = model->input_height;
    info->batch = model->batch;
    describe_outputs(model, info);
    info->confidence = model->confidence;
    info->iou = model->iou;
    info->suppressed = model->suppressed;
    info->classes = model->classes;
    info->has_names = model->has_names;
    info->labels = vd_labels_ref(model->labels);
    for (int i = 0; i < model->note_count && i < VD_MODEL_INFO_NOTES; i++)
        vd_text_copy(info->notes[info->note_count++], sizeof info->notes[0], model->notes[i]);
}

int vd_model_describe(const char *path, const char *labels, int input_width, int input_height,
                      vd_model_info *ret_info, vd_error *error)
{
    vd_model *model = NULL;
    const vd_model_options options = {
        .labels = labels, .input_width = input_width, .input_height = input_height};
    int code = vd_model_read(path, &options, &model, error);
    if (code != VD_OK)
        return code;
    describe(model, ret_info);
    vd_model_free(&model);
    return VD_OK;
}

void vd_model_info_clear(vd_model_info *info)
{
    vd_labels_unref(&info->labels);
}
