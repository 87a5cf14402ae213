/* The name `demo` and the file behind it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_main.h"
#include "vedette/app/camera.h"
#include "vedette/app/models.h"

static char folder[64];

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/vedette-models-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(setenv("VEDETTE_MODELS", folder, 1), 0);
}

static void remove_folder(void)
{
    static const char *const NAMES[] = {"detector", "verifier"};
    for (int i = 0; i < 2; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/road-%s.onnx", folder, NAMES[i]);
        unlink(path);
    }
    ck_assert_int_eq(rmdir(folder), 0);
}

static void write_model(const char *kind)
{
    char path[128];
    snprintf(path, sizeof path, "%s/road-%s.onnx", folder, kind);
    FILE *stream = fopen(path, "w");
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_eq(fclose(stream), 0);
}

START_TEST(every_other_name_is_itself)
{
    static const char *const NAMES[] = {"builtin:people", "./demo", "demo.onnx", "/a/b.onnx", ""};
    char found[VD_MODEL_PATH];
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        ck_assert_int_eq(vd_model_find(NAMES[i], found, NULL), VD_OK);
        ck_assert_str_eq(found, NAMES[i]);
    }
}
END_TEST

START_TEST(demo_is_the_file_in_the_folder_of_models)
{
    char found[VD_MODEL_PATH] = "untouched", expected[128];
    vd_error error = {0};
    ck_assert_int_eq(vd_model_find("demo", found, &error), VD_ENOTFOUND);
    ck_assert_str_eq(found, "untouched");
    ck_assert_ptr_nonnull(strstr(error.text, "road-detector.onnx"));
    ck_assert_ptr_nonnull(strstr(error.text, folder));
    write_model("detector");
    ck_assert_int_eq(vd_model_find("demo", found, &error), VD_OK);
    snprintf(expected, sizeof expected, "%s/road-detector.onnx", folder);
    ck_assert_str_eq(found, expected);
}
END_TEST

START_TEST(the_settings_name_a_verifier)
{
    vd_settings settings;
    vd_verify_options options;
    char expected[128];
    vd_settings_init(&settings);
    strcpy(settings.step2.model_path, "demo");
    ck_assert(vd_verify_options_from_settings(&settings, &options));
    ck_assert_str_eq(options.model_path, "demo");
    write_model("detector");
    ck_assert(vd_verify_options_from_settings(&settings, &options));
    ck_assert_str_eq(options.model_path, "demo");
    write_model("verifier");
    ck_assert(vd_verify_options_from_settings(&settings, &options));
    snprintf(expected, sizeof expected, "%s/road-verifier.onnx", folder);
    ck_assert_str_eq(options.model_path, expected);
    strcpy(settings.step2.model_path, "./demo");
    ck_assert(vd_verify_options_from_settings(&settings, &options));
    ck_assert_str_eq(options.model_path, "./demo");
}
END_TEST

START_TEST(the_default_is_what_is_there)
{
    ck_assert_str_eq(vd_model_default("demo:"), "builtin:motion");
    ck_assert_str_eq(vd_model_default("demo:night=1"), "builtin:motion");
    write_model("detector");
    ck_assert_str_eq(vd_model_default("demo:night=1"), "demo");
    ck_assert_str_eq(vd_model_default("demo.mp4"), "builtin:people");
    ck_assert_str_eq(vd_model_default("/dev/video0"), "builtin:people");
}
END_TEST

START_TEST(a_name_without_end_is_refused)
{
    static char name[2 * VD_MODEL_PATH];
    char found[VD_MODEL_PATH] = "untouched";
    vd_error error = {0};
    memset(name, 'a', sizeof name - 1);
    ck_assert_int_eq(vd_model_find(name, found, &error), VD_EINVAL);
    ck_assert_str_eq(found, "untouched");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("demo_model");
    TCase *names = tcase_create("names");
    tcase_add_checked_fixture(names, make_folder, remove_folder);
    tcase_add_test(names, every_other_name_is_itself);
    tcase_add_test(names, demo_is_the_file_in_the_folder_of_models);
    tcase_add_test(names, the_settings_name_a_verifier);
    tcase_add_test(names, the_default_is_what_is_there);
    tcase_add_test(names, a_name_without_end_is_refused);
    suite_add_tcase(suite, names);
    return suite;
}

TEST_MAIN(make_suite)
