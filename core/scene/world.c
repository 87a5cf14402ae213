#include "scene/world.h"

#include <math.h>

const vd_vec3 VD_SUN = {-0.45, 0.34, 0.826};

vd_point vd_camera_project(const vd_camera *camera, vd_vec3 p)
{
    double scale = camera->focal / fmax(p.x, 0.1);
    return (vd_point){camera->center_x - p.y * scale, camera->horizon_y + (camera->pole - p.z) * scale, p.x};
}

double vd_camera_ground_x(const vd_camera *camera, double pixel_y)
{
    double below = pixel_y - camera->horizon_y;
    return below > 0 ? camera->focal * camera->pole / below : INFINITY;
}

uint32_t vd_hash(uint64_t seed, int64_t a, int64_t b)
{
    uint64_t h = seed * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)a * UINT64_C(0xbf58476d1ce4e5b9) +
                 (uint64_t)b * UINT64_C(0x94d049bb133111eb) + 1;
    h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(h >> 32 ^ h);
}

double vd_random(uint64_t seed, int64_t a, int64_t b)
{
    return vd_hash(seed, a, b) / 4294967296.0;
}

double vd_random_between(uint64_t seed, int64_t a, int64_t b, double least, double most)
{
    return least + (most - least) * vd_random(seed, a, b);
}

/* Cells are numbered modulo 2^32. */
static double lattice(uint32_t seed, uint32_t x, uint32_t y)
{
    uint32_t h = seed + x * 0x27d4eb2du + y * 0x165667b1u;
    h = (h ^ h >> 15) * 0x2c1b3c6du;
    h = (h ^ h >> 12) * 0x297a2d39u;
    return (double)(int32_t)(h ^ h >> 15) / 2147483648.0;
}

double vd_noise(uint32_t seed, double x, double y)
{
    int64_t column = (int64_t)x, row = (int64_t)y;
    column -= x < (double)column;
    row -= y < (double)row;
    double u = x - (double)column, v = y - (double)row;
    uint32_t i = (uint32_t)column, j = (uint32_t)row;
    u = u * u * (3 - 2 * u);
    v = v * v * (3 - 2 * v);
    double above = lattice(seed, i, j) * (1 - u) + lattice(seed, i + 1, j) * u;
    double below = lattice(seed, i, j + 1) * (1 - u) + lattice(seed, i + 1, j + 1) * u;
    return above * (1 - v) + below * v;
}

double vd_noise_octaves(uint32_t seed, double x, double y)
{
    return 0.57 * vd_noise(seed, x, y) + 0.28 * vd_noise(seed + 1, 2.03 * x + 5.1, 2.03 * y + 1.7) +
           0.15 * vd_noise(seed + 2, 4.1 * x + 2.3, 4.1 * y + 8.9);
}

vd_rgb vd_rgb_hex(unsigned color)
{
    return (vd_rgb){(color >> 16 & 255) / 255.0, (color >> 8 & 255) / 255.0, (color & 255) / 255.0};
}

vd_rgb vd_rgb_scale(vd_rgb color, double factor)
{
    return (vd_rgb){color.r * factor, color.g * factor, color.b * factor};
}

vd_rgb vd_rgb_mix(vd_rgb a, vd_rgb b, double share_of_b)
{
    double t = share_of_b;
    return (vd_rgb){a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}

double vd_clamp(double value, double least, double most)
{
    /* Not fmin and fmax: they are calls. */
    return value < least ? least : value > most ? most : value;
}

double vd_smooth(double from, double to, double value)
{
    double t = vd_clamp((value - from) / (to - from), 0, 1);
    return t * t * (3 - 2 * t);
}
