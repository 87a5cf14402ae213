/* Plans against plain loops: the shapes that networks have, and graphs by chance. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "engine/kernels.h"
#include "plan_case.h"
#include "plan_chance.h"

#define LIMIT 1e-4
#define LIMIT_BF16 3e-2

typedef void make_graph(plan_case *c);

static int bottleneck(plan_case *c, int x, int channels)
{
    int inner = case_conv(c, x, channels, 3, 1, VD_ACT_SILU);
    return case_binary(c, VD_PLAN_ADD, x, case_conv(c, inner, channels, 3, 1, VD_ACT_SILU));
}

static int c2f(plan_case *c, int x, int channels, int depth)
{
    int both = case_conv(c, x, 2 * channels, 1, 1, VD_ACT_SILU), members[VD_PLAN_LINKS];
    members[0] = case_slice(c, both, 1, 0, channels, 1);
    members[1] = case_slice(c, both, 1, channels, channels, 1);
    for (int i = 0; i < depth; i++)
        members[2 + i] = bottleneck(c, members[1 + i], channels);
    return case_conv(c, case_concat(c, 1, 2 + depth, members), 2 * channels, 1, 1, VD_ACT_SILU);
}

static void make_c2f(plan_case *c)
{
    int x = case_conv(c, case_picture(c, 3, 24, 20), 16, 3, 2, VD_ACT_SILU);
    case_output(c, c2f(c, x, 16, 2));
}

static void make_unaligned_c2f(plan_case *c)
{
    int x = case_conv(c, case_picture(c, 3, 12, 14), 10, 3, 2, VD_ACT_SILU);
    case_output(c, c2f(c, x, 12, 2));
    case_output(c, c2f(c, x, 24, 1));
}

static void make_sppf(plan_case *c)
{
    int x = case_conv(c, case_picture(c, 3, 20, 20), 16, 3, 2, VD_ACT_SILU), members[4] = {x};
    for (int i = 1; i < 4; i++)
        members[i] = case_pool(c, VD_PLAN_MAX_POOL, members[i - 1], 5, 1, 2);
    case_output(c, case_conv(c, case_concat(c, 1, 4, members), 32, 1, 1, VD_ACT_SILU));
}

static int c3k(plan_case *c, int x, int channels)
{
    int a = case_conv(c, x, channels, 1, 1, VD_ACT_SILU), b = case_conv(c, x, channels, 1, 1, VD_ACT_SILU);
    a = bottleneck(c, bottleneck(c, a, channels), channels);
    return case_conv(c, case_concat(c, 1, 2, (const int[]){a, b}), channels, 1, 1, VD_ACT_SILU);
}

static void make_c3k2(plan_case *c)
{
    int x = case_conv(c, case_picture(c, 3, 16, 16), 32, 3, 2, VD_ACT_SILU);
    int both = case_conv(c, x, 32, 1, 1, VD_ACT_SILU);
    int a = case_slice(c, both, 1, 0, 16, 1), b = case_slice(c, both, 1, 16, 16, 1);
    int join = case_concat(c, 1, 3, (const int[]){a, b, c3k(c, b, 16)});
    case_output(c, case_conv(c, join, 32, 1, 1, VD_ACT_SILU));
}

/* Two heads of 16 + 16 + 32 rows, as YOLO11 has it, on 5 × 4 places. */
static int attention(plan_case *c, int x)
{
    enum { HEADS = 2, KEY = 8, VALUE = 16, H = 5, W = 4 };
    int qkv = case_conv(c, x, HEADS * (2 * KEY + VALUE), 1, 1, VD_ACT_NONE);
    int rows = case_reshape(c, qkv, 4, (const int[]){1, HEADS, 2 * KEY + VALUE, H * W});
    int q = case_slice(c, rows, 2, 0, KEY, 1), k = case_slice(c, rows, 2, KEY, KEY, 1);
    int v = case_slice(c, rows, 2, 2 * KEY, VALUE, 1);
    int scale = case_constant(c, 0, NULL, 0.3f, 0.4f);
    int scores = case_matmul(c, case_transpose(c, q, (const int[]){0, 1, 3, 2}), k);
    scores = case_softmax(c, case_binary(c, VD_PLAN_MUL, scores, scale), 3);
    int mixed = case_matmul(c, v, case_transpose(c, scores, (const int[]){0, 1, 3, 2}));
    mixed = case_reshape(c, mixed, 4, (const int[]){1, HEADS * VALUE, H, W});
    int place = case_reshape(c, v, 4, (const int[]){1, HEADS * VALUE, H, W});
    place = case_window(c, place, HEADS * VALUE, (const int[]){3, 3},
                        (const int[]){1, 1, 1, 1, 1, 1, 1, 1, 32}, VD_ACT_NONE);
    mixed = case_binary(c, VD_PLAN_ADD, mixed, place);
    return case_binary(c, VD_PLAN_ADD, x, case_conv(c, mixed, 32, 1, 1, VD_ACT_NONE));
}

