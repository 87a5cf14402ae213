/* Encoded pictures: what is taken, what is refused and with which words, and that nothing of a stranger's
 * bytes is believed. */
#include "vedette/app/picture.h"

#include <dirent.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <libavcodec/avcodec.h>

#include "base/clock.h"
#include "base/thread.h"
#include "check_main.h"
#include "frame/convert.h"
#include "fuzz/entry.h"
#include "picture_bytes.h"
#include "picture_case.h"
#include "seeded.h"

enum { WIDTH = 48, HEIGHT = 32 };

static const vd_picture_limits limits = {.bytes = 4000000, .pixels = 25000000};

/* --- PNG of every kind */

/* The quarters of the test picture. */
static const uint8_t colors[4][3] = {{200, 40, 40}, {40, 170, 60}, {50, 60, 200}, {150, 150, 150}};

static int quarter(int x, int y)
{
    return (x >= WIDTH / 2) + 2 * (y >= HEIGHT / 2);
}

/* Kinds of the recommendation: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha. */
static void put_pixel(struct bytes *raw, int kind, int depth, const uint8_t color[3], int number)
{
    const uint8_t alpha = 40, index = (uint8_t)number;
    int samples = kind == 2 || kind == 6 ? 3 : 1;
    for (int i = 0; i < samples; i++)
        for (int n = 0; n < depth / 8; n++)
            put(raw, kind == 3 ? &index : &color[i], 1);
    for (int n = 0; n < depth / 8 && kind >= 4; n++)
        put(raw, &alpha, 1);
}

static struct bytes make_png(int kind, int depth, int rows)
{
    struct bytes raw = {0}, png = {0};
    for (int y = 0; y < rows; y++) {
        put(&raw, "", 1);
        for (int x = 0; x < WIDTH; x++)
            put_pixel(&raw, kind, depth, colors[quarter(x, y)], quarter(x, y));
    }
    struct bytes data = deflate_stored(raw.at, raw.size);
    begin_png(&png, WIDTH, HEIGHT, depth, kind);
    if (kind == 3)
        put_chunk(&png, "PLTE", colors, sizeof colors);
    put_chunk(&png, "IDAT", data.at, data.size / 2);
    put_chunk(&png, "IDAT", data.at + data.size / 2, data.size - data.size / 2);
    put_chunk(&png, "IEND", NULL, 0);
    free(raw.at);
    free(data.at);
    return png;
}

/* --- JPEG, by libav's encoder */

static struct bytes make_jpeg(enum AVPixelFormat format, int width, int height)
{
    struct bytes jpeg = {0};
    AVCodecContext *context = avcodec_alloc_context3(avcodec_find_encoder(AV_CODEC_ID_MJPEG));
    AVFrame *frame = av_frame_alloc();
    AVPacket *packet = av_packet_alloc();
    context->pix_fmt = format;
    context->color_range = AVCOL_RANGE_JPEG;
    context->width = frame->width = width;
    context->height = frame->height = height;
    context->time_base = (AVRational){1, 25};
    frame->format = format;
    ck_assert_int_ge(avcodec_open2(context, NULL, NULL), 0);
    ck_assert_int_ge(av_frame_get_buffer(frame, 0), 0);
    for (int i = 0; i < 3; i++)
        for (int y = 0; y < (i > 0 && format == AV_PIX_FMT_YUVJ420P ? (height + 1) / 2 : height); y++)
            memset(frame->data[i] + y * frame->linesize[i], 60 + 40 * i, (size_t)frame->linesize[i]);
    ck_assert_int_ge(avcodec_send_frame(context, frame), 0);
    ck_assert_int_ge(avcodec_receive_packet(context, packet), 0);
    put(&jpeg, packet->data, (size_t)packet->size);
    av_packet_free(&packet);
    av_frame_free(&frame);
    avcodec_free_context(&context);
    return jpeg;
}

/* --- Decoding */

