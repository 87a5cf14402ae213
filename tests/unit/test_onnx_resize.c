/* The size that a network runs at. */
#include <string.h>

#include "check_main.h"
#include "model/onnx_passes.h"
#include "model/onnx_regroup.h"
#include "model/onnx_size.h"
#include "onnx_build.h"

static vd_onnx_graph graph;
static vd_error error;

static void done(Onnx__ModelProto *model)
{
    vd_onnx_graph_fini(&graph);
    build_free(model);
}

static vd_shape shape(const int64_t *dims, int rank)
{
    vd_shape made = {.rank = rank};
    memcpy(made.dims, dims, (size_t)rank * sizeof *dims);
    return made;
}

static void check_shape(const vd_shape *found, const int64_t *dims, int rank)
{
    char text[96];
    vd_shape wanted = shape(dims, rank);
    vd_shape_text(found, text, sizeof text);
    ck_assert_msg(vd_shape_equal(found, &wanted), "%s", text);
}

static void check_value(const char *name, const int64_t *dims, int rank)
{
    check_shape(&vd_onnx_find(&graph, name)->shape, dims, rank);
}

/* --- inputs of free size */

static int fix(Onnx__ModelProto *m, vd_onnx_size wish, bool *ret_free)
{
    error = (vd_error){0};
    return vd_onnx_fix_input(m, &wish, 640, "test", ret_free, &error);
}

static Onnx__ModelProto *with_input(const int64_t *dims)
{
    Onnx__ModelProto *m = build_model(17);
    build_input(m, "x", VD_ONNX_FLOAT, dims, 4);
    build_node(m, "Relu", "x", "y");
    build_output(m, "y", dims, 4);
    return m;
}

static void check_fixed(Onnx__ModelProto *m, vd_onnx_size wish, bool is_free, const int64_t *dims, int rank)
{
    bool was_free = !is_free;
    ck_assert_msg(fix(m, wish, &was_free) == VD_OK, "%s", error.text);
    ck_assert_int_eq(was_free, is_free);
    vd_shape found = vd_onnx_declared_shape(m->graph->input[0]);
    check_shape(&found, dims, rank);
    build_free(m);
}

static void check_unfixed(Onnx__ModelProto *m, vd_onnx_size wish, const char *words)
{
    bool was_free;
    ck_assert_int_eq(fix(m, wish, &was_free), VD_EINVAL);
    ck_assert_msg(strstr(error.text, words) != NULL, "%s", error.text);
    build_free(m);
}

START_TEST(test_free_input)
{
    const int64_t all[] = {-1, 3, -1, -1}, batch[] = {-1, 3, 96, 64}, none[] = {1, 3, 96, 64};
    check_fixed(with_input(all), (vd_onnx_size){0}, true, DIMS(1, 3, 640, 640));
    check_fixed(with_input(all), (vd_onnx_size){320, 192, 4}, true, DIMS(4, 3, 192, 320));
    check_fixed(with_input(batch), (vd_onnx_size){320, 192, 4}, false, DIMS(4, 3, 96, 64));
    check_fixed(with_input(none), (vd_onnx_size){320, 192, 1}, false, DIMS(1, 3, 96, 64));
    Onnx__ModelProto *m = with_input(all);
    build_metadata(m, "imgsz", "[160, 192]");
    check_fixed(m, (vd_onnx_size){0}, true, DIMS(1, 3, 160, 192));
    m = with_input(all);
    build_metadata(m, "imgsz", "9");
    check_fixed(m, (vd_onnx_size){0}, true, DIMS(1, 3, 640, 640));
    check_unfixed(with_input(none), (vd_onnx_size){0, 0, 2}, "batch of 1");
    check_unfixed(with_input(all), (vd_onnx_size){100, 96, 0}, "multiples of 32");
    check_unfixed(with_input(all), (vd_onnx_size){96, 8192, 0}, "4096");
    check_fixed(with_input(all), (vd_onnx_size){96, 0, 0}, true, DIMS(1, 3, 640, 96));
    check_fixed(with_input(all), (vd_onnx_size){0, 96, 0}, true, DIMS(1, 3, 96, 640));
}
END_TEST

/* What a file says of an output's size no longer holds. */
START_TEST(test_free_output)
{
    const int64_t all[] = {-1, 3, -1, -1};
    Onnx__ModelProto *m = with_input(all);
    m->graph->output[0]->type->tensor_type->shape->dim[2]->has_dim_value = true;
    m->graph->output[0]->type->tensor_type->shape->dim[2]->dim_value = 7;
    bool was_free;
    ck_assert_int_eq(fix(m, (vd_onnx_size){64, 96, 0}, &was_free), VD_OK);
    ck_assert_int_eq(vd_onnx_graph_init(&graph, m, "test", &error), VD_OK);
    ck_assert_int_eq(vd_onnx_rewrite(&graph, &error), VD_OK);
    vd_shape found = vd_onnx_declared_shape(m->graph->output[0]);
    check_shape(&found, DIMS(1, 3, 96, 64));
    done(m);
}
END_TEST

