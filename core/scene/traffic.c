/* Each lane has a pace of its own and one vehicle a slot of time, early or late by less than the slot leaves
 * room for: vehicles of a lane never meet, and the n-th of them is known without those before it. */
#include "scene/traffic.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

typedef struct lane {
    double y, heading, speed; /* metres, direction, metres a second */
    double slot_s;            /* a vehicle comes every so often */
    double early;             /* by up to this share of a slot, or as much later */
    double first;             /* when the slot 0 begins, as a share of a slot */
    bool cycles;
} lane;

static const lane LANES[] = {
    {.y = (VD_ROAD_MIDDLE + VD_ROAD_EDGE_FAR) / 2,
     .heading = -1,
     .speed = 12.5,
     .slot_s = 2.6,
     .early = 0.1,
     .first = 0.35},
    {.y = (VD_ROAD_LANE_NEAR + VD_ROAD_MIDDLE) / 2, .heading = 1, .speed = 11.5, .slot_s = 2.6, .early = 0.1},
    {.y = 17.95, .heading = 1, .speed = 5.6, .slot_s = 17, .early = 0.2, .first = 0.8, .cycles = true},
};
enum { LANE_COUNT = sizeof(LANES) / sizeof(LANES[0]) };

static vd_vehicle_kind pick_kind(const lane *l, double chance)
{
    if (l->cycles)
        return VD_VEHICLE_CYCLIST;
    if (chance < 0.11)
        return VD_VEHICLE_LORRY;
    if (chance < 0.28)
        return VD_VEHICLE_VAN;
    return chance < 0.54 ? VD_VEHICLE_HATCHBACK : chance < 0.77 ? VD_VEHICLE_SALOON : VD_VEHICLE_ESTATE;
}

/* The stretch of a lane that is in the picture, with room for a vehicle at both ends. */
static void lane_ends(const vd_camera *camera, const lane *l, double *ret_enter, double *ret_leave)
{
    double left = vd_camera_column_x(camera, 0, l->y + 1.5) - 6,
           right = vd_camera_column_x(camera, camera->width, l->y - 1.5) + 6;
    *ret_enter = l->heading > 0 ? left : right;
    *ret_leave = l->heading > 0 ? right : left;
}

static vd_traveller make_traveller(const vd_camera *camera, unsigned seed, int lane_index, int64_t number,
                                   double enter, double away_s)
{
    const lane *l = &LANES[lane_index];
    uint64_t key = (uint64_t)seed * 131 + (uint64_t)lane_index;
    double phase = 2 * M_PI * vd_random(key, number, 3);
    vd_traveller t = {.kind = pick_kind(l, vd_random(key, number, 1)), .heading = l->heading};
    /* Colours of neighbours in a lane differ; drivers hold neither their speed nor their line exactly. */
    t.paint = (unsigned)((uint64_t)number * 5 + vd_hash(key, number, 2) % 4 + (uint64_t)lane_index * 3);
    t.driven_m = away_s * l->speed + 0.5 * sin(0.7 * away_s + phase);
    t.place = (vd_vec3){enter + l->heading * t.driven_m, l->y + 0.14 * sin(0.5 * away_s + 2 * phase), 0};
    t.depth = vd_camera_project(camera, t.place).depth;
    return t;
}

static int farther(const void *left, const void *right)
{
    const vd_traveller *a = left, *b = right;
    if (a->place.y != b->place.y && fabs(a->place.y - b->place.y) > 1)
        return a->place.y > b->place.y ? -1 : 1;
    return (a->depth < b->depth) - (a->depth > b->depth);
}

size_t vd_traffic_at(const vd_camera *camera, unsigned seed, double time_s, vd_traveller *ret_travellers)
{
    size_t count = 0;
    for (int i = 0; i < LANE_COUNT; i++) {
        const lane *l = &LANES[i];
        double enter, leave;
        lane_ends(camera, l, &enter, &leave);
        double stay_s = fabs(leave - enter) / l->speed,
               begin = (l->first + 0.3 * vd_random(seed, i, 9)) * l->slot_s;
        int64_t oldest = (int64_t)floor((time_s - begin - stay_s) / l->slot_s) - 1;
        int64_t newest = (int64_t)floor((time_s - begin) / l->slot_s) + 1;
        int64_t first = (int64_t)floor((-begin - stay_s) / l->slot_s) - 1;
        for (int64_t number = oldest; number <= newest && count < VD_TRAFFIC_MOST; number++) {
            double late = l->early * (2 * vd_random((uint64_t)seed * 17 + (uint64_t)i, number, 4) - 1);
            double away_s = time_s - begin - ((double)number + late) * l->slot_s;
            if (away_s < 0 || away_s > stay_s)
                continue;
            vd_traveller *t = &ret_travellers[count++];
            *t = make_traveller(camera, seed, i, number, enter, away_s);
            t->track_id = (int)((1 + (number - first) * LANE_COUNT + i) & 0x7fffffff);
        }
    }
    qsort(ret_travellers, count, sizeof(*ret_travellers), farther);
    return count;
}
