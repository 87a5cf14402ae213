/* vedette-cli detect: objects in pictures, clips and cameras, as JSON Lines, as words, as annotated files. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "annotate.h"
#include "cli.h"
#include "json_line.h"
#include "options.h"
#include "request.h"
#include "stats_line.h"
#include "tracking.h"

enum { MAX_CLASSES = 1024 };

struct tally {
    int64_t detections, frames, tracks;
};

struct job {
    cli_request request;
    cli_annotator annotator;
    const char *json_path;
    FILE *json; /* NULL: none */
    const char *stats_path;
    FILE *stats; /* NULL: none */
    vd_monitor *monitor;
    bool words; /* results in words on stdout */
    bool track;
    cli_tracking tracking;
    int64_t stride, batch, max_frames;
    double max_seconds;

    /* of the source at work */
    const char *source;
    cli_progress progress;
    bool model_refused; /* it would be for the next source as well */
    int64_t frames;
    int last_id;     /* of tracks */
    int sink_status; /* why the sink ended the run; CLI_DONE while it did not */
    struct tally tallies[MAX_CLASSES];
};

static const char help_text[] =
    "SOURCE is a picture, a clip, /dev/videoN, rtsp://…, http(s)://…, "
    "demo:[key=value,…], or the name of a camera\n"
    "in the settings. Cameras and demo: end by --frames, --seconds or Ctrl-C.\n\n"
    "--json writes a line a frame, also for frames in which nothing is found. "
    "--annotate writes the pictures and\n"
    "clips with boxes: OUT ends in .png or .jpg for one picture, in .mp4 for one "
    "clip; with several sources it is a\n"
    "folder, with one file a source. Files of that name are replaced if they are "
    "regular files and no source.\n\n"
    "--track goes on with a track from a score of 0.1 up. In the lines of a file an id stands from its "
    "track's first\ndetection on, and frames in which it was not detected carry its box between two "
    "detections with\n\"interpolated\":true; of a camera, and in pictures, an id stands from the second "
    "detection "
    "on.\n\n"
    "Without --model: demo for demo:, builtin:people for the rest. demo is the detector of the "
    "demonstration's\n"
    "cracks and potholes; where it is not installed, demo: has builtin:motion.\n";

static void count_detections(struct job *job, const vd_detection *detections, size_t count)
{
    bool seen[MAX_CLASSES] = {false};
    int last_id = job->last_id;
    for (size_t i = 0; i < count; i++) {
        int id = detections[i].class_id, track = detections[i].track_id;
        if (id < 0 || id >= MAX_CLASSES)
            continue;
        job->tallies[id].tracks += track > last_id; /* ids rise */
        job->last_id = track > job->last_id ? track : job->last_id;
        job->tallies[id].detections++;
        job->tallies[id].frames += !seen[id];
        seen[id] = true;
    }
}

static const char *source_text(const struct job *job, const vd_source_info *info)
{
    bool cut = strlen(info->address) + 1 == sizeof info->address;
    return cut && !strstr(job->source, "://") ? job->source : info->address;
}

/* What the sink ends the run with, and the command its work, when a part of it went wrong. */
static int stop(struct job *job, int status)
{
    job->sink_status = status;
    return status == CLI_DONE ? VD_OK : VD_EIO;
}

static cli_frame_line line_of(const struct job *job, const vd_source_info *info, const vd_frame *frame,
                              const vd_result *result, const vd_error *error)
{
    const vd_image *image = vd_frame_get_image(frame);
    return (cli_frame_line){.source = source_text(job, info),
                            .frame = vd_frame_get_index(frame),
                            .time_s = vd_frame_get_time_s(frame),
                            .width = image->width,
                            .height = image->height,
                            .model = result ? result->model : vd_detector_name(job->request.detector),
                            .result = result,
                            .error = result  ? NULL
                                     : error ? error->text
                                             : ""};
}

/* What counts in a frame, to `detections`; with tracks as they are known now. Writes the lines that are due:
 * a file's wait until it is certain which of their detections begin a track. */
static int take_detections(struct job *job, const cli_frame_line *of, bool wait, vd_detection *detections,
                           size_t *ret_count)
{
    cli_frame_line line = *of;
    vd_thresholds thresholds = job->request.thresholds;
    if (job->track)
        thresholds.confidence = cli_tracking_floor(thresholds.confidence);
    line.detections = detections;
    line.count = of->result ? vd_result_select(of->result, &thresholds, detections) : 0;
    *ret_count = line.count;
    if (job->track) {
        int code = stop(job, cli_tracking_push(&job->tracking, &line, detections, !wait, ret_count));
        if (code)
            return code;
    } else if (job->json) {
        cli_json_frame(job->json, &line);
    }
    return stop(job, job->json && cli_output_failed(job->json, "the JSON lines") ? CLI_FAILED : CLI_DONE);
}

