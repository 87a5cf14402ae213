/* vedette-cli record: what a camera or clip shows, once with boxes and once clean, without a window. */
#include <limits.h>
#include <string.h>

#include "annotate.h"
#include "cli.h"
#include "options.h"
#include "request.h"

struct job {
    cli_request request;
    double seconds;
    const char *out; /* NULL: named by the source, in the folder for recordings */
    bool lossless;

    vd_recorder *annotated, *clean;
    cli_progress progress;
    int64_t frames;
    double first_s;
    int sink_status;
};

static const char help_text[] =
    "SOURCE is a clip, /dev/videoN, rtsp://…, http(s)://…, demo:[key=value,…], or the name of a camera in "
    "the\n"
    "settings. Two recordings are made: OUT.mp4 with the boxes, and OUT-clean.mp4 without. Without OUT they "
    "go to\n"
    "the folder for recordings, named by the source, date and time. Files that exist are not replaced.\n"
    "Ctrl-C ends both properly. Their names and lengths are printed at the end.\n\n"
    "Without --model: demo for demo:, builtin:people for the rest. demo is the detector of the "
    "demonstration's\n"
    "cracks and potholes; where it is not installed, demo: has builtin:motion.\n";

static int fail_sink(struct job *job, int status, const vd_error *error)
{
    cli_complain_error(error);
    job->sink_status = status;
    return error->code;
}

/* Both recordings start with the first frame, when the source is known. */
static int start_recorders(struct job *job, const vd_source_info *info)
{
    vd_error error = {0};
    char clean[PATH_MAX], name[96];
    cli_source_stem(info, name, sizeof name);
    vd_recorder_options options = VD_RECORDER_OPTIONS_INIT;
    options.path = job->out;
    options.folder = job->request.settings.recording_folder;
    options.camera = name;
    options.frames_per_s = info->frames_per_s;
    options.quality = job->request.settings.recording_quality;
    options.lossless = !info->is_live;
    if (vd_recorder_start(&options, &job->annotated, &error) != VD_OK)
        return fail_sink(job, CLI_FAILED, &error);
    vd_recorder_status status = vd_recorder_get_status(job->annotated);
    snprintf(clean, sizeof clean, "%.*s-clean.mp4", (int)strlen(status.path) - 4, status.path);
    options.path = clean;
    if (vd_recorder_start(&options, &job->clean, &error) != VD_OK)
        return fail_sink(job, CLI_FAILED, &error);
    return VD_OK;
}

static int take_frame(void *context, const vd_source_info *info, vd_frame *frame, vd_result *result,
                      const vd_error *error)
{
    (void)error; /* counted in the run's summary */
    struct job *job = context;
    static vd_detection detections[VD_MAX_DETECTIONS]; /* the main thread's */
    static cli_boxes boxes;
    if (job->frames++ == 0) {
        job->first_s = vd_frame_get_time_s(frame);
        cli_progress_begin(&job->progress, info, 0, job->seconds);
        int code = start_recorders(job, info);
        if (code != VD_OK)
            return code;
    }
    const vd_image *image = vd_frame_get_image(frame);
    size_t count = result ? vd_result_select(result, &job->request.thresholds, detections) : 0;
    cli_boxes_fill(&boxes, result ? result->labels : NULL, detections, count, image->width, image->height);
    int64_t time_ns = (int64_t)((vd_frame_get_time_s(frame) - job->first_s) * 1e9);
    int code = vd_recorder_write(job->annotated, frame, &boxes.drawing, time_ns);
    if (code == VD_OK)
        code = vd_recorder_write(job->clean, frame, NULL, time_ns);
    if (code != VD_OK)
        job->sink_status = CLI_FAILED; /* the recorder says why when it is ended */
    cli_progress_show(&job->progress, info->name, job->frames);
    return code;
}

/* Ends a recording and prints its name and length. */
static int end_recorder(vd_recorder **recorder)
{
    if (!*recorder)
        return CLI_DONE;
    vd_recorder_wait(*recorder);
    vd_recorder_status end = vd_recorder_get_status(*recorder);
    vd_recorder_free(recorder);
    if (end.frames > 0) {
        printf("%s: %.1f s, %llu frames", end.path, end.seconds, (unsigned long long)end.frames);
        if (end.dropped > 0)
            printf(", %llu left out", (unsigned long long)end.dropped);
        puts("");
    }
    if (end.state != VD_RECORDER_FAILED)
        return CLI_DONE;
    cli_complain_error(&end.error);
    return CLI_FAILED;
}

static int record_source(struct job *job, const char *source)
{
    const char *camera_model;
    const char *address = cli_request_resolve(&job->request, source, &camera_model);
    int status = cli_request_select_model(&job->request, address, camera_model);
    if (status != CLI_DONE)
        return status;
    vd_run_options options = cli_request_run_options(&job->request, address);
    options.max_seconds = job->seconds;
    vd_run_summary summary = {0};
    vd_error error = {0};
    int code = vd_run(&options, take_frame, job, &summary, &error);
    cli_progress_clear();
    status = end_recorder(&job->annotated);
    status = cli_worse(status, end_recorder(&job->clean));
    if (job->sink_status != CLI_DONE)
        return cli_worse(status, job->sink_status);
    if (code != VD_OK)
        return cli_worse(status, cli_report_refused(code, &error));
    if (summary.source_error.code != VD_OK)
        cli_complain_error(&summary.source_error);
    return status;
}

int cmd_record(int argc, char **argv)
{
    static struct job job = {.request = CLI_REQUEST_INIT};
    const cli_option options[] = {
        CLI_REQUEST_OPTIONS(&job.request),
        {"seconds", CLI_NUMBER, &job.seconds, 0.04, 1e9, "N", "how long; required"},
    };
    const cli_usage usage = {.command = "record",
                             .operands = "SOURCE [OUT]",
                             .text = help_text,
                             .options = options,
                             .option_count = sizeof options / sizeof *options,
                             .least_operands = 1,
                             .most_operands = 2};
    int operands, status = cli_parse(&usage, argc, argv, &operands);
    if (status != CLI_DONE)
        return status == CLI_HELPED ? CLI_DONE : status;
    if (job.seconds <= 0) {
        cli_complain("`record` needs --seconds N: how long the recording is to be.");
        return CLI_WRONG;
    }
    job.out = operands > 1 ? argv[2] : NULL;
    status = job.out ? cli_check_new_clip(job.out, "The recording") : CLI_DONE;
    if (status == CLI_DONE)
        status = cli_request_prepare(&job.request);
    if (status == CLI_DONE)
        status = record_source(&job, argv[1]);
    cli_request_clear(&job.request);
    return status;
}
