#include "serve/audience.h"

#include <stdlib.h>

#include "base/clock.h"
#include "serve/channels.h"

static void enlist(vd_audience *audience, vd_serve *serve, vd_channel *channel)
{
    audience->serve = serve;
    audience->channel = channel;
    audience->next = serve->audiences;
    if (audience->next)
        audience->next->previous = audience;
    serve->audiences = audience;
}

static void unlist(vd_audience *audience)
{
    if (audience->previous)
        audience->previous->next = audience->next;
    else
        audience->serve->audiences = audience->next;
    if (audience->next)
        audience->next->previous = audience->previous;
    audience->next = audience->previous = NULL;
}

/* Once it fails the session takes us for gone, and who listens when our channel ends may be another. */
static bool send_answer(void *context, char *text, size_t size)
{
    vd_audience *audience = context;
    bool sent = vd_channel_send(audience->channel, text, size);
    audience->listens = audience->listens && sent;
    return sent;
}

/* A camera's messages do not wait for another reader. */
static bool send_feed(void *context, char *text, size_t size)
{
    bool sent = vd_channel_send(((vd_audience *)context)->channel, text, size);
    if (!sent)
        free(text);
    return sent;
}

static void taken_over(void *context)
{
    vd_audience *audience = context;
    audience->listens = false;
    vd_channel_end(audience->channel, VD_CLOSE_REPLACED, "Another connection has taken this session over.");
}

void vd_audience_join_session(vd_audience *audience, vd_serve *serve, vd_channel *channel,
                              vd_session *session)
{
    vd_session_listener listener = {send_answer, taken_over, audience};
    char masked[16];
    enlist(audience, serve, channel);
    audience->session = vd_session_ref(session);
    audience->listens = true;
    vd_session_mask_id(vd_session_id(session), masked);
    vd_channel_name(channel, masked);
    vd_session_listen(session, &listener, vd_clock_now_ns());
}

static void camera_gone(void *context)
{
    vd_channel_end(((vd_audience *)context)->channel, VD_CLOSE_NORMAL, "The camera is gone.");
}

int vd_audience_join_camera(vd_audience *audience, vd_serve *serve, vd_channel *channel, const char *name,
                            vd_error *error)
{
    vd_watcher_listener listener = {send_feed, camera_gone, audience};
    enlist(audience, serve, channel);
    vd_channel_name(channel, name);
    return vd_watcher_attach(serve->cameras, name, &listener, &audience->watcher, error);
}

void vd_audience_leave(vd_audience *audience)
{
    if (!audience->serve)
        return;
    unlist(audience);
    vd_watcher_detach(&audience->watcher);
    if (audience->listens) {
        vd_session_listener nobody = {0};
        audience->listens = false;
        vd_session_listen(audience->session, &nobody, vd_clock_now_ns());
    }
    vd_session_unref(&audience->session);
    audience->serve = NULL;
}

void vd_audiences_sweep(vd_serve *serve, int code, const char *sentence)
{
    for (vd_audience *audience = serve->audiences; audience; audience = audience->next)
        if (audience->session && vd_session_ended(audience->session))
            vd_channel_end(audience->channel, code, sentence);
}
