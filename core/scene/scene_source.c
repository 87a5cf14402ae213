/* The demonstration as a camera: pictures come when they are due by the monotonic clock, whoever waits or
 * not. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/text.h"
#include "frame/frame.h"
#include "media/source_kind.h"
#include "scene/scene.h"

/* A reader that is later than this many pictures gets the newest one instead of the next. */
enum { PATIENCE = 3 };

static const int64_t POLL_NS = 50 * VD_NS_PER_MS;

typedef struct scene_source {
    vd_scene *scene;
    vd_scene_options options;
    vd_frame_pool *pool;
    vd_cancel *cancel;
    vd_cancel own;    /* in place of none: sleeping needs one */
    int64_t start_ns; /* when picture 0 is due; 0 before the first read */
    int64_t next;
    uint64_t frames, dropped;
} scene_source;

static void source_close(void *state)
{
    scene_source *s = state;
    if (!s)
        return;
    vd_frame_pool_free(&s->pool);
    vd_scene_free(&s->scene);
    vd_cancel_fini(&s->own);
    free(s);
}

static void fill_info(const scene_source *s, const char *address, vd_source_info *info)
{
    memset(info, 0, sizeof(*info));
    vd_text_copy(info->address, sizeof(info->address), address);
    vd_text_copy(info->name, sizeof(info->name), "Demonstration");
    vd_text_copy(info->codec, sizeof(info->codec), "rendered");
    vd_text_copy(info->decoder, sizeof(info->decoder), "scene");
    info->is_live = !s->options.free_pace;
    info->frames_per_s = s->options.frames_per_s;
    info->width = s->options.width;
    info->height = s->options.height;
}

static int source_open(const char *address, const vd_source_options *options, struct vd_cancel *cancel,
                       void **ret_state, vd_source_info *ret_info, vd_error *error)
{
    vd_scene_options chosen = VD_SCENE_OPTIONS_INIT;
    int rc = vd_scene_parse(address + strlen("demo:"), &chosen, error);
    if (rc != VD_OK)
        return rc;
    scene_source *s = calloc(1, sizeof(*s));
    if (!s || vd_cancel_init(&s->own) != VD_OK) {
        free(s);
        return vd_error_set(error, VD_ENOMEM, address, "There is not enough memory for the demonstration.");
    }
    s->options = chosen;
    s->cancel = cancel ? cancel : &s->own;
    rc = vd_scene_new(&chosen, &s->scene, error);
    if (rc == VD_OK) {
        rc = vd_frame_pool_new(VD_PIXEL_BGRX, chosen.width, chosen.height, options->pool_frames, &s->pool);
        if (rc != VD_OK)
            vd_error_set(error, rc, address, "There is not enough memory for %d pictures of %d × %d pixels.",
                         options->pool_frames, chosen.width, chosen.height);
    }
    if (rc != VD_OK) {
        source_close(s);
        return rc;
    }
    fill_info(s, address, ret_info);
    *ret_state = s;
    return VD_OK;
}

static int64_t due_ns(const scene_source *s, int64_t index)
{
    return s->start_ns + (int64_t)((double)index * (double)VD_NS_PER_S / s->options.frames_per_s);
}

static int canceled(vd_error *error)
{
    return vd_error_set(error, VD_ECANCELED, "demo", "The demonstration was stopped.");
}

/* Waits until a picture is due and takes a frame for it; pictures for which none is free are lost, as a
 * camera's. */
static int take_live(scene_source *s, vd_frame **ret_frame, vd_error *error)
{
    int64_t now_ns = vd_clock_now_ns();
    if (s->start_ns == 0)
        s->start_ns = now_ns;
    if (now_ns > due_ns(s, s->next + PATIENCE)) {
        int64_t newest =
            (int64_t)((double)(now_ns - s->start_ns) * s->options.frames_per_s / (double)VD_NS_PER_S);
        s->dropped += (uint64_t)(newest - s->next);
        s->next = newest;
    }
    for (;; s->next++, s->dropped++) {
        if (vd_cancel_requested(s->cancel) || vd_cancel_sleep_until(s->cancel, due_ns(s, s->next)))
            return canceled(error);
        int rc = vd_frame_pool_take(s->pool, ret_frame);
        if (rc != VD_EAGAIN)
            return rc;
    }
}

static int take_free(scene_source *s, vd_frame **ret_frame, vd_error *error)
{
    for (;;) {
        if (vd_cancel_requested(s->cancel))
            return canceled(error);
        int rc = vd_frame_pool_wait(s->pool, vd_clock_now_ns() + POLL_NS, ret_frame);
        if (rc != VD_ETIMEOUT)
            return rc;
    }
}

static int source_read(void *state, struct vd_frame **ret_frame, vd_error *error)
{
    scene_source *s = state;
    vd_frame *frame = NULL;
    int rc = s->options.free_pace ? take_free(s, &frame, error) : take_live(s, &frame, error);
    if (rc == VD_ECANCELED)
        return rc;
    if (rc == VD_OK)
        rc = vd_scene_render(s->scene, s->next, &frame->image);
    if (rc != VD_OK) {
        vd_frame_unref(&frame);
        return vd_error_set(error, rc, "demo", "Picture %" PRId64 " of the demonstration could not be made.",
                            s->next);
    }
    frame->index = s->next;
    frame->time_s = (double)s->next / s->options.frames_per_s;
    frame->duration_s = 1 / s->options.frames_per_s;
    frame->arrived_ns = vd_clock_now_ns();
    frame->aspect_num = frame->aspect_den = 1;
    frame->serial = 0;
    s->next++;
    s->frames++;
    *ret_frame = frame;
    return VD_OK;
}

static void source_get_stats(void *state, vd_source_stats *ret_stats)
{
    scene_source *s = state;
    vd_frame_pool_stats pool = vd_frame_pool_get_stats(s->pool);
    *ret_stats = (vd_source_stats){.frames = s->frames,
                                   .dropped_pool = s->dropped,
                                   .pool_capacity = pool.capacity,
                                   .pool_available = pool.available,
                                   .pool_peak = pool.peak,
                                   .pool_exhausted = pool.exhausted};
}

int vd_scene_register(void)
{
    static const vd_source_ops ops = {.scheme = "demo:",
                                      .open = source_open,
                                      .read = source_read,
                                      .get_stats = source_get_stats,
                                      .close = source_close};
    return vd_source_register(&ops);
}
