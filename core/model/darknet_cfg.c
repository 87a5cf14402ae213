#include "model/darknet_cfg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/darknet_text.h"
#include "model/names.h"

enum { MOST_LAYERS = 2048, MOST_CHANNELS = 1 << 16, MOST_VALUES = 1 << 28, MOST_ANCHORS = 64 };

typedef struct shape {
    int channels, height, width;
} shape;

typedef struct reader {
    const char *text, *place;
    size_t length, at;
    vd_darknet *net;
    vd_darknet_section now;
    shape current;
    shape *layers; /* what each section gave */
    int count;
    uint64_t
        conv_class_bytes; /* what one more channel of the section before costs; 0: that is no convolution */
    vd_error *error;
} reader;

static bool next_section(reader *r)
{
    return vd_darknet_next_section(r->text, r->length, &r->at, &r->now);
}

static bool find_value(const reader *r, const char *key, char value[VD_DARKNET_VALUE], vd_pair_span *ret_span)
{
    return vd_darknet_find(r->text, &r->now, key, value, ret_span);
}

static int refuse(const reader *r, const char *what)
{
    char type[VD_DARKNET_NAME];
    vd_text_clean(type, sizeof type, r->now.type, strlen(r->now.type));
    return vd_error_set(r->error, VD_EFORMAT, r->place, "Section %d of the cfg, [%s], %s.", r->count, type,
                        what);
}

/* A number within limits; VD_EFORMAT when it lies outside. */
static int get_number(const reader *r, const char *key, int fallback, int least, int most, int *ret_value)
{
    char value[VD_DARKNET_VALUE], what[96];
    long number = find_value(r, key, value, NULL) ? vd_pair_number(value, -1) : fallback;
    if (number < least || number > most) {
        snprintf(what, sizeof what, "needs a number of %d to %d for `%s`", least, most, key);
        return refuse(r, what);
    }
    *ret_value = (int)number;
    return VD_OK;
}

/* A list of numbers with commas; their count, or -1 when there are too many. Fractions are cut. */
static int get_list(const reader *r, const char *key, int *ret_numbers, int most)
{
    char value[VD_DARKNET_VALUE];
    int count = 0;
    if (!find_value(r, key, value, NULL))
        return 0;
    for (char *p = value; *p; p += strcspn(p, ","), p += *p == ',') {
        if (count >= most)
            return -1;
        long number = vd_pair_number(p, 0);
        ret_numbers[count++] =
            number < -MOST_CHANNELS || number > MOST_CHANNELS ? MOST_CHANNELS : (int)number;
    }
    return count;
}

static int read_net(reader *r)
{
    char value[VD_DARKNET_VALUE];
    int letterbox = 0;
    vd_darknet *net = r->net;
    if (!find_value(r, "width", value, &net->width_span) ||
        !find_value(r, "height", value, &net->height_span))
        return refuse(r, "does not say the input's width and height");
    int code = get_number(r, "width", 0, 1, VD_PAIR_MOST_SIDE, &net->width);
    if (code == VD_OK)
        code = get_number(r, "height", 0, 1, VD_PAIR_MOST_SIDE, &net->height);
    if (code == VD_OK)
        code = get_number(r, "channels", 3, 1, MOST_CHANNELS, &net->channels);
    if (code == VD_OK)
        code = get_number(r, "letter_box", 0, 0, 1, &letterbox);
    if (code == VD_OK && net->channels != 1 && net->channels != 3)
        code = refuse(r, "asks for pictures that are neither in colour (3 channels) nor grey (1)");
    net->letterbox = letterbox == 1;
    r->current = (shape){net->channels, net->height, net->width};
    return code;
}

