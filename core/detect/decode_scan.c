#include <float.h>
#include <math.h>

#include "detect/decode_family.h"

enum { BLOCK = 256 }; /* cells whose best scores stay in the first-level cache over all classes */
enum { LANES = 16 };

float vd_sigmoid(float value)
{
    return 1 / (1 + expf(-value));
}

float vd_logit_floor(float score)
{
    const float most = 15; /* beyond, a sigmoid is 1 in floats */
    float logit = logf(score) - logf(1 - score);
    return logit < most ? logit - 0.001f : most;
}

float vd_expected_bin(const float *values, int bins, size_t step)
{
    float most = values[0], sum = 0, weighted = 0;
    for (int b = 1; b < bins; b++)
        most = fmaxf(most, values[(size_t)b * step]);
    for (int b = 0; b < bins; b++) {
        float share = expf(values[(size_t)b * step] - most);
        sum += share;
        weighted += share * (float)b;
    }
    return weighted / sum;
}

/* One class' row over some cells, written without branches so that the compiler makes vectors of it. A
 * score that is not a number compares as false and so is never taken. */
static void take_better(const float *restrict row, int32_t class_id, float *restrict scores,
                        int32_t *restrict classes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int32_t better = -(int32_t)(row[i] > scores[i]);
        classes[i] = (class_id & better) | (classes[i] & ~better);
        scores[i] = row[i] > scores[i] ? row[i] : scores[i];
    }
}

/* The memory is walked along its rows: a cell's own scores lie a whole plane apart. */
void vd_best_of_planes(const float *planes, int classes, size_t cells, float *ret_scores,
                       int32_t *ret_classes)
{
    for (size_t i = 0; i < cells; i++) {
        ret_scores[i] = -FLT_MAX;
        ret_classes[i] = 0;
    }
    for (size_t start = 0; start < cells; start += BLOCK) {
        size_t count = cells - start < BLOCK ? cells - start : BLOCK;
        for (int c = 0; c < classes; c++)
            take_better(planes + (size_t)c * cells + start, c, ret_scores + start, ret_classes + start,
                        count);
    }
}

/* The greatest by lanes, which become a vector; then the place of the first that has it. */
int vd_best_of_row(const float *row, int classes, float least)
{
    float lanes[LANES], most = -FLT_MAX;
    int at = 0;
    for (int i = 0; i < LANES; i++)
        lanes[i] = -FLT_MAX;
    for (; at + LANES <= classes; at += LANES)
        for (int i = 0; i < LANES; i++)
            lanes[i] = row[at + i] > lanes[i] ? row[at + i] : lanes[i];
    for (int i = 0; i < LANES; i++)
        most = lanes[i] > most ? lanes[i] : most;
    for (; at < classes; at++)
        most = row[at] > most ? row[at] : most;
    if (!(most >= least))
        return -1;
    for (int c = 0; c < classes; c++)
        if (row[c] == most)
            return c;
    return -1;
}
