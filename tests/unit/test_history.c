/* What a camera remembers: where tracks were, which parts of a file were looked at, pictures for clips. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "check_main.h"
#include "pipeline/clip_ring.h"
#include "pipeline/history.h"
#include "pipeline/spans.h"

/* A track that moves 100 px/s; not seen where `seen` is false. */
static vd_track track_at(uint64_t serial, double first_s, double time_s, bool seen, double *last_s)
{
    float x = (float)(100 * time_s);
    vd_track track = {.serial = serial,
                      .id = (int)serial,
                      .state = seen ? VD_TRACK_CONFIRMED : VD_TRACK_LOST,
                      .box = {x, 50, x + 40, 90},
                      .detected = {x, 50, x + 40, 90},
                      .detection = seen ? 0 : -1,
                      .score = 0.5f,
                      .first_s = first_s,
                      .time_s = time_s};
    *last_s = seen ? time_s : *last_s;
    track.seen_s = *last_s;
    return track;
}

/* Detections 25 a second from first_s to end_s. */
static void run(vd_history *history, uint32_t place, uint64_t serial, double first_s, double end_s)
{
    vd_detection detection = {.class_id = 3};
    double last_s = first_s;
    for (int i = 0; first_s + i * 0.04 <= end_s + 1e-9; i++) {
        vd_track track = track_at(serial, first_s, first_s + i * 0.04, i % 4 != 2, &last_s);
        vd_history_update(history, place, first_s + i * 0.04, &track, NULL, 1, &detection);
    }
}

START_TEST(a_trace_knows_where_it_was)
{
    vd_history history = {0};
    run(&history, 1, 7, 1, 3);
    const struct vd_trace *trace = vd_history_find(&history, 7);
    ck_assert_ptr_nonnull(trace);
    ck_assert_ptr_null(vd_history_find(&history, 8));
    ck_assert_ptr_null(vd_history_find(&history, 0));
    for (double time_s = 1; time_s <= 2.96; time_s += 0.013)
        ck_assert_float_eq_tol(vd_trace_at(trace, time_s).box.x1, (float)(100 * time_s), 0.01f);
    ck_assert_int_eq(vd_trace_at(trace, 1.0).class_id, 3);
    ck_assert_int_eq(vd_trace_at(trace, 1.08).class_id, -1); /* not seen there */
    ck_assert_float_eq_tol(vd_trace_at(trace, 0).box.x1, 100, 0.01f);
    ck_assert_float_eq_tol(vd_trace_at(trace, 9).box.x1, 296, 0.01f); /* not seen after that */
    vd_history_fini(&history);
}
END_TEST

START_TEST(a_picture_shows_the_trail_behind_it)
{
    static vd_view_track shown[4];
    vd_history history = {0};
    run(&history, 1, 7, 0, 6);
    ck_assert_int_eq(vd_history_show(&history, 1, 5, shown, 4), 1);
    ck_assert_int_eq(shown[0].track.id, 7);
    ck_assert_float_eq_tol(shown[0].best, 0.5f, 1e-6f);
    ck_assert_int_ge(shown[0].trail_count, 10);
    ck_assert_int_le(shown[0].trail_count, VD_VIEW_TRAIL);
    for (int i = 0; i < shown[0].trail_count; i++) {
        double then_s = (shown[0].trail[i].x - 20) / 100.0;
        ck_assert(then_s >= 3 - 1e-3 && then_s <= 5 + 1e-3);
        ck_assert(i == 0 || shown[0].trail[i].x > shown[0].trail[i - 1].x);
    }
    ck_assert_int_eq(vd_history_show(&history, 2, 5, shown, 4), 0); /* another place */
    ck_assert_int_eq(vd_history_show(&history, 1, 5, shown, 0), 0);
    vd_history_fini(&history);
}
END_TEST

