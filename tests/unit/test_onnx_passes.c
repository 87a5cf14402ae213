#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "model/onnx_passes.h"
#include "model/onnx_rules.h"
#include "onnx_build.h"

static vd_onnx_graph graph;
static vd_error error;

static void init(Onnx__ModelProto *model)
{
    error = (vd_error){0};
    ck_assert_msg(vd_onnx_graph_init(&graph, model, "test", &error) == VD_OK, "%s", error.text);
}

static void done(Onnx__ModelProto *model)
{
    vd_onnx_graph_fini(&graph);
    build_free(model);
}

static const vd_value *resolved(Onnx__ModelProto *model, const char *name)
{
    init(model);
    ck_assert_int_eq(vd_onnx_resolve(&graph, &error), VD_OK);
    return vd_onnx_find(&graph, name);
}

/* Resolves the model, compares the constant "y" with what it should be, and frees the model. */
static void check_values(Onnx__ModelProto *model, const double *wanted, int count, const int64_t *dims,
                         int rank)
{
    const vd_value *y = resolved(model, "y");
    ck_assert_ptr_nonnull(y->constant);
    ck_assert_int_eq(y->shape.rank, rank);
    for (int i = 0; i < rank; i++)
        ck_assert_int_eq(y->shape.dims[i], dims[i]);
    ck_assert_uint_eq(vd_onnx_tensor_count(y->constant), (size_t)count);
    for (int i = 0; i < count; i++)
        ck_assert_double_eq(vd_onnx_tensor_number(y->constant, (size_t)i), wanted[i]);
    done(model);
}

#define VALUES(...)                                                                                          \
    (const double[]){__VA_ARGS__}, (int)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double))
#define INTS DIMS

static void check_not_folded(Onnx__ModelProto *model)
{
    ck_assert_ptr_null(resolved(model, "y")->constant);
    done(model);
}

/* Resolves the model and compares the shape of "y"; a rank of -1 means that it must stay unknown. */
static void check_shape(Onnx__ModelProto *model, const int64_t *dims, int rank)
{
    char text[96];
    const vd_value *y = resolved(model, "y");
    vd_shape_text(&y->shape, text, sizeof text);
    ck_assert_msg(y->shape.rank == rank, "%s", text);
    for (int i = 0; i < rank; i++)
        ck_assert_msg(y->shape.dims[i] == dims[i], "%s", text);
    done(model);
}

static Onnx__ModelProto *with_input(int opset, const int64_t *dims, int rank)
{
    Onnx__ModelProto *model = build_model(opset);
    build_input(model, "x", VD_ONNX_FLOAT, dims, rank);
    return model;
}

START_TEST(test_fold_arithmetic)
{
    Onnx__ModelProto *m = build_model(17);
    build_ints(m, "a", INTS(7, -7, 9));
    build_ints(m, "b", INTS(2));
    build_node(m, "Div", "a b", "y");
    check_values(m, VALUES(3, -3, 4), DIMS(3));

    m = build_model(17);
    build_floats(m, "a", 1, 1, DIMS(2, 1));
    build_floats(m, "b", 10, 10, DIMS(3));
    build_node(m, "Sub", "a b", "y");
    check_values(m, VALUES(-9, -19, -29, -8, -18, -28), DIMS(2, 3));

    m = build_model(17);
    build_floats(m, "a", 0.1, 0, DIMS(1));
    build_floats(m, "b", 0.7, 0, DIMS(1));
    build_node(m, "Mul", "a b", "y");
    check_values(m, VALUES((double)(0.1f * 0.7f)), DIMS(1));

    m = build_model(17);
    build_ints(m, "a", INTS(INT64_MAX));
    build_ints(m, "b", INTS(1));
    build_node(m, "Add", "a b", "y");
    check_values(m, VALUES((double)INT64_MIN), DIMS(1));
}
END_TEST

START_TEST(test_fold_arithmetic_left_alone)
{
    Onnx__ModelProto *m = build_model(17);
    build_ints(m, "a", INTS(1));
    build_ints(m, "b", INTS(0));
    build_node(m, "Div", "a b", "y");
    check_not_folded(m);

    m = build_model(17);
    build_ints(m, "a", INTS(INT64_MIN));
    build_ints(m, "b", INTS(-1));
    build_node(m, "Div", "a b", "y");
    check_not_folded(m);

    m = build_model(17);
    build_ints(m, "a", INTS(1, 2, 3));
    build_ints(m, "b", INTS(1, 2));
    build_node(m, "Add", "a b", "y");
    check_not_folded(m);
}
END_TEST

