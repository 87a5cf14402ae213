#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "check_main.h"
#include "frame/convert.h"
#include "seeded.h"

/* A picture whose planes are blocks of exactly the bytes they need, so that one too many is found. */
static vd_image make_image(vd_pixel_format format, int width, int height)
{
    static const int bytes[] = {[VD_PIXEL_BGRX] = 4, [VD_PIXEL_BGR] = 3, [VD_PIXEL_RGB] = 3};
    int half = (width + 1) / 2, rows = (height + 1) / 2;
    vd_image image = {.format = format, .width = width, .height = height};
    image.strides[0] = format < sizeof bytes / sizeof *bytes && bytes[format] ? bytes[format] * width : width;
    if (format == VD_PIXEL_I420)
        image.strides[1] = image.strides[2] = half;
    if (format == VD_PIXEL_NV12)
        image.strides[1] = 2 * half;
    for (int p = 0; p < 3; p++)
        if (image.strides[p])
            image.planes[p] = calloc((size_t)(p ? rows : height), (size_t)image.strides[p]);
    return image;
}

static void free_image(vd_image *image)
{
    for (int p = 0; p < 3; p++)
        free(image->planes[p]);
}

static void fill_plane(const vd_image *image, int plane, int value)
{
    int rows = plane ? (image->height + 1) / 2 : image->height;
    memset(image->planes[plane], value, (size_t)image->strides[plane] * (size_t)rows);
}

static void fill_random(const vd_image *image, uint64_t *seed)
{
    for (int p = 0; p < 3; p++) {
        int rows = p ? (image->height + 1) / 2 : image->height;
        for (int i = 0; image->planes[p] && i < rows * image->strides[p]; i++)
            image->planes[p][i] = (uint8_t)seeded_below(seed, 256);
    }
}

static int clamp(double value)
{
    return value < 0 ? 0 : value > 255 ? 255 : (int)lround(value);
}

static const struct {
    vd_yuv_color color;
    double red, blue; /* the weights of red and blue in brightness, by the recommendations */
    int full;
} matrices[] = {{VD_YUV_601_LIMITED, 0.299, 0.114, 0},    {VD_YUV_601_FULL, 0.299, 0.114, 1},
                {VD_YUV_709_LIMITED, 0.2126, 0.0722, 0},  {VD_YUV_709_FULL, 0.2126, 0.0722, 1},
                {VD_YUV_2020_LIMITED, 0.2627, 0.0593, 0}, {VD_YUV_2020_FULL, 0.2627, 0.0593, 1}};

/* YUV samples of a colour, and the colour of those samples, by the formulas of BT.601, BT.709 and BT.2020. */
static void to_yuv(int m, const int rgb[3], int yuv[3])
{
    double kr = matrices[m].red, kb = matrices[m].blue, range = matrices[m].full ? 255 : 219;
    double chroma = matrices[m].full ? 255 : 224, zero = matrices[m].full ? 0 : 16;
    double y = (kr * rgb[0] + (1 - kr - kb) * rgb[1] + kb * rgb[2]) / 255;
    yuv[0] = clamp(zero + range * y);
    yuv[1] = clamp(128 + chroma * (rgb[2] / 255.0 - y) / (2 * (1 - kb)));
    yuv[2] = clamp(128 + chroma * (rgb[0] / 255.0 - y) / (2 * (1 - kr)));
}

static void to_rgb(int m, const int yuv[3], int rgb[3])
{
    double kr = matrices[m].red, kb = matrices[m].blue, kg = 1 - kr - kb;
    double chroma = matrices[m].full ? 255 : 224;
    double y = matrices[m].full ? yuv[0] / 255.0 : (yuv[0] - 16) / 219.0;
    double pb = (yuv[1] - 128) / chroma, pr = (yuv[2] - 128) / chroma;
    double r = y + 2 * (1 - kr) * pr, b = y + 2 * (1 - kb) * pb;
    rgb[0] = clamp(255 * r);
    rgb[1] = clamp(255 * (y - kr / kg * (r - y) - kb / kg * (b - y)));
    rgb[2] = clamp(255 * b);
}

static void check_flat(const vd_image *image, const int rgb[3], int tolerance, const char *what)
{
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width; x++) {
            const uint8_t *pixel = image->planes[0] + y * image->strides[0] + 4 * x;
            if (abs(pixel[2] - rgb[0]) > tolerance || abs(pixel[1] - rgb[1]) > tolerance ||
                abs(pixel[0] - rgb[2]) > tolerance)
                ck_abort_msg("%s: (%d %d %d) at %d,%d instead of (%d %d %d)", what, pixel[2], pixel[1],
                             pixel[0], x, y, rgb[0], rgb[1], rgb[2]);
        }
}

