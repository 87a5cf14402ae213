#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "check_main.h"
#include "seeded.h"
#include "track/assign.h"

enum { MOST = 7, ROUNDS = 1000 };

/* Every way to go on from `row`: alone or with any free column. */
static double least_cost(const double *costs, size_t rows, size_t columns, double limit, size_t row,
                         unsigned taken)
{
    if (row == rows)
        return 0;
    double least = limit + least_cost(costs, rows, columns, limit, row + 1, taken);
    for (size_t j = 0; j < columns; j++) {
        double cost = costs[row * columns + j];
        if ((taken >> j & 1) || !(cost < limit))
            continue;
        least = fmin(least, cost + least_cost(costs, rows, columns, limit, row + 1, taken | 1u << j));
    }
    return least;
}

/* What an assignment costs; it must be one. */
static double cost_of(const double *costs, size_t rows, size_t columns, double limit, const int *pairs)
{
    bool taken[300] = {false};
    double sum = 0;
    for (size_t i = 0; i < rows; i++) {
        ck_assert_int_ge(pairs[i], -1);
        ck_assert_int_lt(pairs[i], (int)columns);
        if (pairs[i] < 0) {
            sum += limit;
            continue;
        }
        ck_assert(!taken[pairs[i]]);
        taken[pairs[i]] = true;
        ck_assert(costs[i * columns + (size_t)pairs[i]] < limit);
        sum += costs[i * columns + (size_t)pairs[i]];
    }
    return sum;
}

static double odd_cost(uint64_t *seed)
{
    static const double odd[] = {INFINITY, NAN, 10, 11, 0};
    uint32_t kind = seeded_below(seed, 12);
    if (kind < 5)
        return odd[kind];
    return kind < 8 ? (double)seeded_below(seed, 12) : (double)seeded_below(seed, 100000) / 9000;
}

/* Square and not, with pairs that never go together, with many equal costs. */
START_TEST(costs_are_the_least_there_are)
{
    uint64_t seed = 5;
    int alone = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double costs[MOST * MOST];
        int pairs[MOST];
        size_t rows = 1 + seeded_below(&seed, MOST), columns = 1 + seeded_below(&seed, MOST);
        for (size_t i = 0; i < rows * columns; i++)
            costs[i] = odd_cost(&seed);
        void *scratch = malloc(vd_assign_scratch_size(rows, columns));
        vd_assign(costs, rows, columns, 10, scratch, pairs);
        free(scratch);
        for (size_t i = 0; i < rows; i++)
            alone += pairs[i] < 0;
        ck_assert_double_eq_tol(cost_of(costs, rows, columns, 10, pairs),
                                least_cost(costs, rows, columns, 10, 0, 0), 1e-9);
    }
    ck_assert_int_gt(alone, 100);
}
END_TEST

START_TEST(nobody_goes_together)
{
    const double costs[] = {INFINITY, 5, NAN, 7};
    int pairs[2] = {3, 3};
    double scratch[64];
    ck_assert_uint_le(vd_assign_scratch_size(2, 2), sizeof scratch);
    vd_assign(costs, 2, 2, 5, scratch, pairs);
    ck_assert_int_eq(pairs[0], -1);
    ck_assert_int_eq(pairs[1], -1);
    vd_assign(costs, 0, 2, 5, scratch, pairs);
    vd_assign(NULL, 2, 0, 5, scratch, pairs);
    ck_assert_int_eq(pairs[0], -1);
    ck_assert_int_eq(pairs[1], -1);
}
END_TEST

/* The nearest is not always the right one: 1 + 2 is less than 0 + 4. */
START_TEST(the_sum_counts)
{
    const double costs[] = {0, 1, 2, 4};
    int pairs[2];
    double scratch[64];
    vd_assign(costs, 2, 2, 100, scratch, pairs);
    ck_assert_int_eq(pairs[0], 1);
    ck_assert_int_eq(pairs[1], 0);
}
END_TEST

/* Each row's own column costs i·0.001, every other one more: large, and known beforehand. */
START_TEST(a_large_one_is_exact)
{
    enum { ROWS = 200, COLUMNS = 300 };
    static double costs[ROWS * COLUMNS];
    int pairs[ROWS], right[COLUMNS];
    uint64_t seed = 9;
    for (int j = 0; j < COLUMNS; j++)
        right[j] = j;
    for (int j = COLUMNS - 1; j > 0; j--) {
        int k = (int)seeded_below(&seed, (uint32_t)j + 1), kept = right[j];
        right[j] = right[k];
        right[k] = kept;
    }
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++)
            costs[i * COLUMNS + j] = j == right[i] ? i * 0.001 : 0.5 + seeded_below(&seed, 1000) * 0.001;
    void *scratch = malloc(vd_assign_scratch_size(ROWS, COLUMNS));
    vd_assign(costs, ROWS, COLUMNS, 10, scratch, pairs);
    free(scratch);
    for (int i = 0; i < ROWS; i++)
        ck_assert_int_eq(pairs[i], right[i]);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("track_assign");
    TCase *assign = tcase_create("assign");
    tcase_add_test(assign, costs_are_the_least_there_are);
    tcase_add_test(assign, nobody_goes_together);
    tcase_add_test(assign, the_sum_counts);
    tcase_add_test(assign, a_large_one_is_exact);
    suite_add_tcase(suite, assign);
    return suite;
}

TEST_MAIN(make_suite)
