#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_main.h"
#include "seeded.h"
#include "vedette/app/evaluate.h"

/* --- Figures by hand */

static vd_evaluation *evaluation_of(int classes)
{
    vd_evaluation *evaluation;
    ck_assert_int_eq(vd_evaluation_new(classes, &evaluation), VD_OK);
    return evaluation;
}

static vd_detection found_at(float x, float y, float side, float score, int class_id)
{
    return (vd_detection){.box = {x, y, x + side, y + side}, .score = score, .class_id = class_id};
}

static vd_truth truth_at(double x, double y, double side, int class_id)
{
    return (vd_truth){x, y, x + side, y + side, class_id};
}

static vd_evaluation_figures figures_of(const vd_evaluation *evaluation)
{
    vd_evaluation_figures figures;
    vd_error error = {0};
    ck_assert_int_eq(vd_evaluation_figure(evaluation, 0.25, &figures, &error), VD_OK);
    return figures;
}

static int confused(const vd_evaluation_figures *figures, int truth, int found)
{
    for (size_t i = 0; i < figures->confusion_count; i++)
        if (figures->confusion[i].truth == truth && figures->confusion[i].found == found)
            return figures->confusion[i].count;
    return 0;
}

START_TEST(test_all_right)
{
    vd_evaluation *evaluation = evaluation_of(3);
    const vd_detection found[] = {found_at(0, 0, 10, 0.5f, 2), found_at(50, 0, 10, 0.9f, 0)};
    const vd_truth truths[] = {truth_at(0, 0, 10, 2), truth_at(50, 0, 10, 0)};
    ck_assert_int_eq(vd_evaluation_add(evaluation, found, 2, truths, 2), VD_OK);
    ck_assert_int_eq(vd_evaluation_add(evaluation, NULL, 0, NULL, 0), VD_OK);
    vd_evaluation_figures figures = figures_of(evaluation);
    ck_assert_int_eq(figures.pictures, 2);
    ck_assert_int_eq(figures.labelled_classes, 2);
    ck_assert_uint_eq(figures.class_count, 2);
    ck_assert_int_eq(figures.classes[1].class_id, 2);
    ck_assert_double_eq_tol(figures.map50, 1, 1e-12);
    ck_assert_double_eq_tol(figures.map50_95, 1, 1e-12);
    ck_assert_double_eq_tol(figures.best_f1, 1, 1e-12);
    ck_assert_double_eq_tol(figures.best_threshold, 0.5, 1e-12);
    vd_evaluation_figures_clear(&figures);
    vd_evaluation_free(&evaluation);
}
END_TEST

/* Two labels; right at 0.9, wrong at 0.8, right at 0.7: precision 1 up to recall 0.5, then 2/3. */
START_TEST(test_curve)
{
    vd_evaluation *evaluation = evaluation_of(1);
    const vd_detection found[] = {found_at(0, 0, 10, 0.9f, 0), found_at(200, 0, 10, 0.8f, 0),
                                  found_at(50, 0, 10, 0.7f, 0)};
    const vd_truth truths[] = {truth_at(0, 0, 10, 0), truth_at(50, 0, 10, 0)};
    ck_assert_int_eq(vd_evaluation_add(evaluation, found, 3, truths, 2), VD_OK);
    vd_evaluation_figures figures = figures_of(evaluation);
    ck_assert_double_eq_tol(figures.map50, (51 + 50 * 2.0 / 3) / 101, 1e-12);
    ck_assert_double_eq_tol(figures.best_f1, 2 * 2.0 / 5, 1e-12);
    ck_assert_double_eq_tol(figures.best_threshold, 0.7, 1e-12);
    ck_assert_double_eq_tol(figures.best_precision, 2.0 / 3, 1e-12);
    ck_assert_double_eq_tol(figures.best_recall, 1, 1e-12);
    vd_evaluation_figures_clear(&figures);
    vd_evaluation_free(&evaluation);
}
END_TEST

