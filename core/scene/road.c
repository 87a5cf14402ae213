/* Since the camera neither tilts nor turns, a row of the picture shows one place X ahead and runs evenly over
 * d. So a row is made in two steps: rows of the surface, which is kept as seen from above, are mixed to one
 * (far rows cover much of the road: there are levels with 2, 4, 8… rows averaged, and two neighbouring levels
 * are blended, so that nothing flickers), and that one is stretched or shrunk across the picture. Near the
 * camera the surface is enlarged, and a finer grain is added. */
#include "scene/road.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scene/surface.h"
#include "scene/tile.h"

enum {
    COLUMNS = VD_ASPHALT_COLUMNS,
    WIDEST = 8192, /* columns that a picture can show at once, the repeated verge included */
    GRAIN_PER_M = 4 * VD_ASPHALT_PER_M
};

struct vd_road {
    vd_layout layout;
    vd_surface *surface;
    vd_tile *grain;
    uint8_t *mixed, *wide; /* BGRX: one row of the surface; the same with its verge repeated */
    uint64_t *spread;
    uint8_t cells[VD_TILE_SIDE + 1], speckle[4 * VD_TILE_SIDE]; /* one row of grain */
};

int vd_road_new(const vd_layout *layout, vd_road **ret_road)
{
    vd_road *road = calloc(1, sizeof(*road));
    if (!road)
        return VD_ENOMEM;
    road->layout = *layout;
    road->mixed = malloc(VD_SURFACE_ROW);
    road->wide = malloc((WIDEST + 8) * 4);
    road->spread = malloc(WIDEST * sizeof(*road->spread));
    road->grain = malloc(sizeof(*road->grain));
    int rc = road->mixed && road->wide && road->spread && road->grain ? VD_OK : VD_ENOMEM;
    if (rc == VD_OK)
        rc = vd_tile_fill(road->grain, vd_hash(layout->seed, 1400, 0), 5.5, 6.5, 4, 30);
    if (rc == VD_OK)
        rc = vd_surface_new(layout, &road->surface);
    if (rc != VD_OK) {
        vd_road_free(&road);
        return rc;
    }
    *ret_road = road;
    return VD_OK;
}

void vd_road_free(vd_road **road)
{
    if (!road || !*road)
        return;
    vd_surface_free(&(*road)->surface);
    free((*road)->mixed);
    free((*road)->wide);
    free((*road)->spread);
    free((*road)->grain);
    free(*road);
    *road = NULL;
}

/* ThreadSanitizer would look at every byte of what one thread alone uses, many times as slowly. */
#define INNER __attribute__((no_sanitize("thread"))) static

/* Four rows, how much of each, in 1/256, and what stands for the rest. */
typedef struct mix {
    const uint8_t *row[4];
    unsigned share[4];
    uint16_t rest[4]; /* 256 times what is added, by channel */
} mix;

/* Bytes from `from` to `to`, both multiples of 8. */
INNER void mix_rows(const mix *m, int from, int to, uint8_t *restrict result)
{
    const uint8_t *a = m->row[0], *b = m->row[1], *c = m->row[2], *d = m->row[3];
    uint16_t wa = (uint16_t)m->share[0], wb = (uint16_t)m->share[1], wc = (uint16_t)m->share[2],
             wd = (uint16_t)m->share[3];
    uint16_t rest[8];
    for (int i = 0; i < 8; i++)
        rest[i] = m->rest[i & 3];
    if (wc == 0 && wd == 0) {
        for (int i = from; i < to; i += 8)
            for (int k = i; k < i + 8; k++)
                result[k] = (uint8_t)((uint16_t)(a[k] * wa + b[k] * wb + rest[k - i]) >> 8);
        return;
    }
    for (int i = from; i < to; i += 8)
        for (int k = i; k < i + 8; k++)
            result[k] =
                (uint8_t)((uint16_t)(a[k] * wa + b[k] * wb + c[k] * wc + d[k] * wd + rest[k - i]) >> 8);
}

