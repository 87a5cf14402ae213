/* The kinds of detectors that come with the program, as tables for vd_detector. */
#ifndef VD_DETECT_KINDS_H
#define VD_DETECT_KINDS_H

#include "model/model.h"
#include "vedette/detector.h"

/* A model file by OpenCV; config is a `const vd_model`, shared by all workers. */
extern const vd_detector_ops vd_yolo_ops;

/* The table behind `builtin:people` or `builtin:motion`; config is not used.
 * VD_OK, or VD_ENOTFOUND with a sentence that lists both. */
int vd_builtin_find(const char *name, const vd_detector_ops **ret_ops, vd_error *error);

#endif
