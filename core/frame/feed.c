#include <math.h>
#include <stdbool.h>

#include "frame/convert.h"

enum { ALIGNMENT = 64 };

static int at_least_one(double value)
{
    return value < 1 ? 1 : (int)value;
}

vd_letterbox vd_letterbox_fit(int picture_width, int picture_height, const vd_feed *feed)
{
    vd_letterbox fit = {.scale_x = (double)feed->width / picture_width,
                        .scale_y = (double)feed->height / picture_height,
                        .width = feed->width,
                        .height = feed->height};
    if (feed->fit == VD_FEED_STRETCH)
        return fit;
    double scale = fmin(fit.scale_x, fit.scale_y);
    fit.scale_x = fit.scale_y = scale;
    fit.width = at_least_one(nearbyint(picture_width * scale)); /* to even at one half, as Python rounds */
    fit.height = at_least_one(nearbyint(picture_height * scale));
    if (feed->fit == VD_FEED_CENTRE) {
        fit.left = (int)nearbyint((feed->width - fit.width) / 2.0 - 0.1);
        fit.top = (int)nearbyint((feed->height - fit.height) / 2.0 - 0.1);
    }
    return fit;
}

static void fill(float *to, size_t count, float value)
{
    for (size_t i = 0; i < count; i++)
        to[i] = value;
}

/* The padding of one channel. */
static void fill_margins(float *channel, const vd_letterbox *box, const vd_feed *feed, float value)
{
    size_t width = (size_t)feed->width, left = (size_t)box->left, right = width - left - (size_t)box->width;
    int below_row = box->top + box->height;
    fill(channel, (size_t)box->top * width, value);
    fill(channel + (size_t)below_row * width, (size_t)(feed->height - below_row) * width, value);
    for (int y = box->top; y < below_row && left + right > 0; y++) {
        float *row = channel + (size_t)y * width;
        fill(row, left, value);
        fill(row + left + box->width, right, value);
    }
}

/* One row of BGRX to three rows of floats; mean and scale are those of blue, green and red. */
static void spread_row(const uint8_t *restrict from, int count, const float mean[3], const float scale[3],
                       float *restrict blue, float *restrict green, float *restrict red)
{
    const float blue_mean = mean[0], green_mean = mean[1], red_mean = mean[2];
    const float blue_scale = scale[0], green_scale = scale[1], red_scale = scale[2];
    for (int i = 0; i < count; i++) {
        blue[i] = ((float)from[4 * i] - blue_mean) * blue_scale;
        green[i] = ((float)from[4 * i + 1] - green_mean) * green_scale;
        red[i] = ((float)from[4 * i + 2] - red_mean) * red_scale;
    }
}

/* Weights of 14 bits, as OpenCV's cvtColor has them: they sum to one, so grey stays as it was. */
static void grey_row(const uint8_t *restrict from, int count, float mean, float scale, float *restrict grey)
{
    for (int i = 0; i < count; i++) {
        int value = (1868 * from[4 * i] + 9617 * from[4 * i + 1] + 4899 * from[4 * i + 2] + 8192) >> 14;
        grey[i] = ((float)value - mean) * scale;
    }
}

static void write_tensor(const vd_image *fitted, const vd_letterbox *box, const vd_feed *feed, float *tensor)
{
    bool reversed = feed->channels == VD_FEED_RGB; /* the pictures hold blue, green, red */
    int channels = feed->channels == VD_FEED_GREY ? 1 : 3;
    size_t plane = (size_t)feed->width * (size_t)feed->height;
    float mean[3], scale[3];
    for (int c = 0; c < channels; c++) {
        fill_margins(tensor + (size_t)c * plane, box, feed, (feed->pad - feed->mean[c]) * feed->scale[c]);
        mean[c] = feed->mean[reversed ? 2 - c : c];
        scale[c] = feed->scale[reversed ? 2 - c : c];
    }
    float *blue = reversed ? tensor + 2 * plane : tensor, *red = reversed ? tensor : tensor + 2 * plane;
    for (int y = 0; y < box->height; y++) {
        const uint8_t *from = fitted->planes[0] + (size_t)y * (size_t)fitted->strides[0];
        size_t at = (size_t)(box->top + y) * (size_t)feed->width + (size_t)box->left;
        if (channels == 1)
            grey_row(from, box->width, mean[0], scale[0], tensor + at);
        else
            spread_row(from, box->width, mean, scale, blue + at, tensor + plane + at, red + at);
    }
}

static int round_up(int bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

int vd_convert_feed(const vd_image *source, const vd_feed *feed, vd_scratch *scratch, float *ret_tensor,
                    vd_letterbox *ret_letterbox)
{
    if (vd_image_validate(source, NULL) || feed->width < 1 || feed->height < 1 ||
        feed->width > VD_IMAGE_MAX_SIDE || feed->height > VD_IMAGE_MAX_SIDE)
        return VD_EINVAL;
    vd_letterbox box = vd_letterbox_fit(source->width, source->height, feed);
    vd_image fitted = {.format = VD_PIXEL_BGRX, .width = box.width, .height = box.height};
    fitted.strides[0] = round_up(4 * box.width);
    /* The fitted picture stands at the end of the scratch, behind what scaling itself needs. */
    size_t fitted_bytes = (size_t)fitted.strides[0] * (size_t)box.height;
    size_t scaling = vd_convert_scale_bytes(source, box.width, box.height);
    scaling = (scaling + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!vd_scratch_ensure(scratch, scaling + fitted_bytes))
        return VD_ENOMEM;
    fitted.planes[0] = scratch->memory + scaling;
    int code = vd_convert_scale(source, VD_FILTER_LINEAR, scratch, &fitted);
    if (code)
        return code;
    write_tensor(&fitted, &box, feed, ret_tensor);
    *ret_letterbox = box;
    return VD_OK;
}