START_TEST(test_fold_functions)
{
    Onnx__ModelProto *m = build_model(17);
    build_floats(m, "a", -1.5, 1.25, DIMS(3));
    build_node(m, "Floor", "a", "y");
    check_values(m, VALUES(-2, -1, 1), DIMS(3));

    m = build_model(17);
    build_floats(m, "a", 4, 5, DIMS(2));
    build_node(m, "Sqrt", "a", "y");
    check_values(m, VALUES(2, 3), DIMS(2));

    m = build_model(17);
    build_floats(m, "a", -2.75, 2.5, DIMS(3));
    build_int(build_node(m, "Cast", "a", "y"), "to", VD_ONNX_INT64);
    check_values(m, VALUES(-2, 0, 2), DIMS(3));

    m = build_model(17);
    build_floats(m, "a", 1e20, 0, DIMS(1));
    build_int(build_node(m, "Cast", "a", "y"), "to", VD_ONNX_INT32);
    check_values(m, VALUES((double)INT32_MAX), DIMS(1));
}
END_TEST

START_TEST(test_fold_gather)
{
    Onnx__ModelProto *m = build_model(17);
    build_floats(m, "a", 0, 1, DIMS(2, 3));
    build_ints(m, "i", INTS(2, -3));
    build_int(build_node(m, "Gather", "a i", "y"), "axis", 1);
    check_values(m, VALUES(2, 0, 5, 3), DIMS(2, 2));

    m = build_model(17);
    build_floats(m, "a", 0, 1, DIMS(2, 3));
    build_number(m, "i", VD_ONNX_INT64, 1);
    build_node(m, "Gather", "a i", "y");
    check_values(m, VALUES(3, 4, 5), DIMS(3));

    m = build_model(17);
    build_floats(m, "a", 0, 1, DIMS(3));
    build_ints(m, "i", INTS(3));
    build_node(m, "Gather", "a i", "y");
    check_not_folded(m);
}
END_TEST

START_TEST(test_fold_concat)
{
    Onnx__ModelProto *m = build_model(17);
    build_floats(m, "a", 0, 1, DIMS(2, 2));
    build_floats(m, "b", 10, 1, DIMS(2, 1));
    build_int(build_node(m, "Concat", "a b", "y"), "axis", -1);
    check_values(m, VALUES(0, 1, 10, 2, 3, 11), DIMS(2, 3));

    m = build_model(17);
    build_floats(m, "a", 0, 1, DIMS(2, 2));
    build_floats(m, "b", 10, 1, DIMS(3, 1));
    build_int(build_node(m, "Concat", "a b", "y"), "axis", 1);
    check_not_folded(m);
}
END_TEST

static Onnx__ModelProto *sliced(int64_t from, int64_t to, int64_t step)
{
    Onnx__ModelProto *m = build_model(17);
    build_floats(m, "a", 0, 1, DIMS(2, 5));
    build_ints(m, "s", INTS(from));
    build_ints(m, "e", INTS(to));
    build_ints(m, "x", INTS(-1));
    build_ints(m, "t", INTS(step));
    build_node(m, "Slice", "a s e x t", "y");
    return m;
}

START_TEST(test_fold_slice)
{
    check_values(sliced(1, 4, 2), VALUES(1, 3, 6, 8), DIMS(2, 2));
    check_values(sliced(-2, INT64_MAX, 1), VALUES(3, 4, 8, 9), DIMS(2, 2));
    check_values(sliced(INT64_MIN, -3, 1), VALUES(0, 1, 5, 6), DIMS(2, 2));
    check_values(sliced(-1, INT64_MIN, -2), VALUES(4, 2, 0, 9, 7, 5), DIMS(2, 3));
    check_values(sliced(4, 0, -3), VALUES(4, 1, 9, 6), DIMS(2, 2));
    check_values(sliced(0, 1, INT64_MAX), VALUES(0, 5), DIMS(2, 1));
    check_not_folded(sliced(0, 1, 0));
    const vd_value *empty = resolved(sliced(3, 1, 1), "y");
    ck_assert_int_eq(empty->shape.dims[1], 0);
    Onnx__ModelProto *model = graph.model;
    done(model);
}
END_TEST

