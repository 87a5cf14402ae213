/* The scene as a whole: its pictures, its speed and its truth. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "scene/marks.h"
#include "scene_case.h"

enum { MOST = VD_SCENE_OBJECTS_MOST };

static uint64_t hash_frame(vd_scene *scene, int64_t index, const vd_image *image)
{
    ck_assert_int_eq(vd_scene_render(scene, index, image), VD_OK);
    return hash_image(image);
}

/* By day and by night, from both places, with and without rain. */
static const char *const LOOKS[] = {"seed=7", "seed=7,view=pole", "seed=8,night=1",
                                    "seed=9,night=1,view=pole"};

START_TEST(a_frame_is_the_same_in_any_order_and_in_any_scene_of_its_seed)
{
    static const int64_t FORTH[] = {0, 1, 2, 50, 1000, 100000}, BACK[] = {100000, 50, 2, 0, 1000, 1};
    enum { COUNT = 6 };
    char text[64];
    snprintf(text, sizeof(text), "size=320x180,%s", LOOKS[_i]);
    vd_scene *a = make_scene(text), *b = make_scene(text);
    vd_image image = make_image(320, 180);
    uint64_t forth[COUNT], back[COUNT];
    for (int i = 0; i < COUNT; i++)
        forth[i] = hash_frame(a, FORTH[i], &image);
    memset(image.planes[0], 0x5a, (size_t)image.strides[0] * 180);
    for (int i = 0; i < COUNT; i++)
        back[i] = hash_frame(b, BACK[i], &image);
    for (int i = 0; i < COUNT; i++) {
        for (int j = 0; j < COUNT; j++)
            ck_assert_msg((FORTH[i] == BACK[j]) == (forth[i] == back[j]), "%s: frames %d and %d", LOOKS[_i],
                          (int)FORTH[i], (int)BACK[j]);
    }
    vd_scene_free(&a);
    vd_scene_free(&b);
    ck_assert_ptr_null(a);
    free(image.planes[0]);
}
END_TEST

/* The mean difference of two pictures in levels of 255. */
static double difference(const vd_image *a, const vd_image *b)
{
    double sum = 0;
    for (int y = 0; y < a->height; y++) {
        for (int x = 0; x < a->width; x++) {
            const uint8_t *p = a->planes[0] + (size_t)y * (size_t)a->strides[0] + 4 * (size_t)x;
            const uint8_t *q = b->planes[0] + (size_t)y * (size_t)b->strides[0] + 4 * (size_t)x;
            sum += abs(p[0] - q[0]) + abs(p[1] - q[1]) + abs(p[2] - q[2]);
        }
    }
    return sum / 3 / a->width / a->height;
}

START_TEST(seeds_give_different_scenes_and_frames_of_one_are_alike)
{
    vd_scene *a = make_scene("size=640x360,seed=1"), *b = make_scene("size=640x360,seed=2");
    vd_image p = make_image(640, 360), q = make_image(640, 360), r = make_image(640, 360);
    ck_assert_int_eq(vd_scene_render(a, 100, &p), VD_OK);
    ck_assert_int_eq(vd_scene_render(a, 101, &q), VD_OK);
    ck_assert_int_eq(vd_scene_render(b, 100, &r), VD_OK);
    double frames = difference(&p, &q), seeds = difference(&p, &r);
    printf("two frames differ by %.2f, two seeds by %.2f\n", frames, seeds);
    ck_assert_double_gt(frames, 0.2);
    ck_assert_double_gt(seeds, 8);
    ck_assert_double_gt(seeds, 1.5 * frames);
    vd_scene_free(&a);
    vd_scene_free(&b);
    free(p.planes[0]);
    free(q.planes[0]);
    free(r.planes[0]);
}
END_TEST

static double brightness(const vd_image *image)
{
    double sum = 0;
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < 4 * image->width; x++)
            sum += x % 4 == 3 ? 0 : image->planes[0][(size_t)y * (size_t)image->strides[0] + (size_t)x];
    return sum / 3 / image->width / image->height;
}