static void check_colour(int m, vd_pixel_format format, const int yuv[3], const vd_image *target)
{
    char what[64];
    int rgb[3];
    vd_scratch scratch = {0};
    vd_image source = make_image(format, 16, 12);
    source.color = matrices[m].color;
    fill_plane(&source, 0, yuv[0]);
    if (format == VD_PIXEL_I420) {
        fill_plane(&source, 1, yuv[1]);
        fill_plane(&source, 2, yuv[2]);
    } else {
        for (int i = 0; i < 6 * 16; i++)
            source.planes[1][i] = (uint8_t)yuv[1 + i % 2];
    }
    to_rgb(m, yuv, rgb);
    snprintf(what, sizeof what, "matrix %d, format %d, YUV %d %d %d", m, (int)format, yuv[0], yuv[1], yuv[2]);
    ck_assert_int_eq(vd_convert_scale(&source, VD_FILTER_LINEAR, &scratch, target), VD_OK);
    check_flat(target, rgb, 2, what);
    vd_scratch_fini(&scratch);
    free_image(&source);
}

START_TEST(colours_follow_the_recommendations)
{
    static const int levels[] = {0, 64, 128, 192, 255};
    vd_image same = make_image(VD_PIXEL_BGRX, 16, 12), smaller = make_image(VD_PIXEL_BGRX, 7, 5);
    for (int i = 0; i < 125; i++) {
        int rgb[3] = {levels[i / 25], levels[i / 5 % 5], levels[i % 5]}, yuv[3];
        to_yuv(_i, rgb, yuv);
        check_colour(_i, VD_PIXEL_I420, yuv, &same);
        check_colour(_i, VD_PIXEL_I420, yuv, &smaller);
        check_colour(_i, VD_PIXEL_NV12, yuv, &same);
    }
    static const int outside[][3] = {
        {0, 128, 128}, {255, 128, 128}, {235, 255, 255}, {16, 0, 0}, {128, 255, 0}};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        check_colour(_i, VD_PIXEL_I420, outside[i], &same);
    free_image(&same);
    free_image(&smaller);
}
END_TEST

START_TEST(bgrx_becomes_601_for_the_encoder)
{
    static const int sizes[][2] = {{16, 12}, {1, 1}, {3, 5}, {33, 1}};
    for (size_t s = 0; s < 4; s++) {
        vd_image from = make_image(VD_PIXEL_BGRX, sizes[s][0], sizes[s][1]);
        vd_image to = make_image(VD_PIXEL_I420, sizes[s][0], sizes[s][1]);
        int rgb[3] = {200, 60, 30}, yuv[3];
        for (int i = 0; i < from.width * from.height; i++)
            memcpy(from.planes[0] + 4 * i, (uint8_t[]){30, 60, 200, 0}, 4);
        to_yuv(0, rgb, yuv);
        ck_assert_int_eq(vd_convert_to_i420(&from, &to), VD_OK);
        for (int p = 0; p < 3; p++)
            for (int i = 0; i < to.strides[p] * (p ? (to.height + 1) / 2 : to.height); i++)
                ck_assert_int_le(abs(to.planes[p][i] - yuv[p]), 1);
        ck_assert_int_eq(vd_convert_to_i420(&to, &from), VD_EINVAL);
        free_image(&from);
        free_image(&to);
    }
}
END_TEST

static const int odd_sizes[][2] = {{1, 1},  {1, 7},  {1, 300}, {7, 1},   {300, 1},   {2, 2},    {3, 3},
                                   {17, 5}, {5, 17}, {64, 64}, {65, 63}, {321, 241}, {320, 240}};
enum { ODD_SIZES = sizeof odd_sizes / sizeof *odd_sizes };
static const vd_pixel_format formats[] = {VD_PIXEL_BGRX, VD_PIXEL_I420, VD_PIXEL_BGR,
                                          VD_PIXEL_RGB,  VD_PIXEL_GREY, VD_PIXEL_NV12};

