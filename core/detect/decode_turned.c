#include <math.h>

#include "detect/decode_family.h"

/* A turned box as a normal distribution: the entries of its covariance matrix. */
struct spread {
    float x, y, a, b, c;
};

static struct spread spread_of(const vd_turned *box)
{
    float a = box->width * box->width / 12, b = box->height * box->height / 12;
    float cosine = cosf(box->angle), sine = sinf(box->angle);
    return (struct spread){.x = box->center_x,
                           .y = box->center_y,
                           .a = a * cosine * cosine + b * sine * sine,
                           .b = a * sine * sine + b * cosine * cosine,
                           .c = (a - b) * cosine * sine};
}

/* The overlap that Ultralytics suppresses by (probiou, arXiv 2106.06072): 1 less the Hellinger distance of
 * the two distributions. */
static float overlap_of(const vd_turned *one, const vd_turned *other)
{
    const float tiny = 1e-7f;
    struct spread p = spread_of(one), q = spread_of(other);
    float a = p.a + q.a, b = p.b + q.b, c = p.c + q.c, x = p.x - q.x, y = p.y - q.y;
    float both = a * b - c * c;
    float shift = (a * y * y + b * x * x) / (both + tiny) / 4 - c * x * y / (both + tiny) / 2;
    float own = fmaxf(p.a * p.b - p.c * p.c, 0) * fmaxf(q.a * q.b - q.c * q.c, 0);
    float shape = logf(both / (4 * sqrtf(own) + tiny) + tiny) / 2;
    float distance = fminf(fmaxf(shift + shape, tiny), 100);
    return 1 - sqrtf(1 - expf(-distance) + tiny);
}

size_t vd_turned_suppress(const vd_decoder *decoder, vd_detection *candidates, const vd_best *order,
                          size_t count)
{
    uint32_t kept[VD_MAX_CANDIDATES];
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t index = vd_best_index(order, i);
        bool is_double = false;
        for (size_t k = 0; k < left && !is_double; k++)
            is_double = candidates[k].class_id == candidates[i].class_id &&
                        overlap_of(&decoder->turned[kept[k]], &decoder->turned[index]) > decoder->model->iou;
        if (is_double)
            continue;
        kept[left] = index;
        candidates[left++] = candidates[i];
    }
    return left;
}
