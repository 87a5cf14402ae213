#include <math.h>

#include "verify/crop.h"

enum { DEGREES = 3 };

/* Polynomials over the moments of the boxes, each orthogonal to the ones before it: p0 = 1, p1 = t,
 * p2 = t² - slope·t - mean, with t from the mean time. `norm` is the sum of their squares, 0 where the
 * moments do not suffice for one. */
struct basis {
    double from_s, to_s; /* of the first and last box */
    double mean_s, slope, mean;
    double norm[DEGREES];
};

/* A curve: what each polynomial adds. */
struct curve {
    double part[DEGREES];
};

static int is_usable(const vd_crop_seen *seen)
{
    return isfinite(seen->time_s) && isfinite(seen->box.x1) && isfinite(seen->box.y1) &&
           isfinite(seen->box.x2) && isfinite(seen->box.y2);
}

static void evaluate(const struct basis *basis, double time_s, double values[DEGREES])
{
    double t = time_s - basis->mean_s;
    values[0] = 1;
    values[1] = t;
    values[2] = t * t - basis->slope * t - basis->mean;
}

static size_t find_times(const vd_crop_seen *seen, size_t count, struct basis *basis)
{
    size_t used = 0;
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        if (is_usable(&seen[i])) {
            double time_s = seen[i].time_s;
            basis->from_s = used ? fmin(basis->from_s, time_s) : time_s;
            basis->to_s = used ? fmax(basis->to_s, time_s) : time_s;
            sum += time_s;
            used++;
        }
    basis->mean_s = used ? sum / (double)used : 0;
    return used;
}

static int make_basis(const vd_crop_seen *seen, size_t count, struct basis *basis)
{
    *basis = (struct basis){0};
    size_t used = find_times(seen, count, basis);
    double squares = 0, cubes = 0, span = basis->to_s - basis->from_s;
    for (size_t i = 0; i < count; i++)
        if (is_usable(&seen[i])) {
            double t = seen[i].time_s - basis->mean_s;
            squares += t * t;
            cubes += t * t * t;
        }
    if (!used || !isfinite(cubes))
        return VD_EINVAL;
    basis->slope = squares > 0 ? cubes / squares : 0;
    basis->mean = squares / (double)used;
    for (size_t i = 0; i < count; i++)
        if (is_usable(&seen[i])) {
            double values[DEGREES];
            evaluate(basis, seen[i].time_s, values);
            for (int d = 0; d < DEGREES; d++)
                basis->norm[d] += values[d] * values[d];
        }
    /* Two moments leave a parabola nothing but rounding. */
    const double dust = 1e-9 * (double)used;
    for (int d = 1; d < DEGREES; d++)
        if (!(basis->norm[d] > dust * pow(span, 2 * d)))
            basis->norm[d] = 0;
    return VD_OK;
}

/* Of a box: centre x, centre y, width, height. */
static double measure(const vd_box *box, int which)
{
    switch (which) {
    case 0:
        return ((double)box->x1 + box->x2) / 2;
    case 1:
        return ((double)box->y1 + box->y2) / 2;
    case 2:
        return (double)box->x2 - box->x1;
    default:
        return (double)box->y2 - box->y1;
    }
}

static struct curve fit(const struct basis *basis, const vd_crop_seen *seen, size_t count, int which,
                        int degrees)
{
    struct curve curve = {{0}};
    for (size_t i = 0; i < count; i++)
        if (is_usable(&seen[i])) {
            double values[DEGREES], value = measure(&seen[i].box, which);
            evaluate(basis, seen[i].time_s, values);
            for (int d = 0; d < degrees; d++)
                if (basis->norm[d] > 0)
                    curve.part[d] += value * values[d] / basis->norm[d];
        }
    return curve;
}

static double at(const struct basis *basis, const struct curve *curve, double time_s)
{
    double values[DEGREES], sum = 0;
    evaluate(basis, time_s, values);
    for (int d = 0; d < DEGREES; d++)
        sum += curve->part[d] * values[d];
    return sum;
}

int vd_crop_path(const vd_crop_seen *seen, size_t count, const double *at_s, size_t at_count,
                 vd_box *ret_boxes)
{
    struct basis basis;
    if (make_basis(seen, count, &basis) != VD_OK)
        return VD_EINVAL;
    struct curve x = fit(&basis, seen, count, 0, 3), y = fit(&basis, seen, count, 1, 3);
    struct curve wide = fit(&basis, seen, count, 2, 2), high = fit(&basis, seen, count, 3, 2);
    for (size_t i = 0; i < at_count; i++) {
        double time_s = fmin(fmax(at_s[i], basis.from_s), basis.to_s);
        double center_x = at(&basis, &x, time_s), center_y = at(&basis, &y, time_s);
        double half_x = fmax(at(&basis, &wide, time_s), 1) / 2,
               half_y = fmax(at(&basis, &high, time_s), 1) / 2;
        ret_boxes[i] = (vd_box){(float)(center_x - half_x), (float)(center_y - half_y),
                                (float)(center_x + half_x), (float)(center_y + half_y)};
    }
    return VD_OK;
}
