#include "scene/ground.h"

#include <math.h>
#include <stddef.h>

/* A pixel's patch of ground. */
typedef struct patch {
    double x, y;         /* its middle, metres */
    double span_x, span; /* how many metres of the ground it covers along and across the road */
    double depth;
    uint32_t seed;
} patch;

/* How much of the patch lies between two lines along the road. */
static double band(const patch *p, double from, double to)
{
    double low = p->y - p->span / 2, high = p->y + p->span / 2;
    if (high <= from || low >= to)
        return 0;
    return ((high < to ? high : to) - (low > from ? low : from)) / p->span;
}

/* How much lies in dashes of `on` metres that repeat every `period`. */
static double dashes(const patch *p, double on, double period)
{
    double at = p->x - period * floor(p->x / period), soft = fmax(p->span_x, 0.02);
    double into = vd_clamp(at / soft + 0.5, 0, 1) * vd_clamp((on - at) / soft + 0.5, 0, 1);
    return fmax(into, vd_clamp((at - period) / soft + 0.5, 0, 1));
}

/* Detail of a size in metres, fading out where a pixel covers more than that. */
static double detail(const patch *p, uint32_t salt, double size, double stretch)
{
    double seen = vd_clamp(1.6 - fmax(p->span, p->span_x / stretch) / size, 0, 1);
    return seen <= 0 ? 0 : seen * vd_noise(p->seed + salt, p->x / (size * stretch), p->y / size);
}

/* Daisies and dandelions, one to a cell of 30 cm where there are any. */
static double flowers(const patch *p)
{
    double column = floor(p->x / 0.3), row = floor(p->y / 0.3), seen = vd_clamp(1.5 - p->span / 0.1, 0, 1);
    double chance = vd_random(p->seed + 32, (int64_t)column, (int64_t)row);
    if (seen <= 0 || chance > 0.28 || chance > 0.28 * (vd_noise(p->seed + 31, p->x / 1.6, p->y / 1.6) + 0.1))
        return 0;
    double x = (column + 0.2 + 0.6 * vd_random(p->seed + 33, (int64_t)column, (int64_t)row)) * 0.3 - p->x;
    double y = (row + 0.2 + 0.6 * vd_random(p->seed + 34, (int64_t)column, (int64_t)row)) * 0.3 - p->y;
    return 0.85 * seen * vd_clamp(1.6 - sqrt(x * x + y * y) / 0.035, 0, 1);
}

static vd_rgb flower_color(const patch *p)
{
    double chance = vd_random(p->seed + 35, (int64_t)floor(p->x / 0.3), (int64_t)floor(p->y / 0.3));
    return vd_rgb_hex(chance < 0.7 ? 0xf0f0e6 : 0xe9cc2e);
}

/* The shade of a tree behind the camera: light falls through its leaves in spots. */
static double dapple(const patch *p)
{
    double crown = 1 - hypot((p->x + 12.5) / 7.5, (p->y - 9) / 4.6);
    if (crown < -0.4)
        return 0;
    double edge = crown + 0.35 * vd_noise_octaves(p->seed + 36, p->x / 1.3, p->y / 1.3);
    double spots = vd_noise_octaves(p->seed + 37, p->x / 0.5, p->y / 0.5);
    return vd_smooth(0.0, 0.22, edge) * (1 - 0.75 * vd_smooth(0.12, 0.4, spots));
}

static vd_rgb grass(const patch *p)
{
    double large = vd_noise_octaves(p->seed + 20, p->x / 5, p->y / 3.2);
    double fine = detail(p, 24, 0.22, 1.3) + 0.8 * detail(p, 25, 0.09, 1) + 0.7 * detail(p, 26, 0.04, 0.7);
    vd_rgb color = vd_rgb_mix(vd_rgb_hex(0x55702f), vd_rgb_hex(0x86944a), vd_clamp(0.45 + 0.5 * large, 0, 1));
    double worn = vd_smooth(0.2, 0.65, vd_noise(p->seed + 30, p->x / 3.1 + 40, p->y / 2.2));
    color = vd_rgb_mix(color, vd_rgb_hex(0x8f8558), 0.45 * worn);
    color = vd_rgb_scale(color, 1 + 0.17 * fine);
    return vd_rgb_mix(color, flower_color(p), flowers(p));
}

