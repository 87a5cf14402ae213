#include "pipeline/timeline.h"

#include "check_main.h"
#include "frame/result.h"

enum { FPS = 25 };

static vd_frame_pool *frames;
static vd_result_pool *results;
static vd_timeline timeline;
static uint32_t serial;

static void setup(void)
{
    ck_assert_int_eq(vd_frame_pool_new(VD_PIXEL_I420, 16, 16, 40, &frames), VD_OK);
    ck_assert_int_eq(vd_result_pool_new(4, &results), VD_OK);
    vd_timeline_init(&timeline, 32);
}

static void teardown(void)
{
    vd_timeline_fini(&timeline);
    vd_frame_pool_free(&frames);
    vd_result_pool_free(&results);
}

static void push(int from, int count)
{
    for (int i = from; i < from + count; i++) {
        vd_frame *frame;
        ck_assert_int_eq(vd_frame_pool_take(frames, &frame), VD_OK);
        frame->index = i;
        frame->serial = serial;
        frame->time_s = (double)i / FPS;
        frame->duration_s = 1.0 / FPS;
        vd_timeline_push(&timeline, frame);
    }
}

static const struct vd_timeline_entry *submit(double now_s, double latency_s)
{
    const struct vd_timeline_entry *entry = vd_timeline_next_of_file(&timeline, now_s, latency_s);
    if (entry)
        vd_timeline_mark_submitted(&timeline, entry);
    return entry;
}

static void complete(const vd_moment *at)
{
    vd_result *result;
    ck_assert_int_eq(vd_result_pool_take(results, &result), VD_OK);
    vd_timeline_add_result(&timeline, at, result);
}

START_TEST(fast_detection_takes_every_frame)
{
    push(0, 10);
    for (int i = 0; i < 8; i++) {
        const struct vd_timeline_entry *entry = submit((i - 4) / (double)FPS, 0.01);
        ck_assert_ptr_nonnull(entry);
        ck_assert_int_eq(entry->frame->index, i);
    }
    ck_assert_uint_eq(timeline.skipped, 0);
}
END_TEST

START_TEST(slow_detection_jumps_ahead_and_counts)
{
    push(0, 30);
    const struct vd_timeline_entry *first = submit(0, 0);
    ck_assert_int_eq(first->frame->index, 0);
    complete(&first->at);
    vd_timeline_show(&timeline);
    const struct vd_timeline_entry *second = submit(0, 0.08);
    ck_assert_int_eq(second->frame->index, 5); /* the first one at least 2.2 × 80 ms ahead */
    ck_assert_uint_eq(timeline.skipped, 4);
}
END_TEST

START_TEST(a_file_waits_for_the_reader_before_it_jumps)
{
    push(0, 3);
    const struct vd_timeline_entry *first = submit(0, 0);
    complete(&first->at);
    vd_timeline_show(&timeline);
    ck_assert_ptr_null(vd_timeline_next_of_file(&timeline, 0, 0.5));
    timeline.ended = true;
    ck_assert_int_eq(vd_timeline_next_of_file(&timeline, 0, 0.5)->frame->index,
                     2); /* the last closes the span */
}
END_TEST

START_TEST(live_detects_the_newest)
{
    push(0, 3);
    const struct vd_timeline_entry *entry = vd_timeline_next_live(&timeline);
    ck_assert_int_eq(entry->frame->index, 2);
    vd_timeline_mark_submitted(&timeline, entry);
    ck_assert_uint_eq(timeline.skipped, 2);
    ck_assert_ptr_null(vd_timeline_next_live(&timeline));
    while (timeline.count > 0)
        vd_timeline_show(&timeline);
    ck_assert_ptr_null(vd_timeline_next_live(&timeline));
}
END_TEST

