/* Taking pictures in: which detection is right at which overlap. */
#include "evaluate/evaluation.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for `more` items behind `count`; false when there is no memory. */
static bool grow(void *pointer, size_t *room, size_t count, size_t more, size_t size)
{
    void *items;
    memcpy(&items, pointer, sizeof items);
    if (count + more <= *room)
        return true;
    size_t wanted = 2 * *room > count + more ? 2 * *room : count + more;
    items = reallocarray(items, wanted, size);
    if (!items)
        return false;
    memcpy(pointer, &items, sizeof items);
    *room = wanted;
    return true;
}

int vd_evaluation_new(int classes, vd_evaluation **ret_evaluation)
{
    if (classes < 1 || classes > VD_EVALUATE_CLASSES)
        return VD_EINVAL;
    vd_evaluation *evaluation = calloc(1, sizeof *evaluation);
    if (evaluation)
        evaluation->hits = calloc((size_t)classes, sizeof *evaluation->hits);
    if (!evaluation || !evaluation->hits) {
        free(evaluation);
        return VD_ENOMEM;
    }
    evaluation->classes = classes;
    *ret_evaluation = evaluation;
    return VD_OK;
}

void vd_evaluation_free(vd_evaluation **pointer)
{
    vd_evaluation *evaluation = *pointer;
    *pointer = NULL;
    if (!evaluation)
        return;
    for (int i = 0; i < evaluation->classes; i++)
        free(evaluation->hits[i].items);
    free(evaluation->hits);
    free(evaluation->pictures);
    free(evaluation->regions);
    free(evaluation);
}

double vd_region_iou(const vd_region *a, const vd_region *b)
{
    double width = fmax(fmin(a->x2, b->x2) - fmax(a->x1, b->x1), 0);
    double height = fmax(fmin(a->y2, b->y2) - fmax(a->y1, b->y1), 0);
    double both = width * height;
    double all = (a->x2 - a->x1) * (a->y2 - a->y1) + (b->x2 - b->x1) * (b->y2 - b->y1) - both;
    return both / fmax(all, 1e-9);
}

/* The number that comes back when this one is written with so many decimals and read again. */
static double rounded(float value, int decimals)
{
    char text[64];
    snprintf(text, sizeof text, "%.*f", decimals, (double)value);
    return strtod(text, NULL);
}

static vd_region region_of(const vd_detection *found)
{
    return (vd_region){.x1 = rounded(found->box.x1, 2),
                       .y1 = rounded(found->box.y1, 2),
                       .x2 = rounded(found->box.x2, 2),
                       .y2 = rounded(found->box.y2, 2),
                       .score = rounded(found->score, 5),
                       .class_id = found->class_id};
}

/* A stable sort by falling score: equal scores keep the order they came in. */
static void sort_regions(vd_region *regions, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        vd_region moved = regions[i];
        size_t at = i;
        for (; at > 0 && regions[at - 1].score < moved.score; at--)
            regions[at] = regions[at - 1];
        regions[at] = moved;
    }
}

static bool is_number(const vd_detection *found)
{
    return isfinite(found->box.x1 + found->box.y1 + found->box.x2 + found->box.y2 + found->score);
}

static bool is_good(const vd_evaluation *evaluation, const vd_detection *found, size_t found_count,
                    const vd_truth *truths, size_t truth_count)
{
    bool good = truth_count <= VD_EVALUATE_LABELS && found_count <= VD_MAX_CANDIDATES;
    for (size_t i = 0; i < found_count && good; i++)
        good = found[i].class_id >= 0 && found[i].class_id < evaluation->classes && is_number(&found[i]);
    for (size_t i = 0; i < truth_count && good; i++)
        good = truths[i].class_id >= 0 && truths[i].class_id < evaluation->classes &&
               isfinite(truths[i].x1 + truths[i].y1 + truths[i].x2 + truths[i].y2);
    return good;
}

/* The free label of the detection's class that it overlaps most, from `least` up; the later one of two alike.
 * -1 when there is none. */