START_TEST(the_night_is_darker_and_has_the_same_truth)
{
    static const char *const VIEWS[] = {"vehicle", "pole"};
    char text[64];
    vd_image image = make_image(640, 360);
    double light[2];
    size_t counts[2];
    for (int night = 0; night < 2; night++) {
        vd_scene_object objects[MOST];
        snprintf(text, sizeof(text), "size=640x360,seed=5,view=%s,night=%d", VIEWS[_i], night);
        vd_scene *scene = make_scene(text);
        ck_assert_int_eq(vd_scene_render(scene, 30, &image), VD_OK);
        light[night] = brightness(&image);
        counts[night] = vd_scene_truth(scene, 30, objects, MOST);
        vd_scene_free(&scene);
    }
    printf("%s: brightness %.0f by day, %.0f by night\n", VIEWS[_i], light[0], light[1]);
    ck_assert_double_lt(light[1], 0.8 * light[0]);
    ck_assert_double_gt(light[1], 8);
    ck_assert_uint_eq(counts[0], counts[1]);
    free(image.planes[0]);
}
END_TEST

START_TEST(what_cannot_be_rendered_is_refused)
{
    vd_scene *scene = make_scene("size=320x180");
    vd_image image = make_image(320, 180), other = image;
    /* What is before the first frame and after the last. */
    static const int64_t NEVER[] = {-1, INT64_MIN, 30000000001, INT64_C(1) << 53, INT64_MAX};
    for (size_t i = 0; i < sizeof(NEVER) / sizeof(NEVER[0]); i++) {
        vd_scene_object objects[MOST];
        ck_assert_int_eq(vd_scene_render(scene, NEVER[i], &image), VD_EINVAL);
        ck_assert_uint_eq(vd_scene_truth(scene, NEVER[i], objects, MOST), 0);
    }
    other.width = 300;
    ck_assert_int_eq(vd_scene_render(scene, 0, &other), VD_EINVAL);
    other = image;
    other.format = VD_PIXEL_GREY;
    ck_assert_int_eq(vd_scene_render(scene, 0, &other), VD_EINVAL);
    other = image;
    other.strides[0] += 2;
    ck_assert_int_eq(vd_scene_render(scene, 0, &other), VD_EINVAL);
    vd_scene_free(&scene);
    vd_scene_free(&scene);
    free(image.planes[0]);
}
END_TEST

/* Thirty years on. */
START_TEST(the_last_frame_is_as_good_as_the_first)
{
    static const int64_t LAST = 30000000000;
    char text[64];
    snprintf(text, sizeof(text), "size=320x180,hazards=30,%s", LOOKS[3 * _i]);
    vd_scene *scene = make_scene(text);
    vd_image image = make_image(320, 180);
    size_t listed = 0;
    for (int64_t index = LAST - 180; index <= LAST; index += 60) {
        vd_scene_object objects[MOST];
        uint64_t hash = hash_frame(scene, index, &image);
        ck_assert_uint_ne(hash_frame(scene, index - 1, &image), hash);
        ck_assert_uint_eq(hash_frame(scene, index, &image), hash);
        listed += vd_scene_truth(scene, index, objects, MOST);
    }
    ck_assert_uint_gt(listed, 0);
    vd_scene_free(&scene);
    free(image.planes[0]);
}
END_TEST

START_TEST(every_size_that_is_allowed_can_be_rendered)
{
    enum { LARGE = 1 << 20 };
    static const int SIZES[][2] = {{64, 64},   {65, 127},  {720, 128}, {128, 720},  {1001, 333},
                                   {480, 640}, {3840, 64}, {64, 3840}, {3840, 2160}};
    char text[64];
    snprintf(text, sizeof(text), "size=%dx%d,view=%s", SIZES[_i][0], SIZES[_i][1],
             _i % 2 ? "pole" : "vehicle");
    vd_scene *scene = make_scene(text);
    vd_image image = make_image(SIZES[_i][0], SIZES[_i][1]);
    vd_scene_object objects[MOST];
    int frames = image.width * image.height > LARGE ? 1 : 3;
    for (int frame = 0; frame < 60 * frames; frame += 60) {
        ck_assert_int_eq(vd_scene_render(scene, frame, &image), VD_OK);
        size_t count = vd_scene_truth(scene, frame, objects, MOST);
        for (size_t i = 0; i < count; i++)
            ck_assert_msg(objects[i].box.x2 <= (float)image.width && objects[i].box.y2 <= (float)image.height,
                          "%s: a box leaves the picture", text);
    }
    vd_scene_free(&scene);
    free(image.planes[0]);
}
END_TEST

/* --- Speed */

