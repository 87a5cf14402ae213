#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "scene/marks.h"

enum { WIDTH = 1280, HEIGHT = 720, GREY = 128 };

static vd_scene_options options_of(unsigned seed, bool from_pole)
{
    vd_scene_options options = VD_SCENE_OPTIONS_INIT;
    options.seed = seed;
    options.from_pole = from_pole;
    return options;
}

static size_t marks_of(const vd_scene_options *options, double time_s, vd_mark *ret_marks)
{
    vd_layout layout = vd_layout_make(options);
    vd_view view = vd_view_at(&layout, options, time_s);
    return vd_marks_at(&layout, &view, time_s, ret_marks);
}

typedef struct bounds {
    double x1, y1, x2, y2;
} bounds;

static bounds bounds_of_outline(const vd_view *view, const vd_mark *mark)
{
    vd_point points[VD_SHAPE_OUTLINE];
    int count = vd_marks_outline(view, mark, points);
    ck_assert_int_ge(count, 3);
    ck_assert_int_le(count, VD_SHAPE_OUTLINE);
    bounds b = {INFINITY, INFINITY, -INFINITY, -INFINITY};
    for (int i = 0; i < count; i++) {
        b.x1 = fmin(b.x1, points[i].x);
        b.y1 = fmin(b.y1, points[i].y);
        b.x2 = fmax(b.x2, points[i].x);
        b.y2 = fmax(b.y2, points[i].y);
    }
    return b;
}

/* Of the pixels that one mark changed by at least a tenth of the most it changes any. */
static bounds bounds_of_paint(vd_marks *marks, const vd_view *view, const vd_mark *mark,
                              const vd_image *image)
{
    size_t bytes = (size_t)image->strides[0] * HEIGHT;
    memset(image->planes[0], GREY, bytes);
    ck_assert_int_eq(vd_marks_paint(marks, view, mark, 1, image), VD_OK);
    int most = 0;
    for (size_t i = 0; i < bytes; i++)
        most = abs(image->planes[0][i] - GREY) > most ? abs(image->planes[0][i] - GREY) : most;
    ck_assert_int_ge(most, 15);
    bounds b = {INFINITY, INFINITY, -INFINITY, -INFINITY};
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            if (abs(image->planes[0][(size_t)y * WIDTH * 4 + (size_t)x * 4] - GREY) * 10 < most)
                continue;
            b.x1 = fmin(b.x1, x);
            b.y1 = fmin(b.y1, y);
            b.x2 = fmax(b.x2, x + 1);
            b.y2 = fmax(b.y2, y + 1);
        }
    }
    return b;
}

static bool is_whole(bounds b)
{
    return b.x1 > 3 && b.y1 > 3 && b.x2 < WIDTH - 3 && b.y2 < HEIGHT - 3;
}

/* Far away a fine tip of a line is lost between the pixels: how far its box may be too wide. */
static double slack_of(const vd_mark *mark, bounds box)
{
    double side = fmin(box.x2 - box.x1, box.y2 - box.y1);
    if (mark->form != VD_SHAPE_BRANCH)
        return 2;
    return side > 60 ? 2.5 : 4;
}

static int check_boxes(unsigned seed, bool from_pole, const vd_image *image, int *seen)
{
    vd_scene_options options = options_of(seed, from_pole);
    vd_layout layout = vd_layout_make(&options);
    vd_marks *marks = NULL;
    ck_assert_int_eq(vd_marks_new(&layout, &options, &marks), VD_OK);
    int checked = 0;
    for (double time_s = 0; time_s < 12; time_s += 3) {
        vd_view view = vd_view_at(&layout, &options, time_s);
        vd_mark list[VD_MARKS_MOST];
        size_t count = vd_marks_at(&layout, &view, time_s, list);
        for (size_t i = 0; i < count; i++) {
            bounds box = bounds_of_outline(&view, &list[i]);
            if (!is_whole(box) || (list[i].strength < 1 && list[i].kind != VD_SCENE_WET))
                continue;
            list[i].strength = 1;
            bounds paint = bounds_of_paint(marks, &view, &list[i], image);
            double slack = slack_of(&list[i], box);
            bool fits = paint.x1 > box.x1 - 1.5 && paint.y1 > box.y1 - 1.5 && paint.x2 < box.x2 + 1.5 &&
                        paint.y2 < box.y2 + 1.5 && box.x1 > paint.x1 - slack && box.y1 > paint.y1 - slack &&
                        box.x2 < paint.x2 + slack && box.y2 < paint.y2 + slack;
            ck_assert_msg(fits, "seed %u, %s at %g s: painted %.0f %.0f %.0f %.0f, box %.1f %.1f %.1f %.1f",
                          seed, vd_scene_kind_name(list[i].kind), time_s, paint.x1, paint.y1, paint.x2,
                          paint.y2, box.x1, box.y1, box.x2, box.y2);
            seen[list[i].kind]++;
            checked++;
        }
    }
    vd_marks_free(&marks);
    return checked;
}

