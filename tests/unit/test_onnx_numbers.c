/* Networks in half precision and in 8 bits become float32; what follows a convolution goes into it. */
#include <math.h>
#include <string.h>

#include "onnx_case.h"

static void rewrite(Onnx__ModelProto *model)
{
    init(model);
    ck_assert_msg(vd_onnx_rewrite(&graph, &error) == VD_OK, "%s", error.text);
}

static const vd_value *value(const char *name)
{
    const vd_value *found = vd_onnx_find(&graph, name);
    ck_assert_ptr_nonnull(found);
    return found;
}

/* The constant that a node reads. */
static void check_constant(size_t node, size_t input, const double *wanted, size_t count)
{
    const vd_value *read = vd_onnx_input(&graph, graph.proto->node[node], input);
    ck_assert_ptr_nonnull(read);
    ck_assert_ptr_nonnull(read->constant);
    ck_assert_int_eq(read->type, VD_ONNX_FLOAT);
    ck_assert_uint_eq(vd_onnx_tensor_count(read->constant), count);
    for (size_t i = 0; i < count; i++)
        ck_assert_double_eq_tol(vd_onnx_tensor_number(read->constant, i), wanted[i], 1e-6);
}

#define WANTED(...) (const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double)

static void check_ops(const char *const *ops, size_t count)
{
    ck_assert_uint_eq(graph.proto->n_node, count);
    for (size_t i = 0; i < count; i++)
        ck_assert_str_eq(graph.proto->node[i]->op_type, ops[i]);
}

#define OPS(...)                                                                                             \
    (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)

static Onnx__TensorProto *halves(Onnx__ModelProto *m, const char *name, int type, const uint16_t *bits,
                                 const int64_t *dims, int rank)
{
    Onnx__TensorProto *tensor = build_constant(m, name, type, dims, rank);
    memcpy(tensor->raw_data.data, bits, tensor->raw_data.len);
    return tensor;
}

START_TEST(test_half_numbers)
{
    static const uint16_t bits[] = {0x0000, 0x8000, 0x3c00, 0xc500, 0x7bff, 0x0001, 0x03ff, 0x7c00, 0xfc00};
    static const double wanted[] = {0, -0.0, 1, -5, 65504, 0x1.0p-24, 1023.0 / 0x1p24, INFINITY, -INFINITY};
    Onnx__ModelProto *m = build_model(17);
    const Onnx__TensorProto *t = halves(m, "t", VD_ONNX_FLOAT16, bits, DIMS(9));
    for (size_t i = 0; i < 9; i++)
        ck_assert_double_eq(vd_onnx_tensor_number(t, i), wanted[i]);
    static const uint16_t not_a_number[] = {0x7e00}, brain[] = {0x3f80, 0xc0a0, 0x7f80};
    ck_assert_double_nan(vd_onnx_tensor_number(halves(m, "nan", VD_ONNX_FLOAT16, not_a_number, DIMS(1)), 0));
    t = halves(m, "b", VD_ONNX_BFLOAT16, brain, DIMS(3));
    ck_assert_double_eq(vd_onnx_tensor_number(t, 0), 1);
    ck_assert_double_eq(vd_onnx_tensor_number(t, 1), -5);
    ck_assert_double_infinite(vd_onnx_tensor_number(t, 2));
    build_free(m);
}
END_TEST

/* The form of a GPU export: input, weights and output in float16. */
START_TEST(test_half_throughout)
{
    static const uint16_t two[] = {0x4000, 0xc000};
    Onnx__ModelProto *m = build_model(17);
    build_input(m, "x", VD_ONNX_FLOAT16, DIMS(1, 2, 4, 4));
    halves(m, "w", VD_ONNX_FLOAT16, two, DIMS(1, 2, 1, 1));
    build_node(m, "Conv", "x w", "y");
    build_output(m, "y", DIMS(1, 1, 4, 4));
    m->graph->output[0]->type->tensor_type->elem_type = VD_ONNX_FLOAT16;
    rewrite(m);
    check_ops(OPS("Conv"));
    check_constant(0, 1, WANTED(2, -2));
    ck_assert_int_eq(value("x")->type, VD_ONNX_FLOAT);
    ck_assert_int_eq(value("y")->type, VD_ONNX_FLOAT);
    ck_assert_int_eq(vd_onnx_declared_type(m->graph->input[0]), VD_ONNX_FLOAT);
    ck_assert_int_eq(vd_onnx_declared_type(m->graph->output[0]), VD_ONNX_FLOAT);
    ck_assert_int_eq(graph.widened, 2);
    done(m);
}
END_TEST

