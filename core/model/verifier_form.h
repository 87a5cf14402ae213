/* How the form of a verifier (verifier.h) is told. */
#ifndef VD_MODEL_VERIFIER_FORM_H
#define VD_MODEL_VERIFIER_FORM_H

#include "model/onnx_graph.h"
#include "model/verifier.h"
#include "onnx.pb-c.h"

enum { VD_CLIP_COLOURS = 3 };

/* Before the graph is indexed: layout, extents, mean and scale. Gives the input the extents that the file
 * leaves open, and fills the model's input. VD_OK, VD_EFORMAT or VD_EINVAL. */
int vd_verifier_tell_input(Onnx__ModelProto *proto, const char *place, const vd_verifier_wish *wish,
                           vd_verifier_form *form, vd_model *model, vd_error *error);

/* After vd_onnx_normalise, with form->clips filled: what the network gives of a clip. VD_OK or VD_EFORMAT. */
int vd_verifier_tell_output(const vd_onnx_graph *graph, vd_verifier_form *form, vd_error *error);

#endif
