/* The work behind the streaming sessions, on a detector that can be held at a gate. */
#include "serve/work.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "check_main.h"
#include "doubles/gate_detector.h"
#include "picture_case.h"

enum { WORKERS = 2, ROOM = 2 * WORKERS, OWN_WIDTH = 640, OWN_HEIGHT = 480, SIZES = 8 };

/* A detector of an input size; the gate behind all of them is the same. */
struct sized {
    int width, height;
    int calls; /* guarded by the gate's lock */
};

struct state {
    struct sized *size;
    void *inner;
};

static gate_detector gate;
static struct sized sizes[SIZES];
static int size_count, refused_width, refusal;
static struct bytes picture;

/* Wakes, counted; a test waits for their number. */
static vd_mutex wake_lock;
static vd_cond woken;
static int wakes;

static int open_state(const void *config, void **ret_state, vd_labels **ret_labels, vd_error *error)
{
    struct state *state = calloc(1, sizeof *state);
    if (!state)
        return VD_ENOMEM;
    state->size = (struct sized *)config;
    int code = gate_ops.open(&gate, &state->inner, ret_labels, error);
    if (code)
        free(state);
    else
        *ret_state = state;
    return code;
}

static int detect(void *context, const vd_image *image, vd_result *result, vd_error *error)
{
    struct state *state = context;
    int code = gate_ops.detect(state->inner, image, result, error);
    vd_mutex_lock(&gate.lock);
    state->size->calls++;
    vd_mutex_unlock(&gate.lock);
    result->input_width = state->size->width;
    result->input_height = state->size->height;
    return code;
}

static void close_state(void *context)
{
    struct state *state = context;
    gate_ops.close(state->inner);
    free(state);
}

static const vd_detector_ops ops = {
    .open = open_state, .detect = detect, .close = close_state, .name = "double"};

static int workers = WORKERS;

static int open_detector(void *context, int width, int height, vd_detector **ret_detector, vd_error *error)
{
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    (void)context;
    struct sized *size = &sizes[size_count++];
    *size = (struct sized){.width = width ? width : OWN_WIDTH, .height = height ? height : OWN_HEIGHT};
    if (width == refused_width)
        return vd_error_set(error, refusal, NULL, "The double refuses %d.", width);
    options.ops = &ops;
    options.config = size;
    options.max_workers = workers;
    return vd_detector_new(&options, ret_detector, error);
}

static void wake(void *context)
{
    (void)context;
    vd_mutex_lock(&wake_lock);
    wakes++;
    vd_cond_broadcast(&woken);
    vd_mutex_unlock(&wake_lock);
}

static void await_wakes(int count)
{
    int64_t deadline_ns = vd_clock_deadline_ns(20 * VD_NS_PER_S);
    vd_mutex_lock(&wake_lock);
    while (wakes < count && vd_cond_wait_until(&woken, &wake_lock, deadline_ns))
        ;
    ck_assert_int_ge(wakes, count);
    vd_mutex_unlock(&wake_lock);
}

static const vd_serve_options serve = {.open_detector = open_detector};
static const vd_work_options options = {
    .serve = &serve, .limits = {.bytes = 1000000, .pixels = 1000000}, .wake = wake};

static void set_up(void)
{
    static uint8_t pixels[40 * 30];
    for (int y = 10; y < 20; y++)
        memset(pixels + 40 * y + 8, 200, 16);
    picture = make_grey_png(pixels, 40, 30);
    gate_init(&gate);
    ck_assert_int_eq(vd_mutex_init(&wake_lock, VD_RANK_WAKE), VD_OK);
    ck_assert_int_eq(vd_cond_init(&woken), VD_OK);
    refused_width = -1;
    refusal = VD_EINVAL;
    size_count = wakes = 0;
    workers = WORKERS;
}

static void tear_down(void)
{
    free(picture.at);
    gate_fini(&gate);
    vd_cond_fini(&woken);
    vd_mutex_fini(&wake_lock);
}

