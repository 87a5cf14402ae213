/* The demonstration: a rendered road seen from a vehicle or from a pole, with two kinds of hazard on it,
 * things that look like them and are none, other vehicles, day and night, rain; and its exact truth.
 * Deterministic from its seed. Registered as the source `demo:`. */
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
    int hazards;    /* cracks and potholes on 100 m of road, 0 to 30, default 12; there are as many decoys
                       as hazards and a few more */
    bool night;     /* default: day */
    bool from_pole; /* `view=pole`: from a pole beside the road; default: from a vehicle on it */
    bool free_pace; /* of the source: `pace=free` renders as fast as it is asked and is not live, so nothing
                       is dropped; default: live, at its own pace */
} vd_scene_options;

#define VD_SCENE_OPTIONS_INIT                                                                                \
    {                                                                                                        \
        .width = 1280, .height = 720, .frames_per_s = 30, .seed = 1, .hazards = 12                           \
    }

/* VD_OK or VD_EINVAL with the field, its value and the range. */
int vd_scene_options_validate(const vd_scene_options *options, vd_error *error);

/* Reads `seed=7,hazards=12,size=1280x720,fps=30,night=1,view=pole,pace=live` (what stands behind `demo:`;
 * empty is fine). VD_OK or VD_EINVAL with the key, the value and the range. */
int vd_scene_parse(const char *text, vd_scene_options *options, vd_error *error);

int vd_scene_new(const vd_scene_options *options, vd_scene **ret_scene, vd_error *error);
void vd_scene_free(vd_scene **scene);

/* Renders frame `index` (from 0) into a BGRX picture of the scene's size whose rows start at multiples of 4
 * bytes; any index, any order, the same picture always; frames in order are quickest. One thread at a time.
 * VD_OK, VD_EINVAL or VD_ENOMEM. */
int vd_scene_render(vd_scene *scene, int64_t index, const vd_image *image);

/* Hazards first: their numbers are the classes of the models that are trained on the scene. */
typedef enum vd_scene_kind {
    VD_SCENE_CRACK,
    VD_SCENE_POTHOLE,
    VD_SCENE_SHADOW, /* decoys from here */
    VD_SCENE_WET,
    VD_SCENE_MANHOLE,
    VD_SCENE_SEAM,
    VD_SCENE_KINDS
} vd_scene_kind;

/* `crack`, `pothole`, `shadow`, `wet patch`, `manhole cover`, `tar seam`. Never NULL. */
const char *vd_scene_kind_name(vd_scene_kind kind);

typedef struct vd_scene_object {
    vd_scene_kind kind;
    int track_id; /* of this very object, as long as the scene runs */
    vd_box box;   /* pixels; ends at the picture's border */
} vd_scene_object;

/* The true boxes of frame `index`: every hazard and decoy of which at least 40 % can be seen (in the picture,
 * not behind a vehicle, and with at least 0.4 of its full strength). A box is as wide and high as what is
 * painted, also where something covers a part of it. Returns how many there are, at most `room`; 0 as well
 * when memory is short. Any thread. */
size_t vd_scene_truth(const vd_scene *scene, int64_t index, vd_scene_object *ret_objects, size_t room);

/* Registers `demo:` with vd_source_register. */
int vd_scene_register(void);

#endif
