/* Inputs of free size. */
#include <stdlib.h>
#include <string.h>

#include "model/family.h"
#include "model/onnx_file.h"

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
    return found > 0 && ret_size[0] >= 32 && ret_size[0] <= 4096 && ret_size[1] >= 32 && ret_size[1] <= 4096;
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

int vd_family_fix_input(Onnx__ModelProto *model, const char *place, vd_model *notes, vd_error *error)
{
    Onnx__ValueInfoProto *input = picture_input(model->graph);
    if (!input)
        return vd_error_set(error, VD_EFORMAT, place, "The network has no input for a picture.");
    vd_shape shape = vd_onnx_declared_shape(input);
    if (shape.rank != 4)
        return vd_error_set(error, VD_EFORMAT, place, "The network's input is not a picture.");
    int64_t size[2] = {0, 0}, wanted[4] = {1, 3, 0, 0};
    bool sized = read_size(vd_onnx_metadata(model, "imgsz"), size), free_size = false;
    wanted[2] = size[0];
    wanted[3] = size[1];
    for (int i = 0; i < 4; i++) {
        Onnx__TensorShapeProto__Dimension *dim = input->type->tensor_type->shape->dim[i];
        if (shape.dims[i] > 0)
            continue;
        if (i >= 2 && !sized)
            return vd_error_set(
                error, VD_EFORMAT, place,
                "The network's input has a free size that the file does not name; export it with a "
                "fixed size (dynamic=False).");
        free_size = free_size || i >= 2;
        free(dim->dim_param);
        dim->dim_param = NULL;
        dim->has_dim_value = true;
        dim->dim_value = wanted[i];
    }
    if (free_size)
        vd_model_note(notes, "input of free size, fixed at the %d × %d it was exported with", (int)size[1],
                      (int)size[0]);
    return VD_OK;
}
