/* What lies on the road or seems to: cracks and potholes, and the decoys that are none: where each is at a
 * moment, how strong, and how it is painted. */
#ifndef VD_SCENE_MARKS_H
#define VD_SCENE_MARKS_H

#include <stddef.h>

#include "scene/shape.h"
#include "scene/view.h"

typedef struct vd_mark {
    vd_scene_kind kind;
    vd_shape_form form;
    int track_id;
    uint64_t key;         /* seed of its shape: one for each mark */
    double s, d;          /* its middle at this moment, metres */
    double length, width; /* along s and d, metres */
    double strength;      /* 0 not to be seen to 1 */
} vd_mark;

enum { VD_MARKS_MOST = 64 };

/* All marks that may be in the picture at `time_s`, nearest last, strength 0 ones left out. A pure function.
 *
 * Hazards, manhole covers and seams lie still. Shadows slide over the road at 1.5 to 6 m/s, in lanes of their
 * own, so that none passes over anything else. Wet patches lie still, strong most of the time, and drop to
 * almost nothing with a period of 0.8 to 1.4 s. A mark grows from nothing to full strength while its shorter
 * side in the picture grows from 12 to 16 pixels (of a picture 1280 wide; in proportion for others).
 * ret_marks has room for VD_MARKS_MOST. */
size_t vd_marks_at(const vd_layout *layout, const vd_view *view, double time_s, vd_mark *ret_marks);

typedef struct vd_marks vd_marks; /* the shapes that were painted lately */

int vd_marks_new(const vd_layout *layout, const vd_scene_options *options, vd_marks **ret_marks);
void vd_marks_free(vd_marks **marks);

/* Multiplies them into a BGRX picture. VD_OK or VD_ENOMEM. */
int vd_marks_paint(vd_marks *marks, const vd_view *view, const vd_mark *list, size_t count,
                   const vd_image *image);

/* The border of a mark in the picture, which encloses all that is visibly painted. Returns the number of
 * points, 3 to VD_SHAPE_OUTLINE. A pure function. */
int vd_marks_outline(const vd_view *view, const vd_mark *mark, vd_point *ret_points);

#endif
