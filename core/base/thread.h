/* Threads, ranked locks and conditions on the monotonic clock. The only pthreads of the program.
 *
 * Locks are ranked and not recursive: a thread takes them in rising rank only, which debug builds check.
 * docs/threads.md lists the ranks. */
#ifndef VD_BASE_THREAD_H
#define VD_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* The order in which locks may nest: only from a smaller to a greater rank. */
enum vd_rank {
    VD_RANK_REAPER = 5,
    VD_RANK_CAMERA = 10,
    VD_RANK_SERVE = 15,
    VD_RANK_DETECTOR = 20,
    VD_RANK_VERIFY = 25,
    VD_RANK_RECORDER = 30,
    VD_RANK_SOURCE = 40,
    VD_RANK_FEED = 45,
    VD_RANK_QUEUE = 50,
    VD_RANK_FUTURE = 60,
    VD_RANK_POOL = 70,
    VD_RANK_KERNELS = 75, /* held while kernels are built and timed */
    VD_RANK_CANCEL = 80,
    VD_RANK_CANCEL_CHILD = 81,
    VD_RANK_LOG = 90,
    VD_RANK_WAKE = 95 /* a leaf: held while the window is told that something changed */
};

typedef struct vd_mutex {
    pthread_mutex_t handle;
    int rank;
} vd_mutex;

typedef struct vd_cond {
    pthread_cond_t handle;
} vd_cond;

/* For locks that live as long as the process. */
#define VD_MUTEX_INIT(its_rank)                                                                              \
    {                                                                                                        \
        .handle = PTHREAD_MUTEX_INITIALIZER, .rank = (its_rank)                                              \
    }

typedef pthread_once_t vd_once;
#define VD_ONCE_INIT PTHREAD_ONCE_INIT

/* Runs `init` once in the life of the process; whoever comes meanwhile waits until it has run. */
void vd_once_run(vd_once *once, void (*init)(void));

/* Init fails only when the system is out of memory: VD_OK or VD_ENOMEM. */
int vd_mutex_init(vd_mutex *mutex, int rank);
void vd_mutex_fini(vd_mutex *mutex);
void vd_mutex_lock(vd_mutex *mutex);
void vd_mutex_unlock(vd_mutex *mutex);

int vd_cond_init(vd_cond *cond);
void vd_cond_fini(vd_cond *cond);
void vd_cond_signal(vd_cond *cond);
void vd_cond_broadcast(vd_cond *cond);
void vd_cond_wait(vd_cond *cond, vd_mutex *mutex);

/* Waits until signalled or until `deadline_ns` on vd_clock_now_ns(); false when the deadline passed. Wakes
 * without cause: test the condition in a loop. INT64_MAX waits without end. */
bool vd_cond_wait_until(vd_cond *cond, vd_mutex *mutex, int64_t deadline_ns);

typedef struct vd_thread {
    pthread_t handle;
    bool running; /* owned by the starter */
} vd_thread;

/* Starts `run(context)` on a thread named `name` (at most 15 bytes). VD_OK or VD_ENOMEM. */
int vd_thread_start(vd_thread *thread, const char *name, void (*run)(void *context), void *context);

/* Waits for the thread to end; does nothing when it was never started or is joined already. */
void vd_thread_join(vd_thread *thread);

/* True when called on that thread. */
bool vd_thread_is_current(const vd_thread *thread);

#endif
