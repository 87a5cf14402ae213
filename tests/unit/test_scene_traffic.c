/* Who drives where, and what the vehicles cover of the picture. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "scene/traffic.h"

typedef struct moment {
    vd_layout layout;
    vd_view view;
    vd_traveller items[VD_TRAFFIC_MOST];
    size_t count;
} moment;

static vd_scene_options options_of(unsigned seed, bool pole)
{
    vd_scene_options options = VD_SCENE_OPTIONS_INIT;
    options.seed = seed;
    options.from_pole = pole;
    return options;
}

static moment moment_at(const vd_scene_options *options, double time_s)
{
    moment m = {.layout = vd_layout_make(options)};
    m.view = vd_view_at(&m.layout, options, time_s);
    m.count = vd_traffic_at(&m.layout, &m.view, time_s, m.items);
    ck_assert_uint_le(m.count, VD_TRAFFIC_MOST);
    return m;
}

static double half_width_of(vd_vehicle_kind kind)
{
    return kind == VD_VEHICLE_CYCLIST ? 0.3 : kind == VD_VEHICLE_LORRY ? 1.2 : 1.0;
}

static void check_apart(const vd_traveller *a, const vd_traveller *b, unsigned seed, double time_s)
{
    double along = fabs(a->s - b->s) - (vd_vehicle_length(a->kind) + vd_vehicle_length(b->kind)) / 2;
    double aside = fabs(a->d - b->d) - half_width_of(a->kind) - half_width_of(b->kind);
    ck_assert_msg(along > 2 || aside > 0, "seed %u, %.1f s: two vehicles are %.1f m and %.1f m apart", seed,
                  time_s, along, aside);
    ck_assert_int_ne(a->track_id, b->track_id);
}

/* The camera's own vehicle is 4 m long and ends before the lens. */
static void check_own(const moment *m, const vd_traveller *t, unsigned seed, double time_s)
{
    double half = vd_vehicle_length(t->kind) / 2, ahead = t->s - m->view.s;
    double aside = fabs(t->d - m->view.d) - half_width_of(t->kind) - 0.9;
    bool beside = ahead - half < 6 && ahead + half > -4;
    ck_assert_msg(!beside || aside > 0, "seed %u, %.1f s: a vehicle %.1f m ahead, %.1f m aside", seed, time_s,
                  ahead - half, aside);
    ck_assert_double_lt(fabs(t->d) + half_width_of(t->kind), m->layout.half_width);
}

START_TEST(nobody_meets_another_in_ten_minutes)
{
    bool pole = _i % 2;
    double seen = 0, moments = 0;
    for (unsigned seed = 1; seed <= 12; seed++) {
        vd_scene_options options = options_of(seed, pole);
        for (double time_s = 0; time_s < 600; time_s += 0.5) {
            moment m = moment_at(&options, time_s);
            seen += (double)m.count;
            moments++;
            for (size_t i = 0; i < m.count; i++) {
                for (size_t j = 0; j < i; j++)
                    check_apart(&m.items[i], &m.items[j], seed, time_s);
                if (!pole)
                    check_own(&m, &m.items[i], seed, time_s);
            }
        }
    }
    ck_assert_msg(seen > 0.6 * moments && seen < 1.6 * moments, "%.2f vehicles at a time", seen / moments);
}
END_TEST

START_TEST(they_come_far_to_near_and_move_smoothly)
{
    for (unsigned seed = 1; seed <= 6; seed++) {
        vd_scene_options options = options_of(seed, _i % 2);
        moment before = moment_at(&options, 0);
        for (int frame = 1; frame < 3000; frame++) {
            moment m = moment_at(&options, frame / 30.0);
            for (size_t i = 1; i < m.count; i++) {
                const vd_traveller *far = &m.items[i - 1], *near = &m.items[i];
                ck_assert_msg(near->depth < far->depth + vd_vehicle_length(far->kind),
                              "seed %u, frame %d: the nearer one comes first", seed, frame);
            }
            for (size_t i = 0; i < m.count; i++) {
                for (size_t j = 0; j < before.count; j++) {
                    const vd_traveller *now = &m.items[i], *then = &before.items[j];
                    if (now->track_id != then->track_id)
                        continue;
                    double step = (now->s - then->s) * now->heading;
                    ck_assert_msg(step > 0 && step < 20 / 30.0 && fabs(now->d - then->d) < 0.12,
                                  "seed %u, frame %d: a step of %.2f m and %.2f m", seed, frame, step,
                                  now->d - then->d);
                    ck_assert_int_eq(now->kind, then->kind);
                    ck_assert_uint_eq(now->paint, then->paint);
                }
            }
            before = m;
        }
    }
}
END_TEST