/* Of this thread alone, so that what else the machine does is left out. */
static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

START_TEST(sixty_frames_of_720_lines_take_a_core_less_than_a_second)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    enum { TURNS = 10 }; /* the time says nothing */
#else
    enum { TURNS = 120 };
#endif
    double start_s = cpu_seconds();
    vd_scene *scene = make_scene(LOOKS[_i]);
    double made_s = cpu_seconds() - start_s;
    vd_image image = make_image(1280, 720);
    ck_assert_int_eq(vd_scene_render(scene, 0, &image), VD_OK);
    double first_s = cpu_seconds() - start_s - made_s;
    start_s = cpu_seconds();
    for (int i = 1; i <= TURNS; i++)
        ck_assert_int_eq(vd_scene_render(scene, i, &image), VD_OK);
    double frame_s = (cpu_seconds() - start_s) / TURNS;
    printf("%s, 1280 × 720: scene made in %.0f ms, first frame in %.0f ms, then %.2f ms a frame\n", LOOKS[_i],
           1e3 * made_s, 1e3 * first_s, 1e3 * frame_s);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    ck_assert_double_lt(frame_s, 1.0 / 60);
#endif
    vd_scene_free(&scene);
    free(image.planes[0]);
}
END_TEST

/* --- The truth */

static const vd_scene_object *find_object(const vd_scene_object *objects, size_t count, int id)
{
    for (size_t i = 0; i < count; i++) {
        if (objects[i].track_id == id)
            return &objects[i];
    }
    return NULL;
}

static bool touches_border(const vd_box *b)
{
    return b->x1 <= 0 || b->y1 <= 0 || b->x2 >= 1280 || b->y2 >= 720;
}

static void check_box(const vd_scene_object *object, int frame)
{
    const vd_box *b = &object->box;
    ck_assert_msg(b->x1 >= 0 && b->y1 >= 0 && b->x2 <= 1280 && b->y2 <= 720,
                  "frame %d: a box leaves the picture", frame);
    ck_assert_msg(b->x2 - b->x1 >= 4 && b->y2 - b->y1 >= 4, "frame %d: a box of %.1f × %.1f", frame,
                  (double)(b->x2 - b->x1), (double)(b->y2 - b->y1));
    if (!touches_border(b) && object->kind != VD_SCENE_SEAM)
        ck_assert_msg(fminf(b->x2 - b->x1, b->y2 - b->y1) >= 8, "frame %d: a %s of %.1f × %.1f", frame,
                      vd_scene_kind_name(object->kind), (double)(b->x2 - b->x1), (double)(b->y2 - b->y1));
    ck_assert_int_gt(object->track_id, 0);
    ck_assert_uint_lt((unsigned)object->kind, VD_SCENE_KINDS);
}

/* A box of one object from one frame to the next: the same kind, no jump, no sudden change of size while it
 * is away from the borders. */
static void check_step(const vd_scene_object *before, const vd_scene_object *now, int frame)
{
    const vd_box *a = &before->box, *b = &now->box;
    ck_assert_int_eq(before->kind, now->kind);
    if (touches_border(a) || touches_border(b))
        return;
    double x = fabs((double)(a->x1 + a->x2 - b->x1 - b->x2)) / 2;
    double y = fabs((double)(a->y1 + a->y2 - b->y1 - b->y2)) / 2;
    double growth = (double)((b->x2 - b->x1) / (a->x2 - a->x1));
    ck_assert_msg(x < 60 && y < 60, "frame %d: %s %d jumps by %.1f, %.1f pixels", frame,
                  vd_scene_kind_name(now->kind), now->track_id, x, y);
    ck_assert_msg(growth > 0.85 && growth < 1.18, "frame %d: %s %d grows by %.2f", frame,
                  vd_scene_kind_name(now->kind), now->track_id, growth);
}