static void print_picture(const vd_source_info *info, const vd_result *result, const vd_detection *detections,
                          size_t count)
{
    double ms = (double)(result->preprocess_ns + result->forward_ns + result->decode_ns) / 1e6;
    cli_progress_clear();
    printf("%s: %d × %d, %zu found in %.0f ms (%s)\n", info->name, result->width, result->height, count, ms,
           result->model);
    for (size_t i = 0; i < count; i++) {
        const vd_box *box = &detections[i].box;
        printf("  %-14s %.2f  from (%.0f, %.0f) to (%.0f, %.0f)\n",
               vd_labels_name(result->labels, detections[i].class_id), (double)detections[i].score,
               (double)box->x1, (double)box->y1, (double)box->x2, (double)box->y2);
    }
}

static int take_frame(void *context, const vd_source_info *info, vd_frame *frame, vd_result *result,
                      const vd_error *error)
{
    struct job *job = context;
    static vd_detection detections[VD_MAX_DETECTIONS]; /* the main thread's */
    static cli_boxes boxes;
    const vd_image *image = vd_frame_get_image(frame);
    size_t count = 0;
    if (job->frames == 0)
        cli_progress_begin(&job->progress, info, job->max_frames, job->max_seconds);
    job->frames++;
    cli_frame_line line = line_of(job, info, frame, result, error);
    int code = take_detections(job, &line, !info->is_live, detections, &count);
    if (code != VD_OK)
        return code;
    count_detections(job, detections, count);
    cli_boxes_fill(&boxes, result ? result->labels : NULL, detections, count, image->width, image->height);
    code = cli_annotator_write(&job->annotator, info, frame, &boxes.drawing, &job->sink_status);
    if (code != VD_OK)
        return code;
    if (job->words && info->is_image && result)
        print_picture(info, result, detections, count);
    cli_progress_show(&job->progress, info->name, vd_frame_get_index(frame) + 1);
    if (!job->words || !cli_output_failed(stdout, "the results"))
        return VD_OK;
    job->sink_status = CLI_FAILED;
    return VD_EIO;
}

/* The classes found, the most frequent first. */
static void print_tallies(struct job *job)
{
    const vd_labels *labels = vd_detector_labels(job->request.detector);
    int printed = 0;
    for (;; printed++) {
        int best = 0;
        for (int id = 1; id < MAX_CLASSES; id++)
            if (job->tallies[id].detections > job->tallies[best].detections)
                best = id;
        struct tally *tally = &job->tallies[best];
        if (tally->detections == 0)
            break;
        printf("  %-14s %" PRId64 " in %" PRId64 " frame%s", vd_labels_name(labels, best), tally->detections,
               tally->frames, tally->frames == 1 ? "" : "s");
        if (job->track)
            printf(", %" PRId64 " track%s", tally->tracks, tally->tracks == 1 ? "" : "s");
        putchar('\n');
        tally->detections = 0;
    }
    if (printed == 0)
        puts("  nothing found");
}

static void print_clip(struct job *job, const vd_run_summary *summary)
{
    double rate = summary->seconds > 0 ? (double)summary->frames / summary->seconds : 0;
    printf("%s: %d × %d, %" PRId64 " frames in %.1f s", summary->source.name, summary->source.width,
           summary->source.height, summary->frames, summary->seconds);
    if (rate > 0)
        printf(" (%.1f frames/s)", rate);
    if (summary->dropped > 0)
        printf(", %" PRId64 " left out because detection was slower", summary->dropped);
    const char *engine = vd_detector_engine(job->request.detector);
    printf(", %s%s%s\n", vd_detector_name(job->request.detector), *engine ? " by " : "", engine);
    print_tallies(job);
}

static int finish_run(struct job *job, const vd_run_summary *summary)
{
    int status = CLI_DONE;
    if (job->words && !summary->source.is_image)
        print_clip(job, summary);
    if (summary->source_error.code != VD_OK)
        cli_complain_error(&summary->source_error);
    if (summary->failed > 0) {
        cli_complain("%s: detection failed in %" PRId64 " of %" PRId64 " frames.", summary->source.name,
                     summary->failed, summary->frames);
        status = CLI_FAILED;
    }
    return status;
}

static int write_stats(struct job *job, const vd_run_summary *summary)
{
    vd_monitor_sample sample;
    if (!job->stats)
        return CLI_DONE;
    vd_monitor_take(job->monitor, &sample);
    cli_stats_line(job->stats, source_text(job, &summary->source), summary, job->request.detector, &sample);
    return cli_output_failed(job->stats, "the figures") ? CLI_FAILED : CLI_DONE;
}

static bool is_folder(const char *source)
{
    struct stat status;
    return stat(source, &status) == 0 && S_ISDIR(status.st_mode);
}

