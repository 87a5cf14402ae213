#include "scene/view.h"

#include <math.h>

/* Numbers of the choices that a seed makes, apart from each other. */
enum { OF_LAYOUT = 900, OF_CAMERA, OF_RIDE };

vd_layout vd_layout_make(const vd_scene_options *options)
{
    uint64_t seed = options->seed;
    double light = vd_random_between(seed, OF_LAYOUT, 0, 0.36, 0.52),
           warm = vd_random(seed, OF_LAYOUT, 1) - 0.4;
    double rain = vd_random(seed, OF_LAYOUT, 2);
    vd_layout layout = {
        .seed = options->seed,
        .from_vehicle = !options->from_pole,
        .night = options->night,
        .rain = rain < 0.72 ? 0 : vd_random_between(seed, OF_LAYOUT, 3, 0.3, 1),
        .half_width = vd_random_between(seed, OF_LAYOUT, 4, 4.2, 5.2),
        .lane = vd_random_between(seed, OF_LAYOUT, 5, 1.7, 1.9),
        .speed = options->from_pole ? 0 : vd_random_between(seed, OF_LAYOUT, 6, 5, 7),
        .hazards_per_m = options->hazards / 100.0,
        .asphalt = {light * (1 + 0.05 * warm), light * (1 + 0.01 * warm), light * (1 - 0.05 * warm)},
        .haze_from = options->from_pole ? 40 : 22,
        .haze_to = options->from_pole ? 110 : 60,
    };
    vd_rgb fair = {0.80, 0.86, 0.92}, grey = {0.72, 0.74, 0.76};
    layout.haze = vd_rgb_mix(fair, grey, layout.rain > 0 ? 1 : vd_random(seed, OF_LAYOUT, 7));
    return layout;
}

/* The steeper the view, the larger what lies far away: horizon near the upper border from a vehicle, above it
 * from a pole. */
static vd_camera make_camera(const vd_scene_options *options)
{
    double wide = fmax(options->width, options->height * 16.0 / 9);
    bool pole = options->from_pole;
    vd_camera camera = {.width = options->width,
                        .height = options->height,
                        .focal = (pole ? 0.92 : 0.80) * wide,
                        .center_x = options->width / 2.0};
    double rise = pole ? vd_random_between(options->seed, OF_CAMERA, 0, 0.44, 0.52)
                       : vd_random_between(options->seed, OF_CAMERA, 0, 0.235, 0.265);
    camera.horizon_y = options->height / 2.0 - rise * wide;
    camera.pole = pole ? vd_random_between(options->seed, OF_CAMERA, 1, 5.8, 7)
                       : vd_random_between(options->seed, OF_CAMERA, 1, 2.7, 3.2);
    return camera;
}

static double sway(const vd_layout *layout, int which, double time_s)
{
    return vd_noise(vd_hash(layout->seed, OF_RIDE, which), time_s, 0.5);
}

vd_view vd_view_at(const vd_layout *layout, const vd_scene_options *options, double time_s)
{
    vd_view view = {.camera = make_camera(options)};
    double bend = vd_random_between(layout->seed, OF_CAMERA, 2, -1, 1);
    if (!layout->from_vehicle) {
        view.d = vd_random_between(layout->seed, OF_CAMERA, 3, -0.35, 0.35) * layout->half_width;
        view.curve = bend / 160;
        return view;
    }
    double start = vd_random_between(layout->seed, OF_CAMERA, 4, 0, 400);
    view.s = start + layout->speed * time_s + 0.8 * sway(layout, 0, time_s / 6);
    view.d = -layout->lane + 0.3 * sway(layout, 1, time_s / 3);
    view.curve = sin(view.s / 45 + 3 * bend) / 220;
    /* Springs: a slow pitch and a small quick one. */
    view.camera.horizon_y +=
        (0.0022 * sway(layout, 2, time_s * 1.3) + 0.0008 * sway(layout, 3, time_s * 6)) * view.camera.focal;
    return view;
}

vd_vec3 vd_view_place(const vd_view *view, double s, double d, double z)
{
    double x = s - view->s;
    return (vd_vec3){x, d - view->d + view->curve * x * x / 2, z};
}

vd_point vd_view_project(const vd_view *view, double s, double d, double z)
{
    return vd_camera_project(&view->camera, vd_view_place(view, s, d, z));
}

double vd_view_row(const vd_view *view, double x_ahead, double pixel_x, double *ret_step)
{
    *ret_step = -x_ahead / view->camera.focal;
    return (view->camera.center_x - pixel_x) * x_ahead / view->camera.focal + view->d -
           view->curve * x_ahead * x_ahead / 2;
}