static vd_work *open_work(void)
{
    vd_work *work = NULL;
    vd_error error = {0};
    ck_assert_msg(vd_work_open(&options, &work, &error) == VD_OK, "%s", error.text);
    ck_assert_int_eq(vd_work_room(work), 2 * workers);
    return work;
}

static vd_job *make_job(const void *bytes, size_t size, vd_quality_mode mode, int level)
{
    vd_job *job = vd_job_new();
    ck_assert_ptr_nonnull(job);
    job->bytes = malloc(size);
    memcpy(job->bytes, bytes, size);
    job->size = size;
    job->mode = mode;
    job->level = level;
    job->fps = 10;
    job->received_ns = job->due_ns = job->started_ns = vd_clock_now_ns();
    return job;
}

static void submit(vd_work *work, vd_quality_mode mode, int level)
{
    vd_work_submit(work, make_job(picture.at, picture.size, mode, level));
}

static vd_job *await_job(vd_work *work, int wakes_so_far)
{
    await_wakes(wakes_so_far);
    vd_job *job = vd_work_take(work);
    ck_assert_ptr_nonnull(job);
    return job;
}

/* Takes so many jobs that succeeded; `wakes` since the test began are at least so many. */
static void await_all(vd_work *work, int count, int wakes_then)
{
    await_wakes(wakes_then);
    for (int i = 0; i < count; i++) {
        vd_job *job = vd_work_take(work);
        ck_assert_ptr_nonnull(job);
        ck_assert_msg(job->code == VD_OK, "%s", job->error.text);
        vd_job_free(&job);
    }
    ck_assert_ptr_null(vd_work_take(work));
}

/* What a folder of the system lists, and whose file `comm` begins with `name`, unless that is NULL. */
static int count_entries(const char *folder, const char *name)
{
    int count = 0;
    DIR *entries = opendir(folder);
    ck_assert_ptr_nonnull(entries);
    for (const struct dirent *entry; (entry = readdir(entries));) {
        char path[300], its_name[32] = "";
        snprintf(path, sizeof path, "%s/%s/comm", folder, entry->d_name);
        FILE *file = name ? fopen(path, "r") : NULL;
        if (file && fgets(its_name, sizeof its_name, file))
            count += strncmp(its_name, name, strlen(name)) == 0;
        count += !name;
        if (file)
            fclose(file);
    }
    closedir(entries);
    return count;
}

/* Threads name themselves when they have begun, and leave the system's list a moment after they are joined.
 */
static void expect_threads(const char *name, int count)
{
    int64_t end_ns = vd_clock_deadline_ns(20 * VD_NS_PER_S);
    while (count_entries("/proc/self/task", name) != count && vd_clock_now_ns() < end_ns)
        sched_yield();
    ck_assert_int_eq(count_entries("/proc/self/task", name), count);
}

/* --- Opening */

START_TEST(three_sizes_are_opened)
{
    vd_work *work = open_work();
    vd_work_stats stats = vd_work_get_stats(work);
    expect_threads("vd-serve-", WORKERS);
    ck_assert_int_eq(stats.sizes, 3);
    ck_assert_int_eq(stats.workers, WORKERS);
    ck_assert_str_eq(stats.model, "double");
    static const int expected[3][2] = {{640, 480}, {480, 352}, {320, 256}};
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(stats.inputs[i].width, expected[i][0]);
        ck_assert_int_eq(stats.inputs[i].height, expected[i][1]);
    }
    vd_labels *labels = vd_work_labels(work);
    ck_assert_str_eq(vd_labels_name(labels, 1), "bright");
    vd_labels_unref(&labels);
    ck_assert(vd_work_thresholds(work).confidence > 0);
    vd_work_free(&work);
    ck_assert_ptr_null(work);
    vd_work_free(&work);
}
END_TEST