START_TEST(a_moment_is_the_same_in_any_order)
{
    static const double TIMES[] = {0, 3.7, 12, 61, 599.5, 100000};
    enum { COUNT = 6 };
    vd_scene_options options = options_of(5, _i % 2);
    moment forth[COUNT];
    for (int i = 0; i < COUNT; i++)
        forth[i] = moment_at(&options, TIMES[i]);
    for (int i = COUNT - 1; i >= 0; i--) {
        moment m = moment_at(&options, TIMES[i]);
        ck_assert_uint_eq(m.count, forth[i].count);
        for (size_t k = 0; k < m.count; k++) {
            const vd_traveller *a = &m.items[k], *b = &forth[i].items[k];
            ck_assert_int_eq(a->track_id, b->track_id);
            ck_assert(a->s == b->s && a->d == b->d && a->slope == b->slope && a->kind == b->kind);
        }
    }
}
END_TEST

/* The share of the cells of which painted pixels and the grid say the same, among those of which either says
 * that something is there. */
static double agreement(const moment *m, cairo_surface_t *surface, const vd_grid *grid, size_t *ret_cells)
{
    const uint8_t *pixels = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface);
    double scale = vd_grid_scale(&m->view.camera);
    size_t either = 0, both = 0;
    for (int row = 0; row < m->view.camera.height * scale; row++) {
        for (int column = 0; column < m->view.camera.width * scale; column++) {
            size_t x = (size_t)((column + 0.5) / scale), y = (size_t)((row + 0.5) / scale);
            bool painted = pixels[y * (size_t)stride + 4 * x + 3] > 127;
            bool covered = vd_grid_at(grid, column + 0.5, row + 0.5) != 0;
            either += painted || covered;
            both += painted && covered;
        }
    }
    *ret_cells = either;
    return either > 0 ? (double)both / (double)either : 1;
}

START_TEST(cells_are_those_that_are_painted)
{
    vd_scene_options options = options_of(1, _i % 2);
    vd_grid *grid = malloc(sizeof(*grid));
    ck_assert_ptr_nonnull(grid);
    int compared = 0;
    for (double time_s = 0; time_s < 60; time_s += 1.5) {
        moment m = moment_at(&options, time_s);
        memset(grid, 0, sizeof(*grid));
        cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, 1280, 720);
        cairo_t *cr = cairo_create(surface);
        /* Vehicles alone: shadows belong to the road. */
        for (size_t i = 0; i < m.count; i++) {
            const vd_traveller *t = &m.items[i];
            vd_pen pen = vd_pen_make(&m.view.camera, cr, vd_view_place(&m.view, t->s, t->d, 0), t->heading);
            vd_pen_turn(&pen, m.view.curve * (t->s - m.view.s) + t->slope);
            vd_vehicle_paint(&pen, t->kind, t->paint, t->driven_m);
        }
        vd_traffic_cover(&m.layout, &m.view, m.items, m.count, grid);
        cairo_surface_flush(surface);
        size_t cells;
        double same = agreement(&m, surface, grid, &cells);
        ck_assert_msg(cells < 300 || same > 0.85, "%.1f s: %.2f of %zu cells agree", time_s, same, cells);
        compared += cells >= 300;
        cairo_destroy(cr);
        cairo_surface_destroy(surface);
    }
    ck_assert_int_ge(compared, 5);
    free(grid);
}
END_TEST

static int brightest_lamp(bool night, double time_s)
{
    vd_scene_options options = options_of(1, false);
    options.night = night;
    moment m = moment_at(&options, time_s);
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 1280, 720);
    cairo_t *cr = cairo_create(surface);
    vd_traffic_paint_lamps(&m.layout, &m.view, m.items, m.count, cr);
    cairo_destroy(cr);
    cairo_surface_flush(surface);
    const uint8_t *pixels = cairo_image_surface_get_data(surface);
    int brightest = 0;
    for (size_t i = 0; i < (size_t)cairo_image_surface_get_stride(surface) * 720; i++)
        brightest = i % 4 != 3 && pixels[i] > brightest ? pixels[i] : brightest;
    cairo_surface_destroy(surface);
    return brightest;
}

START_TEST(lamps_shine_by_night_alone)
{
    vd_scene_options options = options_of(1, false);
    int lit = 0;
    for (double time_s = 0; time_s < 40; time_s += 2) {
        moment m = moment_at(&options, time_s);
        bool near = false;
        for (size_t i = 0; i < m.count; i++)
            near = near || (m.items[i].depth > 10 && m.items[i].depth < 30);
        ck_assert_int_eq(brightest_lamp(false, time_s), 0);
        if (near && ++lit)
            ck_assert_int_gt(brightest_lamp(true, time_s), 150);
    }
    ck_assert_int_ge(lit, 3);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("scene_traffic");
    TCase *tcase = tcase_create("traffic");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, nobody_meets_another_in_ten_minutes, 0, 2);
    tcase_add_loop_test(tcase, they_come_far_to_near_and_move_smoothly, 0, 2);
    tcase_add_loop_test(tcase, a_moment_is_the_same_in_any_order, 0, 2);
    tcase_add_loop_test(tcase, cells_are_those_that_are_painted, 0, 2);
    tcase_add_test(tcase, lamps_shine_by_night_alone);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(make_suite)
