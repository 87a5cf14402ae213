#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "check_main.h"
#include "frame/frame.h"
#include "scene/marks.h"
#include "scene/scene.h"
#include "vedette/source.h"

enum { MOST = VD_SCENE_OBJECTS_MOST };

static vd_scene *make_scene(const char *text)
{
    vd_scene_options options = VD_SCENE_OPTIONS_INIT;
    vd_scene *scene = NULL;
    vd_error error = {0};
    ck_assert_msg(vd_scene_parse(text, &options, &error) == VD_OK, "%s", error.text);
    ck_assert_msg(vd_scene_new(&options, &scene, &error) == VD_OK, "%s", error.text);
    return scene;
}

static vd_image make_image(int width, int height)
{
    int stride = 4 * width + 32;
    uint8_t *memory = calloc((size_t)height, (size_t)stride);
    ck_assert_ptr_nonnull(memory);
    return (vd_image){
        .format = VD_PIXEL_BGRX, .width = width, .height = height, .planes = {memory}, .strides = {stride}};
}

static uint64_t hash_image(const vd_image *image)
{
    uint64_t hash = UINT64_C(1469598103934665603);
    for (int y = 0; y < image->height; y++) {
        const uint8_t *row = image->planes[0] + (size_t)y * (size_t)image->strides[0];
        for (int x = 0; x < 4 * image->width; x++)
            hash = (hash ^ (x % 4 == 3 ? 0 : row[x])) * UINT64_C(1099511628211);
    }
    return hash;
}

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
    ck_assert_int_eq(vd_scene_render(scene, -1, &image), VD_EINVAL);
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

