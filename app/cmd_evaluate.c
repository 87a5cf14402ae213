/* vedette-cli evaluate: how well a model finds what is labelled in a folder of pictures. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "evaluate_report.h"
#include "json_line.h"
#include "options.h"
#include "request.h"
#include "vedette/app/detector_frame.h"

/* Where a threshold is not the user's own: low enough for the whole curve, as is usual for mAP. */
#define CONFIDENCE 0.001
#define IOU 0.7
/* Confusion is told of what would be shown. */
#define SHOWN_CONFIDENCE 0.25

enum { MOST_UNDER_WAY = 32, CLASSES_UNKNOWN = 1024 };

struct under_way {
    char *name;
    vd_frame *frame;
    vd_future *future;
};

struct job {
    cli_request request;
    const char *folder, *json_path, *detections_path;
    FILE *json, *detections; /* NULL: none */

    char **names; /* of the pictures, sorted */
    size_t count;
    vd_evaluation *evaluation;
    int classes;
    int input_width, input_height;
    struct under_way ring[MOST_UNDER_WAY]; /* oldest first */
    size_t head, waiting, most_waiting;
    size_t done;
    cli_progress progress;
};

static const char help_text[] =
    "DIR holds images/ and, for each picture of them, labels/NAME.txt in the YOLO format: a line an object, "
    "class\n"
    "number, centre x, centre y, width, height, the last four as shares of the picture. A picture without "
    "such a file\n"
    "has no objects.\n\n"
    "mAP50 and mAP50-95 are means over the labelled classes of the area under the precision's envelope at "
    "101\n"
    "recalls; best F1 is that of all classes together at IoU 0.5; confusion is counted from confidence 0.25\n"
    "(or --conf, where that is higher) and IoU 0.5 up. The user's settings are not read.\n";

/* --- The pictures */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(struct job *job, const char *name, size_t *room)
{
    if (name[0] == '.')
        return CLI_DONE;
    if (job->count == *room) {
        char **more = reallocarray(job->names, *room ? 2 * *room : 64, sizeof *more);
        if (!more)
            goto no_memory;
        job->names = more;
        *room = *room ? 2 * *room : 64;
    }
    job->names[job->count] = strdup(name);
    if (job->names[job->count]) {
        job->count++;
        return CLI_DONE;
    }
no_memory:
    cli_complain("There is not enough memory for the names of the pictures.");
    return CLI_FAILED;
}

static int list_pictures(struct job *job)
{
    char path[PATH_MAX];
    size_t room = 0;
    int status = CLI_DONE;
    snprintf(path, sizeof path, "%s/labels", job->folder);
    if (access(path, X_OK) != 0) {
        cli_complain("%s: there must be a folder labels in it with a text file a picture: %s.", job->folder,
                     strerrordesc_np(errno));
        return CLI_WRONG;
    }
    snprintf(path, sizeof path, "%s/images", job->folder);
    DIR *folder = opendir(path);
    if (!folder) {
        cli_complain("%s: there must be a folder images in it with the pictures: %s.", job->folder,
                     strerrordesc_np(errno));
        return CLI_WRONG;
    }
    for (struct dirent *entry; status == CLI_DONE && (entry = readdir(folder));)
        status = add_name(job, entry->d_name, &room);
    closedir(folder);
    if (status == CLI_DONE && job->count == 0) {
        cli_complain("%s holds no pictures.", path);
        status = CLI_WRONG;
    }
    if (job->count > 0)
        qsort(job->names, job->count, sizeof *job->names, by_name);
    return status;
}

static int refused(const vd_error *error)
{
    if (vd_interrupted())
        return CLI_INTERRUPTED;
    cli_complain_error(error);
    return error->code == VD_ENOMEM ? CLI_FAILED : CLI_WRONG;
}

/* A picture's one frame. */
static int read_picture(const char *path, vd_frame **ret_frame)
{
    vd_source_options options = VD_SOURCE_OPTIONS_INIT;
    vd_source *source = NULL;
    vd_error error = {0};
    options.pool_frames = 1;
    int code = vd_source_open(path, &options, cli_cancel(), &source, &error);
    if (code == VD_OK && !vd_source_get_info(source)->is_image)
        code = vd_error_set(&error, VD_EFORMAT, path,
                            "This is no picture but a clip; only pictures have labels.");
    if (code == VD_OK)
        code = vd_source_read(source, ret_frame, &error);
    vd_source_close(&source);
    if (code && error.code == VD_OK)
        vd_error_set(&error, code, path, "There is no picture in it.");
    return code ? refused(&error) : CLI_DONE;
}

/* --- Results, in the order of the pictures */