START_TEST(the_truth_lies_in_the_picture_and_moves_smoothly)
{
    static const char *const SEEDS[] = {"seed=1", "seed=2,view=pole", "seed=3,night=1", "seed=99,hazards=30"};
    vd_scene *scene = make_scene(SEEDS[_i]);
    vd_scene_object before[MOST], now[MOST];
    size_t before_count = 0, hazards = 0, decoys = 0, kept = 0;
    for (int frame = 0; frame < 600; frame++) {
        size_t count = vd_scene_truth(scene, frame, now, MOST);
        for (size_t i = 0; i < count; i++) {
            check_box(&now[i], frame);
            ck_assert_ptr_eq(find_object(now, count, now[i].track_id), &now[i]);
            *(now[i].kind < VD_SCENE_SHADOW ? &hazards : &decoys) += 1;
            const vd_scene_object *same = find_object(before, before_count, now[i].track_id);
            kept += same != NULL;
            if (same)
                check_step(same, &now[i], frame);
        }
        memcpy(before, now, sizeof(now));
        before_count = count;
    }
    printf("%s: %zu boxes of hazards, %zu of decoys in 600 frames\n", SEEDS[_i], hazards, decoys);
    ck_assert_uint_gt(hazards, 600);
    ck_assert_uint_gt(decoys, 300);
    ck_assert_uint_gt(kept, (hazards + decoys) * 9 / 10);
    ck_assert_uint_le(vd_scene_truth(scene, 0, now, 1), 1);
    vd_scene_free(&scene);
}
END_TEST

START_TEST(hazards_are_as_many_as_asked_for)
{
    static const int ASKED[] = {0, 3, 12, 30};
    size_t seen[4] = {0}, decoys[4] = {0};
    for (int i = 0; i < 4; i++) {
        for (int seed = 1; seed <= 2; seed++) {
            char text[64];
            snprintf(text, sizeof(text), "size=320x180,seed=%d,hazards=%d", seed, ASKED[i]);
            vd_scene *scene = make_scene(text);
            for (int frame = 0; frame < 900; frame += 15) {
                vd_scene_object objects[MOST];
                size_t count = vd_scene_truth(scene, frame, objects, MOST);
                for (size_t o = 0; o < count; o++)
                    *(objects[o].kind < VD_SCENE_SHADOW ? &seen[i] : &decoys[i]) += 1;
            }
            vd_scene_free(&scene);
        }
    }
    printf(
        "boxes of hazards (decoys) for 0, 3, 12, 30 on 100 m: %zu (%zu), %zu (%zu), %zu (%zu), %zu (%zu)\n",
        seen[0], decoys[0], seen[1], decoys[1], seen[2], decoys[2], seen[3], decoys[3]);
    ck_assert_uint_eq(seen[0], 0);
    ck_assert_uint_gt(seen[1], 0);
    ck_assert_uint_gt(seen[2], 2 * seen[1]);
    ck_assert_uint_gt(seen[3], 3 * seen[2] / 2);
}
END_TEST

/* --- What is painted against what is said */

typedef struct world {
    vd_scene_options options;
    vd_layout layout;
    vd_marks *marks;
} world;

static world make_world(const char *text)
{
    world w = {.options = VD_SCENE_OPTIONS_INIT};
    ck_assert_int_eq(vd_scene_parse(text, &w.options, NULL), VD_OK);
    w.layout = vd_layout_make(&w.options);
    ck_assert_int_eq(vd_marks_new(&w.layout, &w.options, &w.marks), VD_OK);
    return w;
}

static size_t marks_of(const world *w, double time_s, vd_view *ret_view, vd_mark *ret_marks)
{
    *ret_view = vd_view_at(&w->layout, &w->options, time_s);
    return vd_marks_at(&w->layout, ret_view, time_s, ret_marks);
}

static vd_box outline_box(const vd_view *view, const vd_mark *mark)
{
    vd_point outline[VD_SHAPE_OUTLINE];
    vd_box box = {INFINITY, INFINITY, -INFINITY, -INFINITY};
    int count = vd_marks_outline(view, mark, outline);
    ck_assert_int_ge(count, 3);
    for (int i = 0; i < count; i++) {
        box.x1 = fminf(box.x1, (float)outline[i].x);
        box.y1 = fminf(box.y1, (float)outline[i].y);
        box.x2 = fmaxf(box.x2, (float)outline[i].x);
        box.y2 = fmaxf(box.y2, (float)outline[i].y);
    }
    return box;
}

static bool is_near_mark(const vd_box *boxes, size_t count, int x, int y)
{
    for (size_t i = 0; i < count; i++) {
        if ((float)x >= boxes[i].x1 - 3 && (float)x <= boxes[i].x2 + 3 && (float)y >= boxes[i].y1 - 3 &&
            (float)y <= boxes[i].y2 + 3)
            return true;
    }
    return false;
}

