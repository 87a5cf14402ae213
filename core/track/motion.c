#include "track/motion.h"

#include <math.h>

/* Where the constants come from. First, DeepSORT (Wojke, Bewley & Paulus, Simple Online and Realtime Tracking
 * with a Deep Association Metric, ICIP 2017) and ByteTrack, per second instead of per frame of 30 a second.
 * They reckon in heights of people, who are about 0.4 as wide as high: a height is 1.43 sizes. Second,
 * demonstration scenes (seeds 2000001, 2000003 and 2000004, which tests/flow/track_scene.py looks at as
 * well): the trained detector beside the truth, and how true boxes move. Values between the two are taken,
 * chosen by how tracks on the scenes came out.
 *
 * noise 0.06: 1/20 of the height is 0.071 sizes; measured 0.052, root mean square of both axes.
 *
 * SHAPE_NOISE 2: where a side's two ends err independently, its length errs twice as much as its middle.
 * Measured: 0.099 sizes, 1.9 times.
 *
 * acceleration 1.2: 1/160 of the height a frame comes to the speed in every frame, 1.03 heights or 1.5 sizes;
 * measured 1.0 to 1.2, over 0.03 to 0.2 s. Widths and heights are as free, as the papers' heights are:
 * measured 0.3 to 0.5 in the open, 0.8 to 1.9 with boxes that the picture's border cuts.
 *
 * speed 2: a track begins with ten times 1/160 a frame, 2.7 sizes; measured 1.3, 95 of 100 below 2.9.
 *
 * gate 13.3: chi-square of four dimensions, 99 of 100. */
#define SHAPE_NOISE 2.0
/* A box that is foretold never becomes smaller than this share of the one that was seen. */
#define LEAST_SHARE 0.2

struct noise {
    double place, shape; /* variances of a detection, pixels² */
};

double vd_motion_size(const vd_box *box)
{
    return ((double)box->x2 - (double)box->x1 + (double)box->y2 - (double)box->y1) / 2;
}

static struct noise noise_of(double size, const vd_track_options *options)
{
    double place = options->noise * size, shape = place * SHAPE_NOISE;
    return (struct noise){place * place, shape * shape};
}

static void read_box(const vd_box *box, double ret_values[4])
{
    ret_values[0] = ((double)box->x1 + (double)box->x2) / 2;
    ret_values[1] = ((double)box->y1 + (double)box->y2) / 2;
    ret_values[2] = (double)box->x2 - (double)box->x1;
    ret_values[3] = (double)box->y2 - (double)box->y1;
}

void vd_motion_begin(vd_track *track, const vd_box *box, const vd_track_options *options)
{
    double values[4], size = vd_motion_size(box);
    struct noise noise = noise_of(size, options);
    double speed = options->speed * size; /* and growth: coming in at an edge looks the same */
    read_box(box, values);
    track->x = (vd_track_axis){.value = values[0], .var = noise.place, .speed_var = speed * speed};
    track->y = (vd_track_axis){.value = values[1], .var = noise.place, .speed_var = speed * speed};
    track->width = (vd_track_axis){.value = values[2], .var = noise.shape, .speed_var = speed * speed};
    track->height = (vd_track_axis){.value = values[3], .var = noise.shape, .speed_var = speed * speed};
}

static void pass(vd_track_axis *axis, double seconds, double density)
{
    axis->value += axis->speed * seconds;
    axis->var += seconds * (2 * axis->cross + seconds * axis->speed_var) + density * pow(seconds, 3) / 3;
    axis->cross += seconds * axis->speed_var + density * seconds * seconds / 2;
    axis->speed_var += density * seconds;
}

void vd_motion_pass(vd_track *track, double seconds, const vd_track_options *options)
{
    double freedom = options->acceleration * vd_motion_size(&track->detected);
    pass(&track->x, seconds, freedom * freedom);
    pass(&track->y, seconds, freedom * freedom);
    pass(&track->width, seconds, freedom * freedom);
    pass(&track->height, seconds, freedom * freedom);
}

static void correct(vd_track_axis *axis, double measured, double noise)
{
    double all = axis->var + noise, off = measured - axis->value;
    double gain = axis->var / all, speed_gain = axis->cross / all;
    axis->value += gain * off;
    axis->speed += speed_gain * off;
    axis->speed_var -= speed_gain * axis->cross;
    axis->cross *= 1 - gain;
    axis->var *= 1 - gain;
}

void vd_motion_correct(vd_track *track, const vd_box *box, const vd_track_options *options)
{
    double values[4];
    struct noise noise = noise_of(vd_motion_size(box), options);
    read_box(box, values);
    correct(&track->x, values[0], noise.place);
    correct(&track->y, values[1], noise.place);
    correct(&track->width, values[2], noise.shape);
    correct(&track->height, values[3], noise.shape);
}

static double squared(const vd_track_axis *axis, double measured, double noise, double *spread)
{
    double off = measured - axis->value, all = axis->var + noise;
    *spread *= all / noise;
    return off * off / all;
}

double vd_motion_distance(const vd_track *track, const vd_box *box, const vd_track_options *options,
                          double *ret_spread)
{
    double values[4], spread = 1;
    struct noise noise = noise_of(vd_motion_size(&track->detected), options);
    read_box(box, values);
    double sum = squared(&track->x, values[0], noise.place, &spread) +
                 squared(&track->y, values[1], noise.place, &spread) +
                 squared(&track->width, values[2], noise.shape, &spread) +
                 squared(&track->height, values[3], noise.shape, &spread);
    *ret_spread = log(spread);
    return sum;
}

static vd_box box_at(const vd_track *track, double seconds)
{
    double x = track->x.value + track->x.speed * seconds, y = track->y.value + track->y.speed * seconds;
    double width = track->width.value + track->width.speed * seconds;
    double height = track->height.value + track->height.speed * seconds;
    width = fmax(width, LEAST_SHARE * ((double)track->detected.x2 - (double)track->detected.x1));
    height = fmax(height, LEAST_SHARE * ((double)track->detected.y2 - (double)track->detected.y1));
    return (vd_box){(float)(x - width / 2), (float)(y - height / 2), (float)(x + width / 2),
                    (float)(y + height / 2)};
}

vd_box vd_motion_box(const vd_track *track)
{
    return box_at(track, 0);
}

vd_box vd_track_predict(const vd_track *track, double time_s)
{
    double seconds = time_s - track->time_s;
    return seconds > 0 && isfinite(seconds) ? box_at(track, seconds) : track->box;
}

static float between(float a, float b, double share)
{
    return (float)((double)a + ((double)b - (double)a) * share);
}

vd_box vd_track_interpolate(const vd_track *before, const vd_track *after, double time_s)
{
    double span = after->seen_s - before->seen_s, share = (time_s - before->seen_s) / span;
    const vd_box *a = &before->detected, *b = &after->detected;
    if (!(span > 0) || !(share < 1))
        return *b;
    if (!(share > 0))
        return *a;
    return (vd_box){between(a->x1, b->x1, share), between(a->y1, b->y1, share), between(a->x2, b->x2, share),
                    between(a->y2, b->y2, share)};
}
