/* Who drives where is reckoned from the camera, `ahead` metres before it. What comes towards it, what it
 * overtakes and what passes a pole comes in streams: each lane has a pace of its own and one vehicle a slot
 * of time, early or late by less than the slot leaves room for, so that vehicles of a lane never meet and the
 * n-th of them is known without those before it. A moving camera also has one companion at a time in its own
 * direction, who passes it or lets it come near and then moves away. */
#include "scene/traffic.h"

#include <math.h>
#include <stdbool.h>

typedef struct stream {
    double heading, d;    /* direction, metres from the road's middle */
    double closing;       /* how fast `ahead` grows, metres a second, never 0 */
    double slot_s, early; /* a vehicle comes every so often, early or late by up to this share of it */
    double share;         /* of the slots that have a vehicle */
    bool cycles;
} stream;

/* COMPANION numbers the companions beside the streams. */
enum { STREAMS = 4, COMPANION = STREAMS, WAYS };
enum { OF_TRAFFIC = 700, OF_NUMBER = 710, OF_COMPANION = 730 };

static const double COMPANION_SLOT_S = 42;
static const double LEAST_X = 1.5, BEHIND = -14; /* metres ahead: nothing there can be seen */

static double choose(const vd_layout *layout, int which, double least, double most)
{
    return vd_random_between(layout->seed, OF_TRAFFIC, which, least, most);
}

/* The right lane, the left one, cyclists at the right edge and at the left one. */
static void make_streams(const vd_layout *layout, stream *ret)
{
    double edge = layout->half_width - 0.45, along = choose(layout, 0, 7, 13),
           against = choose(layout, 1, 7, 13);
    double cycle = choose(layout, 2, 4.2, 5.6);
    ret[0] = (stream){1, -layout->lane, along, 6.5, 0.22, 0.7, false};
    ret[1] = (stream){-1, layout->lane, -against, 6.5, 0.22, 0.7, false};
    ret[2] = (stream){1, -edge, cycle, 46, 0.3, 0.7, true};
    ret[3] = (stream){-1, edge, -cycle, 58, 0.3, 0.6, true};
    if (!layout->from_vehicle)
        return;
    ret[0].share = 0;
    ret[1].closing = -choose(layout, 1, 8, 12) - layout->speed;
    ret[2].closing = -choose(layout, 2, 1.8, 2.6);
    ret[2].slot_s = 90;
    ret[3].closing = -cycle - layout->speed;
}

/* The integral of vd_smooth(from, from + width, t). */
static double smooth_sum(double from, double width, double t)
{
    double u = (t - from) / width;
    return u <= 0 ? 0 : u < 1 ? width * u * u * u * (1 - u / 2) : width * (u - 0.5);
}

typedef struct companion {
    bool overtakes, follows; /* neither: there is none */
    double begin_s;
    double fast, hold_s, away; /* metres a second it passes with, seconds it stays near, and it leaves with */
    double near;               /* metres ahead of one that lets the camera come near */
    double length;
} companion;

static vd_vehicle_kind pick_kind(uint64_t key, int64_t number)
{
    double chance = vd_random(key, OF_NUMBER + 1, number);
    if (chance < 0.1)
        return VD_VEHICLE_LORRY;
    if (chance < 0.26)
        return VD_VEHICLE_VAN;
    return chance < 0.53 ? VD_VEHICLE_HATCHBACK : chance < 0.77 ? VD_VEHICLE_SALOON : VD_VEHICLE_ESTATE;
}

static uint64_t key_of(const vd_layout *layout, int way)
{
    return (uint64_t)layout->seed * 131 + (uint64_t)way;
}

static companion make_companion(const vd_layout *layout, int64_t number)
{
    uint64_t key = key_of(layout, COMPANION);
    double chance = vd_random(key, OF_COMPANION, number);
    return (companion){
        .overtakes = chance < 0.5,
        .follows = chance >= 0.5 && chance < 0.85,
        .begin_s =
            ((double)number + vd_random_between(key, OF_COMPANION + 1, number, 0, 0.05)) * COMPANION_SLOT_S,
        .fast = vd_random_between(key, OF_COMPANION + 2, number, 4.4, 5.6),
        .hold_s = vd_random_between(key, OF_COMPANION + 3, number, 2, 6),
        .away = vd_random_between(key, OF_COMPANION + 4, number, 3.2, 4.5),
        .near = vd_random_between(key, OF_COMPANION + 5, number, 18, 27),
        .length = vd_vehicle_length(pick_kind(key, number)),
    };
}

