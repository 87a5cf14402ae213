#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/pair_ssd.h"
#include "model/pair_text.h"

enum { NAME_BYTES = 128, MOST_CHECKED = 64 };

/* One node of the text, complete when the next begins. */
typedef struct node {
    char name[NAME_BYTES], op[48], inputs[2][NAME_BYTES], key[48];
    int input_count, dims;
    int extents[4]; /* pictures, height, width, channels */
    long classes, background, keep;
    double step;
} node;

typedef struct reader {
    vd_ssd ssd;
    node now;
    int nodes;
    double coarsest; /* step of prior boxes */
    char last_op[48], last_name[NAME_BYTES];
    char weights[MOST_CHECKED][NAME_BYTES]; /* nodes that the graph must hold, the first of them */
    int weight_count;
} reader;

static void finish_input(reader *r)
{
    node *n = &r->now;
    vd_ssd *ssd = &r->ssd;
    if (ssd->input_name[0])
        return;
    vd_text_copy(ssd->input_name, sizeof ssd->input_name, n->name);
    ssd->is_rgb = strcmp(n->name, "image_tensor") == 0;
    ssd->channels = 3;
    if (n->dims != 4)
        return;
    ssd->height = n->extents[1] > 0 ? n->extents[1] : 0;
    ssd->width = n->extents[2] > 0 ? n->extents[2] : 0;
    ssd->channels = n->extents[3] > 0 ? n->extents[3] : 3;
}

/* "data:0" is output 0 of "data". */
static bool is_output_of(const char *input, const char *name)
{
    size_t length = strlen(name);
    return length > 0 && strncmp(input, name, length) == 0 && (input[length] == '\0' || input[length] == ':');
}

static void finish_node(reader *r)
{
    node *n = &r->now;
    vd_ssd *ssd = &r->ssd;
    if (!n->op[0])
        return;
    if (strcmp(n->op, "Placeholder") == 0)
        finish_input(r);
    if (strcmp(n->op, "DetectionOutput") == 0) {
        ssd->outputs++;
        ssd->classes = n->classes;
        ssd->background = n->background;
        ssd->keep = n->keep;
        vd_text_copy(ssd->output_name, sizeof ssd->output_name, n->name);
    }
    if (strncmp(n->op, "FusedBatchNorm", 14) == 0 && is_output_of(n->inputs[0], ssd->input_name))
        ssd->normalises = true;
    if (strcmp(n->op, "DepthwiseConv2dNative") == 0)
        ssd->depthwise = true;
    if (strcmp(n->op, "PriorBox") == 0 && n->step > r->coarsest)
        r->coarsest = n->step;
    if (strcmp(n->op, "Conv2D") == 0 && n->input_count > 1 && r->weight_count < MOST_CHECKED)
        vd_text_copy(r->weights[r->weight_count++], NAME_BYTES, n->inputs[1]);
    vd_text_copy(r->last_op, sizeof r->last_op, n->op);
    vd_text_copy(r->last_name, sizeof r->last_name, n->name);
}

static void take_attribute(node *n, const char *path, const char *value)
{
    double real;
    long number = vd_pair_number(value, -1);
    if (strcmp(path, "shape/dim/size") == 0 && strcmp(n->key, "shape") == 0) {
        if (n->dims < 4)
            n->extents[n->dims] = number < 0 || number > 1 << 16 ? 0 : (int)number;
        n->dims++;
    } else if (strcmp(path, "i") == 0 && strcmp(n->key, "num_classes") == 0) {
        n->classes = number;
    } else if (strcmp(path, "i") == 0 && strcmp(n->key, "background_label_id") == 0) {
        n->background = number;
    } else if (strcmp(path, "i") == 0 && strcmp(n->key, "keep_top_k") == 0) {
        n->keep = number;
    } else if (strcmp(path, "f") == 0 && strcmp(n->key, "step") == 0 && vd_text_parse_number(value, &real)) {
        n->step = real;
    }
}

