/* Activations against the functions in double precision. */
#include "act_case.h"
#include "pass_case.h"

static const float act_args[VD_ACT_END][2] = {
    [VD_ACT_LEAKY] = {0.1f, 0}, [VD_ACT_CLIP] = {-0.25f, 0.75f}, [VD_ACT_HSIGMOID] = {0.2f, 0.5f}};

/* What an error is measured by: the result, or what cancels in it on the way. */
static double scale_of(vd_plan_act act, double x, double wanted)
{
    return act == VD_ACT_GELU || act == VD_ACT_HSWISH ? fabs(x) : act == VD_ACT_HSIGMOID ? 1 : fabs(wanted);
}

START_TEST(test_acts_are_precise)
{
    enum { COUNT = 40000 };
    vd_plan_act act = (vd_plan_act)_i;
    float *in = buffer(COUNT * sizeof *in), *out = buffer(COUNT * sizeof *out);
    for (int i = 0; i < COUNT; i++)
        in[i] = (float)(i - COUNT / 2) * 0.004f; /* -80 to 80 */
    vd_pass_act(VD_KERNEL_F32, act, act_args[act], in, out, COUNT);
    for (int i = 0; i < COUNT; i++) {
        double wanted = act_of(act, act_args[act], (double)in[i]);
        double size = scale_of(act, (double)in[i], wanted);
        double error = fabs((double)out[i] - wanted);
        ck_assert_msg(error <= 1e-6 * size + 1e-30, "act %d of %g is %g, not %g", _i, in[i], out[i], wanted);
    }
    free(in), free(out);
}
END_TEST

START_TEST(test_acts_at_the_ends)
{
    float in[16] = {0, -0.0f, 1000, -1000, 1e38f, -1e38f, 1e-38f, NAN}, out[16];
    vd_pass_act(VD_KERNEL_F32, VD_ACT_SILU, no_args, in, out, 16);
    ck_assert(out[0] == 0 && out[1] == 0 && out[2] == 1000 && out[4] == 1e38f);
    ck_assert(out[3] <= 0 && out[3] > -1e-30f && isfinite(out[5]));
    ck_assert(isfinite(out[6]) && isnan(out[7]));
    vd_pass_act(VD_KERNEL_F32, VD_ACT_SIGMOID, no_args, in, out, 16);
    ck_assert(out[0] == 0.5f && out[2] == 1 && out[3] >= 0 && out[3] < 1e-30f);
}
END_TEST

static void check_act(vd_kernel_type type, vd_plan_act act, size_t count, bool add, bool in_place)
{
    void *in = buffer(count * bytes_of(type)), *more = buffer(count * bytes_of(type));
    void *out = in_place ? (add ? more : in) : buffer(count * bytes_of(type));
    double *wanted = buffer(count * sizeof *wanted), *scale = buffer(count * sizeof *scale);
    for (size_t i = 0; i < count; i++) {
        set(type, in, i, noise(4));
        set(type, more, i, noise(4));
        wanted[i] = act_of(act, act_args[act], (double)get(type, in, i));
        scale[i] = scale_of(act, (double)get(type, in, i), wanted[i]);
        wanted[i] += add ? (double)get(type, more, i) : 0;
    }
    if (add)
        vd_pass_act_add(type, act, act_args[act], in, more, out, count);
    else
        vd_pass_act(type, act, act_args[act], in, out, count);
    double tolerance = type == VD_KERNEL_BF16 ? 4e-3 : 1e-6; /* half a unit in the last place, relative */
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(fabs((double)get(type, out, i) - wanted[i]) <=
                          tolerance * (scale[i] + (add ? 4 : 1e-30)),
                      "type %d, act %d, element %zu of %zu", (int)type, (int)act, i, count);
    if (!in_place)
        free(out);
    free(in), free(more), free(wanted), free(scale);
}

START_TEST(test_acts)
{
    static const size_t counts[] = {8, 16, 24, 1016, 1024, 1040, 70000};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (int way = 0; way < 8; way++)
            check_act(way & 1 ? VD_KERNEL_BF16 : VD_KERNEL_F32, (vd_plan_act)_i, counts[c], way & 2, way & 4);
}
END_TEST

START_TEST(test_narrowing)
{
    enum { COUNT = 65536 };
    float *in = buffer(COUNT * 4);
    uint16_t *out = buffer(COUNT * 2);
    for (uint32_t i = 0; i < COUNT; i++) { /* every exponent, and low bits around a tie */
        uint32_t bits = ((i >> 5) & 0x7ff) << 20 | (i & 3) << 16 | (0x7ff8u + ((i >> 2) & 7) * 2);
        bits = (i & 0x1c) == 0x1c ? bits : (bits & 0xffff0000) | 0x8000; /* an exact tie */
        memcpy(&in[i], &bits, 4);
        if (!(fabsf(in[i]) < 3e38f))
            in[i] = 1;
    }
    int channels = vd_kernel_block();
    vd_pass_block(VD_KERNEL_BF16, in, out, channels, COUNT / channels);
    for (int c = 0; c < channels; c++)
        for (int p = 0; p < COUNT / channels; p++) {
            float value = in[c * (COUNT / channels) + p];
            ck_assert_msg(out[p * channels + c] == half_of(value), "%a became %04x", (double)value,
                          out[p * channels + c]);
        }
    free(in), free(out);
}
END_TEST

START_TEST(test_not_a_number_stays)
{
    float *in = buffer(64 * 4), back[64];
    uint16_t out[64];
    uint32_t bits = 0x7fffffff; /* rounding would carry it into the sign */
    for (int i = 0; i < 64; i++)
        memcpy(&in[i], &bits, 4);
    vd_pass_block(VD_KERNEL_BF16, in, out, 4, 1);
    vd_pass_unblock(VD_KERNEL_BF16, out, back, 4, 1);
    ck_assert(isnan(back[0]) && isnan(back[3]));
    free(in);
}
END_TEST

START_TEST(test_threads)
{
    vd_kernel_set_threads(_i);
    for (int way = 0; way < 4; way++)
        check_act(way & 1 ? VD_KERNEL_BF16 : VD_KERNEL_F32, VD_ACT_SILU, 100008, way & 2, false);
    vd_kernel_set_threads(1);
}
END_TEST

static Suite *acts_suite(void)
{
    Suite *suite = suite_create("acts");
    TCase *acts = tcase_create("acts");
    tcase_set_timeout(acts, 60);
    tcase_add_loop_test(acts, test_acts_are_precise, VD_ACT_NONE, VD_ACT_END);
    tcase_add_test(acts, test_acts_at_the_ends);
    tcase_add_loop_test(acts, test_acts, VD_ACT_NONE, VD_ACT_END);
    tcase_add_test(acts, test_narrowing);
    tcase_add_test(acts, test_not_a_number_stays);
    tcase_add_loop_test(acts, test_threads, 1, 4);
    suite_add_tcase(suite, acts);
    return suite;
}

TEST_MAIN(acts_suite)