/* An overlap of 0.81 is right at the first seven steps of ten (0.5 to 0.8). */
START_TEST(test_overlap)
{
    vd_evaluation *evaluation = evaluation_of(1);
    const vd_detection found = found_at(0, 0, 9, 0.9f, 0);
    const vd_truth truth = truth_at(0, 0, 10, 0);
    ck_assert_int_eq(vd_evaluation_add(evaluation, &found, 1, &truth, 1), VD_OK);
    vd_evaluation_figures figures = figures_of(evaluation);
    ck_assert_double_eq_tol(figures.map50, 1, 1e-12);
    ck_assert_double_eq_tol(figures.map50_95, 0.7, 1e-12);
    vd_evaluation_figures_clear(&figures);
    vd_evaluation_free(&evaluation);
}
END_TEST

/* One label, found twice: the lower score is wrong, and its class alone suffers. */
START_TEST(test_each_label_once)
{
    vd_evaluation *evaluation = evaluation_of(2);
    const vd_detection found[] = {found_at(1, 0, 10, 0.6f, 0), found_at(0, 0, 10, 0.4f, 0),
                                  found_at(0, 0, 10, 0.3f, 1)};
    const vd_truth truth = truth_at(0, 0, 10, 0);
    ck_assert_int_eq(vd_evaluation_add(evaluation, found, 3, &truth, 1), VD_OK);
    vd_evaluation_figures figures = figures_of(evaluation);
    ck_assert_double_eq_tol(figures.map50, 1, 1e-12); /* the curve is full before the second comes */
    ck_assert_int_eq(figures.labelled_classes, 1);
    ck_assert_double_eq_tol(figures.best_f1, 1, 1e-12);
    ck_assert_double_eq_tol(figures.best_threshold, 0.6, 1e-7);
    vd_evaluation_figures_clear(&figures);
    vd_evaluation_free(&evaluation);
}
END_TEST

START_TEST(test_confusion)
{
    vd_evaluation *evaluation = evaluation_of(3);
    const vd_detection found[] = {
        found_at(0, 0, 10, 0.9f, 1),    /* on the label of class 0 */
        found_at(0, 1, 10, 0.95f, 0),   /* on the same one, but not as well */
        found_at(300, 0, 10, 0.8f, 2),  /* on nothing */
        found_at(100, 0, 10, 0.7f, 2),  /* right */
        found_at(200, 0, 10, 0.24f, 1), /* right, but too unsure */
    };
    const vd_truth truths[] = {truth_at(0, 0, 10, 0), truth_at(100, 0, 10, 2), truth_at(200, 0, 10, 1)};
    ck_assert_int_eq(vd_evaluation_add(evaluation, found, 5, truths, 3), VD_OK);
    vd_evaluation_figures figures = figures_of(evaluation);
    ck_assert_int_eq(confused(&figures, 0, 1), 1);
    ck_assert_int_eq(confused(&figures, -1, 0), 1);
    ck_assert_int_eq(confused(&figures, -1, 2), 1);
    ck_assert_int_eq(confused(&figures, 2, 2), 1);
    ck_assert_int_eq(confused(&figures, 1, -1), 1);
    ck_assert_uint_eq(figures.confusion_count, 5);
    vd_evaluation_figures_clear(&figures);
    vd_evaluation_free(&evaluation);
}
END_TEST

START_TEST(test_refusals)
{
    vd_evaluation *evaluation = evaluation_of(2);
    vd_evaluation_figures figures;
    vd_error error = {0};
    vd_detection found = found_at(0, 0, 10, 0.5f, 2);
    vd_truth truth = truth_at(0, 0, 10, -1);
    ck_assert_int_eq(vd_evaluation_add(evaluation, &found, 1, NULL, 0), VD_EINVAL);
    ck_assert_int_eq(vd_evaluation_add(evaluation, NULL, 0, &truth, 1), VD_EINVAL);
    found = found_at(0, NAN, 10, 0.5f, 1);
    ck_assert_int_eq(vd_evaluation_add(evaluation, &found, 1, NULL, 0), VD_EINVAL);
    found = found_at(0, 0, 10, 0.5f, 1);
    ck_assert_int_eq(vd_evaluation_add(evaluation, &found, 1, NULL, 0), VD_OK);
    ck_assert_int_eq(vd_evaluation_figure(evaluation, 0.25, &figures, &error), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "labelled"));
    vd_evaluation_free(&evaluation);
    ck_assert_int_eq(vd_evaluation_new(0, &evaluation), VD_EINVAL);
    ck_assert_int_eq(vd_evaluation_new(VD_EVALUATE_CLASSES + 1, &evaluation), VD_EINVAL);
}
END_TEST

