#include "doubles/shortage.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_reallocarray(void *memory, size_t count, size_t size);
char *__real_strdup(const char *text);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);
char *__wrap_strdup(const char *text);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context);

struct shortage short_memory, short_threads;

void shortage_begin(struct shortage *shortage, int n, bool lasting)
{
    shortage_end(shortage);
    atomic_store(&shortage->calls, 0);
    atomic_store(&shortage->failed, 0);
    atomic_store(&shortage->first, n);
    atomic_store(&shortage->last, lasting ? INT_MAX : n);
    shortage_go_on(shortage);
}

void shortage_end(struct shortage *shortage)
{
    atomic_store(&shortage->on, false);
}

void shortage_go_on(struct shortage *shortage)
{
    atomic_store(&shortage->on, true);
}

static bool fails_now(struct shortage *shortage)
{
    if (!atomic_load(&shortage->on))
        return false;
    int call = atomic_fetch_add(&shortage->calls, 1) + 1;
    bool fails = call >= atomic_load(&shortage->first) && call <= atomic_load(&shortage->last);
    atomic_fetch_add(&shortage->failed, fails);
    return fails;
}

void *__wrap_malloc(size_t size)
{
    return fails_now(&short_memory) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now(&short_memory) ? NULL : __real_calloc(count, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails_now(&short_memory) ? NULL : __real_aligned_alloc(alignment, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails_now(&short_memory) ? NULL : __real_realloc(memory, size);
}

void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
    return fails_now(&short_memory) ? NULL : __real_reallocarray(memory, count, size);
}

char *__wrap_strdup(const char *text)
{
    return fails_now(&short_memory) ? NULL : __real_strdup(text);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context)
{
    return fails_now(&short_threads) ? EAGAIN : __real_pthread_create(thread, attributes, run, context);
}
