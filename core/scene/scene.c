/* Puts the scene's parts together. A scene belongs to one thread at a time; its truth is a pure function of
 * the options. */
#include "scene/scene.h"

#include <cairo.h>
#include <math.h>
#include <stdlib.h>

#include "scene/marks.h"
#include "scene/road.h"
#include "scene/roadside.h"
#include "scene/traffic.h"
#include "scene/weather.h"

/* Of an object less than this is not in the truth, and one weaker than this is not either. */
static const double LEAST_SEEN = 0.4, LEAST_STRENGTH = 0.4;

struct vd_scene {
    vd_scene_options options;
    vd_layout layout;
    vd_road *road;
    vd_marks *marks;
    vd_roadside *roadside;
    vd_weather *weather;
};

const char *vd_scene_kind_name(vd_scene_kind kind)
{
    static const char *const NAMES[VD_SCENE_KINDS] = {
        [VD_SCENE_CRACK] = "crack",   [VD_SCENE_POTHOLE] = "pothole",       [VD_SCENE_SHADOW] = "shadow",
        [VD_SCENE_WET] = "wet patch", [VD_SCENE_MANHOLE] = "manhole cover", [VD_SCENE_SEAM] = "tar seam",
    };
    return (unsigned)kind < VD_SCENE_KINDS ? NAMES[kind] : "nothing";
}

int vd_scene_new(const vd_scene_options *options, vd_scene **ret_scene, vd_error *error)
{
    int rc = vd_scene_options_validate(options, error);
    if (rc != VD_OK)
        return rc;
    vd_scene *scene = calloc(1, sizeof(*scene));
    if (!scene)
        return vd_error_set(error, VD_ENOMEM, "demo", "There is not enough memory for the scene.");
    scene->options = *options;
    scene->layout = vd_layout_make(options);
    rc = vd_road_new(&scene->layout, &scene->road);
    if (rc == VD_OK)
        rc = vd_marks_new(&scene->layout, options, &scene->marks);
    if (rc == VD_OK)
        rc = vd_roadside_new(&scene->layout, options, &scene->roadside);
    if (rc == VD_OK)
        rc = vd_weather_new(&scene->layout, options, &scene->weather);
    if (rc != VD_OK) {
        vd_scene_free(&scene);
        return vd_error_set(error, rc, "demo", "There is not enough memory for a scene of %d × %d pixels.",
                            options->width, options->height);
    }
    *ret_scene = scene;
    return VD_OK;
}

void vd_scene_free(vd_scene **scene)
{
    if (!scene || !*scene)
        return;
    vd_road_free(&(*scene)->road);
    vd_marks_free(&(*scene)->marks);
    vd_roadside_free(&(*scene)->roadside);
    vd_weather_free(&(*scene)->weather);
    free(*scene);
    *scene = NULL;
}

typedef struct moment {
    double time_s;
    vd_view view;
    vd_mark marks[VD_MARKS_MOST];
    size_t mark_count;
    vd_traveller travellers[VD_TRAFFIC_MOST];
    size_t traveller_count;
} moment;

static bool is_in_time(const vd_scene *scene, int64_t index)
{
    return index >= 0 && (double)index / scene->options.frames_per_s <= VD_SCENE_LONGEST_S;
}

static moment moment_at(const vd_scene *scene, int64_t index)
{
    moment m = {.time_s = (double)index / scene->options.frames_per_s};
    m.view = vd_view_at(&scene->layout, &scene->options, m.time_s);
    m.mark_count = vd_marks_at(&scene->layout, &m.view, m.time_s, m.marks);
    m.traveller_count = vd_traffic_at(&scene->layout, &m.view, m.time_s, m.travellers);
    return m;
}

static int paint_upright(vd_scene *scene, const moment *m, bool lamps, const vd_image *image)
{
    cairo_surface_t *surface = cairo_image_surface_create_for_data(
        image->planes[0], CAIRO_FORMAT_RGB24, image->width, image->height, image->strides[0]);
    cairo_t *cr = cairo_create(surface);
    if (lamps) {
        vd_traffic_paint_lamps(&scene->layout, &m->view, m->travellers, m->traveller_count, cr);
    } else {
        vd_roadside_paint(scene->roadside, &m->view, cr);
        vd_traffic_paint(&scene->layout, &m->view, m->travellers, m->traveller_count, cr);
    }
    int rc = cairo_status(cr) == CAIRO_STATUS_SUCCESS ? VD_OK : VD_ENOMEM;
    cairo_destroy(cr);
    cairo_surface_flush(surface);
    cairo_surface_destroy(surface);
    return rc;
}

