/* Small changes to nodes and constants that several passes make. */
#ifndef VD_MODEL_ONNX_EDIT_H
#define VD_MODEL_ONNX_EDIT_H

#include "model/onnx_graph.h"
#include "onnx.pb-c.h"

/* Makes a node a standard one of another type; its settings stay. VD_OK or VD_ENOMEM. */
int vd_onnx_set_type(Onnx__NodeProto *node, const char *op_type);

/* Drops the inputs, or the settings, from the `count`-th on. */
void vd_onnx_keep_inputs(Onnx__NodeProto *node, size_t count);
void vd_onnx_keep_settings(Onnx__NodeProto *node, size_t count);

/* Removes the setting of that name, if there is one. */
void vd_onnx_drop_setting(Onnx__NodeProto *node, const char *name);

/* Makes `name` the i-th input; `i` is at most n_input. VD_OK or VD_ENOMEM. */
int vd_onnx_put_input(Onnx__NodeProto *node, size_t i, const char *name);

/* Sets a list of integers, an integer or a number, whether or not the node had it. VD_OK or VD_ENOMEM. */
int vd_onnx_set_ints(Onnx__NodeProto *node, const char *name, const int64_t *ints, int count);
int vd_onnx_set_int(Onnx__NodeProto *node, const char *name, int64_t value);
int vd_onnx_set_float(Onnx__NodeProto *node, const char *name, float value);

/* As vd_onnx_add_constant, but takes `tensor` in any case (NULL: there was no memory for it), names it and
 * reports the error. VD_OK or VD_ENOMEM. */
int vd_onnx_put_constant(vd_onnx_graph *graph, const char *stem, Onnx__TensorProto *tensor,
                         vd_value **ret_value, vd_error *error);

/* A node of that type whose name is its output's, without inputs. NULL when memory is used up. */
Onnx__NodeProto *vd_onnx_new_node(const char *op_type, const char *output);

/* VD_ENOMEM, with its sentence. */
int vd_onnx_no_memory(const vd_onnx_graph *graph, vd_error *error);

#endif
