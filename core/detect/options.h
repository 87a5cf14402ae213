/* What a detector may be asked to be. */
#ifndef VD_DETECT_OPTIONS_H
#define VD_DETECT_OPTIONS_H

#include "vedette/detector.h"

enum { VD_MAX_BATCH = 1024 };

/* The options with what the caller left to the preset filled in. */
vd_detector_options vd_options_resolve(const vd_detector_options *given);

/* VD_OK, or VD_EINVAL with a sentence that names the field, its value and what it may be. */
int vd_options_check(const vd_detector_options *options, vd_error *error);

/* The same for one whole number. */
int vd_options_check_range(const char *what, int value, int least, int most, vd_error *error);

#endif
