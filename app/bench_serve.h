/* What the parts of `vedette-cli bench serve` share: a WebSocket client that does little else than send and
 * receive, and sessions that send at a pace. Everything is the main thread's; the service has its own. */
#ifndef APP_BENCH_SERVE_H
#define APP_BENCH_SERVE_H

#include <stddef.h>
#include <stdint.h>

#include "bench.h"
#include "vedette/app/serve.h"
#include "vedette/frame.h"

/* --- A WebSocket to this machine, RFC 6455: no more of it than this service needs */

typedef struct bench_socket bench_socket;

/* A binary message as it goes over the wire, masked. malloc; NULL: no memory. */
uint8_t *bench_socket_wrap(const void *bytes, size_t size, size_t *ret_size);

/* Connects and shakes hands, within 5 s.
 *
 * path  with the query
 * VD_OK, VD_EIO (it was refused: the sentence has the answer's first line), VD_ETIMEOUT or VD_ENOMEM. */
int bench_socket_open(int port, const char *path, bench_socket **ret_socket, vd_error *error);

/* Closes without a goodbye. Accepts NULL and sets it. */
void bench_socket_free(bench_socket **socket);

/* For poll(): the descriptor, and whether something waits to be written. */
int bench_socket_fd(const bench_socket *socket);
bool bench_socket_has_more(const bench_socket *socket);

enum { BENCH_SOCKET_WAITING = 64 };

/* Takes a wrapped message, which must stay as it is until it is written; false when
 * BENCH_SOCKET_WAITING wait already. */
bool bench_socket_send(bench_socket *socket, const uint8_t *message, size_t size);

/* Writes and reads what can be written and read now; hands over every text that has come, ended by a zero
 * byte. VD_OK, VD_EIO (the sentence says why the connection ended) or VD_ENOMEM. */
int bench_socket_work(bench_socket *socket, void (*take)(void *context, const char *text), void *context,
                      vd_error *error);

/* --- Pictures, as they go over the wire */

enum { BENCH_SERVE_PICTURES = 16 };

typedef struct bench_serve_pictures {
    struct {
        uint8_t *message;
        size_t size; /* of the message */
    } wire[BENCH_SERVE_PICTURES];
    int count;
    size_t bytes;    /* of all pictures together, encoded */
    vd_frame *first; /* as it was before it was encoded */
} bench_serve_pictures;

/* Renders the demonstration at 640 × 480, ten frames a second, and encodes it. A cli_status; explains. */
int bench_serve_make_pictures(bench_job *job, bench_serve_pictures *ret_pictures);
void bench_serve_clear_pictures(bench_serve_pictures *pictures);

/* --- Sessions that send frames, each at the same pace, one after the other's turn */

typedef struct bench_load bench_load;

typedef struct bench_load_options {
    int port, sessions;
    double rate; /* frames a second of each session */
    const bench_serve_pictures *pictures;
    int accurate; /* every so many-th session asks for the quality mode `accurate`; 0: none */
    int capacity; /* answers that a bench_load_run can keep the time of */
} bench_load_options;

/* Opens the sessions. VD_OK or as bench_socket_open. */
int bench_load_new(const bench_load_options *options, bench_load **ret_load, vd_error *error);
void bench_load_free(bench_load **load); /* accepts NULL and sets it */

/* What came while a run lasted. */
typedef struct bench_load_figures {
    double seconds;
    vd_bench_latency latency; /* from send to result */
    uint64_t sent, results, skipped, failed;
    uint64_t least, most;        /* results of a session */
    int level;                   /* the highest that a result told */
    int least_width, most_width; /* of the network's input, as results told */
    double least_fps, most_fps;  /* as results told */
    double lowered_s;            /* when the last result came that told a level above 0; 0: none did */
    uint64_t at_end;             /* results since then, all of them at level 0 */
} bench_load_figures;

/* Sends and receives for `seconds`; the pace goes on from run to run. VD_OK, VD_ECANCELED, VD_EFORMAT (an
 * answer that cannot be read), or as bench_socket_work. */
int bench_load_run(bench_load *load, double seconds, bench_load_figures *ret_figures, vd_error *error);

/* Waits until every frame is answered, at most `seconds`, without sending.
 *
 * ret_unanswered  frames without an answer
 * ret_doubled     answers to a frame that was answered already, or was never sent, since the beginning */
int bench_load_finish(bench_load *load, double seconds, uint64_t *ret_unanswered, uint64_t *ret_doubled,
                      vd_error *error);

/* --- The service in this process */

typedef struct bench_service {
    vd_serve *serve;
    int wake; /* an eventfd */
    int port;
} bench_service;

/* Starts it on a free port of loopback and waits until it listens, at most a minute. `options` has the model
 * or the detector; the rest is filled in here. VD_OK, VD_ETIMEOUT, or why it failed. */
int bench_service_start(vd_serve_options *options, bench_service *ret_service, vd_error *error);
void bench_service_stop(bench_service *service);

/* --- Cases */

typedef struct bench_serve_job {
    bench_job base; /* seconds: of one measurement */
    const char *sessions;
    double rate;
    int64_t workers; /* of the detector; 0: as the service does */
    bench_serve_pictures pictures;
    uint64_t unanswered, doubled, sent; /* of all cases */
} bench_serve_job;

/* As bench_failed; what is wrong with the model is the request's fault. */
int bench_serve_failed(int code, const vd_error *error);

/* The detector slowed fourfold while ten sessions send. A cli_status. */
int bench_serve_slowed(bench_serve_job *job);

#endif
