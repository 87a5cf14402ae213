/* A submitted clip as pictures: colours, places, sizes, formats, how many; and the simple classification. */
#include <math.h>

#include "check_main.h"
#include "frame/frame.h"
#include "verify/clip.h"
#include "verify/crop.h"

enum { WIDE = 1280, HIGH = 720 };

static vd_frame_pool *pool;
static vd_scratch scratch[3];
static vd_verify_options options = VD_VERIFY_OPTIONS_INIT;
static uint8_t rgb[VD_CLIP_MOST * 64 * 64 * 3];

/* The left half in one colour, the right one in another: Y, U and V of both. Small ones have a pool for a
 * whole clip; sixty large ones would be half a gigabyte. */
static vd_frame *make_frame(vd_pixel_format format, int width, int height, const uint8_t left[3],
                            const uint8_t right[3])
{
    vd_frame *frame;
    ck_assert_int_eq(vd_frame_pool_new(format, width, height, width > 320 ? 1 : VD_CLIP_MOST, &pool), VD_OK);
    ck_assert_int_eq(vd_frame_pool_take(pool, &frame), VD_OK);
    vd_image *image = &frame->image;
    int planes = format == VD_PIXEL_I420 ? 3 : 1, samples = format == VD_PIXEL_I420 ? 1 : 4;
    for (int p = 0; p < planes; p++) {
        int w = p ? width / 2 : width, h = p ? height / 2 : height;
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w * samples; x++) {
                const uint8_t *color = x / samples < w / 2 ? left : right;
                int c = planes == 3 ? p : x % 4 < 3 ? x % 4 : 0;
                image->planes[p][y * image->strides[p] + x] = color[c];
            }
    }
    return frame;
}

static vd_verify_clip make_clip(vd_frame *frame, size_t count, vd_box box)
{
    vd_verify_clip clip = {.count = count};
    for (size_t i = 0; i < count; i++) {
        clip.frames[i] = frame;
        clip.boxes[i] = box;
        clip.times_s[i] = (double)i / 10;
    }
    return clip;
}

static void set_sizes(int width, int height, int frames)
{
    options.input_width = width;
    options.input_height = height;
    options.temporal_size = frames;
}

static void drop(vd_frame *frame)
{
    vd_frame_unref(&frame);
    vd_frame_pool_free(&pool);
    for (int i = 0; i < 3; i++)
        vd_scratch_fini(&scratch[i]);
}

static void expect_pixel(const uint8_t *pixel, int r, int g, int b, int tolerance)
{
    ck_assert_msg(abs(pixel[0] - r) <= tolerance && abs(pixel[1] - g) <= tolerance &&
                      abs(pixel[2] - b) <= tolerance,
                  "%d %d %d instead of %d %d %d", pixel[0], pixel[1], pixel[2], r, g, b);
}

static const uint8_t red_bgr[3] = {0, 0, 250}, blue_bgr[3] = {250, 0, 0};

/* A box around the border between the halves: the picture has it in its middle, whatever the frame's size. */
START_TEST(the_middle_is_the_boxs)
{
    static const int widths[] = {320, 640, WIDE, 1920};
    int width = widths[_i], height = width / 2;
    vd_frame *frame = make_frame(VD_PIXEL_BGRX, width, height, red_bgr, blue_bgr);
    float x = (float)width / 2, y = (float)height / 2, half = (float)width / 10;
    vd_verify_clip clip = make_clip(frame, 3, (vd_box){x - half, y - half, x + half, y + half});
    set_sizes(64, 64, 3);
    ck_assert_int_eq(vd_clip_cut(&clip, &options, scratch, rgb, NULL), VD_OK);
    for (int t = 0; t < 3; t++) {
        const uint8_t *row = rgb + (t * 64 + 32) * 64 * 3;
        expect_pixel(row + 30 * 3, 250, 0, 0, 2);
        expect_pixel(row + 33 * 3, 0, 0, 250, 2);
    }
    drop(frame);
}
END_TEST

/* Pictures that are not square show the same, stretched. */
START_TEST(other_shapes_than_squares)
{
    vd_frame *frame = make_frame(VD_PIXEL_BGRX, WIDE, HIGH, red_bgr, blue_bgr);
    vd_verify_clip clip = make_clip(frame, 2, (vd_box){540, 260, 740, 460});
    set_sizes(_i ? 32 : 64, _i ? 64 : 32, 2);
    ck_assert_int_eq(vd_clip_cut(&clip, &options, scratch, rgb, NULL), VD_OK);
    const uint8_t *row = rgb + options.input_height / 2 * options.input_width * 3;
    expect_pixel(row, 250, 0, 0, 2);
    expect_pixel(row + (options.input_width / 2 - 3) * 3, 250, 0, 0, 2);
    expect_pixel(row + (options.input_width / 2 + 2) * 3, 0, 0, 250, 2);
    drop(frame);
}
END_TEST