static vd_rgb asphalt(const patch *p)
{
    double large = vd_noise_octaves(p->seed + 40, p->x / 9, p->y / 4);
    double grain = detail(p, 44, 0.05, 1) + detail(p, 45, 0.025, 1);
    vd_rgb color = vd_rgb_scale(vd_rgb_hex(0x74767a), 1 + 0.06 * large + 0.09 * grain);

    /* Wheels polish two tracks a lane; oil darkens the strip between them. */
    double lane = VD_ROAD_MIDDLE - VD_ROAD_LANE_NEAR,
           in_lane = fmod(p->y - VD_ROAD_LANE_NEAR + lane, lane) / lane;
    double tracks = exp(-pow((fabs(in_lane - 0.5) - 0.23) / 0.09, 2)),
           oil = exp(-pow((in_lane - 0.5) / 0.11, 2));
    color = vd_rgb_scale(color, 1 + 0.05 * tracks - 0.07 * oil);

    /* Seams and cracks, and a patch or two where somebody dug. */
    double wander =
        0.5 * vd_noise(p->seed + 50, p->x / 2.3, 0.5) + 0.1 * vd_noise(p->seed + 51, p->x / 0.3, 0.5);
    double crack = fabs(p->y - 20.3 - wander) / fmax(0.025, p->span / 2);
    double broken = vd_smooth(0.05, 0.4, vd_noise(p->seed + 52, p->x / 4, 3.5));
    color = vd_rgb_scale(color, 1 - 0.34 * broken * vd_clamp(1.5 - crack, 0, 1));
    for (int i = 0; i < 3; i++) {
        double x = -10 - 18 * i - 9 * vd_random(p->seed, 60, i), y = 19.3 + 5 * vd_random(p->seed, 61, i);
        double along = vd_smooth(1.55, 1.45, fabs(p->x - x)), across = vd_smooth(0.62, 0.54, fabs(p->y - y));
        color = vd_rgb_scale(color, 1 - 0.17 * along * across);
    }
    return color;
}

static vd_rgb slabs(const patch *p)
{
    double row = floor(p->y / 0.7), shift = (fmod(fabs(row), 2)) * 0.45, column = floor((p->x + shift) / 0.9);
    double tone = 2 * vd_random(p->seed + 70, (int64_t)row, (int64_t)column) - 1;
    double gap_y = fabs(p->y / 0.7 - round(p->y / 0.7)) * 0.7;
    double gap_x = fabs((p->x + shift) / 0.9 - round((p->x + shift) / 0.9)) * 0.9;
    double seen = vd_clamp(1.3 - p->span / 0.3, 0, 1), soft = fmax(0.02, p->span / 2);
    double joint = seen * fmax(vd_clamp(1.2 - gap_y / soft, 0, 1),
                               vd_clamp(1.2 - gap_x / fmax(0.02, p->span_x / 2), 0, 1));
    double dirt = vd_noise_octaves(p->seed + 75, p->x / 2.5, p->y / 1.4);
    double grain = detail(p, 76, 0.05, 1);
    return vd_rgb_scale(vd_rgb_hex(0xaba79e),
                        1 + 0.045 * tone * seen - 0.2 * joint + 0.06 * dirt + 0.05 * grain);
}

/* Paint lies on the road until tyres wear it off. */
static vd_rgb markings(const patch *p, vd_rgb road)
{
    double paint = band(p, VD_ROAD_MIDDLE - 0.07, VD_ROAD_MIDDLE + 0.07) * dashes(p, 3, 7.5);
    paint = fmax(paint, band(p, VD_ROAD_LANE_NEAR - 0.06, VD_ROAD_LANE_NEAR + 0.06) * dashes(p, 1, 2));
    paint = fmax(paint, band(p, VD_ROAD_EDGE_FAR - 0.32, VD_ROAD_EDGE_FAR - 0.2));
    double worn = 0.84 + 0.16 * vd_noise(p->seed + 80, p->x / 0.7, p->y / 0.3);
    return vd_rgb_mix(road, vd_rgb_hex(0xe4e2da), paint * worn);
}

