/* Labels and marks as they are painted, and the colours. */
#include <string.h>

#include "draw/label.h"
#include "draw_case.h"

static const vd_box CORNERS[] = {{-20, -20, 60, 40},   {600, -20, 700, 40},   {-20, 330, 60, 400},
                                 {600, 330, 700, 400}, {0, 0, WIDTH, HEIGHT}, {200, 0, 240, 358},
                                 {637, 100, 640, 103}};

START_TEST(boxes_and_labels_at_the_borders_stay_whole_and_in_the_picture)
{
    enum { MARGIN = 50 };
    picture p = make_picture(WIDTH + 2 * MARGIN, HEIGHT + 2 * MARGIN, 1);
    vd_painter *painter = make_painter();
    vd_draw_box box = make_box(0, 0, 0, 0, 0, "");
    box.box = CORNERS[_i];
    vd_drawing drawing = {WIDTH, HEIGHT, &box, 1};
    vd_painter_draw(painter, p.cr, &drawing, MARGIN, MARGIN, WIDTH, HEIGHT, 1);
    size_t bare = count_color(&p, palette(0), MARGIN, MARGIN, MARGIN + WIDTH, MARGIN + HEIGHT);
    snprintf(box.label, sizeof(box.label), "person 0.91 #3");
    vd_painter_draw(painter, p.cr, &drawing, MARGIN, MARGIN, WIDTH, HEIGHT, 1);

    size_t inside = count_color(&p, 0xffffff, MARGIN, MARGIN, MARGIN + WIDTH, MARGIN + HEIGHT);
    size_t all = count_color(&p, 0xffffff, 0, 0, p.width, p.height);
    ck_assert_uint_eq(all - inside, (size_t)p.width * p.height - WIDTH * HEIGHT);
    /* The tag's area, letters taken off, and what it shares with the line. */
    size_t tag = count_color(&p, palette(0), MARGIN, MARGIN, MARGIN + WIDTH, MARGIN + HEIGHT) - bare;
    ck_assert_uint_gt(bare, 10);
    ck_assert_uint_gt(tag, 700);
    vd_painter_free(&painter);
    free_picture(&p);
}
END_TEST

static vd_label label_at(double x, double y, double width)
{
    return (vd_label){.tag = {0, 0, width, 18}, .box = {x, y, 60, 60}};
}

static bool cover(const vd_rect *a, const vd_rect *b)
{
    return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height &&
           b->y < a->y + a->height;
}

START_TEST(labels_do_not_cover_each_other)
{
    const vd_rect picture_rect = {0, 0, WIDTH, HEIGHT};
    vd_label labels[] = {label_at(100, 100, 90), label_at(120, 104, 90), label_at(90, 96, 90),
                         label_at(10, 2, 90),    label_at(50, 4, 90),    label_at(600, 350, 90),
                         label_at(580, 340, 90), label_at(300, 200, 90)};
    enum { COUNT = sizeof(labels) / sizeof(labels[0]) };
    vd_label_place(labels, COUNT, &picture_rect, 2);
    for (int i = 0; i < COUNT; i++) {
        const vd_rect *tag = &labels[i].tag;
        ck_assert(tag->x >= 0 && tag->y >= 0 && tag->x + tag->width <= WIDTH &&
                  tag->y + tag->height <= HEIGHT);
        for (int j = 0; j < i; j++)
            ck_assert_msg(!cover(tag, &labels[j].tag), "label %d covers label %d", i, j);
        if (labels[i].box.x == 300)
            ck_assert_double_eq(tag->y, 200 - 18);
    }
}
END_TEST

