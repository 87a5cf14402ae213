/* The reader: opens the source and brings its frames into the timeline. Files wait for room, live sources
 * make it. */
#include <string.h>

#include "pipeline/camera_state.h"

static void fail_source(vd_camera *camera, const vd_error *error)
{
    vd_mutex_lock(&camera->lock);
    camera->status.error = *error;
    camera->timeline.ended = true;
    vd_camera_set_state_locked(camera);
    vd_cond_broadcast(&camera->changed);
    vd_mutex_unlock(&camera->lock);
    vd_camera_wake(camera);
}

static vd_source *open_source(vd_camera *camera)
{
    vd_source *source = NULL;
    vd_error error = {0};
    vd_source_options options = camera->options.source;
    options.pool_frames = (camera->is_live ? VD_LIVE_READ_AHEAD : VD_FILE_READ_AHEAD) + VD_FRAMES_UNDER_WAY;
    if (vd_source_open(camera->address, &options, &camera->cancel, &source, &error)) {
        fail_source(camera, &error);
        return NULL;
    }
    vd_mutex_lock(&camera->lock);
    camera->status.source = *vd_source_get_info(source);
    camera->is_live = camera->status.source.is_live;
    camera->timeline.capacity = camera->is_live ? VD_LIVE_READ_AHEAD : VD_FILE_READ_AHEAD;
    if (camera->is_live)
        camera->playing = true;           /* a camera cannot wait */
    vd_camera_choose_sync_locked(camera); /* some addresses turn out to be files only now */
    vd_mutex_unlock(&camera->lock);
    vd_camera_wake(camera);
    return source;
}

/* What the reader should do next. */
enum next { STOP, SEEK, READ };

static enum next wait_for_work(vd_camera *camera, double *ret_seek_s)
{
    enum next next = READ;
    vd_mutex_lock(&camera->lock);
    while (!camera->stopping && !camera->seek_wanted &&
           (camera->timeline.ended || (!camera->is_live && vd_timeline_is_full(&camera->timeline))))
        vd_cond_wait(&camera->changed, &camera->lock);
    if (camera->stopping) {
        next = STOP;
    } else if (camera->seek_wanted) {
        next = SEEK;
        *ret_seek_s = camera->seek_s;
        camera->seek_wanted = false;
    }
    vd_mutex_unlock(&camera->lock);
    return next;
}

static void seek(vd_camera *camera, vd_source *source, double time_s)
{
    vd_error error = {0};
    int code = vd_source_seek(source, time_s, &error);
    vd_mutex_lock(&camera->lock);
    if (code) {
        camera->status.error = error;
        camera->timeline.ended = true;
    } else {
        vd_timeline_flush(&camera->timeline);
        camera->show_next = true;
        camera->may_reuse = true;
        camera->clock_running = false;
        memset(&camera->status.error, 0, sizeof camera->status.error);
    }
    vd_camera_set_state_locked(camera);
    vd_cond_broadcast(&camera->changed);
    vd_mutex_unlock(&camera->lock);
}

static void add_frame(vd_camera *camera, vd_source *source, vd_frame *frame)
{
    vd_source_stats stats = vd_source_get_stats(source);
    vd_mutex_lock(&camera->lock);
    camera->status.frames++;
    camera->status.dropped_source = stats.dropped_pool;
    camera->status.broken = stats.broken;
    vd_rate_add(&camera->captured, vd_clock_now_ns());
    if (camera->seek_wanted) {
        vd_frame_unref(&frame); /* of the place that is being left */
    } else {
        if (vd_timeline_is_full(&camera->timeline)) {
            vd_timeline_drop(&camera->timeline);
            camera->status.dropped_display++;
        }
        vd_timeline_push(&camera->timeline, frame);
    }
    vd_cond_broadcast(&camera->changed);
    vd_mutex_unlock(&camera->lock);
    vd_camera_feed(camera);
}

/* A file's end: VD_OK for another round, VD_EEND for rest, else why it cannot be wound. */
static int begin_again(vd_camera *camera, vd_source *source, uint64_t frames_this_round, vd_error *error)
{
    const vd_source_info *info = vd_source_get_info(source);
    if (!camera->options.loop || !info->can_seek || info->is_image || frames_this_round == 0)
        return VD_EEND;
    int code = vd_source_seek(source, 0, error);
    if (code)
        return code;
    vd_mutex_lock(&camera->lock);
    camera->may_reuse = false; /* a clip shorter than what is remembered would never be detected again */
    vd_mutex_unlock(&camera->lock);
    return VD_OK;
}

static void end_reading(vd_camera *camera, int code, const vd_error *error)
{
    vd_mutex_lock(&camera->lock);
    camera->timeline.ended = true;
    if (code != VD_EEND)
        camera->status.error = *error;
    else if (camera->status.frames == 0)
        vd_error_set(&camera->status.error, VD_EFORMAT, camera->status.source.address,
                     "There is no picture in it that can be shown.");
    else if (camera->is_live)
        vd_error_set(&camera->status.error, VD_EEND, camera->status.source.address, "The stream has ended.");
    vd_camera_set_state_locked(camera);
    vd_cond_broadcast(&camera->changed);
    vd_mutex_unlock(&camera->lock);
    vd_camera_wake(camera);
    vd_camera_feed(camera); /* the last frames may be detected now that none follows */
}

static void read_all(vd_camera *camera, vd_source *source)
{
    double seek_s = 0;
    uint64_t frames_this_round = 0;
    for (enum next next; (next = wait_for_work(camera, &seek_s)) != STOP;) {
        if (next == SEEK) {
            seek(camera, source, seek_s);
            frames_this_round = 0;
            continue;
        }
        vd_frame *frame = NULL;
        vd_error error = {0};
        int code = vd_source_read(source, &frame, &error);
        if (code == VD_OK) {
            frames_this_round++;
            add_frame(camera, source, frame);
            continue;
        }
        if (code == VD_EEND)
            code = begin_again(camera, source, frames_this_round, &error);
        frames_this_round = 0;
        if (code != VD_OK && code != VD_ECANCELED)
            end_reading(camera, code, &error);
    }
}

void vd_camera_read(void *context)
{
    vd_camera *camera = context;
    vd_source *source = open_source(camera);
    if (!source)
        return;
    read_all(camera, source);
    vd_source_close(&source);
}
