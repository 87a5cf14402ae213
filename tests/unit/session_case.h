/* Frames, results and a listener for the tests of sessions: frame ids are numbers, answers are counted. */
#ifndef TESTS_UNIT_SESSION_CASE_H
#define TESTS_UNIT_SESSION_CASE_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "frame/result.h"
#include "serve/session.h"

enum { CASE_ANSWERS = 4096 };

typedef enum case_kind { CASE_NONE, CASE_RESULT, CASE_SKIPPED, CASE_ERROR } case_kind;

/* What a listener got. */
typedef struct case_box {
    json_t *answers[CASE_ANSWERS]; /* in the order of their coming */
    int count;
    bool broken;      /* takes nothing */
    int broken_after; /* … after so many, if it is not 0 */
    int replaced;
} case_box;

static inline bool case_send(void *context, char *text, size_t size)
{
    case_box *box = context;
    if (box->broken || (box->broken_after > 0 && box->count >= box->broken_after))
        return false;
    if (strlen(text) != size || box->count == CASE_ANSWERS)
        abort();
    box->answers[box->count] = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    if (!box->answers[box->count++])
        abort();
    free(text);
    return true;
}

static inline void case_replaced(void *context)
{
    ((case_box *)context)->replaced++;
}

static inline void case_listen(vd_session *session, case_box *box, int64_t now_ns)
{
    vd_session_listener listener = {case_send, case_replaced, box};
    vd_session_listen(session, &listener, now_ns);
}

static inline void case_clear(case_box *box)
{
    for (int i = 0; i < box->count; i++)
        json_decref(box->answers[i]);
    *box = (case_box){0};
}

static inline const char *case_type(const case_box *box, int i)
{
    return json_string_value(json_object_get(box->answers[i], "type"));
}

/* The frame that an answer is of; -1 when it has none. */
static inline int case_frame(const case_box *box, int i)
{
    json_t *data = json_object_get(box->answers[i], "data");
    json_t *id = json_object_get(data ? data : box->answers[i], "frame_id");
    return json_is_integer(id) ? (int)json_integer_value(id) : -1;
}

static inline const char *case_reason(const case_box *box, int i)
{
    const char *reason = json_string_value(json_object_get(box->answers[i], "reason"));
    return reason ? reason : "";
}

/* How many answers of a type (and with a reason, where it is not NULL) came. */
static inline int case_count(const case_box *box, const char *type, const char *reason)
{
    int count = 0;
    for (int i = 0; i < box->count; i++)
        count +=
            strcmp(case_type(box, i), type) == 0 && (!reason || strcmp(case_reason(box, i), reason) == 0);
    return count;
}

static inline json_t *case_detections(const case_box *box, int i)
{
    return json_object_get(json_object_get(box->answers[i], "data"), "detections");
}

static inline vd_job *case_job(int frame)
{
    vd_job *job = vd_job_new();
    if (!job)
        abort();
    snprintf(job->frame_id, sizeof job->frame_id, "%d", frame);
    job->bytes = malloc(16);
    job->size = 16;
    return job;
}

/* Fills in what the work would: these detections, sorted by falling score. */
static inline void case_detect(vd_job *job, vd_result_pool *pool, const vd_detection *detections,
                               size_t count, int64_t now_ns)
{
    vd_result *result;
    if (vd_result_pool_take(pool, &result))
        abort();
    result->width = 640;
    result->height = 480;
    result->count = count;
    for (size_t i = 0; i < count; i++)
        result->candidates[i] = detections[i];
    job->result = result;
    job->finished_ns = now_ns;
}

static inline vd_session_options case_options(int fps_limit, int queue_size)
{
    return (vd_session_options){.id = "00112233445566778899aabbccddeeff",
                                .owner = -1,
                                .peer = "127.0.0.1",
                                .config = {.fps_limit = fps_limit,
                                           .confidence_threshold = 0.25,
                                           .iou_threshold = 0.45,
                                           .enable_tracking = true,
                                           .quality_mode = VD_QUALITY_ACCURATE,
                                           .max_detections = 100},
                                .queue_size = queue_size,
                                .max_fps = 30,
                                .timeout_s = 300,
                                .deadline_s = 2,
                                .now_ns = VD_NS_PER_S};
}

/* frames = results + failed + the skipped + waiting + under way */
static inline bool case_ledger_holds(const vd_session_stats *stats)
{
    uint64_t sum = stats->results + stats->failed + (uint64_t)stats->waiting + (uint64_t)stats->under_way;
    for (int i = 0; i < 4; i++)
        sum += stats->skipped[i];
    return sum == stats->frames;
}

#endif
