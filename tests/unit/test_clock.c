#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/histogram.h"
#include "check_main.h"
#include "seeded.h"

START_TEST(the_clock_never_goes_back)
{
    int64_t before = vd_clock_now_ns();
    ck_assert_int_gt(before, 0);
    for (int i = 0; i < 10000; i++) {
        int64_t now = vd_clock_now_ns();
        ck_assert_int_ge(now, before);
        before = now;
    }
}
END_TEST

START_TEST(deadlines_do_not_overflow)
{
    int64_t now = vd_clock_now_ns();
    ck_assert(vd_clock_deadline_ns(-1) == INT64_MAX);
    ck_assert(vd_clock_deadline_ns(INT64_MIN) == INT64_MAX);
    ck_assert(vd_clock_deadline_ns(INT64_MAX) == INT64_MAX);
    ck_assert_int_ge(vd_clock_deadline_ns(0), now);
    ck_assert_int_ge(vd_clock_deadline_ns(VD_NS_PER_S), now + VD_NS_PER_S);
}
END_TEST

static const int64_t origin = 5000 * VD_NS_PER_S;

START_TEST(a_steady_rate_is_measured)
{
    static const int rates[] = {5, 10, 25, 30, 60, 144};
    vd_rate rate = {0};
    int per_s = rates[_i];
    for (int i = 0; i < 10 * per_s; i++)
        vd_rate_add(&rate, origin + i * VD_NS_PER_S / per_s);
    double measured = vd_rate_per_s(&rate, origin + 10 * VD_NS_PER_S);
    ck_assert_msg(fabs(measured - per_s) <= 0.6, "%d a second measured as %g", per_s, measured);
}
END_TEST

START_TEST(a_young_rate_counts_its_own_length)
{
    vd_rate rate = {0};
    ck_assert_double_eq(vd_rate_per_s(&rate, origin), 0);
    for (int i = 0; i < 10; i++)
        vd_rate_add(&rate, origin + i * 50 * VD_NS_PER_MS);
    ck_assert_double_eq_tol(vd_rate_per_s(&rate, origin + 500 * VD_NS_PER_MS), 20, 1e-9);
}
END_TEST

START_TEST(a_rate_falls_to_nothing_and_starts_anew)
{
    vd_rate rate = {0};
    for (int i = 0; i < 100; i++)
        vd_rate_add(&rate, origin + i * 40 * VD_NS_PER_MS);
    int64_t end = origin + 4 * VD_NS_PER_S;
    ck_assert_double_gt(vd_rate_per_s(&rate, end), 20);
    ck_assert_double_lt(vd_rate_per_s(&rate, end + VD_NS_PER_S), 15);
    ck_assert_double_eq(vd_rate_per_s(&rate, end + 3 * VD_NS_PER_S), 0);
    int64_t later = end + 60 * VD_NS_PER_S;
    for (int i = 0; i < 10; i++)
        vd_rate_add(&rate, later + i * 50 * VD_NS_PER_MS);
    ck_assert_double_eq_tol(vd_rate_per_s(&rate, later + 500 * VD_NS_PER_MS), 20, 1e-9);
}
END_TEST

START_TEST(a_rate_equals_a_naive_count)
{
    static const int64_t slot = 100 * VD_NS_PER_MS;
    static int64_t events[4000];
    uint64_t seed = 3;
    vd_rate rate = {0};
    int64_t now = origin;
    for (int count = 0; count < 4000; count++) {
        now += seeded_below(&seed, 50) ? (int64_t)seeded_below(&seed, 60) * VD_NS_PER_MS
                                       : (int64_t)seeded_below(&seed, 1500) * VD_NS_PER_MS;
        events[count] = now;
        vd_rate_add(&rate, now);
        if (now < origin + 3 * VD_NS_PER_S)
            continue;
        int inside = 0;
        for (int i = count; i >= 0 && events[i] / slot >= now / slot - 19; i--)
            inside += events[i] / slot < now / slot;
        ck_assert_double_eq_tol(vd_rate_per_s(&rate, now), inside / 1.9, 1e-9);
    }
}
END_TEST