START_TEST(every_size_that_is_allowed_can_be_rendered)
{
    static const int SIZES[][2] = {{64, 64}, {65, 127}, {720, 128}, {128, 720}, {1001, 333}, {480, 640}};
    char text[64];
    snprintf(text, sizeof(text), "size=%dx%d,view=%s", SIZES[_i / 2][0], SIZES[_i / 2][1],
             _i % 2 ? "pole" : "vehicle");
    vd_scene *scene = make_scene(text);
    vd_image image = make_image(SIZES[_i / 2][0], SIZES[_i / 2][1]);
    vd_scene_object objects[MOST];
    for (int frame = 0; frame < 600; frame += 60) {
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
    enum { TURNS = 120 };
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
    for (int frame = 0; frame < 900; frame++) {
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
    printf("%s: %zu boxes of hazards, %zu of decoys in 900 frames\n", SEEDS[_i], hazards, decoys);
    ck_assert_uint_gt(hazards, 900);
    ck_assert_uint_gt(decoys, 450);
    ck_assert_uint_gt(kept, (hazards + decoys) * 9 / 10);
    ck_assert_uint_eq(vd_scene_truth(scene, -1, now, MOST), 0);
    ck_assert_uint_le(vd_scene_truth(scene, 0, now, 1), 1);
    vd_scene_free(&scene);
}
END_TEST

START_TEST(hazards_are_as_many_as_asked_for)
{
    static const int ASKED[] = {0, 3, 12, 30};
    size_t seen[4] = {0}, decoys[4] = {0};
    for (int i = 0; i < 4; i++) {
        for (int seed = 1; seed <= 8; seed++) {
            char text[64];
            snprintf(text, sizeof(text), "seed=%d,hazards=%d", seed, ASKED[i]);
            vd_scene *scene = make_scene(text);
            for (int frame = 0; frame < 900; frame += 45) {
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

/* The smallest box around what a mark alone changes on an even grey. */
static vd_box painted_box(world *w, const vd_view *view, const vd_mark *mark, vd_image *image)
{
    enum { GREY = 200, NOTICED = 4 };
    vd_box box = {INFINITY, INFINITY, -INFINITY, -INFINITY};
    memset(image->planes[0], GREY, (size_t)image->strides[0] * (size_t)image->height);
    ck_assert_int_eq(vd_marks_paint(w->marks, view, mark, 1, image), VD_OK);
    for (int y = 0; y < image->height; y++) {
        const uint8_t *row = image->planes[0] + (size_t)y * (size_t)image->strides[0];
        for (int x = 0; x < image->width; x++) {
            if (abs(row[4 * x + 1] - GREY) < NOTICED)
                continue;
            box.x1 = fminf(box.x1, (float)x);
            box.y1 = fminf(box.y1, (float)y);
            box.x2 = fmaxf(box.x2, (float)x + 1);
            box.y2 = fmaxf(box.y2, (float)y + 1);
        }
    }
    return box;
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

static double overlap(const vd_box *a, const vd_box *b)
{
    double width = fmin(a->x2, b->x2) - fmax(a->x1, b->x1), height = fmin(a->y2, b->y2) - fmax(a->y1, b->y1);
    double both = fmax(width, 0) * fmax(height, 0);
    double areas = (double)((a->x2 - a->x1) * (a->y2 - a->y1)) + (double)((b->x2 - b->x1) * (b->y2 - b->y1));
    return both / (areas - both);
}

/* Each mark alone: the box of the truth is that of the pixels which it changes. */
START_TEST(boxes_end_where_the_paint_ends)
{
    static const char *const SEEDS[] = {"seed=1", "seed=2,view=pole,hazards=30", "seed=3,hazards=30",
                                        "seed=4,view=pole,hazards=30"};
    world w = make_world(SEEDS[_i]);
    vd_image image = make_image(1280, 720);
    int checked = 0, kinds[VD_SCENE_KINDS] = {0};
    double worst = 1, sum = 0;
    for (int second = 0; second < 40; second += 4) {
        vd_view view;
        vd_mark marks[VD_MARKS_MOST];
        size_t count = marks_of(&w, second, &view, marks);
        for (size_t i = 0; i < count; i++) {
            vd_box said = outline_box(&view, &marks[i]);
            if (marks[i].strength < 0.9 || touches_border(&said))
                continue;
            vd_box painted = painted_box(&w, &view, &marks[i], &image);
            double iou = overlap(&said, &painted);
            worst = fmin(worst, iou);
            sum += iou;
            checked++;
            kinds[marks[i].kind]++;
            ck_assert_msg(iou > 0.6, "%s, %d s: %s said (%.1f %.1f %.1f %.1f), painted (%.0f %.0f %.0f %.0f)",
                          SEEDS[_i], second, vd_scene_kind_name(marks[i].kind), (double)said.x1,
                          (double)said.y1, (double)said.x2, (double)said.y2, (double)painted.x1,
                          (double)painted.y1, (double)painted.x2, (double)painted.y2);
        }
    }
    printf("%s: %d marks against their pixels, IoU %.2f on average, %.2f at worst\n", SEEDS[_i], checked,
           sum / checked, worst);
    ck_assert_int_ge(checked, 10);
    ck_assert_int_gt(kinds[VD_SCENE_CRACK] + kinds[VD_SCENE_POTHOLE], 0);
    ck_assert_double_gt(sum / checked, 0.8);
    vd_marks_free(&w.marks);
    free(image.planes[0]);
}
END_TEST

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
    vd_image with = make_image(1280, 720), without = make_image(1280, 720);
    snprintf(text, sizeof(text), "%s,hazards=12", LOOKS[_i]);
    world w = make_world(text);
    vd_scene *full = make_scene(text);
    snprintf(text, sizeof(text), "%s,hazards=0", LOOKS[_i]);
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
        ck_assert_msg(elsewhere == 0, "%s, frame %d: %d pixels differ where no mark is", LOOKS[_i], frame,
                      elsewhere);
        for (size_t i = 0; i < known; i++) {
            count_changes(&with, &without, &objects[i].box, 1, &near, &elsewhere);
            ck_assert_msg(near > 20, "%s, frame %d: a %s cannot be seen", LOOKS[_i], frame,
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

/* Only time tells some of them apart: hazards lie where they lie, shadows slide, wet patches come and go. */
START_TEST(marks_behave_over_time_as_their_kinds_do)
{
    static const char *const SEEDS[] = {"seed=1", "seed=2,view=pole", "seed=3,night=1"};
    world w = make_world(SEEDS[_i]);
    int lying = 0, sliding = 0, weak = 0, wet = 0;
    for (int step = 0; step < 300; step++) {
        vd_mark now[VD_MARKS_MOST], then[VD_MARKS_MOST];
        vd_view view;
        double time_s = step * 0.2, later_s = time_s + 0.1;
        size_t count = marks_of(&w, time_s, &view, now), then_count = marks_of(&w, later_s, &view, then);
        for (size_t i = 0; i < count; i++) {
            wet += now[i].kind == VD_SCENE_WET;
            weak += now[i].kind == VD_SCENE_WET && now[i].strength < 0.4;
            for (size_t j = 0; j < then_count; j++) {
                if (then[j].track_id != now[i].track_id)
                    continue;
                double moved = hypot(then[j].s - now[i].s, then[j].d - now[i].d);
                ck_assert_uint_eq(then[j].key, now[i].key);
                ck_assert_int_eq(then[j].kind, now[i].kind);
                if (now[i].kind == VD_SCENE_SHADOW) {
                    ck_assert_msg(moved > 0.14 && moved < 0.61, "a shadow moves %.2f m in 0.1 s", moved);
                    sliding++;
                } else {
                    ck_assert_msg(moved < 1e-6, "a %s moves %.3f m", vd_scene_kind_name(now[i].kind), moved);
                    lying++;
                }
            }
        }
    }
    printf("%s: %d lie, %d slide, %d of %d wet patches weak\n", SEEDS[_i], lying, sliding, weak, wet);
    ck_assert_int_gt(lying, 300);
    ck_assert_int_gt(sliding, 50);
    if (!w.options.from_pole) /* what lies before a pole stays the same */
        ck_assert_int_gt(wet, 50);
    ck_assert_msg(wet == 0 || (weak > wet / 50 && weak < wet / 2), "%d of %d wet patches are weak", weak,
                  wet);
    vd_marks_free(&w.marks);
}
END_TEST

static int compare_keys(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

START_TEST(no_two_seeds_share_a_shape)
{
    enum { SEEDS = 60, MOST_KEYS = SEEDS * 4 * VD_MARKS_MOST };
    static uint64_t keys[MOST_KEYS];
    size_t used = 0, unique = 0;
    for (int seed = 0; seed < SEEDS; seed++) {
        char text[64];
        snprintf(text, sizeof(text), "seed=%d", seed);
        world w = make_world(text);
        size_t first = used;
        for (int visit = 0; visit < 4; visit++) {
            vd_mark marks[VD_MARKS_MOST];
            vd_view view;
            size_t count = marks_of(&w, visit * 20, &view, marks);
            for (size_t i = 0; i < count; i++) {
                bool known = false;
                for (size_t k = first; k < used && !known; k++)
                    known = keys[k] == marks[i].key;
                if (!known)
                    keys[used++] = marks[i].key;
            }
        }
        vd_marks_free(&w.marks);
    }
    qsort(keys, used, sizeof(keys[0]), compare_keys);
    for (size_t i = 0; i < used; i++)
        unique += i == 0 || keys[i] != keys[i - 1];
    ck_assert_uint_gt(used, 300);
    ck_assert_uint_eq(unique, used);
}
END_TEST

/* --- Options */

START_TEST(options_are_read)
{
    vd_scene_options options = VD_SCENE_OPTIONS_INIT;
    ck_assert_int_eq(vd_scene_parse("", &options, NULL), VD_OK);
    ck_assert_int_eq(vd_scene_parse(NULL, &options, NULL), VD_OK);
    ck_assert_int_eq(options.width, 1280);
    ck_assert(!options.free_pace && !options.night && !options.from_pole);
    ck_assert_int_eq(options.hazards, 12);
    ck_assert_int_eq(vd_scene_parse("seed=7,size=640x360,fps=29.97,pace=free,hazards=30,night=1,view=pole",
                                    &options, NULL),
                     VD_OK);
    ck_assert_uint_eq(options.seed, 7);
    ck_assert_int_eq(options.width, 640);
    ck_assert_int_eq(options.height, 360);
    ck_assert_double_eq(options.frames_per_s, 29.97);
    ck_assert_int_eq(options.hazards, 30);
    ck_assert(options.free_pace && options.night && options.from_pole);
    ck_assert_int_eq(vd_scene_parse("pace=live,night=0,view=vehicle,hazards=0", &options, NULL), VD_OK);
    ck_assert(!options.free_pace && !options.night && !options.from_pole);
    ck_assert_int_eq(options.hazards, 0);
}
END_TEST

START_TEST(an_address_opens_the_same_scene)
{
    static const char *const TEXTS[] = {
        "seed=1",
        "seed=4294967295,hazards=30,size=3840x3840,fps=29.970029970029973,night=1,view=pole",
        "seed=0,hazards=0,fps=12.5",
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        vd_scene_options options = VD_SCENE_OPTIONS_INIT, again = VD_SCENE_OPTIONS_INIT;
        char address[VD_SCENE_ADDRESS];
        ck_assert_int_eq(vd_scene_parse(TEXTS[i], &options, NULL), VD_OK);
        vd_scene_address(&options, address);
        ck_assert_int_eq(strncmp(address, "demo:", 5), 0);
        ck_assert_str_eq(address + 5, TEXTS[i]);
        ck_assert_int_eq(vd_scene_parse(address + 5, &again, NULL), VD_OK);
        ck_assert_mem_eq(&options, &again, sizeof(options));
    }
}
END_TEST

typedef struct refusal {
    const char *text, *key, *value, *range;
} refusal;

static const refusal REFUSALS[] = {
    {"fps=0", "fps", "0", "1 to 120"},
    {"fps=121", "fps", "121", "1 to 120"},
    {"fps=nan", "fps", "nan", "1 to 120"},
    {"fps=25x", "fps", "25x", "1 to 120"},
    {"fps=", "fps", "\"\"", "1 to 120"},
    {"size=10x10", "size", "10x10", "64 to 3840"},
    {"size=1280", "size", "1280", "64 to 3840"},
    {"size=1280x720x3", "size", "1280x720x3", "64 to 3840"},
    {"size=99999999999x720", "size", "99999999999x720", "64 to 3840"},
    {"size=-640x360", "size", "-640x360", "64 to 3840"},
    {"seed=-1", "seed", "-1", "0 to 4294967295"},
    {"seed=1.5", "seed", "1.5", "0 to 4294967295"},
    {"seed=4294967296", "seed", "4294967296", "0 to 4294967295"},
    {"hazards=-1", "hazards", "-1", "0 to 30"},
    {"hazards=31", "hazards", "31", "0 to 30"},
    {"hazards=2.5", "hazards", "2.5", "0 to 30"},
    {"hazards=many", "hazards", "many", "0 to 30"},
    {"night=2", "night", "2", "0 (day) or 1 (night)"},
    {"night=yes", "night", "yes", "0 (day) or 1 (night)"},
    {"night=", "night", "\"\"", "0 (day) or 1 (night)"},
    {"view=roof", "view", "roof", "vehicle"},
    {"view=Pole", "view", "Pole", "pole"},
    {"pace=fast", "pace", "fast", "live"},
    {"rain=1", "rain", "1", "seed, hazards, size, fps, night, view and pace"},
    {"seed", "seed", "seed", "key=value"},
    {"seed=1,,fps=3", "", "", "key=value"},
};

START_TEST(wrong_options_are_refused_with_key_value_and_range)
{
    const refusal *r = &REFUSALS[_i];
    vd_scene_options options = VD_SCENE_OPTIONS_INIT, before = options;
    vd_error error = {0};
    char text[128];
    snprintf(text, sizeof(text), "seed=3,%s", r->text);
    ck_assert_int_eq(vd_scene_parse(text, &options, &error), VD_EINVAL);
    ck_assert_int_eq(error.code, VD_EINVAL);
    ck_assert_msg(strstr(error.text, r->key) && strstr(error.text, r->value) && strstr(error.text, r->range),
                  "\"%s\" says: %s", r->text, error.text);
    ck_assert_mem_eq(&options, &before, sizeof(options));
}
END_TEST

START_TEST(impossible_scenes_are_refused)
{
    vd_scene_options options = VD_SCENE_OPTIONS_INIT;
    vd_scene *scene = NULL;
    vd_error error = {0};
    options.width = 63;
    ck_assert_int_eq(vd_scene_new(&options, &scene, &error), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "63"));
    options.width = 640;
    options.hazards = -1;
    ck_assert_int_eq(vd_scene_new(&options, &scene, &error), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "-1"));
    options.hazards = 31;
    ck_assert_int_eq(vd_scene_new(&options, &scene, &error), VD_EINVAL);
    options.hazards = 30;
    options.frames_per_s = NAN;
    ck_assert_int_eq(vd_scene_new(&options, &scene, &error), VD_EINVAL);
    ck_assert_ptr_null(scene);
}
END_TEST

/* --- Clips */

typedef struct taker {
    int64_t frames, fail_at, cancel_at;
    size_t objects;
    vd_cancel *cancel;
} taker;

static int take(void *context, int64_t frame, double time_s, const vd_scene_object *objects, size_t count)
{
    taker *t = context;
    (void)objects;
    ck_assert_int_eq(frame, t->frames);
    ck_assert_double_eq_tol(time_s, (double)frame / 25, 1e-9);
    t->frames++;
    t->objects += count;
    if (t->frames == t->cancel_at)
        vd_cancel_request(t->cancel);
    return t->frames == t->fail_at ? VD_EIO : VD_OK;
}

static int write_clip(const char *path, taker *t, vd_error *error)
{
    vd_scene_clip clip = VD_SCENE_CLIP_INIT;
    ck_assert_int_eq(vd_scene_parse("size=320x180,fps=25,seed=6", &clip.scene, NULL), VD_OK);
    clip.path = path;
    clip.frames = 30;
    clip.take_truth = take;
    clip.context = t;
    clip.cancel = t->cancel;
    return vd_scene_write_clip(&clip, error);
}

/* How many pictures a file has, and how far they are from the scene on average. */
static int read_clip(const char *path, double *ret_difference)
{
    vd_scene *scene = make_scene("size=320x180,fps=25,seed=6");
    vd_image truth = make_image(320, 180);
    vd_source *source = NULL;
    vd_error error = {0};
    int frames = 0;
    double sum = 0;
    ck_assert_msg(vd_source_open(path, NULL, NULL, &source, &error) == VD_OK, "%s", error.text);
    for (vd_frame *frame; vd_source_read(source, &frame, NULL) == VD_OK; frames++) {
        ck_assert_int_eq(frame->image.width, 320);
        ck_assert_int_eq(frame->image.format, VD_PIXEL_I420);
        ck_assert_int_eq(vd_scene_render(scene, frames, &truth), VD_OK);
        double own = 0, drawn = 0;
        for (int y = 0; y < 180; y++) {
            for (int x = 0; x < 320; x++) {
                const uint8_t *p = truth.planes[0] + (size_t)y * (size_t)truth.strides[0] + 4 * (size_t)x;
                drawn += 16 + 0.098 * p[0] + 0.504 * p[1] + 0.257 * p[2];
                own += frame->image.planes[0][(size_t)y * (size_t)frame->image.strides[0] + (size_t)x];
            }
        }
        sum += fabs(own - drawn) / 320 / 180;
        vd_frame_unref(&frame);
    }
    *ret_difference = frames > 0 ? sum / frames : INFINITY;
    vd_source_close(&source);
    vd_scene_free(&scene);
    free(truth.planes[0]);
    return frames;
}

START_TEST(a_clip_is_the_scene_and_its_truth)
{
    char folder[] = "/tmp/vedette-scene-XXXXXX", path[64];
    vd_error error = {0};
    taker t = {0};
    double difference;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/clip.mp4", folder);
    ck_assert_msg(write_clip(path, &t, &error) == VD_OK, "%s", error.text);
    ck_assert_int_eq(t.frames, 30);
    ck_assert_int_eq(read_clip(path, &difference), 30);
    ck_assert_double_lt(difference, 1.5);
    ck_assert_int_ne(write_clip(path, &t, &error), VD_OK); /* there is one already */
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(a_clip_that_ends_early_is_whole_up_to_there)
{
    char folder[] = "/tmp/vedette-scene-XXXXXX", path[64];
    vd_cancel cancel;
    vd_error error = {0};
    ck_assert_int_eq(vd_cancel_init(&cancel), VD_OK);
    taker canceled = {.cancel_at = 7, .cancel = &cancel}, failing = {.fail_at = 5};
    double difference;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/clip.mp4", folder);
    ck_assert_int_eq(write_clip(path, &canceled, &error), VD_ECANCELED);
    ck_assert_int_eq(canceled.frames, 7);
    ck_assert_int_eq(read_clip(path, &difference), 7);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(write_clip(path, &failing, &error), VD_EIO);
    ck_assert_int_eq(failing.frames, 5);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
    vd_cancel_fini(&cancel);
}
END_TEST

START_TEST(impossible_clips_are_refused)
{
    vd_scene_clip clip = VD_SCENE_CLIP_INIT;
    vd_error error = {0};
    clip.path = "/tmp/vedette-scene-none/clip.mp4";
    ck_assert_int_eq(vd_scene_write_clip(&clip, &error), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "at least 1 frame"));
    clip.frames = 1;
    clip.scene.width = 641;
    ck_assert_int_eq(vd_scene_write_clip(&clip, &error), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "641 × 720"));
    clip.scene.width = 640;
    clip.scene.hazards = 31;
    ck_assert_int_eq(vd_scene_write_clip(&clip, &error), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "0 to 30"));
    ck_assert_int_ne(access("/tmp/vedette-scene-none", F_OK), 0);
}
END_TEST

/* --- The source */

static vd_source *open_source(const char *address, vd_cancel *cancel, int pool_frames)
{
    vd_source_options options = VD_SOURCE_OPTIONS_INIT;
    vd_source *source = NULL;
    vd_error error = {0};
    options.pool_frames = pool_frames;
    ck_assert_int_eq(vd_scene_register(), VD_OK);
    ck_assert_msg(vd_source_open(address, &options, cancel, &source, &error) == VD_OK, "%s", error.text);
    return source;
}

START_TEST(the_source_hands_out_the_scene)
{
    vd_source *source = open_source("demo:size=320x180,fps=50,pace=free,seed=4", NULL, 4);
    const vd_source_info *info = vd_source_get_info(source);
    ck_assert_str_eq(info->name, "Demonstration");
    ck_assert_str_eq(info->codec, "rendered");
    ck_assert_int_eq(info->width, 320);
    ck_assert_int_eq(info->height, 180);
    ck_assert_double_eq(info->frames_per_s, 50);
    ck_assert(!info->is_live);

    vd_scene *scene = make_scene("size=320x180,fps=50,seed=4");
    vd_image image = make_image(320, 180);
    for (int i = 0; i < 5; i++) {
        vd_frame *frame = NULL;
        ck_assert_int_eq(vd_source_read(source, &frame, NULL), VD_OK);
        ck_assert_int_eq(frame->index, i);
        ck_assert_double_eq(frame->time_s, i / 50.0);
        ck_assert_int_eq(vd_scene_render(scene, i, &image), VD_OK);
        ck_assert_uint_eq(hash_image(&frame->image), hash_image(&image));
        vd_frame_unref(&frame);
    }
    vd_source_stats stats = vd_source_get_stats(source);
    ck_assert_uint_eq(stats.frames, 5);
    ck_assert_uint_eq(stats.dropped_pool, 0);
    vd_source_close(&source);
    vd_scene_free(&scene);
    free(image.planes[0]);
}
END_TEST

START_TEST(the_live_source_keeps_its_own_pace)
{
    vd_source *source = open_source("demo:size=160x90,fps=100", NULL, 4);
    ck_assert(vd_source_get_info(source)->is_live);
    int64_t start_ns = vd_clock_now_ns(), last = -1;
    for (int i = 0; i < 20; i++) {
        vd_frame *frame = NULL;
        ck_assert_int_eq(vd_source_read(source, &frame, NULL), VD_OK);
        ck_assert_int_gt(frame->index, last);
        last = frame->index;
        vd_frame_unref(&frame);
    }
    /* A picture is never early; how late it may be is the machine's affair. */
    ck_assert_int_ge(vd_clock_now_ns() - start_ns, last * 10 * VD_NS_PER_MS);
    vd_source_stats stats = vd_source_get_stats(source);
    ck_assert_int_eq(stats.frames + stats.dropped_pool, last + 1);
    vd_source_close(&source);
}
END_TEST

START_TEST(a_reader_that_comes_late_misses_pictures_and_they_are_counted)
{
    vd_source *source = open_source("demo:size=160x90,fps=120", NULL, 4);
    vd_frame *frame = NULL;
    ck_assert_int_eq(vd_source_read(source, &frame, NULL), VD_OK);
    vd_frame_unref(&frame);
    vd_cancel never;
    ck_assert_int_eq(vd_cancel_init(&never), VD_OK);
    vd_cancel_sleep_until(&never, vd_clock_now_ns() + 100 * VD_NS_PER_MS);
    vd_cancel_fini(&never);
    ck_assert_int_eq(vd_source_read(source, &frame, NULL), VD_OK);
    ck_assert_int_ge(frame->index, 10);
    ck_assert_int_eq(vd_source_get_stats(source).dropped_pool, frame->index - 1);
    vd_frame_unref(&frame);
    vd_source_close(&source);
}
END_TEST

typedef struct returner {
    vd_frame *frames[8];
    int count;
    int64_t at_ns;
    vd_cancel *cancel;
} returner;

static void cancel_later(void *context)
{
    returner *r = context;
    vd_cancel never;
    if (vd_cancel_init(&never) != VD_OK)
        return;
    vd_cancel_sleep_until(&never, r->at_ns);
    vd_cancel_fini(&never);
    vd_cancel_request(r->cancel);
}

/* Frames that nobody gives back: the pool grows to 1.5 × once, then pictures are lost and counted until the
 * reader is told to stop. */
static void exhaust(const char *address, bool expect_drops)
{
    vd_cancel cancel;
    ck_assert_int_eq(vd_cancel_init(&cancel), VD_OK);
    vd_source *source = open_source(address, &cancel, 2);
    returner r = {.at_ns = vd_clock_now_ns() + 250 * VD_NS_PER_MS, .cancel = &cancel};
    vd_thread thread = {0};
    ck_assert_int_eq(vd_thread_start(&thread, "later", cancel_later, &r), VD_OK);
    int rc = VD_OK;
    while (rc == VD_OK && r.count < 8) {
        rc = vd_source_read(source, &r.frames[r.count], NULL);
        r.count += rc == VD_OK;
    }
    ck_assert_int_eq(rc, VD_ECANCELED);
    ck_assert_int_eq(r.count, 3);
    ck_assert_int_eq(vd_source_get_stats(source).dropped_pool > 0, expect_drops);
    vd_thread_join(&thread);
    for (int i = 0; i < r.count; i++)
        vd_frame_unref(&r.frames[i]);
    vd_source_close(&source);
    vd_cancel_fini(&cancel);
}

START_TEST(an_exhausted_pool_costs_a_live_source_pictures)
{
    exhaust("demo:size=160x90,fps=120", true);
}
END_TEST

START_TEST(an_exhausted_pool_makes_a_free_source_wait)
{
    exhaust("demo:size=160x90,pace=free", false);
}
END_TEST

START_TEST(an_address_that_is_wrong_is_refused_at_opening)
{
    vd_source *source = NULL;
    vd_error error = {0};
    ck_assert_int_eq(vd_scene_register(), VD_OK);
    ck_assert_int_eq(vd_source_open("demo:fps=1000", NULL, NULL, &source, &error), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "1 to 120"));
    ck_assert_ptr_null(source);
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
    tcase_add_loop_test(pictures, every_size_that_is_allowed_can_be_rendered, 0, 12);
    tcase_add_loop_test(pictures, sixty_frames_of_720_lines_take_a_core_less_than_a_second, 0, 4);
    suite_add_tcase(suite, pictures);
    TCase *truth = tcase_create("truth");
    tcase_set_timeout(truth, 60);
    tcase_add_loop_test(truth, the_truth_lies_in_the_picture_and_moves_smoothly, 0, 4);
    tcase_add_test(truth, hazards_are_as_many_as_asked_for);
    tcase_add_loop_test(truth, boxes_end_where_the_paint_ends, 0, 4);
    tcase_add_loop_test(truth, a_road_without_hazards_differs_only_where_marks_are, 0, 4);
    tcase_add_loop_test(truth, marks_behave_over_time_as_their_kinds_do, 0, 3);
    tcase_add_test(truth, no_two_seeds_share_a_shape);
    suite_add_tcase(suite, truth);
    TCase *options = tcase_create("options");
    tcase_add_test(options, options_are_read);
    tcase_add_test(options, an_address_opens_the_same_scene);
    tcase_add_loop_test(options, wrong_options_are_refused_with_key_value_and_range, 0,
                        sizeof(REFUSALS) / sizeof(REFUSALS[0]));
    tcase_add_test(options, impossible_scenes_are_refused);
    suite_add_tcase(suite, options);
    TCase *clips = tcase_create("clips");
    tcase_set_timeout(clips, 60);
    tcase_add_test(clips, a_clip_is_the_scene_and_its_truth);
    tcase_add_test(clips, a_clip_that_ends_early_is_whole_up_to_there);
    tcase_add_test(clips, impossible_clips_are_refused);
    suite_add_tcase(suite, clips);
    TCase *source = tcase_create("source");
    tcase_set_timeout(source, 30);
    tcase_add_test(source, the_source_hands_out_the_scene);
    tcase_add_test(source, the_live_source_keeps_its_own_pace);
    tcase_add_test(source, a_reader_that_comes_late_misses_pictures_and_they_are_counted);
    tcase_add_test(source, an_exhausted_pool_costs_a_live_source_pictures);
    tcase_add_test(source, an_exhausted_pool_makes_a_free_source_wait);
    tcase_add_test(source, an_address_that_is_wrong_is_refused_at_opening);
    suite_add_tcase(suite, source);
    return suite;
}

TEST_MAIN(make_suite)
