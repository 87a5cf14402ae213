/* Memory and threads that run out while the streaming work is opened, works and ends: the n-th allocation or
 * thread fails, for every n until none does. What is left behind is found by LeakSanitizer. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "check_main.h"
#include "doubles/gate_detector.h"
#include "doubles/shortage.h"
#include "picture_case.h"
#include "serve/work.h"

enum { WORKERS = 2, JOBS = 2 * WORKERS };

static gate_detector gate;
static struct bytes picture;
static vd_mutex lock;
static vd_cond woken;
static int wakes; /* guarded by lock */

static int open_detector(void *context, int width, int height, vd_detector **ret_detector, vd_error *error)
{
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    (void)context;
    (void)width;
    (void)height;
    options.ops = &gate_ops;
    options.config = &gate;
    options.max_workers = WORKERS;
    return vd_detector_new(&options, ret_detector, error);
}

static void wake(void *context)
{
    (void)context;
    vd_mutex_lock(&lock);
    wakes++;
    vd_cond_broadcast(&woken);
    vd_mutex_unlock(&lock);
}

static void await_wakes(int count)
{
    vd_mutex_lock(&lock);
    int64_t deadline_ns = vd_clock_deadline_ns(20 * VD_NS_PER_S);
    while (wakes < count && vd_cond_wait_until(&woken, &lock, deadline_ns))
        ;
    vd_mutex_unlock(&lock);
}

static void work_for_a_while(vd_work *work, vd_job *jobs[JOBS])
{
    int room = vd_work_room(work);
    wakes = 0;
    expect(room >= 2 && room <= JOBS);
    for (int i = 0; i < room; i++)
        vd_work_submit(work, jobs[i]);
    for (int i = room; i < JOBS; i++)
        vd_job_free(&jobs[i]);
    await_wakes(room);
    int back = 0;
    for (vd_job *job = vd_work_take(work); job; job = vd_work_take(work)) {
        expect(job->code == VD_OK || (job->code == VD_ENOMEM && job->error.text[0]));
        expect((job->code == VD_OK) == (job->result != NULL));
        vd_job_free(&job);
        back++;
    }
    expect(back == room && vd_work_room(work) == room);
    vd_work_level(work, 0, vd_clock_now_ns());
}

static void make_jobs(vd_job *jobs[JOBS])
{
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = vd_job_new();
        ck_assert_ptr_nonnull(jobs[i]);
        jobs[i]->bytes = malloc(picture.size);
        memcpy(jobs[i]->bytes, picture.at, picture.size);
        jobs[i]->size = picture.size;
        jobs[i]->level = i;
    }
}

START_TEST(any_may_fail)
{
    static const vd_serve_options serve = {.open_detector = open_detector};
    static const vd_work_options options = {
        .serve = &serve, .limits = {.bytes = 10000, .pixels = 10000}, .wake = wake};
    struct shortage *shortage = _i ? &short_threads : &short_memory;
    int refused = 0, n = 1;
    for (; n < 1000; n++) {
        vd_work *work = NULL;
        vd_error error = {0};
        vd_job *jobs[JOBS];
        make_jobs(jobs);
        shortage_begin(shortage, n, false);
        int code = vd_work_open(&options, &work, &error);
        expect(code == VD_OK || (code == VD_ENOMEM && !work && error.text[0]));
        if (work)
            work_for_a_while(work, jobs);
        for (int i = 0; !work && i < JOBS; i++)
            vd_job_free(&jobs[i]);
        vd_work_free(&work);
        shortage_end(shortage);
        ck_assert_msg(broken == 0, "the %dth: %d wrong, code %d: %s", n, broken, code, error.text);
        refused += code == VD_ENOMEM;
        if (atomic_load(&shortage->failed) == 0)
            break;
    }
    ck_assert_int_lt(n, 1000);
    ck_assert_int_gt(refused, _i ? 1 : 10);
    ck_assert_int_eq(gate_read(&gate, &gate.opened), gate_read(&gate, &gate.ended));
}
END_TEST

static void set_up(void)
{
    static const uint8_t pixels[16 * 12];
    picture = make_grey_png(pixels, 16, 12);
    gate_init(&gate);
    ck_assert_int_eq(vd_mutex_init(&lock, VD_RANK_WAKE), VD_OK);
    ck_assert_int_eq(vd_cond_init(&woken), VD_OK);
}

static void tear_down(void)
{
    free(picture.at);
    gate_fini(&gate);
    vd_cond_fini(&woken);
    vd_mutex_fini(&lock);
}

static Suite *make_suite(void)
{
    Suite *suite = suite_create("serve_work_alloc");
    TCase *alloc = tcase_create("failures");
    tcase_add_checked_fixture(alloc, set_up, tear_down);
    tcase_add_loop_test(alloc, any_may_fail, 0, 2);
    tcase_set_timeout(alloc, 100);
    suite_add_tcase(suite, alloc);
    return suite;
}

TEST_MAIN(make_suite)
