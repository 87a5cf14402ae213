/* The settings of the streaming interface: defaults, what must fit together, and the environment. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check_main.h"
#include "vedette/app/settings.h"

static char folder[PATH_MAX], file[PATH_MAX + 32];

static const char *const variables[] = {"STREAMING_SESSION_TIMEOUT",
                                        "STREAMING_MAX_FPS",
                                        "STREAMING_DEFAULT_FPS",
                                        "STREAMING_QUEUE_SIZE",
                                        "STREAMING_ENABLE_TRACKING",
                                        "CONFIDENCE_THRESHOLD",
                                        "MODEL_PATH"};

static void clear_environment(void)
{
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
}

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/vedette-settings-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/vedette.conf", folder);
    clear_environment();
}

static void remove_folder(void)
{
    unlink(file);
    rmdir(folder);
}

static int read_text(const char *text, vd_settings *settings, vd_error *error)
{
    FILE *stream = fopen(file, "wb");
    ck_assert_ptr_nonnull(stream);
    ck_assert_uint_eq(fwrite(text, 1, strlen(text), stream), strlen(text));
    ck_assert_int_eq(fclose(stream), 0);
    return vd_settings_read(file, settings, error);
}

START_TEST(test_defaults)
{
    vd_settings settings;
    vd_settings_init(&settings);
    const vd_streaming_settings *streaming = &settings.streaming;
    ck_assert(!streaming->enabled && streaming->enable_tracking);
    ck_assert_str_eq(streaming->address, "127.0.0.1");
    ck_assert_int_eq(streaming->port, 8765);
    ck_assert_str_eq(streaming->token_file, "");
    ck_assert_str_eq(streaming->tls_certificate, "");
    ck_assert_str_eq(streaming->tls_key, "");
    ck_assert_int_eq(streaming->origin_count, 0);
    ck_assert(fabs(streaming->session_timeout_s - 300) < 1e-9);
    ck_assert_int_eq(streaming->max_fps, 30);
    ck_assert_int_eq(streaming->default_fps, 10);
    ck_assert_int_eq(streaming->queue_size, 50);
    ck_assert(streaming->max_sessions == 64 && streaming->max_sessions_per_peer == 32);
    ck_assert(streaming->max_image_mb == 8 && streaming->max_image_megapixels == 25);
    ck_assert_int_eq(streaming->max_requests_per_s, 500);
}
END_TEST

START_TEST(test_whole_group)
{
    vd_settings settings;
    vd_error error = {0};
    ck_assert_int_eq(setenv("HOME", "/srv/eva", 1), 0);
    int code = read_text(
        "streaming = { enabled = true; address = \"::\"; port = 0; token_file = \"~/t\";\n"
        " tls_certificate = \"c.pem\"; tls_key = \"~/k.pem\"; session_timeout = 1; max_fps = 15;\n"
        " origins = ( \"https://example.org\", \"http://[::1]:81\", \"http://a-b.example:65535\" );\n"
        " default_fps = 15; queue_size = 1000; enable_tracking = false; max_sessions = 1;\n"
        " max_sessions_per_peer = 1000; max_image_mb = 256; max_image_megapixels = 1;\n"
        " max_requests_per_s = 10000; };\n",
        &settings, &error);
    ck_assert_msg(code == VD_OK, "%s: %s", error.place, error.text);
    const vd_streaming_settings *streaming = &settings.streaming;
    ck_assert(streaming->enabled && !streaming->enable_tracking);
    ck_assert_str_eq(streaming->address, "::");
    ck_assert_int_eq(streaming->port, 0);
    ck_assert_str_eq(streaming->token_file, "/srv/eva/t");
    ck_assert_str_eq(streaming->tls_certificate, "c.pem");
    ck_assert_str_eq(streaming->tls_key, "/srv/eva/k.pem");
    ck_assert_int_eq(streaming->origin_count, 3);
    ck_assert_str_eq(streaming->origins[0], "https://example.org");
    ck_assert_str_eq(streaming->origins[2], "http://a-b.example:65535");
    ck_assert(fabs(streaming->session_timeout_s - 1) < 1e-9);
    ck_assert(streaming->max_fps == 15 && streaming->default_fps == 15 && streaming->queue_size == 1000);
    ck_assert(streaming->max_sessions == 1 && streaming->max_sessions_per_peer == 1000);
    ck_assert(streaming->max_image_mb == 256 && streaming->max_image_megapixels == 1);
    ck_assert_int_eq(streaming->max_requests_per_s, 10000);
}
END_TEST

/* Who lowers the most alone does not have to say the usual as well. */
START_TEST(test_most_lowers_default)
{
    vd_settings settings;
    vd_error error = {0};
    ck_assert_int_eq(read_text("streaming = { max_fps = 5; };", &settings, &error), VD_OK);
    ck_assert(settings.streaming.max_fps == 5 && settings.streaming.default_fps == 5);
}
END_TEST

