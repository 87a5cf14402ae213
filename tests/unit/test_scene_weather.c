#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cairo.h>

#include "check_main.h"
#include "scene/roadside.h"
#include "scene/weather.h"
#include "vedette/error.h"

enum { WIDTH = 640, HEIGHT = 360, STRIDE = 4 * WIDTH + 32 };

/* Like no colour of the scene. */
static const uint32_t MAGENTA = 0xff00ff;

typedef struct stage {
    vd_scene_options options;
    vd_layout layout;
    vd_roadside *roadside;
    vd_weather *weather;
    vd_image image;
} stage;

/* Light and weather alone; rain below 0: whatever the seed has. */
static stage set_light(unsigned seed, bool night, bool pole, double rain)
{
    stage s = {.options = VD_SCENE_OPTIONS_INIT};
    s.options.width = WIDTH;
    s.options.height = HEIGHT;
    s.options.seed = seed;
    s.options.night = night;
    s.options.from_pole = pole;
    s.layout = vd_layout_make(&s.options);
    if (rain >= 0)
        s.layout.rain = rain;
    ck_assert_int_eq(vd_weather_new(&s.layout, &s.options, &s.weather), VD_OK);
    uint8_t *memory = calloc(HEIGHT, STRIDE);
    ck_assert_ptr_nonnull(memory);
    s.image = (vd_image){
        .format = VD_PIXEL_BGRX, .width = WIDTH, .height = HEIGHT, .planes = {memory}, .strides = {STRIDE}};
    return s;
}

/* And with what stands beside the road. */
static stage set_stage(unsigned seed, bool pole, double rain)
{
    stage s = set_light(seed, false, pole, rain);
    ck_assert_int_eq(vd_roadside_new(&s.layout, &s.options, &s.roadside), VD_OK);
    return s;
}

static void strike(stage *s)
{
    vd_roadside_free(&s->roadside);
    vd_weather_free(&s->weather);
    ck_assert(!s->roadside && !s->weather);
    free(s->image.planes[0]);
}

static uint32_t *row_of(const stage *s, int y)
{
    return (uint32_t *)(void *)(s->image.planes[0] + (size_t)y * STRIDE);
}

static void fill(const stage *s, uint32_t color)
{
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            row_of(s, y)[x] = color;
}

static void paint_roadside(const stage *s, const vd_view *view)
{
    cairo_surface_t *surface =
        cairo_image_surface_create_for_data(s->image.planes[0], CAIRO_FORMAT_RGB24, WIDTH, HEIGHT, STRIDE);
    cairo_t *cr = cairo_create(surface);
    vd_roadside_paint(s->roadside, view, cr);
    ck_assert_int_eq(cairo_status(cr), CAIRO_STATUS_SUCCESS);
    cairo_destroy(cr);
    cairo_surface_flush(surface);
    cairo_surface_destroy(surface);
}

static uint64_t hash_image(const stage *s)
{
    uint64_t hash = UINT64_C(1469598103934665603);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            hash = (hash ^ (row_of(s, y)[x] & 0xffffff)) * UINT64_C(1099511628211);
    return hash;
}

/* Everything that the two parts do, one after the other, over flat ground. */
static uint64_t hash_moment(const stage *s, int64_t frame)
{
    double time_s = (double)frame / 30;
    vd_view view = vd_view_at(&s->layout, &s->options, time_s);
    fill(s, 0x6e6e6e);
    ck_assert_int_eq(vd_roadside_paint_sky(s->roadside, &view, time_s, &s->image), VD_OK);
    paint_roadside(s, &view);
    vd_weather_light(s->weather, time_s, &s->image);
    vd_weather_air(s->weather, frame, &s->image);
    return hash_image(s);
}

START_TEST(a_moment_looks_the_same_in_any_order)
{
    static const int64_t FORTH[] = {0, 1, 40, 90000}, BACK[] = {90000, 40, 0, 1};
    stage a = set_stage(5, _i, 0.8), b = set_stage(5, _i, 0.8), other = set_stage(6, _i, 0.8);
    uint64_t seen[4];
    for (int i = 0; i < 4; i++)
        seen[i] = hash_moment(&a, FORTH[i]);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 4; k++)
            if (BACK[i] == FORTH[k])
                ck_assert_uint_eq(hash_moment(&b, BACK[i]), seen[k]);
    for (int k = 0; k < 4; k++) {
        ck_assert(k == 0 || seen[k] != seen[k - 1]);
        ck_assert_uint_ne(hash_moment(&other, FORTH[k]), seen[k]);
    }
    strike(&a), strike(&b), strike(&other);
}
END_TEST