static void make_attention(plan_case *c)
{
    int x = case_conv(c, case_picture(c, 3, 10, 8), 64, 3, 2, VD_ACT_SILU);
    int a = case_slice(c, x, 1, 0, 32, 1), b = case_slice(c, x, 1, 32, 32, 1);
    b = attention(c, b);
    int inner = case_conv(c, b, 64, 1, 1, VD_ACT_SILU);
    b = case_binary(c, VD_PLAN_ADD, b, case_conv(c, inner, 32, 1, 1, VD_ACT_NONE));
    case_output(c, case_conv(c, case_concat(c, 1, 2, (const int[]){a, b}), 64, 1, 1, VD_ACT_SILU));
}

static void make_heads(plan_case *c)
{
    int x = case_conv(c, case_picture(c, 3, 24, 24), 16, 3, 2, VD_ACT_SILU), flat[3];
    for (int i = 0; i < 3; i++) {
        int side = c->values[x].extents[2];
        int box = case_conv(c, case_conv(c, x, 16, 3, 1, VD_ACT_SILU), 32, 1, 1, VD_ACT_NONE);
        int cls = case_conv(c, case_conv(c, x, 16, 3, 1, VD_ACT_SILU), 6, 1, 1, VD_ACT_SIGMOID);
        int both = case_concat(c, 1, 2, (const int[]){box, cls});
        flat[i] = case_reshape(c, both, 3, (const int[]){1, 38, side * side});
        case_output(c, cls);
        case_output(c, both);
        x = case_conv(c, x, 16, 3, 2, VD_ACT_SILU);
    }
    case_output(c, case_concat(c, 2, 3, flat));
}

static void make_upsampling(plan_case *c)
{
    int x = case_conv(c, case_picture(c, 3, 16, 16), 32, 3, 2, VD_ACT_RELU);
    int low = case_conv(c, x, 16, 3, 2, VD_ACT_RELU);
    int up = case_deconv(c, low, 16, 2, 2, 0, 1, VD_ACT_NONE), near = case_nearest(c, low, 2);
    int join = case_concat(c, 1, 3, (const int[]){up, near, x});
    case_output(c, case_conv(c, join, 16, 3, 1, VD_ACT_RELU));
    case_output(c, case_deconv(c, low, 8, 4, 2, 1, 4, VD_ACT_SIGMOID));
}

static void make_groups(plan_case *c)
{
    int x = case_conv(c, case_picture(c, 3, 9, 11), 24, 3, 1, VD_ACT_HSWISH);
    const int kernel[2] = {3, 3};
    int deep = case_window(c, x, 24, kernel, (const int[]){2, 2, 1, 1, 1, 1, 1, 1, 24}, VD_ACT_LEAKY);
    int some = case_window(c, x, 12, kernel, (const int[]){1, 1, 2, 1, 0, 1, 2, 1, 3}, VD_ACT_GELU);
    case_output(c, case_conv(c, deep, 8, 1, 1, VD_ACT_TANH));
    case_output(c, some);
}

