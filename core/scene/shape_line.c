#include "scene/shape_line.h"

#include <math.h>
#include <stdlib.h>

#include "scene/world.h"

/* Numbers of the choices that a seed makes, apart from each other and from those of shape.c. */
enum { OF_MAIN = 100, OF_FORK, OF_TWIG, OF_HAIR, OF_SEAM };

enum { MAIN_NODES = 32, FORK_NODES = 10, HAIR_NODES = 6 };

static void add(vd_lines *lines, double s, double d, double half, bool first)
{
    if (lines->count < VD_LINE_NODES)
        lines->nodes[lines->count++] = (vd_line_node){s, d, half, first};
}

/* The line that everything else grows from: across the box from one end to the other, crooked. */
static void make_main(uint64_t seed, double length, double width, vd_lines *lines)
{
    double lean = vd_random_between(seed, OF_MAIN, 0, 0.35, 1) * (vd_random(seed, OF_MAIN, 1) < 0.5 ? -1 : 1);
    bool ahead = length > width;
    double rise = ahead ? length : lean * length, across = ahead ? lean * width : width;
    double size = hypot(rise, across), bend = vd_random_between(seed, OF_MAIN, 2, 0.05, 0.16) * size;
    double half = vd_random_between(seed, OF_MAIN, 3, 0.017, 0.036);
    uint32_t crooked = vd_hash(seed, OF_MAIN, 4);
    for (int i = 0; i < MAIN_NODES; i++) {
        double t = (double)i / (MAIN_NODES - 1), off = t - 0.5;
        double aside = bend * vd_noise(crooked, 3.2 * t, 0.5) + 0.035 * size * vd_noise(crooked, 15 * t, 7.5);
        double wide = half * (1 + 0.55 * vd_noise(crooked, 9 * t, 3.5)) *
                      (0.5 + 0.5 * vd_smooth(0, 0.25, 0.5 - fabs(off)));
        add(lines, rise * off - across / size * aside, across * off + rise / size * aside, fmax(wide, 0.011),
            i == 0);
    }
}

/* A crooked walk away from a node. */
static void make_fork(uint64_t seed, int which, int index, vd_line_node from, double heading, double size,
                      double thin, vd_lines *lines)
{
    double s = from.s, d = from.d, half = thin * from.half;
    uint32_t crooked = vd_hash(seed, which, 1000 + index);
    for (int i = 0; i < FORK_NODES; i++) {
        double t = (double)i / (FORK_NODES - 1);
        double wide = half * (1 - 0.3 * t) * (1 + 0.4 * vd_noise(crooked, 5 * t, 2.5));
        add(lines, s, d, fmax(wide, 0.011), i == 0);
        double turn = heading + 1.1 * vd_noise(crooked, 6 * t, 0.5);
        s += size / FORK_NODES * cos(turn);
        d += size / FORK_NODES * sin(turn);
    }
}

static double heading_at(const vd_lines *lines, int node)
{
    const vd_line_node *a = &lines->nodes[node - 1], *b = &lines->nodes[node + 1];
    return atan2(b->d - a->d, b->s - a->s);
}

static void make_forks(uint64_t seed, double length, double width, vd_lines *lines)
{
    double size = hypot(length, width);
    int forks = 2 + (int)(4 * vd_random(seed, OF_FORK, 0));
    for (int i = 0; i < forks; i++) {
        int node = 3 + (int)(vd_random(seed, OF_FORK, 10 + i) * (MAIN_NODES - 6));
        double side = (i + (int)(2 * vd_random(seed, OF_FORK, 1))) % 2 ? 1 : -1;
        double heading =
            heading_at(lines, node) + side * vd_random_between(seed, OF_FORK, 20 + i, 0.45, 1.25);
        int start = lines->count;
        make_fork(seed, OF_FORK, i, lines->nodes[node], heading,
                  vd_random_between(seed, OF_FORK, 30 + i, 0.18, 0.42) * size, 0.75, lines);
        if (vd_random(seed, OF_TWIG, i) < 0.6)
            make_fork(seed, OF_TWIG, i, lines->nodes[start + 5],
                      heading - side * vd_random_between(seed, OF_TWIG, 10 + i, 0.5, 1.1),
                      vd_random_between(seed, OF_TWIG, 20 + i, 0.08, 0.2) * size, 0.8, lines);
    }
}

