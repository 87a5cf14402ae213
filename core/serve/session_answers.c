/* Answers: written when a frame's fate is known, kept until somebody listens, sent in order. */
#include <stdlib.h>
#include <string.h>

#include "serve/session_state.h"

/* --- What waits to be sent */

static void drop_oldest(vd_session *session)
{
    vd_outgoing *oldest = &session->outgoing[session->outgoing_first];
    free(oldest->text);
    oldest->text = NULL;
    session->outgoing_first = (session->outgoing_first + 1) % session->outgoing_room;
    session->outgoing_count--;
    session->dropped++;
}

/* Takes the text. */
static void keep_text(vd_session *session, char *text)
{
    if (session->outgoing_count == session->outgoing_room)
        drop_oldest(session);
    int place = (session->outgoing_first + session->outgoing_count++) % session->outgoing_room;
    session->outgoing[place] = (vd_outgoing){text, strlen(text)};
}

static vd_outgoing take_oldest(vd_session *session)
{
    vd_outgoing *place = &session->outgoing[session->outgoing_first], oldest = *place;
    place->text = NULL;
    session->outgoing_first = (session->outgoing_first + 1) % session->outgoing_room;
    session->outgoing_count--;
    return oldest;
}

/* One that could not be sent is the oldest again, unless so many came meanwhile that it is one too many. */
static void put_back(vd_session *session, vd_outgoing outgoing)
{
    if (session->outgoing_count == session->outgoing_room) {
        free(outgoing.text);
        session->dropped++;
        return;
    }
    session->outgoing_first = (session->outgoing_first + session->outgoing_room - 1) % session->outgoing_room;
    session->outgoing[session->outgoing_first] = outgoing;
    session->outgoing_count++;
}

void vd_session_flush(vd_session *session)
{
    if (session->sending)
        return; /* whoever sends goes on */
    session->sending = true;
    while (session->outgoing_count > 0 && session->listened) {
        vd_outgoing outgoing = take_oldest(session);
        vd_session_listener listener = session->listener;
        uint32_t serial = session->listener_serial;
        if (listener.send(listener.context, outgoing.text, outgoing.size))
            continue;
        put_back(session, outgoing);
        if (serial == session->listener_serial) {
            session->listened = false;
            session->touched_ns = session->now_ns;
        }
    }
    session->sending = false;
    while (session->outgoing_count > session->queue_size)
        drop_oldest(session);
}

void vd_session_listen(vd_session *session, const vd_session_listener *listener, int64_t now_ns)
{
    vd_session *held = vd_session_ref(session);
    vd_session_listener before = session->listener;
    bool is_new = listener && listener->send;
    bool replaced = session->listened && is_new && before.replaced;
    session->now_ns = now_ns;
    session->touched_ns = now_ns;
    session->listener = is_new ? *listener : (vd_session_listener){0};
    session->listened = is_new;
    session->listener_serial++;
    if (replaced)
        before.replaced(before.context);
    vd_session_flush(session);
    vd_session_unref(&held);
}

/* --- Writing them */

/* Where there is no memory for an answer there is the job's own: it becomes the text. */
static char *turn_into_text(vd_job *job, const vd_answer *answer)
{
    char line[VD_FRAME_ID + 96];
    _Static_assert(sizeof *job >= sizeof line, "a job has room for a short answer");
    int length = vd_message_print_short(answer, line, sizeof line);
    free(job->bytes);
    vd_result_unref(&job->result);
    vd_session_unref(&job->session);
    memcpy(job, line, (size_t)length + 1);
    return (char *)job;
}

/* Takes the job. False when a short answer went in place of the whole one. */
static bool answer_job(vd_session *session, vd_job *job, vd_answer *answer)
{
    answer->frame_id = job->frame_id;
    char *text = vd_message_write_answer(answer);
    bool whole = text != NULL;
    if (whole)
        vd_job_free(&job);
    else
        text = turn_into_text(job, answer);
    keep_text(session, text);
    return whole;
}