static int write_detections(struct job *job, const char *path, const vd_frame *frame, const vd_result *result,
                            const vd_detection *found, size_t count)
{
    const vd_image *image = vd_frame_get_image(frame);
    cli_frame_line line = {.source = path,
                           .width = image->width,
                           .height = image->height,
                           .model = result->model,
                           .result = result,
                           .detections = found,
                           .count = count};
    if (!job->detections)
        return CLI_DONE;
    cli_json_frame(job->detections, &line);
    return cli_output_failed(job->detections, "the detections") ? CLI_FAILED : CLI_DONE;
}

static int compare(struct job *job, const char *name, const vd_frame *frame, const vd_detection *found,
                   size_t count)
{
    char path[PATH_MAX];
    const vd_image *image = vd_frame_get_image(frame);
    const char *dot = strrchr(name, '.');
    vd_truth *truths = NULL;
    size_t truth_count = 0;
    vd_error error = {0};
    snprintf(path, sizeof path, "%s/labels/%.*s.txt", job->folder,
             (int)(dot ? dot - name : (ptrdiff_t)strlen(name)), name);
    int code = vd_truth_read(path, image->width, image->height, job->classes, &truths, &truth_count, &error);
    if (code == VD_OK) {
        code = vd_evaluation_add(job->evaluation, found, count, truths, truth_count);
        if (code)
            vd_error_set(&error, code, path,
                         "The detections and labels of this picture could not be taken in.");
    }
    free(truths);
    return code ? refused(&error) : CLI_DONE;
}

static int take_result(struct job *job, const struct under_way *of)
{
    static vd_detection found[VD_MAX_DETECTIONS]; /* the main thread's */
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/images/%s", job->folder, of->name);
    if (vd_future_wait(of->future, -1) != VD_OK) {
        cli_complain("%s: detection failed: %s", path, vd_future_error(of->future)->text);
        return CLI_FAILED;
    }
    const vd_result *result = vd_future_value(of->future);
    size_t count = vd_result_select(result, &job->request.thresholds, found);
    job->input_width = result->input_width;
    job->input_height = result->input_height;
    int status = write_detections(job, path, of->frame, result, found, count);
    if (status == CLI_DONE)
        status = compare(job, of->name, of->frame, found, count);
    return status;
}

static int take_oldest(struct job *job)
{
    struct under_way *oldest = &job->ring[job->head];
    int status = take_result(job, oldest);
    vd_future_unref(&oldest->future);
    vd_frame_unref(&oldest->frame);
    job->head = (job->head + 1) % MOST_UNDER_WAY;
    job->waiting--;
    cli_progress_show(&job->progress, job->folder, (int64_t)++job->done);
    return status;
}

static int submit(struct job *job, char *name)
{
    struct under_way *next = &job->ring[(job->head + job->waiting) % MOST_UNDER_WAY];
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/images/%s", job->folder, name);
    *next = (struct under_way){.name = name};
    int status = read_picture(path, &next->frame);
    if (status != CLI_DONE)
        return status;
    int code =
        vd_detector_submit_frame(job->request.detector, next->frame, VD_PRIORITY_BACKGROUND, &next->future);
    if (code == VD_OK) {
        job->waiting++;
        return CLI_DONE;
    }
    vd_frame_unref(&next->frame);
    cli_complain("%s: the detector does not take it: %s.", path, vd_code_name(code));
    return CLI_FAILED;
}

/* Keeps the workers busy; a picture is read while others are detected. */
static int detect_all(struct job *job)
{
    int status = CLI_DONE;
    for (size_t next = 0; status == CLI_DONE && (next < job->count || job->waiting > 0);) {
        if (vd_interrupted())
            status = CLI_INTERRUPTED;
        else if (next < job->count && job->waiting < job->most_waiting)
            status = submit(job, job->names[next++]);
        else
            status = take_oldest(job);
    }
    while (job->waiting > 0) { /* after a failure */
        struct under_way *oldest = &job->ring[job->head];
        vd_future_cancel(oldest->future);
        vd_future_wait(oldest->future, -1);
        vd_future_unref(&oldest->future);
        vd_frame_unref(&oldest->frame);
        job->head = (job->head + 1) % MOST_UNDER_WAY;
        job->waiting--;
    }
    cli_progress_clear();
    return status;
}

/* --- The whole */

static int report(struct job *job, double seconds)
{
    vd_evaluation_figures figures;
    vd_error error = {0};
    double confidence = (double)job->request.thresholds.confidence;
    if (confidence < SHOWN_CONFIDENCE)
        confidence = SHOWN_CONFIDENCE;
    if (vd_evaluation_figure(job->evaluation, confidence, &figures, &error) != VD_OK) {
        vd_error_set(&error, error.code, job->folder, "%s", error.text);
        return refused(&error);
    }
    const cli_evaluate_report report = {.folder = job->folder,
                                        .detector = job->request.detector,
                                        .thresholds = job->request.thresholds,
                                        .input_width = job->input_width,
                                        .input_height = job->input_height,
                                        .seconds = seconds,
                                        .figures = &figures};
    if (job->json)
        cli_evaluate_json(job->json, &report);
    if (job->json != stdout && job->detections != stdout)
        cli_evaluate_words(stdout, &report);
    vd_evaluation_figures_clear(&figures);
    return cli_output_failed(job->json ? job->json : stdout, "the figures") ? CLI_FAILED : CLI_DONE;
}