/* The form of a CPU export: float32 outside, Casts around; the constant is a node's setting. */
START_TEST(test_half_between_casts)
{
    static const uint16_t half[] = {0x3800};
    Onnx__ModelProto *m = build_model(17);
    build_input(m, "x", VD_ONNX_FLOAT, DIMS(1, 2));
    build_int(build_node(m, "Cast", "x", "h"), "to", VD_ONNX_FLOAT16);
    Onnx__AttributeProto *set = build_attribute(build_node(m, "Constant", NULL, "c"), "value");
    set->t = build_tensor("", VD_ONNX_BFLOAT16, DIMS(1));
    set->t->data_type = VD_ONNX_FLOAT16;
    memcpy(set->t->raw_data.data, half, sizeof half);
    build_node(m, "Mul", "h c", "p");
    build_int(build_node(m, "Cast", "p", "y"), "to", VD_ONNX_FLOAT);
    build_output(m, "y", DIMS(1, 2));
    rewrite(m);
    check_ops(OPS("Mul"));
    ck_assert_str_eq(m->graph->node[0]->input[0], "x");
    ck_assert_str_eq(m->graph->node[0]->output[0], "y");
    check_constant(0, 1, WANTED(0.5));
    done(m);
}
END_TEST

/* Bytes, from `first` on in steps of 1. */
static void bytes(Onnx__ModelProto *m, const char *name, int type, int first, const int64_t *dims, int rank)
{
    Onnx__TensorProto *tensor = build_constant(m, name, type, dims, rank);
    for (size_t i = 0; i < vd_onnx_tensor_count(tensor); i++)
        vd_onnx_tensor_set_integer(tensor, i, first + (int64_t)i);
}

/* Quantised by whole tensors and by channels, as static quantisers write it. */
START_TEST(test_quantised_in_pairs)
{
    Onnx__ModelProto *m = build_model(13);
    build_input(m, "x", VD_ONNX_FLOAT, DIMS(1, 2, 4, 4));
    build_number(m, "s", VD_ONNX_FLOAT, 0.1);
    build_number(m, "z", VD_ONNX_INT8, 3);
    bytes(m, "wq", VD_ONNX_INT8, -2, DIMS(2, 2, 1, 1));
    build_floats(m, "ws", 0.5, 1.5, DIMS(2)); /* 0.5, 2 */
    bytes(m, "wz", VD_ONNX_INT8, 0, DIMS(2)); /* 0, 1 */
    bytes(m, "bq", VD_ONNX_INT32, 100, DIMS(2));
    build_floats(m, "bs", 0.05, 0.15, DIMS(2)); /* 0.05, 0.2 */
    build_node(m, "QuantizeLinear", "x s z", "xq");
    build_node(m, "DequantizeLinear", "xq s z", "xd");
    build_int(build_node(m, "DequantizeLinear", "wq ws wz", "w"), "axis", 0);
    build_int(build_node(m, "DequantizeLinear", "bq bs", "b"), "axis", 0);
    build_node(m, "Conv", "xd w b", "c");
    build_node(m, "QuantizeLinear", "c s z", "cq");
    build_node(m, "DequantizeLinear", "cq s z", "y");
    build_output(m, "y", DIMS(1, 2, 4, 4));
    rewrite(m);
    check_ops(OPS("Conv"));
    ck_assert_str_eq(m->graph->node[0]->input[0], "x");
    ck_assert_str_eq(m->graph->node[0]->output[0], "y");
    check_constant(0, 1, WANTED(-1, -0.5, -2, 0));
    check_constant(0, 2, WANTED(5, 20.2));
    ck_assert_int_eq(graph.unquantised, 6);
    done(m);
}
END_TEST

/* A range that begins at 0 stands for the Relu that the quantiser left out. */
static void check_cut(int opset, const char *maker, const char *const *ops, size_t count)
{
    Onnx__ModelProto *m = build_model(opset);
    build_input(m, "x", VD_ONNX_FLOAT, DIMS(1, 2));
    build_number(m, "s", VD_ONNX_FLOAT, 0.5);
    build_number(m, "z", VD_ONNX_UINT8, 0);
    build_node(m, maker, "x", "a");
    build_node(m, "QuantizeLinear", "a s z", "q");
    build_node(m, "DequantizeLinear", "q s z", "y");
    build_output(m, "y", DIMS(1, 2));
    rewrite(m);
    check_ops(ops, count);
    if (count == 2) { /* whatever the version: OpenCV 4.6 wants settings */
        ck_assert_uint_eq(m->graph->node[1]->n_input, 1);
        ck_assert_float_eq(vd_onnx_attribute(m->graph->node[1], "min")->f, 0);
        ck_assert_float_eq(vd_onnx_attribute(m->graph->node[1], "max")->f, 127.5f);
    }
    done(m);
}

