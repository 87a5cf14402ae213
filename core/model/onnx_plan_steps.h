/* Translations of nodes into steps, one for each operator: false when a plan cannot compute the node. */
#ifndef VD_MODEL_ONNX_PLAN_STEPS_H
#define VD_MODEL_ONNX_PLAN_STEPS_H

#include "model/onnx_plan.h"
#include "onnx.pb-c.h"

/* Conv and ConvTranspose, MaxPool and AveragePool, GlobalAveragePool, Pad, Resize and Upsample. */
bool vd_plan_put_conv(vd_planner *planner, const Onnx__NodeProto *node);
bool vd_plan_put_pool(vd_planner *planner, const Onnx__NodeProto *node);
bool vd_plan_put_global(vd_planner *planner, const Onnx__NodeProto *node);
bool vd_plan_put_pad(vd_planner *planner, const Onnx__NodeProto *node);
bool vd_plan_put_nearest(vd_planner *planner, const Onnx__NodeProto *node);

/* A step from the node's first input to its first output. */
vd_plan_step vd_plan_unary(vd_planner *planner, const Onnx__NodeProto *node, vd_plan_kind kind);

/* A floating-point setting. */
float vd_plan_setting(const Onnx__NodeProto *node, const char *name, float otherwise);

#endif
