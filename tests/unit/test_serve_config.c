/* A session's configuration: what is taken, what is refused and how that is said, what is told back. */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "serve/config.h"
#include "vedette/detection.h"

static const vd_session_config start = {.fps_limit = 10,
                                        .confidence_threshold = 0.25,
                                        .iou_threshold = 0.45,
                                        .enable_tracking = true,
                                        .quality_mode = VD_QUALITY_BALANCED,
                                        .max_detections = 100};

static bool is_start(const vd_session_config *config)
{
    return config->fps_limit == start.fps_limit && config->max_detections == start.max_detections &&
           config->confidence_threshold == start.confidence_threshold &&
           config->iou_threshold == start.iou_threshold && config->enable_tracking == start.enable_tracking &&
           config->quality_mode == start.quality_mode;
}

static json_t *parse(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    ck_assert_msg(value != NULL, "%s is no JSON", text);
    return value;
}

static int change(vd_session_config *config, const char *text, vd_refusal *refusal, vd_error *error)
{
    json_t *changes = parse(text);
    int code = vd_session_config_change(config, changes, 30, refusal, error);
    json_decref(changes);
    return code;
}

START_TEST(test_all_fields)
{
    vd_session_config config = start;
    ck_assert_int_eq(change(&config,
                            "{\"fps_limit\":30,\"confidence_threshold\":1,\"iou_threshold\":0,"
                            "\"enable_tracking\":false,\"quality_mode\":\"fast\",\"max_detections\":300}",
                            NULL, NULL),
                     VD_OK);
    ck_assert_int_eq(config.fps_limit, 30);
    ck_assert_double_eq(config.confidence_threshold, 1);
    ck_assert_double_eq(config.iou_threshold, 0);
    ck_assert(!config.enable_tracking);
    ck_assert_int_eq(config.quality_mode, VD_QUALITY_FAST);
    ck_assert_int_eq(config.max_detections, 300);
    ck_assert_int_eq(change(&config, "{}", NULL, NULL), VD_OK);
    ck_assert_int_eq(change(&config, "{\"fps_limit\":15.0,\"enable_tracking\":true}", NULL, NULL), VD_OK);
    ck_assert_int_eq(config.fps_limit, 15);
    ck_assert(config.enable_tracking);
}
END_TEST

static const struct {
    const char *changes, *field, *value, *sentence;
} refused[] = {
    {"{\"fps_limit\":99}", "fps_limit", "99", "fps_limit is 99; it must be a whole number from 1 to 30."},
    {"{\"fps_limit\":0}", "fps_limit", "0", "fps_limit is 0; it must be a whole number from 1 to 30."},
    {"{\"fps_limit\":31}", "fps_limit", "31", "fps_limit is 31; it must be a whole number from 1 to 30."},
    {"{\"fps_limit\":-1}", "fps_limit", "-1", "fps_limit is -1; it must be a whole number from 1 to 30."},
    {"{\"fps_limit\":1e300}", "fps_limit", "1e300", NULL},
    {"{\"fps_limit\":9223372036854775807}", "fps_limit", "9223372036854775807", NULL},
    {"{\"fps_limit\":2.5}", "fps_limit", "2.5", "fps_limit is 2.5; it must be a whole number from 1 to 30."},
    {"{\"fps_limit\":\"15\"}", "fps_limit", "\"15\"",
     "fps_limit is \"15\"; it must be a whole number from 1 to 30."},
    {"{\"fps_limit\":true}", "fps_limit", "true", NULL},
    {"{\"fps_limit\":null}", "fps_limit", "null", NULL},
    {"{\"confidence_threshold\":1.1}", "confidence_threshold", "1.1",
     "confidence_threshold is 1.1; it must be a number from 0 to 1."},
    {"{\"confidence_threshold\":-0.01}", "confidence_threshold", "-0.01", NULL},
    {"{\"iou_threshold\":[0.5]}", "iou_threshold", "[0.5]",
     "iou_threshold is [0.5]; it must be a number from 0 to 1."},
    {"{\"enable_tracking\":1}", "enable_tracking", "1", "enable_tracking is 1; it must be true or false."},
    {"{\"enable_tracking\":\"true\"}", "enable_tracking", "\"true\"", NULL},
    {"{\"quality_mode\":\"best\"}", "quality_mode", "\"best\"",
     "quality_mode is \"best\"; it must be \"fast\", \"balanced\" or \"accurate\"."},
    {"{\"quality_mode\":2}", "quality_mode", "2", NULL},
    {"{\"max_detections\":0}", "max_detections", "0", NULL},
    {"{\"max_detections\":301}", "max_detections", "301",
     "max_detections is 301; it must be a whole number from 1 to 300."},
    {"{\"fps_limt\":5}", "fps_limt", "5", "There is no field `fps_limt`; did you mean `fps_limit`?"},
    {"{\"colour\":{\"a\":1}}", "colour", "{\"a\":1}",
     "There is no field `colour`; there are fps_limit, confidence_threshold, iou_threshold, enable_tracking, "
     "quality_mode, max_detections."},
    {"[1]", "config", "[1]", NULL},
    {"7", "config", "7", NULL},
};