START_TEST(a_box_encloses_what_is_painted_and_no_more)
{
    vd_image image = {.format = VD_PIXEL_BGRX,
                      .width = WIDTH,
                      .height = HEIGHT,
                      .planes = {malloc((size_t)WIDTH * HEIGHT * 4)},
                      .strides = {WIDTH * 4}};
    ck_assert_ptr_nonnull(image.planes[0]);
    int seen[VD_SCENE_KINDS] = {0};
    for (unsigned seed = 1; seed <= 12; seed++)
        ck_assert_int_gt(check_boxes(seed, false, &image, seen) + check_boxes(seed, true, &image, seen), 0);
    for (int kind = 0; kind < VD_SCENE_KINDS; kind++)
        ck_assert_msg(seen[kind] >= 3, "%d of %s", seen[kind], vd_scene_kind_name(kind));
    free(image.planes[0]);
}
END_TEST

START_TEST(no_mark_touches_another_at_any_time)
{
    for (unsigned seed = 1; seed <= 20; seed++) {
        vd_scene_options options = options_of(seed, seed % 3 == 0);
        options.hazards = seed % 2 ? 12 : 30;
        for (double time_s = 0; time_s < 90; time_s += 0.7) {
            vd_mark list[VD_MARKS_MOST];
            size_t count = marks_of(&options, time_s, list);
            for (size_t i = 0; i < count; i++) {
                for (size_t j = 0; j < i; j++) {
                    double gap_s = fabs(list[i].s - list[j].s) - (list[i].length + list[j].length) / 2,
                           gap_d = fabs(list[i].d - list[j].d) - (list[i].width + list[j].width) / 2;
                    ck_assert_msg(fmax(gap_s, gap_d) > 0.29, "seed %u at %g s: %g and %g m", seed, time_s,
                                  gap_s, gap_d);
                }
            }
        }
    }
}
END_TEST

static const vd_mark *find(const vd_mark *list, size_t count, int track_id)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].track_id == track_id)
            return &list[i];
    }
    return NULL;
}

START_TEST(shadows_slide_and_nothing_else_does)
{
    int slid = 0, lay = 0;
    for (unsigned seed = 1; seed <= 40; seed++) {
        vd_scene_options options = options_of(seed, seed % 2);
        vd_layout layout = vd_layout_make(&options);
        vd_mark before[VD_MARKS_MOST], after[VD_MARKS_MOST];
        size_t count = marks_of(&options, 10, before), then = marks_of(&options, 10.2, after);
        for (size_t i = 0; i < count; i++) {
            const vd_mark *mark = find(after, then, before[i].track_id);
            if (!mark)
                continue;
            ck_assert(mark->kind == before[i].kind && mark->key == before[i].key);
            ck_assert_double_eq(mark->d, before[i].d);
            double speed = (mark->s - before[i].s) / 0.2;
            if (mark->kind != VD_SCENE_SHADOW) {
                ck_assert_double_eq(speed, 0);
                lay++;
                continue;
            }
            ck_assert_double_ge(fabs(speed), 1.499);
            ck_assert_double_le(fabs(speed), 6.001);
            /* Not at the camera's own pace: it would seem to lie still. */
            ck_assert_double_ge(fabs(speed - layout.speed), 1.49);
            slid++;
        }
    }
    ck_assert_int_gt(slid, 20);
    ck_assert_int_gt(lay, 60);
}
END_TEST

START_TEST(a_wet_patch_is_strong_most_of_the_time_and_drops_in_every_clip)
{
    int patches = 0;
    for (unsigned seed = 1; seed <= 20; seed++) {
        vd_scene_options options = options_of(seed, true);
        vd_mark list[VD_MARKS_MOST];
        size_t count = marks_of(&options, 0, list);
        for (size_t i = 0; i < count; i++) {
            if (list[i].kind != VD_SCENE_WET)
                continue;
            double most = 0, highest_low = 0, low = 1;
            int strong = 0, steps = 0;
            for (double time_s = 0; time_s < 16; time_s += 0.02, steps++) {
                vd_mark now[VD_MARKS_MOST];
                const vd_mark *mark = find(now, marks_of(&options, time_s, now), list[i].track_id);
                double strength = mark ? mark->strength : 0;
                most = fmax(most, strength);
                low = fmin(low, strength);
                strong += strength > 0.6;
                if (steps % 80 == 79) { /* 1.6 s */
                    highest_low = fmax(highest_low, low);
                    low = 1;
                }
            }
            if (most < 1) /* a small one, far away */
                continue;
            ck_assert_double_le(highest_low, 0.12);
            ck_assert_msg(strong * 100 >= 60 * steps, "strong in %d of %d steps", strong, steps);
            patches++;
        }
    }
    ck_assert_int_gt(patches, 5);
}
END_TEST

