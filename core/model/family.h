/* Which family of detectors a network belongs to, told from its graph and metadata, and why it is none. */
#ifndef VD_MODEL_FAMILY_H
#define VD_MODEL_FAMILY_H

#include "model/model.h"
#include "model/onnx_graph.h"
#include "onnx.pb-c.h"

/* Appends a line of evidence to model->notes; what does not fit any more is left out. */
void vd_model_note(vd_model *model, const char *format, ...) VD_PRINTF(2, 3);

/* Before rewriting, from what the file declares: refuses what is plainly no detector of a known family.
 * VD_OK or VD_EFORMAT. */
int vd_family_screen(const Onnx__ModelProto *model, const char *place, vd_error *error);

/* Before rewriting: an input of free size gets the size that the metadata names. VD_OK or VD_EFORMAT. */
int vd_family_fix_input(Onnx__ModelProto *model, const char *place, vd_model *notes, vd_error *error);

/* After rewriting, from computed shapes: fills family, input, output, classes and anchors, and notes the
 * evidence. named_classes  how many classes the metadata names; 0 when it names none. VD_OK or VD_EFORMAT. */
int vd_family_tell(const vd_onnx_graph *graph, int named_classes, vd_model *model, vd_error *error);

#endif
