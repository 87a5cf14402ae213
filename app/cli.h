/* What the commands of vedette-cli share: exit statuses, messages, progress. */
#ifndef APP_CLI_H
#define APP_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "vedette/app/interrupt.h"
#include "vedette/error.h"
#include "vedette/source.h"

/* The commands end with one of these. */
enum cli_status {
    CLI_DONE = 0,
    CLI_FAILED = 1,        /* the work failed */
    CLI_WRONG = 2,         /* usage, settings, a model or file that cannot be used */
    CLI_INTERRUPTED = 130, /* Ctrl-C */
    CLI_HELPED = -1        /* from cli_parse alone: help was printed, the command is done */
};

/* The worse of two statuses of parts of one job: interrupted, wrong, failed, done. */
int cli_worse(int a, int b);

/* One sentence on stderr, behind the program's name. */
void cli_complain(const char *format, ...) VD_PRINTF(1, 2);

/* The same for an error: its place, then its sentence. */
void cli_complain_error(const vd_error *error);

/* Flushes; true when that or an earlier write failed: call it right behind writing. Says why once, and
 * nothing when the reader of a pipe has gone. */
bool cli_output_failed(FILE *stream, const char *name);

/* Opens a file to write; `-` is stdout. A cli_status; says why not. */
int cli_open_output(const char *path, FILE **ret_file);

/* Closes what cli_open_output gave; NULL is nothing. The worse of `status` and how it went. */
int cli_close_output(FILE *file, const char *path, int status);

/* Whether a clip may be written there: its name ends in .mp4 and nothing is called so yet. A cli_status; says
 * why not, beginning with `what`. */
int cli_check_new_clip(const char *path, const char *what);

/* A line on a terminal that is written over; nothing in a pipe. Zeroed to start. */
typedef struct cli_progress {
    int64_t began_ns, shown_ns;
    int64_t total; /* frames, 0 when unknown */
} cli_progress;

/* Remembers what the progress is of; once a source.
 *
 * max_frames, max_seconds  the limits that the user set, 0 for none */
void cli_progress_begin(cli_progress *progress, const vd_source_info *info, int64_t max_frames,
                        double max_seconds);

/* Shows `frames` done, at most five times a second. */
void cli_progress_show(cli_progress *progress, const char *name, int64_t frames);

/* Takes the line away, so that what follows stands alone. */
void cli_progress_clear(void);

/* No progress from now on: results go to the same terminal. */
void cli_progress_disable(void);

/* Monotonic nanoseconds. */
int64_t cli_now_ns(void);

/* The token that Ctrl-C requests. */
vd_cancel *cli_cancel(void);

/* The commands, each with its own arguments (argv[0] is the command's name). They return a cli_status. */
int cmd_detect(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_check_model(int argc, char **argv);
int cmd_evaluate(int argc, char **argv);
int cmd_track(int argc, char **argv);
int cmd_devices(int argc, char **argv);
int cmd_demo(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_bench(int argc, char **argv);

#endif