static vd_rgb ground_color(const patch *p)
{
    double road = band(p, VD_ROAD_CYCLES, VD_ROAD_KERB_FAR);
    double paths =
        band(p, VD_ROAD_PATH_NEAR, VD_ROAD_KERB_NEAR) + band(p, VD_ROAD_KERB_FAR + 0.15, VD_ROAD_PATH_FAR);
    double kerbs =
        band(p, VD_ROAD_KERB_NEAR, VD_ROAD_CYCLES) + band(p, VD_ROAD_KERB_FAR, VD_ROAD_KERB_FAR + 0.15);
    double green = vd_clamp(1 - road - paths - kerbs, 0, 1);
    vd_rgb sum = {0, 0, 0}, part;
    if (road > 0) {
        part = asphalt(p);
        double cycles = band(p, VD_ROAD_CYCLES, VD_ROAD_LANE_NEAR - 0.06);
        vd_rgb red = {part.r * 1.28, part.g * 0.86, part.b * 0.78};
        part = markings(p, vd_rgb_mix(part, red, vd_clamp(cycles / road, 0, 1)));
        double gutter =
            band(p, VD_ROAD_CYCLES, VD_ROAD_CYCLES + 0.3) + band(p, VD_ROAD_KERB_FAR - 0.3, VD_ROAD_KERB_FAR);
        part = vd_rgb_scale(part, 1 - 0.14 * vd_clamp(gutter, 0, 1));
        sum = vd_rgb_scale(part, road);
    }
    if (paths > 0) {
        part = slabs(p);
        sum = (vd_rgb){sum.r + part.r * paths, sum.g + part.g * paths, sum.b + part.b * paths};
    }
    if (kerbs > 0) {
        part = vd_rgb_scale(vd_rgb_hex(0xc2bfb6), 1 + 0.05 * vd_noise(p->seed + 90, p->x * 1.3, 0.5));
        sum = (vd_rgb){sum.r + part.r * kerbs, sum.g + part.g * kerbs, sum.b + part.b * kerbs};
    }
    if (green > 0) {
        part = grass(p);
        sum = (vd_rgb){sum.r + part.r * green, sum.g + part.g * green, sum.b + part.b * green};
    }
    return sum;
}

static vd_rgb sky_color(const vd_camera *camera, uint32_t seed, double px, double py)
{
    double up = (camera->horizon_y - py) / camera->focal, side = (px - camera->center_x) / camera->focal;
    vd_rgb color = vd_rgb_mix(vd_rgb_hex(0xd3dde4), vd_rgb_hex(0x86aad0), vd_smooth(0, 0.2, up));
    /* Clouds lie on a plane above: they draw together towards the horizon. */
    double flat = 0.045 / (up + 0.035);
    double cloud = vd_noise_octaves(seed + 100, side * flat * 9, flat * 6.5);
    double cover = vd_smooth(-0.05, 0.5, cloud) * vd_smooth(0, 0.06, up);
    color = vd_rgb_mix(color, vd_rgb_hex(0xf3f4f4), 0.85 * cover);

    /* Two ranges of hills, the farther one nearly as pale as the air. */
    double far = 0.016 + 0.012 * vd_noise_octaves(seed + 110, side * 5, 0.5);
    double near = 0.006 + 0.009 * vd_noise_octaves(seed + 120, side * 9, 0.5) +
                  0.0025 * vd_noise(seed + 121, side * 90, 0.5);
    double edge = 0.7 / camera->focal;
    color = vd_rgb_mix(color, vd_rgb_hex(0xa9bac2), vd_clamp((far - up) / edge + 0.5, 0, 1));
    return vd_rgb_mix(color, vd_rgb_hex(0x84998f), vd_clamp((near - up) / edge + 0.5, 0, 1));
}

static vd_rgb ray_color(const vd_camera *camera, uint32_t seed, int x, int y)
{
    double below = y + 0.5 - camera->horizon_y;
    if (below <= 1)
        return sky_color(camera, seed, x + 0.5, y + 0.5);
    double depth = camera->focal * camera->pole / below, side = (x + 0.5 - camera->center_x) / camera->focal;
    patch p = {.depth = depth, .seed = seed};
    p.x = depth * (side * camera->cos_yaw - camera->sin_yaw);
    p.y = depth * (side * camera->sin_yaw + camera->cos_yaw);
    double step = depth / camera->focal;
    p.span = step * fabs(camera->sin_yaw) + fabs(p.y) / below;
    p.span_x = step * fabs(camera->cos_yaw) + fabs(p.x) / below;
    double haze = 1 - exp(-depth / 420);
    vd_rgb color = ground_color(&p);
    if (p.y < VD_ROAD_KERB_NEAR) {
        double shade = dapple(&p);
        color = (vd_rgb){color.r * (1 - 0.46 * shade), color.g * (1 - 0.42 * shade),
                         color.b * (1 - 0.34 * shade)};
    }
    return vd_rgb_mix(color, vd_rgb_hex(0xc4d0d6), haze);
}

static uint8_t to_byte(double value)
{
    return (uint8_t)(vd_clamp(value, 0, 1) * 255 + 0.5);
}

void vd_ground_paint(const vd_camera *camera, unsigned seed, const vd_image *image)
{
    for (int y = 0; y < image->height; y++) {
        uint8_t *row = image->planes[0] + (size_t)y * (size_t)image->strides[0];
        for (int x = 0; x < image->width; x++) {
            vd_rgb color = ray_color(camera, seed * 977u + 13u, x, y);
            row[4 * x] = to_byte(color.b);
            row[4 * x + 1] = to_byte(color.g);
            row[4 * x + 2] = to_byte(color.r);
            row[4 * x + 3] = 255;
        }
    }
}
