/* The service as its parts see it. Everything but what the banners say belongs to the thread `vd-serve`. */
#ifndef VD_SERVE_SERVER_H
#define VD_SERVE_SERVER_H

#include <libsoup/soup.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/thread.h"
#include "serve/access.h"
#include "serve/cameras.h"
#include "serve/channel.h"
#include "serve/link.h"
#include "serve/session.h"
#include "serve/work.h"
#include "vedette/app/models.h"
#include "vedette/app/monitor.h"
#include "vedette/app/serve.h"
#include "vedette/app/verify.h"

/* Why somebody was turned away, for /metrics. */
typedef enum vd_refused {
    VD_REFUSED_CONNECTIONS, /* too many */
    VD_REFUSED_REQUESTS,    /* too many a second */
    VD_REFUSED_SESSIONS,    /* too many */
    VD_REFUSED_TOKEN,
    VD_REFUSED_ORIGIN, /* a foreign page, a foreign name */
    VD_REFUSED_SIZE,
    VD_REFUSED_SLOW, /* a request that took too long */
    VD_REFUSED_WRONG /* nothing there, or not understood */
} vd_refused;
enum { VD_REFUSED_REASONS = VD_REFUSED_WRONG + 1 };

typedef struct vd_serve_counts {
    uint64_t connections, requests, cut_off;
    uint64_t refused[VD_REFUSED_REASONS];
    uint64_t sessions; /* opened, ever */
} vd_serve_counts;

/* From a frame's arrival to its result. */
enum { VD_LATENCY_BUCKETS = 10 };
extern const double vd_latency_bounds_s[VD_LATENCY_BUCKETS];

typedef struct vd_latency {
    uint64_t counts[VD_LATENCY_BUCKETS]; /* of each bucket alone */
    uint64_t count;
    double sum_s;
} vd_latency;

struct vd_serve {
    /* --- immutable once started */
    vd_serve_options options; /* its texts are those below */
    char model[VD_MODEL_PATH], labels[512], device[16];
    vd_thread thread;
    int wake_fd; /* an eventfd: whoever writes wakes the thread */
    vd_cameras *cameras;

    /* --- guarded by lock */
    vd_mutex lock;
    bool stopping;
    vd_serve_status status;
    vd_verifier *verifier; /* borrowed; NULL: no camera has stage 2 */

    /* --- owned by vd-serve */
    GMainContext *context;
    SoupServer *soup;
    GSocket *socket;
    GTlsCertificate *certificate; /* NULL: no TLS */
    int spare_fd;                 /* given up for a moment when descriptors run out */
    vd_access *access;
    vd_sessions *sessions;
    vd_work *work;
    vd_monitor *monitor;
    vd_thresholds thresholds; /* of new sessions */
    GSource *pump, *tick, *acceptor, *waker, *usher;
    GQueue accepted; /* GSocket: accepted, and not yet looked at */
    vd_link *links;
    int link_count;
    vd_channel *channels;
    int channel_count;
    struct vd_audience *audiences;
    uint64_t next_frame; /* number of a frame that came over REST without one */
    vd_serve_counts counts;
    int64_t began_ns, measured_ns;
    uint64_t late, results; /* when it was measured last */
    vd_latency latency;
    int level;
    bool ending; /* no new sessions: the service stops */
};

/* How long a frame may wait to be started; how long where its session has sent a newer one. */
#define VD_SERVE_DEADLINE_S 1.0
#define VD_SERVE_STALE_S 0.15

/* Frames came, went or are due: looked at when whoever runs now has returned. */
void vd_serve_pump(vd_serve *serve);

/* What a message of a client may have at most: the picture in base64, and what stands around it. */
size_t vd_serve_most_message(const vd_serve *serve);
size_t vd_serve_most_picture(const vd_serve *serve);

/* The configuration that a new session begins with. */
vd_session_config vd_serve_default_config(const vd_serve *serve);

/* Makes a session. As vd_sessions_open. */
int vd_serve_open_session(vd_serve *serve, const char *peer, int owner, const vd_session_config *config,
                          vd_session **ret_session, vd_error *error);

bool vd_serve_has_camera(const vd_serve *serve, const char *name);

/* False: no camera has stage 2. Never waits for it. */
bool vd_serve_get_step2(vd_serve *serve, vd_verify_stats *ret_stats);

/* --- Of server.c and its neighbours alone */

/* Binds the address, reads the certificate: VD_OK, VD_EINVAL, VD_EUNSUPPORTED, VD_EIO (the port is taken). */
int vd_serve_bind(vd_serve *serve, vd_error *error);

/* Connections are accepted from now on. As vd_serve_bind. */
int vd_serve_listen(vd_serve *serve, vd_error *error);
void vd_serve_stop_listening(vd_serve *serve);

/* What happens by itself: frames that are due, answers that are ready, time that passes. */
void vd_serve_begin_turns(vd_serve *serve);
void vd_serve_end_turns(vd_serve *serve);

/* Figures for the status. */
void vd_serve_publish(vd_serve *serve);
void vd_serve_wake(void *serve); /* any thread */

#endif
