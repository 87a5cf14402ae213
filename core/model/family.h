/* Which family of detectors a network belongs to, told from its graph and metadata, and why it is none.
 *
 * The evidence is what the network computes behind its last convolutions (onnx_trace.h), not what its outputs
 * or nodes are called; docs/models.md has it in a table. */
#ifndef VD_MODEL_FAMILY_H
#define VD_MODEL_FAMILY_H

#include "model/model.h"
#include "model/onnx_graph.h"
#include "onnx.pb-c.h"

/* Calls the model as its file is called, without folder and ending. */
void vd_model_name(vd_model *model, const char *path);

/* Appends a line of evidence to model->notes; what does not fit any more is left out. */
void vd_model_note(vd_model *model, const char *format, ...) VD_PRINTF(2, 3);

/* Notes what the passes did to the graph. */
void vd_model_note_rewriting(const vd_onnx_graph *graph, vd_model *model);

/* The network's outputs as they are now. VD_OK or VD_EFORMAT. */
int vd_model_list_outputs(const vd_onnx_graph *graph, vd_model *model, vd_error *error);

/* From model->network: the same with its layers gathered, beside the plain one. VD_OK, VD_EFORMAT or
 * VD_ENOMEM. */
int vd_model_plan(vd_model *model, const char *place, vd_error *error);

/* Before rewriting, from what the file declares: refuses what is plainly no detector of a known family.
 * VD_OK or VD_EFORMAT. */
int vd_family_screen(const Onnx__ModelProto *model, const char *place, vd_error *error);

/* After vd_onnx_normalise: fills family, variant, input, feed, levels, classes, thresholds, and notes the
 * evidence. Cuts the graph at the heads where model->family becomes VD_FAMILY_HEADS. VD_OK, VD_EFORMAT or
 * VD_ENOMEM. named_classes  how many classes the file names; 0 when it names none */
int vd_family_tell(vd_onnx_graph *graph, int named_classes, vd_model *model, vd_error *error);

/* --- Parts of vd_family_tell; all see a model whose input is filled. Each sets model->family and all that
 * goes with it when the network is what it looks for, and leaves the model alone when not. */

/* Ultralytics' heads. VD_OK (whether or not it found them), VD_EFORMAT or VD_ENOMEM. */
int vd_family_cut_heads(vd_onnx_graph *graph, vd_model *model, vd_error *error);

/* One output of rows [n, N, 5 + classes]: YOLOv5, YOLOv7, YOLOX. */
void vd_family_rows(const vd_onnx_graph *graph, vd_model *model);

/* Outputs a level: NanoDet and YuNet; one map: FastestDet. */
void vd_family_levels(const vd_onnx_graph *graph, vd_model *model);

/* How pictures are fed. */
typedef enum vd_family_feeding {
    VD_FEED_SHARES,   /* letterbox 114, RGB, 0 to 1 */
    VD_FEED_YOLOX,    /* top left, pad 114, BGR, 0 to 255 */
    VD_FEED_YUNET,    /* top left, pad 0, BGR, 0 to 255 */
    VD_FEED_IMAGENET, /* letterbox 0, BGR, ImageNet's means and deviations */
    VD_FEED_STRETCH   /* stretched, BGR, 0 to 1 */
} vd_family_feeding;

void vd_family_set(vd_model *model, vd_model_family family, vd_family_feeding feeding, const char *variant);

#endif
