/* Ids from a track's first detection on: moments wait until their tentative tracks have an id or have ended.
 */
#include <stdlib.h>
#include <string.h>

#include "vedette/app/track.h"

enum { STEP = 64 }; /* items; so that memory does not grow by one frame that has a few more */

struct item {
    vd_detection detection;
    uint64_t serial; /* of a track of which something is open; 0: nothing is */
    bool missing;    /* not detected at this moment; the box is the one before … */
    double seen_s;   /* … from this time */
};

struct moment {
    int64_t index;
    double time_s;
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

/* A track that was missing has been seen again: its box in between, and the worse score of the two. */
static void fill(const struct moment *moment, struct item *item, const vd_track *track)
{
    const vd_track before = {.detected = item->detection.box, .seen_s = item->seen_s};
    item->detection.box = vd_track_interpolate(&before, track, moment->time_s);
    item->detection.class_id = track->class_id;
    if (track->score < item->detection.score)
        item->detection.score = track->score;
}

/* Writes what is known by now. */
static void settle(const vd_tracker *tracker, struct moment *moment)
{
    for (size_t i = 0; i < moment->count && moment->open > 0; i++) {
        struct item *item = &moment->items[i];
        const vd_track *track = item->serial ? find_track(tracker, item->serial) : NULL;
        bool open = track && (track->id == 0 || (item->missing && track->seen_s <= item->seen_s));
        if (item->serial == 0 || open)
            continue;
        if (track && item->missing)
            fill(moment, item, track);
        item->detection.track_id = track ? track->id : 0;
        item->serial = 0;
        moment->open--;
    }
}

/* Tells each detection its track, and adds an item for each track that has none. There must be room. */
static void assign_tracks(const vd_tracker *tracker, struct moment *moment)
{
    size_t count;
    const vd_track *tracks = vd_tracker_tracks(tracker, &count);
    for (size_t i = 0; i < count; i++) {
        const vd_track *track = &tracks[i];
        size_t at = track->detection >= 0 ? (size_t)track->detection : moment->count++;
        if (track->detection < 0)
            moment->items[at] = (struct item){.detection = {.box = track->detected, .score = track->score},
                                              .missing = true,
                                              .seen_s = track->seen_s};
        moment->items[at].serial = track->serial;
        moment->open++;
    }
}

int vd_track_backfill_push(vd_track_backfill *backfill, int64_t index, double time_s,
                           const vd_detection *detections, size_t count, vd_error *error)
{
    size_t tracks;
    vd_tracker_tracks(backfill->tracker, &tracks);
    struct moment *moment = get_moment(backfill, count + tracks); /* those that may be missing */
    if (!moment)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for the tracks.");
    int code = vd_tracker_update(backfill->tracker, time_s, detections, count, error);
    if (code) {
        moment->next = backfill->spare;
        backfill->spare = moment;
        return code;
    }
    moment->index = index;
    moment->time_s = time_s;
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

/* Detections first, then what was filled in between. */
static size_t keep_those_that_count(vd_track_backfill *backfill, const struct moment *moment, bool missing,
                                    size_t count)
{
    for (size_t i = 0; i < moment->count; i++) {
        const struct item *item = &moment->items[i];
        bool counts =
            item->detection.track_id > 0 || (!missing && item->detection.score >= backfill->start_score);
        if (item->missing == missing && counts)
            backfill->taken[count++] = item->detection;
    }
    return count;
}

int vd_track_backfill_take(vd_track_backfill *backfill, bool all, int64_t *ret_index,
                           const vd_detection **ret_detections, size_t *ret_count, size_t *ret_filled)
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
    size_t detected = keep_those_that_count(backfill, moment, false, 0);
    *ret_count = keep_those_that_count(backfill, moment, true, detected);
    *ret_filled = *ret_count - detected;
    *ret_detections = backfill->taken;
    backfill->oldest = moment->next;
    moment->next = backfill->spare;
    backfill->spare = moment;
    return VD_OK;
}