static int read_convolution(reader *r)
{
    int filters, size, stride, padding, groups, norm, pad;
    int code = get_number(r, "filters", 1, 1, MOST_CHANNELS, &filters);
    if (code == VD_OK)
        code = get_number(r, "size", 1, 1, 64, &size);
    if (code == VD_OK)
        code = get_number(r, "stride", 1, 1, 64, &stride);
    if (code == VD_OK)
        code = get_number(r, "pad", 0, 0, 64, &pad);
    if (code == VD_OK)
        code = get_number(r, "padding", 0, 0, 64, &padding);
    if (code == VD_OK)
        code = get_number(r, "groups", 1, 1, MOST_CHANNELS, &groups);
    if (code == VD_OK)
        code = get_number(r, "batch_normalize", 0, 0, 1, &norm);
    if (code != VD_OK)
        return code;
    shape *s = &r->current;
    padding = pad ? size / 2 : padding;
    if (s->channels % groups || filters % groups)
        return refuse(r, "has groups that do not divide its channels");
    if (s->height + 2 * padding < size || s->width + 2 * padding < size)
        return refuse(r, "has a window larger than its picture");
    uint64_t filter_bytes =
        4 * ((norm ? 4 : 1) + (uint64_t)size * (uint64_t)size * (uint64_t)(s->channels / groups));
    r->net->weight_bytes += (uint64_t)filters * filter_bytes;
    r->net->convolutions++;
    *s = (shape){filters, (s->height + 2 * padding - size) / stride + 1,
                 (s->width + 2 * padding - size) / stride + 1};
    r->conv_class_bytes = filter_bytes;
    return VD_OK;
}

static int read_pool(reader *r)
{
    int size, stride, padding;
    int code = get_number(r, "size", 2, 1, 64, &size);
    if (code == VD_OK)
        code = get_number(r, "stride", 2, 1, 64, &stride);
    if (code == VD_OK)
        code = get_number(r, "padding", size - 1, 0, 64, &padding);
    if (code != VD_OK)
        return code;
    shape *s = &r->current;
    if (s->height + padding < size || s->width + padding < size)
        return refuse(r, "has a window larger than its picture");
    s->height = (s->height + padding - size) / stride + 1;
    s->width = (s->width + padding - size) / stride + 1;
    return VD_OK;
}

/* The shape of a section that is named by number, or counted back when it is negative. */
static const shape *look_up(const reader *r, int number)
{
    int at = number < 0 ? r->count + number : number;
    return at >= 0 && at < r->count ? &r->layers[at] : NULL;
}

static int read_route(reader *r)
{
    int numbers[32], groups;
    int count = get_list(r, "layers", numbers, 32);
    int code = get_number(r, "groups", 1, 1, MOST_CHANNELS, &groups);
    if (code != VD_OK)
        return code;
    if (count < 1)
        return refuse(r, "does not say which sections it joins");
    int channels = 0;
    for (int i = 0; i < count; i++) {
        const shape *from = look_up(r, numbers[i]);
        if (!from)
            return refuse(r, "names a section that does not come before it");
        channels += from->channels;
        if (i > 0 && (from->height != r->current.height || from->width != r->current.width))
            return refuse(r, "joins sections of different sizes");
        r->current = *from;
    }
    if (channels % groups)
        return refuse(r, "has groups that do not divide its channels");
    r->current.channels = channels / groups;
    return VD_OK;
}

/* [shortcut] keeps the shape of the section before, [scale_channels] and [sam] take that of the named one. */
static int read_from(reader *r)
{
    int numbers[8], count = get_list(r, "from", numbers, 8);
    for (int i = 0; i < count; i++)
        if (!look_up(r, numbers[i]))
            return refuse(r, "names a section that does not come before it");
    if (count < 1)
        return refuse(r, "does not say from which section it takes");
    if (strcmp(r->now.type, "shortcut") != 0)
        r->current = *look_up(r, numbers[0]);
    return VD_OK;
}

static int read_resize(reader *r)
{
    int stride, code = get_number(r, "stride", 2, 1, 64, &stride);
    shape *s = &r->current;
    if (code != VD_OK)
        return code;
    if (s->height > MOST_CHANNELS || s->width > MOST_CHANNELS)
        return refuse(r, "is larger than any real network's");
    if (strcmp(r->now.type, "upsample") == 0) {
        s->height *= stride;
        s->width *= stride;
    } else if (s->height % stride || s->width % stride) {
        return refuse(r, "has a stride that does not divide its picture");
    } else {
        *s = (shape){s->channels * stride * stride, s->height / stride, s->width / stride};
    }
    return VD_OK;
}

static int read_average(reader *r)
{
    r->current.height = r->current.width = 1;
    return VD_OK;
}

static int keep_shape(reader *r)
{
    (void)r;
    return VD_OK;
}