static int decode(const void *from, size_t size, vd_picture **ret_picture, vd_error *error)
{
    vd_picture_decoder *decoder = NULL;
    void *copy = malloc(size + (size == 0)); /* as long as it is, so that reading beyond is seen */
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, from, size);
    ck_assert_int_eq(vd_picture_decoder_new(&decoder), VD_OK);
    int code = vd_picture_decode(decoder, copy, size, &limits, ret_picture, error);
    vd_picture_decoder_free(&decoder);
    free(copy);
    return code;
}

static vd_picture *must_decode(const void *from, size_t size)
{
    vd_picture *picture = NULL;
    vd_error error = {0};
    ck_assert_msg(decode(from, size, &picture, &error) == VD_OK, "%s", error.text);
    ck_assert_int_eq(vd_image_validate(vd_picture_get_image(picture), NULL), VD_OK);
    return picture;
}

static void expect_refusal(const void *from, size_t size, int code, const char *sentence)
{
    vd_picture *picture = NULL;
    vd_error error = {0};
    ck_assert_int_eq(decode(from, size, &picture, &error), code);
    ck_assert_str_eq(error.text, sentence);
    ck_assert_ptr_null(picture);
}

/* Red, green, blue of a place, as a detector would see it. */
static void look_at(const vd_image *image, int x, int y, int ret_color[3])
{
    vd_scratch scratch = {0};
    uint8_t *pixels = malloc((size_t)image->width * (size_t)image->height * 4);
    vd_image target = {.format = VD_PIXEL_BGRX,
                       .width = image->width,
                       .height = image->height,
                       .planes = {pixels},
                       .strides = {4 * image->width}};
    ck_assert_int_eq(vd_convert_scale(image, VD_FILTER_LINEAR, &scratch, &target), VD_OK);
    for (int i = 0; i < 3; i++)
        ret_color[i] = pixels[4 * (y * image->width + x) + 2 - i];
    vd_scratch_fini(&scratch);
    free(pixels);
}

static void expect_quarters(const vd_picture *picture, bool is_grey, int tolerance)
{
    const vd_image *image = vd_picture_get_image(picture);
    ck_assert_int_eq(image->width, WIDTH);
    ck_assert_int_eq(image->height, HEIGHT);
    for (int q = 0; q < 4; q++) {
        int x = WIDTH / 4 + q % 2 * WIDTH / 2, y = HEIGHT / 4 + q / 2 * HEIGHT / 2, seen[3];
        look_at(image, x, y, seen);
        for (int i = 0; i < 3; i++)
            ck_assert_msg(abs(seen[i] - colors[q][is_grey ? 0 : i]) <= tolerance,
                          "quarter %d is %d %d %d, not %d %d %d", q, seen[0], seen[1], seen[2], colors[q][0],
                          colors[q][1], colors[q][2]);
    }
}

static const struct {
    const char *format;
    const uint8_t *at;
    size_t size;
    int tolerance;
} samples[] = {{"jpeg", baseline_jpeg, sizeof baseline_jpeg, 12},
               {"jpeg", progressive_jpeg, sizeof progressive_jpeg, 12},
               {"jpeg", cmyk_jpeg, sizeof cmyk_jpeg, 12},
               {"webp", lossy_webp, sizeof lossy_webp, 12},
               {"webp", lossless_webp, sizeof lossless_webp, 1},
               {"webp", alpha_webp, sizeof alpha_webp, 12},
               {"webp", animated_webp, sizeof animated_webp, 12},
               {"png", animated_png, sizeof animated_png, 1}};
enum { SAMPLES = sizeof samples / sizeof *samples };

START_TEST(samples_are_seen_as_they_are)
{
    vd_picture_info info;
    ck_assert_int_eq(vd_picture_probe(samples[_i].at, samples[_i].size, &limits, &info, NULL), VD_OK);
    ck_assert_str_eq(info.format, samples[_i].format);
    ck_assert_int_eq(info.width, WIDTH);
    ck_assert_int_eq(info.height, HEIGHT);
    vd_picture *picture = must_decode(samples[_i].at, samples[_i].size);
    expect_quarters(picture, false, samples[_i].tolerance);
    vd_picture_free(&picture);
    ck_assert_ptr_null(picture);
}
END_TEST

