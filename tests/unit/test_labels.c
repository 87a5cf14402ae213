#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"
#include "check_main.h"
#include "vedette/detection.h"
#include "vedette/error.h"

START_TEST(names_are_found_by_number_and_back)
{
    const char *const names[] = {"person", NULL, "", "traffic light", "Bär"};
    vd_labels *labels = NULL;
    ck_assert_int_eq(vd_labels_new(names, 5, &labels), VD_OK);
    ck_assert_int_eq(vd_labels_count(labels), 5);
    ck_assert_str_eq(vd_labels_name(labels, 0), "person");
    ck_assert_str_eq(vd_labels_name(labels, 1), "class 1");
    ck_assert_str_eq(vd_labels_name(labels, 2), "class 2");
    ck_assert_str_eq(vd_labels_name(labels, 4), "Bär");
    ck_assert_int_eq(vd_labels_find(labels, "Traffic LIGHT"), 3);
    ck_assert_int_eq(vd_labels_find(labels, "class 1"), 1);
    ck_assert_int_eq(vd_labels_find(labels, "traffic"), -1);
    ck_assert_int_eq(vd_labels_find(labels, ""), -1);
    vd_labels_unref(&labels);
    ck_assert_ptr_null(labels);
}
END_TEST

START_TEST(classes_without_a_name_have_a_number)
{
    const char *const names[] = {"person"};
    vd_labels *labels = NULL;
    ck_assert_int_eq(vd_labels_new(names, 1, &labels), VD_OK);
    for (int id = 0; id < 1000; id++) {
        char wanted[32];
        snprintf(wanted, sizeof wanted, "class %d", id);
        ck_assert_str_eq(vd_labels_name(NULL, id), wanted);
        if (id > 0)
            ck_assert_str_eq(vd_labels_name(labels, id), wanted);
    }
    ck_assert_str_eq(vd_labels_name(labels, -1), "unknown class");
    ck_assert_str_eq(vd_labels_name(labels, 2000000000), "unknown class");
    ck_assert_int_eq(vd_labels_count(NULL), 0);
    ck_assert_int_eq(vd_labels_find(NULL, "person"), -1);
    vd_labels_unref(&labels);
    vd_labels_unref(&labels);
    ck_assert_ptr_null(vd_labels_ref(NULL));
}
END_TEST

START_TEST(names_become_one_short_line)
{
    char many[300] = "";
    for (int i = 0; i < 100; i++)
        strcat(many, "ä");
    const char *const names[] = {many, "a\nb\x1b[0m", "\xff\xfe", "\n"};
    vd_labels *labels = NULL;
    ck_assert_int_eq(vd_labels_new(names, 4, &labels), VD_OK);
    ck_assert_uint_eq(strlen(vd_labels_name(labels, 0)), 62);
    ck_assert_str_eq(vd_labels_name(labels, 1), "a b [0m");
    ck_assert_str_eq(vd_labels_name(labels, 2), "\xef\xbf\xbd\xef\xbf\xbd");
    ck_assert_str_eq(vd_labels_name(labels, 3), " ");
    vd_labels_unref(&labels);
}
END_TEST

START_TEST(impossible_numbers_of_names_are_refused)
{
    vd_labels *labels = NULL;
    ck_assert_int_eq(vd_labels_new(NULL, -1, &labels), VD_EINVAL);
    ck_assert_int_eq(vd_labels_new(NULL, 1000000000, &labels), VD_EINVAL);
    ck_assert_ptr_null(labels);
    ck_assert_int_eq(vd_labels_new(NULL, 0, &labels), VD_OK);
    ck_assert_int_eq(vd_labels_count(labels), 0);
    ck_assert_str_eq(vd_labels_name(labels, 12), "class 12");
    vd_labels_unref(&labels);
}
END_TEST

static void share(void *context)
{
    for (int i = 0; i < 5000; i++) {
        vd_labels *mine = vd_labels_ref(context);
        vd_labels_unref(&mine);
    }
    vd_labels *last = context;
    vd_labels_unref(&last);
}

START_TEST(threads_share_labels)
{
    const char *const names[] = {"person"};
    vd_thread threads[4] = {0};
    vd_labels *labels = NULL;
    ck_assert_int_eq(vd_labels_new(names, 1, &labels), VD_OK);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(vd_thread_start(&threads[i], "shares", share, vd_labels_ref(labels)), VD_OK);
    ck_assert_str_eq(vd_labels_name(labels, 0), "person");
    vd_labels_unref(&labels);
    for (int i = 0; i < 4; i++)
        vd_thread_join(&threads[i]);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("labels");
    TCase *labels = tcase_create("labels");
    tcase_set_timeout(labels, 30);
    tcase_add_test(labels, names_are_found_by_number_and_back);
    tcase_add_test(labels, classes_without_a_name_have_a_number);
    tcase_add_test(labels, names_become_one_short_line);
    tcase_add_test(labels, impossible_numbers_of_names_are_refused);
    tcase_add_test(labels, threads_share_labels);
    suite_add_tcase(suite, labels);
    return suite;
}

TEST_MAIN(make_suite)