static const struct refusal {
    const char *text;
    int line;
    const char *words[2];
} refusals[] = {
    {"streaming = {\n port = 65536; };", 2, {"streaming.port is 65536", "a whole number, 0 to 65535"}},
    {"streaming = { port = \"8765\"; };", 1, {"streaming.port is \"8765\"", "a whole number"}},
    {"streaming = { address = 127; };", 1, {"streaming.address is 127", "text in quotes"}},
    {"streaming = {\n\n address = \"\"; };", 3, {"streaming.address is empty", "\"127.0.0.1\""}},
    {"streaming = { session_timeout = 0.5; };", 1, {"streaming.session_timeout is 0.5", "1 to 86400"}},
    {"streaming = { max_fps = 31; };", 1, {"streaming.max_fps is 31", "1 to 30"}},
    {"streaming = {\n max_fps = 5;\n default_fps = 6; };",
     3,
     {"streaming.default_fps is 6", "at most max_fps, which is 5"}},
    {"streaming = { queue_size = 0; };", 1, {"streaming.queue_size is 0", "1 to 1000"}},
    {"streaming = { max_sessions = 1001; };", 1, {"streaming.max_sessions is 1001", "1 to 1000"}},
    {"streaming = { max_image_mb = 0; };", 1, {"streaming.max_image_mb is 0", "1 to 256"}},
    {"streaming = { max_requests_per_s = 0; };", 1, {"is 0", "1 to 10000"}},
    {"streaming = { enable_tracking = 1; };", 1, {"streaming.enable_tracking is 1", "true or false"}},
    {"streaming = {\n tls_certificate = \"c.pem\"; };", 2, {"no tls_key", "https needs both"}},
    {"streaming = {\n\n tls_key = \"k.pem\"; };", 3, {"no tls_certificate", "https needs both"}},
    {"streaming = { origins = \"https://example.org\"; };", 1, {"at most 16 origins such as"}},
    {"streaming = {\n origins = [ \"https://example.org\", \"*\" ]; };", 2, {"streaming.origins has \"*\""}},
    {"streaming = { origins = [ \"https://example.org/\" ]; };", 1, {"without a path"}},
    {"streaming = { origins = [ \"ftp://example.org\" ]; };", 1, {"has \"ftp://example.org\""}},
    {"streaming = { origins = [ \"https://\" ]; };", 1, {"has \"https://\""}},
    {"streaming = { origins = [ \"http://h:0\" ]; };", 1, {"has \"http://h:0\""}},
    {"streaming = { origins = [ \"http://h:65536\" ]; };", 1, {"has \"http://h:65536\""}},
    {"streaming = { origins = [ \"http://[::1\" ]; };", 1, {"has \"http://[::1\""}},
    {"streaming = { origins = [ \"https://eva:geheim@h\" ]; };", 1, {"https://***@h"}},
    {"streaming = { origins = [ 1 ]; };", 1, {"streaming.origins is 1", "a list of origins such as"}},
    {"streaming = { token = \"x\"; };", 1, {"no setting streaming.token"}},
};

