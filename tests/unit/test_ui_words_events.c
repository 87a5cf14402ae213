/* What the window says of events, of the operator's figures and of stage 2. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check_main.h"
#include "ui/words_events.h"

static char out[768];

static vd_event live_event(void)
{
    vd_event event = {
        .id = 3, .confidence = 0.87f, .opened_s = 41.7, .opened_unix_ms = INT64_C(1700000007250)};
    strcpy(event.class_name, "person");
    return event;
}

START_TEST(times)
{
    vd_event event = live_event();
    ck_assert_int_eq(setenv("TZ", "UTC", 1), 0);
    tzset();
    vd_words_event_time(out, sizeof out, &event, 0);
    ck_assert_str_eq(out, "22:13:27");
    vd_words_event_time(out, sizeof out, &event, VD_EVENT_OF_FILE);
    ck_assert_str_eq(out, "00:41");
}
END_TEST

static const struct {
    vd_verdict verdict;
    vd_verdict_cause cause;
    bool shadow;
    unsigned terms;
    const char *words;
} VERDICTS[] = {
    {VD_VERDICT_NONE, VD_CAUSE_NONE, false, 0, ""},
    {VD_VERDICT_NONE, VD_CAUSE_NONE, false, VD_EVENT_STAGE2, "… pending"},
    {VD_VERDICT_PENDING, VD_CAUSE_NONE, false, VD_EVENT_STAGE2, "… pending"},
    {VD_VERDICT_VERIFIED, VD_CAUSE_NONE, false, VD_EVENT_STAGE2, "✓ verified 0.12"},
    {VD_VERDICT_REJECTED, VD_CAUSE_NONE, false, VD_EVENT_STAGE2, "✕ rejected 0.12"},
    {VD_VERDICT_REJECTED, VD_CAUSE_NONE, true, VD_EVENT_STAGE2, "✕ rejected 0.12 · shadow"},
    {VD_VERDICT_UNVERIFIED, VD_CAUSE_TIMED_OUT, false, VD_EVENT_STAGE2, "? unverified: timed out (0.12)"},
    {VD_VERDICT_UNVERIFIED, VD_CAUSE_FAILED, false, VD_EVENT_STAGE2, "? unverified: failed (0.12)"},
    {VD_VERDICT_UNVERIFIED, VD_CAUSE_STOPPED, false, VD_EVENT_STAGE2, "? unverified: stopped"},
    {VD_VERDICT_UNVERIFIED, VD_CAUSE_DROPPED, false, VD_EVENT_STAGE2, "? unverified: dropped"},
    {VD_VERDICT_UNVERIFIED, VD_CAUSE_DEGRADED, false, VD_EVENT_STAGE2, "? unverified: degraded (0.12)"}};

START_TEST(verdicts)
{
    vd_event event = live_event();
    event.verdict = VERDICTS[_i].verdict;
    event.cause = VERDICTS[_i].cause;
    event.shadow = VERDICTS[_i].shadow;
    event.score = 0.12f;
    vd_words_verdict(out, sizeof out, &event, VERDICTS[_i].terms);
    ck_assert_str_eq(out, VERDICTS[_i].words);
}
END_TEST

START_TEST(whole_events)
{
    char small[12];
    vd_event event = live_event();
    vd_words_event(out, sizeof out, &event, VD_EVENT_OF_FILE);
    ck_assert_str_eq(out, "person, 00:41, confidence 0.87");
    event.verdict = VD_VERDICT_VERIFIED;
    event.score = 0.93f;
    event.judgement = VD_JUDGEMENT_FALSE_ALARM;
    vd_words_event(out, sizeof out, &event, VD_EVENT_OF_FILE | VD_EVENT_STAGE2);
    ck_assert_str_eq(out, "person, 00:41, confidence 0.87, ✓ verified 0.93, false alarm");
    ck_assert_str_eq(vd_words_judgement(VD_JUDGEMENT_CONFIRMED), "Confirmed");
    ck_assert_str_eq(vd_words_judgement(VD_JUDGEMENT_NONE), "");
    event = live_event();
    event.verdict = VD_VERDICT_UNVERIFIED;
    event.cause = VD_CAUSE_FAILED;
    event.score = 0.6f;
    vd_words_event(out, sizeof out, &event, VD_EVENT_OF_FILE | VD_EVENT_STAGE2);
    ck_assert_str_eq(out,
                     "person, 00:41, confidence 0.87, ? unverified: failed (0.60): how well its detections "
                     "agree");
    event = live_event();
    strcpy(event.class_name, "ääääääää"); /* cut between characters */
    vd_words_event(small, sizeof small, &event, 0);
    ck_assert_str_eq(small, "äääää");
}
END_TEST