START_TEST(what_ended_is_kept_for_a_while)
{
    static vd_view_track shown[8];
    vd_history history = {0};
    run(&history, 1, 1, 0, 1);
    vd_history_update(&history, 1, 1.5, NULL, NULL, 0, NULL);
    ck_assert(vd_history_find(&history, 1)->gone);
    ck_assert_int_eq(vd_history_show(&history, 1, 1, shown, 8), 1);
    vd_history_update(&history, 1, 8, NULL, NULL, 0, NULL);
    ck_assert_ptr_null(vd_history_find(&history, 1));
    run(&history, 1, 2, 8, 9);
    vd_history_cut(&history);
    run(&history, 2, 3, 0, 1); /* another round: pictures of the last one may still be on show */
    ck_assert(vd_history_find(&history, 2)->gone);
    ck_assert_int_eq(vd_history_show(&history, 1, 9, shown, 8), 1);
    vd_history_cut(&history);
    run(&history, 3, 4, 0, 1);
    ck_assert_ptr_null(vd_history_find(&history, 2));
    ck_assert_ptr_nonnull(vd_history_find(&history, 3));
    size_t room = history.room;
    for (uint64_t i = 5; i < 2000; i++)
        run(&history, (uint32_t)i, i, 0, 0.1);
    ck_assert_uint_le(history.count, 4);
    ck_assert_uint_eq(history.room, room);
    vd_history_fini(&history);
}
END_TEST

START_TEST(spans_join_and_are_bounded)
{
    struct vd_spans spans = {0};
    ck_assert(!vd_spans_look(&spans, 1, 0, false));
    ck_assert(vd_spans_look(&spans, 1, 0, false));
    ck_assert(!vd_spans_look(&spans, 2, 1, true));
    ck_assert(vd_spans_look(&spans, 1.5, 0, false)); /* between the two */
    ck_assert(!vd_spans_look(&spans, 5, 0, false));
    ck_assert(!vd_spans_look(&spans, 3, 2, true));
    ck_assert(!vd_spans_look(&spans, 4, 3, true));
    ck_assert_int_eq(spans.count, 2);
    ck_assert(vd_spans_look(&spans, 5, 4, true));
    ck_assert_int_eq(spans.count, 1);
    ck_assert(!vd_spans_look(&spans, 0.5, 5, true)); /* backwards joins nothing */
    ck_assert(!vd_spans_look(&spans, 0.7, 0, false));
    for (int i = 0; i < 1000; i++)
        vd_spans_look(&spans, 10 + (i * 37 % 1000), 0, false);
    ck_assert_int_le(spans.count, VD_SPANS);
    for (int i = 1; i < spans.count; i++)
        ck_assert(spans.items[i].from_s > spans.items[i - 1].to_s);
    ck_assert(vd_spans_look(&spans, 10, 0, false));
    vd_spans_clear(&spans);
    ck_assert(!vd_spans_look(&spans, 10, 0, false));
}
END_TEST

static int64_t thread_time_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * VD_NS_PER_S + used.tv_nsec;
}

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Gives the ring frames of a source, 25 a second; the least time that reducing took. */
static int64_t feed(vd_clip_ring *ring, vd_frame *frame, uint32_t serial, double from_s, double to_s)
{
    int64_t times[512], count = 0;
    for (int i = 0; from_s + i * 0.04 <= to_s + 1e-9; i++) {
        vd_moment at = {.order = (uint64_t)i + 1, .serial = serial, .time_s = from_s + i * 0.04};
        if (!vd_clip_ring_wants(ring, &at))
            continue;
        vd_clip_ring_make_room(ring, &at, frame);
        while (vd_clip_ring_is_short(ring, frame) && vd_clip_ring_give_up(ring))
            continue;
        int64_t start_ns = thread_time_ns();
        vd_frame *reduced = vd_clip_ring_reduce(ring, frame);
        times[count++] = thread_time_ns() - start_ns;
        vd_clip_ring_keep(ring, &at, frame, reduced);
    }
    qsort(times, (size_t)count, sizeof times[0], compare_times);
    return times[0];
}