/* Thin ones, which stay inside the box of the others. */
static void make_hairs(uint64_t seed, double length, double width, vd_lines *lines)
{
    int hairs = 3 + (int)(5 * vd_random(seed, OF_HAIR, 0)), grown = lines->count;
    for (int i = 0; i < hairs; i++) {
        vd_line_node from = lines->nodes[(int)(vd_random(seed, OF_HAIR, 10 + i) * grown)];
        double heading = vd_random_between(seed, OF_HAIR, 20 + i, -M_PI, M_PI);
        double size = vd_random_between(seed, OF_HAIR, 30 + i, 0.12, 0.4);
        uint32_t crooked = vd_hash(seed, OF_HAIR, 40 + i);
        for (int k = 0; k < HAIR_NODES; k++) {
            double half = 0.005;
            add(lines, vd_clamp(from.s, half - length / 2, length / 2 - half),
                vd_clamp(from.d, half - width / 2, width / 2 - half), half, k == 0);
            double turn = heading + 1.6 * vd_noise(crooked, 1.7 * k, 0.5);
            from.s += size / HAIR_NODES * cos(turn);
            from.d += size / HAIR_NODES * sin(turn);
        }
    }
}

/* A band from one end of the box to the other, a little bent. */
static void make_seam(uint64_t seed, double length, double width, vd_lines *lines)
{
    double side = vd_random(seed, OF_SEAM, 0) < 0.5 ? -1 : 1;
    double half = vd_random_between(seed, OF_SEAM, 1, 0.035, 0.07);
    double bend = vd_random_between(seed, OF_SEAM, 2, -0.07, 0.07);
    uint32_t crooked = vd_hash(seed, OF_SEAM, 3);
    for (int i = 0; i < MAIN_NODES; i++) {
        double t = (double)i / (MAIN_NODES - 1), off = t - 0.5;
        double aside = bend * (1 - 4 * off * off) + 0.012 * vd_noise(crooked, 4 * t, 0.5);
        double wide = half * (1 + 0.12 * vd_noise(crooked, 7 * t, 3.5));
        add(lines, off * length + (length < width ? aside : 0),
            side * off * width + (length < width ? 0 : aside), wide, i == 0);
    }
}

/* Moves and stretches the nodes of one axis so that they and their halves reach from -size/2 to size/2. The
 * halves stay, so which node is the outmost may change: a few rounds. */
static void fit(vd_lines *lines, size_t axis, double size)
{
    for (int round = 0; round < 5; round++) {
        double low = INFINITY, high = -INFINITY, at_low = 0, at_high = 0, half_low = 0, half_high = 0;
        for (int i = 0; i < lines->count; i++) {
            const vd_line_node *node = &lines->nodes[i];
            double at = axis ? node->d : node->s;
            if (at - node->half < low) {
                low = at - node->half;
                at_low = at;
                half_low = node->half;
            }
            if (at + node->half > high) {
                high = at + node->half;
                at_high = at;
                half_high = node->half;
            }
        }
        double stretch = (size - half_low - half_high) / fmax(at_high - at_low, 1e-6);
        for (int i = 0; i < lines->count; i++) {
            double *at = axis ? &lines->nodes[i].d : &lines->nodes[i].s;
            *at = (*at - at_low) * stretch - size / 2 + half_low;
        }
    }
}

void vd_lines_make(vd_shape_form form, uint64_t seed, double length, double width, vd_lines *ret_lines)
{
    ret_lines->count = 0;
    if (form == VD_SHAPE_SEAM) {
        make_seam(seed, length, width, ret_lines);
    } else {
        make_main(seed, length, width, ret_lines);
        make_forks(seed, length, width, ret_lines);
    }
    fit(ret_lines, 0, length);
    fit(ret_lines, 1, width);
    if (form != VD_SHAPE_SEAM)
        make_hairs(seed, length, width, ret_lines);
}