/* A flat picture and its colour; YUV as full range, so that every format can show the same. */
static vd_image make_flat(vd_pixel_format format, int width, int height, int rgb[3])
{
    vd_image image = make_image(format, width, height);
    int yuv[3], colour[3] = {220, 120, 40};
    image.color = VD_YUV_601_FULL;
    to_yuv(1, colour, yuv);
    to_rgb(1, yuv, rgb);
    if (format == VD_PIXEL_GREY)
        rgb[0] = rgb[1] = rgb[2] = yuv[0];
    const int values[][4] = {[VD_PIXEL_BGRX] = {rgb[2], rgb[1], rgb[0], 9},
                             [VD_PIXEL_I420] = {yuv[0], yuv[0], yuv[0], yuv[0]},
                             [VD_PIXEL_BGR] = {rgb[2], rgb[1], rgb[0], 0},
                             [VD_PIXEL_RGB] = {rgb[0], rgb[1], rgb[2], 0},
                             [VD_PIXEL_GREY] = {yuv[0], yuv[0], yuv[0], yuv[0]},
                             [VD_PIXEL_NV12] = {yuv[0], yuv[0], yuv[0], yuv[0]}};
    int step = format == VD_PIXEL_BGR || format == VD_PIXEL_RGB ? 3 : 4;
    for (int i = 0; i < image.strides[0] * height; i++)
        image.planes[0][i] = (uint8_t)values[format][i % step];
    if (format == VD_PIXEL_I420) {
        fill_plane(&image, 1, yuv[1]);
        fill_plane(&image, 2, yuv[2]);
    }
    for (int i = 0; format == VD_PIXEL_NV12 && i < image.strides[1] * ((height + 1) / 2); i++)
        image.planes[1][i] = (uint8_t)yuv[1 + i % 2];
    return image;
}

START_TEST(flat_pictures_stay_flat_at_every_size)
{
    vd_scratch scratch = {0};
    for (size_t f = 0; f < sizeof formats / sizeof *formats; f++)
        for (int to = 0; to < ODD_SIZES; to++)
            for (int filter = VD_FILTER_LINEAR; filter <= VD_FILTER_GOOD; filter++) {
                int rgb[3];
                char what[64];
                vd_image source = make_flat(formats[f], odd_sizes[_i][0], odd_sizes[_i][1], rgb);
                vd_image target = make_image(VD_PIXEL_BGRX, odd_sizes[to][0], odd_sizes[to][1]);
                snprintf(what, sizeof what, "format %d, size %d to %d", (int)formats[f], _i, to);
                ck_assert_int_eq(vd_convert_scale(&source, (vd_filter)filter, &scratch, &target), VD_OK);
                check_flat(&target, rgb, 2, what);
                free_image(&source);
                free_image(&target);
            }
    vd_scratch_fini(&scratch);
}
END_TEST

/* What most detectors want: grey margins around red, green and blue from 0 to 1. */
static vd_feed feed_of(int width, int height)
{
    const float scale = 1.0f / 255.0f;
    return (vd_feed){.width = width, .height = height, .pad = 114, .scale = {scale, scale, scale}};
}

static int letterbox(const vd_image *source, int width, int height, vd_scratch *scratch, float *tensor,
                     vd_letterbox *box)
{
    vd_feed feed = feed_of(width, height);
    return vd_convert_feed(source, &feed, scratch, tensor, box);
}

START_TEST(impossible_conversions_are_refused)
{
    vd_scratch scratch = {0};
    float tensor[3 * 4 * 4];
    vd_letterbox box;
    vd_image good = make_image(VD_PIXEL_BGRX, 4, 4), target = make_image(VD_PIXEL_BGRX, 4, 4), bad = good;
    bad.width = 0;
    ck_assert_int_eq(vd_convert_scale(&bad, VD_FILTER_LINEAR, &scratch, &target), VD_EINVAL);
    ck_assert_int_eq(vd_convert_scale(&good, VD_FILTER_LINEAR, &scratch, &bad), VD_EINVAL);
    ck_assert_int_eq(letterbox(&bad, 4, 4, &scratch, tensor, &box), VD_EINVAL);
    ck_assert_int_eq(letterbox(&good, 0, 4, &scratch, tensor, &box), VD_EINVAL);
    ck_assert_int_eq(letterbox(&good, 4, 2000000000, &scratch, tensor, &box), VD_EINVAL);
    ck_assert_int_eq(vd_convert_rotate(&good, 45, &target), VD_EINVAL);
    ck_assert_int_eq(vd_convert_rotate(&good, -90, &target), VD_EINVAL);
    ck_assert_int_eq(vd_convert_rotate(&good, 360, &target), VD_EINVAL);
    ck_assert_int_eq(vd_convert_rotate(&bad, 90, &target), VD_EINVAL);
    target.format = VD_PIXEL_I420;
    ck_assert_int_eq(vd_convert_scale(&good, VD_FILTER_LINEAR, &scratch, &target), VD_EINVAL);
    vd_scratch_fini(&scratch);
    free_image(&good);
    free_image(&target);
}
END_TEST

