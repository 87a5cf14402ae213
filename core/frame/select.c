#include <math.h>
#include <stdbool.h>

#include "vedette/detection.h"

static bool is_wanted(const vd_thresholds *thresholds, int class_id)
{
    bool all = true;
    for (int i = 0; i < 16; i++)
        all = all && thresholds->classes[i] == 0;
    if (all)
        return true;
    return class_id >= 0 && class_id < 1024 && (thresholds->classes[class_id / 64] >> (class_id % 64) & 1);
}

/* What is not a number is no detection; the sum is finite only when all of its parts are. */
static bool is_usable(const vd_detection *candidate)
{
    const vd_box *box = &candidate->box;
    return isfinite(candidate->score + box->x1 + box->y1 + box->x2 + box->y2);
}

/* Whether a better detection of the same class already stands for this object. */
static bool is_double(const vd_detection *found, size_t count, const vd_detection *candidate, float iou)
{
    for (size_t i = 0; i < count; i++)
        if (found[i].class_id == candidate->class_id && vd_box_iou(&found[i].box, &candidate->box) > iou)
            return true;
    return false;
}

/* Not where the result does not say how large its picture is. */
static void cut_to_picture(const vd_result *result, vd_box *box)
{
    if (result->width < 1 || result->height < 1)
        return;
    box->x1 = fmaxf(box->x1, 0);
    box->y1 = fmaxf(box->y1, 0);
    box->x2 = fminf(box->x2, (float)result->width);
    box->y2 = fminf(box->y2, (float)result->height);
}

size_t vd_result_select(const vd_result *result, const vd_thresholds *thresholds,
                        vd_detection *ret_detections)
{
    int asked =
        thresholds->max_detections < VD_MAX_DETECTIONS ? thresholds->max_detections : VD_MAX_DETECTIONS;
    size_t most = asked > 0 ? (size_t)asked : 0, count = 0;
    for (size_t i = 0; i < result->count && count < most; i++) {
        const vd_detection *candidate = &result->candidates[i];
        if (candidate->score < thresholds->confidence)
            break; /* sorted by falling score */
        if (!is_usable(candidate) || !is_wanted(thresholds, candidate->class_id))
            continue;
        if (!result->nms_done && is_double(ret_detections, count, candidate, thresholds->iou))
            continue;
        ret_detections[count++] = *candidate;
    }
    for (size_t i = 0; i < count; i++) /* last: doubles are told by their whole boxes */
        cut_to_picture(result, &ret_detections[i].box);
    return count;
}