START_TEST(test_fold_shapes)
{
    Onnx__ModelProto *m = build_model(17);
    build_floats(m, "a", 0, 1, DIMS(2, 3));
    build_ints(m, "axes", INTS(0, -1));
    build_node(m, "Unsqueeze", "a axes", "y");
    check_values(m, VALUES(0, 1, 2, 3, 4, 5), DIMS(1, 2, 3, 1));

    m = build_model(11);
    build_floats(m, "a", 0, 1, DIMS(1, 3, 1));
    build_list(build_node(m, "Squeeze", "a", "y"), "axes", INTS(0));
    check_values(m, VALUES(0, 1, 2), DIMS(3, 1));

    m = build_model(17);
    build_floats(m, "a", 0, 1, DIMS(2, 3));
    build_list(build_node(m, "Transpose", "a", "y"), "perm", INTS(1, 0));
    check_values(m, VALUES(0, 3, 1, 4, 2, 5), DIMS(3, 2));

    m = build_model(17);
    build_floats(m, "a", 0, 1, DIMS(2, 1));
    build_ints(m, "s", INTS(2, 2, 3));
    build_node(m, "Expand", "a s", "y");
    check_values(m, VALUES(0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1), DIMS(2, 2, 3));

    m = build_model(17);
    build_floats(m, "a", 0, 1, DIMS(2, 3));
    build_ints(m, "s", INTS(0, -1, 1));
    build_node(m, "Reshape", "a s", "y");
    check_values(m, VALUES(0, 1, 2, 3, 4, 5), DIMS(2, 3, 1));
}
END_TEST

START_TEST(test_fold_makers)
{
    Onnx__ModelProto *m = with_input(17, DIMS(1, 3, 8, 4));
    build_node(m, "Shape", "x", "y");
    check_values(m, VALUES(1, 3, 8, 4), DIMS(4));

    m = build_model(17);
    build_number(m, "a", VD_ONNX_FLOAT, 0.5);
    build_number(m, "b", VD_ONNX_FLOAT, 3);
    build_number(m, "c", VD_ONNX_FLOAT, 1);
    build_node(m, "Range", "a b c", "y");
    check_values(m, VALUES(0.5, 1.5, 2.5), DIMS(3));

    m = build_model(17);
    build_ints(m, "s", INTS(2, 2));
    Onnx__AttributeProto *value = build_attribute(build_node(m, "ConstantOfShape", "s", "y"), "value");
    value->t = build_tensor("", VD_ONNX_INT64, DIMS(1));
    vd_onnx_tensor_set_integer(value->t, 0, 7);
    check_values(m, VALUES(7, 7, 7, 7), DIMS(2, 2));

    m = build_model(17);
    build_list(build_node(m, "Constant", NULL, "c"), "value_ints", INTS(4, 5));
    build_node(m, "Identity", "c", "y");
    check_values(m, VALUES(4, 5), DIMS(2));
}
END_TEST

START_TEST(test_fold_limits)
{
    Onnx__ModelProto *m = build_model(17);
    build_ints(m, "s", INTS(1 << 14, 1 << 11)); /* 128 MiB of floats */
    build_node(m, "ConstantOfShape", "s", "y");
    check_not_folded(m);

    m = build_model(17);
    build_ints(m, "s", INTS(INT64_MAX, INT64_MAX));
    build_node(m, "ConstantOfShape", "s", "y");
    check_not_folded(m);

    m = build_model(17);
    build_ints(m, "s", INTS(1 << 23)); /* 32 MiB each: the 17th is beyond the total */
    char name[16];
    for (int i = 0; i < 17; i++) {
        snprintf(name, sizeof name, "y%d", i);
        build_node(m, "ConstantOfShape", "s", name);
    }
    ck_assert_ptr_nonnull(resolved(m, "y15")->constant);
    ck_assert_ptr_null(vd_onnx_find(&graph, "y16")->constant);
    done(m);
}
END_TEST

START_TEST(test_shape_conv)
{
    Onnx__ModelProto *m = with_input(17, DIMS(1, 4, 9, 8));
    build_floats(m, "w", 0, 0, DIMS(6, 2, 3, 3));
    Onnx__NodeProto *node = build_node(m, "Conv", "x w", "y");
    build_list(node, "strides", INTS(2, 2));
    build_list(node, "pads", INTS(1, 1, 1, 1));
    build_int(node, "group", 2);
    check_shape(m, DIMS(1, 6, 5, 4));

    m = with_input(17, DIMS(1, 4, 9, 8));
    build_floats(m, "w", 0, 0, DIMS(6, 4, 3, 3));
    build_list(build_node(m, "Conv", "x w", "y"), "dilations", INTS(3, 3));
    check_shape(m, DIMS(1, 6, 3, 2));

    m = with_input(17, DIMS(1, 4, 9, 8));
    build_floats(m, "w", 0, 0, DIMS(6, 4, 2, 2));
    node = build_node(m, "Conv", "x w", "y");
    build_text(node, "auto_pad", "SAME_UPPER");
    build_list(node, "strides", INTS(2, 2));
    check_shape(m, DIMS(1, 6, 5, 4));

    m = with_input(17, DIMS(1, 4, 5, 5));
    build_floats(m, "w", 0, 0, DIMS(4, 3, 2, 2));
    node = build_node(m, "ConvTranspose", "x w", "y");
    build_list(node, "strides", INTS(2, 2));
    build_list(node, "output_padding", INTS(1, 0));
    check_shape(m, DIMS(1, 3, 11, 10));
}
END_TEST