static int open_outputs(struct job *job)
{
    int status = CLI_DONE;
    if (job->json_path && job->detections_path && strcmp(job->json_path, job->detections_path) == 0) {
        cli_complain("--json and --detections cannot both go to %s.", job->json_path);
        return CLI_WRONG;
    }
    if (job->json_path)
        status = cli_open_output(job->json_path, &job->json);
    if (status == CLI_DONE && job->detections_path)
        status = cli_open_output(job->detections_path, &job->detections);
    if (job->detections == stdout && isatty(STDOUT_FILENO))
        cli_progress_disable();
    return status;
}

static int evaluate(struct job *job)
{
    int64_t began = cli_now_ns();
    vd_source_info all = {.frame_count = (int64_t)job->count};
    int workers = vd_detector_get_stats(job->request.detector).workers;
    job->classes = vd_labels_count(vd_detector_labels(job->request.detector));
    if (job->classes == 0)
        job->classes = CLASSES_UNKNOWN;
    job->most_waiting = workers * 2 < MOST_UNDER_WAY ? (size_t)workers * 2 : MOST_UNDER_WAY;
    if (vd_evaluation_new(job->classes, &job->evaluation) != VD_OK) {
        cli_complain("There is not enough memory.");
        return CLI_FAILED;
    }
    cli_progress_begin(&job->progress, &all, 0, 0);
    int status = detect_all(job);
    return status == CLI_DONE ? report(job, (double)(cli_now_ns() - began) / 1e9) : status;
}

static int run(struct job *job)
{
    if (job->request.confidence < 0)
        job->request.confidence = CONFIDENCE;
    if (job->request.iou < 0)
        job->request.iou = IOU;
    int status = list_pictures(job);
    if (status == CLI_DONE)
        status = cli_request_prepare_plain(&job->request);
    if (status == CLI_DONE)
        status = cli_request_select_model(&job->request, job->folder, NULL);
    if (status == CLI_DONE)
        status = open_outputs(job);
    if (status == CLI_DONE)
        status = evaluate(job);
    status = cli_close_output(job->detections, job->detections_path, status);
    return cli_close_output(job->json, job->json_path, status);
}

static void clear(struct job *job)
{
    for (size_t i = 0; i < job->count; i++)
        free(job->names[i]);
    free(job->names);
    vd_evaluation_free(&job->evaluation);
    cli_request_clear(&job->request);
}

int cmd_evaluate(int argc, char **argv)
{
    static struct job job = {.request = CLI_REQUEST_INIT};
    const cli_option options[] = {
        {"model", CLI_TEXT, &job.request.model, 0, 0, "M", "a model file, builtin:people or demo; required"},
        {"labels", CLI_TEXT, &job.request.labels, 0, 0, "F", "a text file with one class name a line"},
        {"conf", CLI_NUMBER, &job.request.confidence, 0.0001, 1, "X",
         "the least score that counts, 0.0001 to 1 (0.001)"},
        {"iou", CLI_NUMBER, &job.request.iou, 0, 1, "X",
         "boxes of a class that overlap more are one object, 0 to 1 (0.7)"},
        CLI_NETWORK_OPTIONS(&job.request),
        {"workers", CLI_COUNT, &job.request.workers, 1, 64, "N",
         "detectors at work at once, 1 to 64 (as the machine has cores, at most 4)"},
        {"json", CLI_TEXT, &job.json_path, 0, 0, "FILE|-", "the figures as one JSON object"},
        {"detections", CLI_TEXT, &job.detections_path, 0, 0, "FILE|-",
         "what was found, a JSON line a picture"},
    };
    const cli_usage usage = {.command = "evaluate",
                             .operands = "DIR",
                             .text = help_text,
                             .options = options,
                             .option_count = sizeof options / sizeof *options,
                             .least_operands = 1,
                             .most_operands = 1};
    int operands, status = cli_parse(&usage, argc, argv, &operands);
    if (status != CLI_DONE)
        return status == CLI_HELPED ? CLI_DONE : status;
    if (!job.request.model) {
        cli_complain("`evaluate` needs --model M: the model that is to be measured.");
        return CLI_WRONG;
    }
    job.folder = argv[1];
    status = run(&job);
    clear(&job);
    return status;
}
