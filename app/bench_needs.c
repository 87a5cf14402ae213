/* What the cases work on: detectors, clips, pictures in memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "cli.h"
#include "request.h"
#include "vedette/app/scene.h"

enum { CLIP_FRAMES = 90 };

bool bench_has_net(const bench_job *job)
{
    return strncmp(job->model, "builtin:", 8) != 0;
}

int bench_find_model(bench_job *job)
{
    int status = cli_find_model(job->model, job->model_path);
    job->model = job->model_path;
    return status;
}

int bench_detector(const bench_job *job, int workers, vd_detector **ret_detector)
{
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    vd_error error = {0};
    options.model = job->model;
    options.max_workers = workers;
    int code = vd_detector_new(&options, ret_detector, &error);
    if (code == VD_OK)
        return CLI_DONE;
    cli_complain_error(&error);
    return code == VD_ENOMEM ? CLI_FAILED : CLI_WRONG;
}

int bench_need_folder(bench_job *job)
{
    const char *parent = getenv("TMPDIR");
    if (job->folder[0] != '\0')
        return CLI_DONE;
    snprintf(job->folder, sizeof job->folder, "%s/vedette-bench-XXXXXX", parent && *parent ? parent : "/tmp");
    if (mkdtemp(job->folder))
        return CLI_DONE;
    cli_complain("No folder can be made in %s: %s.", parent && *parent ? parent : "/tmp",
                 strerrordesc_np(errno));
    job->folder[0] = '\0';
    return CLI_FAILED;
}

static int render_clip(bench_job *job, int number)
{
    vd_error error = {0};
    char path[PATH_MAX];
    if (job->clips[number][0] != '\0')
        return CLI_DONE;
    int status = bench_need_folder(job);
    if (status != CLI_DONE)
        return status;
    snprintf(path, sizeof path, "%s/demo-%d.mp4", job->folder, number + 1);
    vd_scene_clip clip = VD_SCENE_CLIP_INIT;
    clip.path = path;
    clip.frames = CLIP_FRAMES;
    clip.scene.seed = (unsigned)number + 1;
    clip.quality = 23; /* as a camera's */
    clip.cancel = cli_cancel();
    int code = vd_scene_write_clip(&clip, &error);
    if (code)
        return bench_failed(code, &error);
    memcpy(job->clips[number], path, sizeof path);
    return CLI_DONE;
}

int bench_need_clips(bench_job *job, bool all)
{
    int status = CLI_DONE;
    if (all || !job->clip)
        for (int i = 0; i < (all ? BENCH_CLIPS : 1) && status == CLI_DONE && !vd_interrupted(); i++)
            status = render_clip(job, i);
    if (!job->clip && status == CLI_DONE)
        job->clip = job->clips[0];
    return status;
}

/* Planes of 4:2:0 and of pictures with 4 bytes a pixel, which is what sources give. */
static bool copy_picture(const vd_image *from, vd_image *to)
{
    size_t bytes[3] = {0}, all = 0;
    for (int p = 0; p < 3 && from->planes[p]; p++) {
        int rows = p == 0 ? from->height : (from->height + 1) / 2;
        bytes[p] = (size_t)from->strides[p] * (size_t)rows;
        all += bytes[p];
    }
    uint8_t *memory = malloc(all);
    *to = *from;
    if (!memory)
        return false;
    for (int p = 0; p < 3 && from->planes[p]; memory += bytes[p], p++) {
        memcpy(memory, from->planes[p], bytes[p]);
        to->planes[p] = memory;
    }
    return true;
}

static int keep_picture(void *context, const vd_source_info *info, vd_frame *frame, vd_result *result,
                        const vd_error *error)
{
    bench_job *job = context;
    (void)info;
    (void)result;
    (void)error;
    if (job->picture_count == BENCH_PICTURES)
        return VD_OK;
    if (!copy_picture(vd_frame_get_image(frame), &job->pictures[job->picture_count]))
        return VD_ENOMEM;
    job->picture_count++;
    return VD_OK;
}

int bench_need_pictures(bench_job *job)
{
    if (job->picture_count > 0)
        return CLI_DONE;
    int status = bench_need_clips(job, false);
    if (status != CLI_DONE)
        return status;
    vd_run_options options = VD_RUN_OPTIONS_INIT;
    vd_run_summary summary;
    vd_error error = {0};
    options.address = job->clip;
    options.max_frames = BENCH_PICTURES;
    options.cancel = cli_cancel();
    int code = vd_run(&options, keep_picture, job, &summary, &error);
    if (code == VD_OK && job->picture_count > 0)
        return CLI_DONE;
    if (code == VD_ECANCELED || code == VD_ENOMEM)
        return bench_failed(code, &error);
    cli_complain_error(&error);
    return CLI_WRONG;
}

void bench_clear(bench_job *job)
{
    for (int i = 0; i < job->picture_count; i++)
        free(job->pictures[i].planes[0]);
    for (int i = 0; i < BENCH_CLIPS; i++)
        if (job->clips[i][0] != '\0')
            unlink(job->clips[i]);
    if (job->folder[0] != '\0')
        rmdir(job->folder);
    vd_monitor_free(&job->monitor);
}