START_TEST(test_shape_conv_unknown)
{
    Onnx__ModelProto *m = with_input(17, DIMS(1, 4, 9, 8));
    build_floats(m, "w", 0, 0, DIMS(6, 3, 3, 3)); /* 3 channels against 4 */
    build_node(m, "Conv", "x w", "y");
    check_shape(m, NULL, -1);

    m = with_input(17, DIMS(1, 4, 9, 8));
    build_floats(m, "w", 0, 0, DIMS(6, 4, 3, 3));
    build_list(build_node(m, "Conv", "x w", "y"), "strides", INTS(0, 1));
    check_shape(m, NULL, -1);

    m = with_input(17, DIMS(1, 4, 2, 2)); /* the window is larger than the picture */
    build_floats(m, "w", 0, 0, DIMS(6, 4, 3, 3));
    build_node(m, "Conv", "x w", "y");
    check_shape(m, NULL, -1);

    m = with_input(17, DIMS(1, 4, 9, 8));
    build_floats(m, "w", 0, 0, DIMS(6, 4, 3, 3));
    build_list(build_node(m, "Conv", "x w", "y"), "pads", INTS(INT64_MAX, 0, INT64_MAX, 0));
    check_shape(m, NULL, -1);
}
END_TEST

START_TEST(test_shape_windows)
{
    Onnx__ModelProto *m = with_input(17, DIMS(1, 4, 6, 5));
    Onnx__NodeProto *node = build_node(m, "MaxPool", "x", "y");
    build_list(node, "kernel_shape", INTS(2, 2));
    build_list(node, "strides", INTS(2, 2));
    build_int(node, "ceil_mode", 1);
    check_shape(m, DIMS(1, 4, 3, 3));

    m = with_input(17, DIMS(1, 4, 6, 5));
    build_floats(m, "s", 1, 0.5, DIMS(4)); /* 1, 1.5, 2, 2.5 */
    build_node(m, "Resize", "x - s", "y");
    check_shape(m, DIMS(1, 6, 12, 12));

    m = with_input(17, DIMS(1, 4, 6, 5));
    build_ints(m, "z", INTS(1, 4, 20, 30));
    build_node(m, "Resize", "x - - z", "y");
    check_shape(m, DIMS(1, 4, 20, 30));

    m = with_input(17, DIMS(1, 4, 6, 5));
    build_floats(m, "s", 1e30, 0, DIMS(4));
    build_node(m, "Resize", "x - s", "y");
    check_shape(m, NULL, -1);

    m = with_input(22, DIMS(1, 4, 6, 5));
    build_ints(m, "z", INTS(1, 4, 20, 30));
    node = build_node(m, "Resize", "x - - z", "y");
    build_text(node, "keep_aspect_ratio_policy", "stretch"); /* what is meant without a word */
    build_int(node, "antialias", 0);
    check_shape(m, DIMS(1, 4, 20, 30));

    m = with_input(22, DIMS(1, 4, 6, 5));
    build_ints(m, "z", INTS(1, 4, 20, 30));
    build_text(build_node(m, "Resize", "x - - z", "y"), "keep_aspect_ratio_policy", "not_larger");
    check_shape(m, NULL, -1);

    m = with_input(17, DIMS(1, 4, 6, 5));
    build_ints(m, "p", INTS(0, 0, 1, 2, 0, 0, 3, 4));
    build_node(m, "Pad", "x p", "y");
    check_shape(m, DIMS(1, 4, 10, 11));
}
END_TEST

