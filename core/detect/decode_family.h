/* What the decoders of the families share: where they read, and where they put their boxes. */
#ifndef VD_DETECT_DECODE_FAMILY_H
#define VD_DETECT_DECODE_FAMILY_H

#include <stdint.h>

#include "detect/candidates.h"
#include "detect/decode.h"

/* A box that is turned around its centre: pixels of the input, radians. */
typedef struct vd_turned {
    float center_x, center_y, width, height, angle;
} vd_turned;

/* A family's part. */
typedef struct vd_family {
    /* How many boxes a picture can give, at most; 0 when the outputs are not what the family reads. */
    size_t (*measure)(const vd_model *model);

    /* Adds the boxes; data[i] is output i, at the picture's part of it. */
    void (*read)(vd_decoder *decoder, const float *const *data);
} vd_family;

extern const vd_family vd_family_heads, vd_family_yolov8, vd_family_yolov5, vd_family_yolov5_raw,
    vd_family_yolox, vd_family_nanodet, vd_family_fastestdet, vd_family_yunet, vd_family_ssd,
    vd_family_darknet;

struct vd_decoder {
    /* immutable once made */
    const vd_model *model;
    const vd_family *family;
    size_t room; /* boxes of a picture, at most */
    bool turns;  /* boxes have angles, by which they are suppressed here */

    /* of the picture being read */
    int picture;
    vd_letterbox letterbox;
    float width, height, floor;
    size_t count;
    vd_detection *found; /* `room` of them, in the order of the output */
    vd_turned *turned;   /* likewise; NULL unless `turns` */

    /* working memory */
    float *scores; /* `room` of them, as classes */
    int32_t *classes;
    vd_best best;
};

/* --- Shapes; an output's batch is left out */

size_t vd_output_count(const vd_model *model, int output); /* floats of a picture; 0 for an odd index */
int vd_output_columns(const vd_model *model, int output);  /* the last extent */
size_t vd_output_rows(const vd_model *model, int output);  /* vectors of that many floats */
size_t vd_level_cells(const vd_model_level *level);

/* The first output of rows of exactly `columns` floats; -1 without. */
int vd_output_of_columns(const vd_model *model, int columns);

/* The model's levels; without any, those of the strides 8, 16 and 32 over its input. Returns their number. */
int vd_decode_levels(const vd_model *model, vd_model_level ret_levels[VD_MODEL_LEVELS]);

/* --- Boxes */

/* Adds a box in pixels of the input, unless nothing of it is in the picture. False when it was not added. */
bool vd_decoder_add(vd_decoder *decoder, vd_box box, float score, int class_id);
bool vd_decoder_add_turned(vd_decoder *decoder, const vd_turned *turned, float score, int class_id);
vd_box vd_box_around(float center_x, float center_y, float width, float height);

/* Removes doubles from sorted candidates by the overlap of their turned boxes. order[i] is where candidate i
 * stands in decoder->found; returns how many are left. */
size_t vd_turned_suppress(const vd_decoder *decoder, vd_detection *candidates, const vd_best *order,
                          size_t count);

/* --- Numbers */

float vd_sigmoid(float value);

/* A value that no logit with a sigmoid of at least `score` is below. */
float vd_logit_floor(float score);

/* The mean of 0, 1, … by the softmax of `bins` values that lie `step` floats apart (distribution focal loss,
 * Li et al., NeurIPS 2020). Not a number when one of them is none. */
float vd_expected_bin(const float *values, int bins, size_t step);

/* The best class of each cell in planes of `cells` scores, class by class; -FLT_MAX where there is none. Of
 * two equal ones the smaller. NaN counts as nothing. */
void vd_best_of_planes(const float *planes, int classes, size_t cells, float *ret_scores,
                       int32_t *ret_classes);

/* The best of a row of scores, or -1 when none is at least `least`. */
int vd_best_of_row(const float *row, int classes, float least);

#endif