/* A small box stays to be seen: its own label and a neighbour's stand beside rather than over it. */
START_TEST(labels_do_not_hide_small_boxes)
{
    const vd_rect picture_rect = {0, 0, WIDTH, HEIGHT};
    vd_label labels[] = {{.tag = {0, 0, 90, 18}, .box = {100, 100, 60, 60}}, /* above it the next box, */
                         {.tag = {0, 0, 90, 18}, .box = {110, 84, 20, 14}},  /* a small one; */
                         {.tag = {0, 0, 90, 18}, .box = {450, 4, 30, 20}},   /* one at the top, */
                         {.tag = {0, 0, 90, 18}, .box = {20, 340, 12, 12}}}; /* and at the bottom: above */
    enum { COUNT = sizeof(labels) / sizeof(labels[0]) };
    vd_label_place(labels, COUNT, &picture_rect, 2);
    for (int i = 0; i < COUNT; i++) {
        const vd_rect *tag = &labels[i].tag, *box = &labels[i].box;
        for (int j = 0; j < COUNT; j++)
            ck_assert_msg(labels[j].box.height >= 60 || !cover(tag, &labels[j].box), "label %d hides box %d",
                          i, j);
        if (box->x == 100)
            ck_assert_double_eq(tag->y, 102); /* inside */
        if (box->x == 450)
            ck_assert_double_eq(tag->y, 24); /* below */
        if (box->x == 20)
            ck_assert_double_eq(tag->y, 340 - 18);
    }
    const vd_rect low = {0, 0, 300, 30}; /* no room above, inside, below */
    vd_label left = {.tag = {0, 0, 90, 18}, .box = {5, 5, 20, 20}};
    vd_label right = {.tag = {0, 0, 90, 18}, .box = {270, 5, 20, 20}};
    vd_label_place(&left, 1, &low, 2);
    vd_label_place(&right, 1, &low, 2);
    ck_assert_double_eq(left.tag.x, 25);
    ck_assert_double_eq(right.tag.x, 180);
}
END_TEST

START_TEST(places_do_not_depend_on_the_order_of_the_boxes)
{
    const vd_rect picture_rect = {0, 0, WIDTH, HEIGHT};
    vd_label a[] = {label_at(100, 100, 90), label_at(120, 104, 90), label_at(90, 96, 90)};
    vd_label b[] = {a[2], a[0], a[1]};
    vd_label_place(a, 3, &picture_rect, 2);
    vd_label_place(b, 3, &picture_rect, 2);
    ck_assert_mem_eq(a, b, sizeof(a));
}
END_TEST

START_TEST(labels_of_any_bytes_are_drawn)
{
    static const char *LABELS[] = {
        "Fußgänger 0.91 #3",
        "人物 0.88",
        "شخص 0.70",
        "two\nlines\tand a tab",
        "\xff\xfe broken \xc3",
        "<b>markup</b> & more",
        "a label that is much wider than the picture it stands in, and has to end before"};
    picture p = make_picture(160, 120, 1);
    vd_draw_box box = make_box(20, 60, 100, 110, 0, LABELS[_i]);
    paint(&p, &box, 1);
    ck_assert_uint_gt(count_color(&p, palette(0), 0, 0, 160, 58), 200);
    free_picture(&p);

    /* One that fills its array without an end. */
    picture q = make_picture(160, 120, 1);
    memset(box.label, 'w', sizeof(box.label));
    paint(&q, &box, 1);
    ck_assert_uint_gt(count_color(&q, palette(0), 0, 0, 160, 58), 200);
    free_picture(&q);
}
END_TEST

/* Every mark has a shape of its own: the pictures differ although the colours are the same. */
START_TEST(marks_differ_by_their_shape)
{
    enum { MARKS = VD_MARK_UNVERIFIED + 1 };
    picture p[MARKS];
    for (int mark = 0; mark < MARKS; mark++) {
        p[mark] = make_picture(200, 100, 0.5);
        vd_draw_box box = make_box(20, 40, 180, 90, 1, "car 0.90 #3");
        box.mark = (vd_draw_mark)mark;
        paint(&p[mark], &box, 1);
    }
    for (int a = 0; a < MARKS; a++) {
        for (int b = 0; b < a; b++) {
            size_t differ = 0;
            for (int y = 0; y < 100; y++)
                for (int x = 0; x < 200; x++)
                    differ += pixel(&p[a], x, y) != pixel(&p[b], x, y);
            ck_assert_msg(differ > 8, "marks %d and %d look alike: %zu pixels", a, b, differ);
        }
    }
    for (int mark = 0; mark < MARKS; mark++)
        free_picture(&p[mark]);
}
END_TEST

static double luminance(const double rgb[3])
{
    double sum = 0;
    static const double WEIGHTS[3] = {0.2126, 0.7152, 0.0722};
    for (int i = 0; i < 3; i++)
        sum += WEIGHTS[i] * (rgb[i] <= 0.04045 ? rgb[i] / 12.92 : pow((rgb[i] + 0.055) / 1.055, 2.4));
    return sum;
}

