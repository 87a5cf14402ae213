/* What the parts of `vedette-cli bench` share. Everything is the main thread's. */
#ifndef APP_BENCH_ASYNC_H
#define APP_BENCH_ASYNC_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "vedette/app/bench.h"
#include "vedette/app/models.h"
#include "vedette/app/monitor.h"
#include "vedette/detector.h"
#include "vedette/run.h"

enum { BENCH_PICTURES = 32, BENCH_CLIPS = 5, BENCH_LEAST_PAIRS = 7 };

typedef struct bench_job {
    /* options */
    const char *model, *clip, *peers, *cases;
    char model_path[VD_MODEL_PATH]; /* what `model` is once bench_find_model has been called */
    double seconds;                 /* of one measurement */
    int64_t pairs, frames;
    bool full;

    /* made as they are needed */
    vd_monitor *monitor;
    char folder[PATH_MAX - 64]; /* of rendered clips; empty: none yet */
    char clips[BENCH_CLIPS][PATH_MAX];
    vd_image pictures[BENCH_PICTURES]; /* the clip's first, copied */
    int picture_count;

    bool missed; /* a bound did not hold */
} bench_job;

/* How a line is judged. */
typedef enum bench_rule {
    BENCH_UNJUDGED,
    BENCH_RATIO_AT_LEAST, /* ratio against bound */
    BENCH_VALUE_AT_MOST,  /* value against bound */
    BENCH_VALUE_AT_LEAST
} bench_rule;

/* One JSON line. Zero and NULL: the key is left out. */
typedef struct bench_line {
    const char *bench, *name, *unit;
    double value;
    const vd_bench_latency *latency; /* written in milliseconds, or in microseconds where that is the unit */
    const char *reference;
    double reference_value, ratio;
    bench_rule rule;
    double bound;
    const char *more; /* further members, JSON, without the first comma */
} bench_line;

/* Writes a line to stdout and remembers a bound that did not hold. */
void bench_print(bench_job *job, const bench_line *line);

/* A case that was not measured, and why. */
void bench_print_note(const char *bench, const char *name, const char *reference, const char *note);

/* The first line: what the machine is. */
void bench_print_machine(void);

/* Monotonic nanoseconds. */
int64_t bench_now_ns(void);

/* Members for bench_line.more: processor time in cores and peak memory since bench_watch_begin. */
void bench_watch_begin(bench_job *job);
void bench_watch_end(bench_job *job, char *out, size_t size);

/* Puts the file in the place of a model's name. A cli_status; explains. */
int bench_find_model(bench_job *job);

/* A detector with the job's model; explains on stderr why not. A cli_status. */
int bench_detector(const bench_job *job, int workers, vd_detector **ret_detector);

/* Whether the model is a file, so that there is a network to run bare. */
bool bench_has_net(const bench_job *job);

/* The clip to work on, rendered when none was given; the pictures; the folder alone. A cli_status; explains.
 */
int bench_need_clips(bench_job *job, bool all);
int bench_need_pictures(bench_job *job);
int bench_need_folder(bench_job *job);
void bench_clear(bench_job *job);

/* Prints an error, unless it was an interruption. A cli_status. */
int bench_failed(int code, const vd_error *error);

/* --- Comparing: what is measured and its references, one after another, again and again */

/* One measurement; VD_OK or a code with its error. */
typedef int bench_measure(void *context, double *ret_value, vd_error *error);

typedef struct bench_side {
    const char *name; /* of a reference: the case of its line */
    const char *reference;
    bench_measure *measure;
    void *context;
    double bound; /* of a reference: the least ratio */
} bench_side;

/* Measures `ours` and each reference in every round, in turning order; prints a line for each reference with
 * the median of the ratios, judged from 7 rounds up. A cli_status.
 *
 * more  as in bench_line; may be NULL */
int bench_compare(bench_job *job, const bench_side *ours, const bench_side *references, int count,
                  const char *more);

/* Runs a peer's script, found by the search path, and keeps what it prints, cut to fit and ended. Its status
 * as of waitpid; -1 when it could not be run. */
int bench_run_script(const char *const *words, char *out, size_t size);

/* The whole pipeline over the job's clip: frames a second; thresholds and suppression included. */
typedef struct bench_pipeline {
    const bench_job *job;
    vd_detector *detector; /* NULL: only decoding */
    int64_t max_frames;    /* 0: all */
    vd_run_sink *sink;     /* NULL: one that does what every user does */
    void *context;
} bench_pipeline;

/* A bench_measure. */
int bench_measure_pipeline(void *pipeline, double *ret_value, vd_error *error);

/* vedette-cli bench engine and bench scene, with their own arguments. A cli_status. */
int bench_engine(int argc, char **argv);
int bench_scene(int argc, char **argv);

/* Whether `name` is one of the words of a list with commas; NULL is every word. */
bool bench_is_listed(const char *list, const char *name);

/* Every word of --cases must be one of `names`, of which there are at most 16. A cli_status; explains. */
int bench_check_cases(const char *list, const char *const *names, int count);

/* vedette-cli bench track, with its own arguments. A cli_status. */
int bench_track(int argc, char **argv);

/* vedette-cli bench verify and bench serve, likewise. */
int bench_verify(int argc, char **argv);
int bench_serve(int argc, char **argv);

/* --- The cases of `bench async`. Each returns a cli_status. */
int bench_sync(bench_job *job);
int bench_async_workers(bench_job *job);
int bench_batches(bench_job *job);
int bench_video(bench_job *job);
int bench_against_nets(bench_job *job);
int bench_against_peers(bench_job *job);
int bench_overhead(bench_job *job);
int bench_submits(bench_job *job);
int bench_five_sources(bench_job *job);

#endif