START_TEST(test_shape_products)
{
    Onnx__ModelProto *m = with_input(17, DIMS(2, 1, 3, 4));
    build_floats(m, "w", 0, 0, DIMS(5, 4, 6));
    build_node(m, "MatMul", "x w", "y");
    check_shape(m, DIMS(2, 5, 3, 6));

    m = with_input(17, DIMS(2, 3, 4));
    build_floats(m, "w", 0, 0, DIMS(3, 4));
    build_node(m, "MatMul", "x w", "y");
    check_shape(m, NULL, -1);

    m = with_input(17, DIMS(2, 3, 4));
    build_int(build_node(m, "Flatten", "x", "y"), "axis", 2);
    check_shape(m, DIMS(6, 4));

    m = with_input(17, DIMS(1, 7, 4));
    build_ints(m, "s", INTS(4, 3));
    build_int(build_node(m, "Split", "x s", "a y"), "axis", 1);
    check_shape(m, DIMS(1, 3, 4));

    m = with_input(17, DIMS(1, 7, 4));
    build_ints(m, "s", INTS(4, 4));
    build_int(build_node(m, "Split", "x s", "a y"), "axis", 1);
    check_shape(m, NULL, -1);
}
END_TEST

START_TEST(test_too_large_is_unknown)
{
    Onnx__ModelProto *m = with_input(17, DIMS(1, 3, 4096, 4096));
    build_floats(m, "s", 8, 0, DIMS(4));
    build_node(m, "Resize", "x - s", "y");
    check_shape(m, NULL, -1);

    m = build_model(17); /* nothing in it, and a side that no sum may meet */
    build_constant(m, "c", VD_ONNX_FLOAT, DIMS(0, 1))->dims[1] = INT64_C(1) << 40;
    build_ints(m, "p", INTS(0, 1, 0, 1));
    build_node(m, "Pad", "c p", "y");
    check_shape(m, NULL, -1);
}
END_TEST

static void run(int (*pass)(vd_onnx_graph *, vd_error *))
{
    ck_assert_msg(pass(&graph, &error) == VD_OK, "%s", error.text);
}

START_TEST(test_spread)
{
    Onnx__ModelProto *m = with_input(17, DIMS(1, 2, 3));
    build_floats(m, "c", 8, 8, DIMS(1, 3));
    build_node(m, "Mul", "x c", "y");
    resolved(m, "y");
    run(vd_onnx_spread);
    ck_assert_int_eq(graph.spread_constants, 1);
    const vd_value *wide = vd_onnx_input(&graph, m->graph->node[0], 1);
    ck_assert_str_ne(wide->name, "c");
    ck_assert_int_eq(wide->shape.rank, 3);
    const double wanted[] = {8, 16, 24, 8, 16, 24};
    for (size_t i = 0; i < 6; i++)
        ck_assert_double_eq(vd_onnx_tensor_number(wide->constant, i), wanted[i]);
    done(m);

    m = with_input(17, DIMS(1, 2, 2, 2));
    build_floats(m, "c", 1, 1, DIMS(2, 1, 1)); /* a value a channel, on the left */
    build_node(m, "Sub", "c x", "y");
    resolved(m, "y");
    run(vd_onnx_spread);
    wide = vd_onnx_input(&graph, m->graph->node[0], 0);
    for (size_t i = 0; i < 8; i++)
        ck_assert_double_eq(vd_onnx_tensor_number(wide->constant, i), i < 4 ? 1 : 2);
    done(m);
}
END_TEST

START_TEST(test_spread_leaves_alone)
{
    Onnx__ModelProto *m = with_input(17, DIMS(1, 2, 3));
    build_number(m, "one", VD_ONNX_FLOAT, 2);
    build_floats(m, "full", 0, 1, DIMS(1, 2, 3));
    build_floats(m, "more", 0, 1, DIMS(4, 2, 3));
    build_node(m, "Mul", "x one", "a");
    build_node(m, "Add", "a full", "b");
    build_node(m, "Add", "b more", "y");
    resolved(m, "y");
    run(vd_onnx_spread);
    ck_assert_int_eq(graph.spread_constants, 0);
    done(m);
}
END_TEST

START_TEST(test_settings)
{
    Onnx__ModelProto *m = with_input(17, DIMS(1, 7, 1));
    build_ints(m, "s", INTS(4, 3));
    build_ints(m, "axes", INTS(2));
    build_int(build_node(m, "Split", "x s", "a b"), "axis", 1);
    build_node(m, "Squeeze", "a axes", "y");
    resolved(m, "y");
    run(vd_onnx_settings);
    ck_assert_int_eq(graph.rewritten_nodes, 2);
    ck_assert_uint_eq(m->graph->node[0]->n_input, 1);
    ck_assert_uint_eq(m->graph->node[1]->n_input, 1);
    int64_t ints[2 * VD_ONNX_RANK];
    ck_assert_int_eq(vd_onnx_attribute_ints(m->graph->node[0], "split", ints), 2);
    ck_assert_int_eq(ints[0], 4);
    ck_assert_int_eq(ints[1], 3);
    ck_assert_int_eq(vd_onnx_attribute_ints(m->graph->node[1], "axes", ints), 1);
    ck_assert_int_eq(ints[0], 2);
    done(m);
}
END_TEST

