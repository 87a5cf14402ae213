#include "scene/shape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scene/shape_line.h"
#include "scene/world.h"
#include "vedette/error.h"

/* Numbers of the choices that a seed makes, apart from each other. */
enum { OF_OUTLINE = 1, OF_LOOK, OF_TEXTURE };

/* A soft edge of width w reaches from EDGE_OUT·w outside the border to EDGE_IN·w inside it: at the border
 * itself 15 % of the darkness is there. */
static const float EDGE_OUT = 0.2435f, EDGE_IN = 0.7565f;

static const double MARGIN_M = 0.05; /* around the visible form */

enum { BLOB_ANGLES = 450, BLOB_STEP = 5 };

typedef struct blob {
    /* By angle: the border, how much nearer than along the ray it is, brightness of the rim. */
    float radius[BLOB_ANGLES + 1], slant[BLOB_ANGLES + 1], rim[BLOB_ANGLES + 1];
    /* From metres to the circle that the outline is a wrinkled one of: (s - middle_s) / scale_s. */
    double middle_s, middle_d, scale_s, scale_d;
    int extremes[4]; /* angles at which it reaches farthest */
} blob;

static double angle_of(int index)
{
    return index * 2 * M_PI / BLOB_ANGLES - M_PI;
}

static float smooth(float from, float to, float value)
{
    float t = (value - from) / (to - from);
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    return t * t * (3 - 2 * t);
}

/* Five harmonics make the outline, noise frays it. */
static void wrinkle(uint64_t seed, blob *b)
{
    double fray = vd_random_between(seed, OF_OUTLINE, 0, 0.01, 0.07), rim = vd_random(seed, OF_LOOK, 0);
    rim = rim < 0.25 ? 0 : 0.4 * (rim - 0.25);
    uint32_t noise = vd_hash(seed, OF_OUTLINE, 1);
    double lit = atan2(-VD_SUN.y, -VD_SUN.x);
    for (int i = 0; i < BLOB_ANGLES; i++) {
        double angle = angle_of(i), c = cos(angle), s = sin(angle), radius = 1;
        for (int h = 1; h <= 5; h++)
            radius += vd_random_between(seed, OF_OUTLINE, 10 + h, 0.02, 0.2) / pow(h, 0.6) *
                      cos(h * angle + vd_random_between(seed, OF_OUTLINE, 20 + h, 0, 2 * M_PI));
        radius += fray * (vd_noise(noise, 5 * c, 5 * s) + 0.6 * vd_noise(noise + 1, 13 * c, 13 * s));
        b->radius[i] = (float)vd_clamp(radius, 0.35, 2);
        double broken = vd_smooth(-0.35, 0.35, vd_noise(noise + 2, 2.5 * c, 2.5 * s));
        b->rim[i] = (float)(rim * broken * (0.65 + 0.35 * cos(angle - lit)));
    }
    for (int i = 0; i < BLOB_ANGLES; i++) {
        double rise = b->radius[(i + 6) % BLOB_ANGLES] - b->radius[(i + BLOB_ANGLES - 6) % BLOB_ANGLES];
        double slope = rise / (12 * 2 * M_PI / BLOB_ANGLES) / b->radius[i];
        b->slant[i] = (float)(1 / sqrt(1 + slope * slope));
    }
    b->radius[BLOB_ANGLES] = b->radius[0];
    b->slant[BLOB_ANGLES] = b->slant[0];
    b->rim[BLOB_ANGLES] = b->rim[0];
}

static void make_blob(uint64_t seed, double length, double width, blob *b)
{
    wrinkle(seed, b);
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (int i = 0; i < BLOB_ANGLES; i++) {
        double at[2] = {b->radius[i] * cos(angle_of(i)), b->radius[i] * sin(angle_of(i))};
        for (int axis = 0; axis < 2; axis++) {
            if (at[axis] < low[axis]) {
                low[axis] = at[axis];
                b->extremes[2 * axis] = i;
            }
            if (at[axis] > high[axis]) {
                high[axis] = at[axis];
                b->extremes[2 * axis + 1] = i;
            }
        }
    }
    b->scale_s = length / (high[0] - low[0]);
    b->scale_d = width / (high[1] - low[1]);
    b->middle_s = -(high[0] + low[0]) / 2 * b->scale_s;
    b->middle_d = -(high[1] + low[1]) / 2 * b->scale_d;
}

