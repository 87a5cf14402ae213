/* SSD with a DetectionOutput layer, in whatever format: from what its text says to a model. */
#ifndef VD_MODEL_PAIR_SSD_H
#define VD_MODEL_PAIR_SSD_H

#include <stdbool.h>

#include "model/pair_parts.h"

/* Zeroed to start: 0 is what the text does not say. */
typedef struct vd_ssd {
    char input_name[64], output_name[128];
    int width, height, channels;          /* of the input */
    vd_pair_span width_span, height_span; /* where the text says it */
    long classes, background, keep; /* num_classes (with the background), background_label_id, keep_top_k */
    int outputs;                    /* DetectionOutput layers */
    float mean[3];                  /* of a data layer, as far as it names them */
    float scale;                    /* likewise */
    int mean_count;
    bool normalises;      /* the first layer is a batch normalisation of the picture */
    bool depthwise;       /* convolutions with a group a channel */
    bool normalises_rows; /* a layer Normalize: SSD on VGG */
    bool is_rgb;          /* TensorFlow's detection API, which feeds itself RGB */
    bool stands_for_size; /* the size was taken from the coarsest prior boxes */
} vd_ssd;

/* Fills the model: output, classes, feed, thresholds, size, and by what evidence. VD_OK, VD_EFORMAT,
 * VD_EINVAL or VD_ENOMEM. */
int vd_ssd_fill(vd_pair *pair, const vd_ssd *ssd, vd_model *model, vd_error *error);

#endif
