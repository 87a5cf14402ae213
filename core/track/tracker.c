#include "track/tracker.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "track/assign.h"
#include "track/motion.h"

/* Pixels: no picture reaches as far, and no object is as thin. */
#define FARTHEST 1e6f
#define LEAST_SIDE 1e-3f

int vd_tracker_new(const vd_track_options *options, vd_tracker **ret_tracker, vd_error *error)
{
    int code = vd_track_options_validate(options, error);
    if (code)
        return code;
    vd_tracker *tracker = calloc(1, sizeof *tracker);
    if (!tracker)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for a tracker.");
    tracker->options = *options;
    *ret_tracker = tracker;
    return VD_OK;
}

static void free_workspace(vd_tracker *tracker)
{
    free(tracker->match);
    free(tracker->owner);
    free(tracker->rows);
    free(tracker->columns);
    free(tracker->pairs);
    free(tracker->costs);
    free(tracker->scratch);
}

void vd_tracker_free(vd_tracker **pointer)
{
    vd_tracker *tracker = *pointer;
    *pointer = NULL;
    if (!tracker)
        return;
    free_workspace(tracker);
    free(tracker->tracks);
    free(tracker->memories);
    free(tracker);
}

void vd_tracker_reset(vd_tracker *tracker)
{
    tracker->count = 0;
    tracker->begun = false;
}

int vd_tracker_set_options(vd_tracker *tracker, const vd_track_options *options, vd_error *error)
{
    int code = vd_track_options_validate(options, error);
    if (code == VD_OK)
        tracker->options = *options;
    return code;
}

const vd_track *vd_tracker_tracks(const vd_tracker *tracker, size_t *ret_count)
{
    *ret_count = tracker->count;
    return tracker->tracks;
}

/* --- Memory: grows in steps of powers of two, and never between two updates of the same size */

static size_t room_for(size_t count, size_t most)
{
    size_t room = 16;
    while (room < count)
        room *= 2;
    return room < most ? room : most;
}

static int grow_tracks(vd_tracker *tracker, size_t room)
{
    if (room <= tracker->room)
        return VD_OK;
    vd_track *tracks = reallocarray(tracker->tracks, room, sizeof *tracks);
    if (!tracks)
        return VD_ENOMEM;
    tracker->tracks = tracks;
    struct vd_track_memory *memories = reallocarray(tracker->memories, room, sizeof *memories);
    if (!memories)
        return VD_ENOMEM;
    tracker->memories = memories;
    tracker->room = room;
    return VD_OK;
}

static int grow_workspace(vd_tracker *tracker, size_t tracks, size_t detections)
{
    if (tracks <= tracker->track_room && detections <= tracker->detection_room)
        return VD_OK;
    tracks = tracks > tracker->track_room ? tracks : tracker->track_room;
    detections = detections > tracker->detection_room ? detections : tracker->detection_room;
    free_workspace(tracker);
    tracker->match = calloc(tracks, sizeof *tracker->match);
    tracker->owner = calloc(detections, sizeof *tracker->owner);
    tracker->rows = calloc(tracks, sizeof *tracker->rows);
    tracker->columns = calloc(detections, sizeof *tracker->columns);
    tracker->pairs = calloc(tracks, sizeof *tracker->pairs);
    tracker->costs = calloc(tracks * detections, sizeof *tracker->costs);
    tracker->scratch = malloc(vd_assign_scratch_size(tracks, detections));
    bool good = tracker->match && tracker->owner && tracker->rows && tracker->columns && tracker->pairs &&
                tracker->costs && tracker->scratch;
    tracker->track_room = good ? tracks : 0;
    tracker->detection_room = good ? detections : 0;
    return good ? VD_OK : VD_ENOMEM;
}

