/* What an evaluation keeps of the pictures: every detection with the overlaps at which it is right. */
#ifndef VD_EVALUATE_EVALUATION_H
#define VD_EVALUATE_EVALUATION_H

#include <stdint.h>

#include "vedette/app/evaluate.h"

enum { VD_OVERLAPS = 10 };

/* The IoU of step k: 0.5, 0.55 to 0.95. */
static inline double vd_overlap_at(int k)
{
    return 0.5 + k * (0.55 - 0.5);
}

/* A detection, all that average precision asks of it. */
typedef struct vd_hit {
    double score;
    uint16_t right; /* bit k: right at vd_overlap_at(k) */
} vd_hit;

/* A detection or a label for the confusion matrix. */
typedef struct vd_region {
    double x1, y1, x2, y2;
    double score; /* of labels 0 */
    int class_id;
} vd_region;

typedef struct vd_hits {
    vd_hit *items;
    size_t count, room;
    int labels;
} vd_hits;

typedef struct vd_picture {
    size_t found,
        truths; /* where they begin in `regions`: detections, then labels, then the next picture's */
} vd_picture;

struct vd_evaluation {
    int classes;
    vd_hits *hits; /* a class */
    vd_picture *pictures;
    size_t picture_count, picture_room;
    vd_region *regions;
    size_t region_count, region_room;
};

/* Intersection over union in double precision. */
double vd_region_iou(const vd_region *a, const vd_region *b);

#endif
