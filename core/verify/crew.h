/* The workers of stage 2 and the one thread, `vd-verify`, that owns them: it starts them, hands them clips,
 * kills those that are late, and replaces what is gone.
 *
 * One model is current. Another one is tried by one worker beside it, and takes over when that worker says it
 * has loaded. A model that cannot be loaded is tried again after 0.1 s, twice that, up to 5 s, and at once
 * when its file has changed.
 *
 * Degraded is stage 2 in three ways: no worker can run the model, and nothing waits for one; it is still
 * loading, and a request gave up waiting for it; it runs, but has failed on its last clips. In the last two
 * requests are tried all the same. */
#ifndef VD_VERIFY_CREW_H
#define VD_VERIFY_CREW_H

#include <sys/stat.h>

#include "base/thread.h"
#include "frame/convert.h"
#include "verify/process.h"
#include "verify/requests.h"

enum {
    VD_CREW_ROOM = 32,  /* processes at once: two sets of 8, and those that are being reaped */
    VD_CREW_MISSES = 3, /* clips in a row on which the model fails before stage 2 is degraded */
};

typedef enum vd_worker_state {
    VD_WORKER_NONE,
    VD_WORKER_LOADING,
    VD_WORKER_IDLE,
    VD_WORKER_BUSY,
    VD_WORKER_DYING /* killed, not yet reaped */
} vd_worker_state;

typedef struct vd_worker {
    vd_worker_state state;
    vd_process process;
    uint64_t generation; /* of its model */
    int batch;           /* clips of one pass */
    bool has_worked;     /* answered at least once */
    vd_request *running[VD_WIRE_CLIPS];
    uint64_t ids[VD_WIRE_CLIPS];
    int count;
    int64_t since_ns;    /* in this state */
    int64_t deadline_ns; /* LOADING, BUSY: when it is killed */
} vd_worker;

typedef struct vd_crew_model {
    char path[512];
    uint64_t generation;
} vd_crew_model;

typedef struct vd_crew {
    /* immutable */
    vd_verify_options options; /* model_path is only the first one */
    vd_requests *requests;
    void (*wake)(void *context);
    void *context;
    int event_fd;

    /* guarded by requests->lock */
    vd_crew_model order; /* the newest that was asked for */
    bool stopping, ended;

    /* owned by vd-verify */
    vd_worker workers[VD_CREW_ROOM];
    vd_crew_model current, next; /* next.generation 0: none is tried */
    uint64_t taken;              /* generation of the last order that was taken up */
    vd_verify_figures figures;
    bool changed;        /* since the last wake */
    double clip_s;       /* a clip's share of the last pass; 0: there was none with this model */
    int failures;        /* loads of the current model, in a row */
    int64_t next_try_ns; /* before it no worker of the current model is started */
    vd_error why, refused;
    struct stat tried;  /* the current model's file when it was tried last */
    int misses;         /* of the current model: clips in a row without a verdict, VD_CREW_MISSES at most */
    vd_error missed;    /* how it failed on the last of them, as a part of a sentence */
    int64_t unready_ns; /* since when no worker has the current model; 0: one has */
    bool is_slow;       /* it is still loading, and a request gave up waiting for that */
    vd_scratch scratch[3];

    vd_thread thread; /* owned by who starts and joins it */
} vd_crew;

/* Starts the thread. VD_OK or VD_ENOMEM; then nothing is left to end. */
int vd_crew_start(vd_crew *crew, const vd_verify_options *options, vd_requests *requests,
                  void (*wake)(void *context), void *context);

/* Makes the thread look at the queue, orders and `stopping`. Any thread. */
void vd_crew_poke(const vd_crew *crew);

/* Another model; taken up by the thread. Any thread. */
void vd_crew_set_model(vd_crew *crew, const char *path);

/* Asks the thread to end and waits until every worker is dead and the requests are closed. Any thread, as
 * often as wanted. */
void vd_crew_stop(vd_crew *crew);

/* After vd_crew_stop: joins the thread. */
void vd_crew_fini(vd_crew *crew);

/* --- Parts, for the thread alone */

/* What is known of the workers, for whoever asks from now on. */
void vd_crew_publish(vd_crew *crew);

/* crew_staff.c: starts and ends workers, as load and orders have it. */
void vd_crew_take_orders(vd_crew *crew);
void vd_crew_staff(vd_crew *crew);
void vd_crew_greet(vd_crew *crew, vd_worker *worker, const vd_wire_hello *hello);
void vd_crew_load_failed(vd_crew *crew, const vd_worker *worker, const vd_error *error);
void vd_crew_end_worker(vd_worker *worker);
bool vd_crew_is_out(const vd_crew *crew); /* no worker can run the model: nothing waits for it */
int vd_crew_ready(const vd_crew *crew);   /* workers that have the current model */
int vd_crew_count(const vd_crew *crew, vd_worker_state state, uint64_t generation);

/* When vd_crew_staff wants to be called next, whatever happens; INT64_MAX: not of itself. */
int64_t vd_crew_staff_due_ns(const vd_crew *crew);

/* crew_work.c: clips to workers, answers from them, and what goes wrong. */
void vd_crew_hand_out(vd_crew *crew);
void vd_crew_listen(vd_crew *crew, vd_worker *worker);
void vd_crew_expire(vd_crew *crew, int64_t now_ns);

/* Answers the requests that have waited too long for a model that is still loading. */
void vd_crew_answer_late(vd_crew *crew);

/* When it wants to be called next; INT64_MAX: not of itself. */
int64_t vd_crew_late_due_ns(const vd_crew *crew);

#endif
