/* The demonstration: a rendered road seen from a vehicle or from a pole, with two kinds of hazard on it,
 * things that look like them and are none, other vehicles, day and night, rain; and its exact truth.
 * Deterministic from its seed. Registered as the source `demo:`. */
#ifndef VD_SCENE_SCENE_H
#define VD_SCENE_SCENE_H

#include <stddef.h>
#include <stdint.h>

#include "vedette/app/scene.h"
#include "vedette/image.h"

typedef struct vd_scene vd_scene;

int vd_scene_new(const vd_scene_options *options, vd_scene **ret_scene, vd_error *error);
void vd_scene_free(vd_scene **scene);

/* A scene lasts that long: 30 years, over which a place on the road is right to a hundredth of a millimetre.
 */
#define VD_SCENE_LONGEST_S 1e9

/* Renders frame `index` (from 0, up to VD_SCENE_LONGEST_S) into a BGRX picture of the scene's size whose rows
 * start at multiples of 4 bytes; in any order, the same picture always; frames in order are quickest. One
 * thread at a time. VD_OK, VD_EINVAL (nothing is painted) or VD_ENOMEM. */
int vd_scene_render(vd_scene *scene, int64_t index, const vd_image *image);

/* The true boxes of frame `index`: every hazard and decoy of which at least 40 % can be seen (in the picture,
 * not behind a vehicle, and with at least 0.4 of its full strength). A box is as wide and high as what is
 * painted, also where something covers a part of it. Returns how many there are, at most `room`; none for
 * frames that cannot be rendered. Any thread, also while another one renders; takes 200 kB of stack. */
size_t vd_scene_truth(const vd_scene *scene, int64_t index, vd_scene_object *ret_objects, size_t room);

/* Registers `demo:` with vd_source_register. */
int vd_scene_register(void);

#endif