START_TEST(a_refused_size_keeps_the_next_larger)
{
    static const struct {
        int refused, sizes, middle, small; /* which width works at 0.75 and at 0.5 */
    } cases[] = {{480, 2, 640, 320}, {320, 2, 480, 480}};
    refused_width = cases[_i].refused;
    vd_work *work = open_work();
    ck_assert_int_eq(vd_work_get_stats(work).sizes, cases[_i].sizes);
    const int levels[] = {1, 2}, widths[] = {cases[_i].middle, cases[_i].small};
    for (int i = 0; i < 2; i++) {
        submit(work, VD_QUALITY_BALANCED, levels[i]);
        vd_job *job = await_job(work, i + 1);
        ck_assert_int_eq(job->result->input_width, widths[i]);
        vd_job_free(&job);
    }
    vd_work_free(&work);
}
END_TEST

START_TEST(what_cannot_be_opened_leaves_nothing)
{
    static const int refused[] = {0, 480, 320}, codes[] = {VD_EFORMAT, VD_ENOMEM, VD_ENOMEM};
    vd_work *work = NULL;
    vd_error error = {0};
    refused_width = refused[_i];
    refusal = codes[_i];
    ck_assert_int_eq(vd_work_open(&options, &work, &error), refusal);
    ck_assert_ptr_null(work);
    ck_assert_msg(strstr(error.text, "The double refuses"), "%s", error.text);
    expect_threads("vd-", 0);
}
END_TEST

START_TEST(a_model_that_is_not_there)
{
    const vd_serve_options wanted = {.model = "no-such-model.onnx"};
    vd_work_options wrong = options;
    vd_work *work = NULL;
    vd_error error = {0};
    wrong.serve = &wanted;
    ck_assert_int_eq(vd_work_open(&wrong, &work, &error), VD_ENOTFOUND);
    ck_assert_str_ne(error.text, "");
}
END_TEST

/* --- Jobs */

START_TEST(a_job_comes_back_with_its_result)
{
    vd_work *work = open_work();
    int64_t begin_ns = vd_clock_now_ns();
    submit(work, VD_QUALITY_BALANCED, 0);
    vd_job *job = await_job(work, 1);
    ck_assert_msg(job->code == VD_OK, "%s", job->error.text);
    ck_assert_ptr_null(job->bytes);
    ck_assert_ptr_null(job->next);
    ck_assert_int_eq(job->result->width, 40);
    ck_assert_int_eq(job->result->height, 30);
    ck_assert_uint_eq(job->result->count, 1);
    vd_box box = job->result->candidates[0].box;
    ck_assert(box.x1 == 8 && box.y1 == 10 && box.x2 == 24 && box.y2 == 20);
    ck_assert(job->decode_ns > 0 && job->detect_ns > 0);
    ck_assert(job->finished_ns >= begin_ns + job->decode_ns + job->detect_ns);
    ck_assert_ptr_null(vd_work_take(work));
    ck_assert_int_eq(vd_work_room(work), ROOM);
    vd_job_free(&job);
    vd_work_free(&work);
}
END_TEST

START_TEST(mode_and_level_choose_the_size)
{
    static const int widths[3][VD_QUALITY_LEVELS] = {[VD_QUALITY_FAST] = {320, 320, 320, 320, 320},
                                                     [VD_QUALITY_BALANCED] = {640, 480, 320, 320, 320},
                                                     [VD_QUALITY_ACCURATE] = {640, 640, 640, 640, 640}};
    vd_work *work = open_work();
    for (int i = 0; i < 3 * VD_QUALITY_LEVELS; i++) {
        int mode = i / VD_QUALITY_LEVELS, level = i % VD_QUALITY_LEVELS;
        submit(work, (vd_quality_mode)mode, level);
        vd_job *job = await_job(work, i + 1);
        ck_assert_int_eq(job->result->input_width, widths[mode][level]);
        vd_job_free(&job);
    }
    vd_work_free(&work);
}
END_TEST