static void make_excitation(plan_case *c)
{
    int x = case_conv(c, case_picture(c, 3, 9, 9), 20, 3, 1, VD_ACT_HSWISH);
    int mean = case_conv(c, case_global(c, x), 8, 1, 1, VD_ACT_RELU);
    int gate = case_conv(c, mean, 20, 1, 1, VD_ACT_HSIGMOID);
    x = case_binary(c, VD_PLAN_MUL, x, gate);
    x = case_binary(c, VD_PLAN_ADD, x, case_constant(c, 3, (const int[]){20, 1, 1}, 0.5f, 1));
    x = case_binary(c, VD_PLAN_SUB, case_constant(c, 0, NULL, 1, 2), x);
    x = case_binary(c, VD_PLAN_DIV, x, case_constant(c, 4, (const int[]){1, 20, 9, 9}, 1, 2));
    x = case_binary(c, VD_PLAN_MUL, x, case_constant(c, 2, (const int[]){9, 1}, 1, 2));
    case_output(c, case_conv(c, x, 16, 3, 2, VD_ACT_NONE));
}

/* Channels shuffled as in ShuffleNet, a picture taken apart as in Focus, a frame around it as in YOLOv3-tiny.
 */
static void make_moves(plan_case *c)
{
    int picture = case_picture(c, 3, 12, 16), parts[4];
    for (int i = 0; i < 4; i++)
        parts[i] = case_slice(c, case_slice(c, picture, 2, i % 2, 6, 2), 3, i / 2, 8, 2);
    int x = case_conv(c, case_concat(c, 1, 4, parts), 40, 3, 1, VD_ACT_LEAKY);
    int turned = case_reshape(c, x, 5, (const int[]){1, 2, 20, 6, 8});
    turned = case_transpose(c, turned, (const int[]){0, 2, 1, 3, 4});
    turned = case_reshape(c, turned, 4, (const int[]){1, 40, 6, 8});
    int a = case_slice(c, turned, 1, 0, 20, 1), b = case_slice(c, turned, 1, 20, 20, 1);
    b = case_conv(c, case_pad(c, b, 0, 0, 1, 1, 0), 20, 3, 1, VD_ACT_RELU);
    b = case_pool(c, VD_PLAN_MAX_POOL, b, 2, 1, 0);
    a = case_pad(c, case_act(c, case_conv(c, a, 20, 1, 1, VD_ACT_NONE), VD_ACT_CLIP), 1, 1, 0, 0, 0.5f);
    a = case_pool(c, VD_PLAN_AVG_POOL, a, 2, 1, 0);
    int join = case_concat(c, 1, 3, (const int[]){a, b, x});
    case_output(c, case_softmax(c, case_slice(c, join, 1, 8, 32, 2), 1));
    case_output(c, case_conv(c, join, 16, 1, 1, VD_ACT_EXP));
}

static void make_batch(plan_case *c)
{
    int x = case_input(c, 4, (const int[]){3, 3, 7, 9});
    x = case_conv(c, x, 16, 3, 1, VD_ACT_SILU);
    x = c2f(c, x, 16, 2);
    x = case_binary(c, VD_PLAN_MUL, x, case_act(c, case_global(c, x), VD_ACT_SIGMOID));
    x = case_concat(c, 1, 2, (const int[]){x, case_pool(c, VD_PLAN_MAX_POOL, x, 3, 1, 1)});
    case_output(c, case_conv(c, x, 10, 3, 1, VD_ACT_NONE));
    case_output(c, x);
}

/* A value in two joins, a join in a join, an input handed on, an output that is a view of another. */
static void make_knots(plan_case *c)
{
    int picture = case_picture(c, 16, 4, 4), x = case_conv(c, picture, 16, 3, 1, VD_ACT_SILU);
    int y = case_conv(c, x, 16, 3, 1, VD_ACT_SILU);
    int one = case_concat(c, 1, 3, (const int[]){x, y, x}),
        two = case_concat(c, 1, 3, (const int[]){y, one, picture});
    case_output(c, case_reshape(c, picture, 2, (const int[]){16, 16}));
    case_output(c, case_conv(c, two, 8, 1, 1, VD_ACT_NONE));
    case_output(c, two);
    int flat = case_reshape(c, two, 2, (const int[]){80, 16});
    case_output(c, flat);
    case_output(c, case_slice(c, flat, 0, 3, 5, 1));
    case_output(c, case_slice(c, one, 1, 16, 20, 1));
    case_output(c, case_concat(c, 0, 2, (const int[]){flat, flat}));
}

