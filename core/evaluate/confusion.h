/* What is taken for what. */
#ifndef VD_EVALUATE_CONFUSION_H
#define VD_EVALUATE_CONFUSION_H

#include "evaluate/evaluation.h"

/* Fills the confusion members of `figures` from detections of at least `score`. VD_OK or VD_ENOMEM; what was
 * allocated stands in `figures` either way. */
int vd_confusion_count(const vd_evaluation *evaluation, double score, vd_evaluation_figures *figures);

#endif
