/* The thread ends when its list is empty; the next one who has work for it, or vd_camera_join_closed, joins
 * it.
 *
 * Invariant: once `running` is false under the lock the thread takes no lock any more, so it can be joined
 * under it. */
#include "pipeline/reaper.h"

#include "pipeline/camera_state.h"

static struct {
    vd_mutex lock;
    /* guarded by lock */
    vd_cond emptied;
    vd_thread thread;
    vd_camera *closed;
    void (*destroy)(vd_camera *camera);
    bool running;
} reaper = {.lock = VD_MUTEX_INIT(VD_RANK_REAPER)};

static void make_cond(void)
{
    vd_cond_init(&reaper.emptied);
}

static void lock_reaper(void)
{
    static vd_once once = VD_ONCE_INIT;
    vd_once_run(&once, make_cond);
    vd_mutex_lock(&reaper.lock);
}

static void reap(void *context)
{
    (void)context;
    lock_reaper();
    while (reaper.closed) {
        vd_camera *camera = reaper.closed;
        void (*destroy)(vd_camera * camera) = reaper.destroy;
        reaper.closed = camera->next_closed;
        vd_mutex_unlock(&reaper.lock);
        destroy(camera);
        vd_mutex_lock(&reaper.lock);
    }
    reaper.running = false;
    vd_cond_broadcast(&reaper.emptied);
    vd_mutex_unlock(&reaper.lock);
}

void vd_reaper_take(vd_camera *camera, void (*destroy)(vd_camera *camera))
{
    lock_reaper();
    camera->next_closed = reaper.closed;
    reaper.closed = camera;
    reaper.destroy = destroy;
    if (!reaper.running) {
        vd_thread_join(&reaper.thread);
        reaper.running = vd_thread_start(&reaper.thread, "vd-reaper", reap, NULL) == VD_OK;
    }
    bool alone = !reaper.running;
    vd_mutex_unlock(&reaper.lock);
    if (alone)
        reap(NULL);
}

bool vd_camera_join_closed(int64_t timeout_ns)
{
    int64_t deadline = vd_clock_deadline_ns(timeout_ns);
    lock_reaper();
    while (reaper.running && vd_cond_wait_until(&reaper.emptied, &reaper.lock, deadline))
        continue;
    bool gone = !reaper.running;
    if (gone)
        vd_thread_join(&reaper.thread);
    vd_mutex_unlock(&reaper.lock);
    return gone;
}
