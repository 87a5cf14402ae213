/* Boxes and trails as they are painted, and the painter as a whole. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/thread.h"
#include "draw_case.h"

static int brightness(uint32_t color)
{
    return (int)((color >> 16) + (color >> 8 & 255) + (color & 255)) / 3;
}
/* How many pixels differ from the background. */
static size_t count_painted(const picture *p, uint32_t background)
{
    return (size_t)p->width * p->height - count_color(p, background, 0, 0, p->width, p->height);
}

START_TEST(a_solid_box_has_its_colour_on_the_edge_and_a_dark_halo_on_both_sides)
{
    picture p = make_picture(WIDTH, HEIGHT, _i);
    vd_draw_box box = make_box(100, 80, 300, 240, 1, "");
    paint(&p, &box, 1);
    int background = _i * 255;
    for (int x = 100; x < 300; x++) {
        ck_assert_uint_eq(pixel(&p, x, 79), palette(1));
        ck_assert_uint_eq(pixel(&p, x, 80), palette(1));
        ck_assert_uint_eq(pixel(&p, x, 240), palette(1));
    }
    for (int y = 80; y < 240; y++) {
        ck_assert_uint_eq(pixel(&p, 99, y), palette(1));
        ck_assert_uint_eq(pixel(&p, 100, y), palette(1));
        ck_assert_uint_eq(pixel(&p, 300, y), palette(1));
        ck_assert_int_le(brightness(pixel(&p, 98, y)), 90);
        if (y > 82 && y < 237)
            ck_assert_int_le(brightness(pixel(&p, 101, y)), 90);
    }
    ck_assert_int_eq(brightness(pixel(&p, 97, 160)), background);
    ck_assert_int_eq(brightness(pixel(&p, 102, 160)), background);
    ck_assert_int_eq(brightness(pixel(&p, 200, 160)), background);
    free_picture(&p);
}
END_TEST

START_TEST(lines_are_two_units_thick_at_any_scale)
{
    static const double SCALES[] = {0.5, 1, 1.37, 2, 3};
    double scale = SCALES[_i];
    picture p = make_picture(WIDTH, HEIGHT, 1);
    vd_painter *painter = make_painter();
    vd_draw_box box = make_box(30, 30, 90, 90, 0, "");
    vd_drawing drawing = {120, 110, &box, 1};
    vd_painter_draw(painter, p.cr, &drawing, 3, 5, 120 * scale, 110 * scale, 1);
    int y = (int)(5 + 60 * scale);
    ck_assert_uint_eq(count_color(&p, palette(0), 0, y, WIDTH, y + 1), 4);
    ck_assert_uint_eq(pixel(&p, (int)lround(3 + 30 * scale), y), palette(0));
    ck_assert_uint_eq(pixel(&p, (int)lround(3 + 90 * scale) - 1, y), palette(0));

    /* The same under a scaled context, in units of the screen. */
    picture q = make_picture(WIDTH, HEIGHT, 1);
    cairo_scale(q.cr, 2, 2);
    vd_painter_draw(painter, q.cr, &drawing, 0, 0, 60 * scale, 55 * scale, 1);
    ck_assert_uint_eq(count_color(&q, palette(0), 0, (int)(60 * scale), WIDTH, (int)(60 * scale) + 1), 8);
    vd_painter_free(&painter);
    free_picture(&p);
    free_picture(&q);
}
END_TEST

START_TEST(a_predicted_box_is_dashed_with_whole_corners)
{
    picture p = make_picture(WIDTH, HEIGHT, 1);
    vd_draw_box box = make_box(100, 80, 300, 240, 0, "");
    box.style = VD_BOX_PREDICTED;
    paint(&p, &box, 1);
    size_t line = count_color(&p, palette(0), 100, 80, 300, 81);
    size_t gaps = count_color(&p, 0xffffff, 100, 80, 300, 81);
    ck_assert_uint_gt(line, 90);
    ck_assert_uint_lt(line, 150);
    ck_assert_uint_gt(gaps, 30);
    ck_assert_uint_eq(pixel(&p, 99, 79), palette(0));
    ck_assert_uint_eq(pixel(&p, 300, 240), palette(0));
    free_picture(&p);
}
END_TEST

