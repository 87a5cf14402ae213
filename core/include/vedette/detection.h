/* What a detector found in one picture. */
#ifndef VEDETTE_DETECTION_H
#define VEDETTE_DETECTION_H

#include <stddef.h>
#include <stdint.h>

#include "vedette/error.h"
#include "vedette/image.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vd_detection {
    vd_box box;
    float score;  /* 0 to 1 */
    int class_id; /* from 0; its name is vd_labels_name(result->labels, class_id) */
    int track_id; /* from 1; 0 without tracking */
} vd_detection;

/* Names of classes: immutable, shared by reference. */
typedef struct vd_labels vd_labels;

/* Copies `count` names (any bytes; cleaned to one line of UTF-8; NULL or empty becomes `class N`).
 * One reference. VD_OK, VD_EINVAL (count below 0 or above 65,536) or VD_ENOMEM. */
VD_API int vd_labels_new(const char *const *names, int count, vd_labels **ret_labels);

/* The name of a class in valid UTF-8; `class 7` where the model has none. Borrowed from `labels`. Any thread.
 */
VD_API const char *vd_labels_name(const vd_labels *labels, int class_id);
VD_API int vd_labels_count(const vd_labels *labels);

/* The id of a name, letters compared without case; -1 when no class has it. Any thread. */
VD_API int vd_labels_find(const vd_labels *labels, const char *name);

/* References count from 1; both accept NULL. Any thread. */
VD_API vd_labels *vd_labels_ref(vd_labels *labels);
VD_API void vd_labels_unref(vd_labels **labels);

enum { VD_MAX_CANDIDATES = 1024, VD_MAX_DETECTIONS = 300 };

/* What is asked of candidates before they count as detections. A plain value: copy it. */
typedef struct vd_thresholds {
    float confidence;     /* 0 to 1, default 0.25: the least score */
    float iou;            /* 0 to 1, default 0.45: two boxes of one class that overlap more are one object */
    int max_detections;   /* 1 to VD_MAX_DETECTIONS, default 300 */
    uint64_t classes[16]; /* bit c: class c (of up to 1024) is wanted; all zero: every class is */
} vd_thresholds;

#define VD_THRESHOLDS_INIT                                                                                   \
    {                                                                                                        \
        .confidence = 0.25f, .iou = 0.45f, .max_detections = VD_MAX_DETECTIONS                               \
    }

/* What a network computes in. */
typedef enum vd_precision {
    VD_PRECISION_FP32,
    VD_PRECISION_BF16 /* faster where the processor has it, a little less exact; refused where it has not */
} vd_precision;

/* What the detector says of one picture, before thresholds: up to VD_MAX_CANDIDATES candidates, sorted by
 * falling score, so that a changed threshold needs no second forward pass. Their boxes may reach beyond the
 * picture: doubles are told by whole boxes. Immutable once published; shared by reference; the memory goes
 * back to its pool with the last reference. */
typedef struct vd_result {
    int64_t frame_index;                                    /* of the source's frames, from 0 */
    double time_s;                                          /* of the stream */
    int width, height;                                      /* of the picture, pixels */
    int input_width, input_height;                          /* of the network; 0 for detectors without one */
    int64_t queue_ns, preprocess_ns, forward_ns, decode_ns; /* where the time went */
    char model[64];                                         /* the model's name */
    vd_labels *labels;                                      /* referenced by the result */
    float floor;                                            /* the least score that was kept */
    int nms_done;                                           /* 1 when the model suppresses doubles itself */
    size_t count;
    vd_detection candidates[VD_MAX_CANDIDATES];
} vd_result;

VD_API vd_result *vd_result_ref(vd_result *result);
VD_API void vd_result_unref(vd_result **result);

/* Thresholds and greedy suppression, class by class (row F3): the candidates that count as detections, cut
 * to the picture, sorted by falling score. A pure function of its arguments.
 *
 * ret_detections  room for at least thresholds->max_detections
 * Returns their number. Any thread. */
VD_API size_t vd_result_select(const vd_result *result, const vd_thresholds *thresholds,
                               vd_detection *ret_detections);

#ifdef __cplusplus
}
#endif
#endif
