/* The demonstration's rendered road as our programs use it: its options, what lies on it, and clips of it
 * with their exact truth. As a source it is `demo:`. */
#ifndef VEDETTE_APP_SCENE_H
#define VEDETTE_APP_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/cancel.h"
#include "vedette/detection.h"
#include "vedette/error.h"

typedef struct vd_scene_options {
    int width, height;   /* pixels, 64 to 3840, default 1280 × 720 */
    double frames_per_s; /* 1 to 120, default 30 */
    unsigned seed;       /* default 16 */
    int hazards;    /* cracks and potholes on 100 m of road, 0 to 30, default 12; there are as many decoys
                       as hazards and a few more */
    bool night;     /* default: day */
    bool from_pole; /* `view=pole`: from a pole beside the road; default: from a vehicle on it */
    bool free_pace; /* of the source: `pace=free` renders as fast as it is asked and is not live, so nothing
                       is dropped; default: live, at its own pace */
} vd_scene_options;

#define VD_SCENE_OPTIONS_INIT                                                                                \
    {                                                                                                        \
        .width = 1280, .height = 720, .frames_per_s = 30, .seed = 16, .hazards = 12                          \
    }

/* VD_OK or VD_EINVAL with the field, its value and the range. */
int vd_scene_options_validate(const vd_scene_options *options, vd_error *error);

/* Reads `seed=7,hazards=12,size=1280x720,fps=30,night=1,view=pole,pace=live` (what stands behind `demo:`;
 * empty is fine) over what `options` holds; untouched on failure. VD_OK or VD_EINVAL with the key, the value
 * and the range. */
int vd_scene_parse(const char *text, vd_scene_options *options, vd_error *error);

enum { VD_SCENE_ADDRESS = 128 };

/* The address that opens this very scene: `demo:` the seed, and what else differs from the defaults; without
 * the pace. */
void vd_scene_address(const vd_scene_options *options, char out[static VD_SCENE_ADDRESS]);

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

enum { VD_SCENE_OBJECTS_MOST = 64 }; /* in one frame */

/* Takes the truth of a frame that has been written, hazards and decoys mixed; lengths and pointers are good
 * until it returns. Anything but VD_OK ends the clip with that code; the caller knows why. */
typedef int (*vd_scene_truth_taker)(void *context, int64_t frame, double time_s,
                                    const vd_scene_object *objects, size_t count);

typedef struct vd_scene_clip {
    vd_scene_options scene; /* even sides: H.264 in 4:2:0 has no others */
    const char *path;       /* a new file, see vd_encoder_open */
    int64_t frames;         /* at least 1 */
    int quality; /* x264's constant rate factor, 10 to 40, default 18: what is 12 pixels high survives */
    vd_cancel *cancel; /* NULL or asked before every frame but the first: the file ends properly */
    vd_scene_truth_taker take_truth; /* NULL: the truth is not worked out */
    void *context;
} vd_scene_clip;

#define VD_SCENE_CLIP_INIT                                                                                   \
    {                                                                                                        \
        .scene = VD_SCENE_OPTIONS_INIT, .quality = 18                                                        \
    }

/* Renders the scene into a new H.264 file, which plays whatever happens after its first fragment. On the
 * caller's thread. VD_OK, VD_ECANCELED (the file is whole up to there), VD_EINVAL, VD_EIO, VD_ENOMEM,
 * VD_EUNSUPPORTED, or what `take_truth` returned. */
int vd_scene_write_clip(const vd_scene_clip *clip, vd_error *error);

#endif
