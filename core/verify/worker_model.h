/* What a worker runs: a model file, or a double of one for tests. */
#ifndef VD_VERIFY_WORKER_MODEL_H
#define VD_VERIFY_WORKER_MODEL_H

#include <stddef.h>

#include "vedette/error.h"
#include "verify/wire.h"

typedef struct vd_worker_model vd_worker_model;

/* Loads what the setup names. VD_OK, or what the model's reader or the engine returns; VD_EINVAL for a type
 * that this program does not have. */
int vd_worker_model_new(const vd_wire_setup *setup, vd_worker_model **ret_model, vd_error *error);
void vd_worker_model_free(vd_worker_model **model); /* accepts NULL and sets it */

int vd_worker_model_batch(const vd_worker_model *model);
const char *vd_worker_model_name(const vd_worker_model *model);

/* Scores `ask->count` clips that lie in `rgb`, one behind the other.
 *
 * ret_answer  kind, count and ids are filled already
 * ret_size    of the message to send; a double that answers rubbish changes both as it likes
 * VD_OK or the pass's code. */
int vd_worker_model_run(vd_worker_model *model, const uint8_t *rgb, const vd_wire_ask *ask,
                        vd_wire_answer *ret_answer, size_t *ret_size, vd_error *error);

#endif