START_TEST(a_faint_box_is_thinner_and_paler)
{
    picture p = make_picture(WIDTH, HEIGHT, 1);
    vd_draw_box box = make_box(100, 80, 300, 240, 0, "");
    paint(&p, &box, 1);
    picture q = make_picture(WIDTH, HEIGHT, 1);
    box.style = VD_BOX_FAINT;
    paint(&q, &box, 1);
    ck_assert_uint_lt(count_painted(&q, 0xffffff), count_painted(&p, 0xffffff));
    ck_assert_uint_gt(count_painted(&q, 0xffffff), 500);
    ck_assert_uint_eq(count_color(&q, palette(0), 0, 0, WIDTH, HEIGHT), 0);
    free_picture(&p);
    free_picture(&q);
}
END_TEST

START_TEST(boxes_that_are_no_boxes_draw_nothing)
{
    static const vd_box BOXES[] = {{NAN, 10, 50, 50},   {10, 10, NAN, 50},    {50, 50, 20, 80},
                                   {10, 10, 10, 90},    {700, 10, 900, 90},   {10, -90, 60, -10},
                                   {INFINITY, 0, 9, 9}, {0, INFINITY, 9, 99}, {-INFINITY, 0, -5, 90}};
    picture p = make_picture(WIDTH, HEIGHT, 1);
    vd_draw_box box = make_box(0, 0, 0, 0, 3, "nothing 0.50");
    box.box = BOXES[_i];
    paint(&p, &box, 1);
    ck_assert_uint_eq(count_painted(&p, 0xffffff), 0);
    free_picture(&p);
}
END_TEST

START_TEST(endless_boxes_are_cut_to_the_picture)
{
    static const vd_box BOXES[] = {{-INFINITY, -INFINITY, INFINITY, INFINITY},
                                   {-1e30f, -1e30f, 1e30f, 1e30f}};
    for (int style = VD_BOX_DETECTED; style <= VD_BOX_FAINT; style++) {
        picture p = make_picture(WIDTH, HEIGHT, 1), q = make_picture(WIDTH, HEIGHT, 1);
        vd_draw_box whole = make_box(0, 0, WIDTH, HEIGHT, 3, "all 0.50"), endless = whole;
        whole.style = endless.style = (vd_box_style)style;
        endless.box = BOXES[_i];
        paint(&p, &whole, 1);
        paint(&q, &endless, 1);
        ck_assert_mem_eq(cairo_image_surface_get_data(p.surface), cairo_image_surface_get_data(q.surface),
                         (size_t)cairo_image_surface_get_stride(p.surface) * HEIGHT);
        free_picture(&p);
        free_picture(&q);
    }
}
END_TEST

START_TEST(drawings_without_a_place_are_left_alone)
{
    picture p = make_picture(WIDTH, HEIGHT, 1);
    vd_painter *painter = make_painter();
    vd_draw_box box = make_box(10, 10, 50, 50, 0, "x");
    vd_drawing good = {WIDTH, HEIGHT, &box, 1}, flat = {WIDTH, 0, &box, 1}, none = {WIDTH, HEIGHT, NULL, 0};
    vd_painter_draw(painter, p.cr, &flat, 0, 0, WIDTH, HEIGHT, 1);
    vd_painter_draw(painter, p.cr, &none, 0, 0, WIDTH, HEIGHT, 1);
    vd_painter_draw(painter, p.cr, &good, 0, 0, 0, HEIGHT, 1);
    vd_painter_draw(painter, p.cr, &good, NAN, 0, WIDTH, HEIGHT, 1);
    vd_painter_draw(painter, p.cr, &good, 0, 0, WIDTH, HEIGHT, NAN);
    vd_painter_draw(painter, p.cr, &good, 0, 0, WIDTH, HEIGHT, 0);
    ck_assert_uint_eq(count_painted(&p, 0xffffff), 0);
    vd_painter_free(&painter);
    vd_painter_free(&painter);
    vd_painter_free(NULL);
    free_picture(&p);
}
END_TEST

