/* Renders pictures for the training of the stage-1 detector: frames of the demonstration, scaled as the
 * detector scales them, and the true boxes in them.
 *
 *   vd_samples --out PREFIX --seeds FROM:TO --frames K [--size WxH] [--input WxH]
 *
 * PREFIX.frames  K pictures a seed, each height × width × 3 bytes, RGB, of the network's input
 * PREFIX.boxes   a line a box: picture seed frame night pole kind track x1 y1 x2 y2 side; the box in pixels
 *                of the input, `side` its shorter side in pixels of the rendered frame; `kind` as
 *                vd_scene_kind counts
 * Both appear under their names when they are complete. Exit status: 0, 1 the work failed, 2 usage. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame/convert.h"
#include "scene/scene.h"
#include "scene/world.h"

enum { MOST_FRAMES = 10000, LAST_FRAME = 20000, PATH_SIZE = 4096 };
enum { NIGHT_SALT = 1, POLE_SALT = 2, FRAME_SALT = 3 };
static const double NIGHT_SHARE = 0.40, POLE_SHARE = 0.35;

typedef struct job {
    const char *prefix;
    unsigned from, to; /* seeds, `to` exclusive */
    int frames;        /* of a seed */
    vd_scene_options options;
    vd_feed feed;
    vd_image picture;
    float *tensor;
    uint8_t *bytes;
    vd_scratch scratch;
    FILE *frames_file, *boxes_file;
    long written; /* pictures */
} job;

static int say(const vd_error *error)
{
    fprintf(stderr, "vd_samples: %s\n", error->text);
    return 1;
}

static int fail(const char *text)
{
    fprintf(stderr, "vd_samples: %s\n", text);
    return 1;
}

/* Planes of floats that hold whole numbers to bytes, pixel by pixel. */
static void pack(const job *work)
{
    size_t plane = (size_t)work->feed.width * (size_t)work->feed.height;
    for (size_t i = 0; i < plane; i++)
        for (size_t c = 0; c < 3; c++)
            work->bytes[3 * i + c] = (uint8_t)lrintf(work->tensor[c * plane + i]);
}

static void write_boxes(const job *work, const vd_scene *scene, int64_t index, const vd_letterbox *fit)
{
    vd_scene_object objects[VD_SCENE_OBJECTS_MOST];
    size_t count = vd_scene_truth(scene, index, objects, VD_SCENE_OBJECTS_MOST);
    for (size_t i = 0; i < count; i++) {
        const vd_box *box = &objects[i].box;
        float side = fminf(box->x2 - box->x1, box->y2 - box->y1);
        fprintf(work->boxes_file, "%ld %u %lld %d %d %d %d %.2f %.2f %.2f %.2f %.2f\n", work->written,
                work->options.seed, (long long)index, work->options.night, work->options.from_pole,
                (int)objects[i].kind, objects[i].track_id, box->x1 * fit->scale_x + fit->left,
                box->y1 * fit->scale_y + fit->top, box->x2 * fit->scale_x + fit->left,
                box->y2 * fit->scale_y + fit->top, (double)side);
    }
}

static int write_picture(job *work, vd_scene *scene, int64_t index)
{
    vd_letterbox fit;
    size_t size = 3 * (size_t)work->feed.width * (size_t)work->feed.height;
    if (vd_scene_render(scene, index, &work->picture))
        return fail("a frame could not be rendered");
    if (vd_convert_feed(&work->picture, &work->feed, &work->scratch, work->tensor, &fit))
        return fail("a frame could not be scaled");
    pack(work);
    if (fwrite(work->bytes, 1, size, work->frames_file) != size)
        return fail("the pictures cannot be written");
    write_boxes(work, scene, index, &fit);
    work->written++;
    return 0;
}

/* Frames far apart, so that hardly an object is seen twice: one in each of K equal spans of time. */
static int write_seed(job *work, unsigned seed)
{
    vd_error error = {0};
    vd_scene *scene = NULL;
    work->options.seed = seed;
    work->options.night = vd_random(seed, NIGHT_SALT, 0) < NIGHT_SHARE;
    work->options.from_pole = vd_random(seed, POLE_SALT, 0) < POLE_SHARE;
    if (vd_scene_new(&work->options, &scene, &error))
        return say(&error);
    int status = 0;
    double span = (double)LAST_FRAME / work->frames;
    for (int i = 0; status == 0 && i < work->frames; i++)
        status = write_picture(work, scene, (int64_t)((i + vd_random(seed, FRAME_SALT, i)) * span));
    vd_scene_free(&scene);
    return status;
}