START_TEST(events_of_the_wrong_time_do_no_harm)
{
    vd_rate rate = {0};
    for (int i = 0; i < 100; i++)
        vd_rate_add(&rate, origin + i * 40 * VD_NS_PER_MS);
    int64_t end = origin + 4 * VD_NS_PER_S;
    double before = vd_rate_per_s(&rate, end);
    vd_rate_add(&rate, end - 100 * VD_NS_PER_S - 350 * VD_NS_PER_MS);
    vd_rate_add(&rate, -5 * VD_NS_PER_S);
    vd_rate_add(&rate, INT64_MIN);
    ck_assert_double_eq(vd_rate_per_s(&rate, end), before);
    ck_assert_double_eq(vd_rate_per_s(&rate, 0), 0);
}
END_TEST

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

START_TEST(percentiles_are_right_to_nine_percent)
{
    static const double shares[] = {0.01, 0.1, 0.5, 0.9, 0.95, 0.99, 1};
    enum { COUNT = 5000 };
    static int64_t values[COUNT];
    static vd_histogram histogram;
    uint64_t seed = 5;
    for (int i = 0; i < COUNT; i++) {
        values[i] = (int64_t)(2000.0 * exp2(seeded_below(&seed, 24000) / 1000.0));
        vd_histogram_add(&histogram, values[i]);
    }
    qsort(values, COUNT, sizeof *values, by_size);
    ck_assert_uint_eq(histogram.count, COUNT);
    ck_assert(histogram.max_ns == values[COUNT - 1]);
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        double exact = (double)values[(int)ceil(shares[i] * COUNT) - 1];
        double found = (double)vd_histogram_percentile_ns(&histogram, shares[i]);
        ck_assert_msg(found >= exact * 0.999 && found <= exact * 1.091, "%g: %g instead of %g", shares[i],
                      found, exact);
    }
}
END_TEST

START_TEST(odd_samples_and_shares_are_taken)
{
    static vd_histogram histogram;
    ck_assert_int_eq(vd_histogram_percentile_ns(&histogram, 0.5), 0);
    vd_histogram_add(&histogram, -5);
    vd_histogram_add(&histogram, 0);
    ck_assert_int_eq(vd_histogram_percentile_ns(&histogram, 0.5), 0);
    vd_histogram_add(&histogram, 3000 * VD_NS_PER_S);
    vd_histogram_add(&histogram, INT64_MAX / 4);
    ck_assert(vd_histogram_percentile_ns(&histogram, 1) == INT64_MAX / 4);
    ck_assert(vd_histogram_percentile_ns(&histogram, 7) == INT64_MAX / 4);
    ck_assert_int_le(vd_histogram_percentile_ns(&histogram, -1), 1000);
    ck_assert_int_le(vd_histogram_percentile_ns(&histogram, NAN), 1000);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("clock");
    TCase *clocks = tcase_create("clock");
    tcase_add_test(clocks, the_clock_never_goes_back);
    tcase_add_test(clocks, deadlines_do_not_overflow);
    suite_add_tcase(suite, clocks);
    TCase *rates = tcase_create("rate");
    tcase_add_loop_test(rates, a_steady_rate_is_measured, 0, 6);
    tcase_add_test(rates, a_young_rate_counts_its_own_length);
    tcase_add_test(rates, a_rate_falls_to_nothing_and_starts_anew);
    tcase_add_test(rates, a_rate_equals_a_naive_count);
    tcase_add_test(rates, events_of_the_wrong_time_do_no_harm);
    suite_add_tcase(suite, rates);
    TCase *histograms = tcase_create("histogram");
    tcase_add_test(histograms, percentiles_are_right_to_nine_percent);
    tcase_add_test(histograms, odd_samples_and_shares_are_taken);
    suite_add_tcase(suite, histograms);
    return suite;
}

TEST_MAIN(make_suite)