START_TEST(test_refused)
{
    vd_session_config config = start;
    vd_refusal refusal;
    vd_error error;
    ck_assert_int_eq(change(&config, refused[_i].changes, &refusal, &error), VD_EINVAL);
    ck_assert_str_eq(refusal.field, refused[_i].field);
    ck_assert_str_eq(refusal.value, refused[_i].value);
    ck_assert(refusal.range[0] != '\0');
    if (refused[_i].sentence)
        ck_assert_str_eq(error.text, refused[_i].sentence);
    ck_assert(is_start(&config));
    ck_assert_int_eq(change(&config, refused[_i].changes, NULL, NULL), VD_EINVAL);
}
END_TEST

/* A wrong field refuses the right ones beside it, wherever it stands. */
START_TEST(test_all_or_none)
{
    static const char *const both[] = {"{\"fps_limit\":5,\"iou_threshold\":2}",
                                       "{\"iou_threshold\":2,\"fps_limit\":5}"};
    for (int i = 0; i < 2; i++) {
        vd_session_config config = start;
        ck_assert_int_eq(change(&config, both[i], NULL, NULL), VD_EINVAL);
        ck_assert(is_start(&config));
    }
}
END_TEST

/* The value in a refusal stays JSON, however long and odd it was. */
START_TEST(test_long_values)
{
    static const char *const units[] = {"x", "\\\"", "\\\\", "\xc3\xa9", "\xf0\x9f\x98\x80", "\\n"};
    for (size_t unit = 0; unit < sizeof units / sizeof *units; unit++)
        for (int count = 1; count < 300; count++) {
            char text[4096] = "{\"quality_mode\":\"";
            vd_session_config config = start;
            vd_refusal refusal;
            for (int i = 0; i < count; i++)
                strcat(text, units[unit]);
            strcat(text, "\"}");
            ck_assert_int_eq(change(&config, text, &refusal, NULL), VD_EINVAL);
            json_t *value = json_loads(refusal.value, JSON_DECODE_ANY, NULL);
            ck_assert_msg(json_is_string(value), "%s", refusal.value);
            json_decref(value);
        }
}
END_TEST

