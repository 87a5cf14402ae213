#include "base/thread.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "vedette/error.h"

#ifdef VD_DEBUG
enum { MOST_HELD = 16 };
static _Thread_local int held_ranks[MOST_HELD];
static _Thread_local int held_count;

static void note_locked(const vd_mutex *mutex)
{
    assert(held_count < MOST_HELD);
    assert((held_count == 0 || held_ranks[held_count - 1] < mutex->rank) && "locks taken out of order");
    held_ranks[held_count++] = mutex->rank;
}

static void note_unlocked(const vd_mutex *mutex)
{
    assert(held_count > 0 && held_ranks[held_count - 1] == mutex->rank && "unlocked out of order");
    (void)mutex;
    held_count--;
}
#else
static void note_locked(const vd_mutex *mutex)
{
    (void)mutex;
}
static void note_unlocked(const vd_mutex *mutex)
{
    (void)mutex;
}
#endif

void vd_once_run(vd_once *once, void (*init)(void))
{
    pthread_once(once, init);
}

int vd_mutex_init(vd_mutex *mutex, int rank)
{
    mutex->rank = rank;
    return pthread_mutex_init(&mutex->handle, NULL) ? VD_ENOMEM : VD_OK;
}

void vd_mutex_fini(vd_mutex *mutex)
{
    pthread_mutex_destroy(&mutex->handle);
}

void vd_mutex_lock(vd_mutex *mutex)
{
    note_locked(mutex); /* before it blocks: a wrong order is found even when it does not deadlock */
    pthread_mutex_lock(&mutex->handle);
}

void vd_mutex_unlock(vd_mutex *mutex)
{
    note_unlocked(mutex);
    pthread_mutex_unlock(&mutex->handle);
}

int vd_cond_init(vd_cond *cond)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes))
        return VD_ENOMEM;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    int failed = pthread_cond_init(&cond->handle, &attributes);
    pthread_condattr_destroy(&attributes);
    return failed ? VD_ENOMEM : VD_OK;
}

void vd_cond_fini(vd_cond *cond)
{
    pthread_cond_destroy(&cond->handle);
}

void vd_cond_signal(vd_cond *cond)
{
    pthread_cond_signal(&cond->handle);
}

void vd_cond_broadcast(vd_cond *cond)
{
    pthread_cond_broadcast(&cond->handle);
}

void vd_cond_wait(vd_cond *cond, vd_mutex *mutex)
{
    pthread_cond_wait(&cond->handle, &mutex->handle);
}

bool vd_cond_wait_until(vd_cond *cond, vd_mutex *mutex, int64_t deadline_ns)
{
    if (deadline_ns == INT64_MAX) {
        pthread_cond_wait(&cond->handle, &mutex->handle);
        return true;
    }
    if (deadline_ns < 0)
        deadline_ns = 0;
    struct timespec until = {deadline_ns / VD_NS_PER_S, deadline_ns % VD_NS_PER_S};
    return pthread_cond_timedwait(&cond->handle, &mutex->handle, &until) == 0;
}

/* The vd_thread that this thread was started as. The starter's fields would be a race: it may still be
 * writing them. */
static _Thread_local const vd_thread *current_thread;

struct start {
    const vd_thread *thread;
    void (*run)(void *context);
    void *context;
    char name[16];
};

static void *enter(void *argument)
{
    struct start start = *(struct start *)argument;
    free(argument);
    current_thread = start.thread;
    pthread_setname_np(pthread_self(), start.name);
    start.run(start.context);
    return NULL;
}

int vd_thread_start(vd_thread *thread, const char *name, void (*run)(void *context), void *context)
{
    struct start *start = malloc(sizeof *start);
    if (!start)
        return VD_ENOMEM;
    start->thread = thread;
    start->run = run;
    start->context = context;
    vd_text_copy(start->name, sizeof start->name, name);
    if (pthread_create(&thread->handle, NULL, enter, start)) {
        free(start);
        return VD_ENOMEM;
    }
    thread->running = true;
    return VD_OK;
}

void vd_thread_join(vd_thread *thread)
{
    if (!thread->running)
        return;
    pthread_join(thread->handle, NULL);
    thread->running = false;
}

bool vd_thread_is_current(const vd_thread *thread)
{
    return current_thread == thread;
}
