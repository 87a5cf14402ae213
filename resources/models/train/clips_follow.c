/* A camera without a detector: true boxes with a detector's faults go through the tracker, the history and
 * the ring of pictures of the program, and its own code cuts the clips. */
#include <math.h>
#include <stdlib.h>

#include "clips.h"
#include "pipeline/clip_ring.h"
#include "pipeline/history.h"
#include "scene/world.h"
#include "vedette/app/track.h"
#include "verify/clip.h"
#include "verify/crop.h"

enum { WINDOW = 180, LAST_START = 900, OBJECTS_MOST = 256, TRACKS_MOST = 512 };

static const double LATE_S = 0.5; /* at most so much after the truth lists it an object is detected */
static const double BRIEF = 0.25; /* so many are given up again … */
static const double BRIEFLY_S[2] = {0.35, 1.4}; /* … after so long */
static const double MISSED = 0.08;              /* single detections */

/* An object of the truth as the detector sees it. */
struct object {
    vd_scene_kind kind;
    int track_id;
    uint64_t seed;
    double from_s, to_s;
};

/* A track and the object that it began with. */
struct followed {
    int id, object;
    bool cut;
};

struct camera {
    vd_scene *scene;
    const vd_scene_options *options;
    clip_output *output;
    int64_t start; /* frame */
    double begin_s, now_s;
    vd_tracker *tracker;
    vd_history history;
    vd_clip_ring ring;
    vd_verify_clip clip;
    vd_scratch scratch[3];
    struct object objects[OBJECTS_MOST];
    struct followed followed[TRACKS_MOST];
    int object_count, followed_count;
    uint8_t rgb[CLIP_FRAMES * CLIP_RGB], grey[CLIP_FRAMES * CLIP_GREY];
};

static struct object *find_object(struct camera *camera, const vd_scene_object *truth)
{
    for (int i = 0; i < camera->object_count; i++)
        if (camera->objects[i].track_id == truth->track_id && camera->objects[i].kind == truth->kind)
            return &camera->objects[i];
    if (camera->object_count == OBJECTS_MOST)
        return NULL;
    struct object *object = &camera->objects[camera->object_count++];
    *object = (struct object){.kind = truth->kind, .track_id = truth->track_id, .to_s = INFINITY};
    object->seed = vd_hash(camera->options->seed, OF_TRACK, truth->track_id * 8 + (int)truth->kind);
    /* What is there already is seen at once, as after a start or behind a vehicle. */
    double late = camera->now_s > camera->begin_s ? vd_random(object->seed, OF_TRACK, 0) : 0;
    object->from_s = camera->now_s + LATE_S * late * late;
    if (vd_random(object->seed, OF_TRACK, 1) < BRIEF)
        object->to_s =
            object->from_s + vd_random_between(object->seed, OF_TRACK, 2, BRIEFLY_S[0], BRIEFLY_S[1]);
    return object;
}

/* What a detector would find, and of which object each box is. */
static size_t detect(struct camera *camera, int64_t frame, vd_detection *ret_found, int *ret_objects)
{
    vd_scene_object truth[VD_SCENE_OBJECTS_MOST];
    size_t listed = vd_scene_truth(camera->scene, frame, truth, VD_SCENE_OBJECTS_MOST), count = 0;
    int at = (int)(frame - camera->start);
    for (size_t i = 0; i < listed; i++) {
        const struct object *object = find_object(camera, &truth[i]);
        if (!object || camera->now_s < object->from_s || camera->now_s > object->to_s ||
            vd_random(object->seed, OF_BOX, at) < MISSED)
            continue;
        ret_objects[count] = (int)(object - camera->objects);
        ret_found[count++] =
            (vd_detection){.box = clip_shake(object->seed, at, &truth[i].box), .score = 0.6f};
    }
    return count;
}

static void keep_picture(struct camera *camera, const vd_moment *at, vd_frame *frame)
{
    if (!vd_clip_ring_wants(&camera->ring, at))
        return;
    if (vd_scene_render(camera->scene, (int64_t)at->order - 1, &frame->image) != VD_OK)
        clip_fail(camera->options->seed, "it cannot be rendered");
    vd_clip_ring_make_room(&camera->ring, at, frame);
    vd_clip_ring_keep(&camera->ring, at, frame, vd_clip_ring_reduce(&camera->ring, frame));
}