START_TEST(png_of_every_kind)
{
    static const int kinds[][2] = {{0, 8},  {2, 8},  {3, 8},  {4, 8}, {6, 8},
                                   {0, 16}, {2, 16}, {4, 16}, {6, 16}};
    struct bytes png = make_png(kinds[_i][0], kinds[_i][1], HEIGHT);
    vd_picture *picture = must_decode(png.at, png.size);
    expect_quarters(picture, kinds[_i][0] % 4 == 0, 2);
    vd_picture_free(&picture);
    free(png.at);
}
END_TEST

START_TEST(jpeg_of_every_kind_and_size)
{
    static const enum AVPixelFormat formats[] = {AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUVJ422P,
                                                 AV_PIX_FMT_YUVJ444P};
    static const int sizes[][2] = {{16, 16}, {17, 13}, {1, 1}, {2, 31}, {640, 480}};
    for (size_t i = 0; i < 15; i++) {
        const int *size = sizes[i / 3];
        struct bytes jpeg = make_jpeg(formats[i % 3], size[0], size[1]);
        vd_picture *picture = must_decode(jpeg.at, jpeg.size);
        const vd_image *image = vd_picture_get_image(picture);
        ck_assert_int_eq(image->width, size[0]);
        ck_assert_int_eq(image->height, size[1]);
        ck_assert_int_eq(image->format, VD_PIXEL_I420);
        ck_assert_int_eq(image->color, VD_YUV_601_FULL);
        for (int p = 0; p < 3; p++)
            ck_assert_int_le(abs(image->planes[p][0] - (60 + 40 * p)), 2);
        vd_picture_free(&picture);
        free(jpeg.at);
    }
}
END_TEST

/* --- Limits */

START_TEST(too_many_pixels_are_refused_before_memory_is_taken)
{
    struct bytes png = {0};
    begin_png(&png, 65535, 65535, 8, 6);
    vd_picture_info info;
    vd_error error = {0};
    struct mallinfo2 before = mallinfo2();
    int code = vd_picture_probe(png.at, png.size, &limits, &info, &error);
    struct mallinfo2 after = mallinfo2();
    ck_assert_int_eq(code, VD_EINVAL);
    ck_assert_uint_eq(after.uordblks + after.hblkhd, before.uordblks + before.hblkhd);
    ck_assert_str_eq(error.text, "The picture has 65535 × 65535 pixels; at most 25 megapixels are taken.");
    expect_refusal(png.at, png.size, VD_EINVAL, error.text);
    free(png.at);
}
END_TEST

START_TEST(limits_are_exact)
{
    struct bytes png = make_png(2, 8, HEIGHT);
    vd_picture_limits tight = {.bytes = (int64_t)png.size, .pixels = WIDTH * HEIGHT};
    vd_picture_info info;
    vd_error error = {0};
    ck_assert_int_eq(vd_picture_probe(png.at, png.size, &tight, &info, NULL), VD_OK);
    tight.pixels--;
    ck_assert_int_eq(vd_picture_probe(png.at, png.size, &tight, &info, &error), VD_EINVAL);
    ck_assert_str_eq(error.text, "The picture has 48 × 32 pixels; at most 1535 pixels are taken.");
    tight.bytes = 1000;
    ck_assert_int_eq(vd_picture_probe(png.at, png.size, &tight, &info, &error), VD_EINVAL);
    ck_assert_msg(strstr(error.text, "bytes; at most 1000 are taken."), "%s", error.text);
    png.size = 0;
    begin_png(&png, VD_IMAGE_MAX_SIDE + 1, 2, 8, 2);
    expect_refusal(png.at, png.size, VD_EINVAL,
                   "The picture has 16385 × 2 pixels; no side may be longer than 16384.");
    free(png.at);
}
END_TEST

