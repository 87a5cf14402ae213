/* The demonstration: a rendered road seen from a fixed pole, with vehicles moving along it, and its exact
 * truth. Deterministic from its seed. Registered as the source `demo:`. */
#ifndef VD_SCENE_SCENE_H
#define VD_SCENE_SCENE_H

#include <stdbool.h>
#include <stddef.h>

#include "vedette/detection.h"
#include "vedette/image.h"

typedef struct vd_scene vd_scene;

typedef struct vd_scene_options {
    int width, height;   /* pixels, 64 to 3840, default 1280 × 720 */
    double frames_per_s; /* 1 to 120, default 30 */
    unsigned seed;       /* default 1 */
    bool free_pace; /* of the source: `pace=free` renders as fast as it is asked and is not live, so nothing
                       is dropped; default: live, at its own pace */
} vd_scene_options;

#define VD_SCENE_OPTIONS_INIT                                                                                \
    {                                                                                                        \
        .width = 1280, .height = 720, .frames_per_s = 30, .seed = 1                                          \
    }

/* VD_OK or VD_EINVAL with the field, its value and the range. */
int vd_scene_options_validate(const vd_scene_options *options, vd_error *error);

/* Reads `seed=7,size=1280x720,fps=30,pace=live` (what stands behind `demo:`; empty is fine).
 * VD_OK or VD_EINVAL with the key, the value and the range. */
int vd_scene_parse(const char *text, vd_scene_options *options, vd_error *error);

int vd_scene_new(const vd_scene_options *options, vd_scene **ret_scene, vd_error *error);
void vd_scene_free(vd_scene **scene);

/* Renders frame `index` (from 0) into a BGRX picture of the scene's size whose rows start at multiples of 4
 * bytes; any index, any order, the same picture always. One thread at a time. VD_OK, VD_EINVAL or VD_ENOMEM.
 */
int vd_scene_render(vd_scene *scene, int64_t index, const vd_image *image);

/* The true boxes of frame `index`: vehicles of which at least 40 % can be seen (in the picture, and behind
 * neither a nearer one nor the thicket at its left border), with track ids. A box is as wide and high as the
 * vehicle was painted, its shadow left out, also where something covers a part of it; it ends at the
 * picture's border. Returns how many there are, at most `room`. Any thread. */
size_t vd_scene_truth(const vd_scene *scene, int64_t index, vd_detection *ret_boxes, size_t room);

/* Registers `demo:` with vd_source_register. */
int vd_scene_register(void);

#endif