START_TEST(a_trail_is_a_row_of_dots_of_the_boxs_colour_under_the_boxes)
{
    picture p = make_picture(WIDTH, HEIGHT, 1);
    vd_draw_box boxes[] = {make_box(300, 100, 340, 200, 1, ""), make_box(180, 120, 220, 280, 2, "")};
    boxes[0].trail_count = 3;
    boxes[0].trail[0] = (vd_draw_point){50, 200};
    boxes[0].trail[1] = (vd_draw_point){150, 200};
    boxes[0].trail[2] = (vd_draw_point){320, 200};
    paint(&p, boxes, 2);
    ck_assert_uint_ge(count_color(&p, palette(1), 50, 198, 298, 203), 4 * 35); /* a dot every 6 pixels */
    ck_assert_uint_eq(pixel(&p, 180, 200), palette(2));
    ck_assert_uint_eq(pixel(&p, 30, 200), 0xffffff);
    ck_assert_uint_eq(pixel(&p, 100, 190), 0xffffff);
    free_picture(&p);
}
END_TEST

START_TEST(trails_of_any_points_are_drawn)
{
    picture p = make_picture(WIDTH, HEIGHT, 1), q = make_picture(WIDTH, HEIGHT, 1);
    vd_draw_box box = make_box(300, 100, 340, 200, 1, "");
    paint(&q, &box, 1);
    box.trail_count = 1;
    box.trail[0] = (vd_draw_point){10, 10};
    paint(&p, &box, 1);
    box.trail_count = 2;
    box.trail[1] = (vd_draw_point){NAN, 10};
    paint(&p, &box, 1);
    size_t painted = count_painted(&q, 0xffffff);
    ck_assert_uint_eq(count_painted(&p, 0xffffff), painted);
    box.trail_count = 1000;
    for (int i = 0; i < VD_TRAIL_POINTS; i++)
        box.trail[i] = (vd_draw_point){i % 2 ? INFINITY : -1e30f, i % 3 ? 1e30f : 20};
    paint(&p, &box, 1);
    ck_assert_uint_gt(count_painted(&p, 0xffffff), painted);
    free_picture(&p);
    free_picture(&q);
}
END_TEST

/* Every mark has a shape of its own: the pictures differ although the colours are the same. */
static void fill_boxes(vd_draw_box *boxes, int count, int width, int height, int turn)
{
    for (int i = 0; i < count; i++) {
        float w = (float)width / 12 + (i * 37) % 90, h = (float)height / 8 + (i * 53) % 120;
        float x = (float)((i * 7919) % (width - (int)w)), y = (float)((i * 6101) % (height - (int)h));
        char label[96];
        snprintf(label, sizeof(label), "%s 0.%02d #%d", i % 3 ? "person" : "bicycle", (i * 7 + turn) % 100,
                 i);
        boxes[i] = make_box(x, y, x + w, y + h, i % 9, label);
        boxes[i].style = i % 7 == 3 ? VD_BOX_PREDICTED : i % 11 == 5 ? VD_BOX_FAINT : VD_BOX_DETECTED;
    }
}

