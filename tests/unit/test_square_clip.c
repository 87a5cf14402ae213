#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_main.h"
#include "doubles/square_clip.h"
#include "frame/convert.h"
#include "frame/frame.h"
#include "vedette/source.h"

static vd_image make_image(vd_pixel_format format, int width, int height)
{
    vd_image image = {.format = format, .width = width, .height = height};
    image.strides[0] = format == VD_PIXEL_BGRX ? 4 * width : width;
    image.strides[1] = image.strides[2] = (width + 1) / 2;
    size_t luma = (size_t)image.strides[0] * (size_t)height;
    size_t chroma = (size_t)image.strides[1] * (size_t)((height + 1) / 2);
    image.planes[0] = calloc(1, luma + 2 * chroma);
    ck_assert_ptr_nonnull(image.planes[0]);
    image.planes[1] = image.planes[0] + luma;
    image.planes[2] = image.planes[1] + chroma;
    return image;
}

START_TEST(every_index_is_read_back)
{
    square_clip clip = {.width = 96, .height = 64, .frames = 65536, .frames_per_s = 25};
    vd_image image = make_image(VD_PIXEL_BGRX, 96, 64);
    for (int index = 0; index < 65536; index += 137) {
        ck_assert_int_eq(square_clip_render(&clip, index, &image), VD_OK);
        ck_assert_int_eq(square_clip_read_index(&image), index);
    }
    ck_assert_int_eq(square_clip_render(&clip, 65536, &image), VD_EINVAL);
    ck_assert_int_eq(square_clip_render(&clip, -1, &image), VD_EINVAL);
    free(image.planes[0]);
}
END_TEST

START_TEST(the_index_survives_other_sizes_and_formats)
{
    static const int SIZES[][2] = {{1920, 1080}, {640, 480}, {416, 234}, {97, 61}, {64, 48}};
    square_clip clip = SQUARE_CLIP_INIT;
    vd_image image = make_image(VD_PIXEL_BGRX, clip.width, clip.height);
    vd_image other = make_image(VD_PIXEL_BGRX, SIZES[_i][0], SIZES[_i][1]);
    vd_image planar = make_image(VD_PIXEL_I420, clip.width, clip.height);
    vd_scratch scratch = {0};
    for (int index = 0; index < clip.frames; index += 23) {
        ck_assert_int_eq(square_clip_render(&clip, index, &image), VD_OK);
        ck_assert_int_eq(vd_convert_scale(&image, VD_FILTER_GOOD, &scratch, &other), VD_OK);
        ck_assert_int_eq(square_clip_read_index(&other), index);
        ck_assert_int_eq(vd_convert_to_i420(&image, &planar), VD_OK);
        ck_assert_int_eq(square_clip_read_index(&planar), index);
    }
    vd_scratch_fini(&scratch);
    free(image.planes[0]);
    free(other.planes[0]);
    free(planar.planes[0]);
}
END_TEST

START_TEST(pictures_without_an_index_are_told)
{
    vd_image image = make_image(VD_PIXEL_BGRX, 640, 360);
    ck_assert_int_eq(square_clip_read_index(&image), -1);
    memset(image.planes[0], 255, (size_t)image.strides[0] * 360);
    ck_assert_int_eq(square_clip_read_index(&image), -1);
    memset(image.planes[0], 127, (size_t)image.strides[0] * 360);
    ck_assert_int_eq(square_clip_read_index(&image), -1);
    free(image.planes[0]);
}
END_TEST

/* The edges of the square in the middle row and column of its box, to a fraction of a pixel: how much lighter
 * than the ground the pixels are, summed. */
