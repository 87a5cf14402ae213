/* Convolutions against plain loops in double precision. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "conv_case.h"
#include "engine/kernels.h"

static double tolerance_of(const conv_case *it, const char *text)
{
    return it->shape.type == VD_KERNEL_BF16 ? 3e-2 : strstr(text, "wino") ? 1e-3 : 1e-4;
}

static void run_and_check(conv_case *it, vd_conv *conv, const char *when)
{
    vd_error error = {0};
    char what[300];
    const vd_conv_shape *shape = &it->shape;
    snprintf(what, sizeof what, "%d to %d, %d x %d, kernel %d, stride %d, groups %d, act %d, %s, %s",
             shape->in, shape->out, shape->in_width, shape->in_height, shape->kernel[0], shape->stride[0],
             shape->groups, (int)shape->act, vd_conv_text(conv), when);
    int code = vd_conv_run(conv, it->fed, it->out, it->added, it->scratch, &error);
    ck_assert_msg(code == VD_OK, "%s: %s", what, error.text);
    conv_case_check(it, tolerance_of(it, vd_conv_text(conv)), what);
}

/* The addend where the output goes. */
static void run_in_place(conv_case *it, vd_conv *conv)
{
    vd_error error = {0};
    const vd_conv_shape *shape = &it->shape;
    bool wide = shape->type == VD_KERNEL_F32 || shape->float_out;
    size_t count = conv_case_blocked(shape->out, shape->out_height, shape->out_width);
    memcpy(it->out, it->added, count * (wide ? 4 : 2));
    ck_assert_int_eq(vd_conv_run(conv, it->fed, it->out, it->out, it->scratch, &error), VD_OK);
    conv_case_check(it, tolerance_of(it, vd_conv_text(conv)), "in place");
}

/* What the clock chooses is one of all; a second one of the shape is the same and gives the same bits. */
static void check_chosen(conv_case *it, vd_conv *all)
{
    vd_conv *chosen[2] = {NULL, NULL};
    size_t bytes = conv_case_blocked(it->shape.out, it->shape.out_height, it->shape.out_width) *
                   (it->shape.type == VD_KERNEL_F32 || it->shape.float_out ? 4 : 2);
    void *first = conv_case_lines(bytes);
    bool is_one = false;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(vd_conv_new(&it->shape, it->weights, it->bias, &chosen[i], NULL), VD_OK);
        ck_assert_int_eq(vd_conv_candidates(chosen[i]), 1);
        ck_assert_uint_le(vd_conv_scratch_bytes(chosen[i]), vd_conv_scratch_bytes(all));
        run_and_check(it, chosen[i], "chosen");
        if (i == 0)
            memcpy(first, it->out, bytes);
    }
    ck_assert_str_eq(vd_conv_text(chosen[0]), vd_conv_text(chosen[1]));
    ck_assert_int_eq(memcmp(first, it->out, bytes), 0);
    for (int i = 0; i < vd_conv_candidates(all); i++) {
        vd_conv_choose(all, i);
        is_one = is_one || strcmp(vd_conv_text(all), vd_conv_text(chosen[0])) == 0;
    }
    ck_assert_msg(is_one, "\"%s\" is not in the list", vd_conv_text(chosen[0]));
    vd_conv_free(&chosen[0]);
    vd_conv_free(&chosen[1]);
    free(first);
}

/* Choosing takes time: only some do it. */
static void check_conv(vd_conv_shape shape, bool choose)
{
    conv_case it = conv_case_make(shape);
    vd_conv *conv = NULL;
    vd_error error = {0};
    int code = vd_conv_new_all(&it.shape, it.weights, it.bias, &conv, &error);
    ck_assert_msg(code == VD_OK, "%d to %d, groups %d: %s", shape.in, shape.out, shape.groups, error.text);
    it.scratch = conv_case_lines(vd_conv_scratch_bytes(conv));
    for (int i = 0; i < vd_conv_candidates(conv); i++) {
        vd_conv_choose(conv, i);
        run_and_check(&it, conv, "in turn");
        if (it.shape.add)
            run_in_place(&it, conv);
    }
    if (choose)
        check_chosen(&it, conv);
    vd_conv_free(&conv);
    ck_assert_ptr_null(conv);
    conv_case_free(&it);
}

