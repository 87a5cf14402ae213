/* vedette-cli demo: the rendered road as a clip, with the exact truth of every frame. */
#include <inttypes.h>
#include <string.h>

#include "cli.h"
#include "json_line.h"
#include "options.h"
#include "vedette/app/scene.h"

struct job {
    vd_scene_clip clip;
    int64_t seed, hazards;
    const char *size, *view; /* NULL: not given */
    const char *truth_path;
    FILE *truth; /* NULL: none */

    char address[VD_SCENE_ADDRESS];
    cli_progress progress;
    int64_t written, hazard_boxes, decoy_boxes;
    bool output_failed; /* has been said */
};

static const char help_text[] =
    "Renders a road with cracks, potholes and things that only look like them into an H.264 clip: the same\n"
    "pictures for the same seed. OUT.mp4 is not replaced when it exists. Ctrl-C ends the clip properly.\n\n"
    "--truth writes a line a frame in the common schema: cracks (class 0) and potholes (class 1) of which "
    "at\n"
    "least 40 % can be seen, with their own track_id, and the decoys apart from them. `vedette-cli detect\n"
    "demo:seed=S` looks at the same scene live.\n";

static int take_truth(void *context, int64_t frame, double time_s, const vd_scene_object *objects,
                      size_t count)
{
    struct job *job = context;
    const char *slash = strrchr(job->clip.path, '/');
    job->written++;
    cli_progress_show(&job->progress, slash ? slash + 1 : job->clip.path, job->written);
    if (!job->truth)
        return VD_OK;
    for (size_t i = 0; i < count; i++)
        *(objects[i].kind < VD_SCENE_SHADOW ? &job->hazard_boxes : &job->decoy_boxes) += 1;
    const cli_truth_line line = {.source = job->address,
                                 .frame = frame,
                                 .time_s = time_s,
                                 .width = job->clip.scene.width,
                                 .height = job->clip.scene.height,
                                 .objects = objects,
                                 .count = count};
    cli_json_truth(job->truth, &line);
    job->output_failed = cli_output_failed(job->truth, "the truth");
    return job->output_failed ? VD_EIO : VD_OK;
}

static void print_summary(const struct job *job)
{
    if (job->truth == stdout || job->written == 0)
        return;
    printf("%s: %.1f s, %" PRId64 " frames of %s\n", job->clip.path,
           (double)job->written / job->clip.scene.frames_per_s, job->written, job->address);
    if (job->truth)
        printf("%s: %" PRId64 " boxes of cracks and potholes, %" PRId64 " of decoys\n", job->truth_path,
               job->hazard_boxes, job->decoy_boxes);
}

static int render(struct job *job)
{
    vd_error error = {0};
    const vd_source_info info = {.frame_count = job->clip.frames,
                                 .frames_per_s = job->clip.scene.frames_per_s};
    vd_scene_address(&job->clip.scene, job->address);
    cli_progress_begin(&job->progress, &info, 0, 0);
    int code = vd_scene_write_clip(&job->clip, &error);
    cli_progress_clear();
    print_summary(job);
    if (code == VD_OK)
        return CLI_DONE;
    if (code == VD_ECANCELED)
        return CLI_INTERRUPTED;
    if (!job->output_failed)
        cli_complain_error(&error);
    return code == VD_EINVAL ? CLI_WRONG : CLI_FAILED;
}

/* What the scene's own reader understands, as one of its options. */
static int read_option(const char *name, const char *value, vd_scene_options *scene)
{
    char text[64];
    vd_error error = {0};
    if (!value)
        return CLI_DONE;
    snprintf(text, sizeof text, "%s=%.*s", name, (int)strcspn(value, ","), value);
    if (!strchr(value, ',') && vd_scene_parse(text, scene, &error) == VD_OK)
        return CLI_DONE;
    if (strcmp(name, "size") == 0)
        cli_complain(
            "--size is \"%s\"; it must be WIDTHxHEIGHT with 64 to 3840 pixels a side, such as 1280x720.",
            value);
    else
        cli_complain("--view is \"%s\"; it must be vehicle or pole.", value);
    return CLI_WRONG;
}

static int check(struct job *job)
{
    if (job->clip.frames == 0) {
        cli_complain("`demo` needs --frames N: how many pictures the clip is to have.");
        return CLI_WRONG;
    }
    int status = cli_check_new_clip(job->clip.path, "The clip");
    if (status == CLI_DONE)
        status = read_option("size", job->size, &job->clip.scene);
    if (status == CLI_DONE)
        status = read_option("view", job->view, &job->clip.scene);
    if (status == CLI_DONE && (job->clip.scene.width % 2 || job->clip.scene.height % 2)) {
        cli_complain("--size is \"%s\"; a clip's sides must be even.", job->size);
        status = CLI_WRONG;
    }
    job->clip.scene.seed = (unsigned)job->seed;
    job->clip.scene.hazards = (int)job->hazards;
    job->clip.cancel = cli_cancel();
    job->clip.take_truth = take_truth;
    job->clip.context = job;
    return status;
}

int cmd_demo(int argc, char **argv)
{
    static struct job job = {.clip = VD_SCENE_CLIP_INIT, .seed = 16, .hazards = 12};
    const cli_option options[] = {
        {"frames", CLI_COUNT, &job.clip.frames, 1, 1e7, "N", "how many pictures; required"},
        {"seed", CLI_COUNT, &job.seed, 0, 4294967295.0, "S", "which scene, 0 to 4294967295 (16)"},
        {"fps", CLI_NUMBER, &job.clip.scene.frames_per_s, 1, 120, "N", "pictures a second, 1 to 120 (30)"},
        {"size", CLI_TEXT, &job.size, 0, 0, "WxH", "pixels, even, 64 to 3840 a side (1280x720)"},
        {"night", CLI_FLAG, &job.clip.scene.night, 0, 0, NULL, "by night instead of by day"},
        {"view", CLI_TEXT, &job.view, 0, 0, "V", "from a vehicle on the road or a pole beside it (vehicle)"},
        {"hazards", CLI_COUNT, &job.hazards, 0, 30, "N",
         "cracks and potholes on 100 m of road, 0 to 30 (12)"},
        {"truth", CLI_TEXT, &job.truth_path, 0, 0, "FILE|-", "what is on every picture, JSON Lines"},
    };
    const cli_usage usage = {.command = "demo",
                             .operands = "OUT.mp4",
                             .text = help_text,
                             .options = options,
                             .option_count = sizeof options / sizeof *options,
                             .least_operands = 1,
                             .most_operands = 1};
    int operands, status = cli_parse(&usage, argc, argv, &operands);
    if (status != CLI_DONE)
        return status == CLI_HELPED ? CLI_DONE : status;
    job.clip.path = argv[1];
    status = check(&job);
    if (status == CLI_DONE && job.truth_path)
        status = cli_open_output(job.truth_path, &job.truth);
    if (status == CLI_DONE)
        status = render(&job);
    return cli_close_output(job.truth, job.truth_path, status);
}
