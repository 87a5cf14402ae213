/* What the parts of `vedette-cli bench scene` share. */
#ifndef APP_BENCH_SCENE_H
#define APP_BENCH_SCENE_H

#include "bench.h"

/* The figures' bounds. */
#define BENCH_SCENE_MAP 0.90
#define BENCH_SCENE_TAKEN 0.50 /* more than that share of shadows and wet patches looks like hazards */
#define BENCH_SCENE_PASSED 0.95
#define BENCH_SCENE_REJECTED 0.90
#define BENCH_SCENE_DETECTOR 0.25 /* of the time of the network that is the measure */
#define BENCH_SCENE_VERIFIER 1.3
#define BENCH_SCENE_FRAMES_PER_S 60

/* Prints what the models do on scenes, a line a figure. */
void bench_scene_print(bench_job *job, const vd_bench_scene_figures *figures, int64_t first_seed, int seeds);

/* Reads `FIRST:COUNT`, seeds that training never saw. A cli_status; explains. */
int bench_read_seeds(const char *text, int64_t *ret_first, int64_t *ret_count);

#endif
