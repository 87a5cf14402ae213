/* Inputs of free size. */
#include <stdlib.h>
#include <string.h>

#include "model/onnx_file.h"
#include "model/onnx_size.h"

/* The size an export was made for: "[160, 160]" (height, width) or "640". */
static bool read_size(const char *text, int64_t ret_size[2])
{
    int found = 0;
    while (text && *text && found < 2) {
        size_t skip = strcspn(text, "0123456789");
        text += skip;
        if (!*text)
            break;
        char *end;
        ret_size[found++] = strtol(text, &end, 10);
        text = end;
    }
    if (found == 1)
        ret_size[1] = ret_size[0];
    return found > 0 && ret_size[0] >= VD_ONNX_MIN_SIDE && ret_size[0] <= VD_ONNX_MAX_SIDE &&
           ret_size[1] >= VD_ONNX_MIN_SIDE && ret_size[1] <= VD_ONNX_MAX_SIDE;
}

static const Onnx__TensorProto *initializer_of(const Onnx__GraphProto *graph, const char *name)
{
    for (size_t i = 0; name && i < graph->n_initializer; i++)
        if (graph->initializer[i]->name && strcmp(graph->initializer[i]->name, name) == 0)
            return graph->initializer[i];
    return NULL;
}

static Onnx__ValueInfoProto *picture_input(Onnx__GraphProto *graph)
{
    for (size_t i = 0; i < graph->n_input; i++)
        if (!initializer_of(graph, graph->input[i]->name))
            return graph->input[i];
    return NULL;
}

/* Extents that the file declares of outputs and of values in between, as if it had left them open. */
static void forget(Onnx__ValueInfoProto *info)
{
    Onnx__TypeProto__Tensor *tensor = info->type ? info->type->tensor_type : NULL;
    for (size_t i = 0; tensor && tensor->shape && i < tensor->shape->n_dim; i++) {
        tensor->shape->dim[i]->has_dim_value = false;
        tensor->shape->dim[i]->dim_value = 0;
    }
}

void vd_onnx_forget_declared(Onnx__GraphProto *graph)
{
    for (size_t i = 0; i < graph->n_output; i++)
        forget(graph->output[i]);
    for (size_t i = 0; i < graph->n_value_info; i++)
        forget(graph->value_info[i]);
}

static bool is_side(int side)
{
    return side >= VD_ONNX_MIN_SIDE && side <= VD_ONNX_MAX_SIDE;
}

/* [n, c, h, w] for the extents that are open. */
static int choose(const Onnx__ModelProto *model, const vd_onnx_size *wish, int otherwise, const char *place,
                  int64_t ret_extents[4], vd_error *error)
{
    int64_t size[2];
    if (!read_size(vd_onnx_metadata(model, "imgsz"), size))
        size[0] = size[1] = otherwise;
    int height = wish->height > 0 ? wish->height : (int)size[0];
    int width = wish->width > 0 ? wish->width : (int)size[1];
    if ((wish->width > 0 || wish->height > 0) &&
        (!is_side(width) || !is_side(height) || width % VD_ONNX_MIN_SIDE != 0 ||
         height % VD_ONNX_MIN_SIDE != 0))
        return vd_error_set(
            error, VD_EINVAL, place,
            "The network cannot run at %d × %d: both sides must be multiples of %d, %d to %d.", width, height,
            VD_ONNX_MIN_SIDE, VD_ONNX_MIN_SIDE, VD_ONNX_MAX_SIDE);
    ret_extents[0] = wish->batch > 1 ? wish->batch : 1;
    ret_extents[1] = 3;
    ret_extents[2] = height;
    ret_extents[3] = width;
    return VD_OK;
}

int vd_onnx_fix_input(Onnx__ModelProto *model, const vd_onnx_size *wish, int otherwise, const char *place,
                      bool *ret_free, vd_error *error)
{
    Onnx__ValueInfoProto *input = picture_input(model->graph);
    if (!input)
        return vd_error_set(error, VD_EFORMAT, place, "The network has no input for a picture.");
    vd_shape shape = vd_onnx_declared_shape(input);
    if (shape.rank != 4)
        return vd_error_set(error, VD_EFORMAT, place, "The network's input is not a picture.");
    int64_t extents[4];
    bool free_size = shape.dims[2] < 0 || shape.dims[3] < 0, any = false;
    int code = choose(model, free_size ? wish : &(vd_onnx_size){.batch = wish->batch}, otherwise, place,
                      extents, error);
    if (code != VD_OK)
        return code;
    if (shape.dims[0] > 0 && shape.dims[0] != extents[0] && wish->batch > 0)
        return vd_error_set(error, VD_EINVAL, place,
                            "The file fixes a batch of %d, so a batch of %d is not possible; export it with "
                            "dynamic=True.",
                            (int)shape.dims[0], (int)extents[0]);
    for (int i = 0; i < 4; i++) {
        Onnx__TensorShapeProto__Dimension *dim = input->type->tensor_type->shape->dim[i];
        if (shape.dims[i] > 0)
            continue;
        any = true;
        free(dim->dim_param);
        dim->dim_param = NULL;
        dim->has_dim_value = true;
        dim->dim_value = extents[i];
    }
    if (any)
        vd_onnx_forget_declared(model->graph);
    *ret_free = free_size;
    return VD_OK;
}
