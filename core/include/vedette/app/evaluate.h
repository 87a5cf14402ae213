/* How good detections are, against labels (row C7): mAP, average precision a class, the best threshold,
 * confusion. Linked into vedette-cli, no part of libvedette. One thread at a time. */
#ifndef VEDETTE_APP_EVALUATE_H
#define VEDETTE_APP_EVALUATE_H

#include <stddef.h>

#include "vedette/detection.h"
#include "vedette/error.h"

enum { VD_EVALUATE_CLASSES = 65536, VD_EVALUATE_LABELS = 10000 };

/* What a label says is in a picture. */
typedef struct vd_truth {
    double x1, y1, x2, y2; /* pixels of the picture */
    int class_id;
} vd_truth;

/* Reads a label file of the YOLO format: a line an object, `class cx cy w h`, centre and size as shares of
 * the picture. Empty lines are passed over; a file that is not there stands for a picture without objects.
 *
 * width, height  of the picture, pixels
 * classes        class numbers must be below it
 * ret_truths     *ret_count of them, freed with free(); NULL when there are none
 * Returns VD_OK, VD_EFORMAT (error->place is file and line, the sentence says what would be right), VD_EIO or
 * VD_ENOMEM. Any thread. */
int vd_truth_read(const char *path, int width, int height, int classes, vd_truth **ret_truths,
                  size_t *ret_count, vd_error *error);

typedef struct vd_evaluation vd_evaluation;

/* classes  1 to VD_EVALUATE_CLASSES. VD_OK, VD_EINVAL or VD_ENOMEM. */
int vd_evaluation_new(int classes, vd_evaluation **ret_evaluation);
void vd_evaluation_free(vd_evaluation **evaluation); /* accepts NULL and sets it */

/* Takes a picture's detections and labels in: both are copied as far as needed. Scores count to five
 * decimals and corners to two, as the common schema writes them, so that a file of detections gives the same
 * figures. At most VD_MAX_DETECTIONS detections count, those with the highest scores.
 * VD_OK, VD_EINVAL (a class that is not below `classes`, a number that is none) or VD_ENOMEM. */
int vd_evaluation_add(vd_evaluation *evaluation, const vd_detection *found, size_t found_count,
                      const vd_truth *truths, size_t truth_count);

/* Of one class that is labelled or was found. */
typedef struct vd_class_figures {
    int class_id;
    int labels, found;    /* objects; detections of any score */
    double ap50, ap50_95; /* only where labels > 0, else 0 */
} vd_class_figures;

/* Objects and detections from a score up, each taken for one of the other kind at most. */
typedef struct vd_confusion_cell {
    int truth, found; /* class numbers; -1: nothing (not found; found where nothing is) */
    int count;        /* at least 1 */
} vd_confusion_cell;

typedef struct vd_evaluation_figures {
    int pictures, labels, detections;
    int labelled_classes;
    double map50, map50_95; /* means over the labelled classes */
    double best_threshold, best_f1, best_precision, best_recall;
    vd_class_figures *classes; /* by class_id */
    size_t class_count;
    double confusion_score, confusion_iou; /* from which score and overlap up */
    vd_confusion_cell *confusion;          /* by truth, then found; -1 last */
    size_t confusion_count;
} vd_evaluation_figures;

/* Average precision is the area under the precision's envelope at 101 recalls, at IoU 0.5 to 0.95 by 0.05, as
 * COCO has it (Lin et al., Microsoft COCO, ECCV 2014); a detection takes the free label of its class that it
 * overlaps most, the highest score first. best_f1 is that of all classes together at IoU 0.5 over every
 * score. In the confusion matrix detections from `confusion_score` up take labels of any class, the pair that
 * overlaps most first, from IoU 0.5 up.
 *
 * ret_figures  release it with vd_evaluation_figures_clear
 * Returns VD_OK, VD_EINVAL (nothing is labelled) or VD_ENOMEM. */
int vd_evaluation_figure(const vd_evaluation *evaluation, double confusion_score,
                         vd_evaluation_figures *ret_figures, vd_error *error);
void vd_evaluation_figures_clear(vd_evaluation_figures *figures); /* accepts one that is zeroed */

#endif