static int read_anchors(const reader *r, vd_darknet_head *head)
{
    int masks[MOST_ANCHORS], anchors[2 * MOST_ANCHORS], num;
    int code = get_number(r, "num", 1, 1, MOST_ANCHORS, &num);
    if (code != VD_OK)
        return code;
    int anchor_values = get_list(r, "anchors", anchors, 2 * MOST_ANCHORS);
    head->boxes = head->is_region ? num : get_list(r, "mask", masks, MOST_ANCHORS);
    if (head->boxes < 1 || anchor_values < 2 * num)
        return refuse(r, "does not give its anchors");
    for (int i = 0; !head->is_region && i < head->boxes; i++)
        if (masks[i] < 0 || masks[i] >= num)
            return refuse(r, "names an anchor that it does not have");
    return VD_OK;
}

static int read_head(reader *r)
{
    vd_darknet *net = r->net;
    const vd_darknet_head *first = net->head_count > 0 ? &net->heads[0] : NULL;
    bool is_region = strcmp(r->now.type, "region") == 0;
    vd_darknet_head head = {r->count, is_region, r->current.width, r->current.height, 0, 0};
    int code = get_number(r, "classes", 20, 1, VD_MAX_CLASSES, &head.classes);
    if (code == VD_OK)
        code = read_anchors(r, &head);
    if (code != VD_OK)
        return code;
    int channels = head.boxes * (5 + head.classes);
    if (channels != r->current.channels)
        return vd_error_set(r->error, VD_EFORMAT, r->place,
                            "Section %d of the cfg, [%s] with %d classes, needs %d channels, and the section "
                            "before gives %d.",
                            r->count, r->now.type, head.classes, channels, r->current.channels);
    if (first && (is_region || first->is_region))
        return refuse(r, "is a second head, and [region] stands alone");
    if (net->head_count >= VD_MODEL_OUTPUTS || (first && head.classes != first->classes))
        return refuse(r, "has another number of classes than the one before, or is one too many");
    net->class_bytes += (uint64_t)head.boxes * r->conv_class_bytes;
    net->heads[net->head_count++] = head;
    return VD_OK;
}

static const struct {
    const char *type;
    int (*read)(reader *r);
} known[] = {
    {"convolutional", read_convolution},
    {"maxpool", read_pool},
    {"avgpool", read_average},
    {"route", read_route},
    {"shortcut", read_from},
    {"scale_channels", read_from},
    {"sam", read_from},
    {"reorg", read_resize},
    {"upsample", read_resize},
    {"dropout", keep_shape},
    {"softmax", keep_shape},
    {"yolo", read_head},
    {"region", read_head},
};

static int read_layer(reader *r)
{
    size_t i = 0, count = sizeof known / sizeof *known;
    while (i < count && strcmp(known[i].type, r->now.type) != 0)
        i++;
    if (i == count)
        return refuse(r, "is of a kind that a detector's cfg is not known to have");
    if (r->count >= MOST_LAYERS)
        return refuse(r, "is one too many");
    int code = known[i].read(r);
    if (code != VD_OK)
        return code;
    shape s = r->current;
    if (s.channels > MOST_CHANNELS ||
        (uint64_t)s.channels * (uint64_t)s.height * (uint64_t)s.width > MOST_VALUES)
        return refuse(r, "is larger than any real network's");
    if (known[i].read != read_convolution)
        r->conv_class_bytes = 0;
    r->layers[r->count++] = s;
    return VD_OK;
}

int vd_darknet_parse(const vd_pair *pair, vd_darknet *ret_net, vd_error *error)
{
    vd_darknet net = {0};
    reader r = {.text = (const char *)pair->text,
                .place = pair->text_place,
                .length = pair->text_length,
                .net = &net,
                .error = error};
    if (!next_section(&r) || strcmp(r.now.type, "net") != 0)
        return vd_error_set(error, VD_EFORMAT, r.place,
                            "This is no Darknet configuration: one begins with a section [net].");
    int code = read_net(&r);
    if (code != VD_OK)
        return code;
    r.layers = calloc(MOST_LAYERS, sizeof *r.layers);
    if (!r.layers)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory to read the model.");
    while (code == VD_OK && next_section(&r))
        code = read_layer(&r);
    free(r.layers);
    if (code == VD_OK && net.head_count == 0)
        code = vd_error_set(error, VD_EFORMAT, r.place,
                            "This network has no [yolo] or [region] section: no boxes come out of it.");
    if (code == VD_OK)
        *ret_net = net;
    return code;
}