/* Rounds halves to the even neighbour, as Python 3 does. */
static int python_round(double value)
{
    double below = floor(value), rest = value - below;
    if (rest == 0.5)
        return (int)below + (fmod(below, 2) != 0);
    return (int)below + (rest > 0.5);
}

static void check_geometry(int iw, int ih, int w, int h)
{
    double s = (double)w / iw < (double)h / ih ? (double)w / iw : (double)h / ih;
    int nw = python_round(iw * s), nh = python_round(ih * s);
    nw = nw < 1 ? 1 : nw; /* where the reference fails on an empty picture */
    nh = nh < 1 ? 1 : nh;
    int x = python_round((w - nw) / 2.0 - 0.1), y = python_round((h - nh) / 2.0 - 0.1);
    vd_feed feed = feed_of(w, h);
    vd_letterbox fit = vd_letterbox_fit(iw, ih, &feed);
    if (fit.scale_x != s || fit.scale_y != s || fit.width != nw || fit.height != nh || fit.left != x ||
        fit.top != y)
        ck_abort_msg("%d × %d in %d × %d: %d × %d at %d,%d instead of %d × %d at %d,%d", iw, ih, w, h,
                     fit.width, fit.height, fit.left, fit.top, nw, nh, x, y);
    ck_assert(fit.left >= 0 && fit.top >= 0 && fit.left + fit.width <= w && fit.top + fit.height <= h);
    feed.fit = VD_FEED_TOP_LEFT;
    fit = vd_letterbox_fit(iw, ih, &feed);
    ck_assert(fit.scale_x == s && fit.scale_y == s && fit.width == nw && fit.height == nh);
    ck_assert(fit.left == 0 && fit.top == 0);
    feed.fit = VD_FEED_STRETCH;
    fit = vd_letterbox_fit(iw, ih, &feed);
    ck_assert(fit.scale_x == (double)w / iw && fit.scale_y == (double)h / ih && fit.left == 0 &&
              fit.top == 0);
    ck_assert(fit.width == w && fit.height == h);
}

START_TEST(letterboxes_lie_where_the_reference_puts_them)
{
    static const int inputs[][2] = {{320, 320}, {640, 640}, {416, 256}, {256, 416},
                                    {33, 31},   {1, 1},     {1280, 736}};
    uint64_t seed = 19;
    for (int i = 0; i < 7; i++) {
        for (int n = 0; n < 1500; n++)
            check_geometry(1 + (int)seeded_below(&seed, 4096), 1 + (int)seeded_below(&seed, 4096),
                           inputs[i][0], inputs[i][1]);
        for (int side = 1; side <= 700; side += 3)
            check_geometry(side, 701 - side, inputs[i][0], inputs[i][1]);
        check_geometry(1, VD_IMAGE_MAX_SIDE, inputs[i][0], inputs[i][1]);
        check_geometry(VD_IMAGE_MAX_SIDE, 1, inputs[i][0], inputs[i][1]);
        check_geometry(VD_IMAGE_MAX_SIDE, VD_IMAGE_MAX_SIDE, inputs[i][0], inputs[i][1]);
    }
}
END_TEST

static void check_tensor(const float *tensor, const vd_letterbox *box, int w, int h, const int rgb[3])
{
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                float value = tensor[(c * h + y) * w + x];
                int inside = x >= box->left && x < box->left + box->width && y >= box->top &&
                             y < box->top + box->height;
                if (inside ? fabsf(value * 255 - (float)rgb[c]) > 2.001f : fabsf(value * 255 - 114) > 1e-4f)
                    ck_abort_msg("channel %d, %d,%d: %g", c, x, y, (double)value * 255);
            }
}

START_TEST(tensors_are_planes_of_red_green_blue_with_grey_margins)
{
    static const int inputs[][2] = {{64, 64}, {96, 32}, {33, 47}, {1, 1}};
    vd_scratch scratch = {0};
    for (size_t f = 0; f < sizeof formats / sizeof *formats; f++)
        for (int i = 0; i < 4; i++) {
            int w = inputs[i][0], h = inputs[i][1], rgb[3];
            vd_letterbox box;
            vd_image source = make_flat(formats[f], odd_sizes[_i][0], odd_sizes[_i][1], rgb);
            float *tensor = malloc((size_t)(3 * w * h) * sizeof *tensor);
            ck_assert_int_eq(letterbox(&source, w, h, &scratch, tensor, &box), VD_OK);
            vd_feed feed = feed_of(w, h);
            vd_letterbox fit = vd_letterbox_fit(source.width, source.height, &feed);
            ck_assert(box.left == fit.left && box.top == fit.top && box.width == fit.width &&
                      box.height == fit.height && box.scale_x == fit.scale_x && box.scale_y == fit.scale_y);
            check_tensor(tensor, &box, w, h, rgb);
            free(tensor);
            free_image(&source);
        }
    vd_scratch_fini(&scratch);
}
END_TEST

