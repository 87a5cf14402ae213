/* What `vedette-cli bench engine` measures against: the same work by others. */
#ifndef APP_BENCH_ENGINE_H
#define APP_BENCH_ENGINE_H

#include <limits.h>
#include <stdbool.h>

#include "vedette/detector.h"

enum { BENCH_ENGINE_PEERS = 2 };

typedef struct bench_peer {
    const char *name; /* of what computes */
    char version[64]; /* as it says; empty: it does not */
    char note[256];   /* why it gives no figure; empty: it gives one */
    double bound;     /* the least ratio; 0: printed, not judged */
    bool is_script_of_node;
    char script[PATH_MAX];
} bench_peer;

/* The peers in a folder, each tried once with a few passes: one that gives no figure has a note.
 *
 * model    a file, as its peers get it
 * name     the model's name, for the bounds */
void bench_find_peers(const char *folder, const char *model, const char *name, int threads,
                      vd_precision precision, bench_peer ret_peers[BENCH_ENGINE_PEERS]);

/* The median of `passes` passes in ms; 0 when it gave none. */
double bench_ask_peer(bench_peer *peer, const char *model, int threads, int passes);

#endif
