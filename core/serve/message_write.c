#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/json_text.h"
#include "serve/message.h"

static const char *const reasons[] = {[VD_SKIP_FPS_LIMIT] = "fps_limit",
                                      [VD_SKIP_QUEUE_FULL] = "queue_full",
                                      [VD_SKIP_SUPERSEDED] = "superseded",
                                      [VD_SKIP_DEADLINE] = "deadline"};

const char *vd_skip_reason_name(vd_skip_reason reason)
{
    return reasons[reason];
}

static const char *id_or_null(const char *frame_id)
{
    return frame_id && frame_id[0] != '\0' ? frame_id : "null";
}

/* --- Detections */

static void add_box(vd_json_text *text, const vd_box *box)
{
    const float sides[] = {box->x1, box->y1, box->x2, box->y2};
    for (int i = 0; i < 4; i++) {
        vd_json_add(text, i ? "," : "[");
        vd_json_add_number(text, (double)sides[i], 2);
    }
    vd_json_add(text, "]");
}

static void add_detections(vd_json_text *text, const vd_detection *detections, size_t count,
                           const vd_labels *labels)
{
    vd_json_add(text, "\"detections\":[");
    for (size_t i = 0; i < count; i++) {
        const vd_detection *detection = &detections[i];
        vd_json_add(text, i ? ",{\"bbox\":" : "{\"bbox\":");
        add_box(text, &detection->box);
        vd_json_add(text, ",\"confidence\":");
        vd_json_add_number(text, (double)detection->score, 5);
        vd_json_add_format(text, ",\"class_id\":%d,\"class_name\":", detection->class_id);
        vd_json_add_string(text, vd_labels_name(labels, detection->class_id));
        if (detection->track_id > 0)
            vd_json_add_format(text, ",\"track_id\":%d", detection->track_id);
        vd_json_add(text, "}");
    }
    vd_json_add(text, "]");
}

static void add_sizes(vd_json_text *text, int width, int height, const char *model, int input_width,
                      int input_height)
{
    vd_json_add_format(text, ",\"width\":%d,\"height\":%d,\"model\":", width, height);
    vd_json_add_string(text, model);
    if (input_width > 0)
        vd_json_add_format(text, ",\"input\":[%d,%d]", input_width, input_height);
}

/* --- Answers */

static void add_number_of(vd_json_text *text, const char *name, double value, int decimals)
{
    vd_json_add(text, name);
    vd_json_add_number(text, value, decimals);
}

static void add_result(vd_json_text *text, const vd_answer *answer)
{
    vd_json_add(text, "{\"type\":\"detection_result\",\"data\":{\"frame_id\":");
    vd_json_add(text, id_or_null(answer->frame_id));
    vd_json_add(text, ",");
    add_detections(text, answer->detections, answer->count, answer->labels);
    add_number_of(text, ",\"processing_time_ms\":", answer->processing_ms, 3);
    add_number_of(text, ",\"timing_ms\":{\"queue\":", answer->queue_ms, 3);
    add_number_of(text, ",\"decode\":", answer->decode_ms, 3);
    add_number_of(text, ",\"forward\":", answer->forward_ms, 3);
    vd_json_add(text, "}");
    add_sizes(text, answer->width, answer->height, answer->model, answer->input_width, answer->input_height);
    vd_json_add_format(text, ",\"quality\":{\"mode\":\"%s\",\"level\":%d", vd_quality_mode_name(answer->mode),
                       answer->level);
    add_number_of(text, ",\"fps\":", answer->fps, 2);
    vd_json_add(text, "}}}");
}

int vd_message_print_short(const vd_answer *answer, char *out, size_t size)
{
    const char *id = id_or_null(answer->frame_id);
    if (answer->kind == VD_ANSWER_SKIPPED)
        return snprintf(out, size, "{\"type\":\"skipped\",\"frame_id\":%s,\"reason\":\"%s\"}", id,
                        reasons[answer->reason]);
    return snprintf(out, size,
                    "{\"type\":\"error\",\"error\":\"There is not enough memory.\",\"frame_id\":%s}", id);
}

static char *write_skipped(const vd_answer *answer)
{
    char line[VD_FRAME_ID + 64];
    vd_message_print_short(answer, line, sizeof line);
    return strdup(line);
}

char *vd_message_write_answer(const vd_answer *answer)
{
    vd_json_text text = {0};
    switch (answer->kind) {
    case VD_ANSWER_SKIPPED:
        return write_skipped(answer);
    case VD_ANSWER_ERROR:
        return vd_message_write_error(answer->error->text, answer->frame_id ? answer->frame_id : "", NULL);
    case VD_ANSWER_RESULT:
        add_result(&text, answer);
        break;
    }
    return vd_json_finish(&text);
}

/* --- Other messages */

char *vd_message_write_ping(const char *stamp)
{
    vd_json_text text = {0};
    vd_json_add(&text, "{\"type\":\"ping\",\"timestamp\":");
    vd_json_add(&text, stamp);
    vd_json_add(&text, "}");
    return vd_json_finish(&text);
}