START_TEST(a_tensor_holds_the_pixels_as_they_are)
{
    enum { SIDE = 48 };
    static float tensor[3 * SIDE * SIDE];
    uint64_t seed = 23;
    vd_scratch scratch = {0};
    vd_letterbox box;
    vd_image source = make_image(VD_PIXEL_BGR, SIDE, SIDE);
    fill_random(&source, &seed);
    ck_assert_int_eq(letterbox(&source, SIDE, SIDE, &scratch, tensor, &box), VD_OK);
    for (int i = 0; i < SIDE * SIDE; i++)
        for (int c = 0; c < 3; c++)
            if (fabs((double)tensor[c * SIDE * SIDE + i] - source.planes[0][3 * i + 2 - c] / 255.0) > 1e-7)
                ck_abort_msg("pixel %d, channel %d: %g", i, c, (double)tensor[c * SIDE * SIDE + i] * 255);
    free_image(&source);
    vd_scratch_fini(&scratch);
}
END_TEST

/* Each fit, order of channels, mean and scale, against the pixels of a picture of the input's own height and
 * half its width, so that scaling is either none or known. */
START_TEST(feeds_are_as_networks_were_trained)
{
    enum { W = 48, H = 32, PLANE = W * H };
    static const vd_feed feeds[] = {{W, H, VD_FEED_TOP_LEFT, VD_FEED_BGR, 114, {0, 0, 0}, {1, 1, 1}},
                                    {W,
                                     H,
                                     VD_FEED_CENTRE,
                                     VD_FEED_BGR,
                                     0,
                                     {103.53f, 116.28f, 123.675f},
                                     {0.017429f, 0.017507f, 0.017125f}},
                                    {W, H, VD_FEED_CENTRE, VD_FEED_RGB, 7, {1, 2, 3}, {0.1f, 0.2f, 0.3f}},
                                    {W, H, VD_FEED_TOP_LEFT, VD_FEED_GREY, 9, {10, 0, 0}, {0.5f, 0, 0}}};
    static float tensor[3 * PLANE];
    uint64_t seed = 29;
    vd_scratch scratch = {0};
    vd_image source = make_image(VD_PIXEL_BGR, W / 2, H);
    fill_random(&source, &seed);
    for (int f = 0; f < 4; f++) {
        const vd_feed *feed = &feeds[f];
        vd_letterbox box;
        int left = feed->fit == VD_FEED_CENTRE ? W / 4 : 0;
        ck_assert_int_eq(vd_convert_feed(&source, feed, &scratch, tensor, &box), VD_OK);
        ck_assert(box.left == left && box.top == 0 && box.width == W / 2 && box.height == H);
        for (int i = 0; i < (feed->channels == VD_FEED_GREY ? 1 : 3) * PLANE; i++) {
            int c = i / PLANE, y = i % PLANE / W, x = i % W - left;
            const uint8_t *pixel = source.planes[0] + y * source.strides[0] + 3 * x;
            double value = feed->pad, off = 1e-3;
            if (x >= 0 && x < W / 2 && feed->channels == VD_FEED_GREY) {
                value = 0.114 * pixel[0] + 0.587 * pixel[1] + 0.299 * pixel[2];
                off = 0.51 * 0.5;
            } else if (x >= 0 && x < W / 2) {
                value = pixel[feed->channels == VD_FEED_RGB ? 2 - c : c];
            }
            double wanted = (value - (double)feed->mean[c]) * (double)feed->scale[c];
            if (fabs((double)tensor[i] - wanted) > off)
                ck_abort_msg("feed %d, channel %d, %d,%d: %g, not %g", f, c, x, y, (double)tensor[i], wanted);
        }
    }
    free_image(&source);
    vd_scratch_fini(&scratch);
}
END_TEST

