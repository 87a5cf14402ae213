/* The kinds of detectors that come with the program, as tables for vd_detector. */
#ifndef VD_DETECT_KINDS_H
#define VD_DETECT_KINDS_H

#include "engine/engine.h"
#include "frame/convert.h"
#include "model/model.h"
#include "vedette/detector.h"

enum { VD_ENGINE_TEXT = 640 };

/* --- A model file, of any family */

/* Shared by all workers; the model still has its file while they open. */
typedef struct vd_network_config {
    const vd_model *model;
    vd_net_device device;
    vd_precision precision;
} vd_network_config;

/* The table for networks; config is a `const vd_network_config`. With detect_batch where the model takes
 * several pictures a pass: the rest of a short chunk is padded. */
vd_detector_ops vd_network_ops_for(const vd_model *model);

/* How a model wants its pictures, in the words of frame/convert.h. */
vd_feed vd_network_feed(const vd_model *model);

/* What a state that was opened computes with, and why not with what was asked for. Lives as long as the
 * state; constant. */
const char *vd_network_engine(const void *state);

/* A device by its name; NULL is the processor. VD_OK, or VD_EINVAL with a sentence that lists them. */
int vd_network_device(const char *name, vd_net_device *ret_device, vd_error *error);

/* --- Without a file */

/* The table behind `builtin:people` or `builtin:motion`; config is not used.
 * VD_OK, or VD_ENOTFOUND with a sentence that lists both. */
int vd_builtin_find(const char *name, const vd_detector_ops **ret_ops, vd_error *error);

#endif
