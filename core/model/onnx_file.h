/* Reading a model file: whole, bounded, and told apart from what people keep under the same ending. */
#ifndef VD_MODEL_ONNX_FILE_H
#define VD_MODEL_ONNX_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "onnx.pb-c.h"
#include "vedette/error.h"

#define VD_ONNX_MAX_BYTES ((size_t)2 << 30)

enum { VD_SNIFF_BYTES = 65536 };

/* What a file really is when it is no ONNX file: a sentence that says so and what to do, by its first bytes
 * (all of them, up to VD_SNIFF_BYTES). NULL when it may well be one. Any thread. */
const char *vd_onnx_sniff(const uint8_t *head, size_t length);

/* Reads a regular file of at most `most` bytes. The caller frees *ret_bytes.
 * place  of errors: the masked path. VD_OK, VD_ENOTFOUND, VD_EIO, VD_EFORMAT (empty, no file, too large, or
 * what vd_onnx_sniff says) or VD_ENOMEM. */
int vd_onnx_load(const char *path, const char *place, size_t most, uint8_t **ret_bytes, size_t *ret_length,
                 vd_error *error);

/* The same for files that are not to be ONNX: nothing is said of their contents. */
int vd_model_load(const char *path, const char *place, size_t most, uint8_t **ret_bytes, size_t *ret_length,
                  vd_error *error);

/* Parses a model; memory is bounded by a multiple of `length`. Freed by onnx__model_proto__free_unpacked(…,
 * NULL). VD_OK or VD_EFORMAT. */
int vd_onnx_parse(const uint8_t *bytes, size_t length, const char *place, Onnx__ModelProto **ret_model,
                  vd_error *error);

/* Writes a model. The caller frees *ret_bytes. VD_OK or VD_ENOMEM. */
int vd_onnx_pack(const Onnx__ModelProto *model, uint8_t **ret_bytes, size_t *ret_length);

/* The value of a metadata key; NULL when there is none. Borrowed from `model`. */
const char *vd_onnx_metadata(const Onnx__ModelProto *model, const char *key);

#endif