START_TEST(a_stretched_picture_fills_the_input)
{
    enum { SIDE = 33 };
    static float tensor[3 * SIDE * SIDE];
    vd_feed feed = feed_of(SIDE, SIDE);
    vd_scratch scratch = {0};
    vd_letterbox box;
    int rgb[3];
    vd_image source = make_flat(VD_PIXEL_RGB, odd_sizes[_i][0], odd_sizes[_i][1], rgb);
    feed.fit = VD_FEED_STRETCH;
    ck_assert_int_eq(vd_convert_feed(&source, &feed, &scratch, tensor, &box), VD_OK);
    ck_assert(box.left == 0 && box.top == 0 && box.width == SIDE && box.height == SIDE);
    check_tensor(tensor, &box, SIDE, SIDE, rgb);
    free_image(&source);
    vd_scratch_fini(&scratch);
}
END_TEST

/* Where a target's pixel lies in the source, with half-pixel centres and the border repeated. */
static void tap(int at, int from, int to, int *ret_low, int *ret_high, double *ret_part)
{
    double place = (at + 0.5) * from / to - 0.5;
    place = place < 0 ? 0 : place > from - 1 ? from - 1 : place;
    *ret_low = (int)place;
    *ret_high = *ret_low + 1 < from ? *ret_low + 1 : *ret_low;
    *ret_part = place - *ret_low;
}

static double naive_sample(const vd_image *source, int bytes, int channel, int x, int y,
                           const vd_image *target)
{
    int x0, x1, y0, y1;
    double fx, fy;
    tap(x, source->width, target->width, &x0, &x1, &fx);
    tap(y, source->height, target->height, &y0, &y1, &fy);
    const uint8_t *upper = source->planes[0] + y0 * source->strides[0] + channel;
    const uint8_t *lower = source->planes[0] + y1 * source->strides[0] + channel;
    return (upper[bytes * x0] * (1 - fx) + upper[bytes * x1] * fx) * (1 - fy) +
           (lower[bytes * x0] * (1 - fx) + lower[bytes * x1] * fx) * fy;
}

static const int scalings[][4] = {{768, 432, 320, 180}, {320, 240, 160, 120}, {320, 240, 80, 60},
                                  {480, 360, 160, 120}, {320, 240, 240, 180}, {320, 240, 120, 90},
                                  {166, 125, 160, 121}, {50, 40, 160, 128},   {100, 80, 200, 160},
                                  {321, 241, 107, 80},  {50, 40, 3, 2},       {213, 120, 160, 90}};
enum { SCALINGS = sizeof scalings / sizeof *scalings };

static double naive_mean(const vd_image *source, int x, int y, const vd_image *target)
{
    int w = source->width / target->width, h = source->height / target->height, sum = 0;
    for (int i = 0; i < w * h; i++)
        sum += source->planes[0][(y * h + i / w) * source->strides[0] + x * w + i % w];
    return (double)sum / (w * h);
}

enum comparison { TAPS, MEANS };

/* Random pixels, scaled and compared with the naive way; YUV without colour, so that brightness is the
 * result. */
static void check_scaling(vd_pixel_format format, vd_filter filter, const int s[4], enum comparison how,
                          double most)
{
    uint64_t seed = 29;
    vd_scratch scratch = {0};
    int bytes = format == VD_PIXEL_BGRX ? 4 : format == VD_PIXEL_BGR ? 3 : 1;
    double worst = 0, sum = 0;
    vd_image source = make_image(format, s[0], s[1]), target = make_image(VD_PIXEL_BGRX, s[2], s[3]);
    source.color = VD_YUV_601_FULL;
    fill_random(&source, &seed);
    for (int p = 1; p < 3 && source.planes[p]; p++)
        fill_plane(&source, p, 128);
    ck_assert_int_eq(vd_convert_scale(&source, filter, &scratch, &target), VD_OK);
    for (int y = 0; y < s[3]; y++)
        for (int x = 0; x < s[2]; x++)
            for (int c = 0; c < 3; c++) {
                double wanted = how == MEANS ? naive_mean(&source, x, y, &target)
                                             : naive_sample(&source, bytes, bytes > 1 ? c : 0, x, y, &target);
                double off = fabs(target.planes[0][y * target.strides[0] + 4 * x + c] - wanted);
                worst = off > worst ? off : worst;
                sum += off;
            }
    double mean = sum / (3.0 * s[2] * s[3]);
    if (worst > most || mean > most / 2)
        ck_abort_msg("format %d, %d × %d to %d × %d: %.2f levels off, %.2f in the mean", (int)format, s[0],
                     s[1], s[2], s[3], worst, mean);
    free_image(&source);
    free_image(&target);
    vd_scratch_fini(&scratch);
}

