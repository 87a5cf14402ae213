#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "check_main.h"
#include "frame/frame.h"
#include "scene/scene.h"
#include "scene/traffic.h"
#include "vedette/source.h"

enum { MOST = 32 };

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

START_TEST(a_frame_is_the_same_in_any_order_and_in_any_scene_of_its_seed)
{
    static const int64_t FORTH[] = {0, 1, 2, 50, 1000, 100000}, BACK[] = {100000, 50, 2, 0, 1000, 1};
    enum { COUNT = 6 };
    vd_scene *a = make_scene("size=320x180,seed=7"), *b = make_scene("size=320x180,seed=7");
    vd_image image = make_image(320, 180);
    uint64_t forth[COUNT], back[COUNT];
    for (int i = 0; i < COUNT; i++)
        forth[i] = hash_frame(a, FORTH[i], &image);
    memset(image.planes[0], 0x5a, (size_t)image.strides[0] * 180);
    for (int i = 0; i < COUNT; i++)
        back[i] = hash_frame(b, BACK[i], &image);
    for (int i = 0; i < COUNT; i++) {
        for (int j = 0; j < COUNT; j++)
            ck_assert_msg((FORTH[i] == BACK[j]) == (forth[i] == back[j]), "frames %d and %d", (int)FORTH[i],
                          (int)BACK[j]);
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
    ck_assert_msg(frames > 0.2 && frames < 4, "two frames differ by %.2f", frames);
    ck_assert_msg(seeds > 8, "two seeds differ by %.2f", seeds);
    vd_scene_free(&a);
    vd_scene_free(&b);
    free(p.planes[0]);
    free(q.planes[0]);
    free(r.planes[0]);
}
END_TEST

static const vd_detection *find_track(const vd_detection *boxes, size_t count, int id)
{
    for (size_t i = 0; i < count; i++) {
        if (boxes[i].track_id == id)
            return &boxes[i];
    }
    return NULL;
}

static void check_box(const vd_detection *d, int frame)
{
    const vd_box *b = &d->box;
    ck_assert_msg(b->x1 >= 0 && b->y1 >= 0 && b->x2 <= 1280 && b->y2 <= 720,
                  "frame %d: a box leaves the picture", frame);
    ck_assert_msg(b->x2 - b->x1 >= 12 && b->y2 - b->y1 >= 16, "frame %d: a box of %.0f × %.0f", frame,
                  b->x2 - b->x1, b->y2 - b->y1);
    ck_assert_int_gt(d->track_id, 0);
    ck_assert_int_eq(d->class_id, 0);
    ck_assert_float_eq(d->score, 1);
}

/* A box of one track from one frame to the next: no faster than the nearest vehicle, no sudden change of size
 * while it is away from the borders. */
static void check_step(const vd_detection *before, const vd_detection *now, int frame)
{
    const vd_box *a = &before->box, *b = &now->box;
    double middle = fabs((a->x1 + a->x2) - (b->x1 + b->x2)) / 2;
    ck_assert_msg(middle < 40, "frame %d: track %d jumps by %.1f pixels", frame, now->track_id, middle);
    if (a->x1 > 0 && b->x1 > 0 && a->x2 < 1280 && b->x2 < 1280) {
        double growth = (b->x2 - b->x1) / (a->x2 - a->x1);
        ck_assert_msg(growth > 0.9 && growth < 1.1, "frame %d: track %d grows by %.2f", frame, now->track_id,
                      growth);
        ck_assert_msg(middle > 0.3, "frame %d: track %d stands still", frame, now->track_id);
    }
}

START_TEST(the_truth_lies_in_the_picture_and_moves_smoothly)
{
    static const char *SEEDS[] = {"seed=1", "seed=2", "seed=3", "seed=99"};
    vd_scene *scene = make_scene(SEEDS[_i]);
    vd_detection before[MOST], now[MOST];
    size_t before_count = 0, least = 99, most = 0, few = 0;
    for (int frame = 0; frame < 1800; frame++) {
        size_t count = vd_scene_truth(scene, frame, now, MOST);
        least = count < least ? count : least;
        most = count > most ? count : most;
        few += count < 2;
        for (size_t i = 0; i < count; i++) {
            check_box(&now[i], frame);
            ck_assert_ptr_eq(find_track(now, count, now[i].track_id), &now[i]);
            const vd_detection *same = find_track(before, before_count, now[i].track_id);
            if (same)
                check_step(same, &now[i], frame);
        }
        memcpy(before, now, sizeof(now));
        before_count = count;
    }
    printf("%s: %zu to %zu vehicles in a frame, fewer than 2 in %zu of 1800\n", SEEDS[_i], least, most, few);
    ck_assert_uint_ge(least, 1);
    ck_assert_uint_le(most, 6);
    ck_assert_uint_lt(few, 1800 * 4 / 100);
    ck_assert_uint_eq(vd_scene_truth(scene, 0, now, 1), 1);
    ck_assert_uint_eq(vd_scene_truth(scene, -1, now, MOST), 0);
    vd_scene_free(&scene);
}
END_TEST

/* How many pixels of a rectangle differ between two frames by more than noise and light make them. */
static double changed_share(const vd_image *a, const vd_image *b, int x1, int y1, int x2, int y2)
{
    int changed = 0;
    for (int y = y1; y < y2; y++) {
        for (int x = x1; x < x2; x++) {
            const uint8_t *p = a->planes[0] + (size_t)y * (size_t)a->strides[0] + 4 * (size_t)x;
            const uint8_t *q = b->planes[0] + (size_t)y * (size_t)b->strides[0] + 4 * (size_t)x;
            changed += abs(p[1] - q[1]) > 40 || abs(p[2] - q[2]) > 40 || abs(p[0] - q[0]) > 40;
        }
    }
    return (double)changed / ((x2 - x1) * (y2 - y1));
}

/* Whether nobody but `id` is near these columns, not even one that is hidden too far to be listed. */
static bool is_alone(unsigned seed, int frame, int id, int x1, int x2)
{
    vd_camera camera = vd_camera_make(1280, 720);
    vd_traveller all[VD_TRAFFIC_MOST];
    size_t count = vd_traffic_at(&camera, seed, frame / 30.0, all);
    for (size_t i = 0; i < count; i++) {
        double x = vd_camera_project(&camera, all[i].place).x;
        if (all[i].track_id != id && x > x1 - 340 && x < x2 + 340)
            return false;
    }
    return true;
}

/* The next frame in which nobody is near these columns; -1: none soon. */
static int find_empty(unsigned seed, int frame, int x1, int x2)
{
    for (int other = frame + 1; other < frame + 400; other++) {
        if (is_alone(seed, other, 0, x1, x2))
            return other;
    }
    return -1;
}

static void check_edges(const vd_image *now, const vd_image *empty, int x1, int y1, int x2, int y2)
{
    ck_assert_double_gt(changed_share(now, empty, x1, y1, x2, y2), 0.35);
    ck_assert_double_gt(changed_share(now, empty, x1, y1, x1 + 6, y2), 0);
    ck_assert_double_gt(changed_share(now, empty, x2 - 6, y1, x2, y2), 0);
    ck_assert_double_gt(changed_share(now, empty, x1, y1, x2, y1 + 6), 0);
    ck_assert_double_eq(changed_share(now, empty, x1, y1 - 6, x2, y1 - 1), 0);
}

/* Against a frame in which nobody is there: every border of a box is touched by its vehicle, and nothing
 * stands above it. */
START_TEST(boxes_end_where_the_paint_ends)
{
    vd_scene *scene = make_scene("seed=1");
    vd_image empty = make_image(1280, 720), now = make_image(1280, 720);
    vd_detection boxes[MOST];
    int checked = 0;
    for (int frame = 0; frame < 3000 && checked < 12; frame += 11) {
        size_t count = vd_scene_truth(scene, frame, boxes, MOST);
        for (size_t i = 0; i < count; i++) {
            const vd_box *b = &boxes[i].box;
            int x1 = (int)b->x1, y1 = (int)b->y1, x2 = (int)ceilf(b->x2), y2 = (int)ceilf(b->y2);
            int clear = find_empty(1, frame, x1, x2);
            if (x1 < 160 || x2 > 1260 || clear < 0 || !is_alone(1, frame, boxes[i].track_id, x1, x2))
                continue;
            ck_assert_int_eq(vd_scene_render(scene, frame, &now), VD_OK);
            ck_assert_int_eq(vd_scene_render(scene, clear, &empty), VD_OK);
            check_edges(&now, &empty, x1, y1, x2, y2);
            checked++;
        }
    }
    printf("%d boxes compared with their pixels\n", checked);
    ck_assert_int_ge(checked, 5);
    vd_scene_free(&scene);
    free(empty.planes[0]);
    free(now.planes[0]);
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
    snprintf(text, sizeof(text), "size=%dx%d", SIZES[_i][0], SIZES[_i][1]);
    vd_scene *scene = make_scene(text);
    vd_image image = make_image(SIZES[_i][0], SIZES[_i][1]);
    vd_detection boxes[MOST];
    size_t listed = 0;
    for (int frame = 0; frame < 600; frame += 40) {
        ck_assert_int_eq(vd_scene_render(scene, frame, &image), VD_OK);
        listed += vd_scene_truth(scene, frame, boxes, MOST);
    }
    /* Through a slit no vehicle is ever seen by two fifths. */
    if (3 * image.width >= image.height)
        ck_assert_uint_ge(listed, 8);
    vd_scene_free(&scene);
    free(image.planes[0]);
}
END_TEST

START_TEST(options_are_read)
{
    vd_scene_options options = VD_SCENE_OPTIONS_INIT;
    ck_assert_int_eq(vd_scene_parse("", &options, NULL), VD_OK);
    ck_assert_int_eq(vd_scene_parse(NULL, &options, NULL), VD_OK);
    ck_assert_int_eq(options.width, 1280);
    ck_assert(!options.free_pace);
    ck_assert_int_eq(vd_scene_parse("seed=7,size=640x360,fps=29.97,pace=free", &options, NULL), VD_OK);
    ck_assert_uint_eq(options.seed, 7);
    ck_assert_int_eq(options.width, 640);
    ck_assert_int_eq(options.height, 360);
    ck_assert_double_eq(options.frames_per_s, 29.97);
    ck_assert(options.free_pace);
    ck_assert_int_eq(vd_scene_parse("pace=live", &options, NULL), VD_OK);
    ck_assert(!options.free_pace);
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
    {"pace=fast", "pace", "fast", "live"},
    {"night=1", "night", "1", "seed, size, fps and pace"},
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
    options.frames_per_s = NAN;
    ck_assert_int_eq(vd_scene_new(&options, &scene, &error), VD_EINVAL);
    ck_assert_ptr_null(scene);
}
END_TEST

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
    int64_t start_ns = 0, last = -1;
    for (int i = 0; i < 20; i++) {
        vd_frame *frame = NULL;
        ck_assert_int_eq(vd_source_read(source, &frame, NULL), VD_OK);
        start_ns = start_ns ? start_ns : vd_clock_now_ns();
        ck_assert_int_gt(frame->index, last);
        last = frame->index;
        vd_frame_unref(&frame);
    }
    /* A picture is never early; how late it may be is the machine's affair. */
    ck_assert_int_ge(vd_clock_now_ns() - start_ns, (last - 2) * 10 * VD_NS_PER_MS);
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

static int compare_times(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

START_TEST(a_frame_of_720_lines_takes_little_time)
{
    enum { TURNS = 60 };
    int64_t start_ns = vd_clock_now_ns(), times[TURNS];
    vd_scene *scene = make_scene("");
    int64_t made_ns = vd_clock_now_ns() - start_ns;
    vd_image image = make_image(1280, 720);
    for (int i = 0; i < TURNS; i++) {
        start_ns = vd_clock_now_ns();
        ck_assert_int_eq(vd_scene_render(scene, 7 * i, &image), VD_OK);
        times[i] = vd_clock_now_ns() - start_ns;
    }
    qsort(times, TURNS, sizeof(times[0]), compare_times);
    printf("1280 × 720: scene made in %.0f ms; a frame in %.2f ms (median), %.2f ms (least)\n",
           (double)made_ns / VD_NS_PER_MS, (double)times[TURNS / 2] / VD_NS_PER_MS,
           (double)times[0] / VD_NS_PER_MS);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    ck_assert_int_lt(times[0], 10 * VD_NS_PER_MS);
#endif
    vd_scene_free(&scene);
    free(image.planes[0]);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("scene");
    TCase *pictures = tcase_create("pictures");
    tcase_set_timeout(pictures, 60);
    tcase_add_test(pictures, a_frame_is_the_same_in_any_order_and_in_any_scene_of_its_seed);
    tcase_add_test(pictures, seeds_give_different_scenes_and_frames_of_one_are_alike);
    tcase_add_test(pictures, what_cannot_be_rendered_is_refused);
    tcase_add_loop_test(pictures, every_size_that_is_allowed_can_be_rendered, 0, 6);
    tcase_add_test(pictures, a_frame_of_720_lines_takes_little_time);
    suite_add_tcase(suite, pictures);
    TCase *truth = tcase_create("truth");
    tcase_set_timeout(truth, 60);
    tcase_add_loop_test(truth, the_truth_lies_in_the_picture_and_moves_smoothly, 0, 4);
    tcase_add_test(truth, boxes_end_where_the_paint_ends);
    suite_add_tcase(suite, truth);
    TCase *options = tcase_create("options");
    tcase_add_test(options, options_are_read);
    tcase_add_loop_test(options, wrong_options_are_refused_with_key_value_and_range, 0,
                        sizeof(REFUSALS) / sizeof(REFUSALS[0]));
    tcase_add_test(options, impossible_scenes_are_refused);
    suite_add_tcase(suite, options);
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
