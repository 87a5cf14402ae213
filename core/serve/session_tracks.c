/* A session's tracks: what of a result is reported, and under which ids. */
#include <math.h>

#include "serve/session_state.h"

/* As cameras do: a track goes on with what is too weak to start one. */
static const float least_score = 0.1f;

/* Frames may be a second apart and more: then what is lost, and what is a first sight, takes longer too. The
 * shorter of the last two steps counts, for a pause is no rate. */
static vd_track_options options_for(const vd_session *session, double step_s)
{
    vd_track_options options = VD_TRACK_OPTIONS_INIT;
    double before_s = session->step_s > 0 ? session->step_s : 1; /* of the second frame nothing is known */
    double steady_s = session->tracked ? fmin(step_s, before_s) : 0;
    options.start_score = (float)session->config.confidence_threshold;
    options.keep_score = fminf(least_score, options.start_score);
    options.tentative_s = fmax(options.tentative_s, 1.5 * steady_s);
    vd_track_options_set_lost(&options, fmin(fmax(options.lost_s, 3 * steady_s), 10));
    return options;
}

/* How far time went since the last frame: by the client's timestamps where both frames have one and they
 * rise, else by when they came. Added up, so that a change from one to the other is no jump. */
static double step_of(const vd_session *session, const vd_job *job)
{
    double step_s = (double)(job->received_ns - session->tracked_ns) / 1e9;
    if (!session->tracked)
        return 0;
    if (session->stamped && job->timed && job->timestamp > session->stamp)
        step_s = job->timestamp - session->stamp;
    return fmin(fmax(step_s, 1e-3), 1e6);
}

static void write_ids(vd_session *session, vd_detection *detections)
{
    size_t count;
    const vd_track *tracks = vd_tracker_tracks(session->tracker, &count);
    session->tracks = 0;
    for (size_t i = 0; i < count; i++) {
        session->tracks += tracks[i].id > 0;
        if (tracks[i].detection >= 0)
            detections[tracks[i].detection].track_id = tracks[i].id;
    }
}

static void track(vd_session *session, const vd_job *job, vd_detection *detections, size_t count)
{
    double step_s = step_of(session, job);
    vd_track_options options = options_for(session, step_s);
    if (!session->tracker && vd_tracker_new(&options, &session->tracker, NULL))
        return; /* no memory: this frame has no ids; so below */
    vd_tracker_set_options(session->tracker, &options, NULL);
    if (vd_tracker_update(session->tracker, session->tracked_s + step_s, detections, count, NULL))
        return;
    write_ids(session, detections);
    session->step_s = step_s;
    session->tracked_s += step_s;
    session->tracked_ns = job->received_ns;
    session->stamped = job->timed && isfinite(job->timestamp);
    session->stamp = job->timestamp;
    session->tracked = true;
}

size_t vd_session_detect(vd_session *session, const vd_job *job, vd_detection *ret_detections)
{
    const vd_session_config *config = &session->config;
    vd_thresholds thresholds = VD_THRESHOLDS_INIT;
    float wanted = (float)config->confidence_threshold;
    thresholds.confidence = config->enable_tracking ? fminf(least_score, wanted) : wanted;
    thresholds.iou = (float)config->iou_threshold;
    size_t count = vd_result_select(job->result, &thresholds, ret_detections), reported = 0;
    for (size_t i = 0; i < count; i++)
        ret_detections[i].track_id = 0;
    if (config->enable_tracking)
        track(session, job, ret_detections, count);
    while (reported < count && reported < (size_t)config->max_detections &&
           ret_detections[reported].score >= wanted)
        reported++; /* they are sorted by falling score */
    return reported;
}

void vd_session_retrack(vd_session *session)
{
    if (session->config.enable_tracking || !session->tracker)
        return;
    vd_tracker_reset(session->tracker);
    session->tracks = 0;
}
