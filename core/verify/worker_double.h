/* Doubles of a verifier. `test:sleep` is there in every build, for the benchmark; the others with
 * VD_TEST_MODELS alone.
 *
 * test:sleep    waits, then answers how red the clip's first pixel is, 0 to 1
 * test:hang     never answers
 * test:crash    ends by a fault
 * test:rubbish  answers what no answer may be; which, says the request's number
 * test:fail     answers the same at once, but says that it cannot where that is less than 0.5
 * test:load     answers the same at once, but waits before it has loaded */
#ifndef VD_VERIFY_WORKER_DOUBLE_H
#define VD_VERIFY_WORKER_DOUBLE_H

#include <stdbool.h>
#include <stddef.h>

#include "vedette/error.h"
#include "verify/wire.h"

enum { VD_RUBBISH_FORMS = 9 };

bool vd_worker_double_has(const char *model_type);

/* As vd_worker_model_new, for those that take their time. */
void vd_worker_double_load(const vd_wire_setup *setup);

/* As vd_worker_model_run. */
int vd_worker_double_run(const vd_wire_setup *setup, const uint8_t *rgb, size_t clip_bytes,
                         const vd_wire_ask *ask, vd_wire_answer *ret_answer, size_t *ret_size,
                         vd_error *error);

#endif