/* Square kernels with the padding that keeps the size. */
static vd_conv_shape square(int in, int out, int kernel, int stride, int height, int width, vd_plan_act act)
{
    int pad = kernel / 2;
    return (vd_conv_shape){.in = in,
                           .out = out,
                           .in_height = height,
                           .in_width = width,
                           .kernel = {kernel, kernel},
                           .stride = {stride, stride},
                           .pads = {pad, pad, pad, pad},
                           .act = act};
}

static void check_both_types(vd_conv_shape shape)
{
    check_conv(shape, true);
    if (!vd_kernel_has_bf16())
        return;
    shape.type = VD_KERNEL_BF16;
    check_conv(shape, false);
    shape.float_out = true;
    check_conv(shape, false);
}

START_TEST(test_shapes)
{
    static const int sizes[][2] = {{1, 1}, {2, 3}, {7, 5}, {16, 16}, {41, 37}};
    static const int channels[][2] = {{16, 16}, {16, 32}, {32, 16}, {64, 80},
                                      {8, 24},  {5, 3},   {33, 17}, {1, 1}};
    static const int kernels[][2] = {{1, 1}, {3, 1}, {3, 2}, {1, 2}, {5, 1}, {7, 2}};
    const int *size = sizes[_i % 5];
    for (size_t c = 0; c < sizeof channels / sizeof *channels; c++)
        for (size_t k = 0; k < sizeof kernels / sizeof *kernels; k++)
            check_both_types(square(channels[c][0], channels[c][1], kernels[k][0], kernels[k][1], size[0],
                                    size[1], VD_ACT_SILU));
}
END_TEST

START_TEST(test_acts)
{
    static const float args[VD_ACT_END][2] = {
        [VD_ACT_LEAKY] = {0.1f, 0}, [VD_ACT_CLIP] = {-0.25f, 0.75f}, [VD_ACT_HSIGMOID] = {0.2f, 0.5f}};
    vd_conv_shape shape = square(16, 24, 3, 1, 9, 11, (vd_plan_act)_i);
    memcpy(shape.act_args, args[_i], sizeof shape.act_args);
    check_both_types(shape);
    shape.add = true;
    check_both_types(shape);
    shape.kernel[0] = shape.kernel[1] = 1;
    shape.pads[0] = shape.pads[1] = shape.pads[2] = shape.pads[3] = 0;
    shape.in = 40;
    check_both_types(shape);
}
END_TEST

START_TEST(test_clip_above_zero)
{
    vd_conv_shape shape =
        square(16, 20, 1, 1, 5, 5, VD_ACT_CLIP); /* clip(0) is not 0: the padding has to be */
    shape.act_args[0] = 0.25f;
    shape.act_args[1] = 1;
    check_both_types(shape);
}
END_TEST

START_TEST(test_planar)
{
    for (int in = 1; in <= 4; in++) {
        vd_conv_shape shape = square(in, 16 + 8 * in, 3, 2, 33, 30, VD_ACT_SILU);
        shape.planar_in = true;
        check_both_types(shape);
        shape = square(in, 32, 6, 2, 32, 48, VD_ACT_LEAKY);
        shape.act_args[0] = 0.1f;
        shape.pads[0] = shape.pads[1] = shape.pads[2] = shape.pads[3] = 2;
        shape.planar_in = true;
        check_both_types(shape);
    }
    vd_conv_shape wide = square(20, 16, 3, 1, 8, 9, VD_ACT_RELU);
    wide.planar_in = true;
    check_both_types(wide);
    wide.groups = 4;
    check_both_types(wide);
}
END_TEST

START_TEST(test_groups)
{
    static const int groups[][3] = {{32, 32, 2},  {64, 32, 2}, {32, 32, 32}, {24, 24, 24},
                                    {24, 48, 24}, {12, 18, 3}, {48, 48, 6},  {3, 3, 3}};
    const int *group = groups[_i];
    for (int kernel = 1; kernel <= 7; kernel += 2)
        for (int stride = 1; stride <= 2; stride++) {
            vd_conv_shape shape = square(group[0], group[1], kernel, stride, 10, 13, VD_ACT_SILU);
            shape.groups = group[2];
            check_both_types(shape);
            shape.add = true;
            check_both_types(shape);
        }
}
END_TEST