START_TEST(precision_and_recall)
{
    vd_event_figures figures = {
        .events = 1, .precision_before = NAN, .precision_after = NAN, .recall_after = NAN};
    vd_words_events(out, sizeof out, &figures);
    ck_assert_str_eq(out, "1 event · 0 judged");
    vd_words_precision(out, sizeof out, &figures, true);
    ck_assert_ptr_nonnull(strstr(out, "C confirms"));
    figures = (vd_event_figures){
        .events = 14, .judged = 6, .precision_before = 0.5, .precision_after = 0.75, .recall_after = 0.954};
    vd_words_events(out, sizeof out, &figures);
    ck_assert_str_eq(out, "14 events · 6 judged");
    vd_words_precision(out, sizeof out, &figures, true);
    ck_assert_str_eq(out, "Precision 0.50 → 0.75 · recall 0.95");
    vd_words_precision(out, sizeof out, &figures, false);
    ck_assert_str_eq(out, "Precision 0.50");
    figures.precision_after = figures.recall_after = NAN; /* all judged were rejected, none confirmed */
    vd_words_precision(out, sizeof out, &figures, true);
    ck_assert_str_eq(out, "Precision 0.50 → – · recall –");
}
END_TEST

START_TEST(stage2)
{
    vd_verify_stats stats = {.workers = 1, .max_workers = 2};
    vd_camera_status status = {.clips_waiting = 4, .clips_forgotten = 7};
    vd_words_stage2(out, sizeof out, &stats, &status);
    ck_assert_str_eq(out, "Verifying 0 · workers 1/2");
    stats.pending_requests = 2;
    stats.oldest_s = 0.41;
    stats.dropped = 1;
    stats.timeouts = 2;
    vd_words_stage2(out, sizeof out, &stats, &status);
    ck_assert_str_eq(out, "Verifying 2 · oldest 0.4 s · 1 dropped · 2 timed out · workers 1/2");
    status.events_unasked = 3;
    vd_words_stage2(out, sizeof out, &stats, &status);
    ck_assert_str_eq(out,
                     "Verifying 2 · oldest 0.4 s · 1 dropped · 3 never asked · 2 timed out · workers 1/2");
    vd_words_stage2_full(out, sizeof out, &stats, &status);
    ck_assert_ptr_nonnull(strstr(out, "none that runs"));
    ck_assert_ptr_null(strstr(out, "A verdict takes"));
    ck_assert_ptr_nonnull(strstr(
        out, "without a verdict yet 4; pictures for clips that found no room 7; events never asked about 3"));
    strcpy(stats.model, "road-verifier");
    stats.verified = 3;
    stats.p50_s = 0.12;
    stats.p99_s = 0.3;
    stats.avg_processing_s = 0.085;
    vd_words_stage2_full(out, sizeof out, &stats, &status);
    ck_assert_ptr_nonnull(strstr(out, "Second model: road-verifier\nVerified 3, rejected 0"));
    ck_assert_ptr_nonnull(strstr(out, "A verdict takes 120 ms, 99 of 100 are there in 300 ms; "
                                      "a worker is at it for 85 ms on average"));
}
END_TEST

START_TEST(degraded)
{
    vd_verify_stats stats = {.max_workers = 2};
    const vd_camera_status status = {0};
    strcpy(stats.degraded_why.place, "/models/late.onnx");
    strcpy(stats.degraded_why.text, "It cannot be found.");
    vd_words_degraded(out, sizeof out, &stats, false);
    ck_assert_str_eq(out, "");
    stats.degraded = true;
    vd_words_degraded(out, sizeof out, &stats, false);
    ck_assert_str_eq(out,
                     "Stage 2 is degraded, so events stay unverified. /models/late.onnx: It cannot be found. "
                     "It is tried again by itself.");
    vd_words_degraded(out, sizeof out, &stats, true);
    ck_assert_str_eq(out, "Stage 2 is degraded. late.onnx: It cannot be found.");
    vd_words_stage2(out, sizeof out, &stats, &status);
    ck_assert_str_eq(out, "Not verifying, degraded · workers 0/2");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("ui_words_events");
    TCase *words = tcase_create("words");
    tcase_add_test(words, times);
    tcase_add_loop_test(words, verdicts, 0, (int)(sizeof VERDICTS / sizeof VERDICTS[0]));
    tcase_add_test(words, whole_events);
    tcase_add_test(words, precision_and_recall);
    tcase_add_test(words, stage2);
    tcase_add_test(words, degraded);
    suite_add_tcase(suite, words);
    return suite;
}

TEST_MAIN(make_suite)