static int compare(const void *a, const void *b)
{
    const vd_shape_point *p = a, *q = b;
    if (p->s != q->s)
        return p->s < q->s ? -1 : 1;
    return (p->d > q->d) - (p->d < q->d);
}

static double turns(vd_shape_point o, vd_shape_point a, vd_shape_point b)
{
    return (a.s - o.s) * (b.d - o.d) - (a.d - o.d) * (b.s - o.s);
}

/* Eight points around each node, as far out as its line reaches. */
static int surround(const vd_lines *lines, vd_shape_point *points)
{
    int count = 0;
    for (int i = 0; i < lines->count; i++) {
        const vd_line_node *node = &lines->nodes[i];
        for (int k = 0; k < 8; k++)
            points[count++] = (vd_shape_point){node->s + node->half * cos(k * M_PI / 4),
                                               node->d + node->half * sin(k * M_PI / 4)};
    }
    qsort(points, (size_t)count, sizeof(*points), compare);
    return count;
}

int vd_lines_hull(const vd_lines *lines, vd_shape_point *ret_points)
{
    vd_shape_point points[VD_LINE_NODES * 8], hull[VD_LINE_NODES * 8 + 1];
    int count = surround(lines, points), size = 0;
    for (int pass = 0; pass < 2; pass++) {
        int base = size;
        for (int i = 0; i < count; i++) {
            vd_shape_point point = points[pass ? count - 1 - i : i];
            while (size >= base + 2 && turns(hull[size - 2], hull[size - 1], point) <= 0)
                size--;
            hull[size++] = point;
        }
        size--; /* the other pass begins with it */
    }
    /* More than there is room for does not come up with bent lines; if it does, the least corners go. */
    int step = (size + VD_SHAPE_OUTLINE - 1) / VD_SHAPE_OUTLINE, kept = 0;
    for (int i = 0; i < size; i += step)
        ret_points[kept++] = hull[i];
    return kept;
}

static void reach_segment(const vd_line_node *a, const vd_line_node *b, double soft, double per_m,
                          int columns, int rows, float *reach)
{
    double margin = fmax(a->half, b->half) + soft;
    double left = columns / (2 * per_m), near = -rows / (2 * per_m);
    int column1 = (int)vd_clamp((left - fmax(a->d, b->d) - margin) * per_m, 0, columns);
    int column2 = (int)vd_clamp(ceil((left - fmin(a->d, b->d) + margin) * per_m), 0, columns);
    int row1 = (int)vd_clamp((fmin(a->s, b->s) - margin - near) * per_m, 0, rows);
    int row2 = (int)vd_clamp(ceil((fmax(a->s, b->s) + margin - near) * per_m), 0, rows);
    double run_s = b->s - a->s, run_d = b->d - a->d;
    float square = (float)fmax(run_s * run_s + run_d * run_d, 1e-9);
    for (int row = row1; row < row2; row++) {
        float s = (float)(near + (row + 0.5) / per_m - a->s);
        for (int column = column1; column < column2; column++) {
            float d = (float)(left - (column + 0.5) / per_m - a->d);
            float t = (s * (float)run_s + d * (float)run_d) / square;
            t = t < 0 ? 0 : t > 1 ? 1 : t;
            float away_s = s - t * (float)run_s, away_d = d - t * (float)run_d;
            float inside =
                (float)a->half + t * (float)(b->half - a->half) - sqrtf(away_s * away_s + away_d * away_d);
            float *texel = &reach[(size_t)row * (size_t)columns + (size_t)column];
            *texel = inside > *texel ? inside : *texel;
        }
    }
}

void vd_lines_reach(const vd_lines *lines, double soft, double per_m, int columns, int rows, float *reach)
{
    for (int i = 1; i < lines->count; i++) {
        if (!lines->nodes[i].first)
            reach_segment(&lines->nodes[i - 1], &lines->nodes[i], soft, per_m, columns, rows, reach);
    }
}
