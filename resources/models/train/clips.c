/* Renders the verifier's training data: 16-picture clips around hazards and decoys, cropped from true boxes
 * with a detector's faults by the same code that crops for verification in the program.
 *
 *   vd_clips windows|tracks OUT FIRST_SEED SEEDS
 *
 * writes OUT.u8 (16 × 112 × 112 bytes of grey a clip: 224 × 224 RGB reduced as the network's first step does)
 * and OUT.csv (one line a clip). Windows: of all that is in sight over most of 1.6 s. Tracks: the first 1.6 s
 * of every track, or all of a shorter one, cut as a camera does. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clips.h"
#include "scene/world.h"

static const struct kind {
    const char *name;
    void (*cut)(vd_scene *scene, const vd_scene_options *options, vd_frame *frame, clip_output *output);
    double hazards[2]; /* of a scene; a second of a road that is full has more tracks that begin */
} kinds[] = {{"windows", clip_windows, {10, 23}}, {"tracks", clip_follow, {16, 31}}};

static vd_scene_options choose_options(const struct kind *kind, uint64_t seed)
{
    vd_scene_options options = VD_SCENE_OPTIONS_INIT;
    options.seed = (unsigned)seed;
    options.from_pole = vd_random(seed, OF_SEED, 0) < 0.4;
    options.night = vd_random(seed, OF_SEED, 1) < 0.4;
    options.hazards = (int)vd_random_between(seed, OF_SEED, 2, kind->hazards[0], kind->hazards[1]);
    return options;
}

static void cut_seed(const struct kind *kind, uint64_t seed, vd_frame *frame, clip_output *output)
{
    vd_scene_options options = choose_options(kind, seed);
    vd_scene *scene;
    vd_error error = {0};
    if (vd_scene_new(&options, &scene, &error) != VD_OK)
        clip_fail(seed, error.text);
    kind->cut(scene, &options, frame, output);
    vd_scene_free(&scene);
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
    const struct kind *kind = NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && count > 1; i++)
        kind = strcmp(arguments[1], kinds[i].name) == 0 ? &kinds[i] : kind;
    if (!kind || count != 5 || !read_number(arguments[3], &first) || !read_number(arguments[4], &seeds) ||
        first + seeds > UINT32_MAX) {
        fprintf(stderr, "Usage: vd_clips windows|tracks OUT FIRST_SEED SEEDS\n");
        return 2;
    }
    const vd_scene_options usual = VD_SCENE_OPTIONS_INIT;
    clip_output output;
    vd_frame_pool *pool = NULL;
    vd_frame *frame = NULL;
    if (vd_frame_pool_new(VD_PIXEL_BGRX, usual.width, usual.height, 1, &pool) != VD_OK ||
        vd_frame_pool_take(pool, &frame) != VD_OK)
        clip_fail(first, "there is no memory");
    clip_output_open(arguments[2], &output);
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        cut_seed(kind, seed, frame, &output);
        if ((seed - first + 1) % 50 == 0 || seed + 1 == first + seeds)
            fprintf(stderr, "vd_clips: %llu of %llu seeds, %lld hazards, %lld decoys\n",
                    (unsigned long long)(seed - first + 1), (unsigned long long)seeds, output.hazards,
                    output.decoys);
    }
    clip_output_close(&output);
    vd_frame_unref(&frame);
    vd_frame_pool_free(&pool);
    return 0;
}
