/* Server-sent events: the answers of a session, the messages of a camera. */
#include "serve/audience.h"
#include "serve/channels.h"
#include "serve/handlers.h"
#include "serve/request.h"

typedef struct reader {
    vd_audience audience;
} reader;

static void on_closed(void *context)
{
    reader *self = context;
    vd_audience_leave(&self->audience);
    g_free(self);
}

static reader *begin(vd_request *request)
{
    reader *self = g_new0(reader, 1);
    vd_channel_user user = {.closed = on_closed, .context = self};
    vd_channel *channel = vd_channel_open_events(request->link, request->message);
    vd_channel_use(channel, &user);
    self->audience.channel = channel;
    return self;
}

void vd_events_session(vd_request *request)
{
    vd_session *session = vd_request_session(request);
    if (!session)
        return;
    reader *self = begin(request);
    vd_audience_join_session(&self->audience, request->serve, self->audience.channel, session);
    vd_serve_pump(request->serve);
}

void vd_events_camera(vd_request *request)
{
    if (!vd_serve_has_camera(request->serve, request->parameter)) {
        vd_reply_error(request, SOUP_STATUS_NOT_FOUND, "There is no camera of this name.");
        return;
    }
    reader *self = begin(request);
    vd_error error = {0};
    if (vd_audience_join_camera(&self->audience, request->serve, self->audience.channel, request->parameter,
                                &error) != VD_OK)
        vd_channel_end(self->audience.channel, VD_CLOSE_NORMAL, error.text);
}
