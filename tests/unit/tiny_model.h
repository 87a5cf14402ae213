/* A detector in small, written as an ONNX file: two grids of strides 8 and 16 over 32 × 32 pixels, joined,
 * boxes multiplied by their strides, scores through a sigmoid. */
#ifndef TESTS_TINY_MODEL_H
#define TESTS_TINY_MODEL_H

#include <stdio.h>
#include <stdlib.h>

#include "model/onnx_file.h"
#include "onnx_build.h"

enum { TINY_SIDE = 32, TINY_ANCHORS = 20 };

static inline void tiny_conv(Onnx__ModelProto *m, const char *inputs, const char *output, int64_t stride)
{
    Onnx__NodeProto *node = build_node(m, "Conv", inputs, output);
    build_list(node, "kernel_shape", DIMS(stride, stride));
    build_list(node, "strides", DIMS(stride, stride));
}

static inline Onnx__ModelProto *tiny_model(int classes)
{
    char names[256] = "{";
    for (int i = 0; i < classes; i++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%d: 'kind %d of %d'", i ? ", " : "",
                 i, i, classes);
    strcat(names, "}");
    Onnx__ModelProto *m = build_model(17);
    build_input(m, "images", VD_ONNX_FLOAT, DIMS(1, 3, TINY_SIDE, TINY_SIDE));
    build_output(m, "output0", DIMS(1, 4 + classes, TINY_ANCHORS));
    build_floats(m, "w8", -0.01, 0.0001, DIMS(4 + classes, 3, 8, 8));
    build_floats(m, "w16", -0.01, 0.00001, DIMS(4 + classes, 3, 16, 16));
    build_ints(m, "flat", DIMS(1, 4 + classes, -1));
    build_ints(m, "parts", DIMS(4, classes));
    build_floats(m, "strides", 8, 0.5, DIMS(1, TINY_ANCHORS));
    tiny_conv(m, "images w8", "p8", 8);
    tiny_conv(m, "images w16", "p16", 16);
    build_node(m, "Reshape", "p8 flat", "f8");
    build_node(m, "Reshape", "p16 flat", "f16");
    build_int(build_node(m, "Concat", "f8 f16", "all"), "axis", 2);
    build_int(build_node(m, "Split", "all parts", "boxes scores"), "axis", 1);
    build_node(m, "Mul", "boxes strides", "scaled");
    build_node(m, "Sigmoid", "scores", "sure");
    build_int(build_node(m, "Concat", "scaled sure", "output0"), "axis", 1);
    build_metadata(m, "task", "detect");
    build_metadata(m, "author", "Tests");
    build_metadata(m, "names", names);
    return m;
}

/* Writes the first `share` of the file. */
static inline void tiny_model_write(const char *path, int classes, double share)
{
    Onnx__ModelProto *m = tiny_model(classes);
    uint8_t *bytes;
    size_t length;
    if (vd_onnx_pack(m, &bytes, &length))
        abort();
    build_free(m);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, (size_t)((double)length * share), file) == 0 || fclose(file))
        abort();
    free(bytes);
}

#endif
