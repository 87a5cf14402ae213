/* Requests that are answered at once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "serve/audience.h"
#include "serve/figures.h"
#include "serve/handlers.h"
#include "serve/message.h"
#include "serve/message_fields.h"
#include "serve/request.h"
#include "vedette/version.h"

/* --- Sessions */

static json_t *describe(const vd_session *session)
{
    return json_pack("{s:s,s:o}", "client_id", vd_session_id(session), "config",
                     vd_session_config_to_json(vd_session_get_config(session)));
}

/* The body as an object; NULL when it is none (answered). An empty body is an empty object where `may_miss`.
 */
static json_t *read_object(vd_request *request, bool may_miss)
{
    json_t *object = NULL;
    vd_error error = {0};
    if (may_miss && request->body->len == 0)
        return json_object();
    int code = vd_json_read_object((const char *)request->body->data, request->body->len, &object, &error);
    if (code == VD_OK)
        return object;
    error.code = code == VD_EINVAL ? VD_EFORMAT : code; /* the body itself was not too large */
    vd_reply_failure(request, &error);
    return NULL;
}

static int refuse_twice(const char *name, const char *value, vd_refusal *refusal, vd_error *error)
{
    *refusal = (vd_refusal){.range = "given once"};
    vd_text_clean(refusal->field, sizeof refusal->field, name, strlen(name));
    vd_text_copy(refusal->value, sizeof refusal->value, value);
    return vd_error_set(error, VD_EINVAL, NULL,
                        "%s stands in the query and in the body; it must be given once.", refusal->field);
}

/* The configuration of a new session: fields of the query, and of the body. VD_OK, VD_EINVAL with `refusal`,
 * VD_ENOMEM. */
static int read_config(const vd_request *request, const json_t *changes, vd_session_config *config,
                       vd_refusal *refusal, vd_error *error)
{
    int max_fps = request->serve->options.streaming.max_fps;
    for (int i = 0; i < request->query.count; i++) {
        const char *name = request->query.items[i].name, *value = request->query.items[i].value;
        int code = json_object_get(changes, name)
                       ? refuse_twice(name, value, refusal, error)
                       : vd_session_config_change_text(config, name, value, max_fps, refusal, error);
        if (code != VD_OK)
            return code;
    }
    return vd_session_config_change(config, changes, max_fps, refusal, error);
}

/* What somebody who made a session wants to know of it. */
static json_t *describe_made(vd_serve *serve, const vd_session *session)
{
    char events[96], process[96];
    snprintf(events, sizeof events, "/stream/events/%s", vd_session_id(session));
    snprintf(process, sizeof process, "/stream/process/%s", vd_session_id(session));
    json_t *json = describe(session);
    if (json) {
        json_object_set_new(json, "sse_endpoint", json_string(events));
        json_object_set_new(json, "process_endpoint", json_string(process));
        json_object_set_new(json, "limits", vd_figures_limits(serve));
    }
    return json;
}

void vd_rest_open(vd_request *request)
{
    vd_serve *serve = request->serve;
    vd_session_config config = vd_serve_default_config(serve);
    vd_session *session;
    vd_refusal refusal = {0};
    vd_error error = {0};
    json_t *changes = read_object(request, true);
    if (!changes)
        return;
    int code = read_config(request, changes, &config, &refusal, &error);
    json_decref(changes);
    if (code == VD_EINVAL) {
        vd_reply_refusal(request, error.text, &refusal);
        return;
    }
    if (code == VD_OK)
        code = vd_serve_open_session(serve, request->link->peer, request->owner, &config, &session, &error);
    if (code == VD_OK)
        vd_reply_json(request, SOUP_STATUS_CREATED, describe_made(serve, session));
    else
        vd_reply_failure(request, &error);
}

void vd_rest_get(vd_request *request)
{
    vd_session *session = vd_request_session(request);
    if (!session)
        return;
    json_t *json = describe(session);
    if (json)
        json_object_set_new(json, "stats", vd_figures_session(session, vd_clock_now_ns()));
    vd_reply_json(request, SOUP_STATUS_OK, json);
}

void vd_rest_delete(vd_request *request)
{
    vd_session *session = vd_request_session(request);
    if (!session)
        return;
    const char *sentence = "The session was deleted.";
    vd_sessions_close(request->serve->sessions, session, sentence, vd_clock_now_ns());
    vd_audiences_sweep(request->serve, VD_CLOSE_NORMAL, sentence);
    vd_reply_empty(request, SOUP_STATUS_NO_CONTENT);
}

void vd_rest_stats(vd_request *request)
{
    vd_session *session = vd_request_session(request);
    if (session)
        vd_reply_json(request, SOUP_STATUS_OK, vd_figures_session(session, vd_clock_now_ns()));
}

void vd_rest_config(vd_request *request)
{
    vd_session *session = vd_request_session(request);
    if (session)
        vd_reply_json(request, SOUP_STATUS_OK, describe(session));
}

void vd_rest_change(vd_request *request)
{
    vd_session *session = vd_request_session(request);
    json_t *changes = session ? read_object(request, false) : NULL;
    vd_refusal refusal = {0};
    vd_error error = {0};
    if (!changes)
        return;
    int code = vd_session_change(session, changes, &refusal, &error);
    json_decref(changes);
    if (code == VD_EINVAL)
        vd_reply_refusal(request, error.text, &refusal);
    else if (code != VD_OK)
        vd_reply_failure(request, &error);
    else {
        vd_session_touch(session, vd_clock_now_ns());
        vd_reply_json(request, SOUP_STATUS_OK, describe(session));
    }
}

/* --- Frames */

