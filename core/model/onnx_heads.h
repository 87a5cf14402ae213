/* Ultralytics' anchor-free heads (YOLOv3u to YOLO26), found behind whatever an exporter put around them, and
 * the cut that leaves their last convolutions as the network's outputs.
 *
 * A head joins its levels into one tensor: 4 box values, a sigmoid a class, then what masks, key points or
 * rotation need. Each role is shown by vd_trace_element: rows that are the sigmoid of one channel are class
 * scores, box values must be those of the decoder's own formula at sampled cells of every level. */
#ifndef VD_MODEL_ONNX_HEADS_H
#define VD_MODEL_ONNX_HEADS_H

#include "model/model.h"
#include "model/onnx_graph.h"
#include "onnx.pb-c.h"

typedef struct vd_head {
    const vd_value *box;    /* [n, 4 · bins, h, w] */
    const vd_value *scores; /* [n, classes, h, w], logits */
    const vd_value *angle;  /* [n, 1, h, w], a logit; NULL when boxes are upright */
    int stride, width, height;
} vd_head;

typedef struct vd_heads {
    vd_head levels[VD_MODEL_LEVELS]; /* by rising stride */
    int level_count;
    int classes, bins, cells;
    int other_rows;  /* behind the class scores: masks, key points; the angle is none of them */
    bool picks;      /* the network picks its final boxes by TopK alone: doubles are gone already */
    bool suppresses; /* it suppresses doubles by operations behind the heads, which the cut removes */
} vd_heads;

/* False when there are none, or not all is as the decoder would have it: then the graph must stay whole. */
bool vd_onnx_find_heads(const vd_onnx_graph *graph, int input_width, int input_height, vd_heads *ret_heads);

/* Makes these values, in this order, the graph's outputs; what only the old ones needed stays for
 * vd_onnx_sweep. VD_OK or VD_ENOMEM (nothing has changed then). */
int vd_onnx_cut(vd_onnx_graph *graph, const vd_value *const *outputs, int count, vd_error *error);

#endif
