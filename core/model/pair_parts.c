#include "model/pair_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/onnx_file.h"

int vd_pair_choose_size(const vd_pair *pair, int step, vd_model *model, vd_error *error)
{
    const vd_model_options *asked = pair->options;
    bool chosen = asked->input_width != 0 || asked->input_height != 0;
    int width = asked->input_width ? asked->input_width : model->input_width;
    int height = asked->input_height ? asked->input_height : model->input_height;
    int least = VD_PAIR_LEAST_SIDE, most = VD_PAIR_MOST_SIDE;
    if (width < least || width > most || height < least || height > most || width % step || height % step)
        return vd_error_set(error, chosen ? VD_EINVAL : VD_EFORMAT,
                            chosen ? pair->data_place : pair->text_place,
                            "An input of %d × %d pixels cannot be used; this network takes multiples of %d, "
                            "%d to %d.",
                            width, height, step, (least + step - 1) / step * step, most / step * step);
    model->input_width = width;
    model->input_height = height;
    return VD_OK;
}

int vd_pair_write_size(vd_pair *pair, vd_pair_span width, vd_pair_span height, const vd_model *model,
                       vd_error *error)
{
    char numbers[2][16];
    bool turned = height.at < width.at;
    const vd_pair_span spans[2] = {turned ? height : width, turned ? width : height};
    snprintf(numbers[0], sizeof numbers[0], "%d", turned ? model->input_height : model->input_width);
    snprintf(numbers[1], sizeof numbers[1], "%d", turned ? model->input_width : model->input_height);
    uint8_t *text = malloc(pair->text_length + 2 * sizeof numbers[0]);
    if (!text)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory to read the model.");
    size_t from = 0, used = 0;
    for (int i = 0; i < 2; i++) {
        memcpy(text + used, pair->text + from, spans[i].at - from);
        used += spans[i].at - from;
        memcpy(text + used, numbers[i], strlen(numbers[i]));
        used += strlen(numbers[i]);
        from = spans[i].at + spans[i].length;
    }
    memcpy(text + used, pair->text + from, pair->text_length - from);
    free(pair->text);
    pair->text = text;
    pair->text_length = used + pair->text_length - from;
    return VD_OK;
}

/* In weights the three bytes meet by chance once in 16 MB. */
bool vd_pair_is_mangled(const uint8_t *bytes, size_t length)
{
    size_t count = 0, enough = 8 + length / 4096;
    for (size_t i = 0; i + 3 <= length; i++)
        if (bytes[i] == 0xef && bytes[i + 1] == 0xbf && bytes[i + 2] == 0xbd && ++count >= enough)
            return true;
    return false;
}

long vd_pair_number(const char *text, long fallback)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    return end == text || errno != 0 ? fallback : value;
}

static bool read_varint(const uint8_t *bytes, size_t end, size_t *at, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (*at >= end)
            return false;
        uint8_t byte = bytes[(*at)++];
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

int vd_pair_next_field(const uint8_t *bytes, size_t end, size_t *at, size_t *ret_start, size_t *ret_length)
{
    uint64_t tag, value = 0;
    if (*at >= end)
        return 0;
    if (!read_varint(bytes, end, at, &tag) || tag >> 3 == 0 || tag >> 3 > 536870911)
        return -1;
    *ret_start = *at;
    *ret_length = 0;
    switch (tag & 7) {
    case 0:
        return read_varint(bytes, end, at, &value) ? (int)(tag >> 3) : -1;
    case 1:
        value = 8;
        break;
    case 2:
        if (!read_varint(bytes, end, at, &value))
            return -1;
        *ret_start = *at;
        *ret_length = (size_t)value;
        break;
    case 5:
        value = 4;
        break;
    default:
        return -1;
    }
    if (value > end - *at)
        return -1;
    *at += (size_t)value;
    return (int)(tag >> 3);
}

int vd_pair_check_protobuf(const vd_pair *pair, const char *what, vd_error *error)
{
    const char *place = pair->data_place;
    size_t head = pair->data_length < VD_SNIFF_BYTES ? pair->data_length : VD_SNIFF_BYTES;
    const char *other = vd_onnx_sniff(pair->data, head);
    if (other)
        return vd_error_set(error, VD_EFORMAT, place, "%s", other);
    if (vd_pair_is_mangled(pair->data, pair->data_length))
        return vd_error_set(error, VD_EFORMAT, place,
                            "These %s were once saved as text (UTF-8), which destroyed them; fetch the file "
                            "again.",
                            what);
    size_t at = 0, start, length;
    int field, count = 0;
    while ((field = vd_pair_next_field(pair->data, pair->data_length, &at, &start, &length)) > 0)
        count++;
    if (field == 0)
        return VD_OK;
    return vd_error_set(
        error, VD_EFORMAT, place,
        count > 0 ? "The %s are cut off or damaged; fetch the file again." : "The contents are no %s.", what);
}