char *vd_message_write_error(const char *sentence, const char *frame_id, const vd_refusal *refusal)
{
    vd_json_text text = {0};
    vd_json_add(&text, "{\"type\":\"error\",\"error\":");
    vd_json_add_string(&text, sentence);
    if (frame_id) {
        vd_json_add(&text, ",\"frame_id\":");
        vd_json_add(&text, id_or_null(frame_id));
    }
    if (refusal) {
        vd_json_add(&text, ",\"field\":");
        vd_json_add_string(&text, refusal->field);
        vd_json_add(&text, ",\"value\":");
        vd_json_add(&text, refusal->value);
        vd_json_add(&text, ",\"range\":");
        vd_json_add_string(&text, refusal->range);
    }
    vd_json_add(&text, "}");
    return vd_json_finish(&text);
}

char *vd_message_write_config(const char *client_id, const vd_session_config *config)
{
    vd_json_text text = {0};
    json_t *object = vd_session_config_to_json(config);
    char *fields = object ? json_dumps(object, VD_JSON_FLAGS) : NULL;
    json_decref(object);
    if (!fields)
        return NULL;
    vd_json_add(&text, "{\"type\":\"config\",\"client_id\":");
    vd_json_add_string(&text, client_id);
    vd_json_add(&text, ",\"config\":");
    vd_json_add(&text, fields);
    vd_json_add(&text, "}");
    free(fields);
    return vd_json_finish(&text);
}

/* --- A camera's feed */

static const char *verdict_name(vd_verdict verdict)
{
    static const char *const names[] = {[VD_VERDICT_NONE] = "none",
                                        [VD_VERDICT_PENDING] = "pending",
                                        [VD_VERDICT_VERIFIED] = "verified",
                                        [VD_VERDICT_REJECTED] = "rejected",
                                        [VD_VERDICT_UNVERIFIED] = "unverified"};
    return names[verdict];
}

static const char *judgement_name(vd_judgement judgement)
{
    static const char *const names[] = {[VD_JUDGEMENT_NONE] = "none",
                                        [VD_JUDGEMENT_CONFIRMED] = "confirmed",
                                        [VD_JUDGEMENT_FALSE_ALARM] = "false alarm"};
    return names[judgement];
}

static const char *state_name(vd_camera_state state)
{
    static const char *const names[] = {[VD_CAMERA_CONNECTING] = "connecting",
                                        [VD_CAMERA_PLAYING] = "playing",
                                        [VD_CAMERA_PAUSED] = "paused",
                                        [VD_CAMERA_ENDED] = "ended",
                                        [VD_CAMERA_FAILED] = "failed"};
    return names[state];
}

static void add_feed_detections(vd_json_text *text, const vd_feed_item *item)
{
    vd_json_add_format(text, "\"frame\":%" PRId64, item->frame_index);
    add_number_of(text, ",\"time\":", item->time_s, 3);
    vd_json_add(text, ",");
    add_detections(text, item->detections, item->detection_count, item->labels);
    add_number_of(text, ",\"latency_ms\":", item->latency_ms, 3);
    add_sizes(text, item->width, item->height, item->model, item->input_width, item->input_height);
}

static void add_event(vd_json_text *text, const vd_event *event)
{
    vd_json_add_format(text, "\"id\":%" PRIu64 ",\"track_id\":%d,\"class_id\":%d,\"class_name\":", event->id,
                       event->track_id, event->class_id);
    vd_json_add_string(text, event->class_name);
    vd_json_add_format(text, ",\"opened_frame\":%" PRId64, event->opened_frame);
    add_number_of(text, ",\"opened\":", event->opened_s, 3);
    add_number_of(text, ",\"seen\":", event->seen_s, 3);
    vd_json_add_format(text, ",\"opened_unix_ms\":%" PRId64 ",\"closed\":%s", event->opened_unix_ms,
                       event->closed ? "true" : "false");
    add_number_of(text, ",\"confidence\":", (double)event->confidence, 5);
    vd_json_add(text, ",\"bbox\":");
    add_box(text, &event->box);
    vd_json_add_format(text, ",\"verdict\":\"%s\"", verdict_name(event->verdict));
    if (event->verdict >= VD_VERDICT_VERIFIED) {
        vd_json_add(text, ",\"verdict_words\":");
        vd_json_add_string(text, vd_verdict_words(event->verdict, event->cause));
        add_number_of(text, ",\"score\":", (double)event->score, 5);
        vd_json_add_format(text, ",\"shadow\":%s", event->shadow ? "true" : "false");
    }
    vd_json_add_format(text, ",\"judgement\":\"%s\",\"revision\":%" PRIu32, judgement_name(event->judgement),
                       event->revision);
}

char *vd_message_write_feed(const char *camera, const vd_feed_item *item)
{
    static const char *const types[] = {
        [VD_FEED_DETECTIONS] = "detections", [VD_FEED_EVENT] = "event", [VD_FEED_STATE] = "state"};
    vd_json_text text = {0};
    vd_json_add_format(&text, "{\"type\":\"%s\",\"camera\":", types[item->kind]);
    vd_json_add_string(&text, camera);
    vd_json_add_format(&text, ",\"unix_ms\":%" PRId64 ",\"data\":{", item->unix_ms);
    if (item->kind == VD_FEED_DETECTIONS) {
        add_feed_detections(&text, item);
    } else if (item->kind == VD_FEED_EVENT) {
        add_event(&text, &item->event);
    } else {
        vd_json_add_format(&text, "\"state\":\"%s\"", state_name(item->state));
        if (item->reason[0] != '\0') {
            vd_json_add(&text, ",\"reason\":");
            vd_json_add_string(&text, item->reason);
        }
    }
    vd_json_add(&text, "}}");
    return vd_json_finish(&text);
}
