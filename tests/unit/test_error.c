#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "check_main.h"
#include "vedette/error.h"

START_TEST(an_error_has_a_code_a_place_and_a_sentence)
{
    vd_error error;
    ck_assert_int_eq(vd_error_set(&error, VD_EIO, "clip.mp4", "Block %d cannot be read.", 7), VD_EIO);
    ck_assert_int_eq(error.code, VD_EIO);
    ck_assert_str_eq(error.place, "clip.mp4");
    ck_assert_str_eq(error.text, "Block 7 cannot be read.");
    ck_assert_int_eq(vd_error_set(NULL, VD_EINVAL, NULL, "nobody asks"), VD_EINVAL);
    vd_error_set(&error, VD_EINVAL, NULL, "%s", "");
    ck_assert_str_eq(error.place, "");
}
END_TEST

START_TEST(an_error_may_be_made_from_itself)
{
    vd_error error;
    vd_error_set(&error, VD_EIO, "clip.mp4", "It broke.");
    vd_error_set(&error, VD_EFORMAT, error.place, "Really: %s", error.text);
    ck_assert_str_eq(error.place, "clip.mp4");
    ck_assert_str_eq(error.text, "Really: It broke.");
}
END_TEST

START_TEST(long_texts_are_cut_between_characters)
{
    char many[1200] = "";
    for (int i = 0; i < 300; i++)
        strcat(many, i % 2 ? "ä" : "€");
    vd_error error;
    for (int offset = 0; offset < 4; offset++) {
        vd_error_set(&error, VD_EIO, many + 5 * offset, "%.*s%s", offset, "abc", many);
        ck_assert_uint_ge(strlen(error.text), sizeof error.text - 4);
        ck_assert_uint_ge(strlen(error.place), sizeof error.place - 4);
        ck_assert_ptr_null(strstr(error.text, "\xef\xbf\xbd"));
        ck_assert_ptr_null(strstr(error.place, "\xef\xbf\xbd"));
    }
}
END_TEST

START_TEST(names_of_files_may_be_any_bytes)
{
    vd_error error;
    vd_error_set(&error, VD_ENOTFOUND, "a\xff\nb", "There is no '%s'.", "c\xfe\nd");
    ck_assert_str_eq(error.place, "a\xef\xbf\xbd b");
    ck_assert_str_eq(error.text, "There is no 'c\xef\xbf\xbd d'.");
}
END_TEST

START_TEST(every_code_has_a_name)
{
    ck_assert_str_eq(vd_code_name(VD_OK), "VD_OK");
    for (int code = VD_EUNSUPPORTED; code < 0; code++) {
        ck_assert_int_eq(strncmp(vd_code_name(code), "VD_E", 4), 0);
        for (int other = code + 1; other < 0; other++)
            ck_assert_str_ne(vd_code_name(code), vd_code_name(other));
    }
    ck_assert_str_eq(vd_code_name(1), "unknown code");
}
END_TEST

static void keep(void *context, vd_log_level level, const char *part, const char *message)
{
    char *kept = context;
    snprintf(kept, 600, "%d %s %s", (int)level, part, message);
}

START_TEST(the_log_is_one_line_an_event)
{
    char kept[600] = "nothing", many[1000];
    vd_log_set_sink(keep, kept, VD_LOG_INFO);
    vd_log(VD_LOG_DEBUG, "media", "too small");
    ck_assert_str_eq(kept, "nothing");
    vd_log(VD_LOG_INFO, "media", "name '%s'", "a\nvedette: error: forged");
    ck_assert_str_eq(kept, "1 media name 'a vedette: error: forged'");
    memset(many, 'x', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    vd_log(VD_LOG_ERROR, "media", "%s", many);
    ck_assert_uint_eq(strlen(kept), strlen("3 media ") + 511);
    vd_log_set_sink(NULL, NULL, VD_LOG_WARNING);
    vd_log(VD_LOG_INFO, "media", "not shown");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("error");
    TCase *errors = tcase_create("errors");
    tcase_add_test(errors, an_error_has_a_code_a_place_and_a_sentence);
    tcase_add_test(errors, an_error_may_be_made_from_itself);
    tcase_add_test(errors, long_texts_are_cut_between_characters);
    tcase_add_test(errors, names_of_files_may_be_any_bytes);
    tcase_add_test(errors, every_code_has_a_name);
    tcase_add_test(errors, the_log_is_one_line_an_event);
    suite_add_tcase(suite, errors);
    return suite;
}

TEST_MAIN(make_suite)
