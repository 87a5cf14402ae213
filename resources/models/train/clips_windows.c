/* Pictures over 1.6 s at some moments of a scene, and clips of all that is in sight for most of that time. */
#include <math.h>
#include <stdlib.h>

#include "clips.h"
#include "frame/convert.h"
#include "scene/world.h"
#include "verify/crop.h"

enum { FRAMES = CLIP_FRAMES, MOST_OBJECTS = 128, LEAST_SEEN = 8, LEAST_SPAN = 11 };
enum { SPAN_FRAMES = 48, MOMENTS_VEHICLE = 4, MOMENTS_POLE = 2 };

/* An object as the truth lists it over a clip. */
struct object {
    vd_scene_kind kind;
    int track_id, seen, first, last; /* pictures of the clip */
    int is_seen[FRAMES];
    vd_box boxes[FRAMES]; /* pixels of the reduced frame */
};

/* A moment of a scene: pictures over 1.6 s, and what is in them. */
struct moment {
    uint64_t seed;
    int number;
    int64_t frames[FRAMES];
    vd_image pictures[FRAMES]; /* reduced */
    struct object objects[MOST_OBJECTS];
    int count;
};

static struct object *find_object(struct moment *moment, const vd_scene_object *truth)
{
    for (int i = 0; i < moment->count; i++)
        if (moment->objects[i].track_id == truth->track_id && moment->objects[i].kind == truth->kind)
            return &moment->objects[i];
    if (moment->count == MOST_OBJECTS)
        return NULL;
    struct object *object = &moment->objects[moment->count++];
    *object = (struct object){.kind = truth->kind, .track_id = truth->track_id, .first = FRAMES};
    return object;
}

static void note_truth(const vd_scene *scene, struct moment *moment, int at, double scale_x, double scale_y)
{
    vd_scene_object truth[VD_SCENE_OBJECTS_MOST];
    size_t count = vd_scene_truth(scene, moment->frames[at], truth, VD_SCENE_OBJECTS_MOST);
    for (size_t i = 0; i < count; i++) {
        struct object *object = find_object(moment, &truth[i]);
        if (!object)
            continue;
        const vd_box *box = &truth[i].box;
        object->boxes[at] = (vd_box){(float)(box->x1 * scale_x), (float)(box->y1 * scale_y),
                                     (float)(box->x2 * scale_x), (float)(box->y2 * scale_y)};
        object->is_seen[at] = 1;
        object->seen++;
        object->first = object->first < at ? object->first : at;
        object->last = at;
    }
}

/* Renders the moment's pictures, and reduces them as the program keeps them. */
static void render_moment(vd_scene *scene, const vd_image *full, vd_scratch *scratch, struct moment *moment)
{
    int64_t start = (int64_t)vd_random_between(moment->seed, OF_MOMENT, moment->number, 0, 900);
    moment->count = 0;
    for (int i = 0; i < FRAMES; i++) {
        vd_image *picture = &moment->pictures[i];
        moment->frames[i] = start + lround((double)i * SPAN_FRAMES / (FRAMES - 1));
        if (vd_scene_render(scene, moment->frames[i], full) != VD_OK ||
            vd_convert_scale(full, VD_FILTER_LINEAR, scratch, picture) != VD_OK)
            clip_fail(moment->seed, "it cannot be rendered");
        note_truth(scene, moment, i, (double)picture->width / full->width,
                   (double)picture->height / full->height);
    }
}

/* A detector's boxes; one in ten is missing. */
static size_t see_object(const struct moment *moment, const struct object *object, vd_crop_seen *ret_seen)
{
    uint64_t seed = vd_hash(moment->seed, OF_OBJECT, object->track_id * 8 + moment->number);
    size_t count = 0;
    for (int i = object->first; i <= object->last; i++)
        if (object->is_seen[i] && (i == object->first || vd_random(seed, OF_BOX, i) >= 0.1))
            ret_seen[count++] =
                (vd_crop_seen){(double)moment->frames[i], clip_shake(seed, i, &object->boxes[i])};
    return count;
}

/* The clip of an object: from its first picture to its last one, which is repeated when they are too few. */
static void cut_clip(const struct moment *moment, const struct object *object, uint8_t *ret_clip,
                     double *ret_side)
{
    static uint8_t rgb[CLIP_RGB];
    vd_crop_seen seen[FRAMES];
    vd_box boxes[FRAMES];
    double times[FRAMES];
    int at[FRAMES];
    for (int i = 0; i < FRAMES; i++) {
        at[i] = object->first + i < object->last ? object->first + i : object->last;
        times[i] = (double)moment->frames[at[i]];
    }
    size_t count = see_object(moment, object, seen);
    if (vd_crop_path(seen, count, times, FRAMES, boxes) != VD_OK)
        clip_fail(moment->seed, "no clip can be cut");
    *ret_side = vd_crop_side(boxes, FRAMES);
    for (int i = 0; i < FRAMES; i++) {
        double x = ((double)boxes[i].x1 + boxes[i].x2) / 2, y = ((double)boxes[i].y1 + boxes[i].y2) / 2;
        if (vd_crop_take(&moment->pictures[at[i]], x, y, *ret_side, CLIP_SIZE, rgb) != VD_OK)
            clip_fail(moment->seed, "no clip can be cut");
        clip_to_grey(rgb, ret_clip + i * CLIP_GREY);
    }
}

static void write_moment(const struct moment *moment, const vd_scene_options *options, clip_output *output)
{
    static uint8_t clip[CLIP_FRAMES * CLIP_GREY];
    for (int i = 0; i < moment->count; i++) {
        const struct object *object = &moment->objects[i];
        if (object->seen < LEAST_SEEN || object->last - object->first + 1 < LEAST_SPAN)
            continue;
        clip_line line = {.seed = moment->seed,
                          .frame = moment->frames[0],
                          .track_id = object->track_id,
                          .kind = object->kind,
                          .pictures = object->last - object->first + 1,
                          .box = object->boxes[object->last]};
        cut_clip(moment, object, clip, &line.side);
        clip_output_write(output, options, &line, clip);
    }
}

void clip_windows(vd_scene *scene, const vd_scene_options *options, vd_frame *frame, clip_output *output)
{
    int width, height;
    vd_scratch scratch = {0};
    struct moment *moment = calloc(1, sizeof *moment);
    vd_frame_pool *pool = NULL;
    vd_frame *reduced[FRAMES];
    vd_crop_frame_size(options->width, options->height, &width, &height);
    if (!moment || vd_frame_pool_new(VD_PIXEL_BGRX, width, height, FRAMES, &pool) != VD_OK)
        clip_fail(options->seed, "there is no memory");
    for (int i = 0; i < FRAMES; i++) {
        if (vd_frame_pool_take(pool, &reduced[i]) != VD_OK)
            clip_fail(options->seed, "there is no memory");
        moment->pictures[i] = reduced[i]->image;
    }
    /* From a pole the same hazards lie there at every moment. */
    int moments = options->from_pole ? MOMENTS_POLE : MOMENTS_VEHICLE;
    moment->seed = options->seed;
    for (moment->number = 0; moment->number < moments; moment->number++) {
        render_moment(scene, &frame->image, &scratch, moment);
        write_moment(moment, options, output);
    }
    for (int i = 0; i < FRAMES; i++)
        vd_frame_unref(&reduced[i]);
    vd_frame_pool_free(&pool);
    vd_scratch_fini(&scratch);
    free(moment);
}