static int blob_outline(uint64_t seed, double length, double width, vd_shape_point *ret_points)
{
    blob b;
    make_blob(seed, length, width, &b);
    int count = 0;
    for (int i = 0; i < BLOB_ANGLES; i++) {
        bool kept = i % BLOB_STEP == 0;
        for (int k = 0; k < 4; k++)
            kept |= b.extremes[k] == i;
        if (kept)
            ret_points[count++] = (vd_shape_point){b.middle_s + b.scale_s * b.radius[i] * cos(angle_of(i)),
                                                   b.middle_d + b.scale_d * b.radius[i] * sin(angle_of(i))};
    }
    return count;
}

/* What all blobs and lines choose from the same ranges, whatever they stand for. */
typedef struct look {
    float dark, edge;   /* share of the light that is taken; metres */
    float relief, wall; /* how much darker it is towards the sun, where a hole's wall would be in shadow, and
                           how wide that is, metres */
    float grain, stones, steps;
    uint32_t noise;
} look;

static look look_of(uint64_t seed)
{
    return (look){.dark = (float)vd_random_between(seed, OF_LOOK, 1, 0.35, 0.70),
                  .edge = (float)vd_random_between(seed, OF_LOOK, 2, 0.012, 0.055),
                  .relief = (float)vd_random_between(seed, OF_LOOK, 3, 0, 0.55),
                  .wall = (float)vd_random_between(seed, OF_LOOK, 7, 0.06, 0.22),
                  .grain = (float)vd_random_between(seed, OF_LOOK, 4, 0.05, 0.30),
                  .stones = (float)vd_random_between(seed, OF_LOOK, 5, 0, 0.30),
                  .steps = (float)vd_random_between(seed, OF_LOOK, 6, 0.05, 0.30),
                  .noise = vd_hash(seed, OF_TEXTURE, 0)};
}

/* The light of a place inside a blob: darker inwards and towards the sun, coarse gravel, single stones. */
static float blob_floor(const look *l, float s, float d, float inside, float sunward)
{
    float grain = (float)vd_noise_octaves(l->noise, 17 * s, 17 * d);
    /* Turned and bent, so that the stones do not lie in rows. */
    float stone =
        (float)vd_noise(l->noise + 7, 27 * s + 19 * d + 1.4f * grain, 27 * d - 19 * s - 1.4f * grain);
    stone = smooth(0.40f, 0.62f, stone);
    float deep = 1 - l->steps * (1 - smooth(0.02f, 0.16f, inside + 0.05f * grain));
    float wall = 0.25f + 0.75f * (1 - smooth(0.02f, l->wall, inside + 0.04f * grain));
    float dark = l->dark * deep * (1 + l->relief * wall * sunward) * (1 + l->grain * grain * 1.6f);
    return 1 - (dark > 0.85f ? 0.85f : dark) + l->stones * stone * l->dark;
}

static float blob_light(const blob *b, const look *l, float s, float d)
{
    float u = (s - (float)b->middle_s) / (float)b->scale_s, v = (d - (float)b->middle_d) / (float)b->scale_d;
    float ray = sqrtf(u * u + v * v) + 1e-6f;
    if (ray > 2.2f)
        return 1;
    float turn = (atan2f(v, u) + (float)M_PI) * (float)(BLOB_ANGLES / (2 * M_PI));
    int i = (int)turn;
    i = i < 0 ? 0 : i >= BLOB_ANGLES ? BLOB_ANGLES - 1 : i;
    float part = turn - (float)i;
    float radius = b->radius[i] + part * (b->radius[i + 1] - b->radius[i]);
    float metres = sqrtf((s - (float)b->middle_s) * (s - (float)b->middle_s) +
                         (d - (float)b->middle_d) * (d - (float)b->middle_d));
    float inside = (radius / ray - 1) * metres * b->slant[i];
    if (ray < 0.05f)
        inside = radius * (float)fmin(b->scale_s, b->scale_d);
    if (inside < -EDGE_OUT * l->edge - 0.004f)
        return 1;
    /* The rim lies inside the border too; where there is little of it, it is narrow. */
    float rim = b->rim[i] + part * (b->rim[i + 1] - b->rim[i]), wide = 0.16f * rim;
    float cover = smooth(-EDGE_OUT * l->edge, EDGE_IN * l->edge, inside - wide);
    float bright = wide > 0.001f ? rim * smooth(-0.004f, 0.008f, inside) : 0;
    float sunward = ((float)VD_SUN.x * u + (float)VD_SUN.y * v) / (0.6f * (ray > 0.4f ? ray : 0.4f));
    float floor = cover > 0 ? blob_floor(l, s, d, inside - wide, sunward) : 1;
    return (1 + bright * (1 - cover)) * (1 - cover) + cover * floor;
}

