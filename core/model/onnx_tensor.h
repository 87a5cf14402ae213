/* Tensors of a model file: shapes that cannot overflow, values that are really there.
 *
 * After vd_onnx_tensor_check a tensor's values lie in raw_data, little-endian, exactly as many bytes as its
 * shape asks for, whichever field the file kept them in. Everything else in this folder relies on that. */
#ifndef VD_MODEL_ONNX_TENSOR_H
#define VD_MODEL_ONNX_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "onnx.pb-c.h"
#include "vedette/error.h"

enum { VD_ONNX_RANK = 8 };
#define VD_ONNX_MAX_ELEMENTS ((size_t)1 << 28) /* of one tensor that a network computes: 1 GiB of floats */

/* Element types, numbered as in the file format. */
enum vd_onnx_type {
    VD_ONNX_FLOAT = 1,
    VD_ONNX_UINT8 = 2,
    VD_ONNX_INT8 = 3,
    VD_ONNX_INT32 = 6,
    VD_ONNX_INT64 = 7,
    VD_ONNX_BOOL = 9,
    VD_ONNX_FLOAT16 = 10,
    VD_ONNX_DOUBLE = 11,
    VD_ONNX_BFLOAT16 = 16
};

typedef struct vd_shape {
    int rank; /* 0 to VD_ONNX_RANK; -1: not known */
    int64_t dims[VD_ONNX_RANK];
} vd_shape;

/* The bytes of one element; 0 for a type that cannot be used. */
size_t vd_onnx_type_bytes(int type);

/* "float16", "int64", …; a constant string. */
const char *vd_onnx_type_name(int type);

/* The number of elements; false when it is unknown, negative or more than `most`, or one extent alone is,
 * even beside a 0. */
bool vd_shape_count(const vd_shape *shape, size_t most, size_t *ret_count);
bool vd_shape_equal(const vd_shape *a, const vd_shape *b);

/* "[1, 84, 2100]". */
void vd_shape_text(const vd_shape *shape, char *out, size_t size);

/* Checks type, shape and amount of data and moves the values into raw_data.
 * what  names the tensor in the refusal. VD_OK, VD_EFORMAT or VD_ENOMEM. */
int vd_onnx_tensor_check(Onnx__TensorProto *tensor, const char *what, const char *place, vd_error *error);

/* A zeroed tensor of that type and shape with at most `most_bytes` of data; NULL when that is too much or
 * memory is used up. Freed by vd_onnx_tensor_free. */
Onnx__TensorProto *vd_onnx_tensor_new(int type, const vd_shape *shape, size_t most_bytes);
void vd_onnx_tensor_free(Onnx__TensorProto *tensor);

/* Of a checked tensor. */
vd_shape vd_onnx_tensor_shape(const Onnx__TensorProto *tensor);
size_t vd_onnx_tensor_count(const Onnx__TensorProto *tensor);

/* One element, `index` below vd_onnx_tensor_count. Integers read as numbers and numbers as integers, cut
 * towards zero and to the type's range. Half precision is only read: set leaves it alone, and its integers
 * are 0. */
double vd_onnx_tensor_number(const Onnx__TensorProto *tensor, size_t index);
int64_t vd_onnx_tensor_integer(const Onnx__TensorProto *tensor, size_t index);
void vd_onnx_tensor_set_number(Onnx__TensorProto *tensor, size_t index, double value);
void vd_onnx_tensor_set_integer(Onnx__TensorProto *tensor, size_t index, int64_t value);

/* True for float and double. */
bool vd_onnx_type_is_real(int type);

/* True for float16 and bfloat16. */
bool vd_onnx_type_is_half(int type);

#endif
