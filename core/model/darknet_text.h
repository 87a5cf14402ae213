/* The text of Darknet's .cfg: sections in brackets, below each `key = value`. */
#ifndef VD_MODEL_DARKNET_TEXT_H
#define VD_MODEL_DARKNET_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "model/pair_parts.h"

enum { VD_DARKNET_NAME = 32, VD_DARKNET_VALUE = 512 };

typedef struct vd_darknet_section {
    char type[VD_DARKNET_NAME]; /* what stands in brackets, in small letters */
    size_t start, end;          /* of its lines, behind the one in brackets */
} vd_darknet_section;

/* The next section from *at on; false when there is none. */
bool vd_darknet_next_section(const char *text, size_t length, size_t *at, vd_darknet_section *ret_section);

/* The value of a key of a section, without blanks, cut where it is too long; of several the last, as in
 * OpenCV. False when there is none.
 *
 * ret_span  NULL, or gets where it stands */
bool vd_darknet_find(const char *text, const vd_darknet_section *section, const char *key,
                     char ret_value[VD_DARKNET_VALUE], vd_pair_span *ret_span);

#endif
