#include "bench/loop.h"

#include <stdlib.h>
#include <string.h>

#include "base/thread.h"
#include "frame/frame.h"
#include "media/source_kind.h"

static const char scheme[] = "loop:";

struct loop {
    vd_source *source;
    int64_t frames;
    double ended_s; /* what the rounds before took */
    double last_s;
};

static int open_loop(const char *address, const vd_source_options *options, vd_cancel *cancel,
                     void **ret_state, vd_source_info *ret_info, vd_error *error)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return vd_error_set(error, VD_ENOMEM, address, "There is not enough memory to open it.");
    int code = vd_source_open(address + strlen(scheme), options, cancel, &loop->source, error);
    if (code) {
        free(loop);
        return code;
    }
    *ret_info = *vd_source_get_info(loop->source);
    ret_info->frame_count = 0;
    ret_info->duration_s = 0;
    *ret_state = loop;
    return VD_OK;
}

static int begin_again(struct loop *loop, vd_error *error)
{
    const vd_source_info *info = vd_source_get_info(loop->source);
    loop->ended_s += loop->last_s + (info->frames_per_s > 0 ? 1 / info->frames_per_s : 0.04);
    return vd_source_seek(loop->source, 0, error);
}

static int read_loop(void *state, vd_frame **ret_frame, vd_error *error)
{
    struct loop *loop = state;
    vd_frame *frame;
    int code = vd_source_read(loop->source, &frame, error);
    if (code == VD_EEND && loop->frames > 0) {
        code = begin_again(loop, error);
        if (code == VD_OK)
            code = vd_source_read(loop->source, &frame, error);
    }
    if (code)
        return code;
    loop->last_s = frame->time_s;
    frame->index = loop->frames++; /* nobody else has it yet */
    frame->time_s += loop->ended_s;
    *ret_frame = frame;
    return VD_OK;
}

static void get_stats(void *state, vd_source_stats *ret_stats)
{
    struct loop *loop = state;
    *ret_stats = vd_source_get_stats(loop->source);
}

static void close_loop(void *state)
{
    struct loop *loop = state;
    vd_source_close(&loop->source);
    free(loop);
}

static const vd_source_ops loop_ops = {
    .scheme = scheme, .open = open_loop, .read = read_loop, .get_stats = get_stats, .close = close_loop};

static void register_it(void)
{
    vd_source_register(&loop_ops);
}

void vd_bench_loop_register(void)
{
    static vd_once once = VD_ONCE_INIT;
    vd_once_run(&once, register_it);
}