/* How many pixels differ near marks and elsewhere. */
static void count_changes(const vd_image *with, const vd_image *without, const vd_box *boxes, size_t count,
                          int *ret_near, int *ret_elsewhere)
{
    *ret_near = *ret_elsewhere = 0;
    for (int y = 0; y < with->height; y++) {
        const uint8_t *p = with->planes[0] + (size_t)y * (size_t)with->strides[0];
        const uint8_t *q = without->planes[0] + (size_t)y * (size_t)without->strides[0];
        for (int x = 0; x < with->width; x++) {
            bool same = memcmp(p + 4 * x, q + 4 * x, 3) == 0;
            if (!same)
                *(is_near_mark(boxes, count, x, y) ? ret_near : ret_elsewhere) += 1;
        }
    }
}

/* The same road with marks and without: nothing but marks differs, and those that the truth lists do. */
START_TEST(a_road_without_hazards_differs_only_where_marks_are)
{
    char text[64];
    vd_image with = make_image(640, 360), without = make_image(640, 360);
    snprintf(text, sizeof(text), "size=640x360,%s,hazards=12", LOOKS[3 * _i]);
    world w = make_world(text);
    vd_scene *full = make_scene(text);
    snprintf(text, sizeof(text), "size=640x360,%s,hazards=0", LOOKS[3 * _i]);
    vd_scene *bare = make_scene(text);
    size_t listed = 0;
    for (int frame = 0; frame < 300; frame += 60) {
        vd_view view;
        vd_mark marks[VD_MARKS_MOST];
        vd_box boxes[VD_MARKS_MOST];
        int near, elsewhere;
        size_t count = marks_of(&w, frame / 30.0, &view, marks);
        for (size_t i = 0; i < count; i++)
            boxes[i] = outline_box(&view, &marks[i]);
        ck_assert_int_eq(vd_scene_render(full, frame, &with), VD_OK);
        ck_assert_int_eq(vd_scene_render(bare, frame, &without), VD_OK);
        count_changes(&with, &without, boxes, count, &near, &elsewhere);
        vd_scene_object objects[MOST];
        size_t known = vd_scene_truth(full, frame, objects, MOST);
        ck_assert_msg(elsewhere == 0, "%s, frame %d: %d pixels differ where no mark is", LOOKS[3 * _i], frame,
                      elsewhere);
        for (size_t i = 0; i < known; i++) {
            count_changes(&with, &without, &objects[i].box, 1, &near, &elsewhere);
            ck_assert_msg(near > 20, "%s, frame %d: a %s cannot be seen", LOOKS[3 * _i], frame,
                          vd_scene_kind_name(objects[i].kind));
        }
        listed += known;
    }
    ck_assert_uint_ge(listed, 5);
    vd_scene_free(&full);
    vd_scene_free(&bare);
    vd_marks_free(&w.marks);
    free(with.planes[0]);
    free(without.planes[0]);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("scene");
    TCase *pictures = tcase_create("pictures");
    tcase_set_timeout(pictures, 60);
    tcase_add_loop_test(pictures, a_frame_is_the_same_in_any_order_and_in_any_scene_of_its_seed, 0, 4);
    tcase_add_test(pictures, seeds_give_different_scenes_and_frames_of_one_are_alike);
    tcase_add_loop_test(pictures, the_night_is_darker_and_has_the_same_truth, 0, 2);
    tcase_add_test(pictures, what_cannot_be_rendered_is_refused);
    tcase_add_loop_test(pictures, the_last_frame_is_as_good_as_the_first, 0, 2);
    tcase_add_loop_test(pictures, every_size_that_is_allowed_can_be_rendered, 0, 9);
    tcase_add_loop_test(pictures, sixty_frames_of_720_lines_take_a_core_less_than_a_second, 0, 4);
    suite_add_tcase(suite, pictures);
    TCase *truth = tcase_create("truth");
    tcase_set_timeout(truth, 60);
    tcase_add_loop_test(truth, the_truth_lies_in_the_picture_and_moves_smoothly, 0, 4);
    tcase_add_test(truth, hazards_are_as_many_as_asked_for);
    tcase_add_loop_test(truth, a_road_without_hazards_differs_only_where_marks_are, 0, 2);
    suite_add_tcase(suite, truth);
    return suite;
}

TEST_MAIN(make_suite)
