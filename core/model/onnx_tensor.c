#include "model/onnx_tensor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "raw_data is little-endian and is used as it lies in the file"
#endif

size_t vd_onnx_type_bytes(int type)
{
    switch (type) {
    case VD_ONNX_UINT8:
    case VD_ONNX_INT8:
    case VD_ONNX_BOOL:
        return 1;
    case VD_ONNX_FLOAT16:
    case VD_ONNX_BFLOAT16:
        return 2;
    case VD_ONNX_FLOAT:
    case VD_ONNX_INT32:
        return 4;
    case VD_ONNX_INT64:
    case VD_ONNX_DOUBLE:
        return 8;
    default:
        return 0;
    }
}

const char *vd_onnx_type_name(int type)
{
    static const char *const names[] = {"undefined", "float32", "uint8",   "int8",    "uint16",  "int16",
                                        "int32",     "int64",   "string",  "bool",    "float16", "float64",
                                        "uint32",    "uint64",  "complex", "complex", "bfloat16"};
    if (type < 0 || type >= (int)(sizeof names / sizeof *names))
        return "an unknown type";
    return names[type];
}

bool vd_onnx_type_is_real(int type)
{
    return type == VD_ONNX_FLOAT || type == VD_ONNX_DOUBLE;
}

bool vd_onnx_type_is_half(int type)
{
    return type == VD_ONNX_FLOAT16 || type == VD_ONNX_BFLOAT16;
}

bool vd_shape_count(const vd_shape *shape, size_t most, size_t *ret_count)
{
    if (shape->rank < 0)
        return false;
    size_t count = 1;
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dims[i] < 0 || (uint64_t)shape->dims[i] > most ||
            __builtin_mul_overflow(count, (size_t)shape->dims[i], &count))
            return false;
    }
    if (count > most)
        return false;
    *ret_count = count;
    return true;
}

bool vd_shape_equal(const vd_shape *a, const vd_shape *b)
{
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dims[i] != b->dims[i])
            return false;
    return true;
}

void vd_shape_text(const vd_shape *shape, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, shape->rank < 0 ? "[?" : "[");
    for (int i = 0; i < shape->rank && used < size; i++) {
        const char *gap = i > 0 ? ", " : "";
        if (shape->dims[i] > 0)
            used += (size_t)snprintf(out + used, size - used, "%s%lld", gap, (long long)shape->dims[i]);
        else
            used += (size_t)snprintf(out + used, size - used, "%s?", gap);
    }
    if (used < size)
        snprintf(out + used, size - used, "]");
}

vd_shape vd_onnx_tensor_shape(const Onnx__TensorProto *tensor)
{
    vd_shape shape = {.rank = -1};
    if (tensor->n_dims > VD_ONNX_RANK)
        return shape;
    shape.rank = (int)tensor->n_dims;
    for (int i = 0; i < shape.rank; i++)
        shape.dims[i] = tensor->dims[i];
    return shape;
}

size_t vd_onnx_tensor_count(const Onnx__TensorProto *tensor)
{
    return tensor->raw_data.len / vd_onnx_type_bytes(tensor->data_type);
}

/* Narrow integers travel in int32_data, one to a field. */
static void narrow_ints(const Onnx__TensorProto *tensor, uint8_t *out, size_t width)
{
    for (size_t i = 0; i < tensor->n_int32_data; i++)
        memcpy(out + i * width, &tensor->int32_data[i], width);
}

static size_t typed_count(const Onnx__TensorProto *tensor)
{
    switch (tensor->data_type) {
    case VD_ONNX_FLOAT:
        return tensor->n_float_data;
    case VD_ONNX_DOUBLE:
        return tensor->n_double_data;
    case VD_ONNX_INT64:
        return tensor->n_int64_data;
    default:
        return tensor->n_int32_data;
    }
}

static void copy_typed(const Onnx__TensorProto *tensor, uint8_t *out, size_t bytes)
{
    if (tensor->data_type == VD_ONNX_FLOAT)
        memcpy(out, tensor->float_data, bytes);
    else if (tensor->data_type == VD_ONNX_DOUBLE)
        memcpy(out, tensor->double_data, bytes);
    else if (tensor->data_type == VD_ONNX_INT64)
        memcpy(out, tensor->int64_data, bytes);
    else
        narrow_ints(tensor, out, vd_onnx_type_bytes(tensor->data_type));
}

