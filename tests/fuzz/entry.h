/* What one input of the fuzz targets does. Whatever the bytes are, both return; what must not be ends the
 * program, after a line on stderr. */
#ifndef TESTS_FUZZ_ENTRY_H
#define TESTS_FUZZ_ENTRY_H

#include <stddef.h>
#include <stdint.h>

/* How an input of vd_fuzz_onnx begins; an ONNX file follows. */
enum {
    VD_FUZZ_HEAD = 2,   /* bytes: the flags below, then the wished size by number and 16 times the batch */
    VD_FUZZ_PASSES = 1, /* the passes one after the other, whatever the network is; else vd_model_read */
    VD_FUZZ_FILL = 2,   /* tensors that have a shape and no values get zeros first: inputs stay small */
    VD_FUZZ_NO_PLAN = 4,
    VD_FUZZ_VERIFIER = 8 /* vd_model_read_verifier; of the wished sizes the sides, of the batch the clips */
};

/* Reads a model and holds what comes out against what model.h, verifier.h and plan.h promise. */
void vd_fuzz_onnx(const uint8_t *data, size_t size);

/* The bytes as the code of a plan. */
void vd_fuzz_plan(const uint8_t *data, size_t size);

/* The bytes behind the first as an encoded picture; bit 0 of the first: the check sums of PNG chunks are put
 * right before. */
void vd_fuzz_picture(const uint8_t *data, size_t size);

/* What the streaming interface reads. The first byte says which: `m` a message, `f` the body of a frame, `q`
 * a query, `b` Base64, `h` headers (lines: authorization, origin, host, peer); any other: what comes after it
 * leads a walk over sessions (unit/session_walk.h). */
void vd_fuzz_serve(const uint8_t *data, size_t size);

#endif