/* --- extents of a Reshape */

static void check_regroup(vd_shape in, vd_shape out, vd_shape is, const int64_t *dims, int rank)
{
    vd_pairs pairs = {0};
    vd_shape found = {.rank = -1};
    vd_shape maps[2][2] = {{shape(DIMS(1, 8, 20, 20)), shape(DIMS(1, 8, 20, 24))},
                           {shape(DIMS(1, 8, 10, 10)), shape(DIMS(1, 8, 10, 12))}};
    for (int i = 0; i < 2; i++)
        vd_pairs_add(&pairs, &maps[i][0], &maps[i][1]);
    ck_assert(vd_regroup(&in, &out, &is, &pairs, &found) == (rank > 0));
    if (rank > 0)
        check_shape(&found, dims, rank);
}

#define SHAPE(...) shape(DIMS(__VA_ARGS__))

START_TEST(test_regroup)
{
    /* a map as a row of cells, and back */
    check_regroup(SHAPE(1, 144, 20, 20), SHAPE(1, 144, 400), SHAPE(1, 144, 20, 24), DIMS(1, 144, 480));
    check_regroup(SHAPE(1, 144, 400), SHAPE(1, 144, 20, 20), SHAPE(1, 144, 480), DIMS(1, 144, 20, 24));
    /* heads of attention */
    check_regroup(SHAPE(1, 256, 10, 10), SHAPE(1, 2, 128, 100), SHAPE(1, 256, 10, 12), DIMS(1, 2, 128, 120));
    check_regroup(SHAPE(1, 2, 64, 100), SHAPE(1, 128, 10, 10), SHAPE(1, 2, 64, 120), DIMS(1, 128, 10, 12));
    /* areas of attention, and back */
    check_regroup(SHAPE(1, 100, 96), SHAPE(4, 25, 96), SHAPE(1, 120, 96), DIMS(4, 30, 96));
    check_regroup(SHAPE(4, 25, 2, 16), SHAPE(1, 100, 32), SHAPE(4, 30, 2, 16), DIMS(1, 120, 32));
    /* channels in groups, sizes as they come */
    check_regroup(SHAPE(1, 48, 20, 20), SHAPE(1, 2, 24, 20, 20), SHAPE(1, 48, 20, 24),
                  DIMS(1, 2, 24, 20, 24));
    /* anchors: the cells, not the anchors, grow */
    check_regroup(SHAPE(1, 3, 20, 20, 85), SHAPE(1, 1200, 85), SHAPE(1, 3, 20, 24, 85), DIMS(1, 1440, 85));
    /* nothing changes */
    check_regroup(SHAPE(1, 16, 4), SHAPE(1, 64), SHAPE(1, 16, 4), DIMS(1, 64));
    /* an extent of 1 that has no counterpart */
    check_regroup(SHAPE(1, 20, 1), SHAPE(1, 20), SHAPE(1, 24, 1), DIMS(1, 24));
    check_regroup(SHAPE(1, 20, 1), SHAPE(1, 20), SHAPE(1, 20, 3), NULL, 0);
    /* no even share */
    check_regroup(SHAPE(1, 100), SHAPE(4, 25), SHAPE(1, 101), NULL, 0);
    check_regroup(SHAPE(1, 100), SHAPE(3, 33), SHAPE(1, 120), NULL, 0);
    check_regroup(SHAPE(0, 100), SHAPE(0), SHAPE(0, 120), NULL, 0);
}
END_TEST

/* --- networks */

static Onnx__NodeProto *convolution(Onnx__ModelProto *m, const char *links, const char *out, int stride)
{
    Onnx__NodeProto *node = build_node(m, "Conv", links, out);
    build_list(node, "strides", DIMS(stride, stride));
    return node;
}

/* Exported for 64 × 64, stride 32: everything that has a size of its own, written as literals. */
static Onnx__ModelProto *literal_network(void)
{
    Onnx__ModelProto *m = build_model(17);
    build_input(m, "x", VD_ONNX_FLOAT, DIMS(1, 3, 64, 64));
    build_floats(m, "w", 0, 0.1, DIMS(4, 3, 1, 1));
    build_floats(m, "v", 0, 0.1, DIMS(4, 4, 1, 1));
    build_ints(m, "row", DIMS(1, 2, 2, 16));
    build_ints(m, "map", DIMS(1, 4, 4, 4));
    build_ints(m, "double", DIMS(1, 4, 8, 8));
    build_ints(m, "from", DIMS(0, 0));
    build_ints(m, "to", DIMS(8, 4));
    build_ints(m, "axes", DIMS(2, 3));
    convolution(m, "x w", "c16", 16);
    convolution(m, "c16 v", "c32", 2);
    build_node(m, "Reshape", "c16 row", "r");
    build_node(m, "Relu", "r", "s");
    build_node(m, "Reshape", "s map", "t");
    build_node(m, "Resize", "t - - double", "u");
    build_node(m, "Slice", "u from to axes", "half");
    build_list(build_node(m, "AveragePool", "c32", "g"), "kernel_shape", DIMS(2, 2));
    build_node(m, "Relu", "c32", "y");
    const char *const outputs[] = {"r", "t", "u", "half", "g", "y"};
    for (size_t i = 0; i < 6; i++)
        build_output(m, outputs[i], DIMS(1));
    return m;
}

