/* What the parts of `vedette-cli bench verify` share. */
#ifndef APP_BENCH_VERIFY_H
#define APP_BENCH_VERIFY_H

#include "bench.h"

enum { BENCH_VERIFY_PAIRS = 99 };

typedef struct bench_verify_job {
    bench_job base; /* seconds: of submitting */
    const char *verifier, *seeds;
    int64_t workers;
    bool scene;
    double scene_s; /* of each scene */
    int64_t first_seed, seed_count;
} bench_verify_job;

/* Detection beside workers whose queue is full, as a share of detection alone: with a double that sleeps, and
 * with --verifier. A cli_status. */
int bench_verify_frame_rate(bench_verify_job *job, double sleep_s);

/* Events of the demonstration. A cli_status. */
int bench_verify_events(bench_verify_job *job);

#endif