START_TEST(clips_are_cut_from_the_ring)
{
    vd_history history = {0};
    vd_clip_ring ring = {0};
    vd_frame_pool *pool = NULL;
    vd_frame *frame = NULL;
    vd_verify_clip clip = {0};
    ck_assert_int_eq(vd_frame_pool_new(VD_PIXEL_I420, 1280, 720, 1, &pool), VD_OK);
    ck_assert_int_eq(vd_frame_pool_take(pool, &frame), VD_OK);
    int64_t time_ns = feed(&ring, frame, 1, 0, 4);
    printf("a picture of 720 lines is reduced in %.2f ms\n", (double)time_ns / VD_NS_PER_MS);
    ck_assert_int_eq(ring.count, VD_CLIP_RING_FRAMES);
    ck_assert_int_le(vd_frame_pool_get_stats(ring.pool).capacity * 640 * 360 * 4, VD_CLIP_RING_BYTES);
    run(&history, 1, 7, 1, 4);
    const struct vd_trace *trace = vd_history_find(&history, 7);
    ck_assert(vd_clip_ring_cut(&ring, trace, 16, &clip));
    ck_assert_uint_eq(clip.count, 16);
    ck_assert_double_eq_tol(clip.times_s[0], 2.4, 0.05);
    ck_assert_double_eq_tol(clip.times_s[15], 4, 0.05);
    for (size_t i = 0; i < 16; i++) {
        ck_assert_int_eq(clip.frames[i]->image.width, 640);
        ck_assert_float_eq_tol(clip.boxes[i].x1, (float)(50 * clip.times_s[i]), 0.02f);
        ck_assert_float_eq_tol(clip.boxes[i].y2, 45, 0.02f);
        ck_assert(i == 0 || clip.times_s[i] >= clip.times_s[i - 1]);
        ck_assert(clip.labels[i] == 3 || clip.labels[i] == -1);
    }
    vd_clip_clear(&clip);
    vd_history_fini(&history);
    run(&history, 1, 8, 3.5, 4); /* shorter: as far apart, then the last is repeated */
    ck_assert(vd_clip_ring_cut(&ring, vd_history_find(&history, 8), 16, &clip));
    ck_assert_uint_eq(clip.count, 16);
    for (int i = 0; i < 16; i++)
        ck_assert_double_eq_tol(clip.times_s[i], fmin(3.5 + i * VD_CLIP_SPAN_S / 15, 4), 0.05);
    for (int i = 5; i < 16; i++)
        ck_assert_ptr_eq(clip.frames[i], clip.frames[15]);
    vd_clip_clear(&clip);
    vd_history_fini(&history);
    run(&history, 2, 9, 3, 4); /* another place: there is nothing of it yet */
    ck_assert(!vd_clip_ring_cut(&ring, vd_history_find(&history, 9), 16, &clip));
    feed(&ring, frame, 2, 3, 4);
    ck_assert(vd_clip_ring_cut(&ring, vd_history_find(&history, 9), 16, &clip));
    vd_clip_clear(&clip);
    vd_history_fini(&history);
    run(&history, 1, 10, 3.5, 4); /* and what was seen at the last one can still ask */
    ck_assert(vd_clip_ring_cut(&ring, vd_history_find(&history, 10), 16, &clip));
    vd_clip_clear(&clip);
    vd_frame_unref(&frame);
    vd_frame_pool_free(&pool); /* pictures of another size, although they are reduced to the same */
    ck_assert_int_eq(vd_frame_pool_new(VD_PIXEL_I420, 1920, 1080, 1, &pool), VD_OK);
    ck_assert_int_eq(vd_frame_pool_take(pool, &frame), VD_OK);
    feed(&ring, frame, 3, 0, 0.2);
    ck_assert_int_le(ring.count, 3);
    vd_history_fini(&history);
    vd_clip_ring_fini(&ring);
    vd_frame_unref(&frame);
    vd_frame_pool_free(&pool);
}
END_TEST

/* What a clip needs is not given up for want of room: who holds pictures that the ring has not is asked
 * first.
 */
