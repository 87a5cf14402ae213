/* Who drives where: a pure function of time. */
#ifndef VD_SCENE_TRAFFIC_H
#define VD_SCENE_TRAFFIC_H

#include <cairo.h>
#include <stddef.h>

#include "scene/vehicle.h"
#include "scene/view.h"

typedef struct vd_traveller {
    vd_vehicle_kind kind;
    unsigned paint;
    int track_id;
    double s, d;     /* its middle, metres */
    double slope;    /* of its way across the road: metres to the left for each metre of s */
    double heading;  /* 1: along the road, -1: against it */
    double driven_m; /* how far its wheels have rolled */
    double depth;    /* of its nearest part: metres ahead of the lens */
} vd_traveller;

enum { VD_TRAFFIC_MOST = 24 };

/* Everybody who may be in the picture at `time_s`, farthest first; a pure function. ret_travellers has room
 * for VD_TRAFFIC_MOST. */
size_t vd_traffic_at(const vd_layout *layout, const vd_view *view, double time_s,
                     vd_traveller *ret_travellers);

/* Paints them and their shadows, as in daylight. */
void vd_traffic_paint(const vd_layout *layout, const vd_view *view, const vd_traveller *travellers,
                      size_t count, cairo_t *cr);

/* Their lamps, which the night does not darken; nothing by day. */
void vd_traffic_paint_lamps(const vd_layout *layout, const vd_view *view, const vd_traveller *travellers,
                            size_t count, cairo_t *cr);

/* Fills the cells that they cover; ids are their index + 1. */
void vd_traffic_cover(const vd_layout *layout, const vd_view *view, const vd_traveller *travellers,
                      size_t count, vd_grid *grid);

#endif