static Onnx__ModelProto *attention(const char *op_type, const char *links)
{
    Onnx__ModelProto *m = with_input(17, DIMS(1, 2, 3, 4));
    build_number(m, "s", VD_ONNX_FLOAT, 0.25);
    build_list(build_node(m, "Transpose", "x", "t"), "perm", INTS(0, 1, 3, 2));
    build_node(m, "MatMul", "t x", "p");
    build_node(m, op_type, links, "q");
    build_int(build_node(m, "Softmax", "q", "y"), "axis", -1);
    build_output(m, "y", DIMS(1, 2, 4, 4));
    return m;
}

static void check_moved(Onnx__ModelProto *m, const char *op_type)
{
    resolved(m, "y");
    run(vd_onnx_move_scales);
    ck_assert_int_eq(graph.moved_scales, 1);
    const Onnx__NodeProto *scale = m->graph->node[1], *product = m->graph->node[2];
    ck_assert_str_eq(scale->op_type, op_type);
    ck_assert_str_eq(scale->input[0], "t");
    ck_assert_str_eq(scale->input[1], "s");
    ck_assert_str_eq(scale->output[0], "p");
    ck_assert_str_eq(product->op_type, "MatMul");
    ck_assert_str_eq(product->input[0], "p");
    ck_assert_str_eq(product->input[1], "x");
    ck_assert_str_eq(product->output[0], "q");
    ck_assert_int_eq(vd_onnx_find(&graph, "p")->shape.dims[3], 3);
    ck_assert_int_eq(vd_onnx_check(&graph, &error), VD_OK);
    done(m);
}

START_TEST(test_move_scales)
{
    check_moved(attention("Mul", "p s"), "Mul");
    check_moved(attention("Mul", "s p"), "Mul");
    check_moved(attention("Div", "p s"), "Div");
}
END_TEST

/* What cannot be moved stays, and is refused: the importer would drop it without a word. */
START_TEST(test_move_scales_refused)
{
    Onnx__ModelProto *m = attention("Add", "p s");
    resolved(m, "y");
    run(vd_onnx_move_scales);
    ck_assert_int_eq(graph.moved_scales, 0);
    ck_assert_int_eq(vd_onnx_check(&graph, &error), VD_EFORMAT);
    ck_assert_ptr_nonnull(strstr(error.text, "without saying so"));
    done(m);

    m = attention("Mul", "p s");
    build_output(m, "p", DIMS(1, 2, 4, 4)); /* the product itself is read elsewhere */
    resolved(m, "y");
    run(vd_onnx_move_scales);
    ck_assert_int_eq(graph.moved_scales, 0);
    ck_assert_int_eq(vd_onnx_check(&graph, &error), VD_EFORMAT);
    done(m);
}
END_TEST

START_TEST(test_bypass_and_sweep)
{
    Onnx__ModelProto *m = with_input(17, DIMS(1, 2));
    build_floats(m, "unused", 0, 1, DIMS(4));
    build_input(m, "unused", VD_ONNX_FLOAT, DIMS(4));
    build_number(m, "c", VD_ONNX_FLOAT, 3);
    build_number(m, "d", VD_ONNX_FLOAT, 4);
    build_node(m, "Identity", "x", "i");
    build_int(build_node(m, "Cast", "i", "k"), "to", VD_ONNX_FLOAT);
    build_node(m, "Mul", "c d", "twelve");
    build_node(m, "Add", "k twelve", "y");
    build_node(m, "Relu", "k", "dead");
    build_node(m, "NoSuchThing", "k", "dead_too");
    build_output(m, "y", DIMS(-1, 2));
    resolved(m, "y");
    run(vd_onnx_bypass);
    run(vd_onnx_sweep);
    ck_assert_uint_eq(m->graph->n_node, 1);
    ck_assert_str_eq(m->graph->node[0]->input[0], "x");
    ck_assert_uint_eq(m->graph->n_initializer, 1);
    ck_assert_str_eq(m->graph->initializer[0]->name, "twelve");
    ck_assert_double_eq(vd_onnx_tensor_number(m->graph->initializer[0], 0), 12);
    ck_assert_uint_eq(m->graph->n_input, 1);
    ck_assert_int_eq(m->graph->output[0]->type->tensor_type->shape->dim[0]->dim_value, 1);
    ck_assert_int_eq(vd_onnx_find(&graph, "y")->producer, 0);
    ck_assert_int_eq(vd_onnx_check(&graph, &error), VD_OK);
    done(m);
}
END_TEST