START_TEST(failures_travel_in_the_job)
{
    vd_work *work = open_work();
    int before = gate_read(&gate, &gate.calls);
    vd_work_submit(work, make_job("GIF89a", 6, VD_QUALITY_FAST, 0));
    vd_job *job = await_job(work, 1);
    ck_assert_int_eq(job->code, VD_EFORMAT);
    ck_assert_str_eq(job->error.text, "This is a GIF picture; JPEG, PNG and WebP are taken.");
    ck_assert(!job->result && !job->bytes);
    vd_job_free(&job);
    ck_assert_int_eq(gate_read(&gate, &gate.calls), before);
    vd_work_free(&work);

    gate.habit = GATE_FAILS_THIRD;
    work = open_work();
    int failed = 0;
    for (int i = 0; i < 9; i++) {
        submit(work, VD_QUALITY_BALANCED, 0);
        job = await_job(work, i + 2);
        if (job->code) {
            failed++;
            ck_assert_int_eq(job->code, VD_EIO);
            ck_assert_str_eq(job->error.text, "Each third call fails.");
            ck_assert_ptr_null(job->result);
        }
        vd_job_free(&job);
    }
    ck_assert_int_eq(failed, 3);
    ck_assert_int_eq(vd_work_room(work), ROOM);
    vd_work_free(&work);
}
END_TEST

START_TEST(room_ends_and_nothing_blocks)
{
    vd_work *work = open_work();
    gate_close(&gate);
    for (int i = 0; i < ROOM; i++) {
        ck_assert_int_eq(vd_work_room(work), ROOM - i);
        submit(work, i % 2 ? VD_QUALITY_FAST : VD_QUALITY_ACCURATE, 0); /* two sizes */
    }
    ck_assert_int_eq(vd_work_room(work), 0);
    ck_assert(gate_await_inside(&gate, WORKERS));
    ck_assert_ptr_null(vd_work_take(work));
    submit(work, VD_QUALITY_FAST, 0);
    vd_job *job = await_job(work, 1);
    ck_assert_int_eq(job->code, VD_EAGAIN);
    ck_assert_str_ne(job->error.text, "");
    vd_job_free(&job);
    ck_assert_int_eq(vd_work_get_stats(work).under_way, ROOM);
    gate_open(&gate);
    await_all(work, ROOM, ROOM + 1);
    ck_assert_int_eq(gate_read(&gate, &gate.most_inside), WORKERS);
    ck_assert_int_eq(vd_work_room(work), ROOM);
    ck_assert_int_eq(vd_work_get_stats(work).under_way, 0);
    vd_work_free(&work);
}
END_TEST

START_TEST(first_come_first_served)
{
    workers = 1;
    vd_work *work = open_work();
    for (int i = 0; i < 50; i++) {
        vd_job *first = make_job(picture.at, picture.size, VD_QUALITY_FAST, 0);
        vd_job *second = make_job(picture.at, picture.size, VD_QUALITY_ACCURATE, 0);
        vd_work_submit(work, first);
        vd_work_submit(work, second);
        await_wakes(2 * i + 2);
        vd_job *job = vd_work_take(work);
        ck_assert_ptr_eq(job, first);
        ck_assert_int_eq(job->result->frame_index, 2 * i);
        vd_job_free(&job);
        job = vd_work_take(work);
        ck_assert_ptr_eq(job, second);
        vd_job_free(&job);
    }
    vd_work_free(&work);
}
END_TEST

START_TEST(many_jobs_are_all_answered)
{
    enum { COUNT = 500 };
    vd_work *work = open_work();
    int sent = 0, back = 0, failed = 0;
    while (back < COUNT) {
        while (sent < COUNT && vd_work_room(work) > 0) {
            bool broken = sent % 7 == 3;
            size_t size = broken ? picture.size / 2 : picture.size;
            vd_work_submit(work, make_job(picture.at, size, (vd_quality_mode)(sent % 3), sent % 5));
            sent++;
        }
        await_wakes(back + 1);
        for (vd_job *job = vd_work_take(work); job; job = vd_work_take(work)) {
            back++;
            failed += job->code == VD_EFORMAT;
            ck_assert(job->code == VD_EFORMAT || (job->code == VD_OK && job->result));
            vd_job_free(&job);
        }
    }
    ck_assert_int_eq(failed, (COUNT + 3) / 7);
    vd_work_stats stats = vd_work_get_stats(work);
    ck_assert_int_eq(stats.under_way, 0);
    ck_assert_uint_eq(stats.detector.succeeded,
                      (uint64_t)(COUNT - failed) + 1); /* and the one at the start */
    ck_assert_uint_eq(stats.detector.pending, 0);
    ck_assert(stats.detector.p50_ns > 0 && stats.detector.p50_ns <= stats.detector.p99_ns);
    ck_assert_int_eq(gate_read(&gate, &gate.wrong), 0);
    vd_work_free(&work);
}
END_TEST

