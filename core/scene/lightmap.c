/* The light is computed at every few pixels and filled in between, with the rounding scattered so that dark
 * skies show no bands. Applied in whole numbers, written so that the compiler makes vectors of it. */
#include "scene/lightmap.h"

#include <math.h>
#include <stdlib.h>

#include "vedette/error.h"

/* Points of the coarse map: CELLS + 1 across, as dense downwards. */
enum { CELLS = 160 };

static vd_rgb day_light(const vd_layout *layout)
{
    double rain = layout->rain;
    return (vd_rgb){1 - 0.14 * rain, 1 - 0.12 * rain, 1 - 0.09 * rain};
}

/* Light of a pair of dipped headlights on the ground at (x, y) before the camera: they stand a little before
 * it and lower. A broad flood over both lanes and a brighter middle. */
static double headlights(double x, double y)
{
    double near = vd_smooth(1.2, 4.2, x), far = 1 / (1 + pow(x / 21, 4)), sum = 0;
    for (int side = -1; side <= 1; side += 2) {
        double off = y - 0.62 * side;
        double flood = off / (2.8 + 0.44 * x), middle = off / (0.9 + 0.12 * x);
        sum += 0.30 / (1 + flood * flood * flood * flood) + 0.11 * exp(-middle * middle);
    }
    /* Farther, only what stands upright or lies in the beam's long tail. */
    return near * (sum * far + 0.07 * exp(-x / 40));
}

static double street_lamp(double x, double y)
{
    double u = (x - 13) / 12, v = (y - 0.5) / 8.5, r2 = u * u + v * v;
    return 0.84 / (1 + 0.75 * r2 + 0.35 * r2 * r2);
}

static vd_rgb night_light(const vd_layout *layout, const vd_view *view, double pixel_x, double pixel_y)
{
    const vd_rgb ambient = {0.095, 0.115, 0.165}, beam = {1.0, 0.97, 0.90}, warm = {1.0, 0.86, 0.64};
    double x = fmin(vd_camera_ground_x(&view->camera, pixel_y), 1000);
    double y = (view->camera.center_x - pixel_x) * x / view->camera.focal;
    bool vehicle = layout->from_vehicle;
    /* A street lamp stands over the road's middle, not over the camera. */
    double lamp = vehicle ? headlights(x, y) : street_lamp(x, y + view->d);
    double dim = 1 - 0.12 * layout->rain;
    vd_rgb color = vehicle ? beam : warm;
    vd_rgb at = ambient;
    if (x >= 1000) /* the sky */
        at = vd_rgb_scale(at, 0.62);
    return (vd_rgb){at.r + dim * lamp * color.r, at.g + dim * lamp * color.g, at.b + dim * lamp * color.b};
}

static vd_rgb light_at(const vd_layout *layout, const vd_view *view, double x, double y)
{
    double u = x / view->camera.width - 0.5, v = y / view->camera.height - 0.5;
    double corners = 1 - (layout->night ? 0.2 : 0.26) * (u * u + v * v);
    vd_rgb light = layout->night ? night_light(layout, view, x, y) : day_light(layout);
    return vd_rgb_scale(light, corners);
}

/* One row between two rows of coarse points; values are 16 bits and fractions. */
static void fill_row(const float *above, const float *below, float down, int step, int width, uint32_t *noise,
                     uint8_t *row)
{
    for (int x = 0; x < width; x++) {
        int cell = x / step * 3;
        float right = (float)(x % step) / (float)step;
        *noise = *noise * 1664525u + 1013904223u;
        float round = (float)(*noise >> 8) / 16777216.0f;
        for (int c = 0; c < 3; c++) {
            float a = above[cell + c] + (above[cell + 3 + c] - above[cell + c]) * right;
            float b = below[cell + c] + (below[cell + 3 + c] - below[cell + c]) * right;
            row[4 * x + c] = (uint8_t)fminf(a + (b - a) * down + round, 255);
        }
        row[4 * x + 3] = 255;
    }
}

int vd_lightmap_make(const vd_layout *layout, const vd_view *view, vd_lightmap *ret_map)
{
    int width = view->camera.width, height = view->camera.height;
    int step = (width + CELLS - 1) / CELLS, columns = width / step + 2, rows = height / step + 2;
    vd_lightmap map = {.width = width, .height = height};
    map.gain = malloc((size_t)width * (size_t)height * 4);
    float *coarse = malloc((size_t)columns * (size_t)rows * 3 * sizeof(*coarse));
    if (!map.gain || !coarse) {
        free(map.gain);
        free(coarse);
        return VD_ENOMEM;
    }
    for (int j = 0; j < rows; j++)
        for (int i = 0; i < columns; i++) {
            vd_rgb light = light_at(layout, view, i * step, j * step);
            float *at = coarse + 3 * ((size_t)j * (size_t)columns + (size_t)i);
            at[0] = (float)vd_clamp(255 * light.b, 0, 255);
            at[1] = (float)vd_clamp(255 * light.g, 0, 255);
            at[2] = (float)vd_clamp(255 * light.r, 0, 255);
        }
    uint32_t noise = layout->seed;
    for (int y = 0; y < height; y++) {
        const float *above = coarse + 3 * (size_t)(y / step) * (size_t)columns;
        fill_row(above, above + 3 * (size_t)columns, (float)(y % step) / (float)step, step, width, &noise,
                 map.gain + (size_t)y * (size_t)width * 4);
    }
    free(coarse);
    *ret_map = map;
    return VD_OK;
}

void vd_lightmap_clear(vd_lightmap *map)
{
    free(map->gain);
    map->gain = NULL;
}

/* ThreadSanitizer would look at every byte, 50 times as slowly. 255 · 255 + 255 is the most that 16 bits have
 * to hold, and 255 times 256 + 128 as well. */
__attribute__((no_sanitize("thread"))) static void
apply_row(uint8_t *restrict row, const uint8_t *restrict map, int bytes, uint16_t gain_256)
{
    for (int i = 0; i < bytes; i++) {
        uint16_t value = (uint16_t)((uint16_t)(row[i] * map[i] + 255) >> 8);
        row[i] = (uint8_t)((uint16_t)(value * gain_256 + 128) >> 8);
    }
}

void vd_lightmap_apply(const vd_lightmap *map, double gain, const vd_image *image)
{
    uint16_t gain_256 = (uint16_t)lround(vd_clamp(gain, 0, 1) * 256);
    for (int y = 0; y < map->height; y++)
        apply_row(image->planes[0] + (size_t)y * (size_t)image->strides[0],
                  map->gain + (size_t)y * (size_t)map->width * 4, 4 * map->width, gain_256);
}
