/* Objects over a window: whom stage 1 followed, and what stage 2 says of a clip around the detector's boxes.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/scene.h"
#include "verify/crop.h"

static int refuse_memory(vd_error *error)
{
    return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for the clips.");
}

static int make_pictures(scene_verify *verify, int width, int height)
{
    int reduced_width, reduced_height;
    vd_crop_frame_size(width, height, &reduced_width, &reduced_height);
    verify->scale_x = (double)reduced_width / width;
    verify->scale_y = (double)reduced_height / height;
    for (int i = 0; i < verify->form.frames; i++) {
        vd_image *picture = &verify->pictures[i];
        *picture = (vd_image){.format = VD_PIXEL_BGRX, .width = reduced_width, .height = reduced_height};
        picture->strides[0] = reduced_width * 4;
        picture->planes[0] = malloc((size_t)reduced_width * (size_t)reduced_height * 4);
        if (!picture->planes[0])
            return VD_ENOMEM;
    }
    verify->rgb = malloc((size_t)verify->form.width * (size_t)verify->form.height * 3);
    return verify->rgb ? VD_OK : VD_ENOMEM;
}

int scene_verify_init(scene_verify *verify, const char *model, int width, int height, vd_error *error)
{
    int code = vd_model_read_verifier(model, NULL, &verify->form, &verify->model, error);
    if (code == VD_OK && verify->form.width != verify->form.height)
        code = vd_error_set(error, VD_EFORMAT, model, "The verifier's pictures are not square.");
    if (code == VD_OK && verify->form.frames > SCENE_FRAMES)
        code = vd_error_set(error, VD_EFORMAT, model, "The verifier wants more pictures than 1.6 s have.");
    if (code == VD_OK)
        code = vd_net_new(verify->model, NULL, &verify->net, error);
    if (code == VD_OK && make_pictures(verify, width, height) != VD_OK)
        code = refuse_memory(error);
    return code;
}

void scene_verify_clear(scene_verify *verify)
{
    for (int i = 0; i < SCENE_MOMENTS_MOST; i++)
        free(verify->pictures[i].planes[0]);
    free(verify->rgb);
    free(verify->verdicts);
    vd_scratch_fini(&verify->scratch);
    vd_net_free(&verify->net);
    vd_model_free(&verify->model);
}

/* The frame of the window that a moment of the clip is: evenly over all of it. */
static int frame_of(const scene_verify *verify, int moment)
{
    return (int)lround((double)moment * (SCENE_FRAMES - 1) / (verify->form.frames - 1));
}

int scene_verify_moment(const scene_verify *verify, int frame)
{
    for (int i = 0; i < verify->form.frames; i++)
        if (frame_of(verify, i) == frame)
            return i;
    return -1;
}

void scene_verify_begin(scene_verify *verify)
{
    verify->track_count = 0;
}

static scene_track *find_track(scene_verify *verify, const vd_scene_object *object)
{
    for (int i = 0; i < verify->track_count; i++)
        if (verify->tracks[i].id == object->track_id && verify->tracks[i].kind == object->kind)
            return &verify->tracks[i];
    if (verify->track_count == SCENE_TRACKS_MOST)
        return NULL;
    scene_track *track = &verify->tracks[verify->track_count++];
    *track = (scene_track){.kind = object->kind, .id = object->track_id};
    return track;
}

/* A detection belongs to the object that it overlaps most. */
static int owner_of(const scene_view *view, const scene_box *found)
{
    int owner = -1;
    double best = SCENE_IOU;
    for (size_t i = 0; i < view->object_count; i++) {
        double iou = scene_box_iou(found, &view->object_boxes[i]);
        if (iou < best)
            continue;
        best = iou;
        owner = (int)i;
    }
    return owner;
}

static void note_seen(const scene_verify *verify, const scene_view *view, const vd_detection *found,
                      bool is_moment, scene_track *track)
{
    if (track->seen[view->index]) /* the better one came first */
        return;
    track->seen[view->index] = 1;
    track->boxes[view->index] =
        (vd_box){(float)(found->box.x1 * verify->scale_x), (float)(found->box.y1 * verify->scale_y),
                 (float)(found->box.x2 * verify->scale_x), (float)(found->box.y2 * verify->scale_y)};
    track->seen_frames++;
    track->seen_moments += is_moment;
    track->confidence += (double)found->score;
}

int scene_verify_note(scene_verify *verify, const scene_view *view, const vd_image *full, vd_error *error)
{
    scene_track *tracks[VD_SCENE_OBJECTS_MOST];
    int moment = scene_verify_moment(verify, view->index);
    for (size_t i = 0; i < view->object_count; i++) {
        tracks[i] = find_track(verify, &view->objects[i]);
        if (tracks[i])
            tracks[i]->listed += moment >= 0;
    }
    for (size_t k = 0; k < view->found_count && view->found_boxes[k].score >= SCENE_SURE; k++) {
        int owner = owner_of(view, &view->found_boxes[k]);
        if (owner >= 0 && tracks[owner])
            note_seen(verify, view, &view->found[k], moment >= 0, tracks[owner]);
    }
    if (moment >= 0 &&
        vd_convert_scale(full, VD_FILTER_LINEAR, &verify->scratch, &verify->pictures[moment]) != VD_OK)
        return refuse_memory(error);
    return VD_OK;
}

