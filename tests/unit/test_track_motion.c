#include <math.h>
#include <string.h>

#include "check_main.h"
#include "seeded.h"
#include "track/motion.h"

/* The same filter written out with matrices: one coordinate, state (value, speed). */
struct plain {
    double x[2], p[2][2];
};

static void plain_pass(struct plain *s, double dt, double q)
{
    const double f[2][2] = {{1, dt}, {0, 1}};
    const double noise[2][2] = {{q * dt * dt * dt / 3, q * dt * dt / 2}, {q * dt * dt / 2, q * dt}};
    double x[2] = {0}, p[2][2] = {{0}};
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            x[i] += f[i][j] * s->x[j];
            p[i][j] += noise[i][j];
            for (int k = 0; k < 2; k++)
                for (int l = 0; l < 2; l++)
                    p[i][j] += f[i][k] * s->p[k][l] * f[j][l];
        }
    memcpy(s->x, x, sizeof x);
    memcpy(s->p, p, sizeof p);
}

/* In Joseph's form, which is another way to the same covariance. */
static void plain_correct(struct plain *s, double measured, double r)
{
    double all = s->p[0][0] + r, k[2] = {s->p[0][0] / all, s->p[1][0] / all}, off = measured - s->x[0];
    const double a[2][2] = {{1 - k[0], 0}, {-k[1], 1}};
    double p[2][2] = {{0}};
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            p[i][j] = k[i] * r * k[j];
            for (int m = 0; m < 2; m++)
                for (int n = 0; n < 2; n++)
                    p[i][j] += a[i][m] * s->p[m][n] * a[j][n];
        }
    s->x[0] += k[0] * off;
    s->x[1] += k[1] * off;
    memcpy(s->p, p, sizeof p);
}

static void check_axis(const vd_track_axis *axis, const struct plain *s)
{
    ck_assert_double_eq_tol(axis->value, s->x[0], 1e-6);
    ck_assert_double_eq_tol(axis->speed, s->x[1], 1e-6);
    ck_assert_double_eq_tol(axis->var, s->p[0][0], 1e-6);
    ck_assert_double_eq_tol(axis->cross, s->p[0][1], 1e-6);
    ck_assert_double_eq_tol(axis->speed_var, s->p[1][1], 1e-6);
}

static const vd_track_options options = VD_TRACK_OPTIONS_INIT;

/* A box of constant size, so that its noise is a constant: 40 × 80, size 60. */
static vd_box box_at(double x, double y)
{
    return (vd_box){(float)(x - 20), (float)(y - 40), (float)(x + 20), (float)(y + 40)};
}

START_TEST(equals_the_filter_written_out)
{
    uint64_t seed = 3;
    const double size = 60, r = pow(options.noise * size, 2), q = pow(options.acceleration * size, 2);
    vd_box box = box_at(100, 200);
    vd_track track = {.detected = box};
    vd_motion_begin(&track, &box, &options);
    struct plain x = {{100, 0}, {{r, 0}, {0, pow(options.speed * size, 2)}}}, y = x;
    y.x[0] = 200;
    for (int i = 0; i < 400; i++) {
        double dt = seeded_below(&seed, 1000) * 0.001; /* 0 to 1 s */
        vd_motion_pass(&track, dt, &options);
        plain_pass(&x, dt, q);
        plain_pass(&y, dt, q);
        if (seeded_below(&seed, 3) == 0)
            continue; /* not seen */
        double at_x = 100 + i + seeded_below(&seed, 8), at_y = 200 - i / 2 + seeded_below(&seed, 8);
        box = box_at(at_x, at_y);
        vd_motion_correct(&track, &box, &options);
        plain_correct(&x, at_x, r);
        plain_correct(&y, at_y, r);
        check_axis(&track.x, &x);
        check_axis(&track.y, &y);
    }
}
END_TEST

START_TEST(one_long_step_is_many_short_ones)
{
    vd_box box = box_at(50, 50), later = box_at(70, 45);
    vd_track once = {.detected = box}, often = once;
    vd_motion_begin(&once, &box, &options);
    vd_motion_pass(&once, 0.2, &options);
    vd_motion_correct(&once, &later, &options);
    often = once;
    vd_motion_pass(&once, 0.4, &options);
    for (int i = 0; i < 12; i++)
        vd_motion_pass(&often, 0.4 / 12, &options);
    const vd_track_axis *a[] = {&once.x, &once.y, &once.width, &once.height};
    const vd_track_axis *b[] = {&often.x, &often.y, &often.width, &often.height};
    for (int i = 0; i < 4; i++) {
        ck_assert_double_eq_tol(a[i]->value, b[i]->value, 1e-9);
        ck_assert_double_eq_tol(a[i]->var, b[i]->var, 1e-9 * a[i]->var);
        ck_assert_double_eq_tol(a[i]->cross, b[i]->cross, 1e-9 * a[i]->var);
        ck_assert_double_eq_tol(a[i]->speed_var, b[i]->speed_var, 1e-9 * a[i]->speed_var);
    }
}
END_TEST

