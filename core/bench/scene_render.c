/* How fast scenes are rendered, what is painted anew as the road goes by included. */
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "scene/scene.h"
#include "vedette/app/bench.h"

struct run {
    vd_image picture;
    int64_t *samples_ns;
    size_t count;
    int64_t took_ns, cpu_ns, start_ns;
};

static int64_t thread_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * VD_NS_PER_S + now.tv_nsec;
}

static int run_seed(struct run *run, const vd_scene_options *options, int frames, vd_cancel *cancel,
                    vd_error *error)
{
    vd_scene *scene = NULL;
    int64_t began_ns = vd_clock_now_ns();
    int code = vd_scene_new(options, &scene, error);
    run->start_ns += vd_clock_now_ns() - began_ns;
    for (int i = 0; i < frames && code == VD_OK; i++) {
        int64_t from_ns = vd_clock_now_ns(), from_cpu_ns = thread_cpu_ns();
        code = vd_scene_render(scene, i, &run->picture);
        run->cpu_ns += thread_cpu_ns() - from_cpu_ns;
        run->samples_ns[run->count] = vd_clock_now_ns() - from_ns;
        run->took_ns += run->samples_ns[run->count++];
        if (code)
            vd_error_set(error, code, NULL, "The scene cannot be rendered.");
        else if (vd_cancel_requested(cancel))
            code = vd_error_set(error, VD_ECANCELED, NULL, "Cancelled.");
    }
    vd_scene_free(&scene);
    return code;
}

int vd_bench_render(const vd_scene_options *first, int seeds, int frames, vd_cancel *cancel,
                    vd_bench_render_figures *ret_figures, vd_error *error)
{
    vd_scene_options options = *first;
    struct run run = {.picture = {.format = VD_PIXEL_BGRX, .width = first->width, .height = first->height}};
    if (seeds < 1 || frames < 1)
        return vd_error_set(error, VD_EINVAL, NULL, "There is nothing to render.");
    run.picture.strides[0] = first->width * 4;
    run.picture.planes[0] = malloc((size_t)first->width * (size_t)first->height * 4);
    run.samples_ns = calloc((size_t)seeds * (size_t)frames, sizeof *run.samples_ns);
    int code = run.picture.planes[0] && run.samples_ns
                   ? VD_OK
                   : vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for a picture.");
    for (int i = 0; i < seeds && code == VD_OK; i++, options.seed++)
        code = run_seed(&run, &options, frames, cancel, error);
    if (code == VD_OK)
        *ret_figures = (vd_bench_render_figures){
            .frames = (int64_t)run.count,
            .frames_per_s = (double)run.count * (double)VD_NS_PER_S / (double)run.took_ns,
            .cpu_ms = (double)run.cpu_ns / (double)run.count / (double)VD_NS_PER_MS,
            .latency = vd_bench_latency_of(run.samples_ns, run.count),
            .start_ms = (double)run.start_ns / seeds / (double)VD_NS_PER_MS};
    free(run.samples_ns);
    free(run.picture.planes[0]);
    return code;
}