/* Metres ahead of the camera `past_s` after it began. */
static double companion_ahead(const companion *c, double past_s)
{
    static const double START = -13, CALM = 28, FAR = 66, APPROACH_S = 20, LEAVE_S = 13;
    if (c->follows) {
        double gone = vd_smooth(0, APPROACH_S, past_s) -
                      vd_smooth(APPROACH_S + c->hold_s, APPROACH_S + c->hold_s + LEAVE_S, past_s);
        return past_s < 0 || past_s > APPROACH_S + c->hold_s + LEAVE_S ? INFINITY
                                                                       : FAR - (FAR - c->near) * gone;
    }
    if (!c->overtakes || past_s < 0)
        return INFINITY;
    double calm_s = (CALM - START) / c->fast, leave_s = calm_s + 3 + c->hold_s, slow = 0.7;
    return START + c->fast * past_s - (c->fast - slow) * smooth_sum(calm_s, 3, past_s) +
           (c->away - slow) * smooth_sum(leave_s, 4, past_s);
}

/* One that overtakes is in the left lane until its rear is well ahead. */
static double companion_d(const vd_layout *layout, const companion *c, double past_s)
{
    double rear = companion_ahead(c, past_s) - c->length / 2;
    return layout->lane * (c->overtakes ? 1 - 2 * vd_smooth(9, 20, rear) : -1);
}

/* Whether one that comes towards the camera, and is beside it at this time, would find its lane taken. */
static bool lane_taken(const vd_layout *layout, double beside_s)
{
    int64_t newest = (int64_t)floor((beside_s + 4) / COMPANION_SLOT_S);
    for (int64_t number = newest - 1; number <= newest; number++) {
        companion c = make_companion(layout, number);
        if (c.overtakes && beside_s > c.begin_s - 3 && beside_s < c.begin_s + 14)
            return true;
    }
    return false;
}

typedef struct list {
    vd_traveller *items;
    size_t count;
    double reach; /* metres ahead: beyond it nothing can be seen */
} list;

/* Puts a vehicle on the list whose heading, s, d and slope are known, unless it cannot be seen. */
static void add(list *l, const vd_layout *layout, const vd_view *view, vd_traveller t, int way,
                int64_t number)
{
    uint64_t key = key_of(layout, way);
    double half = vd_vehicle_length(t.kind) / 2, phase = 2 * M_PI * vd_random(key, OF_NUMBER + 3, number);
    t.depth = t.s - view->s - half;
    if (l->count >= VD_TRAFFIC_MOST || t.depth + 2 * half < LEAST_X || t.depth > l->reach)
        return;
    /* Colours of neighbours in a lane differ; drivers do not hold their line exactly. */
    t.paint = (unsigned)((uint64_t)number * 5 + vd_hash(key, OF_NUMBER + 2, number) % 4 + (uint64_t)way * 3);
    t.d += 0.13 * sin(0.05 * t.s + phase);
    t.slope += 0.13 * 0.05 * cos(0.05 * t.s + phase);
    t.driven_m = t.heading * t.s;
    l->items[l->count++] = t;
}

static int id_of(int way, int64_t number)
{
    /* No number is below -1000: those would have gone before the first frame. */
    return (int)((1 + (number + 1000) * WAYS + way) & 0x7fffffff);
}

static void add_stream(list *l, const vd_layout *layout, const vd_view *view, double time_s,
                       const stream *way, int index)
{
    uint64_t key = key_of(layout, index);
    double first = vd_random(key, OF_TRAFFIC + 8, 0) * way->slot_s;
    double enter_s = BEHIND / way->closing, leave_s = (l->reach + 10) / way->closing;
    int64_t oldest = (int64_t)floor((time_s - first - fmax(enter_s, leave_s)) / way->slot_s) - 2;
    int64_t newest = (int64_t)floor((time_s - first - fmin(enter_s, leave_s)) / way->slot_s) + 2;
    for (int64_t number = oldest; number <= newest; number++) {
        double late = way->early * vd_random_between(key, OF_NUMBER, number, -1, 1);
        double beside_s = first + ((double)number + late) * way->slot_s;
        if (vd_random(key, OF_NUMBER + 4, number) >= way->share ||
            (layout->from_vehicle && !way->cycles && lane_taken(layout, beside_s)))
            continue;
        double pace = way->closing * vd_random_between(key, OF_NUMBER + 5, number, 0.96, 1.04);
        add(l, layout, view,
            (vd_traveller){.kind = way->cycles ? VD_VEHICLE_CYCLIST : pick_kind(key, number),
                           .track_id = id_of(index, number),
                           .s = view->s + pace * (time_s - beside_s),
                           .d = way->d,
                           .heading = way->heading},
            index, number);
    }
}

