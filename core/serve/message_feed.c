/* What watchers of a camera get. */
#include <inttypes.h>

#include "serve/message.h"
#include "serve/message_parts.h"
#include "vedette/app/feed.h"

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
    vd_message_add_number(text, ",\"time\":", item->time_s, 3);
    vd_json_add(text, ",");
    vd_message_add_detections(text, item->detections, item->detection_count, item->labels);
    vd_message_add_number(text, ",\"latency_ms\":", item->latency_ms, 3);
    vd_message_add_sizes(text, item->width, item->height, item->model, item->input_width, item->input_height);
}

static void add_event(vd_json_text *text, const vd_event *event)
{
    vd_json_add_format(text, "\"id\":%" PRIu64 ",\"track_id\":%d,\"class_id\":%d,\"class_name\":", event->id,
                       event->track_id, event->class_id);
    vd_json_add_string(text, event->class_name);
    vd_json_add_format(text, ",\"opened_frame\":%" PRId64, event->opened_frame);
    vd_message_add_number(text, ",\"opened\":", event->opened_s, 3);
    vd_message_add_number(text, ",\"seen\":", event->seen_s, 3);
    vd_json_add_format(text, ",\"opened_unix_ms\":%" PRId64 ",\"closed\":%s", event->opened_unix_ms,
                       event->closed ? "true" : "false");
    vd_message_add_number(text, ",\"confidence\":", (double)event->confidence, 5);
    vd_json_add(text, ",\"bbox\":");
    vd_message_add_box(text, &event->box);
    vd_json_add_format(text, ",\"verdict\":\"%s\"", verdict_name(event->verdict));
    if (event->verdict >= VD_VERDICT_VERIFIED) {
        vd_json_add(text, ",\"verdict_words\":");
        vd_json_add_string(text, vd_verdict_words(event->verdict, event->cause));
        vd_message_add_number(text, ",\"score\":", (double)event->score, 5);
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
