/* What the readers of the three formats in two files share. */
#ifndef VD_MODEL_PAIR_PARTS_H
#define VD_MODEL_PAIR_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"

enum { VD_PAIR_LEAST_SIDE = 32, VD_PAIR_MOST_SIDE = 4096 };

typedef struct vd_pair {
    char text_place[192], data_place[192]; /* of errors: the masked paths */
    uint8_t *text;                         /* not ended by a zero */
    size_t text_length;
    uint8_t *data; /* the weights */
    size_t data_length;
    const vd_model_options *options; /* never NULL */
} vd_pair;

/* A place in the text where a number stands; length 0: nowhere. */
typedef struct vd_pair_span {
    size_t at, length;
} vd_pair_span;

/* Tell what the pair is and fill the model, all but name, digest, labels and bytes. They may replace the
 * text. VD_OK, VD_EFORMAT, VD_EINVAL or VD_ENOMEM. */
int vd_darknet_tell(vd_pair *pair, vd_model *model, vd_error *error);
int vd_caffe_tell(vd_pair *pair, vd_model *model, vd_error *error);
int vd_tensorflow_tell(vd_pair *pair, vd_model *model, vd_error *error);

/* Puts the input size that was asked for in place of the file's own and checks it: each side 32 to 4096 and
 * a multiple of `step`. VD_OK, or VD_EINVAL where it was asked for, VD_EFORMAT where the file says it. */
int vd_pair_choose_size(const vd_pair *pair, int step, vd_model *model, vd_error *error);

/* Writes other numbers into the text: the input's width and height. VD_OK or VD_ENOMEM. */
int vd_pair_write_size(vd_pair *pair, vd_pair_span width, vd_pair_span height, const vd_model *model,
                       vd_error *error);

/* True when a file was once saved as UTF-8 text: what was no UTF-8 in it became EF BF BD, and is lost. */
bool vd_pair_is_mangled(const uint8_t *bytes, size_t length);

/* A whole number from `text`, `fallback` when there is none or it does not fit. */
long vd_pair_number(const char *text, long fallback);

/* A protobuf message's next field in [*at, end). Returns its number and sets what it holds (nothing for
 * numbers); 0 at the end; -1 when the message is broken or goes on behind its end. */
int vd_pair_next_field(const uint8_t *bytes, size_t end, size_t *at, size_t *ret_start, size_t *ret_length);

/* VD_EFORMAT when the weights are no whole protobuf message: cut off, mangled, or something else.
 *
 * what  "Caffe weights" */
int vd_pair_check_protobuf(const vd_pair *pair, const char *what, vd_error *error);

#endif
