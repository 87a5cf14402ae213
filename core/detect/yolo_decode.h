/* Reading the output of YOLOv8's head: [4 + classes, anchors], rows of centre x, centre y, width, height in
 * pixels of the network's input, then a score a class. */
#ifndef VD_DETECT_YOLO_DECODE_H
#define VD_DETECT_YOLO_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "detect/candidates.h"
#include "frame/convert.h"
#include "vedette/detection.h"

/* Working memory, reused from pass to pass; owned by one thread. */
typedef struct vd_yolo_scratch {
    float *scores;    /* the best score of each anchor */
    int32_t *classes; /* and its class */
    int anchors;
    vd_best best;
} vd_yolo_scratch;

/* VD_OK or VD_ENOMEM. */
int vd_yolo_scratch_init(vd_yolo_scratch *scratch, int anchors);
void vd_yolo_scratch_fini(vd_yolo_scratch *scratch);

/* The best class of each anchor with at least `floor`, of two that are equal the one with the smaller id; the
 * boxes moved back from the letterbox into the picture and clipped to it. What is not a finite number is left
 * out, a score above 1 or an empty box as well. Sorted by falling score, equal ones by anchor.
 *
 * output          (4 + classes) × scratch->anchors floats
 * floor           above 0
 * ret_candidates  room for VD_MAX_CANDIDATES
 * Returns their number. A pure function of its arguments. */
size_t vd_yolo_decode(const float *output, int classes, const vd_letterbox *letterbox, int picture_width,
                      int picture_height, float floor, vd_yolo_scratch *scratch,
                      vd_detection *ret_candidates);

#endif
