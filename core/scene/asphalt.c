/* Everything is computed row by row in arrays over the columns, so that the compiler makes vectors of it.
 * What varies slowly is computed at every 16th place and drawn straight between. Nothing dark and small may
 * come out of it, for every mark on the road is in the truth. */
#include "scene/asphalt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scene/tile.h"

enum { COLUMNS = VD_ASPHALT_COLUMNS, ROWS = VD_ASPHALT_STRIP, STEP = 16, KNOTS = COLUMNS / STEP + 1 };
static const float PER_M = VD_ASPHALT_PER_M;

enum { OF_ROAD = 1300, OF_PATCH, OF_STRETCH, OF_TILE, OF_FIELD };

/* Slow fields over the ground. */
enum { FIELD_TONE, FIELD_STAIN, FIELD_WEAR, FIELD_GRASS, FIELD_HUE, FIELDS };

typedef enum side_kind { SIDE_GRAVEL, SIDE_PAVEMENT, SIDE_GRASS } side_kind;

/* One lane mark along the road. */
typedef struct line {
    float d, half, dash, period, shift; /* metres; period 0: without gaps */
    vd_rgb color;
} line;

struct vd_asphalt {
    vd_layout layout;
    uint32_t fields[FIELDS];
    side_kind side[2]; /* left, right */
    vd_rgb grass, dry, side_color[2];
    float kerb, beside; /* metres: width of the kerb, and of kerb and pavement or gravel together */
    float wear;         /* of the paint, 0 to 1 */
    line lines[3];
    int road_first, road_last; /* columns that asphalt may show in */
    float d[COLUMNS], tracks[COLUMNS];
    vd_tile grit;
};

/* The arrays of one strip and of the row at hand. */
typedef struct work {
    float knots[FIELDS][ROWS / STEP + 1][KNOTS + 1];
    float field[FIELDS][COLUMNS];
    float grit[COLUMNS], tone[COLUMNS];
    float r[COLUMNS], g[COLUMNS], b[COLUMNS];
} work;

static float clamp01(float value)
{
    /* In two steps it becomes two instructions without a branch. */
    value = value < 0 ? 0 : value;
    return value > 1 ? 1 : value;
}

static void choose_lines(vd_asphalt *a)
{
    static const float DASHES[4][2] = {{3, 9}, {4, 12}, {6, 9}, {3, 6}};
    uint64_t seed = a->layout.seed;
    vd_rgb white = {0.84, 0.84, 0.82}, yellow = {0.84, 0.66, 0.24};
    const float *dash = DASHES[vd_hash(seed, OF_ROAD, 0) % 4];
    float half = (float)vd_random_between(seed, OF_ROAD, 1, 0.055, 0.085);
    float inset = (float)vd_random_between(seed, OF_ROAD, 2, 0.22, 0.42);
    bool yellow_middle = vd_random(seed, OF_ROAD, 3) < 0.3, yellow_sides = vd_random(seed, OF_ROAD, 4) < 0.12;
    float edge = (float)a->layout.half_width - inset;
    a->lines[0] = (line){0,
                         half,
                         dash[0],
                         dash[1],
                         (float)vd_random_between(seed, OF_ROAD, 5, 0, 12),
                         yellow_middle ? yellow : white};
    a->lines[1] = (line){edge, half, 0, 0, 0, yellow_sides ? yellow : white};
    a->lines[2] = (line){-edge, half, 0, 0, 0, yellow_sides ? yellow : white};
    a->wear = (float)vd_random_between(seed, OF_ROAD, 6, 0.15, 0.75);
}