static uint8_t to_texel(float light)
{
    float value = light * 128 + 0.5f;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void paint_blob(uint64_t seed, double length, double width, vd_shape *shape)
{
    blob b;
    make_blob(seed, length, width, &b);
    look l = look_of(seed);
    for (int row = 0; row < shape->rows[0]; row++) {
        float s = (float)((row + 0.5) / shape->per_m - shape->length / 2);
        for (int column = 0; column < shape->columns; column++) {
            float d = (float)(shape->width / 2 - (column + 0.5) / shape->per_m);
            shape->level[0][(size_t)row * (size_t)shape->columns + (size_t)column] =
                to_texel(blob_light(&b, &l, s, d));
        }
    }
}

/* Cast iron in its frame: a dark gap, a lighter ring, rows of studs or rings of them, two holes to lift it.
 */
static float disc_light(const look *l, uint64_t seed, float u, float v)
{
    float ray = sqrtf(u * u + v * v), dark = 0.6f * l->dark;
    if (ray > 1.02f)
        return 1;
    float turn = (float)vd_random(seed, OF_LOOK, 20) * 3.14f, c = cosf(turn), s = sinf(turn);
    float x = c * u - s * v, y = s * u + c * v, studs;
    if (vd_random(seed, OF_LOOK, 21) < 0.6)
        studs = sinf(22 * x) * sinf(22 * y);
    else
        studs = sinf(26 * ray) * (0.6f + 0.4f * cosf(16 * atan2f(y, x)));
    float light = 1 - dark + 0.16f * smooth(-0.2f, 0.5f, studs) * (1 - smooth(0.76f, 0.78f, ray));
    light -= 0.4f * (smooth(0.80f, 0.83f, ray) - smooth(0.85f, 0.88f, ray));
    light += 0.08f * smooth(0.86f, 0.89f, ray);
    light += 0.05f * (float)vd_noise_octaves(l->noise, 9 * u, 9 * v);
    float hole = fabsf(x) < 0.05f ? fabsf(fabsf(y) - 0.6f) : 1;
    light -= 0.35f * (1 - smooth(0.05f, 0.09f, hole));
    float cover = 1 - smooth(0.985f, 1.01f, ray);
    return 1 + cover * ((light < 0.15f ? 0.15f : light) - 1);
}

static void paint_disc(uint64_t seed, double length, double width, vd_shape *shape)
{
    look l = look_of(seed);
    for (int row = 0; row < shape->rows[0]; row++) {
        float u = (float)(((row + 0.5) / shape->per_m - shape->length / 2) * 2 / length);
        for (int column = 0; column < shape->columns; column++) {
            float v = (float)((shape->width / 2 - (column + 0.5) / shape->per_m) * 2 / width);
            shape->level[0][(size_t)row * (size_t)shape->columns + (size_t)column] =
                to_texel(disc_light(&l, seed, u, v));
        }
    }
}

static int paint_lines(vd_shape_form form, uint64_t seed, double length, double width, vd_shape *shape)
{
    size_t texels = (size_t)shape->columns * (size_t)shape->rows[0];
    float *reach = malloc(texels * sizeof(*reach));
    if (!reach)
        return VD_ENOMEM;
    for (size_t i = 0; i < texels; i++)
        reach[i] = -1;
    look l = look_of(seed);
    bool seam = form == VD_SHAPE_SEAM;
    float edge = seam ? 0.02f : 0.010f + 0.3f * (l.edge - 0.012f), dark = seam ? l.dark : l.dark + 0.08f;
    vd_lines lines;
    vd_lines_make(form, seed, length, width, &lines);
    vd_lines_reach(&lines, edge, shape->per_m, shape->columns, shape->rows[0], reach);
    for (size_t i = 0; i < texels; i++) {
        shape->level[0][i] = 128;
        if (reach[i] < -EDGE_OUT * edge)
            continue;
        double s = (double)(i / (size_t)shape->columns) / shape->per_m,
               d = (double)(i % (size_t)shape->columns) / shape->per_m;
        float crumbs = (float)vd_noise(l.noise, 60 * s, 60 * d);
        float inside = reach[i] + (seam ? 0.001f : 0.002f) * (crumbs - 0.5f);
        float cover = smooth(-EDGE_OUT * edge, EDGE_IN * edge, inside);
        float spots = seam ? 0.12f * (float)vd_noise_octaves(l.noise, 8 * s, 8 * d) : l.grain * 0.6f * crumbs;
        shape->level[0][i] = to_texel(1 - cover * dark * (1 + spots));
    }
    free(reach);
    return VD_OK;
}

/* Each level is the mean of two rows of the one before. */
static void make_levels(vd_shape *shape)
{
    size_t columns = (size_t)shape->columns;
    for (int k = 1; k < VD_SHAPE_LEVELS; k++) {
        for (int row = 0; row < shape->rows[k]; row++) {
            int second = 2 * row + 1 < shape->rows[k - 1] ? 2 * row + 1 : 2 * row;
            const uint8_t *a = shape->level[k - 1] + (size_t)(2 * row) * columns,
                          *b = shape->level[k - 1] + (size_t)second * columns;
            uint8_t *to = shape->level[k] + (size_t)row * columns;
            for (size_t i = 0; i < columns; i++)
                to[i] = (uint8_t)((a[i] + b[i] + 1) / 2);
        }
    }
}

static int make_room(double length, double width, double per_m, vd_shape *shape)
{
    length = vd_clamp(length, 0.3, 6) + 2 * MARGIN_M;
    width = vd_clamp(width, 0.3, 6) + 2 * MARGIN_M;
    per_m = vd_clamp(per_m, 32, 160);
    per_m = fmin(per_m, fmin((VD_SHAPE_COLUMNS - 1) / width, (VD_SHAPE_ROWS - 1) / length));
    *shape = (vd_shape){.per_m = per_m, .columns = (int)ceil(width * per_m)};
    size_t texels = 0;
    for (int k = 0; k < VD_SHAPE_LEVELS; k++) {
        shape->rows[k] = k ? (shape->rows[k - 1] + 1) / 2 : (int)ceil(length * per_m);
        texels += (size_t)shape->rows[k] * (size_t)shape->columns;
    }
    shape->length = shape->rows[0] / per_m;
    shape->width = shape->columns / per_m;
    uint8_t *block = malloc(texels);
    if (!block)
        return VD_ENOMEM;
    for (int k = 0; k < VD_SHAPE_LEVELS; k++) {
        shape->level[k] = block;
        block += (size_t)shape->rows[k] * (size_t)shape->columns;
    }
    return VD_OK;
}

int vd_shape_paint(vd_shape_form form, uint64_t seed, double length, double width, double per_m,
                   vd_shape *ret_shape)
{
    vd_shape shape;
    int rc = make_room(length, width, per_m, &shape);
    if (rc != VD_OK)
        return rc;
    if (form == VD_SHAPE_BLOB)
        paint_blob(seed, length, width, &shape);
    else if (form == VD_SHAPE_DISC)
        paint_disc(seed, length, width, &shape);
    else
        rc = paint_lines(form, seed, length, width, &shape);
    if (rc != VD_OK) {
        vd_shape_clear(&shape);
        return rc;
    }
    make_levels(&shape);
    *ret_shape = shape;
    return VD_OK;
}

void vd_shape_clear(vd_shape *shape)
{
    free(shape->level[0]);
    *shape = (vd_shape){0};
}

int vd_shape_outline(vd_shape_form form, uint64_t seed, double length, double width,
                     vd_shape_point *ret_points)
{
    if (form == VD_SHAPE_BLOB)
        return blob_outline(seed, length, width, ret_points);
    if (form == VD_SHAPE_DISC) {
        for (int i = 0; i < 64; i++)
            ret_points[i] = (vd_shape_point){length / 2 * cos(i * M_PI / 32), width / 2 * sin(i * M_PI / 32)};
        return 64;
    }
    vd_lines lines;
    vd_lines_make(form, seed, length, width, &lines);
    return vd_lines_hull(&lines, ret_points);
}
