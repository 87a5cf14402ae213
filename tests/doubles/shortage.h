/* Memory and threads that run out. A test that is linked with shortage.c (vd_shortage in unit/CMakeLists.txt)
 * has its own allocations and its own starts of threads counted, and those of the modules it is linked with;
 * the n-th fails, or all from there on. Calls of every thread count. */
#ifndef TESTS_SHORTAGE_H
#define TESTS_SHORTAGE_H

#include <stdatomic.h>
#include <stdbool.h>

/* While it is on, the calls numbered from `first` to `last` fail. */
struct shortage {
    atomic_bool on;
    atomic_int first, last;
    atomic_int calls, failed; /* since the last shortage_begin */
};

extern struct shortage short_memory;  /* malloc, calloc, aligned_alloc, realloc, reallocarray, strdup */
extern struct shortage short_threads; /* pthread_create */

/* From now on the n-th call fails, n from 1; if lasting, each that follows as well. */
void shortage_begin(struct shortage *shortage, int n, bool lasting);

/* From now on none fails and none is counted. */
void shortage_end(struct shortage *shortage);

/* As if what was called since shortage_end had not been. */
void shortage_go_on(struct shortage *shortage);

/* What is wrong is only counted while memory is short: Check allocates as well. */
static int broken;

static inline void expect(bool holds)
{
    broken += !holds;
}

#endif
