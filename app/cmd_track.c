/* vedette-cli track: the tracker alone, over detections that were written before. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "detections_file.h"
#include "options.h"
#include "tracking.h"

/* Where the user says nothing: what the authors of ByteTrack start tracks from. */
#define CONFIDENCE 0.5

struct job {
    const char *path, *json_path;
    double confidence, frames_per_s; /* 0: not given */
    int64_t every;
    FILE *json; /* NULL: none */

    cli_tracking tracking;
    char source[4096]; /* of the lines before */
    int64_t lines;     /* looked at */
    int tracks;
};

static const char help_text[] =
    "FILE holds JSON Lines in the common schema, as `detect --json` writes them, a line a frame in the order "
    "of time; -\nis stdin. The same lines are written with a track_id for each detection that belongs to a "
    "track, from the track's\nfirst detection on, and with \"interpolated\":true for boxes of a track that "
    "was "
    "seen before and after but not in\nthe frame. Detections below --conf go on with a track and start none; "
    "those that do neither are left out. So keep\nthem from 0.1 up: detect --conf 0.1.\n\n"
    "Time comes from each line's `time`, else from its `frame` and --fps. Another `source` begins anew.\n";

static int refuse(const vd_error *error)
{
    cli_complain_error(error);
    return error->code == VD_ENOMEM ? CLI_FAILED : CLI_WRONG;
}

/* The frame's index and time, where the line leaves them out. */
static int complete_line(const struct job *job, cli_detections_file *file, int64_t index)
{
    if (!file->has_time && !(file->has_frame && job->frames_per_s > 0)) {
        cli_complain("%s, line %" PRId64 ": there is no time in it; give --fps%s.", job->path, file->line,
                     file->has_frame ? "" : " and lines with a frame");
        return CLI_WRONG;
    }
    if (!file->has_time)
        file->of.time_s = (double)file->of.frame / job->frames_per_s;
    if (!file->has_frame)
        file->of.frame = index;
    return CLI_DONE;
}

static int take_line(struct job *job, cli_detections_file *file)
{
    size_t count = 0;
    const char *source = file->of.source ? file->of.source : "";
    int status = CLI_DONE;
    if (strcmp(source, job->source) != 0)
        status = cli_tracking_end(&job->tracking);
    snprintf(job->source, sizeof job->source, "%s", source);
    if (status == CLI_DONE)
        status = cli_tracking_push(&job->tracking, &file->of, file->detections, false, &count);
    job->lines++;
    for (size_t i = 0; i < count; i++) {
        int id = file->detections[i].track_id;
        job->tracks = id > job->tracks ? id : job->tracks;
    }
    if (status == CLI_DONE && job->json && cli_output_failed(job->json, "the tracks"))
        status = CLI_FAILED;
    return status;
}

static int track_lines(struct job *job, cli_detections_file *file)
{
    vd_error error = {0};
    int code = VD_OK, status = CLI_DONE;
    for (int64_t index = 0; status == CLI_DONE && !vd_interrupted(); index++) {
        code = cli_detections_read(file, &error);
        if (code)
            break;
        status = complete_line(job, file, index);
        if (status == CLI_DONE && file->of.frame % job->every == 0)
            status = take_line(job, file);
    }
    if (status == CLI_DONE && code != VD_OK && code != VD_EEND)
        status = refuse(&error);
    int ended = cli_tracking_end(&job->tracking);
    return vd_interrupted() ? CLI_INTERRUPTED : cli_worse(status, ended);
}

static int run(struct job *job)
{
    static cli_detections_file file; /* the main thread's */
    vd_error error = {0};
    if (cli_detections_open(job->path, &file, &error) != VD_OK)
        return refuse(&error);
    int status = job->json_path ? cli_open_output(job->json_path, &job->json) : CLI_DONE;
    if (status == CLI_DONE)
        status = cli_tracking_begin(&job->tracking, (float)job->confidence,
                                    ((vd_track_options)VD_TRACK_OPTIONS_INIT).lost_s, job->json);
    if (status == CLI_DONE)
        status = track_lines(job, &file);
    if (status == CLI_DONE && job->json != stdout)
        printf("%s: %" PRId64 " frames, %d tracks\n", job->path, job->lines, job->tracks);
    cli_detections_close(&file);
    cli_tracking_clear(&job->tracking);
    return cli_close_output(job->json, job->json_path, status);
}

int cmd_track(int argc, char **argv)
{
    static struct job job = {.confidence = CONFIDENCE, .every = 1};
    const cli_option options[] = {
        {"detections", CLI_TEXT, &job.path, 0, 0, "FILE", "detections in the common schema"},
        {"fps", CLI_NUMBER, &job.frames_per_s, 0.01, 1000, "F",
         "frames a second, for lines without a time, 0.01 to 1000"},
        {"conf", CLI_NUMBER, &job.confidence, 0.0001, 1, "X",
         "the least score that starts a track, 0.0001 to 1 (0.5)"},
        {"every", CLI_COUNT, &job.every, 1, 1000, "N", "only frames 0, N, 2N, …, 1 to 1000 (1)"},
        {"json", CLI_TEXT, &job.json_path, 0, 0, "FILE|-", "JSON Lines, a line a frame, to a file or stdout"},
    };
    const cli_usage usage = {.command = "track",
                             .operands = "",
                             .text = help_text,
                             .options = options,
                             .option_count = sizeof options / sizeof *options};
    int operands, status = cli_parse(&usage, argc, argv, &operands);
    if (status != CLI_DONE)
        return status == CLI_HELPED ? CLI_DONE : status;
    if (!job.path) {
        cli_complain("`track` needs detections: vedette-cli track --detections FILE");
        return CLI_WRONG;
    }
    return run(&job);
}