void vd_session_skip(vd_session *session, vd_job *job, vd_skip_reason reason)
{
    vd_answer answer = {.kind = VD_ANSWER_SKIPPED, .reason = reason};
    session->skipped[reason]++;
    answer_job(session, job, &answer);
}

void vd_session_fail(vd_session *session, vd_job *job, const char *sentence)
{
    vd_error error;
    vd_error_set(&error, VD_ESHUTDOWN, NULL, "%s", sentence);
    vd_answer answer = {.kind = VD_ANSWER_ERROR, .error = &error};
    session->failed++;
    answer_job(session, job, &answer);
}

static void answer_result(vd_session *session, vd_job *job, int64_t now_ns)
{
    vd_detection detections[VD_MAX_DETECTIONS];
    const vd_result *result = job->result;
    int64_t passed_ns = now_ns > job->received_ns ? now_ns - job->received_ns : 0;
    int64_t queue_ns = job->finished_ns - job->received_ns - job->decode_ns - job->detect_ns;
    size_t count = vd_session_detect(session, job, detections);
    vd_answer answer = {.kind = VD_ANSWER_RESULT,
                        .detections = detections,
                        .count = count,
                        .labels = result->labels,
                        .width = result->width,
                        .height = result->height,
                        .input_width = result->input_width,
                        .input_height = result->input_height,
                        .processing_ms = (double)passed_ns / 1e6,
                        .queue_ms = queue_ns > 0 ? (double)queue_ns / 1e6 : 0,
                        .decode_ms = (double)job->decode_ns / 1e6,
                        .forward_ms = (double)job->detect_ns / 1e6,
                        .mode = job->mode,
                        .level = job->level,
                        .fps = job->fps,
                        .model = result->model};
    if (!answer_job(session, job, &answer)) {
        session->failed++;
        return;
    }
    session->results++;
    vd_rate_add(&session->rate, now_ns);
    vd_histogram_add(&session->latency, passed_ns);
}

static void answer_back(vd_session *session, vd_job *job, int64_t now_ns)
{
    if (job->code == VD_OK && job->result)
        answer_result(session, job, now_ns);
    else if (job->code != VD_OK && job->error.text[0] != '\0')
        vd_session_fail(session, job, job->error.text);
    else
        vd_session_fail(session, job, "The detector gave no result.");
}

/* Of a job that another thread works on: its id does not change. */
static bool fail_foreign(vd_session *session, const vd_job *job, const char *sentence)
{
    vd_error error;
    vd_error_set(&error, VD_ESHUTDOWN, NULL, "%s", sentence);
    vd_answer answer = {.kind = VD_ANSWER_ERROR, .error = &error, .frame_id = job->frame_id};
    char *text = vd_message_write_answer(&answer);
    if (!text)
        return false;
    session->failed++;
    keep_text(session, text);
    return true;
}

void vd_session_fail_started(vd_session *session, const char *sentence)
{
    int kept = 0;
    for (int i = 0; i < session->under_way; i++) {
        if (kept == 0 && session->started[i].back)
            answer_back(session, session->started[i].job, session->now_ns);
        else if (session->started[i].back || !fail_foreign(session, session->started[i].job, sentence))
            session->started[kept++] = session->started[i];
    }
    session->under_way = kept;
}

void vd_session_finish(vd_session *session, vd_job *job, int64_t now_ns)
{
    vd_session *held = vd_session_ref(session);
    int place = 0;
    session->now_ns = now_ns;
    vd_session_unref(&job->session); /* it is ours again, and no reason for us to live */
    while (place < session->under_way && session->started[place].job != job)
        place++;
    if (place < session->under_way)
        session->started[place].back = true;
    else
        vd_job_free(&job); /* it is answered */
    while (session->under_way > 0 && session->started[0].back) {
        vd_job *first = session->started[0].job;
        session->under_way--;
        for (int i = 0; i < session->under_way; i++)
            session->started[i] = session->started[i + 1];
        answer_back(session, first, now_ns);
    }
    vd_session_flush(session);
    vd_session_unref(&held);
}
