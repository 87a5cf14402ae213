/* Darknet's .cfg: the layers of a network as sections of a text, and the bytes that its weights must have. */
#ifndef VD_MODEL_DARKNET_CFG_H
#define VD_MODEL_DARKNET_CFG_H

#include <stdbool.h>
#include <stdint.h>

#include "model/pair_parts.h"

/* A section from which boxes come, [yolo] or [region]. */
typedef struct vd_darknet_head {
    int section; /* counted from 0 behind [net], as OpenCV does to name it */
    bool is_region;
    int width, height; /* cells */
    int boxes;         /* of a cell */
    int classes;
} vd_darknet_head;

typedef struct vd_darknet {
    int width, height, channels; /* of the input */
    bool letterbox;              /* it was trained on pictures that kept their aspect */
    vd_pair_span width_span, height_span;
    vd_darknet_head heads[VD_MODEL_OUTPUTS];
    int head_count;
    int convolutions;
    uint64_t weight_bytes; /* without the header */
    uint64_t class_bytes;  /* of them, those that each class adds */
} vd_darknet;

/* Reads a cfg; every number in it is checked, and so is that each head gets the channels it asks for.
 * VD_OK, VD_EFORMAT (what is wrong, with the section's number) or VD_ENOMEM. Any thread. */
int vd_darknet_parse(const vd_pair *pair, vd_darknet *ret_net, vd_error *error);

#endif
