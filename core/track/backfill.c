/* Ids from a track's first detection on: moments wait until their tentative tracks have an id or have ended.
 */
#include <stdlib.h>
#include <string.h>

#include "vedette/app/track.h"

enum { STEP = 64 }; /* items; so that memory does not grow by one frame that has a few more */

struct item {
    vd_detection detection;
    uint64_t serial; /* of a track that may still get an id; 0: nothing is open */
};

struct moment {
    int64_t index;
    size_t count, room, open; /* items; items with a serial */
    struct item *items;
    struct moment *next;
};

struct vd_track_backfill {
    vd_tracker *tracker;
    float start_score;
    struct moment *oldest, *newest, *spare; /* lists; spare ones are used again */
    vd_detection *taken;
    size_t taken_room;
};

int vd_track_backfill_new(const vd_track_options *options, vd_track_backfill **ret_backfill, vd_error *error)
{
    vd_track_backfill *backfill = calloc(1, sizeof *backfill);
    if (!backfill)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for a tracker.");
    int code = vd_tracker_new(options, &backfill->tracker, error);
    if (code) {
        free(backfill);
        return code;
    }
    backfill->start_score = options->start_score;
    *ret_backfill = backfill;
    return VD_OK;
}

static void free_moments(struct moment *moment)
{
    while (moment) {
        struct moment *next = moment->next;
        free(moment->items);
        free(moment);
        moment = next;
    }
}

void vd_track_backfill_free(vd_track_backfill **pointer)
{
    vd_track_backfill *backfill = *pointer;
    *pointer = NULL;
    if (!backfill)
        return;
    free_moments(backfill->oldest);
    free_moments(backfill->spare);
    vd_tracker_free(&backfill->tracker);
    free(backfill->taken);
    free(backfill);
}

const vd_tracker *vd_track_backfill_tracker(const vd_track_backfill *backfill)
{
    return backfill->tracker;
}

/* A moment with room for `count` items, taken from the spare ones where there is one; NULL without memory. */
static struct moment *get_moment(vd_track_backfill *backfill, size_t count)
{
    struct moment *moment = backfill->spare;
    if (moment)
        backfill->spare = moment->next;
    else
        moment = calloc(1, sizeof *moment);
    if (moment && moment->room < count) {
        size_t room = (count + STEP - 1) / STEP * STEP;
        struct item *items = reallocarray(moment->items, room, sizeof *items);
        if (!items) {
            free(moment->items);
            free(moment);
            return NULL;
        }
        moment->items = items;
        moment->room = room;
    }
    return moment;
}

static const vd_track *find_track(const vd_tracker *tracker, uint64_t serial)
{
    size_t count;
    const vd_track *tracks = vd_tracker_tracks(tracker, &count);
    for (size_t i = 0; i < count; i++)
        if (tracks[i].serial == serial)
            return &tracks[i];
    return NULL;
}

/* Writes the ids that are known by now. */
static void settle(const vd_tracker *tracker, struct moment *moment)
{
    for (size_t i = 0; i < moment->count && moment->open > 0; i++) {
        struct item *item = &moment->items[i];
        const vd_track *track = item->serial ? find_track(tracker, item->serial) : NULL;
        if (item->serial == 0 || (track && track->id == 0))
            continue;
        item->detection.track_id = track ? track->id : 0;
        item->serial = 0;
        moment->open--;
    }
}

/* Tells each detection its track. */
static void assign_tracks(const vd_tracker *tracker, struct moment *moment)
{
    size_t count;
    const vd_track *tracks = vd_tracker_tracks(tracker, &count);
    for (size_t i = 0; i < count; i++)
        if (tracks[i].detection >= 0) {
            moment->items[tracks[i].detection].serial = tracks[i].serial;
            moment->open++;
        }
}

int vd_track_backfill_push(vd_track_backfill *backfill, int64_t index, double time_s,
                           const vd_detection *detections, size_t count, vd_error *error)
{
    struct moment *moment = get_moment(backfill, count);
    if (!moment)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for the tracks.");
    int code = vd_tracker_update(backfill->tracker, time_s, detections, count, error);
    if (code) {
        moment->next = backfill->spare;
        backfill->spare = moment;
        return code;
    }
    moment->index = index;
    moment->count = count;
    moment->open = 0;
    moment->next = NULL;
    for (size_t i = 0; i < count; i++) {
        moment->items[i] = (struct item){.detection = detections[i]};
        moment->items[i].detection.track_id = 0;
    }
    assign_tracks(backfill->tracker, moment);
    if (backfill->oldest)
        backfill->newest->next = moment;
    else
        backfill->oldest = moment;
    backfill->newest = moment;
    for (struct moment *at = backfill->oldest; at; at = at->next)
        settle(backfill->tracker, at);
    return VD_OK;
}

int vd_track_backfill_set_options(vd_track_backfill *backfill, const vd_track_options *options,
                                  vd_error *error)
{
    int code = vd_tracker_set_options(backfill->tracker, options, error);
    if (code == VD_OK)
        backfill->start_score = options->start_score;
    return code;
}

void vd_track_backfill_reset(vd_track_backfill *backfill)
{
    vd_tracker_reset(backfill->tracker);
    for (struct moment *at = backfill->oldest; at; at = at->next)
        settle(backfill->tracker, at);
}

static size_t keep_those_that_count(vd_track_backfill *backfill, const struct moment *moment)
{
    size_t count = 0;
    for (size_t i = 0; i < moment->count; i++) {
        const vd_detection *detection = &moment->items[i].detection;
        if (detection->track_id > 0 || detection->score >= backfill->start_score)
            backfill->taken[count++] = *detection;
    }
    return count;
}

int vd_track_backfill_take(vd_track_backfill *backfill, bool all, int64_t *ret_index,
                           const vd_detection **ret_detections, size_t *ret_count)
{
    struct moment *moment = backfill->oldest;
    if (!moment || (moment->open > 0 && !all))
        return VD_EAGAIN;
    if (backfill->taken_room < moment->count) {
        vd_detection *taken = reallocarray(backfill->taken, moment->room, sizeof *taken);
        if (!taken)
            return VD_ENOMEM;
        backfill->taken = taken;
        backfill->taken_room = moment->room;
    }
    *ret_index = moment->index;
    *ret_count = keep_those_that_count(backfill, moment);
    *ret_detections = backfill->taken;
    backfill->oldest = moment->next;
    moment->next = backfill->spare;
    backfill->spare = moment;
    return VD_OK;
}
