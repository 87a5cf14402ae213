/* The ground of the rendered road: the same from wherever it is come to, smooth in time, and with nothing on
 * it that could be taken for a hazard. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "scene/asphalt.h"
#include "scene/road.h"

typedef struct stage {
    vd_scene_options options;
    vd_layout layout;
    vd_road *road;
    vd_image image;
    size_t bytes;
} stage;

static stage open_stage(unsigned seed, bool from_pole, int width, int height)
{
    stage s = {.options = VD_SCENE_OPTIONS_INIT, .bytes = (size_t)width * (size_t)height * 4};
    s.options.seed = seed;
    s.options.from_pole = from_pole;
    s.options.width = width;
    s.options.height = height;
    s.layout = vd_layout_make(&s.options);
    ck_assert_int_eq(vd_road_new(&s.layout, &s.road), VD_OK);
    s.image = (vd_image){.format = VD_PIXEL_BGRX, .width = width, .height = height, .strides = {4 * width}};
    s.image.planes[0] = calloc(1, s.bytes);
    ck_assert_ptr_nonnull(s.image.planes[0]);
    return s;
}

static void close_stage(stage *s)
{
    free(s->image.planes[0]);
    vd_road_free(&s->road);
    ck_assert_ptr_null(s->road);
}

/* The picture with the camera `along` metres farther than it is at first. To be freed. */
static uint8_t *picture(stage *s, double along)
{
    vd_view view = vd_view_at(&s->layout, &s->options, 0);
    view.s += along;
    memset(s->image.planes[0], 0, s->bytes);
    vd_road_paint(s->road, &view, &s->image);
    uint8_t *copy = malloc(s->bytes);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, s->image.planes[0], s->bytes);
    return copy;
}

START_TEST(a_view_is_the_same_whatever_was_seen_before)
{
    /* Back and forth, also by what makes other strips lie where these did, and behind the road's beginning.
     */
    static const double PLACES[] = {0, 0.23, 36, 85.333, 4, -500, 1e6};
    enum { COUNT = sizeof(PLACES) / sizeof(PLACES[0]) };
    stage s = open_stage(3, _i == 1, 320, 180);
    uint8_t *seen[COUNT];
    for (int i = 0; i < COUNT; i++)
        seen[i] = picture(&s, PLACES[i]);
    for (int i = COUNT - 1; i >= 0; i--) {
        uint8_t *again = picture(&s, PLACES[i]);
        ck_assert_mem_eq(again, seen[i], s.bytes);
        free(again);
    }
    stage fresh = open_stage(3, _i == 1, 320, 180);
    uint8_t *first = picture(&fresh, PLACES[COUNT - 2]);
    ck_assert_mem_eq(first, seen[COUNT - 2], s.bytes);
    free(first);
    close_stage(&fresh);
    for (int i = 1; i < COUNT; i++)
        ck_assert_int_ne(memcmp(seen[i], seen[0], s.bytes), 0);
    for (int i = 0; i < COUNT; i++)
        free(seen[i]);
    close_stage(&s);
}
END_TEST

/* Mean and largest change of a row between two pictures. */
static double change_of_row(const stage *s, const uint8_t *before, const uint8_t *after, int y, int *ret_most)
{
    int bytes = 4 * s->image.width, most = 0;
    double sum = 0;
    for (int i = y * bytes; i < (y + 1) * bytes; i++) {
        int change = abs(before[i] - after[i]);
        sum += change;
        most = change > most ? change : most;
    }
    *ret_most = most;
    return sum / bytes;
}

START_TEST(a_small_step_changes_little)
{
    stage s = open_stage(4 + (unsigned)_i, _i % 2, 640, 360);
    uint8_t *before = picture(&s, 1), *after = picture(&s, 1.002);
    for (int y = 0; y < 360; y++) {
        int most;
        double mean = change_of_row(&s, before, after, y, &most);
        ck_assert_msg(mean < 1.5 && most < 40, "row %d: mean %.2f most %d", y, mean, most);
    }
    free(before);
    free(after);
    close_stage(&s);
}
END_TEST

/* Rows that cover much of the road show the mean of it: a step of a part of that changes hardly anything. */
START_TEST(nothing_flickers_far_away)
{
    stage s = open_stage(4 + (unsigned)_i, false, 640, 360);
    vd_view view = vd_view_at(&s.layout, &s.options, 0);
    uint8_t *before = picture(&s, 1), *after = picture(&s, 1.05);
    int rows = 0;
    for (int y = 0; y < 360; y++) {
        int most;
        double x = vd_camera_ground_x(&view.camera, y + 0.5),
               footprint = x * x / (view.camera.focal * view.camera.pole);
        if (!(x < s.layout.haze_to) || footprint < 0.25)
            continue;
        rows++;
        double mean = change_of_row(&s, before, after, y, &most);
        ck_assert_msg(mean < 0.8, "row %d: mean %.2f most %d", y, mean, most);
    }
    ck_assert_int_gt(rows, 10);
    free(before);
    free(after);
    close_stage(&s);
}
END_TEST

