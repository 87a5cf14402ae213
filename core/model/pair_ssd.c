#include "model/pair_ssd.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/family.h"
#include "model/names.h"

enum { MOST_BOXES = 65536 };

/* How a picture is fed is not part of such files; these are the ways in which the known networks were
 * trained, told apart by what the layers show. A data layer that says it itself comes first. */
typedef struct recipe {
    float mean[3], scale;
    const char *variant, *evidence;
} recipe;

static const recipe grey = {{0, 0, 0}, 1 / 255.f, "SSD, grey", "one channel: grey, value / 255"};
static const recipe own_rgb = {
    {0, 0, 0},
    1,
    "SSD (TensorFlow's detection API)",
    "input named image_tensor: TensorFlow's detection API, RGB, values as they are"};
static const recipe resnet = {
    {104, 177, 123},
    1,
    "SSD on ResNet-10 (OpenCV's face detector)",
    "first layer normalises a colour picture: ResNet-10 SSD, BGR − (104, 177, 123)"};
static const recipe vgg = {
    {104, 117, 123}, 1, "SSD on VGG", "layer Normalize: SSD on VGG, BGR − (104, 117, 123)"};
static const recipe mobilenet = {{127.5f, 127.5f, 127.5f},
                                 1 / 127.5f,
                                 "SSD on MobileNet",
                                 "depthwise convolutions: MobileNet-SSD, BGR, (value − 127.5) / 127.5"};
static const recipe unknown = {
    {104, 117, 123}, 1, "SSD", "no sign of how pictures were fed: Caffe's usual BGR − (104, 117, 123)"};

static const recipe *choose_recipe(const vd_ssd *ssd)
{
    if (ssd->channels == 1)
        return &grey;
    if (ssd->is_rgb)
        return &own_rgb;
    if (ssd->normalises)
        return &resnet;
    if (ssd->normalises_rows)
        return &vgg;
    return ssd->depthwise ? &mobilenet : &unknown;
}

static void set_feed(const vd_ssd *ssd, vd_model *model)
{
    const recipe *chosen = choose_recipe(ssd);
    vd_model_feed *feed = &model->feed;
    bool said = ssd->mean_count > 0 || ssd->scale > 0;
    feed->fit = VD_FIT_STRETCH;
    feed->channels = ssd->channels == 1 ? VD_CHANNELS_GREY : ssd->is_rgb ? VD_CHANNELS_RGB : VD_CHANNELS_BGR;
    for (int i = 0; i < 3; i++) {
        float given = ssd->mean_count > i ? ssd->mean[i] : ssd->mean_count > 0 ? ssd->mean[0] : 0;
        feed->mean[i] = said ? given : chosen->mean[i];
        feed->scale[i] = said ? (ssd->scale > 0 ? ssd->scale : 1) : chosen->scale;
    }
    vd_text_copy(model->variant, sizeof model->variant, chosen->variant);
    if (said)
        vd_model_note(model, "the data layer says it: mean %g %g %g, scale %g", (double)feed->mean[0],
                      (double)feed->mean[1], (double)feed->mean[2], (double)feed->scale[0]);
    else
        vd_model_note(model, "%s", chosen->evidence);
    /* faces are many and small, and what is nearly one is common: OpenCV's own sample asks for more, too */
    model->confidence = !said && chosen == &resnet ? 0.6f : 0.3f;
    model->iou = 0.45f;
}

/* OpenCV's face detector is the one network here whose class is known. */
static int name_classes(vd_model *model, vd_error *error)
{
    static const char *const face[] = {"face"};
    if (strcmp(model->variant, resnet.variant) != 0 || model->classes != 1)
        return VD_OK;
    if (vd_labels_new(face, 1, &model->labels) != VD_OK)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory to read the model.");
    return VD_OK;
}

static int check(const vd_pair *pair, const vd_ssd *ssd, vd_error *error)
{
    const char *place = pair->text_place;
    if (ssd->outputs > 1)
        return vd_error_set(
            error, VD_EFORMAT, place,
            "This network has %d DetectionOutput layers (such as Faster R-CNN); one can be read.",
            ssd->outputs);
    if (ssd->classes < 2 || ssd->classes > VD_MAX_CLASSES)
        return vd_error_set(error, VD_EFORMAT, place,
                            "DetectionOutput has %ld classes; it needs the background and 1 to %d more.",
                            ssd->classes, VD_MAX_CLASSES - 1);
    if (ssd->background != 0)
        return vd_error_set(
            error, VD_EFORMAT, place,
            "DetectionOutput takes class %ld for the background; only class 0 can be read so.",
            ssd->background);
    if (ssd->keep < 1 || ssd->keep > MOST_BOXES)
        return vd_error_set(error, VD_EFORMAT, place,
                            "DetectionOutput keeps %ld boxes; keep_top_k must be 1 to %d.", ssd->keep,
                            MOST_BOXES);
    if (ssd->channels != 1 && ssd->channels != 3)
        return vd_error_set(error, VD_EFORMAT, place,
                            "The input has %d channels; pictures in colour (3) or grey (1) can be fed.",
                            ssd->channels);
    return VD_OK;
}

static int set_size(vd_pair *pair, const vd_ssd *ssd, vd_model *model, vd_error *error)
{
    const vd_model_options *asked = pair->options;
    model->input_width = ssd->width;
    model->input_height = ssd->height;
    if ((ssd->width == 0 || ssd->height == 0) && (asked->input_width == 0 || asked->input_height == 0))
        return vd_error_set(error, VD_EFORMAT, pair->text_place,
                            "The file does not say the size of its input; choose one, such as 300 × 300.");
    int code = vd_pair_choose_size(pair, 1, model, error);
    if (code != VD_OK)
        return code;
    if (model->input_width == ssd->width && model->input_height == ssd->height) {
        if (ssd->stands_for_size)
            vd_model_note(model, "input of %d × %d pixels, the step of the coarsest prior boxes", ssd->width,
                          ssd->height);
        return VD_OK;
    }
    vd_model_note(model, "input of %d × %d pixels by choice", model->input_width, model->input_height);
    if (ssd->width_span.length == 0 || ssd->height_span.length == 0)
        return VD_OK; /* the engine's input alone decides */
    return vd_pair_write_size(pair, ssd->width_span, ssd->height_span, model, error);
}

int vd_ssd_fill(vd_pair *pair, const vd_ssd *ssd, vd_model *model, vd_error *error)
{
    int code = check(pair, ssd, error);
    if (code == VD_OK)
        code = set_size(pair, ssd, model, error);
    if (code != VD_OK)
        return code;
    model->family = VD_FAMILY_SSD;
    model->classes = (int)ssd->classes - 1;
    model->anchors = (int)ssd->keep;
    model->suppressed = true;
    model->output_count = 1;
    vd_model_output *output = &model->outputs[0];
    vd_text_copy(output->name, sizeof output->name, ssd->output_name);
    vd_text_copy(model->input_name, sizeof model->input_name, ssd->input_name);
    output->rank = 4;
    output->extents[0] = output->extents[1] = 1;
    output->extents[2] = (int)ssd->keep;
    output->extents[3] = 7;
    vd_model_note(model, "DetectionOutput with %d class%s and the background, at most %ld boxes",
                  model->classes, model->classes == 1 ? "" : "es", ssd->keep);
    set_feed(ssd, model);
    return name_classes(model, error);
}