static void choose_sides(vd_asphalt *a)
{
    static const vd_rgb PAVED = {0.56, 0.55, 0.53}, GRAVEL = {0.52, 0.47, 0.40}, EARTH = {0.43, 0.38, 0.29};
    uint64_t seed = a->layout.seed;
    double kind = vd_random(seed, OF_ROAD, 10);
    a->kerb = 0.15f;
    a->beside = (float)vd_random_between(seed, OF_ROAD, 11, 0.5, 1.1);
    for (int i = 0; i < 2; i++) {
        bool paved = kind < 0.25 || (kind < 0.5 && i == 1);
        a->side[i] = paved ? SIDE_PAVEMENT : kind < 0.75 ? SIDE_GRAVEL : SIDE_GRASS;
        vd_rgb color = paved ? PAVED : kind < 0.75 ? GRAVEL : EARTH;
        a->side_color[i] = vd_rgb_scale(color, vd_random_between(seed, OF_ROAD, 12, 0.85, 1.12));
    }
    if (kind < 0.5)
        a->beside = (float)vd_random_between(seed, OF_ROAD, 13, 1.6, 2.4);
    double dry = vd_random(seed, OF_ROAD, 14), light = vd_random_between(seed, OF_ROAD, 15, 0.85, 1.15);
    a->grass = vd_rgb_scale(vd_rgb_mix((vd_rgb){0.25, 0.36, 0.17}, (vd_rgb){0.38, 0.40, 0.20}, dry), light);
    a->dry = vd_rgb_scale(vd_rgb_mix((vd_rgb){0.40, 0.44, 0.22}, (vd_rgb){0.56, 0.50, 0.30}, dry), light);
}

/* Wheels polish two tracks in each lane, and oil drips between them. */
static void choose_tracks(vd_asphalt *a)
{
    uint64_t seed = a->layout.seed;
    float deep = (float)vd_random_between(seed, OF_ROAD, 20, 0.03, 0.09),
          oil = (float)vd_random_between(seed, OF_ROAD, 21, 0.01, 0.05);
    float gauge = (float)vd_random_between(seed, OF_ROAD, 22, 0.70, 0.82), edge = (float)a->layout.half_width;
    for (int i = 0; i < COLUMNS; i++) {
        a->d[i] = VD_ASPHALT_HALF_M - ((float)i + 0.5f) / PER_M;
        float lane = fabsf(fabsf(a->d[i]) - (float)a->layout.lane), wheel = (lane - gauge) / 0.27f;
        float dust = clamp01((fabsf(a->d[i]) - edge + 0.5f) / 0.5f);
        a->tracks[i] = -deep * expf(-wheel * wheel) - oil * expf(-lane * lane / 0.09f) + 0.06f * dust * dust;
    }
}

int vd_asphalt_new(const vd_layout *layout, vd_asphalt **ret_asphalt)
{
    vd_asphalt *a = calloc(1, sizeof(*a));
    if (!a)
        return VD_ENOMEM;
    a->layout = *layout;
    for (int k = 0; k < FIELDS; k++)
        a->fields[k] = vd_hash(layout->seed, OF_FIELD, k);
    choose_lines(a);
    choose_sides(a);
    choose_tracks(a);
    int reach = (int)((layout->half_width + 0.6) * VD_ASPHALT_PER_M);
    a->road_first = COLUMNS / 2 - reach;
    a->road_last = COLUMNS / 2 + reach;
    int rc = vd_tile_fill(&a->grit, vd_hash(layout->seed, OF_TILE, 0), 26, 17, 10, 100);
    if (rc != VD_OK) {
        vd_asphalt_free(&a);
        return rc;
    }
    *ret_asphalt = a;
    return VD_OK;
}

void vd_asphalt_free(vd_asphalt **asphalt)
{
    if (!asphalt || !*asphalt)
        return;
    free(*asphalt);
    *asphalt = NULL;
}

/* Tone of whole stretches of a lane that were laid at other times, and of large rectangular repairs. */
typedef struct patch {
    double s1, s2; /* metres */
    float d1, d2, tone;
} patch;

