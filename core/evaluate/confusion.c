#include "evaluate/confusion.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>

#define LEAST_IOU 0.5

struct pair {
    double iou;
    size_t found, truth; /* in the picture */
};

struct sheet {
    vd_confusion_cell *cells; /* one an event at first, summed up at the end */
    size_t count, room;
};

/* Nothing stands behind every class. */
static int place_of(int class_id)
{
    return class_id < 0 ? INT_MAX : class_id;
}

static int by_cell(const void *a, const void *b)
{
    const vd_confusion_cell *x = a, *y = b;
    int rows = (place_of(x->truth) > place_of(y->truth)) - (place_of(x->truth) < place_of(y->truth));
    return rows ? rows
                : (place_of(x->found) > place_of(y->found)) - (place_of(x->found) < place_of(y->found));
}

static int by_overlap(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->iou != y->iou)
        return x->iou < y->iou ? 1 : -1;
    if (x->found != y->found)
        return x->found < y->found ? -1 : 1;
    return (x->truth > y->truth) - (x->truth < y->truth);
}

static void note(struct sheet *sheet, int truth, int found)
{
    sheet->cells[sheet->count++] = (vd_confusion_cell){truth, found, 1}; /* there is room for every region */
}

static size_t list_pairs(const vd_region *found, size_t found_count, const vd_region *truths,
                         size_t truth_count, struct pair *pairs)
{
    size_t count = 0;
    for (size_t i = 0; i < found_count; i++)
        for (size_t j = 0; j < truth_count; j++) {
            double iou = vd_region_iou(&found[i], &truths[j]);
            if (iou >= LEAST_IOU)
                pairs[count++] = (struct pair){iou, i, j};
        }
    qsort(pairs, count, sizeof *pairs, by_overlap);
    return count;
}

static int count_picture(struct sheet *sheet, const vd_region *found, size_t found_count,
                         const vd_region *truths, size_t truth_count)
{
    struct pair *pairs = calloc(found_count * truth_count + 1, sizeof *pairs);
    bool *taken = calloc(found_count + truth_count + 1, sizeof *taken);
    if (!pairs || !taken) {
        free(pairs);
        free(taken);
        return VD_ENOMEM;
    }
    size_t count = list_pairs(found, found_count, truths, truth_count, pairs);
    bool *truth_taken = taken + found_count;
    for (size_t i = 0; i < count; i++) {
        if (taken[pairs[i].found] || truth_taken[pairs[i].truth])
            continue;
        taken[pairs[i].found] = truth_taken[pairs[i].truth] = true;
        note(sheet, truths[pairs[i].truth].class_id, found[pairs[i].found].class_id);
    }
    for (size_t i = 0; i < found_count; i++)
        if (!taken[i])
            note(sheet, -1, found[i].class_id);
    for (size_t i = 0; i < truth_count; i++)
        if (!truth_taken[i])
            note(sheet, truths[i].class_id, -1);
    free(pairs);
    free(taken);
    return VD_OK;
}

static void sum_up(struct sheet *sheet)
{
    size_t count = 0;
    qsort(sheet->cells, sheet->count, sizeof *sheet->cells, by_cell);
    for (size_t i = 0; i < sheet->count; i++) {
        if (count > 0 && by_cell(&sheet->cells[count - 1], &sheet->cells[i]) == 0)
            sheet->cells[count - 1].count++;
        else
            sheet->cells[count++] = sheet->cells[i];
    }
    sheet->count = count;
}

int vd_confusion_count(const vd_evaluation *evaluation, double score, vd_evaluation_figures *figures)
{
    struct sheet sheet = {.cells = calloc(evaluation->region_count + 1, sizeof *sheet.cells)};
    int code = sheet.cells ? VD_OK : VD_ENOMEM;
    for (size_t i = 0; i < evaluation->picture_count && code == VD_OK; i++) {
        const vd_picture *picture = &evaluation->pictures[i];
        size_t end = i + 1 < evaluation->picture_count ? picture[1].found : evaluation->region_count;
        const vd_region *found = evaluation->regions + picture->found;
        size_t count = 0; /* sorted by falling score */
        while (picture->found + count < picture->truths && found[count].score >= score)
            count++;
        code =
            count_picture(&sheet, found, count, evaluation->regions + picture->truths, end - picture->truths);
    }
    if (code == VD_OK)
        sum_up(&sheet);
    figures->confusion = sheet.cells;
    figures->confusion_count = sheet.count;
    figures->confusion_score = score;
    figures->confusion_iou = LEAST_IOU;
    return code;
}
