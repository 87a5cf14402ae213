/* One graph at a time for tests of what reads and changes it; models are made by onnx_build.h. */
#ifndef TESTS_ONNX_CASE_H
#define TESTS_ONNX_CASE_H

#include "check_main.h"
#include "model/onnx_passes.h"
#include "onnx_build.h"

static vd_onnx_graph graph;
static vd_error error;

static inline void init(Onnx__ModelProto *model)
{
    error = (vd_error){0};
    ck_assert_msg(vd_onnx_graph_init(&graph, model, "test", &error) == VD_OK, "%s", error.text);
}

/* Frees the model as well. */
static inline void done(Onnx__ModelProto *model)
{
    vd_onnx_graph_fini(&graph);
    build_free(model);
}

/* The value of that name, once all shapes and constants that can be known are. */
static inline const vd_value *resolved(Onnx__ModelProto *model, const char *name)
{
    init(model);
    ck_assert_int_eq(vd_onnx_resolve(&graph, &error), VD_OK);
    return vd_onnx_find(&graph, name);
}

static inline void check_unknown(Onnx__ModelProto *model)
{
    ck_assert_ptr_null(resolved(model, "y")->constant);
    done(model);
}

static inline Onnx__ModelProto *with_input(int opset, const int64_t *dims, int rank)
{
    Onnx__ModelProto *model = build_model(opset);
    build_input(model, "x", VD_ONNX_FLOAT, dims, rank);
    return model;
}

/* Whole numbers and how many they are; VALUES: others. */
#define INTS DIMS
#define VALUES(...)                                                                                          \
    (const double[]){__VA_ARGS__}, (int)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

#endif