int vd_scene_render(vd_scene *scene, int64_t index, const vd_image *image)
{
    if (vd_image_validate(image, NULL) != VD_OK || image->format != VD_PIXEL_BGRX ||
        !is_in_time(scene, index) || image->width != scene->options.width ||
        image->height != scene->options.height || image->strides[0] % 4 != 0 ||
        (uintptr_t)image->planes[0] % 4 != 0)
        return VD_EINVAL;
    moment m = moment_at(scene, index);
    int rc = vd_roadside_paint_sky(scene->roadside, &m.view, m.time_s, image);
    vd_road_paint(scene->road, &m.view, image);
    if (rc == VD_OK)
        rc = vd_marks_paint(scene->marks, &m.view, m.marks, m.mark_count, image);
    if (rc == VD_OK)
        rc = paint_upright(scene, &m, false, image);
    vd_weather_light(scene->weather, m.time_s, image);
    if (rc == VD_OK && scene->layout.night)
        rc = paint_upright(scene, &m, true, image);
    vd_weather_air(scene->weather, index, image);
    return rc;
}

/* The cells of a mark's outline that lie in the picture and under no vehicle, as a share of all of them. The
 * outline is taken as it lies in the picture, so what is outside counts as not seen. */
static double share_seen(const vd_camera *camera, const vd_grid *vehicles, const vd_point *outline, int count)
{
    double scale = vd_grid_scale(camera);
    size_t all = 0, seen = 0;
    double top = INFINITY, bottom = -INFINITY;
    for (int i = 0; i < count; i++) {
        top = fmin(top, outline[i].y);
        bottom = fmax(bottom, outline[i].y);
    }
    /* 24 lines across it, whatever its size. */
    for (int line = 0; line < 24; line++) {
        double y = top + (bottom - top) * (line + 0.5) / 24, left = INFINITY, right = -INFINITY;
        for (int i = 0; i < count; i++) {
            const vd_point *a = &outline[i], *b = &outline[(i + 1) % count];
            if ((a->y <= y) == (b->y <= y))
                continue;
            double x = a->x + (b->x - a->x) * (y - a->y) / (b->y - a->y);
            left = fmin(left, x);
            right = fmax(right, x);
        }
        for (int step = 0; step < 24 && left < right; step++) {
            double x = left + (right - left) * (step + 0.5) / 24;
            all++;
            if (x < 0 || y < 0 || x >= camera->width || y >= camera->height)
                continue;
            seen += !vd_grid_at(vehicles, x * scale, y * scale);
        }
    }
    return all > 0 ? (double)seen / (double)all : 0;
}

static vd_box box_of(const vd_camera *camera, const vd_point *outline, int count)
{
    double x1 = INFINITY, y1 = INFINITY, x2 = -INFINITY, y2 = -INFINITY;
    for (int i = 0; i < count; i++) {
        x1 = fmin(x1, outline[i].x);
        y1 = fmin(y1, outline[i].y);
        x2 = fmax(x2, outline[i].x);
        y2 = fmax(y2, outline[i].y);
    }
    return (vd_box){(float)fmax(x1, 0), (float)fmax(y1, 0), (float)fmin(x2, camera->width),
                    (float)fmin(y2, camera->height)};
}

size_t vd_scene_truth(const vd_scene *scene, int64_t index, vd_scene_object *ret_objects, size_t room)
{
    if (!is_in_time(scene, index))
        return 0;
    moment m = moment_at(scene, index);
    vd_grid vehicles = {0};
    vd_traffic_cover(&scene->layout, &m.view, m.travellers, m.traveller_count, &vehicles);
    size_t listed = 0;
    for (size_t i = 0; i < m.mark_count && listed < room; i++) {
        vd_point outline[VD_SHAPE_OUTLINE];
        if (m.marks[i].strength < LEAST_STRENGTH)
            continue;
        int count = vd_marks_outline(&m.view, &m.marks[i], outline);
        if (count < 3 || share_seen(&m.view.camera, &vehicles, outline, count) < LEAST_SEEN)
            continue;
        ret_objects[listed++] = (vd_scene_object){.kind = m.marks[i].kind,
                                                  .track_id = m.marks[i].track_id,
                                                  .box = box_of(&m.view.camera, outline, count)};
    }
    return listed;
}
