/* The scene's world: metres, X along the road to the right, Y across it away from the camera, Z up. The
 * camera stands at the origin on a pole and looks over the road to the left; verticals stay vertical. */
#ifndef VD_SCENE_WORLD_H
#define VD_SCENE_WORLD_H

#include <stdint.h>

typedef struct vd_vec3 {
    double x, y, z;
} vd_vec3;

typedef struct vd_rgb {
    double r, g, b;
} vd_rgb;

typedef struct vd_camera {
    int width, height;       /* pixels */
    double focal, center_x;  /* pixels */
    double horizon_y;        /* pixels */
    double pole;             /* height of the lens, metres */
    double sin_yaw, cos_yaw; /* how far it looks to the left */
} vd_camera;

typedef struct vd_point {
    double x, y;  /* pixels */
    double depth; /* metres along the line of sight; positive in front of the camera */
} vd_point;

vd_camera vd_camera_make(int width, int height);
vd_point vd_camera_project(const vd_camera *camera, vd_vec3 place);

/* The point where a pixel's ray meets the vertical plane Y = y: its X, and the depth there. */
void vd_camera_meet_plane(const vd_camera *camera, double pixel_x, double y, double *ret_x,
                          double *ret_depth);

/* X on the line Y = y that is seen in column `pixel_x` of the picture. */
double vd_camera_column_x(const vd_camera *camera, double pixel_x, double y);

/* Random numbers by place, not by order: the same arguments give the same number. */
uint32_t vd_hash(uint64_t seed, int64_t a, int64_t b);
double vd_random(uint64_t seed, int64_t a, int64_t b); /* 0 to 1 */

/* Smooth noise, -1 to 1, cells of size 1; and three octaves of it. */
double vd_noise(uint32_t seed, double x, double y);
double vd_noise_octaves(uint32_t seed, double x, double y);

vd_rgb vd_rgb_hex(unsigned color);
vd_rgb vd_rgb_scale(vd_rgb color, double factor);
vd_rgb vd_rgb_mix(vd_rgb a, vd_rgb b, double share_of_b);
double vd_clamp(double value, double least, double most);
double vd_smooth(double from, double to, double value); /* 0 to 1 with soft ends */

/* Where things lie across the road, metres from the camera. */
#define VD_ROAD_PATH_NEAR 15.0 /* pavement on this side begins */
#define VD_ROAD_KERB_NEAR 17.0 /* kerb, 0.15 wide */
#define VD_ROAD_CYCLES 17.15   /* cycle lane begins */
#define VD_ROAD_LANE_NEAR 18.8 /* lane on this side begins */
#define VD_ROAD_MIDDLE 22.3    /* line in the middle */
#define VD_ROAD_EDGE_FAR 25.8  /* lane on the other side ends */
#define VD_ROAD_KERB_FAR 25.95 /* kerb there */
#define VD_ROAD_PATH_FAR 28.1  /* pavement there ends */
#define VD_ROAD_HEDGE 31.0

/* Towards the sun, length 1. */
extern const vd_vec3 VD_SUN;

#endif