/* Mean level of a row in the columns of the camera's own lane, 110 before the light. */
static double level_ahead(const stage *s, double ahead)
{
    vd_view view = vd_view_at(&s->layout, &s->options, 0);
    int y = (int)(view.camera.horizon_y + view.camera.focal * view.camera.pole / ahead);
    double sum = 0, step;
    int count = 0;
    ck_assert(y >= 0 && y < HEIGHT);
    for (int x = 0; x < WIDTH; x++) {
        double d = vd_view_row(&view, ahead, x + 0.5, &step);
        if (fabs(d - view.d) > 1.2)
            continue;
        uint32_t pixel = row_of(s, y)[x];
        sum += ((pixel & 255) + (pixel >> 8 & 255) + (pixel >> 16 & 255)) / 3.0;
        count++;
    }
    ck_assert_int_gt(count, 0);
    return sum / count;
}

static double mean_level(const stage *s)
{
    double sum = 0;
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            sum += row_of(s, y)[x] >> 8 & 255;
    return sum / (WIDTH * HEIGHT);
}

START_TEST(the_night_is_dark_but_the_road_ahead_is_lit)
{
    for (unsigned seed = 1; seed <= 8; seed++) {
        stage day = set_light(seed, false, _i, 0), night = set_light(seed, true, _i, 0);
        fill(&day, 0x6e6e6e), fill(&night, 0x6e6e6e);
        vd_weather_light(day.weather, 0, &day.image);
        vd_weather_light(night.weather, 0, &night.image);
        /* A pole's picture begins farther ahead than a vehicle's. */
        double near = _i ? 10 : 5.5, middle = _i ? 14 : 8, far = _i ? 22 : 14;
        ck_assert_double_gt(level_ahead(&night, near), 45);
        ck_assert_double_gt(level_ahead(&night, middle), 60);
        ck_assert_double_gt(level_ahead(&night, far), 40);
        ck_assert_double_gt(level_ahead(&day, middle), 65);
        ck_assert_double_lt(mean_level(&night), 0.8 * mean_level(&day));
        ck_assert_double_gt(mean_level(&night), 20);
        if (!_i)
            ck_assert_uint_lt(row_of(&night, 0)[WIDTH / 2] >> 8 & 255, 20);
        strike(&day), strike(&night);
    }
}
END_TEST

START_TEST(daylight_changes_slowly)
{
    stage s = set_light(3, false, false, 0);
    double least = 255, most = 0, before = -1;
    for (int frame = 0; frame < 900; frame += 6) {
        fill(&s, 0xc8c8c8);
        vd_weather_light(s.weather, frame / 30.0, &s.image);
        double now = row_of(&s, HEIGHT / 2)[WIDTH / 2] >> 8 & 255;
        ck_assert(before < 0 || fabs(now - before) <= 8);
        least = fmin(least, now);
        most = fmax(most, now);
        before = now;
    }
    ck_assert_double_gt(most - least, 8);
    ck_assert_double_ge(least, 155);
    ck_assert_double_le(most, 200);
    strike(&s);
}
END_TEST

/* Noise and rain go up to white and down to black, never around. */
START_TEST(white_stays_white_and_black_black)
{
    static const uint32_t COLORS[] = {0xffffff, 0x000000};
    for (unsigned seed = 1; seed <= 4; seed++)
        for (int night = 0; night < 2; night++)
            for (int c = 0; c < 2; c++) {
                stage s = set_light(seed, night, seed % 2, 1);
                fill(&s, COLORS[c]);
                if (!night) {
                    vd_weather_light(s.weather, 0, &s.image);
                    for (int i = 0; i < WIDTH * HEIGHT; i++) {
                        uint32_t green = row_of(&s, i / WIDTH)[i % WIDTH] >> 8 & 255;
                        if (c ? green != 0 : green < 120)
                            ck_abort_msg("%u at %d", green, i);
                    }
                }
                for (int y = 0; y < HEIGHT; y += 7) {
                    fill(&s, COLORS[c]);
                    vd_weather_air(s.weather, y, &s.image);
                    const uint8_t *after = (const uint8_t *)row_of(&s, y);
                    for (int i = 0; i < 4 * WIDTH; i++)
                        if (i % 4 != 3 && (c ? after[i] > 160 : after[i] < 80))
                            ck_abort_msg("%u at %d", after[i], i);
                }
                strike(&s);
            }
}
END_TEST