/* One that the client gave no id gets a number. */
static void number_frame(vd_request *request, vd_message *message)
{
    if (message->frame_id[0] == '\0')
        snprintf(message->frame_id, sizeof message->frame_id, "%llu",
                 (unsigned long long)++request->serve->next_frame);
}

/* What stands around a picture in the query. */
static int read_words(const vd_request *request, vd_message *message, vd_error *error)
{
    const char *id = vd_query_get(&request->query, "frame_id");
    const char *time = vd_query_get(&request->query, "timestamp");
    int code = id ? vd_message_set_frame_id_text(message, id, error) : VD_OK;
    return code == VD_OK && time ? vd_message_set_timestamp_text(message, time, error) : code;
}

/* An encoded picture as the body. */
static int read_picture(vd_request *request, vd_message *ret_message, vd_error *error)
{
    *ret_message = (vd_message){.kind = VD_MESSAGE_FRAME};
    if (request->body->len == 0)
        return vd_error_set(error, VD_EFORMAT, NULL, "The body is empty; it must be the picture.");
    int code = read_words(request, ret_message, error);
    if (code != VD_OK)
        return code;
    ret_message->size = request->body->len;
    ret_message->bytes = malloc(ret_message->size);
    if (!ret_message->bytes)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory.");
    memcpy(ret_message->bytes, request->body->data, ret_message->size);
    return VD_OK;
}

static int read_frame(vd_request *request, vd_message *ret_message, vd_error *error)
{
    if (request->query.count > 0) {
        const char *name = request->query.items[0].name;
        json_t *value = json_string(request->query.items[0].value);
        vd_refusal_fill(&ret_message->refusal, name, value, "in the body");
        json_decref(value);
        return vd_error_set(error, VD_EFORMAT, NULL,
                            "%s stands in the query; of a picture in JSON it stands in the body.", name);
    }
    return vd_message_read_frame((const char *)request->body->data, request->body->len,
                                 vd_serve_most_picture(request->serve), ret_message, error);
}

static void accept_frame(vd_request *request, vd_session *session, vd_message *message)
{
    vd_job *job = vd_job_new();
    int64_t now_ns = vd_clock_now_ns();
    number_frame(request, message);
    if (!job) {
        vd_reply_error(request, SOUP_STATUS_SERVICE_UNAVAILABLE, "There is not enough memory.");
        return;
    }
    vd_text_copy(job->frame_id, sizeof job->frame_id, message->frame_id);
    job->bytes = message->bytes;
    job->size = message->size;
    job->timed = message->timed;
    job->timestamp = message->timestamp;
    job->received_ns = now_ns;
    message->bytes = NULL;
    char *text = malloc(VD_FRAME_ID + 32);
    int size = text ? snprintf(text, VD_FRAME_ID + 32, "{\"frame_id\":%s}\n", job->frame_id) : 0;
    vd_session_offer(session, job, now_ns);
    vd_serve_pump(request->serve);
    vd_reply_text(request, SOUP_STATUS_ACCEPTED, "application/json", text, (size_t)size);
}

void vd_rest_process(vd_request *request)
{
    vd_session *session = vd_request_session(request);
    if (!session)
        return;
    vd_message message = {0};
    vd_error error = {0};
    int code;
    if (!vd_request_header(request, "Content-Type") || vd_request_is_type(request, "application/json"))
        code = read_frame(request, &message, &error);
    else if (vd_request_is_type(request, "image/"))
        code = read_picture(request, &message, &error);
    else {
        vd_reply_error(request, SOUP_STATUS_UNSUPPORTED_MEDIA_TYPE,
                       "Content-Type must be application/json, image/jpeg, image/png or image/webp.");
        return;
    }
    error.code = code;
    if (code == VD_OK)
        accept_frame(request, session, &message);
    else if (message.refusal.field[0] != '\0')
        vd_reply_refusal(request, error.text, &message.refusal);
    else
        vd_reply_failure(request, &error);
    vd_message_clear(&message);
}

/* --- The service */

void vd_rest_ticket(vd_request *request)
{
    char ticket[VD_TICKET];
    vd_access_make_ticket(request->serve->access, request->owner, vd_clock_now_ns(), ticket);
    vd_reply_json(request, SOUP_STATUS_CREATED, json_pack("{s:s,s:i}", "ticket", ticket, "expires_in_s", 30));
}

void vd_rest_health(vd_request *request)
{
    bool ending = request->serve->ending;
    vd_work_stats work = vd_work_get_stats(request->serve->work);
    vd_reply_json(request, ending ? SOUP_STATUS_SERVICE_UNAVAILABLE : SOUP_STATUS_OK,
                  json_pack("{s:s,s:s,s:s}", "status", ending ? "stopping" : "ok", "model", work.model,
                            "version", vd_version()));
}

void vd_rest_service(vd_request *request)
{
    vd_reply_json(request, SOUP_STATUS_OK, vd_figures_service(request->serve, vd_clock_now_ns()));
}

void vd_rest_cameras(vd_request *request)
{
    const vd_cameras *cameras = request->serve->cameras;
    json_t *list = json_array();
    for (size_t i = 0; i < vd_cameras_count(cameras); i++) {
        vd_camera_entry entry = vd_cameras_at(cameras, i);
        json_t *json = json_pack("{s:s,s:s,s:i,s:i,s:I}", "name", entry.name, "state",
                                 vd_camera_state_name(entry.state), "open_events", entry.open_events,
                                 "watchers", entry.watchers, "dropped", (json_int_t)entry.dropped);
        if (entry.reason[0] != '\0')
            json_object_set_new(json, "reason", json_string(entry.reason));
        json_array_append_new(list, json);
    }
    vd_reply_json(request, SOUP_STATUS_OK, json_pack("{s:o}", "cameras", list));
}