static void make_products(plan_case *c)
{
    int a = case_input(c, 3, (const int[]){2, 3, 5}), b = case_input(c, 4, (const int[]){4, 1, 5, 7});
    int w = case_constant(c, 2, (const int[]){7, 3}, -1, 1);
    int product = case_matmul(c, a, b), turned = case_transpose(c, product, (const int[]){0, 1, 3, 2});
    case_output(c, case_softmax(c, case_matmul(c, product, w), 2));
    case_output(c, case_matmul(c, turned, product));
    case_output(c, turned);
    case_output(c, case_binary(c, VD_PLAN_SUB, product, case_slice(c, product, 2, 1, 1, 1)));
}

/* Additions of two convolutions, of one that others read as well, of one and itself. */
static void make_branches(plan_case *c)
{
    int x = case_conv(c, case_picture(c, 3, 9, 7), 20, 3, 1, VD_ACT_RELU);
    int a = case_conv(c, x, 20, 3, 1, VD_ACT_NONE), b = case_conv(c, x, 20, 1, 1, VD_ACT_NONE);
    x = case_act(c, case_binary(c, VD_PLAN_ADD, a, b), VD_ACT_RELU);
    int y = case_conv(c, x, 20, 3, 1, VD_ACT_SILU);
    x = case_binary(c, VD_PLAN_ADD, x, y);
    x = case_concat(c, 1, 2, (const int[]){x, case_conv(c, y, 20, 1, 1, VD_ACT_SIGMOID)});
    int z = case_conv(c, x, 40, 1, 1, VD_ACT_SILU), shown = case_conv(c, x, 40, 1, 1, VD_ACT_SILU);
    case_output(c, case_binary(c, VD_PLAN_ADD, case_binary(c, VD_PLAN_ADD, z, z), shown));
    case_output(c, shown);
}

static make_graph *const makers[] = {
    make_c2f,    make_unaligned_c2f, make_sppf,  make_c3k2,  make_attention, make_heads,    make_upsampling,
    make_groups, make_excitation,    make_moves, make_batch, make_knots,     make_branches, make_products};
enum { MAKERS = sizeof makers / sizeof *makers };

static bool is_here(vd_kernel_type type)
{
    bool here = type == VD_KERNEL_BF16 ? vd_kernel_here() && vd_kernel_has_bf16() : vd_kernel_here();
    if (!here)
        printf("skipped: no kernels for %s on this machine\n", type == VD_KERNEL_BF16 ? "bfloat16" : "plans");
    return here;
}

static void check_graph(make_graph *make, vd_kernel_type type, double limit)
{
    plan_case c;
    if (!is_here(type))
        return;
    case_init(&c, 7);
    make(&c);
    vd_plan *plan = case_check(&c, type, limit);
    vd_plan_free(&plan);
    ck_assert_ptr_null(plan);
    case_fini(&c);
}

START_TEST(known_shapes)
{
    check_graph(makers[_i], VD_KERNEL_F32, LIMIT);
}
END_TEST

START_TEST(known_shapes_in_bf16)
{
    check_graph(makers[_i], VD_KERNEL_BF16, LIMIT_BF16);
}
END_TEST

/* --- Graphs by chance */

/* 200 in parts, so that one that fails is soon found. */
START_TEST(graphs_by_chance)
{
    static plan_case c;
    if (!is_here(VD_KERNEL_F32))
        return;
    for (uint64_t seed = 0; seed < 10; seed++) {
        case_by_chance(&c, (uint64_t)_i * 10 + seed + 1);
        vd_plan *plan = case_check(&c, VD_KERNEL_F32, LIMIT);
        vd_plan_free(&plan);
        case_fini(&c);
    }
}
END_TEST

