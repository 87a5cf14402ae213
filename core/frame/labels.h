/* Class names: made once a model, shared by every result. */
#ifndef VD_FRAME_LABELS_H
#define VD_FRAME_LABELS_H

#include "vedette/detection.h"

/* Copies `count` names (any bytes; cleaned to one line of UTF-8; NULL or empty becomes `class N`).
 * One reference. VD_OK, VD_EINVAL (count below 0 or above 65,536) or VD_ENOMEM. */
int vd_labels_new(const char *const *names, int count, vd_labels **ret_labels);

#endif
