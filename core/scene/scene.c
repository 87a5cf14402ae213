#include "scene/scene.h"

#include <cairo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scene/grain.h"
#include "scene/ground.h"
#include "scene/traffic.h"

/* Of an object less than this is not in the truth. */
static const double LEAST_SEEN = 0.4;

struct vd_scene {
    vd_scene_options options;
    vd_camera camera;
    cairo_surface_t *background;
    cairo_surface_t *front; /* what hides vehicles, from the picture's left border at front_top */
    int front_top;
    uint8_t hidden[VD_GRID_ROWS][VD_GRID_PER_PICTURE]; /* cells of the picture that it covers */
    vd_grain grain;
};

static vd_image view_surface(cairo_surface_t *surface)
{
    cairo_surface_flush(surface);
    return (vd_image){.format = VD_PIXEL_BGRX,
                      .width = cairo_image_surface_get_width(surface),
                      .height = cairo_image_surface_get_height(surface),
                      .planes = {cairo_image_surface_get_data(surface)},
                      .strides = {cairo_image_surface_get_stride(surface)}};
}

static int paint_background(vd_scene *scene, vd_error *error)
{
    const vd_scene_options *o = &scene->options;
    scene->background = cairo_image_surface_create(CAIRO_FORMAT_RGB24, o->width, o->height);
    if (cairo_surface_status(scene->background) != CAIRO_STATUS_SUCCESS)
        return vd_error_set(error, VD_ENOMEM,
                            "demo:", "There is not enough memory for a scene of %d × %d pixels.", o->width,
                            o->height);
    vd_image view = view_surface(scene->background);
    vd_ground_paint(&scene->camera, o->seed, &view);
    cairo_surface_mark_dirty(scene->background);
    cairo_t *cr = cairo_create(scene->background);
    vd_scenery_paint(&scene->camera, o->seed, cr);
    cairo_destroy(cr);
    cairo_surface_flush(scene->background);
    return VD_OK;
}

static int paint_front(vd_scene *scene, vd_error *error)
{
    int width, bottom;
    vd_thicket_extent(&scene->camera, scene->options.seed, &width, &scene->front_top, &bottom);
    scene->front = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, bottom - scene->front_top);
    if (cairo_surface_status(scene->front) != CAIRO_STATUS_SUCCESS)
        return vd_error_set(error, VD_ENOMEM, "demo:", "There is not enough memory for the scene.");
    cairo_t *cr = cairo_create(scene->front);
    cairo_translate(cr, 0, -scene->front_top);
    vd_thicket_paint(&scene->camera, scene->options.seed, cr);
    cairo_destroy(cr);

    vd_image view = view_surface(scene->front);
    double cell = 1 / vd_grid_scale(&scene->camera);
    for (int row = 0; row < VD_GRID_ROWS; row++) {
        for (int column = 0; column < VD_GRID_PER_PICTURE; column++) {
            int x = (int)((column + 0.5) * cell), y = (int)((row + 0.5) * cell) - scene->front_top;
            if (x < view.width && y >= 0 && y < view.height)
                scene->hidden[row][column] =
                    view.planes[0][(size_t)y * (size_t)view.strides[0] + 4 * (size_t)x + 3] > 127;
        }
    }
    return VD_OK;
}

int vd_scene_new(const vd_scene_options *options, vd_scene **ret_scene, vd_error *error)
{
    int rc = vd_scene_options_validate(options, error);
    if (rc != VD_OK)
        return rc;
    vd_scene *scene = calloc(1, sizeof(*scene));
    if (!scene)
        return vd_error_set(error, VD_ENOMEM, "demo:", "There is not enough memory for the scene.");
    scene->options = *options;
    scene->camera = vd_camera_make(options->width, options->height);
    vd_grain_fill(&scene->grain, options->seed);
    rc = paint_background(scene, error);
    if (rc == VD_OK)
        rc = paint_front(scene, error);
    if (rc != VD_OK)
        vd_scene_free(&scene);
    else
        *ret_scene = scene;
    return rc;
}

void vd_scene_free(vd_scene **scene)
{
    if (!scene || !*scene)
        return;
    cairo_surface_destroy((*scene)->background);
    cairo_surface_destroy((*scene)->front);
    free(*scene);
    *scene = NULL;
}

static void copy_background(const vd_scene *scene, const vd_image *image)
{
    const uint8_t *from = cairo_image_surface_get_data(scene->background);
    int stride = cairo_image_surface_get_stride(scene->background);
    for (int y = 0; y < image->height; y++)
        memcpy(image->planes[0] + (size_t)y * (size_t)image->strides[0], from + (size_t)y * (size_t)stride,
               4 * (size_t)image->width);
}