static vd_box measure_square(const vd_image *image, const vd_box *box)
{
    int y = (int)((box->y1 + box->y2) / 2), x = (int)((box->x1 + box->x2) / 2);
    double ground = 70 + 40.0 * y / image->height, left = 0, right = 0, above = 0, below = 0;
    const uint8_t *row = image->planes[0] + (size_t)y * (size_t)image->strides[0];
    for (int i = (int)box->x1 - 4; i < (int)box->x2 + 4; i++)
        *(i < x ? &left : &right) += (row[4 * i + 1] - ground) / (240 - ground);
    for (int j = (int)box->y1 - 4; j < (int)box->y2 + 4; j++) {
        double shade = 70 + 40.0 * j / image->height;
        const uint8_t *pixel = image->planes[0] + (size_t)j * (size_t)image->strides[0] + 4 * (size_t)x;
        *(j < y ? &above : &below) += (pixel[1] - shade) / (240 - shade);
    }
    return (vd_box){x - (float)left, y - (float)above, x + (float)right, y + (float)below};
}

START_TEST(the_square_is_where_the_formula_says_and_moves_in_a_line)
{
    square_clip clip = SQUARE_CLIP_INIT;
    vd_image image = make_image(VD_PIXEL_BGRX, clip.width, clip.height);
    vd_box first = square_clip_box(&clip, 0), second = square_clip_box(&clip, 1);
    for (int index = 0; index < clip.frames; index++) {
        vd_box box = square_clip_box(&clip, index);
        ck_assert(box.x1 >= 0 && box.y1 >= 0.2 * clip.height && box.x2 <= clip.width &&
                  box.y2 <= clip.height);
        ck_assert_float_eq_tol(box.x1, first.x1 + index * (second.x1 - first.x1), 0.01);
        ck_assert_float_eq_tol(box.y2, first.y2 + index * (second.y2 - first.y2), 0.01);
        ck_assert_int_eq(square_clip_render(&clip, index, &image), VD_OK);
        vd_box seen = measure_square(&image, &box);
        ck_assert_float_eq_tol(seen.x1, box.x1, 0.2);
        ck_assert_float_eq_tol(seen.x2, box.x2, 0.2);
        ck_assert_float_eq_tol(seen.y1, box.y1, 0.2);
        ck_assert_float_eq_tol(seen.y2, box.y2, 0.2);
    }
    free(image.planes[0]);
}
END_TEST

START_TEST(a_written_clip_is_read_frame_by_frame)
{
    square_clip clip = SQUARE_CLIP_INIT;
    clip.frames = 60;
    char folder[] = "/tmp/square-clip-XXXXXX", path[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/square.mp4", folder);
    vd_error error = {0};
    ck_assert_msg(square_clip_write(&clip, path, &error) == VD_OK, "%s", error.text);
    vd_source *source = NULL;
    ck_assert_msg(vd_source_open(path, NULL, NULL, &source, &error) == VD_OK, "%s", error.text);
    for (int index = 0; index < clip.frames; index++) {
        vd_frame *frame = NULL;
        ck_assert_msg(vd_source_read(source, &frame, &error) == VD_OK, "%s", error.text);
        ck_assert_int_eq(square_clip_read_index(&frame->image), index);
        ck_assert_double_eq_tol(frame->time_s, index / clip.frames_per_s, 0.001);
        vd_frame_unref(&frame);
    }
    vd_frame *none = NULL;
    ck_assert_int_eq(vd_source_read(source, &none, NULL), VD_EEND);
    vd_source_close(&source);
    unlink(path);
    rmdir(folder);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("square_clip");
    TCase *all = tcase_create("square_clip");
    tcase_set_timeout(all, 60);
    tcase_add_test(all, every_index_is_read_back);
    tcase_add_loop_test(all, the_index_survives_other_sizes_and_formats, 0, 5);
    tcase_add_test(all, pictures_without_an_index_are_told);
    tcase_add_test(all, the_square_is_where_the_formula_says_and_moves_in_a_line);
    tcase_add_test(all, a_written_clip_is_read_frame_by_frame);
    suite_add_tcase(suite, all);
    return suite;
}

TEST_MAIN(make_suite)