START_TEST(test_quantised_ranges)
{
    check_cut(13, "Tanh", OPS("Tanh", "Clip"));
    check_cut(10, "Tanh", OPS("Tanh", "Clip"));
    check_cut(13, "Relu", OPS("Relu"));
    check_cut(13, "Sigmoid", OPS("Sigmoid"));
}
END_TEST

/* As quantize_dynamic writes a convolution: the scale is known at run time, and drops out. */
START_TEST(test_quantised_at_run_time)
{
    Onnx__ModelProto *m = build_model(12);
    build_input(m, "x", VD_ONNX_FLOAT, DIMS(1, 1, 4, 4));
    bytes(m, "wq", VD_ONNX_INT8, 4, DIMS(2, 1, 1, 1));
    build_number(m, "ws", VD_ONNX_FLOAT, 0.25);
    build_number(m, "wz", VD_ONNX_INT8, 1);
    build_floats(m, "b", 7, 1, DIMS(2));
    build_ints(m, "bshape", DIMS(1, -1, 1, 1));
    build_node(m, "DynamicQuantizeLinear", "x", "xq xs xz");
    build_node(m, "ConvInteger", "xq wq xz wz", "i");
    build_int(build_node(m, "Cast", "i", "f"), "to", VD_ONNX_FLOAT);
    build_node(m, "Mul", "xs ws", "scale");
    build_node(m, "Mul", "f scale", "p");
    build_node(m, "Reshape", "b bshape", "bias");
    build_node(m, "Add", "p bias", "y");
    build_output(m, "y", DIMS(1, 2, 4, 4));
    rewrite(m);
    check_ops(OPS("Conv"));
    ck_assert_str_eq(m->graph->node[0]->input[0], "x");
    check_constant(0, 1, WANTED(0.75, 1)); /* (4 - 1) / 4, (5 - 1) / 4 */
    check_constant(0, 2, WANTED(7, 8));
    ck_assert_int_eq(graph.absorbed, 2);
    done(m);

    m = build_model(12);
    build_input(m, "x", VD_ONNX_FLOAT, DIMS(1, 3, 2));
    bytes(m, "wq", VD_ONNX_UINT8, 10, DIMS(2, 2));
    bytes(m, "wz", VD_ONNX_UINT8, 9, DIMS(2)); /* by columns: 9, 10 */
    build_node(m, "DynamicQuantizeLinear", "x", "xq xs xz");
    build_node(m, "MatMulInteger", "xq wq xz wz", "i");
    build_int(build_node(m, "Cast", "i", "f"), "to", VD_ONNX_FLOAT);
    build_node(m, "Mul", "f xs", "y");
    build_output(m, "y", DIMS(1, 3, 2));
    init(m);
    ck_assert_int_eq(vd_onnx_normalise(&graph, &error), VD_OK);
    check_constant(1, 1, WANTED(1, 1, 3, 3));
    done(m);
}
END_TEST

/* Operations on quantised values: weights by channel, a bias in steps of both scales, a range from 0. */
START_TEST(test_quantised_operations)
{
    Onnx__ModelProto *m = build_model(13);
    build_input(m, "x", VD_ONNX_FLOAT, DIMS(1, 1, 4, 4));
    build_number(m, "s", VD_ONNX_FLOAT, 0.5);
    build_number(m, "z", VD_ONNX_UINT8, 128);
    build_number(m, "zero", VD_ONNX_UINT8, 0);
    bytes(m, "wq", VD_ONNX_INT8, 2, DIMS(2, 1, 1, 1));
    build_floats(m, "ws", 0.5, 0.5, DIMS(2)); /* 0.5, 1 */
    bytes(m, "wz", VD_ONNX_INT8, 0, DIMS(2));
    bytes(m, "bq", VD_ONNX_INT32, 8, DIMS(2));
    build_node(m, "QuantizeLinear", "x s z", "xq");
    build_node(m, "QLinearConv", "xq s z wq ws wz s zero bq", "cq");
    Onnx__NodeProto *add = build_node(m, "QLinearAdd", "cq s zero cq s zero s z", "aq");
    add->domain = strdup("com.microsoft");
    build_node(m, "DequantizeLinear", "aq s z", "y");
    build_output(m, "y", DIMS(1, 2, 4, 4));
    rewrite(m);
    check_ops(OPS("Conv", "Clip", "Add"));
    check_constant(0, 1, WANTED(1, 2));   /* 2 · 0.5, (3 - 1) · 1 */
    check_constant(0, 2, WANTED(2, 4.5)); /* 8 · 0.5 · 0.5, 9 · 0.5 · 1 */
    ck_assert_float_eq(vd_onnx_attribute(m->graph->node[1], "max")->f, 127.5f);
    ck_assert_str_eq(m->graph->node[2]->output[0], "y");
    done(m);
}
END_TEST

