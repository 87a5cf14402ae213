#include "scene/marks.h"

#include <math.h>
#include <stdlib.h>

#include "vedette/error.h"

enum { SHAPES_KEPT = 64 };

typedef struct kept_shape {
    uint64_t key;
    int64_t used; /* 0: none here */
    vd_shape shape;
} kept_shape;

struct vd_marks {
    double per_m;
    int64_t uses;
    kept_shape kept[SHAPES_KEPT];
};

int vd_marks_new(const vd_layout *layout, const vd_scene_options *options, vd_marks **ret_marks)
{
    vd_marks *marks = calloc(1, sizeof(*marks));
    if (!marks)
        return VD_ENOMEM;
    /* Between the resolutions along and across the road at the picture's lower border. */
    vd_view view = vd_view_at(layout, options, 0);
    double near = vd_camera_ground_x(&view.camera, view.camera.height);
    marks->per_m = vd_clamp(0.8 * view.camera.focal / near, 32, 160);
    *ret_marks = marks;
    return VD_OK;
}

void vd_marks_free(vd_marks **marks)
{
    if (!marks || !*marks)
        return;
    for (int i = 0; i < SHAPES_KEPT; i++)
        vd_shape_clear(&(*marks)->kept[i].shape);
    free(*marks);
    *marks = NULL;
}

/* The shape of a mark, painted now if it was not; what was not used for longest makes room. NULL: no memory.
 */
static const vd_shape *shape_of(vd_marks *marks, const vd_mark *mark)
{
    kept_shape *oldest = &marks->kept[0];
    for (int i = 0; i < SHAPES_KEPT; i++) {
        kept_shape *kept = &marks->kept[i];
        if (kept->used > 0 && kept->key == mark->key) {
            kept->used = ++marks->uses;
            return &kept->shape;
        }
        if (kept->used < oldest->used)
            oldest = kept;
    }
    vd_shape_clear(&oldest->shape);
    oldest->used = 0;
    if (vd_shape_paint(mark->form, mark->key, mark->length, mark->width, marks->per_m, &oldest->shape) !=
        VD_OK)
        return NULL;
    oldest->key = mark->key;
    oldest->used = ++marks->uses;
    return &oldest->shape;
}

/* Multipliers of one row of the picture, ONE = unchanged; two more, so that a neighbour can always be read.
 */
enum { ONE = 1 << 13 };

typedef struct strip {
    uint16_t light[VD_SHAPE_COLUMNS + 2];
} strip;

static const uint8_t *row_of(const vd_shape *shape, int level, int row)
{
    int last = shape->rows[level] - 1;
    row = row < 0 ? 0 : row > last ? last : row;
    return shape->level[level] + (size_t)row * (size_t)shape->columns;
}

/* The mean of a stretch of the shape, high_m long around middle_m from the patch's near border: between two
 * rows of each of two levels. */
static void make_strip(const vd_shape *shape, double middle_m, double high_m, double strength, strip *to)
{
    /* A little sharper than the mean: two rows are mixed anyway. */
    double texels = fmax(0.75 * high_m * shape->per_m, 1),
           level = fmin(log2(texels), VD_SHAPE_LEVELS - 1.001);
    int lower = (int)level;
    double deep = level - lower;
    const uint8_t *rows[4];
    int weights[4];
    for (int k = 0; k < 2; k++) {
        double at = middle_m * shape->per_m / (1 << (lower + k)) - 0.5, part = at - floor(at);
        rows[2 * k] = row_of(shape, lower + k, (int)floor(at));
        rows[2 * k + 1] = row_of(shape, lower + k, (int)floor(at) + 1);
        double share = (k ? deep : 1 - deep) * 256;
        weights[2 * k + 1] = (int)lrint(share * part);
        weights[2 * k] = (int)lrint(share) - weights[2 * k + 1];
    }
    weights[0] += 256 - weights[0] - weights[1] - weights[2] - weights[3];
    const uint8_t *restrict a = rows[0], *restrict b = rows[1], *restrict c = rows[2], *restrict d = rows[3];
    int wa = weights[0], wb = weights[1], wc = weights[2], wd = weights[3];
    int strong = (int)lrint(strength * 256), count = shape->columns;
    uint16_t *restrict light = to->light;
    for (int i = 0; i < count; i++) {
        int mean = a[i] * wa + b[i] * wb + c[i] * wc + d[i] * wd; /* 128 · 256 = unchanged */
        light[i] = (uint16_t)(ONE + ((mean - (128 << 8)) / 4 * strong) / 256);
    }
    light[count] = light[count + 1] = ONE;
}

