/* Where marks lie. The asphalt is cut into lanes; by the seed one or two belong to shadows, which slide, the
 * others to what lies still. Still lanes are cut into cells of the road, one mark a cell; a block of cells
 * gets its number of each kind, so that a stretch of road has what was asked for. */
#include <math.h>
#include <stdlib.h>

#include "scene/marks.h"

/* Numbers of the choices that a seed makes. */
enum { OF_LANES = 700, OF_COUNT = 710, OF_CELL = 720, OF_SHADOW = 730 };

enum { LANES = 5, BLOCK_CELLS = 10 };
static const double CELL_M = 5, GAP_M = 0.3, EDGE_M = 0.4;

/* How many there are for each hazard. */
static const double PER_HAZARD[VD_SCENE_KINDS] = {
    [VD_SCENE_CRACK] = 0.5,    [VD_SCENE_POTHOLE] = 0.5,      [VD_SCENE_SHADOW] = 5 / 12.0,
    [VD_SCENE_WET] = 4 / 12.0, [VD_SCENE_MANHOLE] = 2 / 12.0, [VD_SCENE_SEAM] = 2.5 / 12.0,
};

typedef struct lanes {
    double width;        /* metres */
    bool sliding[LANES]; /* for shadows alone */
    double speed[LANES]; /* theirs, metres a second */
    double spacing;      /* between two of one lane, metres */
    int still[LANES], stills;
} lanes;

/* Not slower than 1.5 m/s over the road, nor together with a vehicle's camera, before which it would seem to
 * stand still. */
static double shadow_speed(const vd_layout *layout, int lane)
{
    if (vd_random(layout->seed, OF_LANES, 10 + lane) < 0.5)
        return vd_random_between(layout->seed, OF_LANES, 20 + lane, -6, -1.5);
    double most = layout->from_vehicle ? layout->speed - 1.5 : 6;
    return vd_random_between(layout->seed, OF_LANES, 20 + lane, 1.5, most);
}

static lanes lanes_make(const vd_layout *layout)
{
    lanes l = {.width = 2 * (layout->half_width - EDGE_M) / LANES};
    int first = (int)(vd_random(layout->seed, OF_LANES, 0) * LANES), count = 1;
    l.sliding[first] = true;
    if (vd_random(layout->seed, OF_LANES, 1) < 0.5) {
        l.sliding[(first + 1 + (int)(vd_random(layout->seed, OF_LANES, 2) * (LANES - 1))) % LANES] = true;
        count = 2;
    }
    l.spacing = count / fmax(layout->hazards_per_m * PER_HAZARD[VD_SCENE_SHADOW], 1e-9);
    for (int i = 0; i < LANES; i++) {
        if (l.sliding[i])
            l.speed[i] = shadow_speed(layout, i);
        else
            l.still[l.stills++] = i;
    }
    return l;
}

/* The identity of a mark: unique within a scene, above 0. */
static int id_of(int64_t cell, int lane, bool sliding)
{
    uint64_t along = cell < 0 ? (uint64_t)(-2 * cell - 1) : (uint64_t)(2 * cell);
    return (int)(((along * LANES + (uint64_t)lane) * 2 + sliding) % (INT32_MAX - 1)) + 1;
}

/* One to one, so no two seeds share a shape. */
static uint64_t key_of(unsigned seed, int track_id)
{
    uint64_t h = (uint64_t)seed << 32 | (uint32_t)track_id;
    h = (h ^ h >> 31) * UINT64_C(0x7fb5d329728ea185);
    h = (h ^ h >> 27) * UINT64_C(0x81dadef4bc2dd44d);
    return h ^ h >> 33;
}

