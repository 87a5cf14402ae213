#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/pair_ssd.h"
#include "model/pair_text.h"

enum { NAME_BYTES = 128, MOST_CHECKED = 64 };

/* One layer of the text, complete when the next begins. */
typedef struct layer {
    char name[NAME_BYTES], type[48], bottom[NAME_BYTES];
    long group, outputs, classes, background, keep;
} layer;

typedef struct reader {
    vd_ssd ssd;
    layer now;
    int layers, dims;
    char input[64], last_type[48], last_name[NAME_BYTES];
    char weighted[MOST_CHECKED][NAME_BYTES]; /* layers that need weights, the first of them */
    int weighted_count;
} reader;

static void finish_layer(reader *r)
{
    layer *l = &r->now;
    vd_ssd *ssd = &r->ssd;
    if (!l->type[0])
        return;
    if (strcmp(l->type, "DetectionOutput") == 0) {
        ssd->outputs++;
        ssd->classes = l->classes;
        ssd->background = l->background;
        ssd->keep = l->keep;
        vd_text_copy(ssd->output_name, sizeof ssd->output_name, l->name);
    }
    if (strcmp(l->type, "Input") == 0 && !r->input[0])
        vd_text_copy(r->input, sizeof r->input, l->name);
    if (strcmp(l->type, "BatchNorm") == 0 && r->input[0] && strcmp(l->bottom, r->input) == 0)
        ssd->normalises = true;
    if (strcmp(l->type, "Normalize") == 0)
        ssd->normalises_rows = true;
    bool is_convolution = strcmp(l->type, "Convolution") == 0;
    if (strcmp(l->type, "DepthwiseConvolution") == 0 ||
        (is_convolution && l->group > 1 && l->group == l->outputs))
        ssd->depthwise = true;
    if (is_convolution && r->weighted_count < MOST_CHECKED)
        vd_text_copy(r->weighted[r->weighted_count++], NAME_BYTES, l->name);
    vd_text_copy(r->last_type, sizeof r->last_type, l->type);
    vd_text_copy(r->last_name, sizeof r->last_name, l->name);
}

/* The input's four extents: pictures, channels, height, width. */
static void take_dim(reader *r, const vd_text_field *field)
{
    vd_ssd *ssd = &r->ssd;
    long value = vd_pair_number(field->value, 0);
    int number = value < 0 || value > 1 << 16 ? 0 : (int)value;
    const vd_pair_span span = {field->at, field->length};
    switch (r->dims++) {
    case 1:
        ssd->channels = number;
        break;
    case 2:
        ssd->height = number;
        ssd->height_span = span;
        break;
    case 3:
        ssd->width = number;
        ssd->width_span = span;
        break;
    default:
        break;
    }
}

static void take_number(reader *r, const vd_text_field *field)
{
    const struct {
        const char *path;
        long *value;
    } numbers[] = {
        {"layer/convolution_param/group", &r->now.group},
        {"layer/convolution_param/num_output", &r->now.outputs},
        {"layer/detection_output_param/num_classes", &r->now.classes},
        {"layer/detection_output_param/background_label_id", &r->now.background},
        {"layer/detection_output_param/keep_top_k", &r->now.keep},
    };
    double real;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(field->path, numbers[i].path) == 0)
            *numbers[i].value = vd_pair_number(field->value, -1);
    vd_ssd *ssd = &r->ssd;
    if (strncmp(field->path, "layer/transform_param/", 22) != 0 || !vd_text_parse_number(field->value, &real))
        return;
    if (strcmp(field->path + 22, "mean_value") == 0 && ssd->mean_count < 3 && real > -1e4 && real < 1e4)
        ssd->mean[ssd->mean_count++] = (float)real;
    if (strcmp(field->path + 22, "scale") == 0 && real > 0 && real < 1e4)
        ssd->scale = (float)real;
}

