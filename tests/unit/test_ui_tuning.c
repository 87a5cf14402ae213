/* Tuning: classes by name over a change of the model, and a history that a slider does not fill. */
#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "ui/tuning.h"
#include "vedette/detection.h"

static vd_settings settings;
static vd_tuning tuning;

static void make_tuning(void)
{
    memset(&settings, 0, sizeof settings);
    settings.confidence = 0.25;
    settings.iou = 0.45;
    vd_tuning_init(&tuning, &settings);
}

START_TEST(settings_are_brought_into_range)
{
    settings.confidence = 0.001;
    settings.iou = 3;
    settings.class_count = 2;
    strcpy(settings.classes[0], "person");
    strcpy(settings.classes[1], "car");
    vd_tuning_init(&tuning, &settings);
    ck_assert_double_eq(tuning.confidence, VD_CONFIDENCE_MIN);
    ck_assert_double_eq(tuning.iou, 1);
    ck_assert(vd_tuning_has_class(&tuning, "car"));
    ck_assert(!vd_tuning_has_class(&tuning, "bus"));
}
END_TEST

START_TEST(classes_are_a_set)
{
    ck_assert(vd_tuning_set_class(&tuning, "person", true));
    ck_assert(!vd_tuning_set_class(&tuning, "person", true));
    ck_assert(vd_tuning_set_class(&tuning, "car", true));
    ck_assert(vd_tuning_set_class(&tuning, "person", false));
    ck_assert(!vd_tuning_set_class(&tuning, "person", false));
    ck_assert(!vd_tuning_set_class(&tuning, "", true));
    ck_assert_int_eq(tuning.class_count, 1);
    ck_assert_str_eq(tuning.classes[0], "car");
    for (int i = 0; i < VD_MAX_CLASS_NAMES + 5; i++) {
        char name[16];
        snprintf(name, sizeof name, "class %d", i);
        vd_tuning_set_class(&tuning, name, true);
    }
    ck_assert_int_eq(tuning.class_count, VD_MAX_CLASS_NAMES);
}
END_TEST

START_TEST(equality_knows_no_order)
{
    vd_tuning other = tuning;
    vd_tuning_set_class(&tuning, "a", true);
    vd_tuning_set_class(&tuning, "b", true);
    ck_assert(!vd_tuning_equal(&tuning, &other));
    vd_tuning_set_class(&other, "b", true);
    vd_tuning_set_class(&other, "a", true);
    ck_assert(vd_tuning_equal(&tuning, &other));
    other.iou += 0.01;
    ck_assert(!vd_tuning_equal(&tuning, &other));
}
END_TEST

START_TEST(names_become_bits_of_the_model)
{
    const char *names[] = {"person", "bicycle", "car"};
    vd_labels *labels = NULL;
    vd_thresholds thresholds;
    ck_assert_int_eq(vd_labels_new(names, 3, &labels), VD_OK);
    tuning.confidence = 0.6;
    vd_tuning_set_class(&tuning, "car", true);
    vd_tuning_set_class(&tuning, "giraffe", true);
    vd_tuning_thresholds(&tuning, 100, labels, &thresholds);
    ck_assert_float_eq(thresholds.confidence, 0.6f);
    ck_assert_int_eq(thresholds.max_detections, 100);
    ck_assert_uint_eq(thresholds.classes[0], UINT64_C(1) << 2);
    vd_tuning_set_class(&tuning, "car", false);
    vd_tuning_thresholds(&tuning, 100, labels, &thresholds);
    ck_assert_uint_eq(thresholds.classes[0], 0);
    vd_tuning_thresholds(&tuning, 100, NULL, &thresholds);
    ck_assert_uint_eq(thresholds.classes[0], 0);
    vd_labels_unref(&labels);
}
END_TEST

START_TEST(defaults_follow_the_model_and_the_operator_wins)
{
    vd_tuning defaults = tuning;
    vd_tuning_suit(&tuning, &defaults, 0.6f, 0.3f); /* faces */
    ck_assert_double_eq(tuning.confidence, 0.6);
    ck_assert_double_eq(tuning.iou, 0.3);
    ck_assert(vd_tuning_equal(&tuning, &defaults));
    tuning.confidence = 0.7;
    vd_tuning_suit(&tuning, &defaults, 0.25f, 0.45f);
    ck_assert_double_eq(tuning.confidence, 0.7); /* set by hand */
    ck_assert_double_eq(tuning.iou, 0.45);
    ck_assert_double_eq(defaults.confidence, 0.25);
    vd_tuning_suit(&tuning, &defaults, 0, 0); /* the settings have both */
    ck_assert_double_eq(defaults.confidence, 0.25);
    ck_assert_double_eq(tuning.iou, 0.45);
}
END_TEST

START_TEST(one_drag_is_one_step)
{
    vd_history *history = vd_history_new();
    vd_tuning before = tuning, popped;
    ck_assert(vd_history_is_empty(history));
    for (int i = 0; i < 20; i++) {
        vd_history_push(history, &tuning, VD_TUNE_CONFIDENCE, i * 100000);
        tuning.confidence += 0.01;
    }
    vd_tuning dragged = tuning;
    vd_history_push(history, &tuning, VD_TUNE_IOU, 2000000);
    tuning.iou = 0.5;
    ck_assert(vd_history_pop(history, &popped));
    ck_assert(vd_tuning_equal(&popped, &dragged));
    ck_assert(vd_history_pop(history, &popped));
    ck_assert(vd_tuning_equal(&popped, &before));
    ck_assert(!vd_history_pop(history, &popped));
    vd_history_free(&history);
}
END_TEST

START_TEST(a_pause_begins_a_step_and_the_oldest_goes)
{
    vd_history *history = vd_history_new();
    vd_tuning popped = {0};
    int steps = 0;
    for (int i = 0; i < 80; i++) {
        tuning.confidence = i;
        vd_history_push(history, &tuning, VD_TUNE_CONFIDENCE, i * INT64_C(1500000));
    }
    while (vd_history_pop(history, &popped))
        steps++;
    ck_assert_int_eq(steps, 50);
    ck_assert_double_eq(popped.confidence, 30);
    vd_history_free(&history);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("ui_tuning");
    TCase *values = tcase_create("values");
    tcase_add_checked_fixture(values, make_tuning, NULL);
    tcase_add_test(values, settings_are_brought_into_range);
    tcase_add_test(values, classes_are_a_set);
    tcase_add_test(values, equality_knows_no_order);
    tcase_add_test(values, names_become_bits_of_the_model);
    tcase_add_test(values, defaults_follow_the_model_and_the_operator_wins);
    tcase_add_test(values, one_drag_is_one_step);
    tcase_add_test(values, a_pause_begins_a_step_and_the_oldest_goes);
    suite_add_tcase(suite, values);
    return suite;
}

TEST_MAIN(make_suite)