/* Small enough or not, YUV becomes colours: a grey of 126 and what BT.601 calls a strong red. */
START_TEST(frames_in_yuv)
{
    static const uint8_t grey[3] = {125, 128, 128}, red[3] = {81, 90, 240};
    vd_frame *frame = make_frame(VD_PIXEL_I420, _i ? WIDE : 320, _i ? HIGH : 180, grey, red);
    float width = (float)frame->image.width, height = (float)frame->image.height;
    vd_verify_clip clip =
        make_clip(frame, 2, (vd_box){0.4f * width, 0.4f * height, 0.6f * width, 0.6f * height});
    set_sizes(64, 64, 2);
    ck_assert_int_eq(vd_clip_cut(&clip, &options, scratch, rgb, NULL), VD_OK);
    expect_pixel(rgb + 32 * 64 * 3, 127, 127, 127, 3);
    expect_pixel(rgb + (32 * 64 + 60) * 3, 254, 0, 0, 4);
    drop(frame);
}
END_TEST

/* Frames 0 to count - 1, told by their brightness, in the pictures. */
static void expect_chosen(size_t count, int frames, const int *expected)
{
    vd_frame *all[VD_CLIP_MOST];
    static const uint8_t black[3] = {0};
    all[0] = make_frame(VD_PIXEL_BGRX, 160, 160, black, black);
    vd_verify_clip clip = make_clip(all[0], count, (vd_box){50, 50, 110, 110});
    for (size_t i = 1; i < count; i++) {
        ck_assert_int_eq(vd_frame_pool_take(pool, &all[i]), VD_OK);
        memset(all[i]->image.planes[0], (int)(3 * i), (size_t)all[i]->image.strides[0] * 160);
        clip.frames[i] = all[i];
    }
    set_sizes(32, 32, frames);
    ck_assert_int_eq(vd_clip_cut(&clip, &options, scratch, rgb, NULL), VD_OK);
    for (int t = 0; t < frames; t++)
        ck_assert_int_eq(rgb[t * 32 * 32 * 3 + 500], 3 * expected[t]);
    for (size_t i = 1; i < count; i++)
        vd_frame_unref(&all[i]);
    drop(all[0]);
}

START_TEST(as_many_as_the_model_wants)
{
    expect_chosen(4, 4, (const int[]){0, 1, 2, 3});
    expect_chosen(2, 4, (const int[]){0, 1, 1, 1});
    expect_chosen(1, 3, (const int[]){0, 0, 0});
    expect_chosen(9, 5, (const int[]){0, 2, 4, 6, 8});
    expect_chosen(64, 2, (const int[]){0, 63});
}
END_TEST

START_TEST(boxes_that_are_none)
{
    vd_error error = {0};
    vd_frame *frame = make_frame(VD_PIXEL_BGRX, 160, 160, red_bgr, blue_bgr);
    vd_verify_clip clip = make_clip(frame, 2, (vd_box){NAN, 0, INFINITY, 5});
    set_sizes(32, 32, 2);
    ck_assert_int_eq(vd_clip_cut(&clip, &options, scratch, rgb, &error), VD_EINVAL);
    ck_assert(error.text[0] != '\0');
    for (size_t i = 0; i < 2; i++)
        clip.boxes[i] = (vd_box){-1e30f, -1e30f, 1e30f, 1e30f};
    vd_clip_cut(&clip, &options, scratch, rgb, &error); /* absurd, and no harm */
    drop(frame);
}
END_TEST

START_TEST(simple_classification)
{
    vd_verify_clip clip = {.count = 4};
    for (int i = 0; i < 4; i++) {
        clip.labels[i] = -1;
        clip.scores[i] = 0.5f;
    }
    ck_assert_float_eq_tol(vd_clip_simple_score(&clip), 0, 1e-6f);
    clip.labels[1] = clip.labels[2] = 7;
    clip.scores[1] = 0.6f;
    clip.scores[2] = 0.8f;
    clip.labels[3] = 1;
    clip.scores[3] = 0.99f;
    ck_assert_float_eq_tol(vd_clip_simple_score(&clip), 0.5f * 0.7f, 1e-6f);
    clip.scores[2] = NAN;
    ck_assert(isfinite(vd_clip_simple_score(&clip)));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("verify_clip");
    TCase *tests = tcase_create("all");
    tcase_add_loop_test(tests, the_middle_is_the_boxs, 0, 4);
    tcase_add_loop_test(tests, other_shapes_than_squares, 0, 2);
    tcase_add_loop_test(tests, frames_in_yuv, 0, 2);
    tcase_add_test(tests, as_many_as_the_model_wants);
    tcase_add_test(tests, boxes_that_are_none);
    tcase_add_test(tests, simple_classification);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