/* --- The end */

static void end_work(void *context)
{
    vd_work **work = context;
    vd_work_free(work);
}

START_TEST(an_end_at_every_moment)
{
    int files = count_entries("/proc/self/fd", NULL);
    for (int n = 0; n < 24; n++) {
        size_count = 0;
        vd_work *work = open_work();
        vd_thread ender = {0};
        int jobs = n % (ROOM + 1);
        if (n >= 12)
            gate_close(&gate);
        for (int i = 0; i < jobs; i++)
            submit(work, (vd_quality_mode)(i % 3), 0);
        if (n >= 18)
            ck_assert(gate_await_inside(&gate, jobs < WORKERS ? jobs : WORKERS));
        ck_assert_int_eq(vd_thread_start(&ender, "ends", end_work, &work), VD_OK);
        gate_open(&gate);
        vd_thread_join(&ender);
        int so_far = wakes;
        ck_assert_ptr_null(work);
        ck_assert_int_eq(gate_read(&gate, &gate.inside), 0);
        ck_assert_int_eq(gate_read(&gate, &gate.opened), gate_read(&gate, &gate.ended));
        ck_assert_int_eq(wakes, so_far);
    }
    expect_threads("vd-", 0);
    ck_assert_int_eq(count_entries("/proc/self/fd", NULL), files);
}
END_TEST

/* --- The level. Time is said by the test: half a second ahead with every sample. */

START_TEST(the_level_follows_the_load)
{
    vd_work *work = open_work();
    int64_t now_ns = vd_clock_now_ns();
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(vd_work_level(work, 0, now_ns += VD_NS_PER_S / 2), 0);
    ck_assert_double_lt(vd_work_get_stats(work).load, 0.5);
    gate_close(&gate);
    for (int i = 0; i < WORKERS; i++)
        submit(work, VD_QUALITY_BALANCED, 0);
    ck_assert(gate_await_inside(&gate, WORKERS));
    for (int i = 1; i < 6; i++)
        ck_assert_int_eq(vd_work_level(work, 0, now_ns += VD_NS_PER_S / 2), i < 4 ? i : 4);
    vd_work_stats stats = vd_work_get_stats(work);
    ck_assert_double_gt(stats.load, 0.95);
    ck_assert_uint_eq(stats.lowered, 4);
    ck_assert_int_eq(stats.level, 4);
    gate_open(&gate);
    await_all(work, WORKERS, WORKERS);
    int64_t calm_ns = now_ns;
    while (vd_work_level(work, 0, now_ns += VD_NS_PER_S / 2) > 0)
        ck_assert_int_lt(now_ns - calm_ns, 10 * VD_NS_PER_S);
    stats = vd_work_get_stats(work);
    ck_assert_uint_eq(stats.raised, 4);
    ck_assert_double_eq(stats.load, 0);
    vd_work_free(&work);
}
END_TEST

START_TEST(late_frames_and_waits_lower_it)
{
    vd_work *work = open_work();
    int64_t now_ns = vd_clock_now_ns() + VD_NS_PER_S;
    ck_assert_int_eq(vd_work_level(work, 3, now_ns), 1);
    vd_job *job = make_job(picture.at, picture.size, VD_QUALITY_BALANCED, 0);
    job->due_ns = job->started_ns - 60 * VD_NS_PER_MS;
    vd_work_submit(work, job);
    job = await_job(work, 1);
    vd_job_free(&job);
    ck_assert_int_eq(vd_work_level(work, 0, now_ns += VD_NS_PER_S / 2), 2);
    ck_assert_double_ge(vd_work_get_stats(work).wait_p95_ms, 60);
    job = make_job(picture.at, picture.size, VD_QUALITY_BALANCED, 0);
    job->received_ns -= 5 * VD_NS_PER_S; /* it came long before its turn */
    vd_work_submit(work, job);
    job = await_job(work, 2);
    vd_job_free(&job);
    vd_work_level(work, 0, now_ns += VD_NS_PER_S / 2);
    ck_assert_double_lt(vd_work_get_stats(work).wait_p95_ms, 1000);
    vd_work_free(&work);
}
END_TEST