START_TEST(linear_scaling_is_that_of_half_pixel_centres)
{
    check_scaling(VD_PIXEL_BGRX, VD_FILTER_LINEAR, scalings[_i], TAPS, 1.3);
    check_scaling(VD_PIXEL_BGR, VD_FILTER_LINEAR, scalings[_i], TAPS, 1.3);
    check_scaling(VD_PIXEL_GREY, VD_FILTER_LINEAR, scalings[_i], TAPS, 1.3);
    check_scaling(VD_PIXEL_I420, VD_FILTER_LINEAR, scalings[_i], TAPS, 2);
    check_scaling(VD_PIXEL_NV12, VD_FILTER_LINEAR, scalings[_i], TAPS, 2);
}
END_TEST

START_TEST(for_eyes_pictures_shrink_to_means_and_enlarge_in_place)
{
    static const int shrunk[][4] = {{320, 240, 80, 60}, {320, 240, 64, 48}, {320, 240, 20, 15}};
    static const int enlarged[][4] = {{100, 80, 320, 256}, {161, 121, 320, 240}, {33, 17, 101, 55}};
    for (int i = 0; i < 3; i++) {
        check_scaling(VD_PIXEL_I420, VD_FILTER_GOOD, shrunk[i], MEANS, 3.1);
        check_scaling(VD_PIXEL_I420, VD_FILTER_GOOD, enlarged[i], TAPS, 2);
        check_scaling(VD_PIXEL_BGRX, VD_FILTER_GOOD, enlarged[i], TAPS, 1.3);
    }
}
END_TEST

/* Colour has its own samples: an edge between two colours must lie where it lies in brightness. */
START_TEST(colour_stays_with_brightness)
{
    static const int sizes[][2] = {{320, 240}, {100, 60}, {64, 64}, {101, 61}, {641, 479}};
    for (int i = 0; i < 10; i++) {
        vd_scratch scratch = {0};
        vd_image source = make_image(i / 5 ? VD_PIXEL_NV12 : VD_PIXEL_I420, 200, 120);
        vd_image target = make_image(VD_PIXEL_BGRX, sizes[i % 5][0], sizes[i % 5][1]);
        int pair = source.format == VD_PIXEL_NV12 ? 2 : 1;
        source.color = VD_YUV_601_FULL;
        fill_plane(&source, 0, 128);
        fill_plane(&source, 1, 128);
        if (pair == 1)
            fill_plane(&source, 2, 128);
        for (int y = 0; y < 60; y++) /* the left half is reddish, the right half bluish: V 188 and 68 */
            for (int x = 0; x < 100; x++)
                source.planes[pair == 2 ? 1 : 2][y * source.strides[1] + pair * x + pair - 1] =
                    x < 50 ? 188 : 68;
        for (int filter = VD_FILTER_LINEAR; filter <= VD_FILTER_GOOD; filter++) {
            ck_assert_int_eq(vd_convert_scale(&source, (vd_filter)filter, &scratch, &target), VD_OK);
            for (int x = 0; x < target.width; x++) {
                double from_edge = (x + 0.5) * 200 / target.width - 100;
                int red = target.planes[0][4 * x + 2], wanted = from_edge < 0 ? 212 : 44;
                if (fabs(from_edge) > 2.01 + 200.0 / target.width && abs(red - wanted) > 2)
                    ck_abort_msg("size %d, filter %d: red %d at %d", i, filter, red, x);
                if (fabs(from_edge) < 0.01 && abs(red - 128) > (filter == VD_FILTER_LINEAR ? 4 : 20))
                    ck_abort_msg("size %d, filter %d: red %d on the edge", i, filter, red);
            }
        }
        free_image(&source);
        free_image(&target);
        vd_scratch_fini(&scratch);
    }
}
END_TEST

/* The pixel that turning by `degrees` clockwise brings to x, y. */
static const uint8_t *naive_turn(const vd_image *source, int plane, int bytes, int degrees, int x, int y)
{
    int half = plane ? 2 : 1, w = (source->width + half - 1) / half, h = (source->height + half - 1) / half;
    int from_x = degrees == 90 ? y : degrees == 180 ? w - 1 - x : degrees == 270 ? w - 1 - y : x;
    int from_y = degrees == 90 ? h - 1 - x : degrees == 180 ? h - 1 - y : degrees == 270 ? x : y;
    return source->planes[plane] + from_y * source->strides[plane] + bytes * from_x;
}