START_TEST(text_has_a_contrast_of_four_and_a_half_on_every_colour)
{
    double rgb[3];
    vd_palette_color(_i, rgb);
    double text = vd_label_wants_dark_text(rgb) ? luminance((double[3]){0.05, 0.05, 0.05}) : 1,
           ground = luminance(rgb);
    double contrast = (fmax(text, ground) + 0.05) / (fmin(text, ground) + 0.05);
    ck_assert_msg(contrast >= 4.5, "colour %d has a contrast of %.2f", _i, contrast);
}
END_TEST

/* CIE L*a*b* (D65) of a linear sRGB colour. */
static void to_lab(const double linear[3], double ret_lab[3])
{
    static const double XYZ[3][3] = {
        {0.4124, 0.3576, 0.1805}, {0.2126, 0.7152, 0.0722}, {0.0193, 0.1192, 0.9505}};
    static const double WHITE[3] = {0.9505, 1, 1.089};
    double f[3];
    for (int i = 0; i < 3; i++) {
        double v = (XYZ[i][0] * linear[0] + XYZ[i][1] * linear[1] + XYZ[i][2] * linear[2]) / WHITE[i];
        f[i] = v > 0.008856 ? cbrt(v) : 7.787 * v + 16.0 / 116;
    }
    ret_lab[0] = 116 * f[1] - 16;
    ret_lab[1] = 500 * (f[0] - f[1]);
    ret_lab[2] = 200 * (f[1] - f[2]);
}

/* How a palette entry looks: to everybody, or with full protanopia, deuteranopia, tritanopia (the matrices of
 * Machado, Oliveira and Fernandes 2009 for severity 1). */
static void seen_color(int index, int vision, double ret_lab[3])
{
    static const double SEEN[4][3][3] = {
        {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
        {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
        {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
        {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}}};
    double rgb[3], linear[3], seen[3];
    vd_palette_color(index, rgb);
    for (int i = 0; i < 3; i++)
        linear[i] = rgb[i] <= 0.04045 ? rgb[i] / 12.92 : pow((rgb[i] + 0.055) / 1.055, 2.4);
    for (int i = 0; i < 3; i++) {
        const double *row = SEEN[vision][i];
        seen[i] = fmin(1, fmax(0, row[0] * linear[0] + row[1] * linear[1] + row[2] * linear[2]));
    }
    to_lab(seen, ret_lab);
}

START_TEST(neighbours_in_the_palette_look_different_to_everybody)
{
    for (int vision = 0; vision < 4; vision++) {
        for (int step = 1; step <= 2; step++) {
            double a[3], b[3];
            seen_color(_i, vision, a);
            seen_color(_i + step, vision, b);
            double distance = sqrt(pow(a[0] - b[0], 2) + pow(a[1] - b[1], 2) + pow(a[2] - b[2], 2));
            double least = step == 1 ? 20 : 16;
            ck_assert_msg(distance >= least, "colours %d and %d are only %.1f apart in vision %d", _i,
                          _i + step, distance, vision);
        }
    }
}
END_TEST

START_TEST(the_palette_takes_any_number)
{
    ck_assert_uint_eq(palette(0), 0x56b4e9);
    ck_assert_uint_eq(palette(16), palette(0));
    ck_assert_uint_eq(palette(-1), palette(15));
    ck_assert_uint_eq(palette(INT32_MIN), palette(0));
    ck_assert_uint_eq(palette(INT32_MAX), palette(15));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("draw_labels");
    TCase *labels = tcase_create("labels");
    tcase_add_loop_test(labels, boxes_and_labels_at_the_borders_stay_whole_and_in_the_picture, 0,
                        sizeof(CORNERS) / sizeof(CORNERS[0]));
    tcase_add_test(labels, labels_do_not_cover_each_other);
    tcase_add_test(labels, labels_do_not_hide_small_boxes);
    tcase_add_test(labels, places_do_not_depend_on_the_order_of_the_boxes);
    tcase_add_loop_test(labels, labels_of_any_bytes_are_drawn, 0, 7);
    tcase_add_test(labels, marks_differ_by_their_shape);
    suite_add_tcase(suite, labels);
    TCase *palettes = tcase_create("palette");
    tcase_add_test(palettes, the_palette_takes_any_number);
    tcase_add_loop_test(palettes, text_has_a_contrast_of_four_and_a_half_on_every_colour, 0, 16);
    tcase_add_loop_test(palettes, neighbours_in_the_palette_look_different_to_everybody, 0, 16);
    suite_add_tcase(suite, palettes);
    return suite;
}

TEST_MAIN(make_suite)