static void path_of(const job *work, const char *ending, char out[PATH_SIZE])
{
    snprintf(out, PATH_SIZE, "%s%s", work->prefix, ending);
}

static int keep(const job *work, const char *part_ending, const char *ending)
{
    char part[PATH_SIZE], whole[PATH_SIZE];
    path_of(work, part_ending, part);
    path_of(work, ending, whole);
    return rename(part, whole) == 0 ? 0 : fail("a file cannot be renamed");
}

static int write_all(job *work)
{
    char frames[PATH_SIZE], boxes[PATH_SIZE];
    path_of(work, ".frames.part", frames);
    path_of(work, ".boxes.part", boxes);
    work->frames_file = fopen(frames, "wb");
    work->boxes_file = fopen(boxes, "w");
    int status = work->frames_file && work->boxes_file ? 0 : fail("the files cannot be opened");
    for (unsigned seed = work->from; status == 0 && seed < work->to; seed++)
        status = write_seed(work, seed);
    if (work->frames_file && fclose(work->frames_file) != 0 && status == 0)
        status = fail("the pictures cannot be written");
    if (work->boxes_file && fclose(work->boxes_file) != 0 && status == 0)
        status = fail("the boxes cannot be written");
    if (status == 0)
        status = keep(work, ".boxes.part", ".boxes");
    return status ? status : keep(work, ".frames.part", ".frames");
}

static int prepare(job *work)
{
    vd_error error = {0};
    if (vd_scene_options_validate(&work->options, &error))
        return say(&error);
    size_t pixels = (size_t)work->feed.width * (size_t)work->feed.height;
    int stride = 4 * work->options.width;
    work->picture =
        (vd_image){.format = VD_PIXEL_BGRX, .width = work->options.width, .height = work->options.height};
    work->picture.strides[0] = stride;
    work->picture.planes[0] = malloc((size_t)stride * (size_t)work->options.height);
    work->tensor = malloc(3 * pixels * sizeof *work->tensor);
    work->bytes = malloc(3 * pixels);
    return work->picture.planes[0] && work->tensor && work->bytes ? 0 : fail("memory is short");
}

static int run(job *work)
{
    int status = prepare(work);
    if (status == 0)
        status = write_all(work);
    free(work->picture.planes[0]);
    free(work->tensor);
    free(work->bytes);
    vd_scratch_fini(&work->scratch);
    return status;
}

static bool read_pair(const char *text, char between, unsigned *ret_first, unsigned *ret_second)
{
    char found = 0, rest;
    return sscanf(text, "%u%c%u%c", ret_first, &found, ret_second, &rest) == 3 && found == between;
}

static bool read_size(const char *text, int *ret_width, int *ret_height)
{
    unsigned width, height;
    if (!read_pair(text, 'x', &width, &height) || width < 32 || height < 32 || width > 4096 || height > 4096)
        return false;
    *ret_width = (int)width;
    *ret_height = (int)height;
    return true;
}

static bool read_options(int argc, char **argv, job *work)
{
    static const struct option list[] = {{"out", 1, 0, 'o'},  {"seeds", 1, 0, 's'}, {"frames", 1, 0, 'f'},
                                         {"size", 1, 0, 'z'}, {"input", 1, 0, 'i'}, {0}};
    bool fine = true;
    for (int c; fine && (c = getopt_long(argc, argv, "", list, NULL)) != -1;) {
        if (c == 'o')
            work->prefix = optarg;
        else if (c == 's')
            fine = read_pair(optarg, ':', &work->from, &work->to) && work->from < work->to;
        else if (c == 'f')
            fine = (work->frames = atoi(optarg)) > 0 && work->frames <= MOST_FRAMES;
        else if (c == 'z')
            fine = read_size(optarg, &work->options.width, &work->options.height);
        else if (c == 'i')
            fine = read_size(optarg, &work->feed.width, &work->feed.height);
        else
            fine = false;
    }
    return fine && optind == argc && work->prefix && work->to > work->from && work->frames > 0 &&
           strlen(work->prefix) < PATH_SIZE - 16;
}

int main(int argc, char **argv)
{
    job work = {.options = VD_SCENE_OPTIONS_INIT,
                .feed = {.width = 384,
                         .height = 224,
                         .fit = VD_FEED_CENTRE,
                         .channels = VD_FEED_RGB,
                         .pad = 114,
                         .scale = {1, 1, 1}}};
    if (read_options(argc, argv, &work))
        return run(&work);
    fprintf(stderr, "Usage: vd_samples --out PREFIX --seeds FROM:TO --frames K [--size WxH] [--input WxH]\n");
    return 2;
}
