/* Cameras with more events than stage 2 can look at: its workers hang, clips wait and hold the cameras'
 * pictures. New events are submitted all the same, the oldest are dropped, and each is counted once. */
#include "base/thread.h"
#include "camera_case.h"
#include "pipeline/camera_state.h"

enum { STEP = 18, SIDE = 16, CLASSES = 8 };

/* Objects in a grid that all are elsewhere, and of another class, every so many frames: new tracks, and so
 * new events. */
struct crowd {
    int columns, rows, width, height, frames;
};

static int open_crowd(const void *config, void **ret_state, vd_labels **ret_labels, vd_error *error)
{
    const char *names[CLASSES] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    (void)error;
    *ret_state = (void *)config;
    return vd_labels_new(names, CLASSES, ret_labels);
}

static int detect_crowd(void *state, const vd_image *image, vd_result *result, vd_error *error)
{
    const struct crowd *crowd = state;
    int cell_width = crowd->width / crowd->columns, cell_height = crowd->height / crowd->rows;
    int turn = (int)(fake_source_index(image) / crowd->frames), across = cell_width / STEP;
    float x = (float)(turn % across * STEP), y = (float)(turn / across % (cell_height / STEP) * STEP);
    (void)error;
    result->count = 0;
    for (int row = 0; row < crowd->rows; row++)
        for (int column = 0; column < crowd->columns; column++) {
            float left = x + (float)(column * cell_width), top = y + (float)(row * cell_height);
            result->candidates[result->count++] = (vd_detection){
                .box = {left, top, left + SIDE, top + SIDE}, .score = 0.9f, .class_id = turn % CLASSES};
        }
    return VD_OK;
}

static void close_crowd(void *state)
{
    (void)state;
}

static const vd_detector_ops crowd_ops = {
    .open = open_crowd, .detect = detect_crowd, .close = close_crowd, .name = "crowd"};

static vd_camera *open_of_crowd(const struct crowd *crowd, vd_verifier *verifier)
{
    char address[64];
    snprintf(address, sizeof address, "fake:frames=100000,width=%d,height=%d", crowd->width, crowd->height);
    vd_camera_options options = options_of(address);
    options.ops = &crowd_ops;
    options.config = crowd;
    options.verifier = verifier;
    vd_camera *camera = open_camera(&options);
    vd_camera_set_speed(camera, 2);
    return camera;
}

/* One worker, which never answers. */
static vd_verifier *open_hanging(int queue_size)
{
    vd_verify_options options = VD_VERIFY_OPTIONS_INIT;
    vd_verifier *verifier = NULL;
    vd_error error = {0};
    vd_text_copy(options.model_type, sizeof options.model_type, "test:hang");
    vd_text_copy(options.worker_program, sizeof options.worker_program, VD_VERIFIER);
    options.input_width = options.input_height = 64;
    options.max_workers = 1;
    options.queue_size = queue_size;
    options.result_queue_size = 1000;
    options.worker_timeout_s = 300;
    ck_assert_msg(vd_verifier_new(&options, NULL, NULL, &verifier, &error) == VD_OK, "%s", error.text);
    return verifier;
}

static vd_verify_stats ledger(vd_verifier *verifier)
{
    vd_verify_stats stats = vd_verifier_get_stats(verifier);
    ck_assert_uint_eq(stats.submitted, stats.verified + stats.rejected + stats.unverified + stats.dropped +
                                           (uint64_t)stats.pending_requests);
    ck_assert_int_le(stats.queue_length, stats.queue_size);
    return stats;
}

/* What became of a camera's events. Ids of requests: those of the newest that was dropped, of the oldest that
 * waits and of the newest of all. */
struct fates {
    uint64_t events, asked, dropped, unasked, pending, last_dropped, first_pending, last;
};

static struct fates fates_of(vd_camera *camera)
{
    static vd_event all[VD_EVENTS_MOST];
    struct fates fates = {.first_pending = UINT64_MAX};
    fates.events = vd_camera_get_events(camera, 0, NULL, all, VD_EVENTS_MOST);
    for (size_t i = 0; i < fates.events; i++) {
        const vd_event *event = &all[i];
        bool dropped = event->verdict == VD_VERDICT_UNVERIFIED && event->cause == VD_CAUSE_DROPPED;
        fates.asked += event->request > 0;
        fates.unasked += dropped && event->request == 0;
        fates.last = event->request > fates.last ? event->request : fates.last;
        if (dropped && event->request > 0) {
            fates.dropped++;
            fates.last_dropped = event->request > fates.last_dropped ? event->request : fates.last_dropped;
        } else if (event->verdict == VD_VERDICT_PENDING) {
            fates.pending++;
            fates.first_pending = event->request < fates.first_pending ? event->request : fates.first_pending;
        } else {
            ck_assert_int_eq(event->verdict, dropped ? VD_VERDICT_UNVERIFIED : VD_VERDICT_NONE);
        }
        vd_event_clear(&all[i]);
    }
    return fates;
}

