/* What stands behind demo:, read, checked and written again. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "scene/scene.h"

START_TEST(options_are_read)
{
    vd_scene_options options = VD_SCENE_OPTIONS_INIT;
    ck_assert_int_eq(vd_scene_parse("", &options, NULL), VD_OK);
    ck_assert_int_eq(vd_scene_parse(NULL, &options, NULL), VD_OK);
    ck_assert_int_eq(options.width, 1280);
    ck_assert(!options.free_pace && !options.night && !options.from_pole);
    ck_assert_int_eq(options.hazards, 12);
    ck_assert_int_eq(vd_scene_parse("seed=7,size=640x360,fps=29.97,pace=free,hazards=30,night=1,view=pole",
                                    &options, NULL),
                     VD_OK);
    ck_assert_uint_eq(options.seed, 7);
    ck_assert_int_eq(options.width, 640);
    ck_assert_int_eq(options.height, 360);
    ck_assert_double_eq(options.frames_per_s, 29.97);
    ck_assert_int_eq(options.hazards, 30);
    ck_assert(options.free_pace && options.night && options.from_pole);
    ck_assert_int_eq(vd_scene_parse("pace=live,night=0,view=vehicle,hazards=0", &options, NULL), VD_OK);
    ck_assert(!options.free_pace && !options.night && !options.from_pole);
    ck_assert_int_eq(options.hazards, 0);
}
END_TEST

START_TEST(an_address_opens_the_same_scene)
{
    static const char *const TEXTS[] = {
        "seed=1",
        "seed=4294967295,hazards=30,size=3840x3840,fps=29.970029970029973,night=1,view=pole",
        "seed=0,hazards=0,fps=12.5",
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        vd_scene_options options = VD_SCENE_OPTIONS_INIT, again = VD_SCENE_OPTIONS_INIT;
        char address[VD_SCENE_ADDRESS];
        ck_assert_int_eq(vd_scene_parse(TEXTS[i], &options, NULL), VD_OK);
        vd_scene_address(&options, address);
        ck_assert_int_eq(strncmp(address, "demo:", 5), 0);
        ck_assert_str_eq(address + 5, TEXTS[i]);
        ck_assert_int_eq(vd_scene_parse(address + 5, &again, NULL), VD_OK);
        ck_assert_mem_eq(&options, &again, sizeof(options));
    }
}
END_TEST

typedef struct refusal {
    const char *text, *key, *value, *range;
} refusal;

static const refusal REFUSALS[] = {
    {"fps=0", "fps", "0", "1 to 120"},
    {"fps=121", "fps", "121", "1 to 120"},
    {"fps=nan", "fps", "nan", "1 to 120"},
    {"fps=25x", "fps", "25x", "1 to 120"},
    {"fps=", "fps", "\"\"", "1 to 120"},
    {"size=10x10", "size", "10x10", "64 to 3840"},
    {"size=1280", "size", "1280", "64 to 3840"},
    {"size=1280x720x3", "size", "1280x720x3", "64 to 3840"},
    {"size=99999999999x720", "size", "99999999999x720", "64 to 3840"},
    {"size=-640x360", "size", "-640x360", "64 to 3840"},
    {"seed=-1", "seed", "-1", "0 to 4294967295"},
    {"seed=1.5", "seed", "1.5", "0 to 4294967295"},
    {"seed=4294967296", "seed", "4294967296", "0 to 4294967295"},
    {"hazards=-1", "hazards", "-1", "0 to 30"},
    {"hazards=31", "hazards", "31", "0 to 30"},
    {"hazards=2.5", "hazards", "2.5", "0 to 30"},
    {"hazards=many", "hazards", "many", "0 to 30"},
    {"night=2", "night", "2", "0 (day) or 1 (night)"},
    {"night=yes", "night", "yes", "0 (day) or 1 (night)"},
    {"night=", "night", "\"\"", "0 (day) or 1 (night)"},
    {"view=roof", "view", "roof", "vehicle"},
    {"view=Pole", "view", "Pole", "pole"},
    {"pace=fast", "pace", "fast", "live"},
    {"rain=1", "rain", "1", "seed, hazards, size, fps, night, view and pace"},
    /* Not 0, which it begins with. */
    {"seed=0000000000000000000000000000000000000000000000000000000000000000007", "seed", "000", "key=value"},
    {"seed", "seed", "seed", "key=value"},
    {"seed=1,,fps=3", "", "", "key=value"},
};

START_TEST(wrong_options_are_refused_with_key_value_and_range)
{
    const refusal *r = &REFUSALS[_i];
    vd_scene_options options = VD_SCENE_OPTIONS_INIT, before = options;
    vd_error error = {0};
    char text[128];
    snprintf(text, sizeof(text), "seed=3,%s", r->text);
    ck_assert_int_eq(vd_scene_parse(text, &options, &error), VD_EINVAL);
    ck_assert_int_eq(error.code, VD_EINVAL);
    ck_assert_msg(strstr(error.text, r->key) && strstr(error.text, r->value) && strstr(error.text, r->range),
                  "\"%s\" says: %s", r->text, error.text);
    ck_assert_mem_eq(&options, &before, sizeof(options));
}
END_TEST

START_TEST(impossible_scenes_are_refused)
{
    vd_scene_options options = VD_SCENE_OPTIONS_INIT;
    vd_scene *scene = NULL;
    vd_error error = {0};
    options.width = 63;
    ck_assert_int_eq(vd_scene_new(&options, &scene, &error), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "63"));
    options.width = 640;
    options.hazards = -1;
    ck_assert_int_eq(vd_scene_new(&options, &scene, &error), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "-1"));
    options.hazards = 31;
    ck_assert_int_eq(vd_scene_new(&options, &scene, &error), VD_EINVAL);
    options.hazards = 30;
    options.frames_per_s = NAN;
    ck_assert_int_eq(vd_scene_new(&options, &scene, &error), VD_EINVAL);
    ck_assert_ptr_null(scene);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("scene_options");
    TCase *options = tcase_create("options");
    tcase_add_test(options, options_are_read);
    tcase_add_test(options, an_address_opens_the_same_scene);
    tcase_add_loop_test(options, wrong_options_are_refused_with_key_value_and_range, 0,
                        sizeof(REFUSALS) / sizeof(REFUSALS[0]));
    tcase_add_test(options, impossible_scenes_are_refused);
    suite_add_tcase(suite, options);
    return suite;
}

TEST_MAIN(make_suite)