START_TEST(distance_is_in_standard_deviations)
{
    vd_box box = box_at(50, 50), same = box, off;
    vd_track track = {.detected = box};
    double spread, none;
    vd_motion_begin(&track, &box, &options);
    ck_assert_double_eq_tol(vd_motion_distance(&track, &same, &options, &spread), 0, 1e-9);
    ck_assert_double_eq_tol(spread, 4 * log(2), 1e-9); /* as sure as one detection, four times */
    double deviation = sqrt(2) * options.noise * 60;
    off = box_at(50 + 2 * deviation, 50 - deviation);
    ck_assert_double_eq_tol(vd_motion_distance(&track, &off, &options, &none), 5, 1e-4);
    vd_motion_pass(&track, 1, &options);
    ck_assert_double_lt(vd_motion_distance(&track, &off, &options, &none), 1);
    ck_assert_double_gt(none, spread);
}
END_TEST

/* A steady movement is foretold to a pixel, the size as well, and never turned inside out. */
START_TEST(foretells_a_steady_movement)
{
    vd_box box = {0, 0, 40, 80};
    vd_track track = {.detected = box};
    vd_motion_begin(&track, &box, &options);
    for (int i = 1; i <= 40; i++) {
        float t = 0.1f * (float)i;
        box = (vd_box){30 * t, 10 * t, 40 + 30 * t + 4 * t, 80 + 10 * t + 8 * t};
        vd_motion_pass(&track, 0.1, &options);
        vd_motion_correct(&track, &box, &options);
        track.detected = box;
    }
    track.time_s = 4;
    track.box = vd_motion_box(&track);
    vd_box then = vd_track_predict(&track, 4.5);
    ck_assert_float_eq_tol(then.x1, 30 * 4.5f, 1);
    ck_assert_float_eq_tol(then.x2, 40 + 34 * 4.5f, 1);
    ck_assert_float_eq_tol(then.y2, 80 + 18 * 4.5f, 1);
    then = vd_track_predict(&track, 3);
    ck_assert_int_eq(memcmp(&then, &track.box, sizeof then), 0);
    then = vd_track_predict(&track, NAN);
    ck_assert_int_eq(memcmp(&then, &track.box, sizeof then), 0);
    track.width.speed = track.height.speed = -500;
    then = vd_track_predict(&track, 5);
    ck_assert_float_gt(then.x2, then.x1);
    ck_assert_float_gt(then.y2, then.y1);
}
END_TEST

START_TEST(interpolates_what_was_detected)
{
    const vd_track a = {.detected = {0, 10, 20, 30}, .seen_s = 1};
    const vd_track b = {.detected = {10, 10, 40, 50}, .seen_s = 2};
    const vd_box half = {5, 10, 30, 40};
    vd_box box = vd_track_interpolate(&a, &b, 1.5);
    ck_assert_int_eq(memcmp(&box, &half, sizeof box), 0);
    box = vd_track_interpolate(&a, &b, 1);
    ck_assert_int_eq(memcmp(&box, &a.detected, sizeof box), 0);
    box = vd_track_interpolate(&a, &b, 0);
    ck_assert_int_eq(memcmp(&box, &a.detected, sizeof box), 0);
    box = vd_track_interpolate(&a, &b, 2);
    ck_assert_int_eq(memcmp(&box, &b.detected, sizeof box), 0);
    box = vd_track_interpolate(&a, &b, 7);
    ck_assert_int_eq(memcmp(&box, &b.detected, sizeof box), 0);
    box = vd_track_interpolate(&b, &b, 2);
    ck_assert_int_eq(memcmp(&box, &b.detected, sizeof box), 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("track_motion");
    TCase *motion = tcase_create("motion");
    tcase_add_test(motion, equals_the_filter_written_out);
    tcase_add_test(motion, one_long_step_is_many_short_ones);
    tcase_add_test(motion, distance_is_in_standard_deviations);
    tcase_add_test(motion, foretells_a_steady_movement);
    tcase_add_test(motion, interpolates_what_was_detected);
    suite_add_tcase(suite, motion);
    return suite;
}

TEST_MAIN(make_suite)