static patch patch_of(const vd_asphalt *a, int64_t cell)
{
    uint64_t seed = a->layout.seed;
    double start = 14.0 * (double)cell + vd_random_between(seed, OF_PATCH, cell * 8, 0, 6),
           length = vd_random_between(seed, OF_PATCH, cell * 8 + 1, 3.5, 8);
    float width = (float)vd_random_between(seed, OF_PATCH, cell * 8 + 2, 1.9, 3.4),
          side = vd_random(seed, OF_PATCH, cell * 8 + 3) < 0.5 ? -1 : 1;
    float off = (float)vd_random_between(seed, OF_PATCH, cell * 8 + 4, -0.3, 0.3),
          middle = side * ((float)a->layout.lane + off);
    float tone = (float)vd_random_between(seed, OF_PATCH, cell * 8 + 5, -0.045, 0.075);
    if (vd_random(seed, OF_PATCH, cell * 8 + 6) < 0.45)
        tone = 0;
    return (patch){start, start + length, middle - width / 2, middle + width / 2, tone};
}

static patch stretch_of(const vd_asphalt *a, int64_t cell)
{
    uint64_t seed = a->layout.seed;
    double start = 37.0 * (double)cell + vd_random_between(seed, OF_STRETCH, cell * 4, 0, 20),
           length = vd_random_between(seed, OF_STRETCH, cell * 4 + 1, 18, 50);
    float tone = (float)vd_random_between(seed, OF_STRETCH, cell * 4 + 2, -0.07, 0.07);
    bool right = vd_random(seed, OF_STRETCH, cell * 4 + 3) < 0.5;
    return (patch){start, start + length, right ? -9 : 0, right ? 0 : 9, tone};
}

static void add_patch(const vd_asphalt *a, const patch *p, double s, float *tone)
{
    float along = clamp01((float)(s - p->s1) * 14) * clamp01((float)(p->s2 - s) * 14) * p->tone;
    if (along == 0)
        return;
    for (int i = a->road_first; i < a->road_last; i++)
        tone[i] += along * clamp01((a->d[i] - p->d1) * 14) * clamp01((p->d2 - a->d[i]) * 14);
}

static void fill_knots(const vd_asphalt *a, int64_t strip, work *w)
{
    static const double ALONG[FIELDS] = {0.07, 0.30, 0.9, 0.45, 0.16},
                        ACROSS[FIELDS] = {0.22, 0.55, 1.2, 0.5, 0.2};
    for (int k = 0; k < FIELDS; k++) {
        for (int y = 0; y <= ROWS / STEP; y++) {
            double s = (double)(strip * ROWS + y * STEP) / VD_ASPHALT_PER_M;
            for (int x = 0; x <= KNOTS; x++) {
                double d = (double)(x * STEP) / VD_ASPHALT_PER_M;
                w->knots[k][y][x] = (float)vd_noise_octaves(a->fields[k], s * ALONG[k], d * ACROSS[k]);
            }
        }
    }
}

static void spread_knots(work *w, int row)
{
    int y = row / STEP;
    float t = (float)(row % STEP) / STEP;
    for (int k = 0; k < FIELDS; k++) {
        const float *near = w->knots[k][y], *far = w->knots[k][y + 1];
        for (int x = 0; x < COLUMNS / STEP; x++) {
            float from = near[x] + t * (far[x] - near[x]),
                  slope = (near[x + 1] + t * (far[x + 1] - near[x + 1]) - from) / STEP;
            for (int i = 0; i < STEP; i++)
                w->field[k][x * STEP + i] = from + slope * (float)i;
        }
    }
}

static void spread_grit(const vd_asphalt *a, int64_t row, work *w)
{
    const uint8_t *from = a->grit.level[0][row & (VD_TILE_SIDE - 1)];
    /* The tile is narrower than the surface. */
    for (int first = 0; first < COLUMNS; first += VD_TILE_SIDE)
        for (int i = 0; i < VD_TILE_SIDE && first + i < COLUMNS; i++)
            w->grit[first + i] = (float)(from[i] - 128) / 128;
}