static void check_turn(vd_pixel_format format, int width, int height, int degrees)
{
    uint64_t seed = 31;
    int turned = degrees % 180 != 0, bytes = format == VD_PIXEL_BGRX ? 4 : 1;
    vd_image from = make_image(format, width, height);
    vd_image to = make_image(format, turned ? height : width, turned ? width : height);
    fill_random(&from, &seed);
    ck_assert_int_eq(vd_convert_rotate(&from, degrees, &to), VD_OK);
    for (int p = 0; p < (bytes == 4 ? 1 : 3); p++)
        for (int y = 0; y < (p ? (to.height + 1) / 2 : to.height); y++)
            for (int x = 0; x < (p ? (to.width + 1) / 2 : to.width); x++)
                if (memcmp(to.planes[p] + y * to.strides[p] + bytes * x,
                           naive_turn(&from, p, bytes, degrees, x, y), (size_t)bytes) != 0)
                    ck_abort_msg("format %d, %d × %d by %d: plane %d differs at %d,%d", (int)format, width,
                                 height, degrees, p, x, y);
    if (turned && width != height)
        ck_assert_int_eq(vd_convert_rotate(&from, 180, &to), VD_EINVAL);
    free_image(&from);
    free_image(&to);
}

START_TEST(pictures_are_turned_pixel_by_pixel)
{
    for (int degrees = 0; degrees < 360; degrees += 90) {
        check_turn(VD_PIXEL_BGRX, odd_sizes[_i][0], odd_sizes[_i][1], degrees);
        check_turn(VD_PIXEL_I420, odd_sizes[_i][0], odd_sizes[_i][1], degrees);
    }
}
END_TEST

#if defined __OPTIMIZE__ && !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
enum { MOST_US = 400 };
#else
enum { MOST_US = 1000000 }; /* without optimisation the time says nothing */
#endif

/* Of this thread, so that what else the machine does counts little. */
static int64_t own_time_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * VD_NS_PER_S + now.tv_nsec;
}

START_TEST(a_letterbox_takes_little_time)
{
    enum { SIDE = 320, TURNS = 40 };
    static float tensor[3 * SIDE * SIDE];
    uint64_t seed = 37;
    int64_t best = INT64_MAX;
    vd_scratch scratch = {0};
    vd_letterbox box;
    vd_image source = make_image(VD_PIXEL_I420, 768, 432);
    fill_random(&source, &seed);
    for (int i = 0; i < TURNS; i++) {
        int64_t began = own_time_ns();
        ck_assert_int_eq(letterbox(&source, SIDE, SIDE, &scratch, tensor, &box), VD_OK);
        int64_t took = own_time_ns() - began;
        best = took < best ? took : best;
    }
    printf("letterbox 768 × 432 to %d × %d: %.3f ms\n", SIDE, SIDE, (double)best / 1e6);
    ck_assert_int_lt(best, MOST_US * VD_NS_PER_US);
    free_image(&source);
    vd_scratch_fini(&scratch);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("convert");
    TCase *colours = tcase_create("colours");
    tcase_set_timeout(colours, 60);
    tcase_add_loop_test(colours, colours_follow_the_recommendations, 0, 6);
    tcase_add_test(colours, bgrx_becomes_601_for_the_encoder);
    tcase_add_loop_test(colours, flat_pictures_stay_flat_at_every_size, 0, ODD_SIZES);
    tcase_add_test(colours, impossible_conversions_are_refused);
    suite_add_tcase(suite, colours);
    TCase *tensors = tcase_create("letterbox");
    tcase_set_timeout(tensors, 60);
    tcase_add_test(tensors, letterboxes_lie_where_the_reference_puts_them);
    tcase_add_loop_test(tensors, tensors_are_planes_of_red_green_blue_with_grey_margins, 0, ODD_SIZES);
    tcase_add_test(tensors, a_tensor_holds_the_pixels_as_they_are);
    tcase_add_test(tensors, feeds_are_as_networks_were_trained);
    tcase_add_loop_test(tensors, a_stretched_picture_fills_the_input, 0, ODD_SIZES);
    tcase_add_test(tensors, a_letterbox_takes_little_time);
    suite_add_tcase(suite, tensors);
    TCase *shapes = tcase_create("shapes");
    tcase_set_timeout(shapes, 60);
    tcase_add_loop_test(shapes, linear_scaling_is_that_of_half_pixel_centres, 0, SCALINGS);
    tcase_add_test(shapes, for_eyes_pictures_shrink_to_means_and_enlarge_in_place);
    tcase_add_test(shapes, colour_stays_with_brightness);
    tcase_add_loop_test(shapes, pictures_are_turned_pixel_by_pixel, 0, ODD_SIZES);
    suite_add_tcase(suite, shapes);
    return suite;
}

TEST_MAIN(make_suite)
