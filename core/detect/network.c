#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "detect/decode.h"
#include "detect/kinds.h"
#include "engine/engine.h"
#include "frame/convert.h"

/* One worker's state: its own network, made from the model that all share. */
struct network {
    const vd_model *model;
    vd_feed feed;
    vd_net *net;
    vd_decoder *decoder;
    vd_scratch pixels;
    vd_letterbox *letterboxes; /* of the pictures of a pass */
    char engine[VD_ENGINE_TEXT];
};

static const char *const device_names[VD_NET_DEVICE_END] = {"cpu", "opencl", "cuda", "openvino"};

int vd_network_device(const char *name, vd_net_device *ret_device, vd_error *error)
{
    for (int i = 0; i < VD_NET_DEVICE_END; i++) {
        if (!name || strcmp(name, device_names[i]) == 0) {
            *ret_device = (vd_net_device)i;
            return VD_OK;
        }
    }
    return vd_error_set(error, VD_EINVAL, "device",
                        "device is \"%s\"; it must be cpu, opencl, cuda or openvino.", name);
}

/* --- Making */

static void close_network(void *state)
{
    struct network *network = state;
    vd_net_free(&network->net);
    vd_decoder_free(&network->decoder);
    vd_scratch_fini(&network->pixels);
    free(network->letterboxes);
    free(network);
}

vd_feed vd_network_feed(const vd_model *model)
{
    const vd_model_feed *from = &model->feed;
    vd_feed feed = {.width = model->input_width,
                    .height = model->input_height,
                    .fit = from->fit == VD_FIT_CENTRE     ? VD_FEED_CENTRE
                           : from->fit == VD_FIT_TOP_LEFT ? VD_FEED_TOP_LEFT
                                                          : VD_FEED_STRETCH,
                    .channels = from->channels == VD_CHANNELS_RGB   ? VD_FEED_RGB
                                : from->channels == VD_CHANNELS_BGR ? VD_FEED_BGR
                                                                    : VD_FEED_GREY,
                    .pad = from->pad};
    memcpy(feed.mean, from->mean, sizeof feed.mean);
    memcpy(feed.scale, from->scale, sizeof feed.scale);
    return feed;
}

/* On the device that was chosen; where that does not work, on the processor, and the reason is kept. */
static int make_net(struct network *network, const vd_network_config *config, vd_error *error)
{
    vd_net_options options = {.device = config->device, .precision = config->precision};
    vd_error refusal = {0};
    int code = vd_net_new(config->model, &options, &network->net, &refusal);
    bool falls_back = code != VD_OK && config->device != VD_NET_CPU;
    if (falls_back) {
        options.device = VD_NET_CPU;
        code = vd_net_new(config->model, &options, &network->net, error);
    } else if (code && error) {
        *error = refusal;
    }
    if (code)
        return code;
    /* One more pass: the first allocates and chooses, the next is as fast as those that follow. */
    const float *data[VD_MODEL_OUTPUTS];
    code = vd_net_forward(network->net, data, error);
    if (code == VD_OK && falls_back)
        snprintf(network->engine, sizeof network->engine, "%s on the processor, as %s does not work: %s",
                 vd_net_engine(network->net), device_names[config->device], refusal.text);
    else if (code == VD_OK)
        vd_text_copy(network->engine, sizeof network->engine, vd_net_engine(network->net));
    return code;
}

static int open_network(const void *config, void **ret_state, vd_labels **ret_labels, vd_error *error)
{
    const vd_network_config *wanted = config;
    const vd_model *model = wanted->model;
    struct network *network = calloc(1, sizeof *network);
    if (network)
        network->letterboxes = calloc((size_t)(model->batch > 1 ? model->batch : 1), sizeof(vd_letterbox));
    if (!network || !network->letterboxes) {
        free(network);
        return vd_error_set(error, VD_ENOMEM, NULL, "There was not enough memory for the model.");
    }
    network->model = model;
    network->feed = vd_network_feed(model);
    int code = vd_decoder_new(model, &network->decoder, error);
    if (code == VD_OK)
        code = make_net(network, wanted, error);
    if (code) {
        close_network(network);
        return code;
    }
    *ret_labels = vd_labels_ref(model->labels);
    *ret_state = network;
    return VD_OK;
}

const char *vd_network_engine(const void *state)
{
    return ((const struct network *)state)->engine;
}

/* --- Detecting */

static int feed_pictures(struct network *network, const vd_image *const *images, size_t count,
                         vd_error *error)
{
    const vd_feed *feed = &network->feed;
    size_t channels = feed->channels == VD_FEED_GREY ? 1 : 3;
    size_t floats = channels * (size_t)feed->width * (size_t)feed->height;
    size_t batch = network->model->batch > 1 ? (size_t)network->model->batch : 1;
    float *input;
    int code = vd_net_input(network->net, &input, error);
    for (size_t i = 0; i < count && code == VD_OK; i++) {
        code = vd_image_validate(images[i], error);
        if (code)
            return code;
        code =
            vd_convert_feed(images[i], feed, &network->pixels, input + i * floats, &network->letterboxes[i]);
        if (code)
            return vd_error_set(error, code, NULL, "The picture could not be brought to the network's size.");
    }
    if (code == VD_OK && count < batch) /* a short chunk: the pass computes the rest on nothing */
        memset(input + count * floats, 0, (batch - count) * floats * sizeof *input);
    return code;
}

/* One pass. The times are each picture's share. */
static int detect_together(void *state, const vd_image *const *images, vd_result *const *results,
                           size_t count, vd_error *error)
{
    struct network *network = state;
    const float *data[VD_MODEL_OUTPUTS];
    int64_t start_ns = vd_clock_now_ns(), share = (int64_t)count;
    int code = feed_pictures(network, images, count, error);
    if (code)
        return code;
    int64_t filled_ns = vd_clock_now_ns();
    code = vd_net_forward(network->net, data, error);
    if (code)
        return code;
    int64_t forward_ns = vd_clock_now_ns();
    for (size_t i = 0; i < count; i++) {
        vd_result *result = results[i];
        int64_t decode_ns = vd_clock_now_ns();
        result->input_width = network->feed.width;
        result->input_height = network->feed.height;
        result->nms_done = vd_decoder_suppresses(network->decoder);
        result->count =
            vd_decoder_read(network->decoder, data, (int)i, &network->letterboxes[i], images[i]->width,
                            images[i]->height, result->floor, result->candidates);
        result->preprocess_ns = (filled_ns - start_ns) / share;
        result->forward_ns = (forward_ns - filled_ns) / share;
        result->decode_ns = vd_clock_now_ns() - decode_ns;
    }
    return VD_OK;
}

static int detect_one(void *state, const vd_image *image, vd_result *result, vd_error *error)
{
    return detect_together(state, &image, &result, 1, error);
}

vd_detector_ops vd_network_ops_for(const vd_model *model)
{
    vd_detector_ops ops = {.open = open_network, .detect = detect_one, .close = close_network};
    if (model->batch > 1) {
        ops.detect_batch = detect_together;
        ops.max_batch = model->batch;
    }
    return ops;
}
