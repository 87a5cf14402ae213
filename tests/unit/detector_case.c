#include "detector_case.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "check_main.h"

gate_detector gate;
case_picture pictures[MOST_PICTURES];
static atomic_int accepted[MOST_PICTURES];

static void note_release(void *context)
{
    case_picture *picture = context;
    atomic_fetch_add(&picture->releases, 1);
}

static vd_box shape_box(int n, int level)
{
    int x = (n * 5 + level * 17) % (PICTURE_WIDTH - 16), y = level * 16 + n % 5;
    return (vd_box){(float)x, (float)y, (float)(x + 4 + n % 12), (float)(y + 3 + (n + level) % 8)};
}

static void draw_picture(int n)
{
    case_picture *picture = &pictures[n];
    memset(picture->pixels, 9, sizeof picture->pixels);
    for (int level = 0; level < 3; level++) {
        vd_box box = shape_box(n, level);
        for (int y = (int)box.y1; y < (int)box.y2; y++)
            memset(&picture->pixels[y * PICTURE_WIDTH + (int)box.x1], 80 + 64 * level,
                   (size_t)(box.x2 - box.x1));
    }
    atomic_store(&picture->releases, 0);
    atomic_store(&accepted[n], 0);
    picture->input = (vd_input){.image = {.format = VD_PIXEL_GREY,
                                          .width = PICTURE_WIDTH,
                                          .height = PICTURE_HEIGHT,
                                          .planes = {picture->pixels},
                                          .strides = {PICTURE_WIDTH}},
                                .release = note_release,
                                .context = picture,
                                .frame_index = n,
                                .time_s = n / 25.0};
}

int case_count_workers(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/task");
    ck_assert_ptr_nonnull(folder);
    for (const struct dirent *entry; (entry = readdir(folder));) {
        char path[300], name[32] = "";
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        FILE *file = fopen(path, "r");
        if (file && fgets(name, sizeof name, file))
            count += strncmp(name, "vd-detect-", 10) == 0;
        if (file)
            fclose(file);
    }
    closedir(folder);
    return count;
}

void case_set_up(void)
{
    gate_init(&gate);
    for (int n = 0; n < MOST_PICTURES; n++)
        draw_picture(n);
}

void case_tear_down(void)
{
    for (int n = 0; n < MOST_PICTURES; n++)
        ck_assert_msg(atomic_load(&pictures[n].releases) == atomic_load(&accepted[n]),
                      "picture %d was accepted %d times and released %d times", n, atomic_load(&accepted[n]),
                      atomic_load(&pictures[n].releases));
    ck_assert_int_eq(gate.opened, gate.ended);
    ck_assert_int_eq(gate.wrong, 0);
    ck_assert_int_eq(gate.inside, 0);
    /* A thread that was joined may stand in the list for a moment. */
    for (int64_t end_ns = vd_clock_deadline_ns(2 * VD_NS_PER_S); vd_clock_now_ns() < end_ns; sched_yield())
        if (case_count_workers() == 0)
            break;
    ck_assert_int_eq(case_count_workers(), 0);
    gate_fini(&gate);
}

vd_detector *case_make(const vd_detector_ops *ops, int workers, int queue_size)
{
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    options.max_workers = workers;
    if (queue_size > 0)
        options.queue_size = queue_size;
    options.ops = ops;
    options.config = &gate;
    vd_detector *detector = NULL;
    vd_error error = {0};
    ck_assert_msg(vd_detector_new(&options, &detector, &error) == VD_OK, "%s", error.text);
    return detector;
}

void case_accepted(int n)
{
    atomic_fetch_add(&accepted[n], 1);
}

int case_submit(vd_detector *detector, int n, vd_future **ret_future)
{
    int code = vd_detector_submit(detector, &pictures[n].input, ret_future, NULL);
    if (code == VD_OK)
        case_accepted(n);
    return code;
}

vd_future *case_must_submit(vd_detector *detector, int n)
{
    vd_future *future = NULL;
    ck_assert_int_eq(case_submit(detector, n, &future), VD_OK);
    return future;
}

vd_input *case_inputs(size_t count)
{
    static vd_input inputs[MOST_PICTURES];
    for (size_t i = 0; i < count; i++)
        inputs[i] = pictures[i].input;
    return inputs;
}

int case_submit_batch(vd_detector *detector, size_t count, int batch_size, vd_future **ret_future)
{
    int code = vd_detector_submit_batch(detector, case_inputs(count), count, batch_size, ret_future, NULL);
    for (size_t i = 0; i < count && code == VD_OK; i++)
        case_accepted((int)i);
    return code;
}

vd_future *case_must_submit_batch(vd_detector *detector, size_t count, int batch_size)
{
    vd_future *future = NULL;
    ck_assert_int_eq(case_submit_batch(detector, count, batch_size, &future), VD_OK);
    return future;
}

void case_assert_shapes(const vd_result *result, int n)
{
    ck_assert_ptr_nonnull(result);
    ck_assert_int_eq(result->frame_index, n);
    ck_assert_double_eq(result->time_s, n / 25.0);
    ck_assert_uint_eq(result->count, 3);
    for (int i = 0; i < 3; i++) {
        const vd_detection *found = &result->candidates[i];
        vd_box box = shape_box(n, 2 - i);
        ck_assert_int_eq(found->class_id, 2 - i);
        ck_assert_msg(memcmp(&found->box, &box, sizeof box) == 0, "picture %d, shape %d: %g %g %g %g", n, i,
                      (double)found->box.x1, (double)found->box.y1, (double)found->box.x2,
                      (double)found->box.y2);
    }
}

void case_assert_ledger(vd_detector *detector, unsigned succeeded, unsigned failed, unsigned cancelled,
                        unsigned pending)
{
    vd_detector_stats stats = vd_detector_get_stats(detector);
    ck_assert_uint_eq(stats.succeeded, succeeded);
    ck_assert_uint_eq(stats.failed, failed);
    ck_assert_uint_eq(stats.cancelled, cancelled);
    ck_assert_uint_eq(stats.pending, pending);
    ck_assert_uint_eq(stats.submitted, succeeded + failed + cancelled + pending);
}

vd_detector_stats case_settle(vd_detector *detector)
{
    vd_detector_stats stats;
    int64_t deadline_ns = vd_clock_deadline_ns(20 * VD_NS_PER_S);
    while ((stats = vd_detector_get_stats(detector)).pending > 0 && vd_clock_now_ns() < deadline_ns)
        sched_yield();
    ck_assert_uint_eq(stats.pending, 0);
    ck_assert_uint_eq(stats.submitted, stats.succeeded + stats.failed + stats.cancelled);
    ck_assert_uint_eq(stats.queued, 0);
    ck_assert_uint_eq(stats.in_flight, 0);
    ck_assert_int_eq(stats.active, 0);
    return stats;
}

void case_unref_all(vd_future **futures, int count)
{
    for (int i = 0; i < count; i++)
        vd_future_unref(&futures[i]);
}

void case_free(void *detector)
{
    if (vd_detector_free(detector) != VD_OK)
        ck_abort_msg("the detector was not freed");
}