static int detect_source(struct job *job, const char *source)
{
    const char *camera_model;
    job->source = cli_request_resolve(&job->request, source, &camera_model);
    job->frames = 0;
    job->sink_status = CLI_DONE;
    memset(job->tallies, 0, sizeof job->tallies);
    if (is_folder(job->source)) {
        cli_complain("%s is a folder; name the files in it, such as %s/*.jpg.", source, source);
        return CLI_WRONG;
    }
    int status = cli_request_select_model(&job->request, job->source, camera_model);
    job->model_refused = status != CLI_DONE;
    if (job->model_refused)
        return status;
    if (job->track)
        status = cli_tracking_begin(&job->tracking, job->request.thresholds.confidence,
                                    job->request.settings.track_lost_s, job->json);
    if (status != CLI_DONE)
        return status;
    vd_run_options options = cli_request_run_options(&job->request, job->source);
    options.stride = (int)job->stride;
    options.batch = (int)job->batch;
    options.max_frames = job->max_frames;
    options.max_seconds = job->max_seconds;
    vd_run_summary summary = {0};
    vd_error error = {0};
    vd_monitor_sample before;
    if (job->monitor)
        vd_monitor_take(job->monitor, &before);
    int code = vd_run(&options, take_frame, job, &summary, &error);
    cli_progress_clear();
    status = cli_worse(cli_annotator_end(&job->annotator), cli_tracking_end(&job->tracking));
    if (job->json && job->sink_status == CLI_DONE && cli_output_failed(job->json, "the JSON lines"))
        job->sink_status = CLI_FAILED;
    if (job->sink_status != CLI_DONE)
        return cli_worse(status, job->sink_status);
    if (code != VD_OK && code != VD_ECANCELED)
        return cli_worse(status, cli_report_refused(code, &error));
    if (job->frames > 0)
        status = cli_worse(cli_worse(status, finish_run(job, &summary)), write_stats(job, &summary));
    return code == VD_ECANCELED ? cli_worse(status, cli_report_refused(code, &error)) : status;
}

static int open_outputs(struct job *job)
{
    int status = job->json_path ? cli_open_output(job->json_path, &job->json) : CLI_DONE;
    if (status == CLI_DONE && job->stats_path)
        status = cli_open_output(job->stats_path, &job->stats);
    if (status == CLI_DONE && job->stats && vd_monitor_new(&job->monitor) != VD_OK) {
        cli_complain("There is not enough memory.");
        status = CLI_FAILED;
    }
    bool lines = job->json == stdout || job->stats == stdout;
    job->words = !lines;
    if (lines && isatty(STDOUT_FILENO))
        cli_progress_disable();
    return status;
}

static int close_outputs(struct job *job, int status)
{
    vd_monitor_free(&job->monitor);
    status = cli_close_output(job->json, job->json_path, status);
    return cli_close_output(job->stats, job->stats_path, status);
}

static int detect_all(struct job *job, int argc, char **argv)
{
    job->annotator.sources = argv;
    job->annotator.source_count = argc;
    int status = cli_request_prepare(&job->request);
    if (status == CLI_DONE)
        status = cli_annotator_prepare(&job->annotator);
    if (status == CLI_DONE)
        status = open_outputs(job);
    if (status != CLI_DONE)
        return close_outputs(job, status);
    job->annotator.quality = job->request.settings.recording_quality;
    for (int i = 0; i < argc && !vd_interrupted() && !job->model_refused; i++) {
        status = cli_worse(status, detect_source(job, argv[i]));
        if (cli_output_failed(job->json ? job->json : stdout, "the results"))
            break;
    }
    return close_outputs(job, status);
}

int cmd_detect(int argc, char **argv)
{
    static struct job job = {.request = CLI_REQUEST_INIT, .words = true, .stride = 1, .batch = 1};
    const cli_option options[] = {
        CLI_REQUEST_OPTIONS(&job.request),
        {"track", CLI_FLAG, &job.track, 0, 0, NULL,
         "put detections of the same object under one id; --conf is what starts a track"},
        {"json", CLI_TEXT, &job.json_path, 0, 0, "FILE|-", "JSON Lines, a line a frame, to a file or stdout"},
        {"stats", CLI_TEXT, &job.stats_path, 0, 0, "FILE|-", "what each source cost, a JSON line a source"},
        {"annotate", CLI_TEXT, &job.annotator.out, 0, 0, "OUT",
         "pictures and clips with the boxes drawn on them"},
        {"workers", CLI_COUNT, &job.request.workers, 1, 64, "N",
         "detectors at work at once, 1 to 64 (as the machine has cores, at most 4)"},
        {"batch", CLI_COUNT, &job.batch, 1, 64, "N", "frames handed to the detector together, 1 to 64 (1)"},
        {"stride", CLI_COUNT, &job.stride, 1, 1000, "N", "every N-th frame, 1 to 1000 (1)"},
        {"frames", CLI_COUNT, &job.max_frames, 1, 1e12, "N", "end after N frames of each source"},
        {"seconds", CLI_NUMBER, &job.max_seconds, 0.001, 1e9, "N", "end after N seconds of each source"},
    };
    const cli_usage usage = {.command = "detect",
                             .operands = "SOURCE…",
                             .text = help_text,
                             .options = options,
                             .option_count = sizeof options / sizeof *options,
                             .least_operands = 1,
                             .most_operands = 1000000};
    int operands, status = cli_parse(&usage, argc, argv, &operands);
    if (status != CLI_DONE)
        return status == CLI_HELPED ? CLI_DONE : status;
    status = detect_all(&job, operands, argv + 1);
    cli_tracking_clear(&job.tracking);
    cli_annotator_clear(&job.annotator);
    cli_request_clear(&job.request);
    return status;
}