static void drop_typed(Onnx__TensorProto *tensor)
{
    free(tensor->float_data);
    free(tensor->double_data);
    free(tensor->int64_data);
    free(tensor->int32_data);
    free(tensor->uint64_data);
    tensor->float_data = NULL;
    tensor->double_data = NULL;
    tensor->int64_data = NULL;
    tensor->int32_data = NULL;
    tensor->uint64_data = NULL;
    tensor->n_float_data = tensor->n_double_data = tensor->n_int64_data = 0;
    tensor->n_int32_data = tensor->n_uint64_data = 0;
}

/* Moves typed values into raw_data; false when memory is used up. */
static bool gather_values(Onnx__TensorProto *tensor, size_t width)
{
    if (tensor->has_raw_data && tensor->raw_data.len > 0)
        return true;
    size_t bytes = typed_count(tensor) * width;
    uint8_t *data = malloc(bytes > 0 ? bytes : 1);
    if (!data)
        return false;
    if (bytes > 0)
        copy_typed(tensor, data, bytes);
    free(tensor->raw_data.data);
    tensor->raw_data.data = data;
    tensor->raw_data.len = bytes;
    tensor->has_raw_data = true;
    return true;
}

int vd_onnx_tensor_check(Onnx__TensorProto *tensor, const char *what, const char *place, vd_error *error)
{
    size_t width = vd_onnx_type_bytes(tensor->data_type), count = 0;
    if (tensor->n_external_data > 0 || tensor->data_location == 1)
        return vd_error_set(error, VD_EFORMAT, place,
                            "The values of %s lie in a second file beside the model; export it as one file.",
                            what);
    if (width == 0 || tensor->has_segment)
        return vd_error_set(error, VD_EFORMAT, place,
                            "The values of %s are of type %s, which cannot be used.", what,
                            vd_onnx_type_name(tensor->data_type));
    vd_shape shape = vd_onnx_tensor_shape(tensor);
    if (!vd_shape_count(&shape, SIZE_MAX / 8, &count))
        return vd_error_set(error, VD_EFORMAT, place,
                            "The file is damaged: %s has a size that makes no sense.", what);
    if (!gather_values(tensor, width))
        return vd_error_set(error, VD_ENOMEM, place, "There is not enough memory to read the model.");
    drop_typed(tensor);
    if (tensor->raw_data.len != count * width)
        return vd_error_set(error, VD_EFORMAT, place,
                            "The file is damaged: %s should hold %zu bytes of values and holds %zu.", what,
                            count * width, tensor->raw_data.len);
    return VD_OK;
}

Onnx__TensorProto *vd_onnx_tensor_new(int type, const vd_shape *shape, size_t most_bytes)
{
    size_t width = vd_onnx_type_bytes(type), count = 0;
    if (width == 0 || !vd_shape_count(shape, most_bytes / width, &count))
        return NULL;
    Onnx__TensorProto *tensor = malloc(sizeof *tensor);
    if (!tensor)
        return NULL;
    onnx__tensor_proto__init(tensor);
    tensor->has_data_type = true;
    tensor->data_type = type;
    tensor->has_raw_data = true;
    tensor->raw_data.len = count * width;
    tensor->raw_data.data = calloc(count > 0 ? count : 1, width);
    tensor->dims = calloc(VD_ONNX_RANK, sizeof *tensor->dims);
    if (!tensor->raw_data.data || !tensor->dims) {
        vd_onnx_tensor_free(tensor);
        return NULL;
    }
    tensor->n_dims = (size_t)shape->rank;
    memcpy(tensor->dims, shape->dims, (size_t)shape->rank * sizeof *tensor->dims);
    return tensor;
}

void vd_onnx_tensor_free(Onnx__TensorProto *tensor)
{
    if (tensor)
        onnx__tensor_proto__free_unpacked(tensor, NULL);
}