static void choose_size(vd_mark *mark, double widest)
{
    uint64_t key = mark->key;
    if (mark->form == VD_SHAPE_DISC) {
        mark->length = mark->width = vd_random_between(key, OF_CELL, 0, 0.62, 0.86);
    } else if (mark->form == VD_SHAPE_BLOB) {
        mark->length = vd_random_between(key, OF_CELL, 0, 0.85, 1.85);
        mark->width = vd_random_between(key, OF_CELL, 1, 0.65, widest);
    } else if (mark->form == VD_SHAPE_BRANCH) {
        double size = vd_random_between(key, OF_CELL, 0, 1.2, 2.2);
        double angle = vd_random_between(key, OF_CELL, 1, 0, M_PI / 2);
        mark->length = vd_clamp(size * cos(angle), 0.75, 2.1);
        mark->width = vd_clamp(size * sin(angle), 0.65, widest);
    } else if (vd_random(key, OF_CELL, 2) < 0.75) {
        mark->length = vd_random_between(key, OF_CELL, 0, 2, 4);
        mark->width = vd_random_between(key, OF_CELL, 1, 0.5, 0.9);
    } else {
        mark->length = vd_random_between(key, OF_CELL, 0, 0.6, 1);
        mark->width = widest;
    }
}

static vd_shape_form form_of(vd_scene_kind kind, uint64_t key)
{
    switch (kind) {
    case VD_SCENE_CRACK:
        return VD_SHAPE_BRANCH;
    case VD_SCENE_SHADOW:
        return vd_random(key, OF_CELL, 3) < 0.5 ? VD_SHAPE_BRANCH : VD_SHAPE_BLOB;
    case VD_SCENE_MANHOLE:
        return VD_SHAPE_DISC;
    case VD_SCENE_SEAM:
        return VD_SHAPE_SEAM;
    default:
        return VD_SHAPE_BLOB;
    }
}

/* A mark of lane `lane`, somewhere between `from` and `to` along the road. */
static vd_mark make_mark(const vd_layout *layout, const lanes *l, vd_scene_kind kind, int lane, int64_t cell,
                         double from, double to)
{
    vd_mark mark = {.kind = kind, .track_id = id_of(cell, lane, kind == VD_SCENE_SHADOW), .strength = 1};
    mark.key = key_of(layout->seed, mark.track_id);
    mark.form = form_of(kind, mark.key);
    choose_size(&mark, l->width - GAP_M);
    double play_s = (to - from - GAP_M - mark.length) / 2, play_d = (l->width - GAP_M - mark.width) / 2;
    mark.s = (from + to) / 2 + play_s * vd_random_between(mark.key, OF_CELL, 4, -1, 1);
    mark.d = (lane - (LANES - 1) / 2.0) * l->width + play_d * vd_random_between(mark.key, OF_CELL, 5, -1, 1);
    return mark;
}

/* Strong most of the time; every `period` it sinks and comes back within DROP_S. */
static double wet_strength(uint64_t key, double time_s)
{
    const double drop_s = 0.42, depth = 0.95;
    double period = vd_random_between(key, OF_CELL, 6, 0.8, 1.4);
    double turns = time_s / period + vd_random(key, OF_CELL, 7);
    double off = (turns - floor(turns) - 0.5) * period;
    double c = fabs(off) < drop_s / 2 ? cos(off / drop_s * M_PI) : 0;
    return 1 - depth * c * c;
}

/* 0 to 1: as much as its shorter side in the picture lets be seen; 0 as well when it is out of it. */
static double size_strength(const vd_view *view, const vd_mark *mark)
{
    const vd_camera *camera = &view->camera;
    double x1 = INFINITY, y1 = INFINITY, x2 = -INFINITY, y2 = -INFINITY, margin = 16;
    for (int corner = 0; corner < 4; corner++) {
        double s = mark->s + (corner & 1 ? 0.5 : -0.5) * mark->length,
               d = mark->d + (corner & 2 ? 0.5 : -0.5) * mark->width;
        vd_point point = vd_view_project(view, fmax(s, view->s + 0.2), d, 0);
        x1 = fmin(x1, point.x);
        y1 = fmin(y1, point.y);
        x2 = fmax(x2, point.x);
        y2 = fmax(y2, point.y);
    }
    if (mark->s + mark->length / 2 <= view->s + 0.2 || x2 < -margin || y2 < -margin ||
        x1 > camera->width + margin || y1 > camera->height + margin)
        return 0;
    double side = fmin(x2 - x1, y2 - y1) * 1280 / camera->width;
    return vd_clamp((side - 12) / 4, 0, 1);
}