/* Where a place lies between the rows of two neighbouring levels. share is of all four together. */
typedef struct between {
    int level;
    int64_t row[2];
    unsigned share[4];
} between;

static between find_rows(double at, double footprint, int levels, double share)
{
    double detail = vd_clamp(log2(fmax(footprint, 1e-6)) - 0.2, 0, levels - 1.001);
    between found = {.level = (int)detail};
    double part = detail - found.level, sum = 0;
    unsigned given = 0;
    for (int k = 0; k < 2; k++) {
        double place = at / (1 << (found.level + k)) - 0.5, row = floor(place);
        found.row[k] = (int64_t)row;
        double weight = share * (k ? part : 1 - part);
        double shares[2] = {weight * (1 - (place - row)), weight * (place - row)};
        for (int i = 0; i < 2; i++) {
            /* Rounded so that they add up. */
            sum += 256 * shares[i];
            unsigned until = (unsigned)lround(sum);
            found.share[2 * k + i] = until - given;
            given = until;
        }
    }
    return found;
}

/* One row of the picture. */
typedef struct sight {
    double x, footprint; /* metres ahead, and how much of them the row covers */
    double d, step;      /* at the middle of the first pixel, and from pixel to pixel to the right: metres */
    double bare;         /* share that haze and the wet road's shine leave */
} sight;

static void mix_surface(vd_road *road, const vd_view *view, const sight *at, int from, int to)
{
    const vd_rgb haze = road->layout.haze;
    between rows = find_rows((view->s + at->x) * VD_ASPHALT_PER_M, at->footprint * VD_ASPHALT_PER_M,
                             VD_SURFACE_LEVELS, at->bare);
    mix m;
    unsigned sum = 0;
    for (int i = 0; i < 4; i++) {
        m.row[i] = vd_surface_row(road->surface, rows.level + i / 2, rows.row[i / 2] + i % 2);
        m.share[i] = rows.share[i];
        sum += rows.share[i];
    }
    double rest[4] = {haze.b, haze.g, haze.r, 1};
    for (int i = 0; i < 4; i++)
        m.rest[i] = (uint16_t)((256 - sum) * rest[i] * 255 + 127);
    mix_rows(&m, 4 * (from & ~1), 4 * ((to + 1) & ~1), road->mixed);
}

/* The column of the surface that stands for one beyond its border: the verge goes on, to and fro. */
static int fold(int column)
{
    enum { BAND = VD_ASPHALT_BAND };
    int out = column < 0 ? -1 - column : column - COLUMNS;
    if (column >= 0 && column < COLUMNS)
        return column;
    int within = out % (2 * BAND);
    within = within < BAND ? within : 2 * BAND - 1 - within;
    return column < 0 ? within : COLUMNS - 1 - within;
}

INNER void halve(const uint8_t *from, uint8_t *to, int count)
{
    for (int i = 0; i < count; i++)
        for (int c = 0; c < 4; c++)
            to[4 * i + c] = (uint8_t)((from[8 * i + c] + from[8 * i + 4 + c] + 1) >> 1);
}

/* Mixes what the row shows, `count` columns from `first`, and halves it `shrink` times. Returns its pixels.
 */