static int compare_keys(const void *a, const void *b)
{
    uint64_t p = *(const uint64_t *)a, q = *(const uint64_t *)b;
    return (p > q) - (p < q);
}

/* Drives over `length` metres, `step` at a time, and counts each mark once; its keys go to `ret_keys`. */
static size_t drive(const vd_scene_options *options, double length, int *ret_kinds, uint64_t *ret_keys,
                    size_t room)
{
    vd_layout layout = vd_layout_make(options);
    vd_view view = vd_view_at(&layout, options, 0);
    double start = view.s;
    size_t keys = 0;
    for (double s = 0; s < length; s += 4) {
        vd_mark list[VD_MARKS_MOST];
        view.s = start + s;
        size_t count = vd_marks_at(&layout, &view, 0, list);
        for (size_t i = 0; i < count; i++) {
            bool known = false;
            for (size_t k = 0; k < keys && !known; k++)
                known = ret_keys[k] == list[i].key;
            if (known)
                continue;
            ck_assert_uint_lt(keys, room);
            ret_keys[keys++] = list[i].key;
            ret_kinds[list[i].kind]++;
        }
    }
    return keys;
}

START_TEST(no_shape_is_shared_by_two_seeds)
{
    enum { ROOM = 4000 };
    uint64_t *keys = calloc(ROOM, sizeof(*keys));
    ck_assert_ptr_nonnull(keys);
    size_t count = 0;
    for (unsigned seed = 1; seed <= 30; seed++) {
        vd_scene_options options = options_of(seed, false);
        int kinds[VD_SCENE_KINDS] = {0};
        count += drive(&options, 200, kinds, keys + count, ROOM - count);
    }
    ck_assert_uint_gt(count, 1000);
    qsort(keys, count, sizeof(*keys), compare_keys);
    for (size_t i = 1; i < count; i++)
        ck_assert(keys[i] != keys[i - 1]);
    free(keys);
}
END_TEST

START_TEST(there_are_as_many_hazards_as_asked_for_and_more_decoys)
{
    static uint64_t keys[1500];
    static const int ASKED[] = {0, 3, 12, 30};
    for (size_t i = 0; i < sizeof(ASKED) / sizeof(ASKED[0]); i++) {
        vd_scene_options options = options_of(5 + (unsigned)i, false);
        options.hazards = ASKED[i];
        int k[VD_SCENE_KINDS] = {0};
        drive(&options, 2000, k, keys, 1500);
        int hazards = k[VD_SCENE_CRACK] + k[VD_SCENE_POTHOLE], alike = k[VD_SCENE_SHADOW] + k[VD_SCENE_WET],
            decoys = alike + k[VD_SCENE_MANHOLE] + k[VD_SCENE_SEAM];
        ck_assert_int_ge(hazards, ASKED[i] * 20 * 85 / 100);
        ck_assert_int_le(hazards, ASKED[i] * 20 * 115 / 100);
        ck_assert_int_ge(decoys, hazards);
        ck_assert_int_le(alike, hazards);
        ck_assert_int_le(abs(k[VD_SCENE_CRACK] - k[VD_SCENE_POTHOLE]), hazards / 5);
    }
}
END_TEST

START_TEST(a_mark_grows_as_it_comes_near)
{
    vd_scene_options options = options_of(3, false);
    vd_layout layout = vd_layout_make(&options);
    int grew = 0;
    for (double time_s = 0; time_s < 20; time_s += 0.1) {
        vd_view view = vd_view_at(&layout, &options, time_s);
        vd_mark list[VD_MARKS_MOST];
        size_t count = vd_marks_at(&layout, &view, time_s, list);
        for (size_t i = 0; i < count; i++) {
            if (i > 0)
                ck_assert_double_ge(list[i - 1].s, list[i].s);
            bounds box = bounds_of_outline(&view, &list[i]);
            double side = fmin(box.x2 - box.x1, box.y2 - box.y1);
            ck_assert_double_ge(side, 11.5);
            if (side > 16.6 && list[i].kind != VD_SCENE_WET)
                ck_assert_double_eq(list[i].strength, 1);
            grew += list[i].strength > 0 && list[i].strength < 1;
        }
    }
    ck_assert_int_gt(grew, 10);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("scene_marks");
    TCase *tests = tcase_create("marks");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_box_encloses_what_is_painted_and_no_more);
    tcase_add_test(tests, no_mark_touches_another_at_any_time);
    tcase_add_test(tests, shadows_slide_and_nothing_else_does);
    tcase_add_test(tests, a_wet_patch_is_strong_most_of_the_time_and_drops_in_every_clip);
    tcase_add_test(tests, no_shape_is_shared_by_two_seeds);
    tcase_add_test(tests, there_are_as_many_hazards_as_asked_for_and_more_decoys);
    tcase_add_test(tests, a_mark_grows_as_it_comes_near);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
