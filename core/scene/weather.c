#include "scene/weather.h"

#include <math.h>
#include <stdlib.h>

#include "scene/grain.h"
#include "scene/lightmap.h"

/* Numbers of the choices that a seed makes. */
enum { OF_CLOUDS = 960, OF_WIND };

struct vd_weather {
    vd_layout layout;
    vd_lightmap light;
    double slant; /* of the rain: pixels to the right for one down */
    vd_grain grain;
};

int vd_weather_new(const vd_layout *layout, const vd_scene_options *options, vd_weather **ret_weather)
{
    vd_weather *weather = calloc(1, sizeof(*weather));
    if (!weather)
        return VD_ENOMEM;
    weather->layout = *layout;
    weather->slant = vd_random_between(layout->seed, OF_WIND, 0, -0.35, 0.35);
    vd_view view = vd_view_at(layout, options, 0);
    if (vd_lightmap_make(layout, &view, &weather->light) != VD_OK) {
        free(weather);
        return VD_ENOMEM;
    }
    vd_grain_fill(&weather->grain, layout->seed, layout->night ? 1.4 : 0.9);
    *ret_weather = weather;
    return VD_OK;
}

void vd_weather_free(vd_weather **weather)
{
    if (!weather || !*weather)
        return;
    vd_lightmap_clear(&(*weather)->light);
    free(*weather);
    *weather = NULL;
}

/* Clouds come and go within seconds; lamps hardly flicker. */
static double gain_at(const vd_layout *layout, double time_s)
{
    uint32_t seed = vd_hash(layout->seed, OF_CLOUDS, 0);
    double slow = vd_noise(seed, time_s / 5, 0.3) + 0.4 * vd_noise(seed + 1, time_s / 1.7, 0.3);
    return layout->night ? 0.985 + 0.01 * slow : 0.90 + 0.1 * vd_clamp(slow, -1, 1);
}

/* The small bounce of the camera moves its lamps too, so the view does not matter. */
void vd_weather_light(vd_weather *weather, double time_s, const vd_image *image)
{
    vd_lightmap_apply(&weather->light, gain_at(&weather->layout, time_s), image);
}

/* ---- rain ---- */

typedef struct streak {
    double x, y, slope; /* upper end, and pixels to the right for one down */
    int rows;
    int share_256; /* of its own light in that of the pixels */
} streak;

/* Adds a share of a falling drop's light, which is that of its surroundings. */
static inline void brighten(uint8_t *pixel, const uint8_t *light, int share_256)
{
    static const int DROP[] = {236, 230, 224};
    for (int c = 0; c < 3; c++) {
        int bright = DROP[c] * light[c] >> 8;
        pixel[c] = (uint8_t)(pixel[c] + ((bright - pixel[c]) * share_256 >> 8));
    }
}

static void draw_streak(const vd_weather *weather, const streak *s, const vd_image *image)
{
    int first = (int)fmax(ceil(s->y), 0), last = (int)fmin(s->y + s->rows, image->height);
    for (int y = first; y < last; y++) {
        double x = s->x + s->slope * (y - s->y), along = (y - s->y) / s->rows;
        int column = (int)floor(x), right = (int)(256 * (x - column));
        if (column < 0 || column + 1 >= image->width)
            continue;
        /* Fades at both ends. */
        int share = (int)(4 * along * (1 - along) * s->share_256);
        uint8_t *pixel = image->planes[0] + (size_t)y * (size_t)image->strides[0] + (size_t)column * 4;
        const uint8_t *light =
            weather->light.gain + ((size_t)y * (size_t)weather->light.width + (size_t)column) * 4;
        brighten(pixel, light, share * (256 - right) >> 8);
        brighten(pixel + 4, light, share * right >> 8);
    }
}

/* Drops near the lens are long and faint, far ones short. A moving camera sees them come from ahead. */
static void draw_rain(const vd_weather *weather, int64_t frame, const vd_image *image)
{
    double unit = fmax(image->width, image->height * 16.0 / 9) / 1280;
    double share_of_picture = image->width * (double)image->height / (1280 * 720 * unit * unit);
    int count = (int)(420 * weather->layout.rain * share_of_picture);
    uint64_t seed = vd_hash(weather->layout.seed, OF_WIND, 1);
    for (int i = 0; i < count; i++) {
        double near = vd_random(seed, frame, 4 * i), out;
        streak s = {.rows = (int)(unit * (14 + 60 * near * near)) + 2,
                    .x = vd_random(seed, frame, 4 * i + 1) * image->width,
                    .share_256 = (int)(150 - 80 * near)};
        s.y = vd_random(seed, frame, 4 * i + 2) * (image->height + s.rows) - s.rows;
        out = s.x / image->width - 0.5;
        s.slope = weather->slant + 0.05 * (vd_random(seed, frame, 4 * i + 3) - 0.5) +
                  (weather->layout.from_vehicle ? 0.7 * out : 0);
        draw_streak(weather, &s, image);
    }
}

void vd_weather_air(vd_weather *weather, int64_t frame, const vd_image *image)
{
    if (weather->layout.rain > 0)
        draw_rain(weather, frame, image);
    vd_grain_apply(&weather->grain, image, frame);
}
