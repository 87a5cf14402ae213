/* The scene as a file and as a source. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/thread.h"
#include "frame/frame.h"
#include "scene_case.h"
#include "vedette/source.h"

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

/* --- Two threads */

typedef struct teller {
    const vd_scene *scene;
    size_t counts[20];
} teller;

static void tell(void *context)
{
    teller *t = context;
    vd_scene_object objects[VD_SCENE_OBJECTS_MOST];
    for (int i = 0; i < 20; i++)
        t->counts[i] = vd_scene_truth(t->scene, 30 * i, objects, VD_SCENE_OBJECTS_MOST);
}

START_TEST(the_truth_is_told_while_another_thread_renders)
{
    vd_scene *scene = make_scene("size=320x180,seed=6,night=1");
    vd_image image = make_image(320, 180);
    teller beside = {.scene = scene}, alone = {.scene = scene};
    vd_thread thread = {0};
    size_t listed = 0;
    ck_assert_int_eq(vd_thread_start(&thread, "teller", tell, &beside), VD_OK);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(vd_scene_render(scene, 30 * i, &image), VD_OK);
    vd_thread_join(&thread);
    tell(&alone);
    for (int i = 0; i < 20; i++) {
        ck_assert_uint_eq(beside.counts[i], alone.counts[i]);
        listed += alone.counts[i];
    }
    ck_assert_uint_gt(listed, 20);
    vd_scene_free(&scene);
    free(image.planes[0]);
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
    vd_frame *frames[4];
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
 * reader is told to stop, which it is long after it began to wait. */
static void exhaust(const char *address, bool expect_drops)
{
    vd_cancel cancel;
    ck_assert_int_eq(vd_cancel_init(&cancel), VD_OK);
    vd_source *source = open_source(address, &cancel, 2);
    returner r = {.cancel = &cancel};
    for (; r.count < 3; r.count++)
        ck_assert_int_eq(vd_source_read(source, &r.frames[r.count], NULL), VD_OK);
    vd_thread thread = {0};
    r.at_ns = vd_clock_now_ns() + 150 * VD_NS_PER_MS;
    ck_assert_int_eq(vd_thread_start(&thread, "later", cancel_later, &r), VD_OK);
    ck_assert_int_eq(vd_source_read(source, &r.frames[3], NULL), VD_ECANCELED);
    ck_assert_int_ge(vd_clock_now_ns(), r.at_ns);
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
    Suite *suite = suite_create("scene_source");
    TCase *clips = tcase_create("clips");
    tcase_set_timeout(clips, 60);
    tcase_add_test(clips, a_clip_is_the_scene_and_its_truth);
    tcase_add_test(clips, a_clip_that_ends_early_is_whole_up_to_there);
    tcase_add_test(clips, impossible_clips_are_refused);
    suite_add_tcase(suite, clips);
    TCase *threads = tcase_create("threads");
    tcase_set_timeout(threads, 30);
    tcase_add_test(threads, the_truth_is_told_while_another_thread_renders);
    suite_add_tcase(suite, threads);
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
