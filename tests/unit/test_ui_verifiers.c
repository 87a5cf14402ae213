/* Which verifier goes with which source: one at a time, kept while it is the same, stopped when it is not. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "ui/verifiers.h"

static atomic_int wakes;

static void wake(void *context)
{
    (void)context;
    atomic_fetch_add(&wakes, 1);
}

static vd_settings settings_with(const char *model)
{
    vd_settings settings;
    vd_settings_init(&settings);
    strcpy(settings.step2.model_path, model);
    return settings;
}

static vd_verifier *choose(vd_verifiers *verifiers, const vd_settings *settings)
{
    vd_error error;
    vd_verifier *verifier = vd_verifiers_choose(verifiers, settings, "builtin:people", wake, NULL, &error);
    ck_assert_msg(error.code == VD_OK, "%s", error.text);
    return verifier;
}

START_TEST(off_without_a_model)
{
    vd_verifiers *verifiers = vd_verifiers_new();
    vd_settings settings = settings_with("");
    ck_assert_ptr_null(choose(verifiers, &settings));
    settings = settings_with("/nowhere/second.onnx");
    settings.step2.enabled = false;
    settings.step2.enabled_given = true;
    ck_assert_ptr_null(choose(verifiers, &settings));
    vd_verifiers_free(&verifiers);
    ck_assert_ptr_null(verifiers);
    vd_verifiers_free(&verifiers);
}
END_TEST

START_TEST(one_for_all_sources)
{
    vd_verifiers *verifiers = vd_verifiers_new();
    vd_settings one = settings_with("/nowhere/one.onnx"), two = settings_with("/nowhere/two.onnx");
    vd_verifier *first = choose(verifiers, &one);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_eq(choose(verifiers, &one), first);
    ck_assert_ptr_nonnull(choose(verifiers, &two));
    vd_verifiers_stop(verifiers);
    int before = atomic_load(&wakes);
    vd_verifiers_stop(verifiers);
    ck_assert_int_eq(atomic_load(&wakes), before);
    ck_assert_ptr_nonnull(choose(verifiers, &one)); /* after a stop another one */
    vd_verifiers_free(&verifiers);
}
END_TEST

/* The demonstration's detector brings its verifier where the settings are silent. */
START_TEST(the_demonstration_brings_its_own)
{
    char folder[] = "/tmp/vedette-verifiers-XXXXXX", file[64];
    vd_error error;
    vd_verifiers *verifiers = vd_verifiers_new();
    vd_settings settings = settings_with("");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(setenv("VEDETTE_MODELS", folder, 1), 0);
    ck_assert_ptr_null(vd_verifiers_choose(verifiers, &settings, "demo", wake, NULL, &error));
    snprintf(file, sizeof file, "%s/road-verifier.onnx", folder);
    fclose(fopen(file, "w"));
    ck_assert_ptr_null(vd_verifiers_choose(verifiers, &settings, "other.onnx", wake, NULL, &error));
    ck_assert_ptr_nonnull(vd_verifiers_choose(verifiers, &settings, "demo", wake, NULL, &error));
    settings.step2.enabled = false;
    settings.step2.enabled_given = true;
    ck_assert_ptr_null(vd_verifiers_choose(verifiers, &settings, "demo", wake, NULL, &error));
    vd_verifiers_free(&verifiers);
    remove(file);
    remove(folder);
}
END_TEST

/* By name, for whatever detects. */
START_TEST(the_demonstrations_by_name)
{
    char folder[] = "/tmp/vedette-verifiers-XXXXXX", file[64];
    vd_error error;
    vd_verifiers *verifiers = vd_verifiers_new();
    vd_settings settings = settings_with("demo");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(setenv("VEDETTE_MODELS", folder, 1), 0);
    ck_assert_ptr_null(vd_verifiers_choose(verifiers, &settings, "other.onnx", wake, NULL, &error));
    ck_assert_int_eq(error.code, VD_ENOTFOUND);
    ck_assert_ptr_nonnull(strstr(error.text, "road-verifier.onnx"));
    snprintf(file, sizeof file, "%s/road-verifier.onnx", folder);
    fclose(fopen(file, "w"));
    ck_assert_ptr_nonnull(choose(verifiers, &settings));
    vd_verifiers_free(&verifiers);
    remove(file);
    remove(folder);
}
END_TEST

/* A refusal is told, and leaves nothing behind. */
START_TEST(settings_that_are_refused)
{
    vd_error error;
    vd_verifiers *verifiers = vd_verifiers_new();
    vd_settings settings = settings_with("/nowhere/one.onnx");
    settings.step2.queue_size = 0;
    ck_assert_ptr_null(vd_verifiers_choose(verifiers, &settings, "builtin:people", wake, NULL, &error));
    ck_assert_int_eq(error.code, VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "queue_size"));
    vd_verifiers_free(&verifiers);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("ui_verifiers");
    TCase *all = tcase_create("all");
    tcase_add_test(all, off_without_a_model);
    tcase_add_test(all, one_for_all_sources);
    tcase_add_test(all, the_demonstration_brings_its_own);
    tcase_add_test(all, the_demonstrations_by_name);
    tcase_add_test(all, settings_that_are_refused);
    suite_add_tcase(suite, all);
    return suite;
}

TEST_MAIN(make_suite)