START_TEST(what_is_none_is_named)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *sentence;
    } cases[] = {
        {"", 0, "There is no picture, not one byte; JPEG, PNG and WebP are taken."},
        {"GIF89a......", 12, "This is a GIF picture; JPEG, PNG and WebP are taken."},
        {"\0\0\0\x1c"
         "ftypavif",
         12, "This is an AVIF picture; JPEG, PNG and WebP are taken."},
        {"/9j/4AAQSkZJRg", 14, "This is base64 text and no picture; JPEG, PNG and WebP are taken."},
        {"data:image/jpeg", 15,
         "This is the text of a data URL and no picture; JPEG, PNG and WebP are taken."},
        {"{\"type\":\"frame\"}", 16, "This is JSON and no picture; JPEG, PNG and WebP are taken."},
        {"hello, world", 12, "These bytes are no picture that is known here; JPEG, PNG and WebP are taken."},
        {"\xff\xd8\xff", 3, "The JPEG picture is cut short."},
        {"\xff\xd8\xff\xd9", 4, "The JPEG picture has no header that says its size."},
        {"\xff\xd8\xff\xc9\0\x0b\x08\0\x10\0\x10\1\1\x11\0", 15,
         "The JPEG picture is of a rare kind (lossless, arithmetic or not of 8 bits); save it as baseline or "
         "progressive JPEG."},
        {"\xff\xd8\xff\xc0\0\x0b\x08\0\0\0\x10\1\1\x11\0", 15, "The JPEG picture does not say its size."},
        {"\x89PNG\r\n\x1a\n", 8, "The PNG picture is cut short."},
        {"RIFF\x10\0\0\0WEBP", 12, "The WebP picture is cut short."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_refusal(cases[i].bytes, cases[i].size, VD_EFORMAT, cases[i].sentence);
}
END_TEST

/* --- Broken */

START_TEST(every_cut_is_an_error)
{
    for (size_t size = 0; size < samples[_i].size; size++) {
        vd_picture *picture = NULL;
        vd_error error = {0};
        int code = decode(samples[_i].at, size, &picture, &error);
        ck_assert_msg(code == VD_EFORMAT && !picture, "%zu of %zu bytes: code %d", size, samples[_i].size,
                      code);
        ck_assert_str_ne(error.text, "");
    }
}
END_TEST

START_TEST(png_without_all_its_rows)
{
    static const int kinds[] = {0, 2, 3, 4, 6};
    for (int i = 0; i < 10; i++) {
        struct bytes png = make_png(kinds[i % 5], 8, i < 5 ? HEIGHT - 1 : HEIGHT / 2);
        expect_refusal(png.at, png.size, VD_EFORMAT, "The PNG picture is cut short.");
        free(png.at);
    }
}
END_TEST

/* Rows of one value are rows. */
START_TEST(png_of_one_value)
{
    for (int value = 0; value < 256; value++) {
        const uint8_t pixels[] = {(uint8_t)value, (uint8_t)value};
        struct bytes png = make_grey_png(pixels, 2, 1);
        vd_picture *picture = must_decode(png.at, png.size);
        ck_assert_int_eq(vd_picture_get_image(picture)->format, VD_PIXEL_GREY);
        ck_assert_int_eq(vd_picture_get_image(picture)->planes[0][1], value);
        vd_picture_free(&picture);
        free(png.at);
    }
}
END_TEST

START_TEST(a_wrong_check_sum_is_an_error)
{
    struct bytes png = make_png(2, 8, HEIGHT);
    png.at[png.size / 2] ^= 1;
    expect_refusal(png.at, png.size, VD_EFORMAT, "The PNG picture is broken.");
    free(png.at);
}
END_TEST

START_TEST(changed_bytes_do_no_harm)
{
    uint64_t chance = 11 + (uint64_t)_i;
    uint8_t bytes[1024];
    int good = 0;
    for (int n = 0; n < 400; n++) {
        size_t size = samples[_i].size;
        vd_picture *picture = NULL;
        vd_error error = {0};
        memcpy(bytes, samples[_i].at, size);
        for (uint32_t k = 0, count = 1 + seeded_below(&chance, 4); k < count; k++)
            bytes[seeded_below(&chance, (uint32_t)size)] = (uint8_t)seeded_below(&chance, 256);
        int code = decode(bytes, size, &picture, &error);
        ck_assert(code == VD_OK || ((code == VD_EFORMAT || code == VD_EINVAL) && error.text[0]));
        if (code == VD_OK)
            ck_assert_int_eq(vd_image_validate(vd_picture_get_image(picture), NULL), VD_OK);
        good += code == VD_OK;
        vd_picture_free(&picture);
    }
    ck_assert_int_lt(good, 400);
}
END_TEST

/* Where a marker's segment is, behind the marker. */
static uint8_t *find_segment(struct bytes *jpeg, uint8_t marker)
{
    for (size_t i = 2; i + 4 < jpeg->size; i += 2 + ((size_t)jpeg->at[i + 2] << 8 | jpeg->at[i + 3]))
        if (jpeg->at[i + 1] == marker)
            return jpeg->at + i + 2;
    ck_abort_msg("no marker %02x", marker);
}

static struct bytes with_segment_twice(uint8_t marker, int more, bool with_data)
{
    struct bytes jpeg = {0}, twice = {0};
    put(&jpeg, baseline_jpeg, sizeof baseline_jpeg);
    const uint8_t *segment = find_segment(&jpeg, marker), *end = jpeg.at + jpeg.size - 2;
    size_t size = with_data ? (size_t)(end - segment) : (size_t)(segment[0] << 8 | segment[1]);
    put(&twice, jpeg.at, (size_t)(segment - jpeg.at) + size);
    for (int i = 0; i < more; i++) {
        put(&twice, segment - 2, 2);
        put(&twice, segment, size);
    }
    put(&twice, segment + size, (size_t)(jpeg.at + jpeg.size - segment) - size);
    free(jpeg.at);
    return twice;
}

START_TEST(jpeg_whose_parts_contradict)
{
    struct bytes jpeg = with_segment_twice(0xc0, 1, false);
    expect_refusal(jpeg.at, jpeg.size, VD_EFORMAT,
                   "The JPEG picture has a broken header, or too many scans.");
    free(jpeg.at);
    jpeg = with_segment_twice(0xda, 70, true);
    expect_refusal(jpeg.at, jpeg.size, VD_EFORMAT,
                   "The JPEG picture has a broken header, or too many scans.");
    free(jpeg.at);

    jpeg = (struct bytes){0};
    put(&jpeg, baseline_jpeg, sizeof baseline_jpeg);
    uint8_t *scan = find_segment(&jpeg, 0xda);
    scan[5] = scan[7] = scan[3]; /* all three are the first component */
    expect_refusal(jpeg.at, jpeg.size, VD_EFORMAT, "The JPEG picture lacks tables or a part of its colours.");
    memcpy(jpeg.at, baseline_jpeg, sizeof baseline_jpeg);
    for (size_t i = 0; i + 1 < sizeof baseline_jpeg; i++)
        if (jpeg.at[i] == 0xff && jpeg.at[i + 1] == 0xdb)
            jpeg.at[i + 1] = 0xfe; /* tables become remarks */
    expect_refusal(jpeg.at, jpeg.size, VD_EFORMAT, "The JPEG picture lacks tables or a part of its colours.");
    free(jpeg.at);
}
END_TEST

START_TEST(webp_whose_parts_contradict)
{
    uint8_t bytes[sizeof animated_webp];
    memcpy(bytes, alpha_webp, sizeof alpha_webp);
    bytes[24]++; /* the canvas is wider than what is on it */
    expect_refusal(bytes, sizeof alpha_webp, VD_EFORMAT, "The WebP picture says two sizes, or none.");
    memcpy(bytes, animated_webp, sizeof animated_webp);
    uint8_t *first = memmem(bytes, sizeof bytes, "ANMF", 4);
    ck_assert_ptr_nonnull(first);
    first[8] = 1; /* it lies beside the canvas */
    expect_refusal(bytes, sizeof bytes, VD_EFORMAT,
                   "The WebP picture begins with less than a whole picture; send a still one.");
}
END_TEST

/* --- Costs */

/* A compressed text of 400 MB in 2.5 MB: matches of 258 bytes, 13 bits each, in one block with fixed codes
 * (RFC 1951 3.2.6: length 258 is 11000101, distance 1 is 00000). */
static struct bytes make_bomb(void)
{
    struct bytes text = {0};
    uint64_t bits = 0;
    int count = 0;
    const struct {
        uint32_t code;
        int size;
    } zero = {0x0c, 8}, match = {0xa3, 13};
    put(&text, "Comment\0\0\x78\x01", 11);
    bits = 1 | 1 << 1; /* the last block, fixed codes */
    count = 3;
    for (int i = 0; i < 1550000; i++) {
        bits |= (uint64_t)(i == 0 ? zero.code : match.code) << count;
        count += i == 0 ? zero.size : match.size;
        for (; count >= 8; count -= 8, bits >>= 8)
            put(&text, &(uint8_t){(uint8_t)bits}, 1);
    }
    put(&text, "\0\0\0\0\0\0\0\0", 8);
    return text;
}

START_TEST(a_bomb_does_not_go_off)
{
    struct bytes bomb = make_bomb(), plain = make_png(2, 8, HEIGHT), png = {0};
    struct rusage before, after;
    put(&png, plain.at, 33);
    put_chunk(&png, "zTXt", bomb.at, bomb.size);
    put_chunk(&png, "iCCP", bomb.at, bomb.size / 4);
    put(&png, plain.at + 33, plain.size - 33);
    getrusage(RUSAGE_SELF, &before);
    vd_picture *picture = must_decode(png.at, png.size);
    getrusage(RUSAGE_SELF, &after);
    expect_quarters(picture, false, 2);
    ck_assert_int_lt(after.ru_maxrss - before.ru_maxrss, 40000);
    vd_picture_free(&picture);
    free(png.at);
    free(plain.at);
    free(bomb.at);
}
END_TEST

START_TEST(memory_that_runs_out)
{
    struct bytes jpeg = make_jpeg(AV_PIX_FMT_YUVJ444P, 640, 480);
    vd_picture *picture = NULL;
    vd_error error = {0};
    int failed = 0;
    for (size_t most = 20000; most < 3000000; most *= 2) {
        av_max_alloc(most);
        int code = decode(jpeg.at, jpeg.size, &picture, &error);
        av_max_alloc(INT32_MAX);
        ck_assert_msg(code == VD_OK || code == VD_ENOMEM, "%d %s", code, error.text);
        ck_assert(code == VD_OK || (!picture && error.text[0]));
        failed += code == VD_ENOMEM;
        vd_picture_free(&picture);
    }
    ck_assert_int_ge(failed, 3);
    free(jpeg.at);
}
END_TEST

/* --- Decoders */

START_TEST(a_picture_outlives_its_decoder_and_those_after_it)
{
    vd_picture_decoder *decoder = NULL;
    vd_picture *pictures[SAMPLES] = {0}, *broken = NULL;
    ck_assert_int_eq(vd_picture_decoder_new(&decoder), VD_OK);
    for (int i = 0; i < SAMPLES; i++) {
        ck_assert_int_eq(
            vd_picture_decode(decoder, samples[i].at, samples[i].size, &limits, &pictures[i], NULL), VD_OK);
        ck_assert_int_eq(
            vd_picture_decode(decoder, samples[i].at, samples[i].size / 2, &limits, &broken, NULL),
            VD_EFORMAT);
    }
    vd_picture_decoder_free(&decoder);
    vd_picture_decoder_free(&decoder);
    for (int i = 0; i < SAMPLES; i++) {
        expect_quarters(pictures[i], false, samples[i].tolerance);
        vd_picture_free(&pictures[i]);
    }
    vd_picture_free(&pictures[0]);
}
END_TEST

static atomic_int wrong;

static void decode_often(void *context)
{
    vd_picture_decoder *decoder = NULL;
    (void)context;
    wrong += vd_picture_decoder_new(&decoder) != VD_OK;
    for (int i = 0; i < 100 && decoder; i++) {
        vd_picture *picture = NULL;
        int n = i % SAMPLES;
        wrong += vd_picture_decode(decoder, samples[n].at, samples[n].size, &limits, &picture, NULL) != VD_OK;
        vd_picture_free(&picture);
    }
    vd_picture_decoder_free(&decoder);
}

START_TEST(decoders_on_threads_of_their_own)
{
    vd_thread threads[4] = {0};
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(vd_thread_start(&threads[i], "decoder", decode_often, NULL), VD_OK);
    for (int i = 0; i < 4; i++)
        vd_thread_join(&threads[i]);
    ck_assert_int_eq(wrong, 0);
}
END_TEST

/* What the fuzzer starts from and what it found, through its own entry. */
START_TEST(findings_of_the_fuzzer)
{
    static const char folder[] = "tests/fuzz/findings/picture";
    struct dirent **files;
    int count = scandir(folder, &files, NULL, alphasort);
    ck_assert_int_gt(count, 2 + SAMPLES);
    for (int i = 0; i < count; i++) {
        static uint8_t bytes[1 << 17];
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, files[i]->d_name);
        FILE *file = files[i]->d_name[0] == '.' ? NULL : fopen(path, "rb");
        if (file) {
            vd_fuzz_picture(bytes, fread(bytes, 1, sizeof bytes, file));
            fclose(file);
        }
        free(files[i]);
    }
    free(files);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("picture");
    TCase *kinds = tcase_create("kinds"), *refusals = tcase_create("refusals");
    TCase *costs = tcase_create("costs"), *decoders = tcase_create("decoders");
    tcase_add_loop_test(kinds, samples_are_seen_as_they_are, 0, SAMPLES);
    tcase_add_loop_test(kinds, png_of_every_kind, 0, 9);
    tcase_add_test(kinds, jpeg_of_every_kind_and_size);
    tcase_add_test(kinds, png_of_one_value);
    tcase_add_test(refusals, too_many_pixels_are_refused_before_memory_is_taken);
    tcase_add_test(refusals, limits_are_exact);
    tcase_add_test(refusals, what_is_none_is_named);
    tcase_add_loop_test(refusals, every_cut_is_an_error, 0, SAMPLES);
    tcase_add_test(refusals, png_without_all_its_rows);
    tcase_add_test(refusals, a_wrong_check_sum_is_an_error);
    tcase_add_loop_test(refusals, changed_bytes_do_no_harm, 0, SAMPLES);
    tcase_add_test(refusals, jpeg_whose_parts_contradict);
    tcase_add_test(refusals, webp_whose_parts_contradict);
    tcase_add_test(refusals, findings_of_the_fuzzer);
    tcase_add_test(costs, a_bomb_does_not_go_off);
    tcase_add_test(costs, memory_that_runs_out);
    tcase_add_test(decoders, a_picture_outlives_its_decoder_and_those_after_it);
    tcase_add_test(decoders, decoders_on_threads_of_their_own);
    tcase_set_timeout(refusals, 30);
    tcase_set_timeout(costs, 30);
    suite_add_tcase(suite, kinds);
    suite_add_tcase(suite, refusals);
    suite_add_tcase(suite, costs);
    suite_add_tcase(suite, decoders);
    return suite;
}

TEST_MAIN(make_suite)
