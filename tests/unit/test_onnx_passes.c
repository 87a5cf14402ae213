/* What is rewritten before the importer reads a network, and what is refused. */
#include <stdlib.h>
#include <string.h>

#include "onnx_case.h"

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
