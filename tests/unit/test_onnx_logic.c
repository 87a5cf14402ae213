/* Shapes and constants of the operations that detectors end in. */
#include <math.h>

#include "onnx_case.h"

static void check_values(Onnx__ModelProto *m, int type, const double *wanted, int count)
{
    const vd_value *y = resolved(m, "y");
    ck_assert_ptr_nonnull(y->constant);
    ck_assert_int_eq(y->type, type);
    ck_assert_uint_eq(vd_onnx_tensor_count(y->constant), (size_t)count);
    for (int i = 0; i < count; i++)
        ck_assert_double_eq_tol(vd_onnx_tensor_number(y->constant, (size_t)i), wanted[i], 1e-6);
    done(m);
}

static void check_shape(Onnx__ModelProto *m, const char *name, int type, const int64_t *dims, int rank)
{
    char text[96];
    const vd_value *y = resolved(m, name);
    vd_shape_text(&y->shape, text, sizeof text);
    ck_assert_msg(y->shape.rank == rank, "%s", text);
    for (int i = 0; i < rank; i++)
        ck_assert_msg(y->shape.dims[i] == dims[i], "%s", text);
    if (rank >= 0)
        ck_assert_int_eq(y->type, type);
    done(m);
}

/* Two lists of whole numbers and an operation on them. */
static Onnx__ModelProto *pair(const char *op_type, int64_t a, int64_t b)
{
    Onnx__ModelProto *m = build_model(18);
    build_ints(m, "a", DIMS(a, (int64_t)(0 - (uint64_t)a), 3));
    build_ints(m, "b", DIMS(b));
    build_node(m, op_type, "a b", "y");
    return m;
}

START_TEST(test_comparisons)
{
    check_values(pair("Equal", 7, -7), VD_ONNX_BOOL, VALUES(0, 1, 0));
    check_values(pair("Less", 7, 3), VD_ONNX_BOOL, VALUES(0, 1, 0));
    check_values(pair("LessOrEqual", 7, 3), VD_ONNX_BOOL, VALUES(0, 1, 1));
    check_values(pair("Greater", 7, 3), VD_ONNX_BOOL, VALUES(1, 0, 0));
    check_values(pair("GreaterOrEqual", 7, 3), VD_ONNX_BOOL, VALUES(1, 0, 1));
    check_values(pair("Min", 7, 4), VD_ONNX_INT64, VALUES(4, -7, 3));
    check_values(pair("Max", 7, 4), VD_ONNX_INT64, VALUES(7, 4, 4));
    check_values(pair("Mod", 7, 4), VD_ONNX_INT64, VALUES(3, 1, 3));
    check_values(pair("Mod", 7, -4), VD_ONNX_INT64, VALUES(-1, -3, -1));
    check_values(pair("Mod", INT64_MIN, -1), VD_ONNX_INT64, VALUES(0, 0, 0));
    check_unknown(pair("Mod", 7, 0));
    check_unknown(pair("Max", INT64_MAX, 4)); /* more than is computed exactly */
}
END_TEST

START_TEST(test_choices)
{
    Onnx__ModelProto *m = pair("Greater", 7, 3);
    build_floats(m, "more", 1, 1, DIMS(2, 1));
    build_number(m, "less", VD_ONNX_FLOAT, -1);
    build_node(m, "Where", "y more less", "z");
    const vd_value *z = resolved(m, "z");
    static const double wanted[] = {1, -1, -1, 2, -1, -1};
    ck_assert_ptr_nonnull(z->constant);
    ck_assert_int_eq(z->shape.rank, 2);
    for (size_t i = 0; i < 6; i++)
        ck_assert_double_eq(vd_onnx_tensor_number(z->constant, i), wanted[i]);
    done(m);

    m = build_model(18);
    build_floats(m, "a", 1, 1, DIMS(1, 2));
    build_ints(m, "n", DIMS(2, 2));
    build_node(m, "Tile", "a n", "y");
    check_values(m, VD_ONNX_FLOAT, VALUES(1, 2, 1, 2, 1, 2, 1, 2));

    m = build_model(18);
    build_floats(m, "a", -1.5, 1, DIMS(3));
    build_node(m, "Round", "a", "b");
    build_node(m, "Neg", "b", "c");
    build_node(m, "Abs", "c", "d");
    build_number(m, "e", VD_ONNX_FLOAT, 3);
    build_node(m, "Pow", "d e", "y");
    check_values(m, VD_ONNX_FLOAT, VALUES(8, 0, 0));
}
END_TEST

