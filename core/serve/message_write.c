#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/json_text.h"
#include "serve/message.h"
#include "serve/message_parts.h"

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

/* --- Answers */

static void add_result(vd_json_text *text, const vd_answer *answer)
{
    vd_json_add(text, "{\"type\":\"detection_result\",\"data\":{\"frame_id\":");
    vd_json_add(text, id_or_null(answer->frame_id));
    vd_json_add(text, ",");
    vd_message_add_detections(text, answer->detections, answer->count, answer->labels);
    vd_message_add_number(text, ",\"processing_time_ms\":", answer->processing_ms, 3);
    vd_message_add_number(text, ",\"timing_ms\":{\"queue\":", answer->queue_ms, 3);
    vd_message_add_number(text, ",\"decode\":", answer->decode_ms, 3);
    vd_message_add_number(text, ",\"forward\":", answer->forward_ms, 3);
    vd_json_add(text, "}");
    vd_message_add_sizes(text, answer->width, answer->height, answer->model, answer->input_width,
                         answer->input_height);
    vd_json_add_format(text, ",\"quality\":{\"mode\":\"%s\",\"level\":%d", vd_quality_mode_name(answer->mode),
                       answer->level);
    vd_message_add_number(text, ",\"fps\":", answer->fps, 2);
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
    if (frame_id || !refusal) {
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
