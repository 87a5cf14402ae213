#include "verify/crew.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

#define REAP_NS (5 * VD_NS_PER_MS)     /* between looks at processes that were killed */
#define LAST_WAIT_NS (2 * VD_NS_PER_S) /* for them at the end; the system ends what is left with us */
#define LONGEST_NS (60 * VD_NS_PER_S)

/* --- The thread */

static int64_t next_due_ns(const vd_crew *crew)
{
    int64_t now_ns = vd_clock_now_ns(), due_ns = vd_crew_staff_due_ns(crew);
    int64_t late_ns = vd_crew_late_due_ns(crew);
    due_ns = late_ns < due_ns ? late_ns : due_ns;
    for (int i = 0; i < VD_CREW_ROOM; i++) {
        const vd_worker *worker = &crew->workers[i];
        bool has_deadline = worker->state == VD_WORKER_LOADING || worker->state == VD_WORKER_BUSY;
        if (has_deadline && worker->deadline_ns < due_ns)
            due_ns = worker->deadline_ns;
        if (worker->state == VD_WORKER_DYING && now_ns + REAP_NS < due_ns)
            due_ns = now_ns + REAP_NS;
    }
    return due_ns;
}

/* Sleeps until a worker speaks, somebody pokes, or the next deadline. */
static void wait_for_news(vd_crew *crew)
{
    struct pollfd fds[VD_CREW_ROOM + 1] = {{.fd = crew->event_fd, .events = POLLIN}};
    vd_worker *speakers[VD_CREW_ROOM + 1] = {NULL};
    nfds_t count = 1;
    for (int i = 0; i < VD_CREW_ROOM; i++) {
        vd_worker *worker = &crew->workers[i];
        if (worker->state == VD_WORKER_NONE || worker->state == VD_WORKER_DYING)
            continue;
        fds[count] = (struct pollfd){.fd = worker->process.socket, .events = POLLIN};
        speakers[count++] = worker;
    }
    int64_t wait_ns = next_due_ns(crew) - vd_clock_now_ns();
    wait_ns = wait_ns < 0 ? 0 : wait_ns > LONGEST_NS ? LONGEST_NS : wait_ns;
    const struct timespec limit = {wait_ns / VD_NS_PER_S, wait_ns % VD_NS_PER_S};
    if (ppoll(fds, count, &limit, NULL) <= 0)
        return;
    uint64_t pokes;
    if (fds[0].revents && read(crew->event_fd, &pokes, sizeof pokes) < 0 && errno != EAGAIN && errno != EINTR)
        crew->changed = true; /* cannot be: an eventfd that is open */
    for (nfds_t i = 1; i < count; i++)
        if (fds[i].revents)
            vd_crew_listen(crew, speakers[i]);
}

#define JUDGED "events are judged by how well their detections agree."

static bool is_degraded(const vd_crew *crew, vd_error *ret_why)
{
    if (vd_crew_is_out(crew))
        *ret_why = crew->why;
    else if (crew->misses >= VD_CREW_MISSES)
        vd_error_set(ret_why, crew->missed.code, NULL,
                     "The second model failed on its last %d clips: %s; " JUDGED, VD_CREW_MISSES,
                     crew->missed.text);
    else if (crew->is_slow)
        vd_error_set(ret_why, VD_ETIMEOUT, NULL, "The second model is still loading; " JUDGED);
    else
        return false;
    return true;
}

void vd_crew_publish(vd_crew *crew)
{
    vd_verify_figures *figures = &crew->figures;
    figures->workers = figures->workers_active = 0;
    for (int i = 0; i < VD_CREW_ROOM; i++) {
        vd_worker_state state = crew->workers[i].state;
        figures->workers += state == VD_WORKER_IDLE || state == VD_WORKER_BUSY;
        figures->workers_active += state == VD_WORKER_BUSY;
    }
    figures->why = crew->refused;
    figures->degraded = is_degraded(crew, &figures->why);
    vd_requests_publish(crew->requests, figures);
}

static void tell(vd_crew *crew)
{
    vd_crew_publish(crew);
    if (crew->changed && crew->wake)
        crew->wake(crew->context);
    crew->changed = false;
}