static const uint8_t *gather_row(vd_road *road, const vd_view *view, const sight *at, int first, int count,
                                 int shrink)
{
    int end = first + count, from = first < 0 ? 0 : first, to = end > COLUMNS ? COLUMNS : end;
    if (first < 0)
        to = to < VD_ASPHALT_BAND ? VD_ASPHALT_BAND : to;
    if (end > COLUMNS)
        from = from > COLUMNS - VD_ASPHALT_BAND ? COLUMNS - VD_ASPHALT_BAND : from;
    mix_surface(road, view, at, from, to);
    if (first >= 0 && end <= COLUMNS && shrink == 0)
        return road->mixed + 4 * first;
    for (int i = first; i < end && i < 0; i++)
        memcpy(road->wide + 4 * (i - first), road->mixed + 4 * fold(i), 4);
    int inner = first < 0 ? 0 : first, stop = end > COLUMNS ? COLUMNS : end;
    if (stop > inner)
        memcpy(road->wide + 4 * (inner - first), road->mixed + 4 * inner, 4 * (size_t)(stop - inner));
    for (int i = first > COLUMNS ? first : COLUMNS; i < end; i++)
        memcpy(road->wide + 4 * (i - first), road->mixed + 4 * fold(i), 4);
    for (int k = 1; k <= shrink; k++)
        halve(road->wide, road->wide, count >> k);
    return road->wide;
}

/* Each channel in 16 bits of its own, for three products in one. */
INNER void spread_row(const uint8_t *from, int count, uint64_t *restrict to)
{
    for (int i = 0; i < count; i++) {
        uint32_t pixel;
        memcpy(&pixel, from + 4 * i, 4);
        to[i] = (uint64_t)(pixel & 0xff00) << 24 | (pixel & 0xff00ff);
    }
}

static inline uint32_t between_two(const uint64_t *two, uint32_t share)
{
    uint64_t sum = two[0] * (256 - share) + two[1] * share;
    return ((uint32_t)(sum >> 8) & 0xff00ff) | ((uint32_t)(sum >> 32) & 0xff00);
}

/* Places in 1/65536 of a column. */
INNER void stretch_row(const uint64_t *from, uint32_t place, uint32_t step, int count, uint32_t *restrict to)
{
    for (int i = 0; i < count; i++, place += step)
        to[i] = between_two(from + (place >> 16), place >> 8 & 255) | 0xff000000;
}

/* A row of grain that repeats after mask + 1 cells; places in 1/65536 of a cell. */
typedef struct speckles {
    const uint8_t *cells;
    uint32_t place, step, mask;
} speckles;

/* The same with grain. Neither can leave a byte: the surface keeps 32 from its ends, the grain has 30. */
INNER void stretch_grainy_row(const uint64_t *from, uint32_t place, uint32_t step, speckles grain, int count,
                              uint32_t *restrict to)
{
    for (int i = 0; i < count; i++, place += step, grain.place += grain.step) {
        uint32_t speck = grain.cells[grain.place >> 16 & grain.mask];
        to[i] =
            (between_two(from + (place >> 16), place >> 8 & 255) + speck * 0x010101 - 0x808080) | 0xff000000;
    }
}

/* Four cells where one was, drawn straight between. */
INNER void smooth_cells(const uint8_t *from, uint8_t *restrict to)
{
    for (int i = 0; i < VD_TILE_SIDE; i++)
        for (int k = 0; k < 4; k++)
            to[4 * i + k] = (uint8_t)((from[i] * (4 - k) + from[i + 1] * k + 2) >> 2);
}

/* Returns whether there is any this far away. */
static bool mix_grain(vd_road *road, const vd_view *view, const sight *at)
{
    double strength = at->bare * (1 - vd_smooth(1.0, 3.2, at->step * GRAIN_PER_M));
    if (strength < 0.02)
        return false;
    between rows =
        find_rows((view->s + at->x) * GRAIN_PER_M, at->footprint * GRAIN_PER_M, VD_TILE_LEVELS, strength);
    mix m;
    unsigned sum = 0;
    for (int i = 0; i < 4; i++) {
        int level = rows.level + i / 2;
        int64_t row = (rows.row[i / 2] + i % 2) & ((VD_TILE_SIDE >> level) - 1);
        m.row[i] = road->grain->level[level][row];
        m.share[i] = rows.share[i];
        sum += rows.share[i];
    }
    for (int i = 0; i < 4; i++)
        m.rest[i] = (uint16_t)((256 - sum) * 128 + 127);
    mix_rows(&m, 0, VD_TILE_SIDE, road->cells);
    road->cells[VD_TILE_SIDE] = road->cells[0];
    return true;
}

