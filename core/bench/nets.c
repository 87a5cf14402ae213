#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/thread.h"
#include "detect/kinds.h"
#include "engine/engine.h"
#include "frame/convert.h"
#include "model/model.h"
#include "vedette/app/bench.h"

enum { MOST_NETS = 64 };

struct lane {
    vd_bench_nets *nets;
    vd_net *net;
    vd_thread thread;

    /* owned by its thread until it is joined */
    int64_t passes, took_ns, cpu_ns;
    int code;
    vd_error error;
};

struct vd_bench_nets {
    vd_model *model;
    int count;
    int64_t seconds_ns; /* of a run */

    vd_mutex lock;
    vd_cond started;
    bool go; /* guarded by lock */

    struct lane lanes[];
};

const char *vd_bench_opencv_version(void)
{
    return vd_engine_opencv_version();
}

static int64_t thread_cpu_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * VD_NS_PER_S + time.tv_nsec;
}

static int pass(struct lane *lane)
{
    const float *data[VD_MODEL_OUTPUTS];
    return vd_net_forward(lane->net, data, &lane->error);
}

/* The picture goes in once; every pass looks at the same. */
static int make_net(struct lane *lane, const vd_image *picture)
{
    const vd_model *model = lane->nets->model;
    const vd_feed feed = vd_network_feed(model);
    vd_scratch scratch = {0};
    vd_letterbox letterbox;
    float *input;
    int code = vd_net_new(model, NULL, &lane->net, &lane->error);
    if (code == VD_OK)
        code = vd_net_input(lane->net, &input, &lane->error);
    if (code)
        return code;
    code = vd_convert_feed(picture, &feed, &scratch, input, &letterbox);
    vd_scratch_fini(&scratch);
    if (code)
        return vd_error_set(&lane->error, code, NULL,
                            "The picture could not be brought to the network's size.");
    return pass(lane);
}

static void copy_error(vd_error *error, const vd_error *from)
{
    if (error)
        *error = *from;
}

static int make_nets(vd_bench_nets *nets, const char *model, bool plain, const vd_image *picture,
                     vd_error *error)
{
    const vd_model_options options = {.no_plan = plain};
    int code = vd_model_read(model, &options, &nets->model, error);
    for (int i = 0; i < nets->count && code == VD_OK; i++) {
        nets->lanes[i].nets = nets;
        code = make_net(&nets->lanes[i], picture);
        if (code)
            copy_error(error, &nets->lanes[i].error);
    }
    if (code == VD_OK)
        vd_model_drop_file(nets->model);
    return code;
}

int vd_bench_nets_new(const char *model, int count, int threads, bool plain, const vd_image *picture,
                      vd_bench_nets **ret_nets, vd_error *error)
{
    if (count < 1 || count > MOST_NETS)
        return vd_error_set(error, VD_EINVAL, NULL, "%d nets cannot run at once; 1 to %d can.", count,
                            MOST_NETS);
    vd_bench_nets *nets = calloc(1, sizeof *nets + (size_t)count * sizeof nets->lanes[0]);
    if (!nets || vd_mutex_init(&nets->lock, VD_RANK_QUEUE))
        goto no_lock;
    if (vd_cond_init(&nets->started))
        goto no_cond;
    nets->count = count;
    vd_engine_set_threads(threads);
    int code = make_nets(nets, model, plain, picture, error);
    if (code) {
        vd_bench_nets_free(&nets);
        return code;
    }
    *ret_nets = nets;
    return VD_OK;
no_cond:
    vd_mutex_fini(&nets->lock);
no_lock:
    free(nets);
    return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for the nets.");
}

void vd_bench_nets_free(vd_bench_nets **pointer)
{
    vd_bench_nets *nets = *pointer;
    *pointer = NULL;
    if (!nets)
        return;
    for (int i = 0; i < nets->count; i++)
        vd_net_free(&nets->lanes[i].net);
    vd_model_free(&nets->model);
    vd_cond_fini(&nets->started);
    vd_mutex_fini(&nets->lock);
    free(nets);
}

static void run_lane(void *context)
{
    struct lane *lane = context;
    vd_bench_nets *nets = lane->nets;
    vd_mutex_lock(&nets->lock);
    while (!nets->go)
        vd_cond_wait(&nets->started, &nets->lock);
    vd_mutex_unlock(&nets->lock);
    int64_t began_ns = vd_clock_now_ns(), cpu_ns = thread_cpu_ns();
    do {
        lane->code = pass(lane);
        lane->passes++;
        lane->took_ns = vd_clock_now_ns() - began_ns;
    } while (lane->code == VD_OK && lane->took_ns < nets->seconds_ns);
    lane->cpu_ns = thread_cpu_ns() - cpu_ns;
}

/* All begin together. */
static int run_lanes(vd_bench_nets *nets)
{
    int code = VD_OK;
    nets->go = false;
    for (int i = 0; i < nets->count && code == VD_OK; i++) {
        struct lane *lane = &nets->lanes[i];
        lane->passes = lane->took_ns = lane->cpu_ns = 0;
        code = vd_thread_start(&lane->thread, "vd-net", run_lane, lane);
    }
    vd_mutex_lock(&nets->lock);
    nets->go = true;
    vd_cond_broadcast(&nets->started);
    vd_mutex_unlock(&nets->lock);
    for (int i = 0; i < nets->count; i++)
        vd_thread_join(&nets->lanes[i].thread);
    return code;
}

int vd_bench_nets_run(vd_bench_nets *nets, double seconds, vd_bench_nets_figures *ret_figures,
                      vd_error *error)
{
    vd_bench_nets_figures figures = {0};
    int64_t passes = 0, cpu_ns = 0;
    nets->seconds_ns = (int64_t)(seconds * (double)VD_NS_PER_S);
    if (run_lanes(nets))
        return vd_error_set(error, VD_ENOMEM, NULL, "The system has no room for another thread.");
    for (int i = 0; i < nets->count; i++) {
        const struct lane *lane = &nets->lanes[i];
        if (lane->code) {
            copy_error(error, &lane->error);
            return lane->code;
        }
        figures.passes_per_s += (double)lane->passes * (double)VD_NS_PER_S / (double)lane->took_ns;
        passes += lane->passes;
        cpu_ns += lane->cpu_ns;
    }
    figures.cpu_ms = (double)cpu_ns / (double)passes / (double)VD_NS_PER_MS;
    *ret_figures = figures;
    return VD_OK;
}
