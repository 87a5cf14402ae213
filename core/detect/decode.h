/* From a network's outputs to boxes in the picture: one decoder a family (model/model.h). */
#ifndef VD_DETECT_DECODE_H
#define VD_DETECT_DECODE_H

#include <stdbool.h>
#include <stddef.h>

#include "frame/convert.h"
#include "model/model.h"
#include "vedette/detection.h"
#include "vedette/error.h"

/* Working memory and what was found out about the outputs' shapes; used by one thread at a time. */
typedef struct vd_decoder vd_decoder;

/* Checks that the outputs have the shapes that the family reads, and makes all memory that reading takes.
 *
 * model  borrowed for the decoder's life
 * Returns VD_OK, VD_EFORMAT (the shapes) or VD_ENOMEM. */
int vd_decoder_new(const vd_model *model, vd_decoder **ret_decoder, vd_error *error);
void vd_decoder_free(vd_decoder **decoder); /* accepts NULL and sets it */

/* Whether no doubles are left to suppress: the model does it, or the decoder because only it knows the boxes'
 * angles. */
bool vd_decoder_suppresses(const vd_decoder *decoder);

/* The boxes of one picture of a pass with at least `floor`, moved back into the picture, beyond
 * which they may reach. What is not a finite number is left out, a score above 1 or an empty box as well. The
 * best are kept, sorted by falling score, equal ones by their place in the output.
 *
 * data            model->output_count outputs, of the shapes in the model
 * picture         which of the pass, from 0 to model->batch - 1
 * letterbox       where the picture lies in the input; width and height are the picture's
 * floor           0.0001 to 1
 * ret_candidates  room for VD_MAX_CANDIDATES
 * Returns their number. Allocates nothing. */
size_t vd_decoder_read(vd_decoder *decoder, const float *const *data, int picture,
                       const vd_letterbox *letterbox, int width, int height, float floor,
                       vd_detection *ret_candidates);

#endif
