#include "detect/yolo_decode.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 256 }; /* anchors whose best scores stay in the first-level cache over all classes */

int vd_yolo_scratch_init(vd_yolo_scratch *scratch, int anchors)
{
    *scratch = (vd_yolo_scratch){.anchors = anchors};
    if (anchors < 1)
        return VD_ENOMEM;
    scratch->scores = malloc((size_t)anchors * sizeof *scratch->scores);
    scratch->classes = malloc((size_t)anchors * sizeof *scratch->classes);
    if (scratch->scores && scratch->classes)
        return VD_OK;
    vd_yolo_scratch_fini(scratch);
    return VD_ENOMEM;
}

void vd_yolo_scratch_fini(vd_yolo_scratch *scratch)
{
    free(scratch->scores);
    free(scratch->classes);
    *scratch = (vd_yolo_scratch){0};
}

/* One class' row over some anchors, written without branches so that the compiler makes vectors of it. A
 * score that is not a number compares as false and so is never taken. */
static void take_better(const float *restrict row, int32_t class_id, float *restrict scores,
                        int32_t *restrict classes, int count)
{
    for (int i = 0; i < count; i++) {
        int32_t better = -(int32_t)(row[i] > scores[i]);
        classes[i] = (class_id & better) | (classes[i] & ~better);
        scores[i] = row[i] > scores[i] ? row[i] : scores[i];
    }
}

/* The memory is walked along its rows: an anchor's own scores lie a whole row apart. */
static void find_best_classes(const float *rows, int classes, vd_yolo_scratch *scratch)
{
    int anchors = scratch->anchors;
    memset(scratch->scores, 0, (size_t)anchors * sizeof *scratch->scores);
    memset(scratch->classes, 0, (size_t)anchors * sizeof *scratch->classes);
    for (int start = 0; start < anchors; start += BLOCK) {
        int count = anchors - start < BLOCK ? anchors - start : BLOCK;
        for (int c = 0; c < classes; c++)
            take_better(rows + (size_t)c * (size_t)anchors + start, c, scratch->scores + start,
                        scratch->classes + start, count);
    }
}

/* The box of an anchor in the picture; false when nothing of it is there. */
static bool place_box(const float *output, size_t anchors, size_t anchor, const vd_letterbox *letterbox,
                      float width, float height, vd_box *ret_box)
{
    float center_x = output[anchor], center_y = output[anchors + anchor];
    float half_width = output[2 * anchors + anchor] / 2, half_height = output[3 * anchors + anchor] / 2;
    if (!isfinite(center_x) || !isfinite(center_y) || !isfinite(half_width) || !isfinite(half_height))
        return false;
    float scale = (float)(1 / letterbox->scale), left = (float)letterbox->left, top = (float)letterbox->top;
    *ret_box = (vd_box){.x1 = fmaxf((center_x - half_width - left) * scale, 0),
                        .y1 = fmaxf((center_y - half_height - top) * scale, 0),
                        .x2 = fminf((center_x + half_width - left) * scale, width),
                        .y2 = fminf((center_y + half_height - top) * scale, height)};
    return ret_box->x1 < ret_box->x2 && ret_box->y1 < ret_box->y2;
}

size_t vd_yolo_decode(const float *output, int classes, const vd_letterbox *letterbox, int picture_width,
                      int picture_height, float floor, vd_yolo_scratch *scratch, vd_detection *ret_candidates)
{
    size_t anchors = (size_t)scratch->anchors, count = 0;
    vd_box box;
    find_best_classes(output + 4 * anchors, classes, scratch);
    scratch->best.count = 0;
    for (size_t i = 0; i < anchors; i++)
        if (scratch->scores[i] >= floor && scratch->scores[i] <= 1 &&
            place_box(output, anchors, i, letterbox, (float)picture_width, (float)picture_height, &box))
            vd_best_offer(&scratch->best, scratch->scores[i], (uint32_t)i);
    vd_best_sort(&scratch->best);
    for (size_t n = 0; n < scratch->best.count; n++) {
        uint32_t i = vd_best_index(&scratch->best, n);
        place_box(output, anchors, i, letterbox, (float)picture_width, (float)picture_height, &box);
        ret_candidates[count++] =
            (vd_detection){.box = box, .score = scratch->scores[i], .class_id = scratch->classes[i]};
    }
    return count;
}