static void pave_row(const vd_asphalt *a, int64_t row, work *w)
{
    double s = ((double)row + 0.5) / VD_ASPHALT_PER_M;
    float rain = (float)a->layout.rain;
    const float *slow = w->field[FIELD_TONE], *stain = w->field[FIELD_STAIN], *grit = w->grit;
    for (int i = a->road_first; i < a->road_last; i++)
        w->tone[i] = 1 + a->tracks[i] * (1 + 0.7f * stain[i]) + (0.10f + 0.06f * rain) * slow[i] +
                     0.055f * stain[i] + 0.22f * (1 - 0.4f * rain) * grit[i];
    int64_t cell = (int64_t)floor(s / 14), stretch = (int64_t)floor(s / 37);
    for (int64_t k = cell - 1; k <= cell; k++) {
        patch p = patch_of(a, k);
        add_patch(a, &p, s, w->tone);
    }
    for (int64_t k = stretch - 2; k <= stretch; k++) {
        patch p = stretch_of(a, k);
        add_patch(a, &p, s, w->tone);
    }
    float wet = 1 - 0.34f * rain;
    float r = (float)a->layout.asphalt.r * wet, g = (float)a->layout.asphalt.g * wet,
          b = (float)a->layout.asphalt.b * wet * (1 + 0.04f * rain);
    for (int i = a->road_first; i < a->road_last; i++) {
        w->r[i] = r * (w->tone[i] + 0.02f * stain[i]);
        w->g[i] = g * w->tone[i];
        w->b[i] = b * (w->tone[i] - 0.02f * stain[i]);
    }
}

static void mark_row(const vd_asphalt *a, int64_t row, work *w)
{
    double s = ((double)row + 0.5) / VD_ASPHALT_PER_M;
    for (int k = 0; k < 3; k++) {
        const line *l = &a->lines[k];
        float along = 1;
        if (l->period > 0) {
            double turns = (s + l->shift) / l->period;
            float at = (float)(turns - floor(turns)) * l->period;
            along = clamp01(at * PER_M + 0.5f) * clamp01((l->dash - at) * PER_M + 0.5f);
        }
        int from = (int)((VD_ASPHALT_HALF_M - l->d - l->half) * PER_M) - 2,
            to = from + (int)(2 * l->half * PER_M) + 5;
        for (int i = from; i < to && along > 0; i++) {
            float inside = clamp01((l->half - fabsf(a->d[i] - l->d)) * PER_M + 0.5f);
            float worn = 0.95f + a->wear * (0.5f * w->field[FIELD_WEAR][i] + 0.9f * w->grit[i] - 0.35f);
            float share = inside * along * clamp01(worn), light = 1 + 0.10f * w->grit[i];
            w->r[i] += share * ((float)l->color.r * light - w->r[i]);
            w->g[i] += share * ((float)l->color.g * light - w->g[i]);
            w->b[i] += share * ((float)l->color.b * light - w->b[i]);
        }
    }
}

/* Light of the paving beside a road, kerb first: it reaches `out` metres beyond the asphalt. `along` is how
 * near the row is to a joint across it, 0 to 1. */
static float paving(float kerb, float out, float along, float grit)
{
    float across = out * 2 - kerb * 2 + 8;
    across -= (float)(int)across;
    across = 0.5f - fabsf(across - 0.5f);
    float joint = clamp01(1 - across * 0.5f * VD_ASPHALT_PER_M);
    joint = joint > along ? joint : along;
    float stone = 1.22f + 0.08f * grit, slab = 1 - 0.10f * joint + 0.10f * grit;
    return out < kerb ? stone : slab;
}

/* The border of a verge in one row. */
typedef struct border {
    float from, soft;  /* metres from the road's middle where the asphalt ends; how sharply, 1/m */
    float green, fray; /* the same of the grass */
    float joint;
} border;

static border border_of(const vd_asphalt *a, double s, bool right)
{
    bool paved = a->side[right] == SIDE_PAVEMENT;
    uint32_t seed = a->fields[FIELD_GRASS] + 77 + right;
    float road = (float)a->layout.half_width, rough = (float)vd_noise_octaves(seed, s * 1.3, 0.5),
          ragged = (float)vd_noise(seed, s * 7, 9.5), turn = (float)(2 * s - floor(2 * s));
    float near = turn < 0.5f ? turn : 1 - turn;
    if (paved)
        return (border){road, PER_M, road + a->beside + 0.02f * ragged, 20, clamp01(1 - near * 0.5f * PER_M)};
    float from = road + 0.07f * rough + 0.03f * ragged;
    float green = a->side[right] == SIDE_GRASS ? from + 0.16f + 0.1f * rough
                                               : road + a->beside + 0.16f * rough + 0.07f * ragged;
    return (border){from, 9, green, 5, 0};
}