/* --- What a plan promises beside the numbers */
static int lines_like(vd_plan *plan, const char *start)
{
    vd_error error = {0};
    int count = vd_plan_line_count(plan), found = 0;
    vd_plan_line *lines = calloc((size_t)count, sizeof *lines);
    ck_assert_int_eq(vd_plan_measure(plan, 3, lines, &error), VD_OK);
    for (int i = 0; i < count; i++) {
        found += strncmp(lines[i].text, start, strlen(start)) == 0;
        ck_assert_int_ge(lines[i].median_ns, 0);
        ck_assert_uint_gt(strlen(lines[i].kernel), 0);
    }
    free(lines);
    return found;
}

START_TEST(joins_and_splits_at_borders_cost_nothing)
{
    plan_case c;
    if (!is_here(VD_KERNEL_F32))
        return;
    case_init(&c, 3);
    make_c2f(&c);
    vd_plan *plan = case_check(&c, VD_KERNEL_F32, LIMIT);
    ck_assert_int_eq(lines_like(plan, "copy"), 0);
    ck_assert_int_eq(lines_like(plan, "add"), 0);
    ck_assert_int_eq(lines_like(plan, "to blocks"), 0);
    ck_assert_int_eq(lines_like(plan, "from blocks"), 1);
    ck_assert_int_eq(lines_like(plan, "3x3/2 3→16 12×10 silu"), 1);
    vd_plan_free(&plan);
    case_fini(&c);
}
END_TEST

START_TEST(memory_is_used_again)
{
    plan_case c;
    if (!is_here(VD_KERNEL_F32))
        return;
    case_init(&c, 3);
    int x = case_picture(&c, 16, 32, 32);
    for (int i = 0; i < 20; i++)
        x = case_conv(&c, x, 16, 1, 1, VD_ACT_RELU);
    case_output(&c, x);
    vd_plan *plan = case_check(&c, VD_KERNEL_F32, LIMIT);
    ck_assert_uint_le(vd_plan_arena_bytes(plan), 3 * 16 * 32 * 32 * sizeof(float));
    vd_plan_free(&plan);
    case_fini(&c);
}
END_TEST

START_TEST(the_input_may_be_filled_in_place)
{
    plan_case c;
    if (!is_here(VD_KERNEL_F32))
        return;
    case_init(&c, 5);
    make_sppf(&c);
    vd_plan *plan = case_check(&c, VD_KERNEL_F32, LIMIT);
    size_t count = vd_plan_count(&c.values[c.outputs[0]]);
    float *direct = malloc(count * sizeof(float)), *copied = malloc(count * sizeof(float));
    vd_error error = {0};
    ck_assert_int_eq(vd_plan_run(plan, (const float *const[]){c.data[0]}, &copied, &error), VD_OK);
    memcpy(vd_plan_input(plan, 0), c.data[0], vd_plan_count(&c.values[0]) * sizeof(float));
    ck_assert_int_eq(vd_plan_run(plan, (const float *const[]){vd_plan_input(plan, 0)}, &direct, &error),
                     VD_OK);
    ck_assert_mem_eq(direct, copied, count * sizeof(float));
    free(direct);
    free(copied);
    vd_plan_free(&plan);
    vd_plan_free(&plan);
    case_fini(&c);
}
END_TEST

static Suite *plan_suite(void)
{
    Suite *suite = suite_create("plan");
    TCase *cases = tcase_create("numbers");
    tcase_set_timeout(cases, 120);
    tcase_add_loop_test(cases, known_shapes, 0, MAKERS);
    tcase_add_loop_test(cases, known_shapes_in_bf16, 0, MAKERS);
    tcase_add_loop_test(cases, graphs_by_chance, 0, 20);
    suite_add_tcase(suite, cases);
    TCase *promises = tcase_create("promises");
    tcase_add_test(promises, joins_and_splits_at_borders_cost_nothing);
    tcase_add_test(promises, memory_is_used_again);
    tcase_add_test(promises, the_input_may_be_filled_in_place);
    suite_add_tcase(suite, promises);
    return suite;
}

TEST_MAIN(plan_suite)
