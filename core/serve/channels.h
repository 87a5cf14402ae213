/* Channels as the service keeps them; whoever only sends needs channel.h. */
#ifndef VD_SERVE_CHANNELS_H
#define VD_SERVE_CHANNELS_H

#include <libsoup/soup.h>
#include <stdint.h>

#include "serve/channel.h"
#include "serve/link.h"

/* A WebSocket on a connection that libsoup has let go of; only small messages are taken until
 * vd_channel_allow. Never NULL.
 *
 * stream  one reference is taken */
vd_channel *vd_channel_open_socket(vd_link *link, SoupServerMessage *message, GIOStream *stream);

/* How large the client's messages may be from now on. */
void vd_channel_allow(vd_channel *channel, uint64_t most_message_bytes);

/* Begins a response of server-sent events. NULL is impossible; the client may be gone all the same. */
vd_channel *vd_channel_open_events(vd_link *link, SoupServerMessage *message);

/* What the log calls it; no secret. */
void vd_channel_name(vd_channel *channel, const char *name);

/* Closes the channel with this sentence unless vd_channel_stay comes first. */
void vd_channel_leave_at(vd_channel *channel, int64_t deadline_ns, const char *sentence);
void vd_channel_stay(vd_channel *channel);

/* Cuts off whoever is on the link: counted and logged. */
void vd_channels_cut(vd_serve *serve, vd_link *link, const char *why);

/* An error message, then the end. */
void vd_channels_end(vd_serve *serve, vd_link *link, int code, const char *sentence);

/* The same for all. */
void vd_channels_end_all(vd_serve *serve, int code, const char *sentence);

/* The link is gone; `closed` follows. */
void vd_channels_forget(vd_serve *serve, const vd_link *link);

/* Lets go of those that did not end by themselves. */
void vd_channels_abandon(vd_serve *serve);

/* Signs of life for streams of events, deadlines, closings that were not answered. */
void vd_channels_tick(vd_serve *serve, int64_t now_ns);

#endif