/* --- Against the definition, written out without curves: precision at a recall is the best that any cut
 * reaches which has at least this recall */

enum { PICTURES = 12, EACH = 20, LABELS = 9 };

struct case_found {
    vd_detection at;
    int picture;
};

static double plain_iou(const vd_truth *a, const vd_box *b)
{
    double x2 = round(b->x2 * 100.0) / 100, y2 = round(b->y2 * 100.0) / 100; /* as written */
    double x1 = round(b->x1 * 100.0) / 100, y1 = round(b->y1 * 100.0) / 100;
    double w = fmin(a->x2, x2) - fmax(a->x1, x1), h = fmin(a->y2, y2) - fmax(a->y1, y1);
    double both = w > 0 && h > 0 ? w * h : 0;
    return both / ((a->x2 - a->x1) * (a->y2 - a->y1) + (x2 - x1) * (y2 - y1) - both);
}

/* Scores differ, so the order is plain: the highest that is left, again and again. */
static double plain_ap50(const struct case_found *found, size_t count,
                         const vd_truth truths[PICTURES][LABELS])
{
    bool used[PICTURES * EACH] = {false}, taken[PICTURES][LABELS] = {{false}}, right[PICTURES * EACH];
    for (size_t n = 0; n < count; n++) {
        size_t top = count;
        for (size_t i = 0; i < count; i++)
            if (!used[i] && (top == count || found[i].at.score > found[top].at.score))
                top = i;
        used[top] = true;
        int best = -1, picture = found[top].picture;
        double most = 0.5;
        for (int j = 0; j < LABELS; j++) {
            double iou = plain_iou(&truths[picture][j], &found[top].at.box);
            if (!taken[picture][j] && iou >= most) {
                most = iou;
                best = j;
            }
        }
        right[n] = best >= 0;
        if (best >= 0)
            taken[picture][best] = true;
    }
    double sum = 0;
    for (int r = 0; r <= 100; r++) {
        double best = 0, hits = 0;
        for (size_t n = 0; n < count; n++) {
            hits += right[n];
            if (hits * 100 >= (double)r * PICTURES * LABELS)
                best = fmax(best, hits / (double)(n + 1));
        }
        sum += best;
    }
    return sum / 101;
}

START_TEST(test_against_the_definition)
{
    static vd_truth truths[PICTURES][LABELS];
    static struct case_found all[PICTURES * EACH];
    uint64_t seed = (uint64_t)_i + 1;
    vd_evaluation *evaluation = evaluation_of(1);
    for (int p = 0; p < PICTURES; p++) {
        vd_detection found[EACH];
        for (int j = 0; j < LABELS; j++)
            truths[p][j] = truth_at(seeded_below(&seed, 200), seeded_below(&seed, 200), 40, 0);
        for (int i = 0; i < EACH; i++) {
            const vd_truth *near = &truths[p][seeded_below(&seed, LABELS)];
            float score = (float)((p * EACH + i) * 77 % (PICTURES * EACH) + 1) / (PICTURES * EACH + 1);
            found[i] = found_at((float)near->x1 + (float)seeded_below(&seed, 30) - 15,
                                (float)near->y1 + (float)seeded_below(&seed, 20) - 10, 40, score, 0);
            all[p * EACH + i] = (struct case_found){found[i], p};
        }
        ck_assert_int_eq(vd_evaluation_add(evaluation, found, EACH, truths[p], LABELS), VD_OK);
    }
    vd_evaluation_figures figures = figures_of(evaluation);
    ck_assert_double_eq_tol(figures.map50, plain_ap50(all, PICTURES * EACH, truths), 1e-9);
    ck_assert(figures.map50 > 0.05 && figures.map50 < 0.95);
    ck_assert_int_eq(figures.labels, PICTURES * LABELS);
    ck_assert_int_eq(figures.detections, PICTURES * EACH);
    vd_evaluation_figures_clear(&figures);
    vd_evaluation_free(&evaluation);
}
END_TEST

