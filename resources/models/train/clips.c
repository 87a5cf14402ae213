/* Renders the verifier's training data: 16-picture clips around hazards and decoys, cropped from true boxes
 * with a detector's faults by the same code that crops for verification in the program.
 *
 *   vd_clips OUT FIRST_SEED SEEDS
 *
 * writes OUT.u8 (16 × 112 × 112 bytes of grey a clip: 224 × 224 RGB reduced as the network's first step does)
 * and OUT.csv (one line a clip). */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame/convert.h"
#include "scene/scene.h"
#include "scene/world.h"
#include "verify/crop.h"

enum { FRAMES = 16, SIZE = 224, HALF = SIZE / 2, MOST_OBJECTS = 128, LEAST_SEEN = 8, LEAST_SPAN = 11 };
enum { CLIP_BYTES = FRAMES * HALF * HALF };
enum { SPAN_FRAMES = 48, MOMENTS_VEHICLE = 4, MOMENTS_POLE = 2 };
/* Numbers of the choices that a seed makes here, apart from those of the scene. */
enum { OF_SEED = 7000, OF_MOMENT, OF_OBJECT, OF_BOX };

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

struct output {
    FILE *clips, *index;
    long long hazards, decoys;
};

static void *take_memory(size_t size)
{
    void *memory = calloc(1, size);
    if (!memory) {
        fprintf(stderr, "vd_clips: no memory\n");
        exit(1);
    }
    return memory;
}

static vd_image make_picture(int width, int height)
{
    return (vd_image){.format = VD_PIXEL_BGRX,
                      .width = width,
                      .height = height,
                      .planes = {take_memory((size_t)width * (size_t)height * 4)},
                      .strides = {width * 4}};
}

/* Near enough to a normal distribution: the sum of four even ones. */
static double draw_normal(uint64_t seed, int64_t a, int64_t b)
{
    double sum = 0;
    for (int i = 0; i < 4; i++)
        sum += vd_random_between(seed, a, b * 4 + i, -1, 1);
    return sum * 0.866;
}

static vd_scene_options choose_options(uint64_t seed)
{
    vd_scene_options options = VD_SCENE_OPTIONS_INIT;
    options.seed = (unsigned)seed;
    options.from_pole = vd_random(seed, OF_SEED, 0) < 0.4;
    options.night = vd_random(seed, OF_SEED, 1) < 0.4;
    options.hazards = (int)vd_random_between(seed, OF_SEED, 2, 10, 23);
    return options;
}

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
            vd_convert_scale(full, VD_FILTER_LINEAR, scratch, picture) != VD_OK) {
            fprintf(stderr, "vd_clips: seed %llu cannot be rendered\n", (unsigned long long)moment->seed);
            exit(1);
        }
        note_truth(scene, moment, i, (double)picture->width / full->width,
                   (double)picture->height / full->height);
    }
}

/* A detector's boxes: each shakes by 4 % of its size, all are off by up to 10 % and 0.85 to 1.2 times as
 * large, and one in ten is missing. */
static size_t see_object(const struct moment *moment, const struct object *object, vd_crop_seen *ret_seen)
{
    uint64_t seed = vd_hash(moment->seed, OF_OBJECT, object->track_id * 8 + moment->number);
    double off_x = vd_random_between(seed, OF_OBJECT, 0, -0.1, 0.1),
           off_y = vd_random_between(seed, OF_OBJECT, 1, -0.1, 0.1),
           scale_x = vd_random_between(seed, OF_OBJECT, 2, 0.85, 1.2),
           scale_y = vd_random_between(seed, OF_OBJECT, 3, 0.85, 1.2);
    size_t count = 0;
    for (int i = object->first; i <= object->last; i++) {
        if (!object->is_seen[i] || (i > object->first && vd_random(seed, OF_BOX, i) < 0.1))
            continue;
        const vd_box *box = &object->boxes[i];
        double wide = box->x2 - box->x1, high = box->y2 - box->y1, shake[4];
        for (int k = 0; k < 4; k++)
            shake[k] = 0.04 * draw_normal(seed, OF_BOX + 1 + k, i);
        double x = (box->x1 + box->x2) / 2 + wide * (off_x + shake[0]);
        double y = (box->y1 + box->y2) / 2 + high * (off_y + shake[1]);
        double half_x = wide * (scale_x + shake[2]) / 2, half_y = high * (scale_y + shake[3]) / 2;
        ret_seen[count++] = (vd_crop_seen){
            (double)moment->frames[i],
            {(float)(x - half_x), (float)(y - half_y), (float)(x + half_x), (float)(y + half_y)}};
    }
    return count;
}

/* 2 × 2 pixels RGB to one of grey, with the network's own weights: 0.299 R + 0.587 G + 0.114 B. */
static void reduce_to_grey(const uint8_t *rgb, uint8_t *ret_grey)
{
    for (int y = 0; y < HALF; y++)
        for (int x = 0; x < HALF; x++) {
            const uint8_t *upper = rgb + (2 * y * SIZE + 2 * x) * 3, *lower = upper + SIZE * 3;
            int red = upper[0] + upper[3] + lower[0] + lower[3];
            int green = upper[1] + upper[4] + lower[1] + lower[4];
            int blue = upper[2] + upper[5] + lower[2] + lower[5];
            *ret_grey++ = (uint8_t)((299 * red + 587 * green + 114 * blue + 2000) / 4000);
        }
}

