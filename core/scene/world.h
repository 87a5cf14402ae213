/* The scene's world, seen from above the road. A place on the road is (s, d): metres along the road and
 * metres to the left of its middle; z is the height above it. What is drawn lies relative to the camera's
 * foot: X ahead, Y to the left, Z up. The camera looks along X without tilt or yaw: verticals stay vertical,
 * every row of the picture below the horizon shows one X, and its steep view of the road comes from a horizon
 * near or above the picture's upper border (a shifted lens). */
#ifndef VD_SCENE_WORLD_H
#define VD_SCENE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

typedef struct vd_vec3 {
    double x, y, z;
} vd_vec3;

typedef struct vd_rgb {
    double r, g, b;
} vd_rgb;

typedef struct vd_camera {
    int width, height;      /* pixels */
    double focal, center_x; /* pixels */
    double horizon_y;       /* pixels from the picture's upper border, may be negative */
    double pole;            /* height of the lens, metres */
} vd_camera;

typedef struct vd_point {
    double x, y;  /* pixels */
    double depth; /* metres along the line of sight; positive in front of the camera */
} vd_point;

vd_point vd_camera_project(const vd_camera *camera, vd_vec3 place);

/* How far ahead the ground lies that is seen at the height `pixel_y`; INFINITY at the horizon and above. */
double vd_camera_ground_x(const vd_camera *camera, double pixel_y);

/* Random numbers by place, not by order: the same arguments give the same number. */
uint32_t vd_hash(uint64_t seed, int64_t a, int64_t b);
double vd_random(uint64_t seed, int64_t a, int64_t b); /* 0 to 1 */
double vd_random_between(uint64_t seed, int64_t a, int64_t b, double least, double most);

/* Smooth noise, -1 to 1, cells of size 1; and three octaves of it. Places as far as 10^17 from 0. */
double vd_noise(uint32_t seed, double x, double y);
double vd_noise_octaves(uint32_t seed, double x, double y);

vd_rgb vd_rgb_hex(unsigned color);
vd_rgb vd_rgb_scale(vd_rgb color, double factor);
vd_rgb vd_rgb_mix(vd_rgb a, vd_rgb b, double share_of_b);
double vd_clamp(double value, double least, double most);
double vd_smooth(double from, double to, double value); /* 0 to 1 with soft ends */

/* Towards the sun, length 1. */
extern const vd_vec3 VD_SUN;

#endif