/* Scales that a network computes for itself are no constants. */
START_TEST(test_quantised_refused)
{
    Onnx__ModelProto *m = build_model(13);
    build_input(m, "x", VD_ONNX_FLOAT, DIMS(1));
    bytes(m, "wq", VD_ONNX_INT8, 2, DIMS(4));
    build_node(m, "DequantizeLinear", "wq x", "y");
    build_output(m, "y", DIMS(4));
    init(m);
    ck_assert_int_eq(vd_onnx_normalise(&graph, &error), VD_EFORMAT);
    ck_assert_ptr_nonnull(strstr(error.text, "quantised"));
    done(m);

    m = build_model(13);
    build_input(m, "x", VD_ONNX_FLOAT, DIMS(1));
    build_node(m, "QLinearConv", "x x", "y"); /* inputs are missing */
    build_output(m, "y", DIMS(4));
    init(m);
    ck_assert_int_eq(vd_onnx_rewrite(&graph, &error), VD_EFORMAT);
    ck_assert_ptr_nonnull(strstr(error.text, "QLinearConv"));
    done(m);
}
END_TEST

static Onnx__ModelProto *with_conv(const char *op_type)
{
    Onnx__ModelProto *m = build_model(17);
    build_input(m, "x", VD_ONNX_FLOAT, DIMS(1, 1, 4, 4));
    bool turned = strcmp(op_type, "ConvTranspose") == 0;
    build_floats(m, "w", 1, 1, turned ? (const int64_t[]){1, 2, 1, 1} : (const int64_t[]){2, 1, 1, 1}, 4);
    build_floats(m, "b", 10, 10, DIMS(2));
    build_node(m, op_type, "x w b", "c");
    build_output(m, "y", DIMS(1, 2, 4, 4));
    return m;
}

START_TEST(test_absorb)
{
    Onnx__ModelProto *m = with_conv("Conv");
    build_floats(m, "scale", 2, 1, DIMS(2));
    build_floats(m, "shift", 5, 1, DIMS(2));
    build_floats(m, "mean", 1, 1, DIMS(2));
    build_floats(m, "variance", 4, 5, DIMS(2));
    Onnx__NodeProto *norm = build_node(m, "BatchNormalization", "c scale shift mean variance", "y");
    Onnx__AttributeProto *epsilon = build_attribute(norm, "epsilon");
    epsilon->has_f = true;
    rewrite(m);
    check_ops(OPS("Conv"));
    check_constant(0, 1, WANTED(1, 2)); /* 1 · 2/2, 2 · 3/3 */
    check_constant(0, 2, WANTED(10 - 1 + 5, 20 - 2 + 6));
    done(m);

    m = with_conv("ConvTranspose");
    build_floats(m, "f", 2, 1, DIMS(2, 1, 1));
    build_number(m, "one", VD_ONNX_FLOAT, 1);
    build_node(m, "Mul", "f c", "p");
    build_node(m, "Sub", "one p", "y");
    rewrite(m);
    check_ops(OPS("ConvTranspose"));
    check_constant(0, 1, WANTED(-2, -6));
    check_constant(0, 2, WANTED(1 - 20, 1 - 60));
    done(m);
}
END_TEST