static void add_companions(list *l, const vd_layout *layout, const vd_view *view, double time_s)
{
    int64_t newest = (int64_t)floor(time_s / COMPANION_SLOT_S);
    for (int64_t number = newest - 1; number <= newest; number++) {
        companion c = make_companion(layout, number);
        double past_s = time_s - c.begin_s, ahead = companion_ahead(&c, past_s), step_s = 0.05;
        if (!isfinite(ahead))
            continue;
        double way_m = layout->speed * step_s + companion_ahead(&c, past_s + step_s) - ahead;
        double d = companion_d(layout, &c, past_s), then = companion_d(layout, &c, past_s + step_s);
        add(l, layout, view,
            (vd_traveller){.kind = pick_kind(key_of(layout, COMPANION), number),
                           .track_id = id_of(COMPANION, number),
                           .s = view->s + ahead,
                           .d = d,
                           .slope = isfinite(way_m) ? (then - d) / fmax(way_m, 0.05) : 0,
                           .heading = 1},
            COMPANION, number);
    }
}

/* Whether a stands behind b, side by side: rays from the lens reach b first. */
static bool behind(const vd_view *view, const vd_traveller *a, const vd_traveller *b)
{
    double a_end = a->depth + vd_vehicle_length(a->kind), b_end = b->depth + vd_vehicle_length(b->kind);
    double ya = a->d - view->d, yb = b->d - view->d;
    return a->depth < b_end && b->depth < a_end && ya * yb > 0 && fabs(ya) > fabs(yb);
}

static void sort(const vd_view *view, vd_traveller *items, size_t count)
{
    for (size_t done = 0; done + 1 < count; done++) {
        size_t next = count;
        for (size_t i = done; i < count; i++) {
            bool free = true;
            for (size_t j = done; j < count && free; j++)
                free = j == i || !behind(view, &items[j], &items[i]);
            if (free && (next == count || items[i].depth > items[next].depth))
                next = i;
        }
        vd_traveller swap = items[done];
        items[done] = items[next];
        items[next] = swap;
    }
}

size_t vd_traffic_at(const vd_layout *layout, const vd_view *view, double time_s,
                     vd_traveller *ret_travellers)
{
    stream streams[STREAMS];
    /* From a pole the road ends at the picture's upper border. */
    list l = {ret_travellers, 0, fmin(layout->haze_to, vd_camera_ground_x(&view->camera, -4))};
    make_streams(layout, streams);
    for (int i = 0; i < STREAMS; i++)
        add_stream(&l, layout, view, time_s, &streams[i], i);
    if (layout->from_vehicle)
        add_companions(&l, layout, view, time_s);
    sort(view, ret_travellers, l.count);
    return l.count;
}

static vd_pen pen_for(const vd_layout *layout, const vd_view *view, const vd_traveller *t, cairo_t *cr)
{
    vd_pen pen = vd_pen_make(&view->camera, cr, vd_view_place(view, t->s, t->d, 0), t->heading);
    vd_pen_turn(&pen, view->curve * (t->s - view->s) + t->slope);
    pen.haze = layout->haze;
    pen.haze_share = vd_smooth(layout->haze_from, layout->haze_to, t->depth);
    return pen;
}

void vd_traffic_paint(const vd_layout *layout, const vd_view *view, const vd_traveller *travellers,
                      size_t count, cairo_t *cr)
{
    cairo_save(cr);
    /* Shadows have soft edges of their own. */
    cairo_set_antialias(cr, CAIRO_ANTIALIAS_NONE);
    for (size_t i = 0; i < count; i++) {
        vd_pen pen = pen_for(layout, view, &travellers[i], cr);
        vd_vehicle_paint_shadow(&pen, travellers[i].kind);
    }
    cairo_set_antialias(cr, CAIRO_ANTIALIAS_FAST);
    for (size_t i = 0; i < count; i++) {
        vd_pen pen = pen_for(layout, view, &travellers[i], cr);
        vd_vehicle_paint(&pen, travellers[i].kind, travellers[i].paint, travellers[i].driven_m);
    }
    cairo_restore(cr);
}

void vd_traffic_paint_lamps(const vd_layout *layout, const vd_view *view, const vd_traveller *travellers,
                            size_t count, cairo_t *cr)
{
    if (!layout->night)
        return;
    /* Who stands before a lamp hides it. */
    vd_grid grid = {0};
    vd_traffic_cover(layout, view, travellers, count, &grid);
    cairo_save(cr);
    cairo_set_operator(cr, CAIRO_OPERATOR_ADD);
    for (size_t i = 0; i < count; i++) {
        vd_pen pen = pen_for(layout, view, &travellers[i], cr);
        pen.grid = &grid;
        pen.id = (uint8_t)(i + 1);
        vd_vehicle_paint_lamps(&pen, travellers[i].kind);
    }
    cairo_restore(cr);
}

void vd_traffic_cover(const vd_layout *layout, const vd_view *view, const vd_traveller *travellers,
                      size_t count, vd_grid *grid)
{
    for (size_t i = 0; i < count; i++) {
        vd_pen pen = pen_for(layout, view, &travellers[i], NULL);
        pen.grid = grid;
        pen.id = (uint8_t)(i + 1);
        vd_vehicle_paint(&pen, travellers[i].kind, travellers[i].paint, travellers[i].driven_m);
    }
}