/* Pixels that differ from a flat picture by more than noise does. */
static int streaked(const stage *s, int64_t frame)
{
    fill(s, 0x404040);
    vd_weather_air(s->weather, frame, &s->image);
    int count = 0;
    for (int i = 0; i < WIDTH * HEIGHT; i++)
        count += (row_of(s, i / WIDTH)[i % WIDTH] >> 8 & 255) > 0x40 + 24;
    return count;
}

START_TEST(it_rains_only_when_it_rains)
{
    stage dry = set_light(9, false, false, 0), wet = set_light(9, false, false, 1),
          drizzle = set_light(9, false, false, 0.3);
    ck_assert_int_eq(streaked(&dry, 4), 0);
    ck_assert_int_gt(streaked(&wet, 4), 500);
    ck_assert_int_lt(streaked(&wet, 4), WIDTH * HEIGHT / 20);
    ck_assert_int_lt(streaked(&drizzle, 4), streaked(&wet, 4));
    streaked(&wet, 5);
    uint64_t later = hash_image(&wet);
    streaked(&wet, 4);
    ck_assert_uint_ne(hash_image(&wet), later);
    strike(&dry), strike(&wet), strike(&drizzle);
}
END_TEST

START_TEST(the_sky_fills_all_above_the_horizon)
{
    for (unsigned seed = 1; seed <= 8; seed++) {
        stage s = set_stage(seed, false, -1);
        for (int second = 0; second < 60; second += 7) {
            vd_view view = vd_view_at(&s.layout, &s.options, second);
            fill(&s, MAGENTA);
            ck_assert_int_eq(vd_roadside_paint_sky(s.roadside, &view, second, &s.image), VD_OK);
            for (int y = 0; y <= (int)view.camera.horizon_y; y++)
                for (int x = 0; x < WIDTH; x++)
                    if ((row_of(&s, y)[x] & 0xffffff) == MAGENTA)
                        ck_abort_msg("seed %u: nothing at (%d, %d)", seed, x, y);
            ck_assert_uint_eq(row_of(&s, HEIGHT / 2)[WIDTH / 2] & 0xffffff, MAGENTA);
        }
        strike(&s);
    }
}
END_TEST

START_TEST(nothing_beside_the_road_covers_it)
{
    int painted = 0;
    for (unsigned seed = 1; seed <= 10; seed++) {
        stage s = set_stage(seed, _i, -1);
        for (int second = 0; second < 40; second += _i ? 40 : 3) {
            vd_view view = vd_view_at(&s.layout, &s.options, second);
            fill(&s, MAGENTA);
            paint_roadside(&s, &view);
            for (int y = 0; y < HEIGHT; y++) {
                double step, ahead = vd_camera_ground_x(&view.camera, y + 0.5);
                if (ahead > s.layout.haze_to)
                    continue;
                double d = vd_view_row(&view, ahead, 0.5, &step);
                for (int x = 0; x < WIDTH; x++, d += step) {
                    bool touched = (row_of(&s, y)[x] & 0xffffff) != MAGENTA;
                    painted += touched;
                    if (touched && fabs(d) <= s.layout.half_width)
                        ck_abort_msg("seed %u, second %d: (%d, %d), %.1f m ahead, %.1f m to the left", seed,
                                     second, x, y, ahead, d);
                }
            }
        }
        strike(&s);
    }
    ck_assert_int_gt(painted, 10 * 2000);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("scene_weather");
    TCase *light = tcase_create("light");
    tcase_set_timeout(light, 60);
    tcase_add_loop_test(light, a_moment_looks_the_same_in_any_order, 0, 2);
    tcase_add_loop_test(light, the_night_is_dark_but_the_road_ahead_is_lit, 0, 2);
    tcase_add_test(light, daylight_changes_slowly);
    tcase_add_test(light, white_stays_white_and_black_black);
    tcase_add_test(light, it_rains_only_when_it_rains);
    suite_add_tcase(suite, light);
    TCase *roadside = tcase_create("roadside");
    tcase_set_timeout(roadside, 60);
    tcase_add_test(roadside, the_sky_fills_all_above_the_horizon);
    tcase_add_loop_test(roadside, nothing_beside_the_road_covers_it, 0, 2);
    suite_add_tcase(suite, roadside);
    return suite;
}

TEST_MAIN(make_suite)
