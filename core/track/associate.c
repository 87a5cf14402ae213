/* Which detection belongs to which track: stage after stage, each an assignment problem of its own. */
#include <math.h>

#include "track/assign.h"
#include "track/motion.h"
#include "track/tracker.h"

/* What a track costs that is left alone, beyond the gate: more than the widest net, so that whatever can be
 * matched is. */
#define ALONE 100.0
/* A detection with a low score says only that something is still there, where it was foretold: ByteTrack's
 * second stage asks for this overlap. */
#define LOW_OVERLAP 0.5

enum measure {
    BY_LIKELIHOOD, /* of one class: squared distance and how wide the net is */
    BY_OVERLAP,    /* of one class */
    BY_SAMENESS    /* of any class: overlap from same_iou up */
};

struct stage {
    enum measure measure;
    bool tentative;     /* the tracks without an id, else those with one */
    float least, below; /* scores of the detections */
};

static size_t pick_tracks(vd_tracker *tracker, const struct stage *stage)
{
    size_t rows = 0;
    for (size_t i = 0; i < tracker->count; i++)
        if (tracker->match[i] < 0 && (tracker->tracks[i].id == 0) == stage->tentative)
            tracker->rows[rows++] = (int)i;
    return rows;
}

static size_t pick_detections(vd_tracker *tracker, const struct stage *stage, const vd_detection *detections,
                              size_t count)
{
    size_t columns = 0;
    for (size_t j = 0; j < count; j++)
        if (tracker->owner[j] == VD_OWNER_NONE && detections[j].score >= stage->least &&
            detections[j].score < stage->below)
            tracker->columns[columns++] = (int)j;
    return columns;
}

static double cost_by_likelihood(const vd_tracker *tracker, const vd_track *track, const vd_box *box)
{
    double spread, distance = vd_motion_distance(track, box, &tracker->options, &spread);
    return distance <= tracker->options.gate ? distance + spread : INFINITY;
}

static double cost_of(const vd_tracker *tracker, enum measure measure, const vd_track *track,
                      const vd_detection *detection)
{
    if (measure != BY_SAMENESS && track->class_id != detection->class_id)
        return INFINITY;
    if (measure == BY_LIKELIHOOD)
        return cost_by_likelihood(tracker, track, &detection->box);
    double least = measure == BY_OVERLAP ? LOW_OVERLAP : tracker->options.same_iou;
    double overlap = (double)vd_box_iou(&track->box, &detection->box);
    return overlap >= least ? 1 - overlap : INFINITY;
}

static void run_stage(vd_tracker *tracker, const struct stage *stage, const vd_detection *detections,
                      size_t count)
{
    size_t rows = pick_tracks(tracker, stage);
    size_t columns = rows > 0 ? pick_detections(tracker, stage, detections, count) : 0;
    if (columns == 0)
        return;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            tracker->costs[i * columns + j] =
                cost_of(tracker, stage->measure, &tracker->tracks[tracker->rows[i]],
                        &detections[tracker->columns[j]]);
    vd_assign(tracker->costs, rows, columns, tracker->options.gate + ALONE, tracker->scratch, tracker->pairs);
    for (size_t i = 0; i < rows; i++)
        if (tracker->pairs[i] >= 0) {
            int track = tracker->rows[i], detection = tracker->columns[tracker->pairs[i]];
            tracker->match[track] = detection;
            tracker->owner[detection] = track;
        }
}

void vd_tracker_associate(vd_tracker *tracker, const vd_detection *detections, size_t count)
{
    const float low = tracker->options.keep_score, high = tracker->options.start_score, top = INFINITY;
    const struct stage stages[] = {
        {BY_LIKELIHOOD, false, high, top}, {BY_OVERLAP, false, low, high}, {BY_LIKELIHOOD, true, high, top},
        {BY_SAMENESS, false, high, top},   {BY_SAMENESS, true, high, top},
    };
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++)
        run_stage(tracker, &stages[i], detections, count);
}