START_TEST(test_refusal)
{
    const struct refusal *refusal = &refusals[_i];
    static vd_settings settings, before;
    vd_error error = {0};
    char place[PATH_MAX + 64];
    memset(&settings, 0x5a, sizeof settings);
    before = settings;
    int code = read_text(refusal->text, &settings, &error);
    ck_assert_msg(code == VD_EINVAL, "%s: %s", vd_code_name(code), error.text);
    ck_assert_msg(memcmp(&settings, &before, sizeof settings) == 0, "a refused file changed the settings");
    snprintf(place, sizeof place, "%s:%d", file, refusal->line);
    ck_assert_msg(strcmp(error.place, place) == 0, "at %s instead of line %d", error.place, refusal->line);
    for (int i = 0; i < 2 && refusal->words[i]; i++)
        ck_assert_msg(strstr(error.text, refusal->words[i]) != NULL, "'%s' lacks '%s'", error.text,
                      refusal->words[i]);
    ck_assert_msg(strstr(error.text, "geheim") == NULL, "a password is shown");
}
END_TEST

START_TEST(test_too_many_origins)
{
    char text[2048];
    vd_settings settings;
    vd_error error = {0};
    for (int extra = 0; extra < 2; extra++) {
        size_t used = (size_t)snprintf(text, sizeof text, "streaming = { origins = [ \"http://h\"");
        for (int i = 1; i < VD_MAX_ORIGINS + extra; i++)
            used += (size_t)snprintf(text + used, sizeof text - used, ", \"http://h%d\"", i);
        snprintf(text + used, sizeof text - used, " ]; };");
        ck_assert_int_eq(read_text(text, &settings, &error), extra ? VD_EINVAL : VD_OK);
        if (!extra)
            ck_assert_str_eq(settings.streaming.origins[VD_MAX_ORIGINS - 1], "http://h15");
    }
    ck_assert_ptr_nonnull(strstr(error.text, "at most 16"));
}
END_TEST

START_TEST(test_environment)
{
    vd_settings settings, before;
    vd_error error = {0};
    vd_settings_init(&settings);
    before = settings;
    ck_assert_int_eq(vd_settings_read_environment(&settings, &error), VD_OK);
    ck_assert(memcmp(&settings, &before, sizeof settings) == 0);
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        setenv(variables[i], "", 1);
    ck_assert_int_eq(vd_settings_read_environment(&settings, &error), VD_OK);
    ck_assert(memcmp(&settings, &before, sizeof settings) == 0);

    setenv("STREAMING_SESSION_TIMEOUT", "2.5", 1);
    setenv("STREAMING_MAX_FPS", "20", 1);
    setenv("STREAMING_DEFAULT_FPS", "20", 1);
    setenv("STREAMING_QUEUE_SIZE", "7", 1);
    setenv("STREAMING_ENABLE_TRACKING", "False", 1);
    setenv("CONFIDENCE_THRESHOLD", "0.6", 1);
    setenv("MODEL_PATH", "/srv/models/yolo.onnx", 1);
    int code = vd_settings_read_environment(&settings, &error);
    ck_assert_msg(code == VD_OK, "%s: %s", error.place, error.text);
    const vd_streaming_settings *streaming = &settings.streaming;
    ck_assert(fabs(streaming->session_timeout_s - 2.5) < 1e-9);
    ck_assert(streaming->max_fps == 20 && streaming->default_fps == 20 && streaming->queue_size == 7);
    ck_assert(!streaming->enable_tracking);
    ck_assert(fabs(settings.confidence - 0.6) < 1e-9 && settings.confidence_given && !settings.iou_given);
    ck_assert_str_eq(settings.model, "/srv/models/yolo.onnx");
}
END_TEST

/* Over a file: what is not set stays, and a lowered most lowers what the file says. */
START_TEST(test_environment_over_a_file)
{
    vd_settings settings;
    vd_error error = {0};
    ck_assert_int_eq(read_text("model = \"builtin:motion\"; streaming = { default_fps = 12; port = 9000; };",
                               &settings, &error),
                     VD_OK);
    setenv("STREAMING_MAX_FPS", "6", 1);
    setenv("STREAMING_ENABLE_TRACKING", "1", 1);
    ck_assert_int_eq(vd_settings_read_environment(&settings, &error), VD_OK);
    ck_assert(settings.streaming.max_fps == 6 && settings.streaming.default_fps == 6);
    ck_assert(settings.streaming.enable_tracking && settings.streaming.port == 9000);
    ck_assert_str_eq(settings.model, "builtin:motion");
}
END_TEST