/* Where the picture is coarser than the shape, neighbours are mixed before they are sampled. */
static void soften_strip(strip *to, int count)
{
    int before = to->light[0];
    for (int i = 1; i + 1 < count; i++) {
        int here = to->light[i];
        to->light[i] = (uint16_t)((before + 2 * here + to->light[i + 1] + 2) / 4);
        before = here;
    }
}

static inline uint8_t lit(uint8_t value, uint32_t light)
{
    uint32_t product = (value * light + ONE / 2) >> 13;
    return (uint8_t)(product > 255 ? 255 : product);
}

/* Multiplies pixels x1 to x2 - 1 of a row; `at` is the place in the strip of the first one and `step` the way
 * to the next, both in 1/65536 texels. */
static void apply_strip(const strip *from, int64_t at, int64_t step, int x1, int x2, uint8_t *row)
{
    for (int x = x1; x < x2; x++, at += step) {
        const uint16_t *two = &from->light[at >> 16];
        uint32_t part = (uint32_t)(at >> 8) & 255, light = (two[0] * (256 - part) + two[1] * part) >> 8;
        uint8_t *pixel = row + (size_t)x * 4;
        pixel[0] = lit(pixel[0], light);
        pixel[1] = lit(pixel[1], light);
        pixel[2] = lit(pixel[2], light);
    }
}

static void paint_row(const vd_view *view, const vd_mark *mark, const vd_shape *shape, int y, strip *scratch,
                      const vd_image *image)
{
    const vd_camera *camera = &view->camera;
    double x_ahead = vd_camera_ground_x(camera, y + 0.5);
    double high = vd_camera_ground_x(camera, y) - vd_camera_ground_x(camera, y + 1);
    double step_m, first_m = vd_view_row(view, x_ahead, 0.5, &step_m);
    double step = -step_m * shape->per_m;
    double at = (mark->d + shape->width / 2 - first_m) * shape->per_m - 0.5; /* of the picture's column 0 */
    int x1 = (int)vd_clamp(ceil(-at / step), 0, image->width);
    int x2 = (int)vd_clamp(floor((shape->columns - 1 - at) / step) + 1, 0, image->width);
    if (x1 >= x2 || !isfinite(high))
        return;
    make_strip(shape, view->s + x_ahead - mark->s + shape->length / 2, high, mark->strength, scratch);
    for (double wide = 1.4; wide < step; wide *= 2)
        soften_strip(scratch, shape->columns);
    int64_t start = llrint((at + x1 * step) * 65536);
    apply_strip(scratch, start < 0 ? 0 : start, (int64_t)(step * 65536), x1, x2,
                image->planes[0] + (ptrdiff_t)y * image->strides[0]);
}

int vd_marks_paint(vd_marks *marks, const vd_view *view, const vd_mark *list, size_t count,
                   const vd_image *image)
{
    for (size_t i = 0; i < count; i++) {
        const vd_mark *mark = &list[i];
        const vd_shape *shape = shape_of(marks, mark);
        if (!shape)
            return VD_ENOMEM;
        double near = fmax(mark->s - shape->length / 2, view->s + 0.2), far = mark->s + shape->length / 2;
        if (far <= near)
            continue;
        double horizon = fmax(ceil(view->camera.horizon_y + 1), 0);
        double top = floor(vd_view_project(view, far, mark->d, 0).y),
               bottom = ceil(vd_view_project(view, near, mark->d, 0).y);
        strip scratch;
        for (int y = (int)vd_clamp(top, horizon, image->height); y < (int)fmin(bottom, image->height); y++)
            paint_row(view, mark, shape, y, &scratch, image);
    }
    return VD_OK;
}

int vd_marks_outline(const vd_view *view, const vd_mark *mark, vd_point *ret_points)
{
    vd_shape_point outline[VD_SHAPE_OUTLINE];
    int count = vd_shape_outline(mark->form, mark->key, mark->length, mark->width, outline);
    for (int i = 0; i < count; i++)
        ret_points[i] = vd_view_project(view, mark->s + outline[i].s, mark->d + outline[i].d, 0);
    return count;
}