START_TEST(the_same_drawing_gives_the_same_pixels)
{
    vd_draw_box boxes[60], others[60];
    fill_boxes(boxes, 60, WIDTH, HEIGHT, 0);
    fill_boxes(others, 60, WIDTH, HEIGHT, 31);
    vd_drawing drawing = {WIDTH, HEIGHT, boxes, 60}, other = {WIDTH, HEIGHT, others, 60};
    picture p = make_picture(WIDTH, HEIGHT, 0.5), q = make_picture(WIDTH, HEIGHT, 0.5);
    picture aside = make_picture(WIDTH, HEIGHT, 0.5);
    vd_painter *fresh = make_painter(), *used = make_painter();
    vd_painter_draw(fresh, p.cr, &drawing, 0, 0, WIDTH, HEIGHT, 1);
    vd_painter_draw(used, aside.cr, &other, 0, 0, 200, 100, 2);
    vd_painter_draw(used, aside.cr, &drawing, 0, 0, 40, 30, 1);
    vd_painter_draw(used, q.cr, &drawing, 0, 0, WIDTH, HEIGHT, 1);
    ck_assert_mem_eq(cairo_image_surface_get_data(p.surface), cairo_image_surface_get_data(q.surface),
                     (size_t)cairo_image_surface_get_stride(p.surface) * HEIGHT);
    vd_painter_free(&fresh);
    vd_painter_free(&used);
    free_picture(&p);
    free_picture(&q);
    free_picture(&aside);
}
END_TEST

START_TEST(pictures_are_drawn_on_in_place)
{
    enum { STRIDE = 4 * WIDTH + 64 };
    uint8_t *memory = malloc(STRIDE * HEIGHT);
    ck_assert_ptr_nonnull(memory);
    memset(memory, 255, STRIDE * HEIGHT);
    vd_image image = {
        .format = VD_PIXEL_BGRX, .width = WIDTH, .height = HEIGHT, .planes = {memory}, .strides = {STRIDE}};
    vd_draw_box box = make_box(100, 100, 200, 200, 1, "car 0.75");
    vd_drawing drawing = {WIDTH, HEIGHT, &box, 1};
    vd_painter *painter = make_painter();
    ck_assert_int_eq(vd_painter_draw_image(painter, &image, &drawing), VD_OK);
    const uint8_t *edge = memory + 150 * STRIDE + 4 * 100;
    ck_assert_uint_eq((uint32_t)(edge[2] << 16 | edge[1] << 8 | edge[0]), palette(1));
    ck_assert_uint_eq(memory[150 * STRIDE + 4 * WIDTH], 255);

    image.format = VD_PIXEL_BGR;
    ck_assert_int_eq(vd_painter_draw_image(painter, &image, &drawing), VD_EINVAL);
    image.format = VD_PIXEL_BGRX;
    image.strides[0] = STRIDE + 2;
    ck_assert_int_eq(vd_painter_draw_image(painter, &image, &drawing), VD_EINVAL);
    image.strides[0] = 4 * WIDTH - 4;
    ck_assert_int_eq(vd_painter_draw_image(painter, &image, &drawing), VD_EINVAL);
    vd_painter_free(&painter);
    free(memory);
}
END_TEST

static void paint_on_a_thread(void *context)
{
    picture *p = context;
    vd_draw_box boxes[40];
    vd_painter *painter = make_painter();
    for (int turn = 0; turn < 20; turn++) {
        fill_boxes(boxes, 40, WIDTH, HEIGHT, turn);
        vd_drawing drawing = {WIDTH, HEIGHT, boxes, 40};
        vd_painter_draw(painter, p->cr, &drawing, 0, 0, WIDTH, HEIGHT, 1);
    }
    vd_painter_free(&painter);
}

START_TEST(painters_on_several_threads_do_not_meet)
{
    enum { THREADS = 4 };
    vd_thread threads[THREADS] = {0};
    picture pictures[THREADS];
    for (int i = 0; i < THREADS; i++) {
        pictures[i] = make_picture(WIDTH, HEIGHT, 0.5);
        ck_assert_int_eq(vd_thread_start(&threads[i], "painter", paint_on_a_thread, &pictures[i]), VD_OK);
    }
    for (int i = 0; i < THREADS; i++)
        vd_thread_join(&threads[i]);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_mem_eq(cairo_image_surface_get_data(pictures[0].surface),
                         cairo_image_surface_get_data(pictures[i].surface),
                         (size_t)cairo_image_surface_get_stride(pictures[0].surface) * HEIGHT);
    }
    for (int i = 0; i < THREADS; i++)
        free_picture(&pictures[i]);
}
END_TEST

