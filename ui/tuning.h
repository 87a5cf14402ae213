/* What the operator tunes, as a plain value with a history: thresholds, and classes by name so that they
 * survive a change of the model. Main thread. */
#ifndef VD_UI_TUNING_H
#define VD_UI_TUNING_H

#include <stdbool.h>
#include <stdint.h>

#include "vedette/app/settings.h"
#include "vedette/detection.h"

#define VD_CONFIDENCE_MIN 0.05
#define VD_CONFIDENCE_MAX 1.0

typedef struct vd_tuning {
    double confidence; /* VD_CONFIDENCE_MIN to VD_CONFIDENCE_MAX */
    double iou;        /* 0 to 1 */
    int class_count;   /* 0: every class */
    char classes[VD_MAX_CLASS_NAMES][64];
} vd_tuning;

/* Which control changed: changes by one control in quick succession are one step of the history. */
typedef enum vd_tuning_control {
    VD_TUNE_NONE,
    VD_TUNE_CONFIDENCE,
    VD_TUNE_IOU,
    VD_TUNE_CLASSES
} vd_tuning_control;

void vd_tuning_init(vd_tuning *tuning, const vd_settings *settings);
bool vd_tuning_equal(const vd_tuning *a, const vd_tuning *b);

bool vd_tuning_has_class(const vd_tuning *tuning, const char *name);

/* Wants a class or not; false when nothing changed (or the list is full). */
bool vd_tuning_set_class(vd_tuning *tuning, const char *name, bool wanted);

/* The value that core works with. Classes that `labels` (NULL: none) does not know are left out; when none is
 * left, every class is wanted. */
void vd_tuning_thresholds(const vd_tuning *tuning, int max_detections, const vd_labels *labels,
                          vd_thresholds *ret_thresholds);

/* Another model suits other thresholds: the defaults become its own, and so does what still stood at the old
 * default.
 *
 * confidence, iou  0: stays as it is */
void vd_tuning_suit(vd_tuning *tuning, vd_tuning *defaults, float confidence, float iou);

typedef struct vd_history vd_history;

vd_history *vd_history_new(void);
void vd_history_free(vd_history **history); /* accepts NULL and sets it */

/* Remembers `before`, the value that `control` is about to change at `now_us` (monotonic). */
void vd_history_push(vd_history *history, const vd_tuning *before, vd_tuning_control control, int64_t now_us);

bool vd_history_is_empty(const vd_history *history);

/* Takes the newest remembered value; false when there is none. */
bool vd_history_pop(vd_history *history, vd_tuning *ret_tuning);

#endif