static int resized(Onnx__ModelProto *m, int width, int height)
{
    error = (vd_error){0};
    ck_assert_msg(vd_onnx_graph_init(&graph, m, "test", &error) == VD_OK, "%s", error.text);
    ck_assert_msg(vd_onnx_normalise(&graph, &error) == VD_OK, "%s", error.text);
    return vd_onnx_resize(&graph, width, height, &error);
}

START_TEST(test_resize)
{
    Onnx__ModelProto *m = literal_network();
    ck_assert_msg(resized(m, 128, 96) == VD_OK, "%s", error.text);
    check_value("c16", DIMS(1, 4, 6, 8));
    check_value("r", DIMS(1, 2, 2, 48));
    check_value("t", DIMS(1, 4, 6, 8));
    check_value("u", DIMS(1, 4, 12, 16));
    check_value("half", DIMS(1, 4, 12, 8));
    check_value("g", DIMS(1, 4, 1, 1));
    check_value("y", DIMS(1, 4, 3, 4));
    vd_shape found = vd_onnx_declared_shape(m->graph->input[0]);
    check_shape(&found, DIMS(1, 3, 96, 128));
    ck_assert_msg(vd_onnx_cure(&graph, &error) == VD_OK, "%s", error.text);
    done(m);

    m = literal_network(); /* its own size is no change */
    ck_assert_int_eq(resized(m, 64, 64), VD_OK);
    ck_assert_str_eq(m->graph->node[2]->input[1], "row");
    done(m);
}
END_TEST

/* Sizes that the network computes from its input follow by themselves; constants of a size of their own
 * cannot, unless nothing needs them any more. */
START_TEST(test_resize_computed)
{
    Onnx__ModelProto *m = build_model(17);
    build_input(m, "x", VD_ONNX_FLOAT, DIMS(1, 4, 64, 64));
    build_floats(m, "w", 0, 0.1, DIMS(2, 4, 1, 1));
    build_ints(m, "tail", DIMS(2, -1));
    build_ints(m, "one", DIMS(1));
    build_floats(m, "grid", 0, 1, DIMS(1, 2, 4));
    convolution(m, "x w", "c", 32);
    build_node(m, "Shape", "c", "extents");
    build_ints(m, "zero", DIMS(0));
    build_node(m, "Slice", "extents zero one", "n");
    build_int(build_node(m, "Concat", "n tail", "wanted"), "axis", 0);
    build_node(m, "Reshape", "c wanted", "rows");
    build_node(m, "Add", "rows grid", "y");
    build_output(m, "y", DIMS(1, 2, 4));
    ck_assert_int_eq(resized(m, 96, 64), VD_EINVAL);
    ck_assert_msg(strstr(error.text, "96 × 64") && strstr(error.text, "Add"), "%s", error.text);
    vd_onnx_graph_fini(&graph);
    free(m->graph->output[0]->name);
    m->graph->output[0]->name = strdup("rows"); /* the part with the grid is cut away */
    ck_assert_int_eq(vd_onnx_graph_init(&graph, m, "test", &error), VD_OK);
    ck_assert_int_eq(vd_onnx_normalise(&graph, &error), VD_OK);
    ck_assert_int_eq(vd_onnx_resize(&graph, 192, 64, &error), VD_OK);
    check_value("rows", DIMS(1, 2, 12));
    done(m);
}
END_TEST

START_TEST(test_resize_bounds)
{
    static const int sizes[][2] = {{80, 64}, {0, 64}, {16, 64}, {64, 4128}, {-64, 64}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        Onnx__ModelProto *m = literal_network();
        ck_assert_int_eq(resized(m, sizes[i][0], sizes[i][1]), VD_EINVAL);
        ck_assert_ptr_nonnull(strstr(error.text, "multiples of 32"));
        done(m);
    }
    Onnx__ModelProto *m = build_model(17); /* a stride of 64 */
    build_input(m, "x", VD_ONNX_FLOAT, DIMS(1, 3, 128, 128));
    build_floats(m, "w", 0, 0.1, DIMS(4, 3, 1, 1));
    convolution(m, "x w", "y", 64);
    build_output(m, "y", DIMS(1, 4, 2, 2));
    ck_assert_int_eq(resized(m, 160, 128), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "multiples of 64"));
    ck_assert_int_eq(vd_onnx_largest_stride(&graph), 64);
    done(m);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("onnx_resize");
    TCase *t = tcase_create("resize");
    tcase_set_timeout(t, 30);
    tcase_add_test(t, test_free_input);
    tcase_add_test(t, test_free_output);
    tcase_add_test(t, test_regroup);
    tcase_add_test(t, test_resize);
    tcase_add_test(t, test_resize_computed);
    tcase_add_test(t, test_resize_bounds);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