/* Weights that another reads too, results that another reads too, and factors that are no channel's. */
START_TEST(test_absorb_leaves_alone)
{
    Onnx__ModelProto *m = with_conv("Conv");
    build_number(m, "two", VD_ONNX_FLOAT, 2);
    build_node(m, "Mul", "c two", "p");
    build_node(m, "Conv", "x w", "d");
    build_node(m, "Add", "p d", "y");
    rewrite(m);
    check_ops(OPS("Conv", "Conv", "Add"));
    check_constant(0, 1, WANTED(2, 4));
    check_constant(1, 1, WANTED(1, 2));
    done(m);

    m = with_conv("Conv");
    build_number(m, "two", VD_ONNX_FLOAT, 2);
    build_floats(m, "row", 1, 1, DIMS(1, 1, 4));
    build_node(m, "Mul", "c two", "p");
    build_node(m, "Mul", "p row", "q");
    build_node(m, "Add", "c q", "y");
    rewrite(m);
    ck_assert_int_eq(graph.absorbed, 0);
    done(m);
}
END_TEST

START_TEST(test_replace)
{
    Onnx__ModelProto *m = build_model(17);
    build_input(m, "x", VD_ONNX_FLOAT, DIMS(1, 2, 4, 4));
    build_number(m, "two", VD_ONNX_FLOAT, 2);
    build_number(m, "half", VD_ONNX_FLOAT, 0.5);
    build_node(m, "Pow", "x two", "a");
    build_node(m, "Pow", "a half", "b");
    Onnx__NodeProto *average = build_node(m, "AveragePool", "b", "y");
    build_list(average, "kernel_shape", DIMS(2, 4));
    build_list(average, "pads", DIMS(1, 1, 1, 1));
    build_int(average, "count_include_pad", 1);
    build_output(m, "y", DIMS(1, 2, 5, 3));
    rewrite(m);
    check_ops(OPS("Mul", "Sqrt", "Conv"));
    ck_assert_str_eq(m->graph->node[0]->input[1], "x");
    check_constant(2, 1,
                   WANTED(.125, .125, .125, .125, .125, .125, .125, .125, .125, .125, .125, .125, .125, .125,
                          .125, .125));
    ck_assert_int_eq(vd_onnx_attribute_int(m->graph->node[2], "group", 1), 2);
    ck_assert_int_eq(graph.replaced, 3);
    done(m);

    m = build_model(17);
    build_input(m, "x", VD_ONNX_FLOAT, DIMS(1, 2));
    build_number(m, "three", VD_ONNX_FLOAT, 3);
    build_node(m, "Pow", "x three", "y");
    build_output(m, "y", DIMS(1, 2));
    init(m);
    ck_assert_int_eq(vd_onnx_rewrite(&graph, &error), VD_EFORMAT);
    done(m);
}
END_TEST

/* 5 × 4 cells at stride 2: two rows are missing, and one column. */
static void check_same(const char *side, int64_t left, int64_t right)
{
    int64_t pads[2 * VD_ONNX_RANK];
    Onnx__ModelProto *m = build_model(17);
    build_input(m, "x", VD_ONNX_FLOAT, DIMS(1, 1, 5, 4));
    build_floats(m, "w", 0, 1, DIMS(1, 1, 3, 3));
    Onnx__NodeProto *node = build_node(m, "Conv", "x w", "y");
    build_text(node, "auto_pad", side);
    build_list(node, "strides", DIMS(2, 2));
    build_output(m, "y", DIMS(1, 1, 3, 2));
    rewrite(m);
    ck_assert_ptr_null(vd_onnx_attribute(m->graph->node[0], "auto_pad"));
    ck_assert_int_eq(vd_onnx_attribute_ints(m->graph->node[0], "pads", pads), 4);
    const int64_t wanted[] = {1, left, 1, right};
    ck_assert_ptr_nonnull(vd_onnx_attribute(m->graph->node[0], "kernel_shape"));
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pads[i], wanted[i]);
    done(m);
}

START_TEST(test_same_padding)
{
    check_same("SAME_UPPER", 0, 1);
    check_same("SAME_LOWER", 1, 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("onnx_numbers");
    TCase *t = tcase_create("numbers");
    tcase_set_timeout(t, 30);
    tcase_add_test(t, test_half_numbers);
    tcase_add_test(t, test_half_throughout);
    tcase_add_test(t, test_half_between_casts);
    tcase_add_test(t, test_quantised_in_pairs);
    tcase_add_test(t, test_quantised_ranges);
    tcase_add_test(t, test_quantised_at_run_time);
    tcase_add_test(t, test_quantised_operations);
    tcase_add_test(t, test_quantised_refused);
    tcase_add_test(t, test_absorb);
    tcase_add_test(t, test_absorb_leaves_alone);
    tcase_add_test(t, test_replace);
    tcase_add_test(t, test_same_padding);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