static int compare_times(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static void add_trail(vd_draw_box *box, int count)
{
    box->trail_count = count;
    for (int i = 0; i < count; i++) {
        float back = (float)(count - i);
        box->trail[i] = (vd_draw_point){box->box.x1 - 8 * back, box->box.y2 - 3 * back * (float)(i % 3)};
    }
}

/* What this thread has used of its processor: other programs' time is no matter of the painter's. */
static int64_t thread_time_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * VD_NS_PER_S + used.tv_nsec;
}

/* The median over frames in which a third of the labels changed. */
START_TEST(fifty_boxes_on_1080p_take_little_time)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    enum { TURNS = 5, COUNT = 50 }; /* whose times say nothing */
#else
    enum { TURNS = 41, COUNT = 50 };
#endif
    picture p = make_picture(1920, 1080, 0.5);
    vd_painter *painter = make_painter();
    vd_draw_box boxes[COUNT];
    int64_t times[TURNS];
    for (int turn = 0; turn < TURNS; turn++) {
        fill_boxes(boxes, COUNT, 1920, 1080, 0);
        for (int i = 0; i < COUNT && _i; i++) {
            add_trail(&boxes[i], VD_TRAIL_POINTS);
            boxes[i].mark = (vd_draw_mark)(i % 5);
        }
        for (int i = 0; i < COUNT; i += 3)
            snprintf(boxes[i].label, sizeof(boxes[i].label), "person 0.%02d #%d", (turn * 3 + i) % 100, i);
        vd_drawing drawing = {1920, 1080, boxes, COUNT};
        int64_t start_ns = thread_time_ns();
        vd_painter_draw(painter, p.cr, &drawing, 0, 0, 1920, 1080, 1);
        times[turn] = thread_time_ns() - start_ns;
    }
    qsort(times, TURNS, sizeof(times[0]), compare_times);
    printf("50 boxes and labels%s on 1920 × 1080: median %.2f ms, least %.2f ms\n",
           _i ? " with marks and trails" : "", (double)times[TURNS / 2] / VD_NS_PER_MS,
           (double)times[0] / VD_NS_PER_MS);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    ck_assert_int_lt(times[0], (_i ? 6 : 3) * VD_NS_PER_MS);
#endif
    vd_painter_free(&painter);
    free_picture(&p);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("draw");
    TCase *boxes = tcase_create("boxes");
    tcase_add_loop_test(boxes, a_solid_box_has_its_colour_on_the_edge_and_a_dark_halo_on_both_sides, 0, 2);
    tcase_add_loop_test(boxes, lines_are_two_units_thick_at_any_scale, 0, 5);
    tcase_add_test(boxes, a_predicted_box_is_dashed_with_whole_corners);
    tcase_add_test(boxes, a_faint_box_is_thinner_and_paler);
    tcase_add_loop_test(boxes, boxes_that_are_no_boxes_draw_nothing, 0, 9);
    tcase_add_loop_test(boxes, endless_boxes_are_cut_to_the_picture, 0, 2);
    tcase_add_test(boxes, drawings_without_a_place_are_left_alone);
    tcase_add_test(boxes, a_trail_is_a_row_of_dots_of_the_boxs_colour_under_the_boxes);
    tcase_add_test(boxes, trails_of_any_points_are_drawn);
    suite_add_tcase(suite, boxes);
    TCase *whole = tcase_create("painter");
    tcase_set_timeout(whole, 30);
    tcase_add_test(whole, the_same_drawing_gives_the_same_pixels);
    tcase_add_test(whole, pictures_are_drawn_on_in_place);
    tcase_add_test(whole, painters_on_several_threads_do_not_meet);
    tcase_add_loop_test(whole, fifty_boxes_on_1080p_take_little_time, 0, 2);
    suite_add_tcase(suite, whole);
    return suite;
}

TEST_MAIN(make_suite)