START_TEST(test_query)
{
    static const struct {
        const char *name, *value;
        int code;
        const char *told;
    } cases[] = {
        {"fps_limit", "15", VD_OK, NULL},
        {"fps_limit", "15.0", VD_OK, NULL},
        {"fps_limit", "31", VD_EINVAL, "31"},
        {"fps_limit", "abc", VD_EINVAL, "\"abc\""},
        {"fps_limit", "", VD_EINVAL, "\"\""},
        {"fps_limit", " 5", VD_EINVAL, "\" 5\""},
        {"fps_limit", "0x5", VD_EINVAL, "\"0x5\""},
        {"fps_limit", "nan", VD_EINVAL, "\"nan\""},
        {"fps_limit", "1e99", VD_EINVAL, "1e99"},
        {"confidence_threshold", "0.5", VD_OK, NULL},
        {"confidence_threshold", "0,5", VD_EINVAL, "\"0,5\""},
        {"enable_tracking", "true", VD_OK, NULL},
        {"enable_tracking", "0", VD_OK, NULL},
        {"enable_tracking", "yes", VD_EINVAL, "\"yes\""},
        {"quality_mode", "accurate", VD_OK, NULL},
        {"quality_mode", "5", VD_EINVAL, "\"5\""},
        {"max_detections", "7", VD_OK, NULL},
        {"fps", "7", VD_EINVAL, "\"7\""},
        {"iou_threshold", "\xff", VD_EINVAL, "\"\xef\xbf\xbd\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vd_session_config config = start;
        vd_refusal refusal = {.value = "untouched"};
        vd_error error;
        int code =
            vd_session_config_change_text(&config, cases[i].name, cases[i].value, 30, &refusal, &error);
        ck_assert_msg(code == cases[i].code, "%s=%s gave %d", cases[i].name, cases[i].value, code);
        ck_assert_str_eq(refusal.value, cases[i].told ? cases[i].told : "untouched");
        if (code)
            ck_assert(is_start(&config));
    }
}
END_TEST

START_TEST(test_query_sets)
{
    vd_session_config config = start;
    ck_assert_int_eq(vd_session_config_change_text(&config, "fps_limit", "15", 30, NULL, NULL), VD_OK);
    ck_assert_int_eq(vd_session_config_change_text(&config, "enable_tracking", "0", 30, NULL, NULL), VD_OK);
    ck_assert_int_eq(vd_session_config_change_text(&config, "quality_mode", "accurate", 30, NULL, NULL),
                     VD_OK);
    ck_assert_int_eq(vd_session_config_change_text(&config, "iou_threshold", "0.5", 30, NULL, NULL), VD_OK);
    ck_assert_int_eq(config.fps_limit, 15);
    ck_assert(!config.enable_tracking);
    ck_assert_int_eq(config.quality_mode, VD_QUALITY_ACCURATE);
    ck_assert_double_eq(config.iou_threshold, 0.5);
    /* The service's own limit, not 30. */
    ck_assert_int_eq(vd_session_config_change_text(&config, "fps_limit", "15", 14, NULL, NULL), VD_EINVAL);
}
END_TEST

/* Told back in full, with decimal points wherever the program runs; what is told can be given again. */
START_TEST(test_told)
{
    static const char *const locales[] = {"C", "de_DE.UTF-8", "fr_FR.UTF-8"};
    for (size_t i = 0; i < sizeof locales / sizeof *locales; i++) {
        setlocale(LC_ALL, locales[i]); /* where it is installed */
        vd_session_config config = start, again = {0};
        config.iou_threshold = (double)0.45f;
        json_t *object = vd_session_config_to_json(&config);
        char *text = json_dumps(object, VD_JSON_FLAGS);
        ck_assert_str_eq(text,
                         "{\"fps_limit\":10,\"confidence_threshold\":0.25,\"iou_threshold\":0.45,"
                         "\"enable_tracking\":true,\"quality_mode\":\"balanced\",\"max_detections\":100}");
        ck_assert_int_eq(vd_session_config_change(&again, object, 30, NULL, NULL), VD_OK);
        ck_assert_int_eq(again.max_detections, 100);
        free(text);
        json_decref(object);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("serve_config");
    TCase *tests = tcase_create("config");
    tcase_add_test(tests, test_all_fields);
    tcase_add_loop_test(tests, test_refused, 0, sizeof refused / sizeof *refused);
    tcase_add_test(tests, test_all_or_none);
    tcase_add_test(tests, test_long_values);
    tcase_add_test(tests, test_query);
    tcase_add_test(tests, test_query_sets);
    tcase_add_test(tests, test_told);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