/* --- Real models */

START_TEST(the_demonstration_model_at_three_sizes)
{
    const vd_serve_options wanted = {.max_workers = 1};
    vd_work_options real = options;
    vd_work *work = NULL;
    vd_error error = {0};
    real.serve = &wanted;
    ck_assert_msg(vd_work_open(&real, &work, &error) == VD_OK, "%s", error.text);
    vd_work_stats stats = vd_work_get_stats(work);
    ck_assert_str_eq(stats.model, "road-detector");
    ck_assert_str_ne(stats.engine, "");
    ck_assert_int_eq(stats.workers, 1);
    ck_assert_int_eq(stats.sizes, 3);
    for (int i = 0; i < 3; i++) {
        submit(work, VD_QUALITY_BALANCED, i);
        vd_job *job = await_job(work, i + 1);
        ck_assert_msg(job->code == VD_OK, "%s", job->error.text);
        ck_assert_int_eq(job->result->input_width, stats.inputs[i].width);
        ck_assert_int_eq(job->result->input_height, stats.inputs[i].height);
        ck_assert(i == 0 || stats.inputs[i].width < stats.inputs[i - 1].width);
        vd_job_free(&job);
    }
    vd_work_free(&work);
}
END_TEST

START_TEST(a_builtin_detector_has_one_size)
{
    const vd_serve_options wanted = {.model = "builtin:people", .max_workers = 1};
    vd_work_options real = options;
    vd_work *work = NULL;
    vd_error error = {0};
    real.serve = &wanted;
    ck_assert_msg(vd_work_open(&real, &work, &error) == VD_OK, "%s", error.text);
    ck_assert_int_eq(vd_work_get_stats(work).sizes, 1);
    submit(work, VD_QUALITY_BALANCED, 4);
    vd_job *job = await_job(work, 1);
    ck_assert_msg(job->code == VD_OK, "%s", job->error.text);
    vd_job_free(&job);
    vd_work_free(&work);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("serve_work");
    TCase *opening = tcase_create("opening"), *jobs = tcase_create("jobs"), *end = tcase_create("end");
    TCase *level = tcase_create("level"), *models = tcase_create("models");
    tcase_add_test(opening, three_sizes_are_opened);
    tcase_add_loop_test(opening, a_refused_size_keeps_the_next_larger, 0, 2);
    tcase_add_loop_test(opening, what_cannot_be_opened_leaves_nothing, 0, 3);
    tcase_add_test(opening, a_model_that_is_not_there);
    tcase_add_test(jobs, a_job_comes_back_with_its_result);
    tcase_add_test(jobs, mode_and_level_choose_the_size);
    tcase_add_test(jobs, failures_travel_in_the_job);
    tcase_add_test(jobs, room_ends_and_nothing_blocks);
    tcase_add_test(jobs, first_come_first_served);
    tcase_add_test(jobs, many_jobs_are_all_answered);
    tcase_add_test(end, an_end_at_every_moment);
    tcase_add_test(level, the_level_follows_the_load);
    tcase_add_test(level, late_frames_and_waits_lower_it);
    tcase_add_test(models, the_demonstration_model_at_three_sizes);
    tcase_add_test(models, a_builtin_detector_has_one_size);
    TCase *const all[] = {opening, jobs, end, level, models};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        tcase_add_checked_fixture(all[i], set_up, tear_down);
        tcase_set_timeout(all[i], 60);
        suite_add_tcase(suite, all[i]);
    }
    return suite;
}

TEST_MAIN(make_suite)