static const struct {
    const char *name, *value, *words[2];
} wrong[] = {
    {"STREAMING_SESSION_TIMEOUT", "0", {"is \"0\"", "1 to 86400"}},
    {"STREAMING_SESSION_TIMEOUT", "5 minutes", {"is \"5 minutes\"", "1 to 86400"}},
    {"STREAMING_SESSION_TIMEOUT", "inf", {"is \"inf\"", "1 to 86400"}},
    {"STREAMING_SESSION_TIMEOUT", "2,5", {"is \"2,5\"", "1 to 86400"}},
    {"STREAMING_MAX_FPS", "31", {"STREAMING_MAX_FPS is \"31\"", "a whole number, 1 to 30"}},
    {"STREAMING_MAX_FPS", "7.5", {"is \"7.5\"", "a whole number"}},
    {"STREAMING_MAX_FPS", "1e400", {"is \"1e400\"", "a whole number"}},
    {"STREAMING_DEFAULT_FPS", "31", {"is \"31\"", "1 to 30"}},
    {"STREAMING_QUEUE_SIZE", "-1", {"is \"-1\"", "1 to 1000"}},
    {"STREAMING_ENABLE_TRACKING", "maybe", {"is \"maybe\"", "true or false"}},
    {"CONFIDENCE_THRESHOLD", "1.01", {"is \"1.01\"", "0.05 to 1"}},
    {"MODEL_PATH", "a\nb", {"MODEL_PATH is \"a b\"", "one line of text"}},
    {"MODEL_PATH", "\xff\xfe", {"MODEL_PATH is", "UTF-8"}},
};

START_TEST(test_wrong_environment)
{
    static vd_settings settings, before;
    vd_error error = {0};
    vd_settings_init(&settings);
    before = settings;
    setenv("STREAMING_QUEUE_SIZE", "9", 1); /* right, and not taken either */
    setenv(wrong[_i].name, wrong[_i].value, 1);
    int code = vd_settings_read_environment(&settings, &error);
    ck_assert_int_eq(code, VD_EINVAL);
    ck_assert_msg(memcmp(&settings, &before, sizeof settings) == 0, "the settings were changed");
    ck_assert_str_eq(error.place, wrong[_i].name);
    for (int i = 0; i < 2; i++)
        ck_assert_msg(strstr(error.text, wrong[_i].words[i]) != NULL, "'%s' lacks '%s'", error.text,
                      wrong[_i].words[i]);
}
END_TEST

START_TEST(test_environment_that_does_not_fit)
{
    static vd_settings settings;
    static char path[600];
    vd_error error = {0};
    vd_settings_init(&settings);
    setenv("STREAMING_MAX_FPS", "5", 1);
    setenv("STREAMING_DEFAULT_FPS", "6", 1);
    ck_assert_int_eq(vd_settings_read_environment(&settings, &error), VD_EINVAL);
    ck_assert_str_eq(error.place, "STREAMING_DEFAULT_FPS");
    ck_assert_ptr_nonnull(strstr(error.text, "1 to 5"));
    ck_assert_int_eq(settings.streaming.max_fps, 30);

    clear_environment();
    memset(path, 'x', sizeof path - 1);
    setenv("MODEL_PATH", path, 1);
    ck_assert_int_eq(vd_settings_read_environment(&settings, &error), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "at most 511 bytes"));
    path[511] = '\0';
    setenv("MODEL_PATH", path, 1);
    ck_assert_int_eq(vd_settings_read_environment(&settings, &error), VD_OK);
    ck_assert_str_eq(settings.model, path);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("settings_streaming");
    TCase *files = tcase_create("files");
    tcase_add_checked_fixture(files, make_folder, remove_folder);
    tcase_add_test(files, test_defaults);
    tcase_add_test(files, test_whole_group);
    tcase_add_test(files, test_most_lowers_default);
    tcase_add_loop_test(files, test_refusal, 0, (int)(sizeof refusals / sizeof *refusals));
    tcase_add_test(files, test_too_many_origins);
    tcase_add_test(files, test_environment);
    tcase_add_test(files, test_environment_over_a_file);
    tcase_add_loop_test(files, test_wrong_environment, 0, (int)(sizeof wrong / sizeof *wrong));
    tcase_add_test(files, test_environment_that_does_not_fit);
    suite_add_tcase(suite, files);
    return suite;
}

TEST_MAIN(make_suite)