/* --- Label files */

static int read_text(const char *text, vd_truth **ret_truths, size_t *ret_count, vd_error *error)
{
    char path[] = "/tmp/vedette-labels-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    int code = vd_truth_read(path, 200, 100, 3, ret_truths, ret_count, error);
    unlink(path);
    return code;
}

START_TEST(test_labels)
{
    vd_truth *truths;
    size_t count;
    vd_error error = {0};
    ck_assert_int_eq(read_text("0 0.5 0.5 0.2 0.4\n\n \t2 1 1 1e-1 .5\r\n", &truths, &count, &error), VD_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_double_eq_tol(truths[0].x1, 80, 1e-9);
    ck_assert_double_eq_tol(truths[0].y1, 30, 1e-9);
    ck_assert_double_eq_tol(truths[0].x2, 120, 1e-9);
    ck_assert_double_eq_tol(truths[0].y2, 70, 1e-9);
    ck_assert_int_eq(truths[1].class_id, 2);
    free(truths);
    ck_assert_int_eq(read_text("", &truths, &count, &error), VD_OK);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_eq(vd_truth_read("/no/such/labels.txt", 200, 100, 3, &truths, &count, &error), VD_OK);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_eq(vd_truth_read("/tmp", 200, 100, 3, &truths, &count, &error), VD_EIO);
}
END_TEST

static const struct wrong {
    const char *text, *says, *line;
} wrong[] = {
    {"0 0.5 0.5 0.2\n", "has 4 numbers", "line 1"},
    {"0 0.5 0.5 0.2 0.2\n1 0.1 0.1 0.2 0.2 0.3 0.3\n", "outlines", "line 2"},
    {"0 0.5 0.5 0.2 0.2\n\nperson 0.5 0.5 0.2 0.2\n", "\"person\"", "line 3"},
    {"0 0,5 0.5 0.2 0.2\n", "\"0,5\"", "line 1"},
    {"3 0.5 0.5 0.2 0.2\n", "0 to 2", "line 1"},
    {"1.5 0.5 0.5 0.2 0.2\n", "whole number", "line 1"},
    {"-1 0.5 0.5 0.2 0.2\n", "0 to 2", "line 1"},
    {"0 100 0.5 0.2 0.2\n", "centre x of 100", "line 1"},
    {"0 0.5 0.5 -0.2 0.2\n", "width of -0.2", "line 1"},
    {"0 0.5 0.5 nan 0.2\n", "\"nan\"", "line 1"},
};

START_TEST(test_wrong_labels)
{
    vd_truth *truths;
    size_t count;
    vd_error error = {0};
    ck_assert_int_eq(read_text(wrong[_i].text, &truths, &count, &error), VD_EFORMAT);
    ck_assert_msg(strstr(error.text, wrong[_i].says), "%s", error.text);
    ck_assert_msg(strstr(error.place, wrong[_i].line), "%s", error.place);
}
END_TEST

static Suite *evaluate_suite(void)
{
    Suite *suite = suite_create("evaluate");
    TCase *figures = tcase_create("figures"), *labels = tcase_create("labels");
    tcase_add_test(figures, test_all_right);
    tcase_add_test(figures, test_curve);
    tcase_add_test(figures, test_overlap);
    tcase_add_test(figures, test_each_label_once);
    tcase_add_test(figures, test_confusion);
    tcase_add_test(figures, test_refusals);
    tcase_add_loop_test(figures, test_against_the_definition, 0, 20);
    tcase_add_test(labels, test_labels);
    tcase_add_loop_test(labels, test_wrong_labels, 0, sizeof wrong / sizeof *wrong);
    suite_add_tcase(suite, figures);
    suite_add_tcase(suite, labels);
    return suite;
}

TEST_MAIN(evaluate_suite)