START_TEST(the_ring_keeps_what_a_clip_needs)
{
    vd_clip_ring ring = {0};
    vd_frame_pool *pool = NULL;
    vd_frame *frame = NULL, *held[100];
    int count = 0;
    ck_assert_int_eq(vd_frame_pool_new(VD_PIXEL_I420, 640, _i ? 1138 : 480, 1, &pool), VD_OK);
    ck_assert_int_eq(vd_frame_pool_take(pool, &frame), VD_OK);
    feed(&ring, frame, 1, 0, 4);
    int full = ring.count, capacity = vd_frame_pool_get_stats(ring.pool).capacity;
    ck_assert_int_eq(full, _i ? capacity : VD_CLIP_RING_FRAMES);
    ck_assert_int_eq(vd_clip_ring_first(&ring), ring.entries[ring.head].at.order);
    while (vd_frame_pool_get_stats(ring.pool).available > 0) {
        ck_assert_int_eq(vd_frame_pool_take(ring.pool, &held[count]), VD_OK);
        count++;
    }
    ck_assert(vd_clip_ring_is_short(&ring, frame));
    for (int i = 0; i < 50; i++) {
        const vd_moment at = {.order = 1000 + (uint64_t)i, .serial = 1, .time_s = 5 + i};
        vd_clip_ring_make_room(&ring, &at, frame);
        while (vd_frame_pool_get_stats(ring.pool).available > 0) {
            ck_assert_int_eq(vd_frame_pool_take(ring.pool, &held[count]), VD_OK);
            count++;
        }
    }
    ck_assert_int_eq(ring.count, _i ? capacity * 3 / 4 : VD_CLIP_RING_LEAST);
    while (count > 0)
        vd_frame_unref(&held[--count]);
    ck_assert(!vd_clip_ring_is_short(&ring, frame));
    ck_assert_int_eq(vd_frame_pool_get_stats(ring.pool).capacity, capacity);
    vd_clip_ring_fini(&ring);
    vd_frame_unref(&frame);
    vd_frame_pool_free(&pool);
}
END_TEST

START_TEST(clips_that_are_held_starve_the_ring_and_are_counted)
{
    vd_history history = {0};
    vd_clip_ring ring = {0};
    vd_frame_pool *pool = NULL;
    vd_frame *frame = NULL;
    static vd_verify_clip clips[6];
    ck_assert_int_eq(vd_frame_pool_new(VD_PIXEL_I420, 640, 360, 1, &pool), VD_OK);
    ck_assert_int_eq(vd_frame_pool_take(pool, &frame), VD_OK);
    for (int i = 0; i < 6; i++) {
        feed(&ring, frame, (uint32_t)i + 1, 2.2, 4);
        vd_history_fini(&history);
        run(&history, (uint32_t)i + 1, (uint64_t)i + 1, 2, 4);
        vd_clip_ring_cut(&ring, vd_history_find(&history, i + 1), 16, &clips[i]);
        ck_assert_int_le(vd_frame_pool_get_stats(ring.pool).capacity * 640 * 360 * 4, VD_CLIP_RING_BYTES);
    }
    ck_assert_uint_gt(ring.forgotten, 20);
    ck_assert_int_eq(vd_clip_ring_first(&ring), INT64_MAX); /* down to none */
    ck_assert(!vd_clip_ring_cut(&ring, vd_history_find(&history, 6), 16, &clips[5]));
    for (int i = 0; i < 6; i++)
        vd_clip_clear(&clips[i]);
    feed(&ring, frame, 9, 0, 4);
    ck_assert_int_eq(ring.count, VD_CLIP_RING_FRAMES);
    vd_history_fini(&history);
    vd_clip_ring_fini(&ring);
    vd_frame_unref(&frame);
    vd_frame_pool_free(&pool);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("history");
    TCase *tests = tcase_create("history");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_trace_knows_where_it_was);
    tcase_add_test(tests, a_picture_shows_the_trail_behind_it);
    tcase_add_test(tests, what_ended_is_kept_for_a_while);
    tcase_add_test(tests, spans_join_and_are_bounded);
    tcase_add_test(tests, clips_are_cut_from_the_ring);
    tcase_add_loop_test(tests, the_ring_keeps_what_a_clip_needs, 0, 2);
    tcase_add_test(tests, clips_that_are_held_starve_the_ring_and_are_counted);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