/* The pool of a camera's pictures has not grown. */
static void check_pictures(vd_camera *camera)
{
    vd_mutex_lock(&camera->lock);
    vd_frame_pool_stats stats = vd_frame_pool_get_stats(camera->clips.pool);
    int capacity = camera->clips.capacity, count = camera->clips.count;
    vd_mutex_unlock(&camera->lock);
    ck_assert_int_eq(stats.capacity, capacity);
    ck_assert_int_eq(stats.grown, 0);
    ck_assert_int_gt(count, 0);
}

/* Until every event has asked and every drop has reached its event, with nothing new coming. */
static void settle(vd_camera *camera, vd_verifier *verifier, uint64_t others)
{
    vd_camera_set_playing(camera, false);
    UNTIL(fates_of(camera).asked + status_of(camera).events_unasked == status_of(camera).events);
    UNTIL(fates_of(camera).dropped == ledger(verifier).dropped);
    ck_assert_uint_eq(fates_of(camera).asked + others, ledger(verifier).submitted);
}

/* Six events every 0.8 s of the stream and 30 pictures, of which clips need 20. Another camera has asked
 * before: what waits of it is the oldest of all, and none of this camera's business. */
START_TEST(new_events_are_asked_about_and_the_oldest_dropped)
{
    static const struct crowd crowd = {3, 2, 640, 640, 20};
    vd_verifier *verifier = open_hanging(50);
    vd_camera_options options = options_of("fake:frames=60");
    options.verifier = verifier;
    vd_camera *other = open_camera(&options);
    UNTIL(ledger(verifier).submitted == 2 && fates_of(other).pending == 2);
    vd_camera *camera = open_of_crowd(&crowd, verifier);
    UNTIL(ledger(verifier).dropped >= 30);
    check_pictures(camera);
    settle(camera, verifier, 2);
    struct fates fates = fates_of(camera);
    printf("%llu events, %llu asked, %llu dropped, %llu wait\n", (unsigned long long)fates.events,
           (unsigned long long)fates.asked, (unsigned long long)fates.dropped,
           (unsigned long long)fates.pending);
    ck_assert_uint_eq(status_of(camera).events_unasked, 0);
    ck_assert_uint_eq(fates.asked, fates.events);
    ck_assert_uint_eq(fates.dropped + fates.pending, fates.asked);
    ck_assert_uint_ge(fates.pending, 6);
    ck_assert_uint_lt(fates.last_dropped, fates.first_pending);
    ck_assert_uint_eq(status_of(camera).clips_forgotten, 0);
    struct fates others = fates_of(other);
    ck_assert(others.pending == 2 && others.asked == 2 && others.dropped == 0 && others.unasked == 0);
    check_pictures(camera);
    vd_camera_close(&camera);
    vd_camera_close(&other);
    ck_assert(vd_camera_join_closed(5 * VD_NS_PER_S));
    ledger(verifier);
    vd_verifier_free(&verifier);
}
END_TEST

/* A hundred and fifty at once, which share their pictures: more than may wait for a verdict. Those that
 * cannot even ask are counted by the camera, and by nobody else. */
START_TEST(who_cannot_ask_is_counted_once)
{
    static const struct crowd crowd = {15, 10, 640, 360, 60};
    vd_verifier *verifier = open_hanging(1000);
    vd_camera *camera = open_of_crowd(&crowd, verifier);
    UNTIL(status_of(camera).events_unasked > 0);
    settle(camera, verifier, 0);
    struct fates fates = fates_of(camera);
    printf("%llu events, %llu asked, %llu never, %llu dropped\n", (unsigned long long)fates.events,
           (unsigned long long)fates.asked, (unsigned long long)fates.unasked,
           (unsigned long long)fates.dropped);
    ck_assert_uint_lt(fates.events, VD_EVENTS_MOST);
    ck_assert_uint_eq(fates.unasked, status_of(camera).events_unasked);
    ck_assert_uint_eq(fates.asked + fates.unasked, fates.events);
    ck_assert_uint_eq(fates.dropped + fates.pending, fates.asked);
    check_pictures(camera);
    vd_camera_close(&camera);
    ck_assert(vd_camera_join_closed(5 * VD_NS_PER_S));
    vd_verifier_free(&verifier);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("camera_backlog");
    TCase *tests = tcase_create("backlog");
    tcase_set_timeout(tests, 90);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, new_events_are_asked_about_and_the_oldest_dropped);
    tcase_add_test(tests, who_cannot_ask_is_counted_once);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