static bool take_field(void *context, const vd_text_field *field)
{
    static const char attributes[] = "node/attr/value/";
    reader *r = context;
    node *n = &r->now;
    const char *path = field->path, *value = field->value;
    if (strcmp(path, "node") == 0 && !value) {
        finish_node(r);
        *n = (node){.keep = -1};
        r->nodes++;
    } else if (strcmp(path, "node/attr") == 0 && !value) {
        n->key[0] = '\0';
    }
    if (!value)
        return true;
    if (strcmp(path, "node/name") == 0)
        vd_text_copy(n->name, sizeof n->name, value);
    else if (strcmp(path, "node/op") == 0)
        vd_text_copy(n->op, sizeof n->op, value);
    else if (strcmp(path, "node/attr/key") == 0)
        vd_text_copy(n->key, sizeof n->key, value);
    else if (strcmp(path, "node/input") == 0 && n->input_count++ < 2)
        vd_text_copy(n->inputs[n->input_count - 1], NAME_BYTES, value);
    else if (strncmp(path, attributes, sizeof attributes - 1) == 0)
        take_attribute(n, path + sizeof attributes - 1, value);
    return true;
}

/* A node of the graph, GraphDef.node: its name is field 1. */
static bool is_named(const uint8_t *bytes, size_t from, size_t length, const char *name)
{
    size_t at = from, start, size;
    if (vd_pair_next_field(bytes, from + length, &at, &start, &size) != 1)
        return false;
    return size == strlen(name) && memcmp(bytes + start, name, size) == 0;
}

/* The text takes its weights from the graph by name. */
static int check_names(const vd_pair *pair, const reader *r, vd_error *error)
{
    size_t at = 0, start, length;
    int field, found = 0, seen = 0;
    while ((field = vd_pair_next_field(pair->data, pair->data_length, &at, &start, &length)) > 0) {
        if (field != 1 || ++seen > 65536)
            continue;
        for (int i = 0; i < r->weight_count; i++)
            found += is_named(pair->data, start, length, r->weights[i]);
    }
    if (found >= r->weight_count)
        return VD_OK;
    return vd_error_set(
        error, VD_EFORMAT, pair->data_place,
        "Of %d layers that need weights %d have none here: the .pbtxt and the .pb do not belong "
        "together.",
        r->weight_count, r->weight_count - found);
}

/* A prior box as large as a step stands for a grid of one cell: the whole picture. */
static void guess_size(reader *r)
{
    vd_ssd *ssd = &r->ssd;
    if (ssd->width > 0 || ssd->height > 0 || r->coarsest < VD_PAIR_LEAST_SIDE ||
        r->coarsest > VD_PAIR_MOST_SIDE)
        return;
    ssd->width = ssd->height = (int)r->coarsest;
    ssd->stands_for_size = true;
}

int vd_tensorflow_tell(vd_pair *pair, vd_model *model, vd_error *error)
{
    reader *r = calloc(1, sizeof *r);
    if (!r)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory to read the model.");
    int code = VD_OK, line = vd_text_walk((const char *)pair->text, pair->text_length, take_field, r);
    finish_node(r);
    if (line > 0)
        code = vd_error_set(error, VD_EFORMAT, pair->text_place,
                            "This is no TensorFlow graph in text form: line %d cannot be read.", line);
    else if (r->nodes == 0)
        code = vd_error_set(error, VD_EFORMAT, pair->text_place,
                            "This is no TensorFlow graph in text form: it has no nodes.");
    else if (r->ssd.outputs == 0)
        code =
            vd_error_set(error, VD_EFORMAT, pair->text_place,
                         "This graph ends in \"%s\" (%s), without DetectionOutput: no boxes come out of it.",
                         r->last_name, r->last_op);
    if (code == VD_OK)
        code = vd_pair_check_protobuf(pair, "TensorFlow graph", error);
    if (code == VD_OK)
        code = check_names(pair, r, error);
    if (code == VD_OK) {
        guess_size(r);
        code = vd_ssd_fill(pair, &r->ssd, model, error);
    }
    free(r);
    return code;
}