static void name_node(Onnx__ModelProto *m, size_t i, const char *name)
{
    free(m->graph->node[i]->name);
    m->graph->node[i]->name = strdup(name);
}

START_TEST(test_names_of_nodes)
{
    static const char *const given[] = {"", "twice", "twice", "f", "its own", "other"};
    static const char *const wanted[] = {"a", "b", "c", "d", "its own", "f"};
    Onnx__ModelProto *m = with_input(17, DIMS(1, 2));
    build_node(m, "Relu", "x", "a");
    build_node(m, "Relu", "a", "b");
    build_node(m, "Relu", "b", "c");
    build_node(m, "Relu", "c", "d"); /* has the name of another's output */
    build_node(m, "Relu", "d", "e");
    build_node(m, "Relu", "e", "f");
    build_output(m, "f", DIMS(1, 2));
    for (size_t i = 0; i < m->graph->n_node; i++)
        name_node(m, i, given[i]);
    resolved(m, "f");
    run(vd_onnx_name);
    ck_assert_str_eq(m->graph->node[5]->name, "other");
    name_node(m, 3, "f");
    name_node(m, 5, "f");
    run(vd_onnx_name);
    for (size_t i = 0; i < m->graph->n_node; i++)
        ck_assert_str_eq(m->graph->node[i]->name, wanted[i]);
    done(m);
}
END_TEST

static void check_refused(Onnx__ModelProto *m, const char *words)
{
    build_output(m, "y", NULL, 0);
    init(m);
    ck_assert_int_eq(vd_onnx_rewrite(&graph, &error), VD_EFORMAT);
    ck_assert_msg(strstr(error.text, words) != NULL, "%s", error.text);
    done(m);
}

START_TEST(test_check_refuses)
{
    Onnx__ModelProto *m = with_input(17, DIMS(1, 2, 3));
    build_node(m, "TopK", "x", "y");
    check_refused(m, "TopK");

    m = with_input(17, DIMS(1, 2, 3));
    build_node(m, "Relu", "x", "y");
    m->graph->node[0]->domain = strdup("com.example");
    check_refused(m, "Relu");

    m = with_input(17, DIMS(1, 2, 3));
    build_floats(m, "c", 1, 1, DIMS(1, 2, 3));
    build_node(m, "Div", "c x", "y");
    check_refused(m, "without saying so");

    m = with_input(12, DIMS(1, 2, 3, 4));
    build_int(build_node(m, "Softmax", "x", "y"), "axis", 1);
    check_refused(m, "without saying so");

    m = with_input(17, DIMS(1, 2, 6, 6));
    Onnx__NodeProto *node = build_node(m, "AveragePool", "x", "y");
    build_list(node, "kernel_shape", INTS(3, 3));
    build_list(node, "pads", INTS(1, 1, 1, 1));
    build_int(node, "count_include_pad", 1);
    build_int(node, "ceil_mode", 1);
    check_refused(m, "without saying so");

    m = with_input(17, DIMS(1, 2, 6, 6));
    build_list(build_node(m, "Transpose", "x", "t"), "perm", INTS(0, 1, 3, 2));
    build_node(m, "MatMul", "x t", "p");
    build_node(m, "Relu", "p", "y");
    check_refused(m, "without saying so");

    m = with_input(17, DIMS(1, 2, 3));
    build_int(build_node(m, "Cast", "x", "y"), "to", VD_ONNX_INT32);
    check_refused(m, "Cast");

    m = with_input(17, DIMS(1, 2, 3));
    build_number(m, "c", VD_ONNX_FLOAT, 3);
    build_node(m, "Add", "c c", "y");
    check_refused(m, "does not depend");

    m = with_input(17, DIMS(-1, 2, 3));
    build_node(m, "Relu", "x", "y");
    check_refused(m, "depend on the picture");
}
END_TEST

static void check_damaged(Onnx__ModelProto *m, const char *words)
{
    error = (vd_error){0};
    build_output(m, "y", NULL, 0);
    ck_assert_int_eq(vd_onnx_graph_init(&graph, m, "test", &error), VD_EFORMAT);
    ck_assert_msg(strstr(error.text, words) != NULL, "%s", error.text);
    build_free(m);
}

