/* Average precision, the best threshold, and the whole table. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluate/confusion.h"
#include "evaluate/evaluation.h"

enum { RECALLS = 101 };

struct ranked {
    vd_hit hit;
    size_t order;
};

static int by_score(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->hit.score != y->hit.score)
        return x->hit.score < y->hit.score ? 1 : -1;
    return (x->order > y->order) - (x->order < y->order);
}

/* Sorted by falling score; equal ones in the order of the pictures. */
static void rank(const vd_hit *hits, size_t count, struct ranked *ret_ranked)
{
    for (size_t i = 0; i < count; i++)
        ret_ranked[i] = (struct ranked){hits[i], i};
    qsort(ret_ranked, count, sizeof *ret_ranked, by_score);
}

/* The area under the precision's envelope at overlap step k.
 * precision, recall  room for `count` */
static double average_precision(const struct ranked *ranked, size_t count, int labels, int k,
                                double *precision, double *recall)
{
    double right = 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
        right += ranked[i].hit.right >> k & 1;
        recall[i] = right / labels;
        precision[i] = right / (double)(i + 1);
    }
    for (size_t i = count; i-- > 1;)
        precision[i - 1] = fmax(precision[i - 1], precision[i]);
    for (size_t at = 0, r = 0; r < RECALLS; r++) {
        double wanted = r + 1 < RECALLS ? (double)r * 0.01 : 1;
        while (at < count && recall[at] < wanted)
            at++;
        sum += at < count ? precision[at] : 0;
    }
    return sum / RECALLS;
}

static int figure_class(const vd_hits *hits, vd_class_figures *figures)
{
    size_t count = hits->count;
    struct ranked *ranked = calloc(count + 1, sizeof *ranked);
    double *curve = calloc(2 * count + 1, sizeof *curve);
    if (!ranked || !curve) {
        free(ranked);
        free(curve);
        return VD_ENOMEM;
    }
    rank(hits->items, count, ranked);
    for (int k = 0; k < VD_OVERLAPS && hits->labels > 0; k++) {
        double ap = average_precision(ranked, count, hits->labels, k, curve, curve + count);
        figures->ap50 = k == 0 ? ap : figures->ap50;
        figures->ap50_95 += ap / VD_OVERLAPS;
    }
    free(ranked);
    free(curve);
    return VD_OK;
}

static int figure_classes(const vd_evaluation *evaluation, vd_evaluation_figures *figures)
{
    figures->classes = calloc((size_t)evaluation->classes, sizeof *figures->classes);
    if (!figures->classes)
        return VD_ENOMEM;
    for (int i = 0; i < evaluation->classes; i++) {
        const vd_hits *hits = &evaluation->hits[i];
        if (hits->labels == 0 && hits->count == 0)
            continue;
        vd_class_figures *of = &figures->classes[figures->class_count++];
        *of = (vd_class_figures){.class_id = i, .labels = hits->labels, .found = (int)hits->count};
        int code = figure_class(hits, of);
        if (code)
            return code;
        figures->labels += of->labels;
        figures->detections += of->found;
        figures->labelled_classes += of->labels > 0;
        figures->map50 += of->ap50;
        figures->map50_95 += of->ap50_95;
    }
    return VD_OK;
}

/* Over every score, from the highest down: detections of one score count together. */
static int find_best(const vd_evaluation *evaluation, vd_evaluation_figures *figures)
{
    size_t count = 0, all = (size_t)figures->detections;
    vd_hit *hits = calloc(all + 1, sizeof *hits);
    struct ranked *ranked = calloc(all + 1, sizeof *ranked);
    if (!hits || !ranked) {
        free(hits);
        free(ranked);
        return VD_ENOMEM;
    }
    for (int i = 0; i < evaluation->classes; i++) {
        if (evaluation->hits[i].count > 0)
            memcpy(hits + count, evaluation->hits[i].items, evaluation->hits[i].count * sizeof *hits);
        count += evaluation->hits[i].count;
    }
    rank(hits, count, ranked);
    double right = 0;
    for (size_t i = 0; i < count; i++) {
        right += ranked[i].hit.right & 1;
        double f1 = 2 * right / ((double)(i + 1) + figures->labels);
        if ((i + 1 < count && ranked[i + 1].hit.score == ranked[i].hit.score) || f1 <= figures->best_f1)
            continue;
        figures->best_f1 = f1;
        figures->best_threshold = ranked[i].hit.score;
        figures->best_precision = right / (double)(i + 1);
        figures->best_recall = right / figures->labels;
    }
    free(hits);
    free(ranked);
    return VD_OK;
}

static int figure(const vd_evaluation *evaluation, double confusion_score, vd_evaluation_figures *figures,
                  vd_error *error)
{
    int code = figure_classes(evaluation, figures);
    if (code == VD_OK && figures->labels == 0)
        return vd_error_set(error, VD_EINVAL, NULL,
                            "No object is labelled in any picture, so there is nothing to compare with.");
    if (code == VD_OK)
        code = find_best(evaluation, figures);
    if (code == VD_OK)
        code = vd_confusion_count(evaluation, confusion_score, figures);
    if (code)
        return vd_error_set(error, code, NULL, "There is not enough memory for the figures.");
    figures->pictures = (int)evaluation->picture_count;
    figures->map50 /= figures->labelled_classes;
    figures->map50_95 /= figures->labelled_classes;
    return VD_OK;
}

int vd_evaluation_figure(const vd_evaluation *evaluation, double confusion_score,
                         vd_evaluation_figures *ret_figures, vd_error *error)
{
    vd_evaluation_figures figures = {0};
    int code = figure(evaluation, confusion_score, &figures, error);
    if (code)
        vd_evaluation_figures_clear(&figures);
    else
        *ret_figures = figures;
    return code;
}

void vd_evaluation_figures_clear(vd_evaluation_figures *figures)
{
    free(figures->classes);
    free(figures->confusion);
    memset(figures, 0, sizeof *figures);
}