static ptrdiff_t best_label(const vd_region *found, const vd_region *truths, size_t count, const bool *taken,
                            double least)
{
    double best = least;
    ptrdiff_t at = -1;
    for (size_t i = 0; i < count; i++) {
        double iou =
            taken[i] || truths[i].class_id != found->class_id ? -1 : vd_region_iou(found, &truths[i]);
        if (iou < best)
            continue;
        best = iou;
        at = (ptrdiff_t)i;
    }
    return at;
}

/* Notes every detection of a picture (by falling score) with the overlaps at which it takes a label.
 * right  a zeroed entry a detection;  taken  an entry a label */
static void match(const vd_region *found, size_t found_count, const vd_region *truths, size_t truth_count,
                  uint16_t *right, bool *taken)
{
    for (int k = 0; k < VD_OVERLAPS; k++) {
        memset(taken, 0, truth_count * sizeof *taken);
        for (size_t i = 0; i < found_count; i++) {
            ptrdiff_t at = best_label(&found[i], truths, truth_count, taken, vd_overlap_at(k));
            if (at < 0)
                continue;
            taken[at] = true;
            right[i] |= (uint16_t)(1u << k);
        }
    }
}

/* Room everywhere first, so that nothing is half taken in. */
static bool make_room(vd_evaluation *evaluation, const vd_region *found, size_t found_count,
                      size_t truth_count)
{
    if (!grow(&evaluation->pictures, &evaluation->picture_room, evaluation->picture_count, 1,
              sizeof *evaluation->pictures) ||
        !grow(&evaluation->regions, &evaluation->region_room, evaluation->region_count,
              found_count + truth_count, sizeof *evaluation->regions))
        return false;
    for (size_t i = 0; i < found_count; i++) {
        vd_hits *hits = &evaluation->hits[found[i].class_id];
        if (!grow(&hits->items, &hits->room, hits->count, found_count, sizeof *hits->items))
            return false;
    }
    return true;
}

static void keep(vd_evaluation *evaluation, const vd_region *regions, size_t found_count, size_t truth_count,
                 const uint16_t *right)
{
    size_t at = evaluation->region_count;
    evaluation->pictures[evaluation->picture_count++] = (vd_picture){at, at + found_count};
    if (found_count + truth_count > 0)
        memcpy(evaluation->regions + at, regions, (found_count + truth_count) * sizeof *regions);
    evaluation->region_count += found_count + truth_count;
    for (size_t i = 0; i < found_count; i++) {
        vd_hits *hits = &evaluation->hits[regions[i].class_id];
        hits->items[hits->count++] = (vd_hit){regions[i].score, right[i]};
    }
    for (size_t i = found_count; i < found_count + truth_count; i++)
        evaluation->hits[regions[i].class_id].labels++;
}

int vd_evaluation_add(vd_evaluation *evaluation, const vd_detection *found, size_t found_count,
                      const vd_truth *truths, size_t truth_count)
{
    if (!is_good(evaluation, found, found_count, truths, truth_count))
        return VD_EINVAL;
    size_t kept = found_count < VD_MAX_DETECTIONS ? found_count : VD_MAX_DETECTIONS;
    vd_region *regions = calloc(found_count + truth_count + 1, sizeof *regions);
    uint16_t *right = calloc(found_count + 1, sizeof *right);
    bool *taken = calloc(truth_count + 1, sizeof *taken);
    int code = VD_ENOMEM;
    if (!regions || !right || !taken)
        goto out;
    for (size_t i = 0; i < found_count; i++)
        regions[i] = region_of(&found[i]);
    sort_regions(regions, found_count);
    for (size_t i = 0; i < truth_count; i++)
        regions[kept + i] =
            (vd_region){truths[i].x1, truths[i].y1, truths[i].x2, truths[i].y2, 0, truths[i].class_id};
    match(regions, kept, regions + kept, truth_count, right, taken);
    if (!make_room(evaluation, regions, kept, truth_count))
        goto out;
    keep(evaluation, regions, kept, truth_count, right);
    code = VD_OK;
out:
    free(regions);
    free(right);
    free(taken);
    return code;
}