/* A sign, five bits of exponent, ten of fraction. */
static double from_half(uint16_t bits)
{
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double size = exponent == 0    ? ldexp(fraction, -24)
                  : exponent == 31 ? (fraction ? (double)NAN : (double)INFINITY)
                                   : ldexp(1024 + fraction, exponent - 25);
    return bits & 0x8000 ? -size : size;
}

/* The upper half of a float. */
static double from_brain(uint16_t bits)
{
    uint32_t wide = (uint32_t)bits << 16;
    float single;
    memcpy(&single, &wide, sizeof single);
    return (double)single;
}

double vd_onnx_tensor_number(const Onnx__TensorProto *tensor, size_t index)
{
    const uint8_t *p = tensor->raw_data.data + index * vd_onnx_type_bytes(tensor->data_type);
    float single;
    double wide;
    uint16_t half;
    switch (tensor->data_type) {
    case VD_ONNX_FLOAT:
        memcpy(&single, p, sizeof single);
        return (double)single;
    case VD_ONNX_DOUBLE:
        memcpy(&wide, p, sizeof wide);
        return wide;
    case VD_ONNX_FLOAT16:
    case VD_ONNX_BFLOAT16:
        memcpy(&half, p, sizeof half);
        return tensor->data_type == VD_ONNX_FLOAT16 ? from_half(half) : from_brain(half);
    default:
        return (double)vd_onnx_tensor_integer(tensor, index);
    }
}

static int64_t to_integer(double value)
{
    if (isnan(value))
        return 0;
    if (value >= 9223372036854775807.0)
        return INT64_MAX;
    if (value <= -9223372036854775808.0)
        return INT64_MIN;
    return (int64_t)value;
}

int64_t vd_onnx_tensor_integer(const Onnx__TensorProto *tensor, size_t index)
{
    const uint8_t *p = tensor->raw_data.data + index * vd_onnx_type_bytes(tensor->data_type);
    int32_t narrow;
    int64_t wide;
    switch (tensor->data_type) {
    case VD_ONNX_UINT8:
        return *p;
    case VD_ONNX_INT8:
        return (int8_t)*p;
    case VD_ONNX_BOOL:
        return *p != 0;
    case VD_ONNX_INT32:
        memcpy(&narrow, p, sizeof narrow);
        return narrow;
    case VD_ONNX_INT64:
        memcpy(&wide, p, sizeof wide);
        return wide;
    case VD_ONNX_FLOAT:
    case VD_ONNX_DOUBLE:
        return to_integer(vd_onnx_tensor_number(tensor, index));
    default:
        return 0;
    }
}

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

void vd_onnx_tensor_set_integer(Onnx__TensorProto *tensor, size_t index, int64_t value)
{
    uint8_t *p = tensor->raw_data.data + index * vd_onnx_type_bytes(tensor->data_type);
    int32_t narrow;
    switch (tensor->data_type) {
    case VD_ONNX_UINT8:
        *p = (uint8_t)clamp(value, 0, UINT8_MAX);
        return;
    case VD_ONNX_INT8:
        *p = (uint8_t)(int8_t)clamp(value, INT8_MIN, INT8_MAX);
        return;
    case VD_ONNX_BOOL:
        *p = value != 0;
        return;
    case VD_ONNX_INT32:
        narrow = (int32_t)clamp(value, INT32_MIN, INT32_MAX);
        memcpy(p, &narrow, sizeof narrow);
        return;
    case VD_ONNX_INT64:
        memcpy(p, &value, sizeof value);
        return;
    default:
        if (vd_onnx_type_is_real(tensor->data_type))
            vd_onnx_tensor_set_number(tensor, index, (double)value);
    }
}

void vd_onnx_tensor_set_number(Onnx__TensorProto *tensor, size_t index, double value)
{
    uint8_t *p = tensor->raw_data.data + index * vd_onnx_type_bytes(tensor->data_type);
    float single = (float)value;
    if (tensor->data_type == VD_ONNX_FLOAT)
        memcpy(p, &single, sizeof single);
    else if (tensor->data_type == VD_ONNX_DOUBLE)
        memcpy(p, &value, sizeof value);
    else if (tensor->data_type == VD_ONNX_BOOL)
        *p = value != 0.0;
    else
        vd_onnx_tensor_set_integer(tensor, index, to_integer(value));
}