START_TEST(test_damaged_graphs)
{
    Onnx__ModelProto *m = with_input(17, DIMS(1, 2));
    build_node(m, "Relu", "later", "y");
    build_node(m, "Relu", "x", "later");
    check_damaged(m, "no earlier node");

    m = with_input(17, DIMS(1, 2));
    build_node(m, "Relu", "x", "y");
    build_node(m, "Relu", "x", "y");
    check_damaged(m, "two values named y");

    m = with_input(17, DIMS(1, 2));
    build_node(m, "Relu", "x", "z");
    check_damaged(m, "output");

    m = with_input(17, DIMS(1, 2));
    build_floats(m, "c", 0, 1, DIMS(2, 3));
    m->graph->initializer[0]->dims[1] = 4;
    build_node(m, "Relu", "x", "y");
    check_damaged(m, "32 bytes");

    m = with_input(17, DIMS(1, 2));
    build_floats(m, "c", 0, 1, DIMS(2, 3));
    m->graph->initializer[0]->dims[0] = INT64_MAX;
    m->graph->initializer[0]->dims[1] = INT64_MAX;
    build_node(m, "Relu", "x", "y");
    check_damaged(m, "makes no sense");

    m = with_input(17, DIMS(1, 2));
    build_floats(m, "c", 0, 1, DIMS(1, 1, 1, 1, 1, 1, 1, 1));
    m->graph->initializer[0]->dims = realloc(m->graph->initializer[0]->dims, 9 * sizeof(int64_t));
    m->graph->initializer[0]->dims[8] = 1;
    m->graph->initializer[0]->n_dims = 9;
    build_node(m, "Relu", "x", "y");
    check_damaged(m, "makes no sense");

    m = with_input(17, DIMS(1, 2));
    build_floats(m, "c", 0, 1, DIMS(2));
    m->graph->initializer[0]->has_data_location = true;
    m->graph->initializer[0]->data_location = 1;
    build_node(m, "Relu", "x", "y");
    check_damaged(m, "second file");
}
END_TEST

/* Values that the file keeps in typed fields count as well. */
START_TEST(test_typed_values)
{
    Onnx__TensorProto *t = build_tensor("t", VD_ONNX_FLOAT, DIMS(2));
    free(t->raw_data.data);
    t->raw_data = (ProtobufCBinaryData){0};
    t->has_raw_data = false;
    t->n_float_data = 2;
    t->float_data = calloc(2, sizeof(float));
    t->float_data[1] = 2.5f;
    ck_assert_int_eq(vd_onnx_tensor_check(t, "t", "", &error), VD_OK);
    ck_assert_uint_eq(t->n_float_data, 0);
    ck_assert_double_eq(vd_onnx_tensor_number(t, 1), 2.5);
    vd_onnx_tensor_free(t);

    t = build_tensor("t", VD_ONNX_BOOL, DIMS(3));
    t->raw_data.len = 0;
    t->n_int32_data = 3;
    t->int32_data = calloc(3, sizeof(int32_t));
    t->int32_data[2] = 1;
    ck_assert_int_eq(vd_onnx_tensor_check(t, "t", "", &error), VD_OK);
    ck_assert_int_eq(vd_onnx_tensor_integer(t, 1), 0);
    ck_assert_int_eq(vd_onnx_tensor_integer(t, 2), 1);
    vd_onnx_tensor_free(t);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("onnx_passes");
    TCase *t = tcase_create("passes");
    tcase_set_timeout(t, 30);
    tcase_add_test(t, test_fold_arithmetic);
    tcase_add_test(t, test_fold_arithmetic_left_alone);
    tcase_add_test(t, test_fold_functions);
    tcase_add_test(t, test_fold_gather);
    tcase_add_test(t, test_fold_concat);
    tcase_add_test(t, test_fold_slice);
    tcase_add_test(t, test_fold_shapes);
    tcase_add_test(t, test_fold_makers);
    tcase_add_test(t, test_fold_limits);
    tcase_add_test(t, test_shape_conv);
    tcase_add_test(t, test_shape_conv_unknown);
    tcase_add_test(t, test_shape_windows);
    tcase_add_test(t, test_shape_products);
    tcase_add_test(t, test_too_large_is_unknown);
    tcase_add_test(t, test_spread);
    tcase_add_test(t, test_spread_leaves_alone);
    tcase_add_test(t, test_settings);
    tcase_add_test(t, test_move_scales);
    tcase_add_test(t, test_move_scales_refused);
    tcase_add_test(t, test_bypass_and_sweep);
    tcase_add_test(t, test_names_of_nodes);
    tcase_add_test(t, test_check_refuses);
    tcase_add_test(t, test_damaged_graphs);
    tcase_add_test(t, test_typed_values);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