START_TEST(every_row_below_the_horizon_is_painted_and_none_above)
{
    static const int SIZES[][2] = {{64, 64}, {64, 1080}, {3840, 64}, {1279, 719}, {320, 180}};
    stage s = open_stage(5, _i % 2, SIZES[_i][0], SIZES[_i][1]);
    vd_view view = vd_view_at(&s.layout, &s.options, 0);
    uint8_t *pixels = picture(&s, 0);
    for (int y = 0; y < s.image.height; y++)
        for (int x = 0; x < s.image.width; x++)
            ck_assert_int_eq(pixels[4 * (y * s.image.width + x) + 3],
                             y + 0.5 > view.camera.horizon_y ? 255 : 0);
    free(pixels);
    close_stage(&s);
}
END_TEST

START_TEST(no_two_seeds_share_a_ground)
{
    stage a = open_stage(20, true, 320, 180), b = open_stage(21, true, 320, 180);
    vd_road *other = b.road;
    /* The other's texture under this one's light and camera. */
    b.options = a.options;
    b.layout = a.layout;
    uint8_t *one = picture(&a, 0), *two = picture(&b, 0);
    size_t same = 0;
    for (size_t i = 0; i < a.bytes; i++)
        same += i % 4 != 3 && one[i] == two[i];
    ck_assert_double_lt((double)same / (double)a.bytes, 0.25);
    ck_assert_ptr_eq(b.road, other);
    free(one);
    free(two);
    close_stage(&a);
    close_stage(&b);
}
END_TEST

enum {
    BLOCK = 16,
    ACROSS = VD_ASPHALT_COLUMNS / BLOCK,
    ALONG = 100 * (VD_ASPHALT_STRIP / BLOCK),
    REACH = 18
};

/* Mean green of squares of a third of a metre. */
static void measure_blocks(const vd_asphalt *asphalt, double (*blocks)[ACROSS])
{
    uint8_t *strip = malloc((size_t)VD_ASPHALT_STRIP * VD_ASPHALT_COLUMNS * 4);
    ck_assert_ptr_nonnull(strip);
    for (int n = 0; n < ALONG * BLOCK / VD_ASPHALT_STRIP; n++) {
        vd_asphalt_paint(asphalt, n, strip);
        for (int y = 0; y < VD_ASPHALT_STRIP; y++)
            for (int x = 0; x < VD_ASPHALT_COLUMNS; x++)
                blocks[(n * VD_ASPHALT_STRIP + y) / BLOCK][x / BLOCK] +=
                    strip[(y * VD_ASPHALT_COLUMNS + x) * 4 + 1] / (double)(BLOCK * BLOCK);
    }
    free(strip);
}

START_TEST(nothing_on_the_asphalt_looks_like_a_hazard)
{
    vd_scene_options options = VD_SCENE_OPTIONS_INIT;
    options.seed = 30 + (unsigned)_i;
    vd_layout layout = vd_layout_make(&options);
    vd_asphalt *asphalt = NULL;
    ck_assert_int_eq(vd_asphalt_new(&layout, &asphalt), VD_OK);
    double(*blocks)[ACROSS] = calloc(ALONG, sizeof(*blocks));
    ck_assert_ptr_nonnull(blocks);
    measure_blocks(asphalt, blocks);
    /* A place of the bare lanes keeps nearly all of the light that there is within six metres before and
     * behind it. */
    for (int y = REACH; y < ALONG - REACH; y++) {
        for (int x = 0; x < ACROSS; x++) {
            double d = fabs(VD_ASPHALT_HALF_M - (x + 0.5) * BLOCK / VD_ASPHALT_PER_M), around = 0;
            if (d < 0.6 || d > layout.half_width - 1)
                continue;
            for (int k = y - REACH; k <= y + REACH; k++)
                around += blocks[k][x] / (2 * REACH + 1);
            ck_assert_msg(blocks[y][x] > 0.85 * around, "seed %u, s %.1f m: %.1f among %.1f", options.seed,
                          y * (double)BLOCK / VD_ASPHALT_PER_M, blocks[y][x], around);
        }
    }
    free(blocks);
    vd_asphalt_free(&asphalt);
    ck_assert_ptr_null(asphalt);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("scene_road");
    TCase *road = tcase_create("road");
    tcase_set_timeout(road, 60);
    tcase_add_loop_test(road, a_view_is_the_same_whatever_was_seen_before, 0, 2);
    tcase_add_loop_test(road, a_small_step_changes_little, 0, 2);
    tcase_add_loop_test(road, nothing_flickers_far_away, 0, 2);
    tcase_add_loop_test(road, every_row_below_the_horizon_is_painted_and_none_above, 0, 5);
    tcase_add_test(road, no_two_seeds_share_a_ground);
    tcase_add_loop_test(road, nothing_on_the_asphalt_looks_like_a_hazard, 0, 4);
    suite_add_tcase(suite, road);
    return suite;
}

TEST_MAIN(make_suite)