/* The clip of an object: from its first picture to its last one, which is repeated when they are too few. */
static void cut_clip(const struct moment *moment, const struct object *object, uint8_t *ret_clip,
                     double *ret_side)
{
    static uint8_t rgb[SIZE * SIZE * 3];
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
        exit(1);
    *ret_side = vd_crop_side(boxes, FRAMES);
    for (int i = 0; i < FRAMES; i++) {
        double x = ((double)boxes[i].x1 + boxes[i].x2) / 2, y = ((double)boxes[i].y1 + boxes[i].y2) / 2;
        if (vd_crop_take(&moment->pictures[at[i]], x, y, *ret_side, SIZE, rgb) != VD_OK)
            exit(1);
        reduce_to_grey(rgb, ret_clip + i * HALF * HALF);
    }
}

static void write_moment(const struct moment *moment, const vd_scene_options *options, struct output *output)
{
    static uint8_t clip[CLIP_BYTES];
    for (int i = 0; i < moment->count; i++) {
        const struct object *object = &moment->objects[i];
        if (object->seen < LEAST_SEEN || object->last - object->first + 1 < LEAST_SPAN)
            continue;
        double side;
        cut_clip(moment, object, clip, &side);
        int hazard = object->kind == VD_SCENE_CRACK || object->kind == VD_SCENE_POTHOLE;
        *(hazard ? &output->hazards : &output->decoys) += 1;
        const vd_box *box = &object->boxes[object->last];
        if (fwrite(clip, sizeof clip, 1, output->clips) != 1 ||
            fprintf(output->index, "%llu,%lld,%d,%s,%d,%d,%d,%d,%.1f,%.1f,%.1f\n",
                    (unsigned long long)moment->seed, (long long)moment->frames[0], object->track_id,
                    vd_scene_kind_name(object->kind), hazard, options->from_pole, options->night,
                    object->last - object->first + 1, side, box->x2 - box->x1, box->y2 - box->y1) < 0) {
            perror("vd_clips");
            exit(1);
        }
    }
}

static void render_seed(uint64_t seed, const vd_image *full, vd_scratch *scratch, struct moment *moment,
                        struct output *output)
{
    vd_scene_options options = choose_options(seed);
    vd_scene *scene;
    vd_error error = {0};
    if (vd_scene_new(&options, &scene, &error) != VD_OK) {
        fprintf(stderr, "vd_clips: %s\n", error.text);
        exit(1);
    }
    /* From a pole the same hazards lie there at every moment. */
    int moments = options.from_pole ? MOMENTS_POLE : MOMENTS_VEHICLE;
    moment->seed = seed;
    for (moment->number = 0; moment->number < moments; moment->number++) {
        render_moment(scene, full, scratch, moment);
        write_moment(moment, &options, output);
    }
    vd_scene_free(&scene);
}

static FILE *open_output(const char *stem, const char *ending)
{
    char path[4096];
    snprintf(path, sizeof path, "%s.%s", stem, ending);
    FILE *file = fopen(path, "wb");
    if (!file) {
        perror(path);
        exit(1);
    }
    return file;
}

/* A whole number of at most 32 bits. */
static int read_number(const char *text, uint64_t *ret_number)
{
    char *end;
    errno = 0;
    *ret_number = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno && *ret_number <= UINT32_MAX;
}

int main(int count, char **arguments)
{
    uint64_t first, seeds;
    if (count != 4 || !read_number(arguments[2], &first) || !read_number(arguments[3], &seeds) ||
        first + seeds > UINT32_MAX) {
        fprintf(stderr, "Usage: vd_clips OUT FIRST_SEED SEEDS\n");
        return 2;
    }
    struct output output = {open_output(arguments[1], "u8"), open_output(arguments[1], "csv"), 0, 0};
    fprintf(output.index, "seed,frame,track,kind,hazard,pole,night,pictures,side,width,height\n");
    vd_scene_options usual = VD_SCENE_OPTIONS_INIT;
    struct moment *moment = take_memory(sizeof *moment);
    vd_scratch scratch = {0};
    vd_image full = make_picture(usual.width, usual.height);
    int width, height;
    vd_crop_frame_size(usual.width, usual.height, &width, &height);
    for (int i = 0; i < FRAMES; i++)
        moment->pictures[i] = make_picture(width, height);
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        render_seed(seed, &full, &scratch, moment, &output);
        if ((seed - first + 1) % 50 == 0 || seed + 1 == first + seeds)
            fprintf(stderr, "vd_clips: %llu of %llu seeds, %lld hazards, %lld decoys\n",
                    (unsigned long long)(seed - first + 1), (unsigned long long)seeds, output.hazards,
                    output.decoys);
    }
    for (int i = 0; i < FRAMES; i++)
        free(moment->pictures[i].planes[0]);
    free(full.planes[0]);
    free(moment);
    vd_scratch_fini(&scratch);
    if (fclose(output.clips) != 0 || fclose(output.index) != 0) {
        perror("vd_clips");
        return 1;
    }
    return 0;
}
