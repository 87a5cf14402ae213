#include "model/onnx_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/onnx_tensor.h"

/* Opens without waiting, so that a pipe under a model's name does not hang the program. */
static int open_regular(const char *path, const char *place, size_t most, size_t *ret_length, vd_error *error)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &info) != 0) {
        int reason = errno;
        if (fd >= 0)
            close(fd);
        if (reason == ENOENT || reason == ENOTDIR)
            return vd_error_set(error, VD_ENOTFOUND, place, "There is no such file.");
        return vd_error_set(error, VD_EIO, place, "The file cannot be opened: %s.", strerror(reason));
    }
    int code = VD_OK;
    if (S_ISDIR(info.st_mode))
        code = vd_error_set(error, VD_EFORMAT, place, "This is a folder, not a model file.");
    else if (!S_ISREG(info.st_mode))
        code = vd_error_set(error, VD_EFORMAT, place, "This is a device or a pipe, not a model file.");
    else if (info.st_size == 0)
        code = vd_error_set(error, VD_EFORMAT, place, "The file is empty.");
    else if ((uintmax_t)info.st_size > most)
        code = vd_error_set(error, VD_EFORMAT, place,
                            "The file has %jd MB, more than the %zu MB that can be read.",
                            (intmax_t)info.st_size >> 20, most >> 20);
    if (code != VD_OK) {
        close(fd);
        return code;
    }
    *ret_length = (size_t)info.st_size;
    return fd;
}

/* Reads `length` bytes from offset `from` on; a file that shrinks meanwhile is an error. */
static bool read_fully(int fd, uint8_t *bytes, size_t from, size_t length)
{
    while (from < length) {
        ssize_t got = read(fd, bytes + from, length - from);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        from += (size_t)got;
    }
    return true;
}

static int load(const char *path, const char *place, size_t most, bool sniff, uint8_t **ret_bytes,
                size_t *ret_length, vd_error *error)
{
    size_t length = 0;
    int fd = open_regular(path, place, most, &length, error);
    if (fd < 0)
        return fd;
    size_t head = length < VD_SNIFF_BYTES ? length : VD_SNIFF_BYTES;
    uint8_t *bytes = malloc(length);
    int code =
        bytes ? VD_OK : vd_error_set(error, VD_ENOMEM, place, "There is not enough memory to read the file.");
    if (code == VD_OK && !read_fully(fd, bytes, 0, head))
        code = vd_error_set(error, VD_EIO, place, "The file cannot be read.");
    const char *other = code == VD_OK && sniff ? vd_onnx_sniff(bytes, head) : NULL;
    if (other)
        code = vd_error_set(error, VD_EFORMAT, place, "%s", other);
    if (code == VD_OK && !read_fully(fd, bytes, head, length))
        code = vd_error_set(error, VD_EIO, place, "The file cannot be read to its end.");
    close(fd);
    if (code != VD_OK) {
        free(bytes);
        return code;
    }
    *ret_bytes = bytes;
    *ret_length = length;
    return VD_OK;
}

int vd_onnx_load(const char *path, const char *place, size_t most, uint8_t **ret_bytes, size_t *ret_length,
                 vd_error *error)
{
    return load(path, place, most, true, ret_bytes, ret_length, error);
}

int vd_model_load(const char *path, const char *place, size_t most, uint8_t **ret_bytes, size_t *ret_length,
                  vd_error *error)
{
    return load(path, place, most, false, ret_bytes, ret_length, error);
}

/* protobuf-c makes a struct of every message, and a message may be two bytes long: without a bound a small
 * file could ask for a hundred times its size. */
typedef struct budget {
    ProtobufCAllocator base;
    size_t left;
} budget;

static void *budget_alloc(void *context, size_t size)
{
    budget *b = context;
    if (size > b->left || b->left - size < 32)
        return NULL;
    b->left -= size + 32;
    return malloc(size);
}

static void budget_free(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static bool read_varint(const uint8_t *bytes, size_t length, size_t *at, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && *at < length; shift += 7) {
        uint8_t byte = bytes[(*at)++];
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

/* True when the file's outermost fields make sense until one of them reaches beyond the end. */
static bool is_cut_off(const uint8_t *bytes, size_t length)
{
    size_t at = 0;
    uint64_t key, size;
    for (int fields = 0; at < length; fields++) {
        if (!read_varint(bytes, length, &at, &key))
            return fields > 0 && at == length;
        if (key >> 3 == 0 || key >> 3 > 100)
            return false;
        switch (key & 7) {
        case 0:
            if (!read_varint(bytes, length, &at, &size))
                return fields > 0 && at == length;
            break;
        case 1:
            at += 8;
            break;
        case 2:
            if (!read_varint(bytes, length, &at, &size))
                return fields > 0 && at == length;
            if (size > length - at)
                return fields > 0;
            at += (size_t)size;
            break;
        case 5:
            at += 4;
            break;
        default:
            return false;
        }
        if (at > length)
            return fields > 0;
    }
    return false;
}

int vd_onnx_parse(const uint8_t *bytes, size_t length, const char *place, Onnx__ModelProto **ret_model,
                  vd_error *error)
{
    budget b = {.base = {.alloc = budget_alloc, .free = budget_free},
                .left = 4 * length + ((size_t)64 << 20)};
    b.base.allocator_data = &b;
    Onnx__ModelProto *model = onnx__model_proto__unpack(&b.base, length, bytes);
    if (!model && is_cut_off(bytes, length))
        return vd_error_set(error, VD_EFORMAT, place,
                            "The file is incomplete: it ends in the middle; copy or download it again.");
    if (!model)
        return vd_error_set(error, VD_EFORMAT, place, "This is not an ONNX model, or the file is damaged.");
    if (!model->graph || model->graph->n_node == 0) {
        bool cut = !model->graph && model->has_ir_version && model->ir_version > 0;
        onnx__model_proto__free_unpacked(model, NULL);
        return vd_error_set(error, VD_EFORMAT, place,
                            cut ? "The file is incomplete: it holds no network; copy or download it again."
                                : "This is not an ONNX model: it holds no network.");
    }
    *ret_model = model;
    return VD_OK;
}

int vd_onnx_pack(const Onnx__ModelProto *model, uint8_t **ret_bytes, size_t *ret_length)
{
    size_t length = onnx__model_proto__get_packed_size(model);
    uint8_t *bytes = malloc(length > 0 ? length : 1);
    if (!bytes)
        return VD_ENOMEM;
    *ret_length = onnx__model_proto__pack(model, bytes);
    *ret_bytes = bytes;
    return VD_OK;
}

const char *vd_onnx_metadata(const Onnx__ModelProto *model, const char *key)
{
    for (size_t i = 0; i < model->n_metadata_props; i++) {
        const Onnx__StringStringEntryProto *entry = model->metadata_props[i];
        if (entry->key && entry->value && strcmp(entry->key, key) == 0)
            return entry->value;
    }
    return NULL;
}