/* Room for every detection to start a track. */
static int make_room(vd_tracker *tracker, size_t detections)
{
    size_t tracks = room_for(tracker->count + detections, VD_TRACK_TRACKS);
    int code = grow_tracks(tracker, tracks);
    return code ? code : grow_workspace(tracker, tracks, room_for(detections, VD_TRACK_DETECTIONS));
}

/* --- What a detection does to its track */

static void remember_score(struct vd_track_memory *memory, float score)
{
    int bin = (int)lround((double)score * (VD_TRACK_SCORES - 1));
    memory->scores[bin < 0 ? 0 : bin >= VD_TRACK_SCORES ? VD_TRACK_SCORES - 1 : bin]++;
}

/* The lower one of an even number, so that two scores do not make a track look better than its worse one. */
static float median(const struct vd_track_memory *memory, int hits)
{
    int64_t before = 0;
    for (int bin = 0; bin < VD_TRACK_SCORES; bin++) {
        before += memory->scores[bin];
        if (2 * before >= hits)
            return (float)bin / (VD_TRACK_SCORES - 1);
    }
    return 0;
}

/* The votes for a class that is not among the first few take the place of the weakest. */
static int vote(struct vd_track_memory *memory, int class_id, float score)
{
    int at = 0, best = 0;
    while (at < memory->vote_count && memory->votes[at].class_id != class_id)
        at++;
    if (at == memory->vote_count && memory->vote_count < VD_TRACK_VOTES) {
        memory->votes[memory->vote_count++].sum = 0;
    } else if (at == memory->vote_count) {
        at = 0;
        for (int i = 1; i < VD_TRACK_VOTES; i++)
            at = memory->votes[i].sum < memory->votes[at].sum ? i : at;
        memory->votes[at].sum = 0;
    }
    memory->votes[at].class_id = class_id;
    memory->votes[at].sum += (double)score;
    for (int i = 1; i < memory->vote_count; i++)
        best = memory->votes[i].sum > memory->votes[best].sum ? i : best;
    return memory->votes[best].class_id;
}

static void take_detection(vd_tracker *tracker, size_t i, const vd_detection *detection, int index)
{
    vd_track *track = &tracker->tracks[i];
    struct vd_track_memory *memory = &tracker->memories[i];
    track->detection = index;
    track->detected = detection->box;
    track->score = detection->score;
    track->seen_s = track->time_s;
    track->hits++;
    remember_score(memory, detection->score);
    track->confidence = median(memory, track->hits);
    track->class_id = vote(memory, detection->class_id, detection->score);
    track->box = vd_motion_box(track);
    track->predicted = false;
    if (track->hits >= 2)
        track->state = VD_TRACK_CONFIRMED;
    if (track->hits >= 2 && track->id == 0)
        track->id = ++tracker->last_id;
    track->established = track->id > 0 && track->seen_s - track->first_s >= tracker->options.confirm_s;
}

static void start_track(vd_tracker *tracker, const vd_detection *detection, int index)
{
    vd_track *track = &tracker->tracks[tracker->count];
    *track = (vd_track){.serial = ++tracker->last_serial,
                        .state = VD_TRACK_TENTATIVE,
                        .time_s = tracker->time_s,
                        .first_s = tracker->time_s};
    memset(&tracker->memories[tracker->count], 0, sizeof *tracker->memories);
    vd_motion_begin(track, &detection->box, &tracker->options);
    take_detection(tracker, tracker->count++, detection, index);
}

/* --- One moment */

static bool is_usable(const vd_detection *detection, const vd_track_options *options)
{
    const vd_box *box = &detection->box;
    return box->x1 >= -FARTHEST && box->y1 >= -FARTHEST && box->x2 <= FARTHEST && box->y2 <= FARTHEST &&
           box->x2 - box->x1 >= LEAST_SIDE && box->y2 - box->y1 >= LEAST_SIDE && detection->class_id >= 0 &&
           isfinite(detection->score) && detection->score >= options->keep_score;
}