static bool is_stopping(vd_crew *crew)
{
    vd_mutex_lock(&crew->requests->lock);
    bool stopping = crew->stopping;
    vd_mutex_unlock(&crew->requests->lock);
    return stopping;
}

/* Kills all, and waits until none is left; nothing of them can last, but for what the system holds up. */
static void end_all(vd_crew *crew)
{
    int64_t limit_ns = vd_clock_now_ns() + LAST_WAIT_NS;
    bool left = true;
    for (int i = 0; i < VD_CREW_ROOM; i++)
        if (crew->workers[i].state != VD_WORKER_NONE && crew->workers[i].state != VD_WORKER_DYING)
            vd_crew_end_worker(&crew->workers[i]);
    while (left && vd_clock_now_ns() < limit_ns) {
        left = false;
        for (int i = 0; i < VD_CREW_ROOM; i++) {
            vd_worker *worker = &crew->workers[i];
            if (worker->state == VD_WORKER_DYING && vd_process_reap(&worker->process))
                worker->state = VD_WORKER_NONE;
            left = left || worker->state == VD_WORKER_DYING;
        }
        if (left)
            poll(NULL, 0, 1);
    }
}

static void run(void *context)
{
    vd_crew *crew = context;
    while (!is_stopping(crew)) {
        vd_crew_take_orders(crew);
        vd_crew_expire(crew, vd_clock_now_ns());
        vd_crew_staff(crew);
        vd_crew_hand_out(crew);
        vd_crew_answer_late(crew);
        tell(crew);
        wait_for_news(crew);
    }
    vd_requests_close(crew->requests);
    end_all(crew);
    for (size_t i = 0; i < sizeof crew->scratch / sizeof *crew->scratch; i++)
        vd_scratch_fini(&crew->scratch[i]);
    crew->changed = true;
    tell(crew);
    vd_mutex_lock(&crew->requests->lock);
    crew->ended = true;
    vd_cond_broadcast(&crew->requests->news);
    vd_mutex_unlock(&crew->requests->lock);
}

/* --- From outside */

int vd_crew_start(vd_crew *crew, const vd_verify_options *options, vd_requests *requests,
                  void (*wake)(void *context), void *context)
{
    *crew = (vd_crew){.options = *options, .requests = requests, .wake = wake, .context = context};
    crew->current.generation = crew->order.generation = crew->taken = 1;
    vd_text_copy(crew->current.path, sizeof crew->current.path, options->model_path);
    crew->order = crew->current;
    if (!*options->model_path)
        vd_error_set(&crew->why, VD_ENOTFOUND, NULL, "No second model is set.");
    crew->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (crew->event_fd < 0)
        return VD_ENOMEM;
    if (vd_thread_start(&crew->thread, "vd-verify", run, crew) == VD_OK)
        return VD_OK;
    close(crew->event_fd);
    return VD_ENOMEM;
}

void vd_crew_poke(const vd_crew *crew)
{
    const uint64_t one = 1;
    ssize_t written;
    do /* a full counter wakes as well */
        written = write(crew->event_fd, &one, sizeof one);
    while (written < 0 && errno == EINTR);
}

void vd_crew_set_model(vd_crew *crew, const char *path)
{
    vd_mutex_lock(&crew->requests->lock);
    vd_text_copy(crew->order.path, sizeof crew->order.path, path);
    crew->order.generation++;
    vd_mutex_unlock(&crew->requests->lock);
    vd_crew_poke(crew);
}

void vd_crew_stop(vd_crew *crew)
{
    vd_mutex_lock(&crew->requests->lock);
    crew->stopping = true;
    vd_mutex_unlock(&crew->requests->lock);
    vd_crew_poke(crew);
    vd_mutex_lock(&crew->requests->lock);
    while (!crew->ended)
        vd_cond_wait_until(&crew->requests->news, &crew->requests->lock, vd_clock_now_ns() + VD_NS_PER_S);
    vd_mutex_unlock(&crew->requests->lock);
}

void vd_crew_fini(vd_crew *crew)
{
    vd_thread_join(&crew->thread);
    close(crew->event_fd);
}
