/* Flat polygons in space: shaded by the sun, painted with cairo, and noted in a grid, so that what they hide
 * is what they were painted over. */
#ifndef VD_SCENE_PEN_H
#define VD_SCENE_PEN_H

#include <cairo.h>
#include <stdint.h>

#include "scene/world.h"

/* Square cells of 1/320 of the picture's width, or of 1/240 of its height where that is more, and a margin of
 * half the picture on both sides. 0: nothing there. */
enum { VD_GRID_COLUMNS = 640, VD_GRID_ROWS = 240, VD_GRID_PER_PICTURE = 320 };

typedef struct vd_grid {
    uint8_t cells[VD_GRID_ROWS][VD_GRID_COLUMNS];
} vd_grid;

typedef struct vd_pen {
    const vd_camera *camera;
    cairo_t *cr;             /* NULL: nothing is painted */
    vd_grid *grid;           /* NULL: nothing is noted */
    uint8_t id;              /* what the grid is filled with */
    vd_vec3 origin;          /* where the object stands, from the camera's foot */
    double ahead_x, ahead_y; /* where it looks, length 1 */
    vd_rgb haze;             /* what its colours fade to, and how far they have: 0 to 1 */
    double haze_share;
    vd_vec3 center; /* of the body that is being drawn, in its own metres: faces look away from it */
} vd_pen;

/* Cells a pixel. */
double vd_grid_scale(const vd_camera *camera);

/* What fills the cell at a place of the picture, in cells from its upper left corner; 0: nothing. */
uint8_t vd_grid_at(const vd_grid *grid, double x, double y);

/* origin is a place from the camera's foot; heading is 1 for an object that looks along X, -1 for one that
 * looks against it. */
vd_pen vd_pen_make(const vd_camera *camera, cairo_t *cr, vd_vec3 origin, double heading);

/* Turns the object into a way that runs `slope` metres to the left for each metre along X. */
void vd_pen_turn(vd_pen *pen, double slope);

/* Where the lens is, in the object's own metres. */
vd_vec3 vd_pen_eye(const vd_pen *pen);

/* A point of the object in the picture: metres ahead of its origin, to its left, up. */
vd_point vd_pen_project(const vd_pen *pen, vd_vec3 point);

typedef enum vd_face {
    VD_FACE_SOLID, /* left out when it looks away from the camera; shaded */
    VD_FACE_GLASS, /* the same, and reflects the sky above */
    VD_FACE_FLAT   /* always painted, in just this colour: lights, plates, seams */
} vd_face;

enum { VD_PEN_POINTS = 24 };

/* What is nearer to the lens than this is not painted, metres. */
#define VD_PEN_NEAR 0.3

/* A flat polygon of 3 to VD_PEN_POINTS points; cut off where it comes too near to the lens. */
void vd_pen_polygon(vd_pen *pen, vd_face face, const vd_vec3 *points, int count, vd_rgb color);

/* A rectangle between two opposite corners that lies in a plane x = const, y = const or z = const. */
void vd_pen_rectangle(vd_pen *pen, vd_face face, vd_vec3 a, vd_vec3 b, vd_rgb color);

/* A disc that stands upright along the object, seen from the side. */
void vd_pen_disc(vd_pen *pen, vd_vec3 center, double radius, vd_rgb color);

/* A round limb between two points, `thick` metres wide. */
void vd_pen_limb(vd_pen *pen, vd_vec3 a, vd_vec3 b, double thick, vd_rgb color);

/* A soft shadow on the ground under a rectangle of the object: from x1 to x2, half_width to both sides, of a
 * body that is `height` high. It stays close to the body, so that it is nothing by itself. Not noted in the
 * grid. */
void vd_pen_shadow(vd_pen *pen, double x1, double x2, double half_width, double height);

#endif
