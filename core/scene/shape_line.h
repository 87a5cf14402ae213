/* Lines of varying width on a shape: cracks, twigs, tar. Part of shape.c. */
#ifndef VD_SCENE_SHAPE_LINE_H
#define VD_SCENE_SHAPE_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "scene/shape.h"

enum { VD_LINE_NODES = 320 };

/* A node of a line, metres from the shape's middle; `half` is half of the line's width there. */
typedef struct vd_line_node {
    double s, d, half;
    bool first; /* nothing leads here from the node before */
} vd_line_node;

typedef struct vd_lines {
    vd_line_node nodes[VD_LINE_NODES];
    int count;
} vd_lines;

/* The lines of a VD_SHAPE_BRANCH or a VD_SHAPE_SEAM; they fill length × width metres exactly. */
void vd_lines_make(vd_shape_form form, uint64_t seed, double length, double width, vd_lines *ret_lines);

/* The convex hull, at most VD_SHAPE_OUTLINE points (Andrew's monotone chain). Returns how many. */
int vd_lines_hull(const vd_lines *lines, vd_shape_point *ret_points);

/* How far inside the lines each texel lies, metres, negative outside: the greatest over all segments, in
 * `columns` × `rows` floats that start at -1. No farther than `soft` metres outside is looked at. */
void vd_lines_reach(const vd_lines *lines, double soft, double per_m, int columns, int rows, float *reach);

#endif