START_TEST(test_uneven)
{
    vd_conv_shape shape = square(16, 32, 3, 1, 20, 17, VD_ACT_NONE);
    shape.kernel[1] = 1;
    shape.pads[1] = shape.pads[3] = 0;
    check_both_types(shape);
    shape = square(32, 16, 3, 2, 20, 17, VD_ACT_RELU);
    shape.pads[0] = shape.pads[1] = 0; /* TensorFlow's way */
    check_both_types(shape);
    shape = square(32, 32, 3, 1, 23, 19, VD_ACT_SILU);
    shape.dilation[0] = 2;
    shape.dilation[1] = 3;
    check_both_types(shape);
    shape = square(16, 16, 3, 1, 12, 12, VD_ACT_SILU);
    shape.stride[1] = 2;
    check_both_types(shape);
}
END_TEST

START_TEST(test_two_threads)
{
    vd_conv_shape shape = square(64, 64, 3, 1, 40, 40, VD_ACT_SILU);
    shape.add = true;
    vd_kernel_set_threads(2);
    check_both_types(shape);
    check_both_types(square(32, 48, 1, 1, 40, 40, VD_ACT_SILU));
    vd_conv_shape first = square(3, 16, 3, 2, 64, 64, VD_ACT_SILU);
    first.planar_in = true;
    check_both_types(first);
    vd_kernel_set_threads(1);
}
END_TEST

/* A convolution keeps the number of threads it was made for, whatever the thread that runs it has said since.
 */
START_TEST(test_threads_changed)
{
    conv_case it = conv_case_make(square(64, 64, 3, 1, 20, 20, VD_ACT_SILU));
    vd_conv *conv = NULL;
    vd_kernel_set_threads(1);
    ck_assert_int_eq(vd_conv_new(&it.shape, it.weights, it.bias, &conv, NULL), VD_OK);
    it.scratch = conv_case_lines(vd_conv_scratch_bytes(conv));
    vd_kernel_set_threads(2);
    run_and_check(&it, conv, "made for one thread");
    vd_kernel_set_threads(1);
    vd_conv_free(&conv);
    conv_case_free(&it);
}
END_TEST

START_TEST(test_refused)
{
    vd_conv_shape shape = square(16, 16, 3, 1, 8, 8, VD_ACT_NONE);
    vd_conv *conv = NULL;
    vd_error error = {0};
    float none[1] = {0};
    shape.out_height = shape.out_width = 8;
    shape.groups = 3; /* does not divide 16 */
    shape.dilation[0] = shape.dilation[1] = 1;
    ck_assert_int_eq(vd_conv_new(&shape, none, NULL, &conv, &error), VD_EFORMAT);
    ck_assert_int_ne(error.text[0], 0);
    shape.groups = 1;
    shape.in_width = 0;
    ck_assert_int_eq(vd_conv_new(&shape, none, NULL, &conv, &error), VD_EFORMAT);
    shape.in_width = 8;
    shape.out_width = 9; /* not what the padding gives */
    float *weights = calloc(16 * 16 * 9, sizeof *weights);
    ck_assert_int_eq(vd_conv_new(&shape, weights, NULL, &conv, &error), VD_EFORMAT);
    free(weights);
    ck_assert_ptr_null(conv);
    vd_conv_free(&conv);
}
END_TEST

START_TEST(test_here)
{
    ck_assert(vd_kernel_block() == 16 || vd_kernel_block() == 8);
    if (vd_kernel_here())
        ck_assert_int_eq(strncmp(vd_kernel_version(), "oneDNN ", 7), 0);
    if (vd_kernel_has_bf16())
        ck_assert(vd_kernel_here() && vd_kernel_block() == 16);
}
END_TEST

static Suite *kernels_suite(void)
{
    Suite *suite = suite_create("kernels");
    TCase *here = tcase_create("here");
    tcase_add_test(here, test_here);
    suite_add_tcase(suite, here);
    if (!vd_kernel_here())
        return suite; /* nothing that could compute a convolution */
    TCase *convs = tcase_create("convolutions");
    tcase_set_timeout(convs, 100);
    tcase_add_loop_test(convs, test_shapes, 0, 5);
    tcase_add_loop_test(convs, test_acts, VD_ACT_NONE, VD_ACT_END);
    tcase_add_test(convs, test_clip_above_zero);
    tcase_add_test(convs, test_planar);
    tcase_add_loop_test(convs, test_groups, 0, 8);
    tcase_add_test(convs, test_uneven);
    tcase_add_test(convs, test_two_threads);
    tcase_add_test(convs, test_threads_changed);
    tcase_add_test(convs, test_refused);
    suite_add_tcase(suite, convs);
    return suite;
}

TEST_MAIN(kernels_suite)