START_TEST(coverage_is_own_or_between)
{
    push(0, 6);
    vd_moment at[6];
    for (int i = 0; i < 6; i++)
        at[i] = vd_timeline_peek(&timeline, i)->at;
    ck_assert(!vd_timeline_is_covered(&timeline, &at[0]));
    complete(&at[0]);
    ck_assert(vd_timeline_is_covered(&timeline, &at[0]));
    ck_assert(!vd_timeline_is_covered(&timeline, &at[1]));
    complete(&at[3]);
    ck_assert(vd_timeline_is_covered(&timeline, &at[1]));
    ck_assert(!vd_timeline_is_covered(&timeline, &at[4]));
    ck_assert_double_eq_tol(vd_timeline_covered_until_s(&timeline, &at[0]), 3.0 / FPS, 1e-9);

    const struct vd_timeline_result *before, *after;
    vd_timeline_around(&timeline, &at[2], &before, &after);
    ck_assert_uint_eq(before->at.order, at[0].order);
    ck_assert_uint_eq(after->at.order, at[3].order);
    vd_timeline_around(&timeline, &at[3], &before, &after);
    ck_assert_ptr_eq(before, after);
    vd_timeline_around(&timeline, &at[5], &before, &after); /* beyond: the last two */
    ck_assert_uint_eq(before->at.order, at[0].order);
    ck_assert_uint_eq(after->at.order, at[3].order);
}
END_TEST

START_TEST(a_failed_detection_covers_but_draws_nothing)
{
    push(0, 3);
    vd_moment at = vd_timeline_peek(&timeline, 1)->at;
    vd_timeline_add_result(&timeline, &at, NULL);
    ck_assert(vd_timeline_is_covered(&timeline, &at));
    const struct vd_timeline_result *before, *after;
    vd_timeline_around(&timeline, &at, &before, &after);
    ck_assert_ptr_null(before);
    ck_assert_ptr_null(after);
}
END_TEST

START_TEST(another_model_asks_anew)
{
    push(0, 4);
    for (int i = 0; i < 3; i++) {
        const struct vd_timeline_entry *entry = submit(0, 0);
        complete(&entry->at);
    }
    vd_timeline_show(&timeline);
    vd_timeline_forget_results(&timeline);
    ck_assert(!vd_timeline_is_covered(&timeline, &timeline.shown.at));
    ck_assert_int_eq(vd_timeline_next_of_file(&timeline, 0, 0)->frame->index, 0);
}
END_TEST

START_TEST(frames_of_a_seek_are_forgotten_and_given_back)
{
    push(0, 8);
    vd_timeline_show(&timeline);
    vd_timeline_flush(&timeline);
    ck_assert_int_eq(timeline.count, 0);
    ck_assert_int_eq(vd_frame_pool_get_stats(frames).available, 39); /* all but the one shown */
    serial++;
    push(100, 1);
    ck_assert_int_eq(vd_timeline_next_of_file(&timeline, 0, 0.1)->frame->index, 100);
    ck_assert_uint_eq(timeline.skipped, 0);
}
END_TEST

START_TEST(a_frame_seen_before_a_seek_is_recalled)
{
    push(0, 3);
    vd_moment at = vd_timeline_peek(&timeline, 1)->at;
    complete(&at);
    ck_assert_ptr_null(vd_timeline_recall(&timeline, &at)); /* its own result is no memory */
    vd_timeline_flush(&timeline);
    serial++;
    push(0, 3);
    ck_assert_ptr_null(vd_timeline_recall(&timeline, &vd_timeline_peek(&timeline, 0)->at));
    ck_assert_ptr_nonnull(vd_timeline_recall(&timeline, &vd_timeline_peek(&timeline, 1)->at));
}
END_TEST

START_TEST(a_frame_that_is_due_is_not_kept_waiting_for_the_reader)
{
    push(0, 1);
    complete(&submit(0, 0)->at);
    vd_timeline_show(&timeline);
    push(1, 2); /* decoding is slower than the file: all that was read is late */
    const struct vd_timeline_entry *entry = submit(0.2, 0.01);
    ck_assert_ptr_nonnull(entry);
    ck_assert_int_eq(entry->frame->index, 2); /* the newest covers them all */
}
END_TEST