static void edge_row(const vd_asphalt *a, int64_t row, bool right, work *w)
{
    border at = border_of(a, ((double)row + 0.5) / VD_ASPHALT_PER_M, right);
    bool paved = a->side[right] == SIDE_PAVEMENT;
    float sign = right ? -1 : 1, road = (float)a->layout.half_width, kerb = a->kerb;
    float damp = 1 - 0.25f * (float)a->layout.rain;
    vd_rgb side = a->side_color[right], low = a->grass, high = a->dry;
    float sr = (float)side.r, sg = (float)side.g, sb = (float)side.b, lr = (float)low.r, lg = (float)low.g,
          lb = (float)low.b, hr = (float)high.r - lr, hg = (float)high.g - lg, hb = (float)high.b - lb;
    int inner = (int)((road - 0.4f) * PER_M), first = right ? COLUMNS / 2 + inner : 0,
        last = right ? COLUMNS : COLUMNS / 2 - inner;
    const float *field = w->field[FIELD_GRASS], *hues = w->field[FIELD_HUE], *grits = w->grit;
    for (int i = first; i < last; i++) {
        float d = sign * a->d[i], grit = grits[i], blade = field[i];
        float share = clamp01((d - at.from) * at.soft + 0.5f),
              green = clamp01((d - at.green + 0.25f * grit) * at.fray + 0.5f);
        float slab = paving(kerb, d - road, at.joint, grit), loose = 1 + 0.38f * grit + 0.08f * blade;
        float light = share * damp * (paved ? slab : loose), rest = 1 - share;
        float hue = clamp01(0.42f + 0.55f * hues[i] + 0.25f * blade + 0.5f * grit);
        float shade = green * damp * (1 + 0.20f * blade + 0.45f * grit), other = 1 - green;
        w->r[i] = (w->r[i] * rest + sr * light) * other + shade * (lr + hr * hue);
        w->g[i] = (w->g[i] * rest + sg * light) * other + shade * (lg + hg * hue);
        w->b[i] = (w->b[i] * rest + sb * light) * other + shade * (lb + hb * hue);
    }
}

static void store_row(const work *w, uint8_t *restrict to)
{
    for (int i = 0; i < COLUMNS; i++) {
        float b = w->b[i] * 255 + 0.5f, g = w->g[i] * 255 + 0.5f, r = w->r[i] * 255 + 0.5f;
        to[4 * i] = (uint8_t)(int)(b < 32 ? 32 : b > 222 ? 222 : b);
        to[4 * i + 1] = (uint8_t)(int)(g < 32 ? 32 : g > 222 ? 222 : g);
        to[4 * i + 2] = (uint8_t)(int)(r < 32 ? 32 : r > 222 ? 222 : r);
        to[4 * i + 3] = 255;
    }
}

void vd_asphalt_paint(const vd_asphalt *asphalt, int64_t strip, uint8_t *ret_pixels)
{
    work w;
    /* Where no asphalt is, the verge mixes all of itself with none of this. */
    memset(&w, 0, sizeof(w));
    fill_knots(asphalt, strip, &w);
    for (int y = 0; y < ROWS; y++) {
        int64_t row = strip * ROWS + y;
        spread_knots(&w, y);
        spread_grit(asphalt, row, &w);
        pave_row(asphalt, row, &w);
        mark_row(asphalt, row, &w);
        edge_row(asphalt, row, false, &w);
        edge_row(asphalt, row, true, &w);
        store_row(&w, ret_pixels + (size_t)y * COLUMNS * 4);
    }
}