typedef struct gathering {
    const vd_layout *layout;
    const vd_view *view;
    double time_s, from_s, to_s; /* the stretch of road that may be seen */
    lanes l;
    vd_mark *marks;
    size_t count;
} gathering;

static void gather(gathering *g, vd_mark mark)
{
    mark.strength = size_strength(g->view, &mark);
    if (mark.kind == VD_SCENE_WET)
        mark.strength *= wet_strength(mark.key, g->time_s);
    if (mark.strength > 0 && g->count < VD_MARKS_MOST)
        g->marks[g->count++] = mark;
}

static void gather_shadows(gathering *g, int lane)
{
    double slid = g->l.speed[lane] * g->time_s;
    int64_t first = (int64_t)floor((g->from_s - slid) / g->l.spacing),
            last = (int64_t)floor((g->to_s - slid) / g->l.spacing);
    for (int64_t cell = first; cell <= last; cell++) {
        double from = (double)cell * g->l.spacing;
        vd_mark mark = make_mark(g->layout, &g->l, VD_SCENE_SHADOW, lane, cell, from, from + g->l.spacing);
        mark.s += slid;
        gather(g, mark);
    }
}

typedef struct ticket {
    uint32_t draw;
    int cell, lane;
} ticket;

static int compare_tickets(const void *a, const void *b)
{
    const ticket *p = a, *q = b;
    if (p->draw != q->draw)
        return p->draw < q->draw ? -1 : 1;
    return (p->cell * LANES + p->lane) - (q->cell * LANES + q->lane);
}

/* The cells of a block in an order drawn by lot: the first ones are taken, kind after kind. */
static void gather_block(gathering *g, int64_t block)
{
    unsigned seed = g->layout->seed;
    ticket tickets[BLOCK_CELLS * LANES];
    int count = 0, next = 0;
    for (int cell = 0; cell < BLOCK_CELLS; cell++) {
        for (int i = 0; i < g->l.stills; i++) {
            int lane = g->l.still[i];
            uint32_t draw = vd_hash(seed, OF_CELL + lane, block * BLOCK_CELLS + cell);
            tickets[count++] = (ticket){draw, cell, lane};
        }
    }
    qsort(tickets, (size_t)count, sizeof(*tickets), compare_tickets);
    for (int kind = 0; kind < VD_SCENE_KINDS; kind++) {
        double share = kind == VD_SCENE_SHADOW ? 0 : g->layout->hazards_per_m * PER_HAZARD[kind];
        int number = (int)(share * BLOCK_CELLS * CELL_M + vd_random(seed, OF_COUNT + kind, block));
        for (; number > 0 && next < count; number--, next++) {
            int64_t cell = block * BLOCK_CELLS + tickets[next].cell;
            double from = (double)cell * CELL_M;
            if (from + CELL_M < g->from_s || from > g->to_s)
                continue;
            gather(g, make_mark(g->layout, &g->l, (vd_scene_kind)kind, tickets[next].lane, cell, from,
                                from + CELL_M));
        }
    }
}

static int nearest_last(const void *a, const void *b)
{
    const vd_mark *p = a, *q = b;
    if (p->s != q->s)
        return p->s > q->s ? -1 : 1;
    return (p->track_id > q->track_id) - (p->track_id < q->track_id);
}

size_t vd_marks_at(const vd_layout *layout, const vd_view *view, double time_s, vd_mark *ret_marks)
{
    if (layout->hazards_per_m <= 0)
        return 0;
    gathering g = {.layout = layout,
                   .view = view,
                   .time_s = time_s,
                   .from_s = view->s + vd_camera_ground_x(&view->camera, view->camera.height) - 5,
                   .to_s = view->s + 5 + fmin(60, vd_camera_ground_x(&view->camera, 0)),
                   .l = lanes_make(layout),
                   .marks = ret_marks};
    double block_m = BLOCK_CELLS * CELL_M;
    for (int64_t block = (int64_t)floor(g.from_s / block_m); (double)block * block_m <= g.to_s; block++)
        gather_block(&g, block);
    for (int lane = 0; lane < LANES; lane++) {
        if (g.l.sliding[lane])
            gather_shadows(&g, lane);
    }
    qsort(g.marks, g.count, sizeof(*g.marks), nearest_last);
    return g.count;
}
