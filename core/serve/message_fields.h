/* Fields that a frame has, out of a message or out of a query: one rule for both. */
#ifndef VD_SERVE_MESSAGE_FIELDS_H
#define VD_SERVE_MESSAGE_FIELDS_H

#include "serve/message.h"

/* The JSON text of a number or of a text of at most `most_bytes`.
 *
 * out  VD_SCALAR_TEXT(most_bytes); empty on failure
 * VD_OK, VD_EFORMAT (another type) or VD_EINVAL (too long). */
int vd_message_write_scalar(const json_t *value, size_t most_bytes, char *out, size_t size);

/* Each takes a value, NULL for none, into the message; what cannot be is said in `error` and in
 * message->refusal. VD_OK, VD_EFORMAT (another type, no number) or VD_EINVAL (too long). */
int vd_message_set_frame_id(vd_message *message, const json_t *value, vd_error *error);
int vd_message_set_timestamp(vd_message *message, const json_t *value, vd_error *error);

/* The same of words of a query: digits are a number, everything else is a text. Or VD_ENOMEM. */
int vd_message_set_frame_id_text(vd_message *message, const char *text, vd_error *error);
int vd_message_set_timestamp_text(vd_message *message, const char *text, vd_error *error);

#endif
