/* Constants and shapes that are known before a network runs. */
#include <stdio.h>

#include "onnx_case.h"

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
    check_unknown(m);

    m = build_model(17);
    build_ints(m, "a", INTS(INT64_MIN));
    build_ints(m, "b", INTS(-1));
    build_node(m, "Div", "a b", "y");
    check_unknown(m);

    m = build_model(17);
    build_ints(m, "a", INTS(1, 2, 3));
    build_ints(m, "b", INTS(1, 2));
    build_node(m, "Add", "a b", "y");
    check_unknown(m);
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
    check_unknown(m);
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
    check_unknown(m);
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
    check_unknown(sliced(0, 1, 0));
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
    check_unknown(m);

    m = build_model(17);
    build_ints(m, "s", INTS(INT64_MAX, INT64_MAX));
    build_node(m, "ConstantOfShape", "s", "y");
    check_unknown(m);

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

static Suite *suite(void)
{
    Suite *s = suite_create("onnx_known");
    TCase *t = tcase_create("known");
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
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
