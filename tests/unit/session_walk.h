/* A walk over all that can happen to sessions, by numbers from outside: chance in the unit test, the fuzzer's
 * bytes in the fuzz target. After every step the books are checked; what is wrong ends the program, after a
 * line on stderr. */
#ifndef TESTS_UNIT_SESSION_WALK_H
#define TESTS_UNIT_SESSION_WALK_H

#include <stdint.h>

typedef struct session_walk_source {
    uint32_t (*below)(void *context, uint32_t below); /* a number below `below` */
    void *context;
} session_walk_source;

typedef struct session_walk_figures {
    uint64_t frames, delivered, dropped, sessions;
    uint64_t results, failed, skipped[4];
} session_walk_figures;

/* Walks so many steps from nothing, then ends everything. Every frame was then answered exactly once. */
void session_walk(const session_walk_source *source, int steps, session_walk_figures *ret_figures);

#endif
