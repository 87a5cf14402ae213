/* Since the camera neither tilts nor turns, a row of the picture shows one place X ahead and runs evenly over
 * d. So a row is made in two steps: rows of the surface, which is kept as seen from above, are mixed to one
 * (far rows cover much of the road: there are levels with 2, 4, 8… rows averaged, and two neighbouring levels
 * are blended, so that nothing flickers), and that one is stretched or shrunk across the picture. Near the
 * camera the surface is enlarged, and a finer grain is added. */
#include "scene/road.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scene/asphalt.h"
#include "scene/tile.h"

enum {
    COLUMNS = VD_ASPHALT_COLUMNS,
    ROW_BYTES = COLUMNS * 4,
    STRIP = VD_ASPHALT_STRIP,
    LEVELS = 7,      /* the last holds one row of a strip */
    NEAR_LEVELS = 2, /* the finest are needed near the camera alone */
    NEAR_STRIPS = 27,
    FAR_STRIPS = 48,
    WIDEST = 8192, /* columns that a picture can show at once, the repeated verge included */
    GRAIN_PER_M = 4 * VD_ASPHALT_PER_M
};

static const int64_t NO_STRIP = INT64_MIN;

/* Strips that were painted lately: strip n lies at n modulo their number. */
typedef struct ring {
    int strips, first_level, levels;
    int64_t *keys;
    uint8_t *level[LEVELS];
} ring;

struct vd_road {
    vd_layout layout;
    vd_asphalt *asphalt;
    ring near, far;
    vd_tile *grain;
    uint8_t *strip;        /* one as it was painted */
    uint8_t *mixed, *wide; /* BGRX: one row of the surface; the same with its verge repeated */
    uint64_t *spread;
    uint8_t cells[VD_TILE_SIDE + 1], speckle[4 * VD_TILE_SIDE]; /* one row of grain */
};

static int ring_make(ring *r, int strips, int first_level, int levels)
{
    *r = (ring){.strips = strips, .first_level = first_level, .levels = levels};
    r->keys = malloc((size_t)strips * sizeof(*r->keys));
    if (!r->keys)
        return VD_ENOMEM;
    for (int i = 0; i < strips; i++)
        r->keys[i] = NO_STRIP;
    for (int k = first_level; k < first_level + levels; k++) {
        r->level[k] = malloc((size_t)strips * (size_t)(STRIP >> k) * ROW_BYTES);
        if (!r->level[k])
            return VD_ENOMEM;
    }
    return VD_OK;
}

static void ring_clear(ring *r)
{
    free(r->keys);
    for (int k = 0; k < LEVELS; k++)
        free(r->level[k]);
}

int vd_road_new(const vd_layout *layout, const vd_scene_options *options, vd_road **ret_road)
{
    (void)options;
    vd_road *road = calloc(1, sizeof(*road));
    if (!road)
        return VD_ENOMEM;
    road->layout = *layout;
    road->strip = malloc((size_t)STRIP * ROW_BYTES);
    road->mixed = malloc(ROW_BYTES);
    road->wide = malloc((WIDEST + 8) * 4);
    road->spread = malloc(WIDEST * sizeof(*road->spread));
    road->grain = malloc(sizeof(*road->grain));
    int rc = road->strip && road->mixed && road->wide && road->spread && road->grain ? VD_OK : VD_ENOMEM;
    if (rc == VD_OK)
        rc = ring_make(&road->near, NEAR_STRIPS, 0, NEAR_LEVELS);
    if (rc == VD_OK)
        rc = ring_make(&road->far, FAR_STRIPS, NEAR_LEVELS, LEVELS - NEAR_LEVELS);
    if (rc == VD_OK)
        rc = vd_tile_fill(road->grain, vd_hash(layout->seed, 1400, 0), 5.5, 6.5, 4, 30);
    if (rc == VD_OK)
        rc = vd_asphalt_new(layout, &road->asphalt);
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
    vd_asphalt_free(&(*road)->asphalt);
    ring_clear(&(*road)->near);
    ring_clear(&(*road)->far);
    free((*road)->strip);
    free((*road)->mixed);
    free((*road)->wide);
    free((*road)->spread);
    free((*road)->grain);
    free(*road);
    *road = NULL;
}

/* ThreadSanitizer would look at every byte of what one thread alone uses, many times as slowly. */
#define INNER __attribute__((no_sanitize("thread"))) static

INNER void average_rows(const uint8_t *a, const uint8_t *b, unsigned round, uint8_t *restrict to)
{
    for (int i = 0; i < ROW_BYTES; i++)
        to[i] = (uint8_t)((a[i] + b[i] + round) >> 1);
}

static void paint_strip(vd_road *road, ring *r, int slot, int64_t strip)
{
    const uint8_t *from = road->strip;
    vd_asphalt_paint(road->asphalt, strip, road->strip);
    if (r->first_level == 0)
        memcpy(r->level[0] + (size_t)slot * STRIP * ROW_BYTES, from, (size_t)STRIP * ROW_BYTES);
    for (int k = 1; k < r->first_level + r->levels; k++) {
        int rows = STRIP >> k;
        /* Two rows become one at or before their own place. */
        uint8_t *to = k < r->first_level ? road->strip : r->level[k] + (size_t)(slot * rows) * ROW_BYTES;
        for (int y = 0; y < rows; y++)
            average_rows(from + (size_t)(2 * y) * ROW_BYTES, from + (size_t)(2 * y + 1) * ROW_BYTES, k & 1,
                         to + (size_t)y * ROW_BYTES);
        from = to;
    }
    r->keys[slot] = strip;
}

/* A row of a level, painted if need be. Stays as it is while no strip is asked for that is `strips` away. */
static const uint8_t *surface_row(vd_road *road, int level, int64_t row)
{
    ring *r = level < NEAR_LEVELS ? &road->near : &road->far;
    int64_t rows = STRIP >> level, within = row % rows;
    within += within < 0 ? rows : 0;
    int64_t strip = (row - within) / rows, slot = strip % r->strips;
    slot += slot < 0 ? r->strips : 0;
    if (r->keys[slot] != strip)
        paint_strip(road, r, (int)slot, strip);
    return r->level[level] + (size_t)(slot * rows + within) * ROW_BYTES;
}

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
    between rows =
        find_rows((view->s + at->x) * VD_ASPHALT_PER_M, at->footprint * VD_ASPHALT_PER_M, LEVELS, at->bare);
    mix m;
    unsigned sum = 0;
    for (int i = 0; i < 4; i++) {
        m.row[i] = surface_row(road, rows.level + i / 2, rows.row[i / 2] + i % 2);
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
