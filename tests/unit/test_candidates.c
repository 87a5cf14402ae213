/* The best of many candidates, and what is done to those of a detector that nobody vouches for. */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "check_main.h"
#include "detect/candidates.h"

START_TEST(the_best_of_many_are_kept_in_order)
{
    enum { MANY = 5000 };
    static float scores[MANY];
    static vd_best best;
    uint32_t seed = 1;
    for (int i = 0; i < MANY; i++) {
        seed = seed * 1664525u + 1013904223u;
        scores[i] = (float)(seed >> 24) / 255; /* many equal ones */
        vd_best_offer(&best, scores[i], (uint32_t)i);
    }
    ck_assert_uint_eq(best.count, VD_MAX_CANDIDATES);
    vd_best_sort(&best);
    static bool kept[MANY];
    for (size_t n = 0; n < best.count; n++) {
        uint32_t i = vd_best_index(&best, n);
        kept[i] = true;
        if (n > 0) {
            uint32_t before = vd_best_index(&best, n - 1);
            ck_assert(scores[before] > scores[i] || (scores[before] == scores[i] && before < i));
        }
    }
    uint32_t last = vd_best_index(&best, best.count - 1);
    for (uint32_t i = 0; i < MANY; i++)
        if (!kept[i])
            ck_assert(scores[i] < scores[last] || (scores[i] == scores[last] && i > last));
}
END_TEST

START_TEST(what_is_good_stays_as_it_is)
{
    static vd_result result = {.width = 100, .height = 80, .floor = 0.05f};
    for (int i = 0; i < VD_MAX_CANDIDATES; i++)
        result.candidates[i] = (vd_detection){{0, 0, 100, 80}, 1 - (float)i / 2000, i % 80, 0};
    result.count = VD_MAX_CANDIDATES;
    static vd_result before;
    before = result;
    ck_assert_uint_eq(vd_candidates_sanitise(&result), 0);
    ck_assert_uint_eq(result.count, VD_MAX_CANDIDATES);
    ck_assert_int_eq(memcmp(before.candidates, result.candidates, sizeof result.candidates), 0);
}
END_TEST

START_TEST(the_bounds_belong_to_what_is_good)
{
    static vd_result result = {.width = 100, .height = 80, .floor = 0.5f};
    const vd_detection given[] = {{{0, 0, 10, 10}, 0.5f, 0, 0},         {{0, 0, 10, 10}, 0.4999f, 0, 0},
                                  {{99, 79, 300, 300}, 1, 0, 0},        {{100, 0, 110, 10}, 0.9f, 0, 0},
                                  {{0, 80, 10, 90}, 0.9f, 0, 0},        {{5, 5, 5, 9}, 0.9f, 0, 0},
                                  {{-10, -10, 0, 10}, 0.9f, 0, 0},      {{0, 0, 10, 10}, 1.0001f, 0, 0},
                                  {{-INFINITY, 0, 10, 10}, 0.9f, 0, 0}, {{0, 0, 10, 10}, 0.9f, INT32_MAX, 0}};
    memcpy(result.candidates, given, sizeof given);
    result.count = sizeof given / sizeof *given;
    ck_assert_uint_eq(vd_candidates_sanitise(&result), 7);
    ck_assert_uint_eq(result.count, 3);
    ck_assert_float_eq(result.candidates[0].score, 1);
    ck_assert_float_eq(result.candidates[0].box.x2, 300); /* whole: it is cut when it is selected */
    ck_assert_int_eq(result.candidates[1].class_id, INT32_MAX);
    ck_assert_float_eq(result.candidates[2].score, 0.5f);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("candidates");
    TCase *tests = tcase_create("candidates");
    tcase_add_test(tests, the_best_of_many_are_kept_in_order);
    tcase_add_test(tests, what_is_good_stays_as_it_is);
    tcase_add_test(tests, the_bounds_belong_to_what_is_good);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