static bool take_field(void *context, const vd_text_field *field)
{
    reader *r = context;
    const char *path = field->path, *value = field->value;
    if (strcmp(path, "layer") == 0 && !value) {
        finish_layer(r);
        r->now = (layer){.group = 1, .keep = -1};
        r->layers++;
    }
    if (!value)
        return true;
    if (strcmp(path, "layer/name") == 0)
        vd_text_copy(r->now.name, sizeof r->now.name, value);
    else if (strcmp(path, "layer/type") == 0)
        vd_text_copy(r->now.type, sizeof r->now.type, value);
    else if (strcmp(path, "layer/bottom") == 0 && !r->now.bottom[0])
        vd_text_copy(r->now.bottom, sizeof r->now.bottom, value);
    else if (strcmp(path, "input") == 0 && !r->input[0])
        vd_text_copy(r->input, sizeof r->input, value);
    else if (strcmp(path, "layer/input_param/shape/dim") == 0 || strcmp(path, "input_dim") == 0 ||
             strcmp(path, "input_shape/dim") == 0)
        take_dim(r, field);
    else
        take_number(r, field);
    return true;
}

static int refuse_boxless(const vd_pair *pair, const reader *r, vd_error *error)
{
    static const char *const scores[] = {"Softmax", "InnerProduct", "SoftmaxWithLoss", "Accuracy", "Sigmoid"};
    for (size_t i = 0; i < sizeof scores / sizeof *scores; i++)
        if (strcmp(r->last_type, scores[i]) == 0)
            return vd_error_set(
                error, VD_EFORMAT, pair->text_place,
                "This network ends in \"%s\" (%s), without DetectionOutput: scores come out, as of "
                "a classifier, and no boxes.",
                r->last_name, r->last_type);
    return vd_error_set(
        error, VD_EFORMAT, pair->text_place,
        "This network ends in \"%s\" (%s), without DetectionOutput: a picture comes out, and no "
        "boxes.",
        r->last_name, r->last_type);
}

/* A layer of the weights, NetParameter.layer: the name is field 1, weights are field 7. */
static bool gives_weights(const uint8_t *bytes, size_t from, size_t length, const char *name)
{
    size_t at = from, end = from + length, start, size;
    bool same = false, has_blobs = false;
    int field;
    while ((field = vd_pair_next_field(bytes, end, &at, &start, &size)) > 0) {
        if (field == 1)
            same = size == strlen(name) && memcmp(bytes + start, name, size) == 0;
        else if (field == 7)
            has_blobs = true;
    }
    return same && has_blobs;
}

/* Both files name the layers: where the first convolutions have no weights, the two do not belong together.
 */
static int check_names(const vd_pair *pair, const reader *r, vd_error *error)
{
    size_t at = 0, start, length;
    int field, found = 0, seen = 0;
    while ((field = vd_pair_next_field(pair->data, pair->data_length, &at, &start, &length)) > 0) {
        if (field == 2)
            return VD_OK; /* Caffe's first form of layers, which OpenCV brings up to date by itself */
        if (field != 100 || ++seen > 4096)
            continue;
        for (int i = 0; i < r->weighted_count; i++)
            found += gives_weights(pair->data, start, length, r->weighted[i]);
    }
    if (found >= r->weighted_count)
        return VD_OK;
    return vd_error_set(
        error, VD_EFORMAT, pair->data_place,
        "Of %d layers that need weights %d have none here: the .prototxt and the .caffemodel do not "
        "belong together.",
        r->weighted_count, r->weighted_count - found);
}

int vd_caffe_tell(vd_pair *pair, vd_model *model, vd_error *error)
{
    reader *r = calloc(1, sizeof *r);
    if (!r)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory to read the model.");
    int code = VD_OK, line = vd_text_walk((const char *)pair->text, pair->text_length, take_field, r);
    finish_layer(r);
    if (line > 0)
        code = vd_error_set(error, VD_EFORMAT, pair->text_place,
                            "This is no Caffe network in text form: line %d cannot be read.", line);
    else if (r->layers == 0)
        code = vd_error_set(error, VD_EFORMAT, pair->text_place,
                            "This is no Caffe network in text form: it has no layers.");
    else if (r->ssd.outputs == 0)
        code = refuse_boxless(pair, r, error);
    if (code == VD_OK)
        code = vd_pair_check_protobuf(pair, "Caffe weights", error);
    if (code == VD_OK)
        code = check_names(pair, r, error);
    if (code == VD_OK) {
        vd_text_copy(r->ssd.input_name, sizeof r->ssd.input_name, r->input);
        code = vd_ssd_fill(pair, &r->ssd, model, error);
    }
    free(r);
    return code;
}
