/* The table of what the clock has chosen, and two threads that want the same convolution at once. */
#include <stdio.h>
#include <string.h>

#include "base/thread.h"
#include "check_main.h"
#include "engine/kernel_choice.h"

/* A shape with rubbish between its fields, where there is room. */
static vd_choice_key key_of(int channels, int rubbish)
{
    vd_conv_shape shape;
    vd_choice_key key;
    memset(&shape, rubbish, sizeof shape);
    shape.in = channels;
    shape.out = shape.in_height = shape.in_width = shape.out_height = shape.out_width = 16;
    for (int i = 0; i < 2; i++) {
        shape.kernel[i] = shape.stride[i] = shape.dilation[i] = 1;
        shape.act_args[i] = 0;
    }
    memset(shape.pads, 0, sizeof shape.pads);
    shape.groups = 1;
    shape.planar_in = shape.float_out = shape.add = false;
    shape.type = VD_KERNEL_F32;
    shape.act = VD_ACT_SILU;
    vd_choice_key_of(&shape, 1, 16, &key);
    return key;
}

static bool knows(const vd_choice_key *key, const char *wanted)
{
    char text[VD_CHOICE_TEXT] = "";
    vd_choice_lock();
    bool found = vd_choice_find(key, text);
    vd_choice_unlock();
    ck_assert_str_eq(text, found ? wanted : "");
    return found;
}

static void keep(const vd_choice_key *key, const char *text)
{
    vd_choice_lock();
    vd_choice_keep(key, text);
    vd_choice_unlock();
}

START_TEST(test_kept)
{
    vd_choice_key one = key_of(1, 0), same = key_of(1, 0x55), other = key_of(2, 0), threads = one;
    threads.threads = 2;
    ck_assert(!knows(&one, ""));
    keep(&one, "first");
    ck_assert(knows(&one, "first") && knows(&same, "first"));
    ck_assert(!knows(&other, "") && !knows(&threads, ""));
    keep(&threads, "by two");
    keep(&same, "second"); /* in the place of the first */
    ck_assert(knows(&one, "second") && knows(&threads, "by two"));
}
END_TEST

START_TEST(test_bounded)
{
    vd_choice_key keys[3] = {key_of(1, 0), key_of(2, 0), key_of(VD_CHOICES, 0)};
    char text[VD_CHOICE_TEXT];
    for (int i = 1; i <= VD_CHOICES; i++) {
        vd_choice_key key = key_of(i, 0);
        snprintf(text, sizeof text, "choice %d", i);
        keep(&key, text);
    }
    ck_assert(knows(&keys[0], "choice 1"));
    vd_choice_key more = key_of(VD_CHOICES + 1, 0);
    keep(&more, "one more");
    ck_assert(!knows(&keys[0], "")); /* the oldest went */
    ck_assert(knows(&keys[1], "choice 2") && knows(&more, "one more"));
    snprintf(text, sizeof text, "choice %d", VD_CHOICES);
    ck_assert(knows(&keys[2], text));
}
END_TEST

static void make_conv(void *context)
{
    static const float weights[64 * 64 * 9];
    vd_conv_shape shape = {.in = 64,
                           .out = 64,
                           .in_height = 20,
                           .in_width = 20,
                           .out_height = 20,
                           .out_width = 20,
                           .kernel = {3, 3},
                           .stride = {1, 1},
                           .dilation = {1, 1},
                           .pads = {1, 1, 1, 1},
                           .groups = 1,
                           .act = VD_ACT_SILU};
    vd_conv_new(&shape, weights, NULL, context, NULL);
}

START_TEST(test_at_once)
{
    enum { THREADS = 4 };
    vd_thread threads[THREADS];
    vd_conv *convs[THREADS] = {NULL};
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(vd_thread_start(&threads[i], "vd-test", make_conv, &convs[i]), VD_OK);
    for (int i = 0; i < THREADS; i++)
        vd_thread_join(&threads[i]);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_ptr_nonnull(convs[i]);
        ck_assert_int_eq(vd_conv_candidates(convs[i]), 1);
        ck_assert_str_eq(vd_conv_text(convs[i]), vd_conv_text(convs[0]));
    }
    for (int i = 0; i < THREADS; i++)
        vd_conv_free(&convs[i]);
}
END_TEST

static Suite *choices_suite(void)
{
    Suite *suite = suite_create("choices");
    TCase *tests = tcase_create("choices");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, test_kept);
    tcase_add_test(tests, test_bounded);
    if (vd_kernel_here())
        tcase_add_test(tests, test_at_once);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(choices_suite)
