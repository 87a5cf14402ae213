/* How a box moves: a Kalman filter of constant velocity for each of centre x, centre y, width and height
 * (Kalman, A New Approach to Linear Filtering and Prediction Problems, 1960). Speeds change by white noise in
 * continuous time (Bar-Shalom, Li & Kirubarajan, Estimation with Applications to Tracking and Navigation,
 * 2001, 6.2), so that one step of 0.4 s is as good as ten of 0.04 s. Since the four coordinates share no
 * noise, they are four filters of two numbers each. All noise is in sizes of the box. Pure functions. */
#ifndef VD_TRACK_MOTION_H
#define VD_TRACK_MOTION_H

#include "vedette/app/track.h"

/* The mean of width and height. */
double vd_motion_size(const vd_box *box);

/* Sets a track's four axes to a first detection. */
void vd_motion_begin(vd_track *track, const vd_box *box, const vd_track_options *options);

/* Lets `seconds` (not negative) pass. */
void vd_motion_pass(vd_track *track, double seconds, const vd_track_options *options);

/* Takes a detection in. */
void vd_motion_correct(vd_track *track, const vd_box *box, const vd_track_options *options);

/* How far a detection is from where the track is foretold, as a squared Mahalanobis distance over the four
 * coordinates; `spread` is the logarithm of the determinant of what was expected, relative to that of the
 * detection's own noise: the wider the net, the less a catch says. */
double vd_motion_distance(const vd_track *track, const vd_box *box, const vd_track_options *options,
                          double *ret_spread);

/* The filter's box. */
vd_box vd_motion_box(const vd_track *track);

#endif