static void paint_traffic(const vd_scene *scene, double time_s, cairo_t *cr)
{
    vd_traveller travellers[VD_TRAFFIC_MOST];
    size_t count = vd_traffic_at(&scene->camera, scene->options.seed, time_s, travellers);
    for (size_t i = 0; i < count; i++) {
        const vd_traveller *t = &travellers[i];
        vd_pen pen = vd_pen_make(&scene->camera, cr, t->place, t->heading);
        vd_vehicle_paint_shadow(&pen, t->kind);
    }
    for (size_t i = 0; i < count; i++) {
        const vd_traveller *t = &travellers[i];
        vd_pen pen = vd_pen_make(&scene->camera, cr, t->place, t->heading);
        vd_vehicle_paint(&pen, t->kind, t->paint, t->driven_m);
    }
    cairo_set_source_surface(cr, scene->front, 0, scene->front_top);
    cairo_rectangle(cr, 0, scene->front_top, cairo_image_surface_get_width(scene->front),
                    cairo_image_surface_get_height(scene->front));
    cairo_fill(cr);
}

/* Clouds come and go: slowly and little enough for a background model to follow. */
static double daylight(const vd_scene *scene, double time_s)
{
    double phase = 6.28 * vd_random(scene->options.seed, 400, 0);
    return 0.965 + 0.023 * sin(time_s / 7 + phase) + 0.012 * sin(time_s / 3.1 + 2 * phase);
}

int vd_scene_render(vd_scene *scene, int64_t index, const vd_image *image)
{
    if (vd_image_validate(image, NULL) != VD_OK || image->format != VD_PIXEL_BGRX || index < 0 ||
        image->width != scene->options.width || image->height != scene->options.height ||
        image->strides[0] % 4 != 0 || (uintptr_t)image->planes[0] % 4 != 0)
        return VD_EINVAL;
    double time_s = (double)index / scene->options.frames_per_s;
    copy_background(scene, image);
    cairo_surface_t *surface = cairo_image_surface_create_for_data(
        image->planes[0], CAIRO_FORMAT_RGB24, image->width, image->height, image->strides[0]);
    cairo_t *cr = cairo_create(surface);
    paint_traffic(scene, time_s, cr);
    int rc = cairo_status(cr) == CAIRO_STATUS_SUCCESS ? VD_OK : VD_ENOMEM;
    cairo_destroy(cr);
    cairo_surface_flush(surface);
    cairo_surface_destroy(surface);
    vd_grain_apply(&scene->grain, image, daylight(scene, time_s), index);
    return rc;
}

/* How much of an object is in the picture and not behind a nearer one, given what it covered when it was
 * painted. */
static double share_seen(const vd_scene *scene, const vd_grid *grid, uint8_t id, size_t covered)
{
    double scale = vd_grid_scale(&scene->camera);
    int margin = (VD_GRID_COLUMNS - VD_GRID_PER_PICTURE) / 2;
    int columns = (int)round(scene->options.width * scale), rows = (int)round(scene->options.height * scale);
    size_t seen = 0;
    for (int row = 0; row < rows; row++) {
        for (int column = 0; column < columns; column++)
            seen += grid->cells[row][margin + column] == id && !scene->hidden[row][column];
    }
    return covered > 0 ? (double)seen / (double)covered : 0;
}

size_t vd_scene_truth(const vd_scene *scene, int64_t index, vd_detection *ret_boxes, size_t room)
{
    vd_traveller travellers[VD_TRAFFIC_MOST];
    vd_pen pens[VD_TRAFFIC_MOST];
    vd_grid *grid = calloc(1, sizeof(*grid));
    if (!grid || index < 0) {
        free(grid);
        return 0;
    }
    size_t count = vd_traffic_at(&scene->camera, scene->options.seed,
                                 (double)index / scene->options.frames_per_s, travellers);
    for (size_t i = 0; i < count; i++) {
        pens[i] = vd_pen_make(&scene->camera, NULL, travellers[i].place, travellers[i].heading);
        pens[i].grid = grid;
        pens[i].id = (uint8_t)(i + 1);
        vd_vehicle_paint(&pens[i], travellers[i].kind, travellers[i].paint, travellers[i].driven_m);
    }
    size_t listed = 0;
    for (size_t i = 0; i < count && listed < room; i++) {
        if (share_seen(scene, grid, pens[i].id, pens[i].covered) < LEAST_SEEN)
            continue;
        vd_box box = {(float)fmax(pens[i].x1, 0), (float)fmax(pens[i].y1, 0),
                      (float)fmin(pens[i].x2, scene->options.width),
                      (float)fmin(pens[i].y2, scene->options.height)};
        ret_boxes[listed++] =
            (vd_detection){.box = box, .score = 1, .class_id = 0, .track_id = travellers[i].track_id};
    }
    free(grid);
    return listed;
}