static void write_clip(struct camera *camera, const struct object *object, const struct vd_trace *trace)
{
    const vd_verify_clip *clip = &camera->clip;
    const double frames_per_s = camera->options->frames_per_s;
    vd_verify_options form = VD_VERIFY_OPTIONS_INIT;
    form.temporal_size = CLIP_FRAMES;
    form.input_width = form.input_height = CLIP_SIZE;
    if (vd_clip_cut(clip, &form, camera->scratch, camera->rgb, NULL) != VD_OK)
        clip_fail(camera->options->seed, "no clip can be cut");
    for (int i = 0; i < CLIP_FRAMES; i++)
        clip_to_grey(camera->rgb + i * CLIP_RGB, camera->grey + i * CLIP_GREY);
    clip_line line = {.seed = camera->options->seed,
                      .frame = lround(vd_trace_first_s(trace) * frames_per_s),
                      .track_id = object->track_id,
                      .kind = object->kind,
                      .pictures = 1,
                      .side = vd_crop_side(clip->boxes, clip->count),
                      .box = clip->boxes[clip->count - 1]};
    for (size_t i = 1; i < clip->count; i++)
        line.pictures += clip->frames[i] != clip->frames[i - 1];
    clip_output_write(camera->output, camera->options, &line, camera->grey);
}

/* Cuts the clips that are whole, as a camera does: 1.6 s after a track began, or when it is over. */
static void cut_clips(struct camera *camera)
{
    for (int i = 0; i < camera->followed_count; i++) {
        struct followed *followed = &camera->followed[i];
        const struct vd_trace *trace = followed->cut ? NULL : vd_history_find(&camera->history, followed->id);
        if (!trace || (!trace->gone && camera->now_s - vd_trace_first_s(trace) < VD_CLIP_SPAN_S))
            continue;
        followed->cut = true;
        if (vd_clip_ring_cut(&camera->ring, trace, CLIP_FRAMES, &camera->clip))
            write_clip(camera, &camera->objects[followed->object], trace);
        vd_clip_clear(&camera->clip);
    }
}

static void note_tracks(struct camera *camera, const vd_track *tracks, size_t count, const int *objects)
{
    for (size_t i = 0; i < count; i++) {
        int k = 0;
        while (k < camera->followed_count && camera->followed[k].id != tracks[i].id)
            k++;
        if (k == camera->followed_count && k < TRACKS_MOST && tracks[i].established &&
            tracks[i].detection >= 0)
            camera->followed[camera->followed_count++] =
                (struct followed){.id = tracks[i].id, .object = objects[tracks[i].detection]};
    }
}

static void follow_frame(struct camera *camera, int64_t index, vd_frame *frame)
{
    vd_detection found[VD_MAX_DETECTIONS];
    int objects[VD_MAX_DETECTIONS];
    camera->now_s = (double)index / camera->options->frames_per_s;
    const vd_moment at = {.order = (uint64_t)index + 1, .serial = 1, .time_s = camera->now_s};
    size_t count, found_count = detect(camera, index, found, objects);
    keep_picture(camera, &at, frame);
    if (vd_tracker_update(camera->tracker, camera->now_s, found, found_count, NULL) != VD_OK)
        clip_fail(camera->options->seed, "its tracks cannot be followed");
    const vd_track *tracks = vd_tracker_tracks(camera->tracker, &count);
    vd_history_update(&camera->history, 1, camera->now_s, tracks, count, found);
    note_tracks(camera, tracks, count, objects);
    cut_clips(camera);
}

void clip_follow(vd_scene *scene, const vd_scene_options *options, vd_frame *frame, clip_output *output)
{
    const vd_track_options track = VD_TRACK_OPTIONS_INIT;
    struct camera *camera = calloc(1, sizeof *camera);
    if (!camera || vd_tracker_new(&track, &camera->tracker, NULL) != VD_OK)
        clip_fail(options->seed, "there is no memory");
    camera->scene = scene;
    camera->options = options;
    camera->output = output;
    camera->start = (int64_t)vd_random_between(options->seed, OF_MOMENT, 0, 0, LAST_START);
    camera->begin_s = (double)camera->start / options->frames_per_s;
    for (int i = 0; i < WINDOW; i++)
        follow_frame(camera, camera->start + i, frame);
    vd_tracker_free(&camera->tracker);
    vd_history_fini(&camera->history);
    vd_clip_ring_fini(&camera->ring);
    for (int i = 0; i < 3; i++)
        vd_scratch_fini(&camera->scratch[i]);
    free(camera);
}