/* The nearest cell will do, but where cells are larger than pixels. */
static speckles lay_grain(vd_road *road, const sight *at)
{
    double step = at->step * GRAIN_PER_M, turns = (VD_ASPHALT_HALF_M - at->d) * GRAIN_PER_M / VD_TILE_SIDE;
    bool large = step < 0.7;
    uint32_t side = large ? 4 * VD_TILE_SIDE : VD_TILE_SIDE;
    if (large)
        smooth_cells(road->cells, road->speckle);
    return (speckles){large ? road->speckle : road->cells, (uint32_t)((turns - floor(turns)) * side * 65536),
                      (uint32_t)(step * (large ? 4 : 1) * 65536), side - 1};
}

static void paint_row(vd_road *road, const vd_view *view, const sight *at, int width, uint32_t *pixels)
{
    double left = (VD_ASPHALT_HALF_M - at->d) * VD_ASPHALT_PER_M - 0.5, step = at->step * VD_ASPHALT_PER_M;
    int shrink = 0;
    while (step > 1.5 * (1 << shrink) && shrink < 8)
        shrink++;
    int unit = 1 << shrink, first = (int)floor((left - unit) / unit) * unit;
    int count = ((int)(step * width) / unit + 5) * unit;
    count = count > WIDEST ? WIDEST / unit * unit : count;
    const uint8_t *row = gather_row(road, view, at, first, count, shrink);
    double begin = (left - first + 0.5) / unit - 0.5, advance = step / unit;
    /* Never beyond the last but one. */
    double most = count / (double)unit - 2.5;
    advance = begin + advance * width > most ? (most - begin) / width : advance;
    uint32_t place = (uint32_t)(begin * 65536), by = (uint32_t)(advance * 65536);
    spread_row(row, count >> shrink, road->spread);
    if (!mix_grain(road, view, at)) {
        stretch_row(road->spread, place, by, width, pixels);
        return;
    }
    stretch_grainy_row(road->spread, place, by, lay_grain(road, at), width, pixels);
}

static sight look(const vd_road *road, const vd_view *view, double pixel_y)
{
    sight at = {.x = vd_camera_ground_x(&view->camera, pixel_y)};
    if (!(at.x < road->layout.haze_to))
        return at;
    at.footprint = at.x * at.x / (view->camera.focal * view->camera.pole);
    at.d = vd_view_row(view, at.x, 0.5, &at.step);
    at.step = -at.step;
    double haze = vd_smooth(road->layout.haze_from, road->layout.haze_to, at.x);
    /* A wet road mirrors the sky, the more the flatter it is looked at. */
    double shine = road->layout.rain * (0.05 + 0.30 * vd_smooth(2, 9, at.x / view->camera.pole));
    at.bare = (1 - haze) * (1 - shine);
    return at;
}

static uint32_t pixel_of(vd_rgb color)
{
    return 0xff000000 | (uint32_t)lround(color.r * 255) << 16 | (uint32_t)lround(color.g * 255) << 8 |
           (uint32_t)lround(color.b * 255);
}

void vd_road_paint(vd_road *road, const vd_view *view, const vd_image *image)
{
    uint32_t haze = pixel_of(road->layout.haze);
    double horizon = ceil(view->camera.horizon_y - 0.5);
    for (int y = horizon > 0 ? (int)horizon : 0; y < image->height; y++) {
        uint32_t *pixels = (uint32_t *)(void *)(image->planes[0] + (size_t)y * (size_t)image->strides[0]);
        sight at = look(road, view, y + 0.5);
        if (at.bare > 0)
            paint_row(road, view, &at, image->width, pixels);
        else
            for (int x = 0; x < image->width; x++)
                pixels[x] = haze;
    }
}