START_TEST(slow_detection_jumps_ahead_in_the_next_round_too)
{
    push(0, 5);
    serial++;
    push(0, 20);
    complete(&submit(0, 0)->at);
    vd_timeline_show(&timeline);
    ck_assert_int_eq(submit(0, 0.08)->frame->index, 4);    /* the round's last closes it */
    ck_assert_int_eq(submit(0.16, 0.08)->frame->index, 0); /* and the next one's first opens that */
    ck_assert_int_eq(submit(0.16, 0.08)->frame->index, 4); /* not 1: it would come too late */
}
END_TEST

START_TEST(frames_passed_over_are_counted_once)
{
    push(0, 8);
    complete(&submit(0, 0)->at);
    vd_timeline_show(&timeline);
    submit(0, 0.08); /* 1 to 4 are passed over */
    ck_assert_uint_eq(timeline.skipped, 4);
    vd_timeline_forget_results(&timeline); /* another model: the same frames once more */
    submit(0, 0);
    submit(0, 0.08);
    ck_assert_uint_eq(timeline.skipped, 4);
}
END_TEST

START_TEST(boxes_of_another_picture_size_belong_to_another_picture)
{
    const struct vd_timeline_result *before, *after;
    vd_frame_pool *larger;
    vd_frame *frame;
    push(0, 2);
    complete(&vd_timeline_peek(&timeline, 1)->at);
    ck_assert_int_eq(vd_frame_pool_new(VD_PIXEL_I420, 32, 32, 1, &larger), VD_OK);
    ck_assert_int_eq(vd_frame_pool_take(larger, &frame), VD_OK);
    frame->serial = serial;
    frame->time_s = 2.0 / FPS;
    vd_timeline_push(&timeline, frame);
    push(3, 2);
    vd_moment small = vd_timeline_peek(&timeline, 0)->at, large = vd_timeline_peek(&timeline, 2)->at;
    vd_timeline_around(&timeline, &large, &before, &after);
    ck_assert_ptr_null(after);
    complete(&vd_timeline_peek(&timeline, 4)->at); /* small again */
    vd_timeline_around(&timeline, &large, &before, &after);
    ck_assert(!before && !after);
    vd_timeline_around(&timeline, &small, &before, &after);
    ck_assert_uint_eq(after->at.order, small.order + 1);
    vd_frame_pool_free(&larger);
}
END_TEST

START_TEST(results_are_forgotten_oldest_first)
{
    for (int i = 0; i < VD_TIMELINE_RESULTS + 10; i++) {
        push(i, 1);
        const struct vd_timeline_entry *entry = submit(0, 0);
        complete(&entry->at);
        vd_timeline_show(&timeline);
    }
    ck_assert_int_eq(timeline.result_count, VD_TIMELINE_RESULTS);
    ck_assert(vd_timeline_is_covered(&timeline, &timeline.shown.at));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("timeline");
    TCase *tests = tcase_create("timeline");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, fast_detection_takes_every_frame);
    tcase_add_test(tests, slow_detection_jumps_ahead_and_counts);
    tcase_add_test(tests, a_file_waits_for_the_reader_before_it_jumps);
    tcase_add_test(tests, live_detects_the_newest);
    tcase_add_test(tests, coverage_is_own_or_between);
    tcase_add_test(tests, a_failed_detection_covers_but_draws_nothing);
    tcase_add_test(tests, another_model_asks_anew);
    tcase_add_test(tests, frames_of_a_seek_are_forgotten_and_given_back);
    tcase_add_test(tests, a_frame_seen_before_a_seek_is_recalled);
    tcase_add_test(tests, a_frame_that_is_due_is_not_kept_waiting_for_the_reader);
    tcase_add_test(tests, slow_detection_jumps_ahead_in_the_next_round_too);
    tcase_add_test(tests, frames_passed_over_are_counted_once);
    tcase_add_test(tests, boxes_of_another_picture_size_belong_to_another_picture);
    tcase_add_test(tests, results_are_forgotten_oldest_first);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