START_TEST(test_shape_parts)
{
    static const struct {
        int64_t start, end;
        int count;
    } parts[] = {
        {0, 4, 4}, {1, 3, 2}, {-2, 4, 2}, {0, -1, 3}, {-9, 9, 4}, {3, 1, 0}, {INT64_MIN, INT64_MAX, 4}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        Onnx__ModelProto *m = build_model(18);
        build_input(m, "x", VD_ONNX_FLOAT, DIMS(1, 3, 4, 5));
        Onnx__NodeProto *node = build_node(m, "Shape", "x", "y");
        build_int(node, "start", parts[i].start);
        build_int(node, "end", parts[i].end);
        check_shape(m, "y", VD_ONNX_INT64, DIMS(parts[i].count));
    }
    Onnx__ModelProto *m = build_model(18);
    build_input(m, "x", VD_ONNX_FLOAT, DIMS(1, 3, 4, 5));
    build_node(m, "Size", "x", "y");
    check_values(m, VD_ONNX_INT64, VALUES(60));
}
END_TEST

static Onnx__ModelProto *boxes(void)
{
    Onnx__ModelProto *m = build_model(18);
    build_input(m, "x", VD_ONNX_FLOAT, DIMS(1, 525, 10));
    build_ints(m, "k", DIMS(300));
    build_ints(m, "axes", DIMS(-1));
    return m;
}

START_TEST(test_head_shapes)
{
    Onnx__ModelProto *m = boxes();
    build_int(build_node(m, "ReduceMax", "x axes", "best"), "keepdims", 0);
    build_node(m, "TopK", "best k", "y i");
    check_shape(m, "i", VD_ONNX_INT64, DIMS(1, 300));

    m = boxes();
    build_node(m, "TopK", "x k", "y i"); /* more than there are */
    check_shape(m, "y", 0, NULL, -1);

    m = boxes();
    build_node(m, "ReduceSum", "x", "y");
    check_shape(m, "y", VD_ONNX_FLOAT, DIMS(1, 1, 1));

    m = boxes();
    build_int(build_node(m, "ArgMax", "x", "y"), "axis", 2);
    check_shape(m, "y", VD_ONNX_INT64, DIMS(1, 525, 1));

    m = boxes();
    build_constant(m, "at", VD_ONNX_INT64, DIMS(1, 300, 4));
    build_int(build_node(m, "GatherElements", "x at", "y"), "axis", 1);
    check_shape(m, "y", VD_ONNX_FLOAT, DIMS(1, 300, 4));

    m = boxes();
    build_constant(m, "at", VD_ONNX_INT64, DIMS(7, 2));
    build_node(m, "GatherND", "x at", "y");
    check_shape(m, "y", VD_ONNX_FLOAT, DIMS(7, 10));

    m = boxes();
    build_ints(m, "n", DIMS(2, 1, 1));
    build_node(m, "Tile", "x n", "t");
    build_node(m, "Greater", "t x", "y");
    check_shape(m, "y", VD_ONNX_BOOL, DIMS(2, 525, 10));

    m = boxes();
    build_ints(m, "n", DIMS(INT64_MAX, INT64_MAX, 1));
    build_node(m, "Tile", "x n", "y");
    check_shape(m, "y", 0, NULL, -1);
}
END_TEST

/* Understood is not run. */
START_TEST(test_heads_are_refused)
{
    Onnx__ModelProto *m = boxes();
    build_node(m, "ReduceMax", "x axes", "y");
    build_output(m, "y", DIMS(1, 525, 1));
    ck_assert_int_eq(vd_onnx_graph_init(&graph, m, "test", &error), VD_OK);
    ck_assert_int_eq(vd_onnx_rewrite(&graph, &error), VD_EFORMAT);
    ck_assert_ptr_nonnull(strstr(error.text, "ReduceMax"));
    done(m);
}
END_TEST

/* OpenCV opens no file that leaves an output's shape out. */
START_TEST(test_sweep_declares)
{
    Onnx__ModelProto *m = boxes();
    build_node(m, "Relu", "x", "y");
    build_output(m, "y", DIMS(1));
    onnx__tensor_shape_proto__free_unpacked(m->graph->output[0]->type->tensor_type->shape, NULL);
    m->graph->output[0]->type->tensor_type->shape = NULL;
    ck_assert_int_eq(vd_onnx_graph_init(&graph, m, "test", &error), VD_OK);
    ck_assert_int_eq(vd_onnx_rewrite(&graph, &error), VD_OK);
    vd_shape found = vd_onnx_declared_shape(m->graph->output[0]);
    ck_assert_int_eq(found.rank, 3);
    ck_assert_int_eq(found.dims[1], 525);
    done(m);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("onnx_logic");
    TCase *t = tcase_create("logic");
    tcase_set_timeout(t, 30);
    tcase_add_test(t, test_comparisons);
    tcase_add_test(t, test_choices);
    tcase_add_test(t, test_shape_parts);
    tcase_add_test(t, test_head_shapes);
    tcase_add_test(t, test_heads_are_refused);
    tcase_add_test(t, test_sweep_declares);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