static void move_on(vd_tracker *tracker, double seconds)
{
    for (size_t i = 0; i < tracker->count; i++) {
        vd_track *track = &tracker->tracks[i];
        vd_motion_pass(track, seconds, &tracker->options);
        track->time_s = tracker->time_s;
        track->box = vd_motion_box(track);
        track->detection = -1;
        tracker->match[i] = -1;
    }
}

static void take_matches(vd_tracker *tracker, const vd_detection *detections)
{
    for (size_t i = 0; i < tracker->count; i++) {
        vd_track *track = &tracker->tracks[i];
        int index = tracker->match[i];
        if (index >= 0) {
            vd_motion_correct(track, &detections[index].box, &tracker->options);
            take_detection(tracker, i, &detections[index], index);
            continue;
        }
        track->predicted = true;
        if (track->state == VD_TRACK_CONFIRMED)
            track->state = VD_TRACK_LOST;
    }
}

/* Whether a track has this object already: by a detection of this moment, of whatever class. */
static bool is_known(const vd_tracker *tracker, const vd_detection *detections, size_t count, size_t index)
{
    for (size_t i = 0; i < count; i++)
        if (tracker->owner[i] >= 0 &&
            (double)vd_box_iou(&detections[i].box, &detections[index].box) >= tracker->options.same_iou)
            return true;
    return false;
}

/* The best detections first, so that of two of one object the better one starts the track. */
static void start_tracks(vd_tracker *tracker, const vd_detection *detections, size_t count)
{
    while (tracker->count < VD_TRACK_TRACKS) {
        size_t best = count;
        for (size_t i = 0; i < count; i++)
            if (tracker->owner[i] == VD_OWNER_NONE && detections[i].score >= tracker->options.start_score &&
                (best == count || detections[i].score > detections[best].score))
                best = i;
        if (best == count)
            return;
        if (is_known(tracker, detections, count, best)) {
            tracker->owner[best] = VD_OWNER_UNUSABLE;
            continue;
        }
        tracker->owner[best] = (int)tracker->count;
        start_track(tracker, &detections[best], (int)best);
    }
}

static bool is_over(const vd_tracker *tracker, const vd_track *track)
{
    const vd_track_options *options = &tracker->options;
    double unseen_s = track->time_s - track->seen_s;
    return unseen_s > (track->id ? options->lost_s : options->tentative_s);
}

static void end_tracks(vd_tracker *tracker)
{
    size_t left = 0;
    for (size_t i = 0; i < tracker->count; i++) {
        if (is_over(tracker, &tracker->tracks[i]))
            continue;
        if (left != i) {
            tracker->tracks[left] = tracker->tracks[i];
            tracker->memories[left] = tracker->memories[i];
        }
        left++;
    }
    tracker->count = left;
}

int vd_tracker_update(vd_tracker *tracker, double time_s, const vd_detection *detections, size_t count,
                      vd_error *error)
{
    if (!isfinite(time_s))
        return vd_error_set(error, VD_EINVAL, NULL, "The time of the detections is not a number.");
    if (count > VD_TRACK_DETECTIONS)
        return vd_error_set(error, VD_EINVAL, NULL, "There are %zu detections; at most %d can be tracked.",
                            count, VD_TRACK_DETECTIONS);
    if (make_room(tracker, count))
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for the tracks.");
    double seconds = tracker->begun ? time_s - tracker->time_s : 0;
    if (seconds < 0 || seconds > tracker->options.gap_s)
        vd_tracker_reset(tracker);
    tracker->begun = true;
    tracker->time_s = time_s;
    for (size_t i = 0; i < count; i++)
        tracker->owner[i] = is_usable(&detections[i], &tracker->options) ? VD_OWNER_NONE : VD_OWNER_UNUSABLE;
    move_on(tracker, seconds);
    vd_tracker_associate(tracker, detections, count);
    take_matches(tracker, detections);
    end_tracks(tracker);
    start_tracks(tracker, detections, count);
    return VD_OK;
}