/* The moments at which the object was there for detection, first to last; the last is repeated where they are
 * fewer than the clip has. */
static int choose_moments(const scene_verify *verify, const scene_track *track, int *ret_moments)
{
    int count = verify->form.frames, first = count, last = 0;
    for (int i = 0; i < count; i++) {
        if (!track->seen[frame_of(verify, i)])
            continue;
        first = first < i ? first : i;
        last = i;
    }
    for (int i = 0; i < count; i++)
        ret_moments[i] = first + i < last ? first + i : last;
    return first < count;
}

/* Fills the network's input with the clip around what detection saw. */
static int fill_clip(scene_verify *verify, const scene_track *track, float *tensor)
{
    vd_crop_seen seen[SCENE_FRAMES];
    vd_box boxes[SCENE_MOMENTS_MOST];
    double times_s[SCENE_MOMENTS_MOST];
    int moments[SCENE_MOMENTS_MOST], count = verify->form.frames;
    size_t seen_count = 0;
    if (!choose_moments(verify, track, moments))
        return VD_EINVAL;
    for (int i = 0; i < SCENE_FRAMES; i++)
        if (track->seen[i])
            seen[seen_count++] = (vd_crop_seen){i / 30.0, track->boxes[i]};
    for (int i = 0; i < count; i++)
        times_s[i] = frame_of(verify, moments[i]) / 30.0;
    int code = vd_crop_path(seen, seen_count, times_s, (size_t)count, boxes);
    if (code)
        return code;
    double side = vd_crop_side(boxes, (size_t)count);
    for (int i = 0; i < count && code == VD_OK; i++) {
        double x = ((double)boxes[i].x1 + boxes[i].x2) / 2, y = ((double)boxes[i].y1 + boxes[i].y2) / 2;
        code = vd_crop_take(&verify->pictures[moments[i]], x, y, side, verify->form.width, verify->rgb);
        vd_verifier_feed(&verify->form, 0, i, verify->rgb, tensor);
    }
    return code;
}

static int keep_verdict(scene_verify *verify, const scene_verdict *verdict)
{
    if (verify->verdict_count == verify->verdict_room) {
        size_t room = verify->verdict_room ? 2 * verify->verdict_room : 256;
        scene_verdict *more = realloc(verify->verdicts, room * sizeof *more);
        if (!more)
            return VD_ENOMEM;
        verify->verdicts = more;
        verify->verdict_room = room;
    }
    verify->verdicts[verify->verdict_count++] = *verdict;
    return VD_OK;
}

static int judge_track(scene_verify *verify, const scene_track *track, float *ret_answer, vd_error *error)
{
    const float *data[VD_MODEL_OUTPUTS];
    float *tensor;
    int code = vd_net_input(verify->net, &tensor, error);
    if (code == VD_OK && fill_clip(verify, track, tensor) != VD_OK)
        code = vd_error_set(error, VD_EINVAL, NULL, "No clip can be cut around a track of detections.");
    if (code == VD_OK)
        code = vd_net_forward(verify->net, data, error);
    if (code == VD_OK)
        code = vd_verifier_score(&verify->form, data[0], 0, ret_answer, error);
    return code;
}

/* Over how many of the clip's moments it was detected, first to last. */
static int span_of(const scene_verify *verify, const scene_track *track)
{
    int moments[SCENE_MOMENTS_MOST], count = verify->form.frames;
    return choose_moments(verify, track, moments) ? moments[count - 1] - moments[0] + 1 : 0;
}

int scene_verify_judge(scene_verify *verify, int at, vd_bench_scene_figures *figures, vd_error *error)
{
    int least = verify->form.frames / 2;
    for (int i = 0; i < verify->track_count; i++) {
        const scene_track *track = &verify->tracks[i];
        bool through = track->seen_moments >= least;
        float answer = 0;
        if (track->listed < least)
            continue;
        figures->through[track->kind][at].of++;
        figures->through[track->kind][at].count += through;
        if (!through)
            continue;
        int code = judge_track(verify, track, &answer, error);
        if (code)
            return code;
        bool brief = span_of(verify, track) * 16 < verify->form.frames * 11;
        vd_bench_share *share = &(brief ? figures->brief : figures->passed)[track->kind][at];
        share->of++;
        share->count += answer >= SCENE_PASS;
        const scene_verdict verdict = {track->kind, (double)answer, track->confidence / track->seen_frames};
        if (!brief && keep_verdict(verify, &verdict) != VD_OK)
            return refuse_memory(error);
    }
    return VD_OK;
}
