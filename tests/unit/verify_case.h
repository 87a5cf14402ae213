/* Stage 2 in tests: real worker processes, frames of one colour, and the ledger. */
#ifndef TESTS_VERIFY_CASE_H
#define TESTS_VERIFY_CASE_H

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "check_main.h"
#include "frame/frame.h"
#include "vedette/app/verify.h"

enum { CASE_SIDE = 64, CASE_FRAMES = 4 };

static inline vd_verify_options case_options(const char *type)
{
    vd_verify_options options = VD_VERIFY_OPTIONS_INIT;
    vd_text_copy(options.model_type, sizeof options.model_type, type);
    vd_text_copy(options.worker_program, sizeof options.worker_program, VD_VERIFIER);
    options.input_width = options.input_height = CASE_SIDE;
    options.temporal_size = CASE_FRAMES;
    options.test_sleep_s = 0.001;
    options.worker_timeout_s = 30;
    return options;
}

static inline vd_verifier *case_new(const vd_verify_options *options)
{
    vd_verifier *verifier = NULL;
    vd_error error = {0};
    int code = vd_verifier_new(options, NULL, NULL, &verifier, &error);
    ck_assert_msg(code == VD_OK, "%s", error.text);
    return verifier;
}

/* Frames whose pixels are all of that red. The pool is the caller's. */
static inline vd_frame *case_frame(vd_frame_pool *pool, uint8_t red)
{
    vd_frame *frame = NULL;
    ck_assert_int_eq(vd_frame_pool_take(pool, &frame), VD_OK);
    for (int y = 0; y < frame->image.height; y++)
        for (int x = 0; x < frame->image.width; x++) {
            uint8_t *pixel = frame->image.planes[0] + (size_t)y * (size_t)frame->image.strides[0] + x * 4;
            pixel[0] = 10;
            pixel[1] = 20;
            pixel[2] = red;
            pixel[3] = 255;
        }
    return frame;
}

/* A clip of the same frame again and again. */
static inline vd_verify_clip case_clip(vd_frame *frame)
{
    vd_verify_clip clip = {.count = CASE_FRAMES};
    for (int i = 0; i < CASE_FRAMES; i++) {
        clip.frames[i] = frame;
        clip.boxes[i] = (vd_box){10, 10, 40, 40};
        clip.times_s[i] = i * 0.1;
        clip.labels[i] = i == 0 ? 5 : 2;
        clip.scores[i] = 0.8f;
    }
    return clip;
}

static inline uint64_t case_submit(vd_verifier *verifier, vd_frame *frame, float confidence)
{
    vd_verify_clip clip = case_clip(frame);
    uint64_t id = 0;
    ck_assert_int_eq(vd_verifier_submit(verifier, &clip, confidence, &id, NULL), VD_OK);
    ck_assert_uint_ge(id, 1);
    return id;
}

static inline vd_verify_result case_take(vd_verifier *verifier, uint64_t id)
{
    vd_verify_result result = {0};
    ck_assert_int_eq(vd_verifier_take(verifier, id, vd_clock_now_ns() + 60 * VD_NS_PER_S, &result), VD_OK);
    ck_assert_uint_eq(result.id, id);
    return result;
}

static inline vd_verify_stats case_stats(vd_verifier *verifier)
{
    vd_verify_stats stats = vd_verifier_get_stats(verifier);
    ck_assert_uint_eq(stats.submitted, stats.verified + stats.rejected + stats.unverified + stats.dropped +
                                           (uint64_t)stats.pending_requests);
    return stats;
}

/* Waits for what stats show. */
#define CASE_UNTIL(verifier, condition)                                                                      \
    do {                                                                                                     \
        int64_t limit_ns_ = vd_clock_now_ns() + 60 * VD_NS_PER_S;                                            \
        vd_verify_stats stats = case_stats(verifier);                                                        \
        while (!(condition) && vd_clock_now_ns() < limit_ns_) {                                              \
            usleep(2000);                                                                                    \
            stats = case_stats(verifier);                                                                    \
        }                                                                                                    \
        ck_assert_msg(condition, "not in time: " #condition);                                                \
    } while (0)

/* --- What the process holds */

static inline int case_entries(const char *folder)
{
    int count = 0;
    DIR *list = opendir(folder);
    ck_assert_ptr_nonnull(list);
    while (readdir(list))
        count++;
    closedir(list);
    return count;
}

static inline int case_descriptors(void)
{
    return case_entries("/proc/self/fd");
}

/* Children of all threads; the pids of at most `room`. */
static inline int case_children(int *ret_pids, int room)
{
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    ck_assert_ptr_nonnull(tasks);
    for (struct dirent *entry; (entry = readdir(tasks));) {
        char path[320];
        int pid;
        snprintf(path, sizeof path, "/proc/self/task/%s/children", entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
        while (file && fscanf(file, "%d", &pid) == 1) {
            if (count < room)
                ret_pids[count] = pid;
            count++;
        }
        if (file)
            fclose(file);
    }
    closedir(tasks);
    return count;
}

/* --- Checked fixtures: a pool and a frame of it; after, every reference is back, and no child is left */

static vd_frame_pool *case_pool;
static vd_frame *case_red;

static inline void case_set_up(void)
{
    ck_assert_int_eq(vd_frame_pool_new(VD_PIXEL_BGRX, CASE_SIDE, CASE_SIDE, 4, &case_pool), VD_OK);
    case_red = case_frame(case_pool, 230);
}

static inline void case_tear_down(void)
{
    vd_frame_unref(&case_red);
    ck_assert_int_eq(vd_frame_pool_get_stats(case_pool).available,
                     vd_frame_pool_get_stats(case_pool).capacity);
    vd_frame_pool_free(&case_pool);
    ck_assert_int_eq(case_children(NULL, 0), 0);
}

#endif
