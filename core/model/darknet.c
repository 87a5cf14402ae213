#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/darknet_cfg.h"
#include "model/family.h"
#include "model/onnx_file.h"
#include "model/pair_parts.h"

/* A cut file gives no boxes, a foreign one gives wrong ones: these are what people set out with. */
static const float CONFIDENCE = 0.3f, IOU = 0.45f;

static uint32_t read_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* Three numbers for the version, then how many pictures were seen: 8 bytes from version 0.2 on, 4 before.
 * 0 when it is no such header. */
static size_t header_bytes(const vd_pair *pair)
{
    if (pair->data_length < 16)
        return 0;
    uint32_t major = read_u32(pair->data), minor = read_u32(pair->data + 4);
    if (major > 9 || minor > 99)
        return 0;
    return major * 10 + minor >= 2 ? 20 : 16;
}

/* Says why the size is not what the cfg asks for: another number of classes explains it exactly, or it is
 * cut. */
static int refuse_size(const vd_pair *pair, const vd_darknet *net, uint64_t wanted, vd_error *error)
{
    uint64_t have = pair->data_length, per_class = net->class_bytes;
    int classes = net->heads[0].classes;
    int64_t off = (int64_t)have - (int64_t)wanted;
    if (per_class > 0 && off % (int64_t)per_class == 0) {
        int64_t others = classes + off / (int64_t)per_class;
        if (others >= 1 && others <= 1024)
            return vd_error_set(
                error, VD_EFORMAT, pair->data_place,
                "The weights are of a network with %d class%s and the cfg is of one with %d: the "
                "two do not belong together.",
                (int)others, others == 1 ? "" : "es", classes);
    }
    if (have < wanted)
        return vd_error_set(error, VD_EFORMAT, pair->data_place,
                            "The weights have %" PRIu64 " bytes and the cfg asks for %" PRIu64
                            ": the file is cut off (fetch it again), or the two do not belong together.",
                            have, wanted);
    return vd_error_set(error, VD_EFORMAT, pair->data_place,
                        "The weights have %" PRIu64 " bytes and the cfg asks for %" PRIu64
                        ": the two do not belong together.",
                        have, wanted);
}

static int check_weights(const vd_pair *pair, const vd_darknet *net, vd_error *error)
{
    size_t header = header_bytes(pair);
    if (header == 0) {
        size_t head = pair->data_length < VD_SNIFF_BYTES ? pair->data_length : VD_SNIFF_BYTES;
        const char *other = vd_onnx_sniff(pair->data, head);
        return vd_error_set(error, VD_EFORMAT, pair->data_place, "%s",
                            other ? other
                                  : "These are no Darknet weights: they do not begin as such files do.");
    }
    if (vd_pair_is_mangled(pair->data, pair->data_length))
        return vd_error_set(
            error, VD_EFORMAT, pair->data_place,
            "These weights were once saved as text (UTF-8), which destroyed them; fetch the file "
            "again.");
    uint64_t wanted = header + net->weight_bytes;
    return wanted == pair->data_length ? VD_OK : refuse_size(pair, net, wanted, error);
}

/* The largest step by which the picture shrinks on its way to a head: its size must be a multiple. */
static int largest_step(const vd_darknet *net)
{
    int largest = 1;
    for (int i = 0; i < net->head_count; i++) {
        const vd_darknet_head *head = &net->heads[i];
        if (net->width % head->width || net->height % head->height)
            return 32;
        int step = net->width / head->width;
        largest = step > largest ? step : largest;
    }
    return largest;
}

/* Another input size goes into the text, and the shapes are taken from that. */
static int choose_size(vd_pair *pair, vd_darknet *net, vd_model *model, vd_error *error)
{
    const vd_model_options *asked = pair->options;
    bool chosen = asked->input_width != 0 || asked->input_height != 0;
    model->input_width = net->width;
    model->input_height = net->height;
    int code = vd_pair_choose_size(pair, chosen ? largest_step(net) : 1, model, error);
    if (code != VD_OK || (model->input_width == net->width && model->input_height == net->height))
        return code;
    vd_model_note(model, "input of %d × %d pixels by choice; the cfg says %d × %d", model->input_width,
                  model->input_height, net->width, net->height);
    code = vd_pair_write_size(pair, net->width_span, net->height_span, model, error);
    return code == VD_OK ? vd_darknet_parse(pair, net, error) : code;
}

static void set_feed(const vd_darknet *net, vd_model_feed *feed)
{
    *feed = (vd_model_feed){.fit = net->letterbox ? VD_FIT_CENTRE : VD_FIT_STRETCH,
                            .channels = net->channels == 1 ? VD_CHANNELS_GREY : VD_CHANNELS_RGB,
                            .pad = 127.5f};
    for (int i = 0; i < 3; i++)
        feed->scale[i] = 1 / 255.f;
}

/* As OpenCV names what it makes of a section. */
static void name_output(const vd_darknet_head *head, vd_model_output *output)
{
    if (head->is_region)
        snprintf(output->name, sizeof output->name, "detection_out");
    else
        snprintf(output->name, sizeof output->name, "yolo_%d", head->section);
}

static void set_outputs(const vd_darknet *net, vd_model *model)
{
    model->classes = net->heads[0].classes;
    for (int i = 0; i < net->head_count; i++) {
        const vd_darknet_head *head = &net->heads[i];
        vd_model_output *output = &model->outputs[model->output_count++];
        int rows = head->width * head->height * head->boxes;
        name_output(head, output);
        output->rank = 2;
        output->extents[0] = rows;
        output->extents[1] = 5 + head->classes;
        model->anchors += rows;
        vd_model_note(model, "section %d, [%s]: %d boxes in each of %d × %d cells, %d class%s", head->section,
                      head->is_region ? "region" : "yolo", head->boxes, head->width, head->height,
                      head->classes, head->classes == 1 ? "" : "es");
    }
}

int vd_darknet_tell(vd_pair *pair, vd_model *model, vd_error *error)
{
    vd_darknet net = {0};
    int code = vd_darknet_parse(pair, &net, error);
    if (code == VD_OK)
        code = check_weights(pair, &net, error);
    if (code == VD_OK)
        code = choose_size(pair, &net, model, error);
    if (code != VD_OK)
        return code;
    model->family = VD_FAMILY_DARKNET;
    snprintf(model->variant, sizeof model->variant, "Darknet, %s",
             net.heads[0].is_region ? "YOLOv2 ([region])" : "YOLOv3 or v4 ([yolo])");
    snprintf(model->input_name, sizeof model->input_name, "data");
    model->confidence = CONFIDENCE;
    model->iou = IOU;
    set_feed(&net, &model->feed);
    set_outputs(&net, model);
    vd_model_note(model, "%d convolutions: the weights have exactly the %zu bytes that the cfg asks for",
                  net.convolutions, pair->data_length);
    return VD_OK;
}
