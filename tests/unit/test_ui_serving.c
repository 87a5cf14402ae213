/* The window's streaming: a real service, on and off, again before it has ended, and where it cannot. */
#include <arpa/inet.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check_main.h"
#include "ui/serving.h"
#include "ui/words_streaming.h"

enum { PATIENCE_S = 60 };

static vd_settings settings;
static vd_serving *serving;
static int told;

static void on_change(void *context)
{
    (void)context;
    told++;
}

static void setup(void)
{
    vd_settings_init(&settings);
    settings.streaming.port = 0;
    strcpy(settings.model, "builtin:motion");
    serving = vd_serving_new();
    vd_serving_follow(serving, on_change, NULL);
}

static void teardown(void)
{
    ck_assert(vd_serving_join(serving, PATIENCE_S * G_USEC_PER_SEC));
    vd_serving_free(&serving);
    ck_assert_ptr_null(serving);
    vd_serving_free(&serving);
}

static const vd_serving_view *view(void)
{
    return vd_serving_get_view(serving);
}

static void wait_for(vd_serving_state state)
{
    gint64 deadline_us = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;
    while (view()->state != state && g_get_monotonic_time() < deadline_us)
        g_main_context_iteration(NULL, TRUE);
    ck_assert_int_eq(view()->state, state);
}

static bool answers(const char *url)
{
    unsigned port = 0;
    ck_assert_int_eq(sscanf(url, "http://127.0.0.1:%u/", &port), 1);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool connected = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return connected;
}

START_TEST(on_and_off)
{
    ck_assert_int_eq(view()->state, VD_SERVING_OFF);
    vd_serving_stop(serving);
    ck_assert_int_eq(view()->state, VD_SERVING_OFF);
    vd_serving_start(serving, &settings, NULL, NULL);
    ck_assert(view()->wanted && view()->state == VD_SERVING_STARTING);
    vd_serving_start(serving, &settings, NULL, NULL); /* twice is once */
    wait_for(VD_SERVING_ON);
    ck_assert(answers(view()->status.url));
    ck_assert_str_eq(view()->status.token_file, "");
    char url[sizeof view()->status.url];
    strcpy(url, view()->status.url);
    int before = told;
    vd_serving_stop(serving);
    ck_assert(!view()->wanted && view()->state == VD_SERVING_STOPPING);
    vd_serving_stop(serving);
    wait_for(VD_SERVING_OFF);
    ck_assert_int_gt(told, before);
    ck_assert(!answers(url));
}
END_TEST

START_TEST(on_again_before_it_has_ended)
{
    vd_serving_start(serving, &settings, NULL, NULL);
    wait_for(VD_SERVING_ON);
    for (int i = 0; i < 3; i++) {
        vd_serving_stop(serving);
        vd_serving_start(serving, &settings, "builtin:people", NULL);
        ck_assert(view()->wanted && view()->state == VD_SERVING_STOPPING);
        wait_for(VD_SERVING_STARTING);
        if (i == 1)
            continue; /* stopped while it loads */
        wait_for(VD_SERVING_ON);
        ck_assert(answers(view()->status.url));
    }
    ck_assert_ptr_nonnull(strstr(view()->status.model, "people"));
    vd_serving_follow(serving, NULL, NULL);
}
END_TEST

START_TEST(a_port_that_is_taken)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    char number[16];
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    settings.streaming.port = ntohs(address.sin_port);
    snprintf(number, sizeof number, "%d", settings.streaming.port);
    vd_serving_start(serving, &settings, NULL, NULL);
    wait_for(VD_SERVING_FAILED);
    ck_assert(!view()->wanted);
    ck_assert_msg(strstr(view()->status.error.text, number) != NULL, "%s", view()->status.error.text);
    ck_assert_ptr_nonnull(strstr(view()->status.error.text, "group `streaming`"));
    close(fd);
    vd_serving_start(serving, &settings, NULL, NULL);
    wait_for(VD_SERVING_ON);
    ck_assert(answers(view()->status.url));
}
END_TEST

START_TEST(what_cannot_be_is_said)
{
    vd_serving_start(serving, &settings, "/nowhere/model.onnx", NULL);
    wait_for(VD_SERVING_FAILED);
    ck_assert_ptr_nonnull(strstr(view()->status.error.text, "."));
    setenv("STREAMING_MAX_FPS", "many", 1);
    vd_serving_start(serving, &settings, NULL, NULL);
    ck_assert_int_eq(view()->state, VD_SERVING_FAILED);
    ck_assert_ptr_nonnull(strstr(view()->status.error.text, "STREAMING_MAX_FPS"));
    unsetenv("STREAMING_MAX_FPS");
    vd_serving_stop(serving);
    ck_assert_int_eq(view()->state, VD_SERVING_OFF);
}
END_TEST

START_TEST(words)
{
    char text[128];
    vd_serve_status status = {0};
    vd_words_clients(text, sizeof text, &status);
    ck_assert_str_eq(text, "Nobody is connected");
    status.sessions = 1;
    vd_words_clients(text, sizeof text, &status);
    ck_assert_str_eq(text, "1 session");
    status.watchers = 2;
    vd_words_clients(text, sizeof text, &status);
    ck_assert_str_eq(text, "1 session, 2 programs watch the camera");
    status.sessions = 0;
    status.watchers = 1;
    vd_words_clients(text, sizeof text, &status);
    ck_assert_str_eq(text, "1 program watches the camera");
    vd_words_results(text, sizeof text, &status);
    ck_assert_str_eq(text, "");
    status.sessions = 3;
    status.results_per_s = 29.96;
    vd_words_results(text, sizeof text, &status);
    ck_assert_str_eq(text, "30.0 a second");
    vd_words_quality(text, sizeof text, &status);
    ck_assert_str_eq(text, "Full");
    status.level = 2;
    vd_words_quality(text, sizeof text, &status);
    ck_assert_str_eq(text, "Lowered by 2 of 4 steps: there is more to do than can be done");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("ui_serving");
    TCase *service = tcase_create("serving");
    tcase_add_checked_fixture(service, setup, teardown);
    tcase_set_timeout(service, 200);
    tcase_add_test(service, on_and_off);
    tcase_add_test(service, on_again_before_it_has_ended);
    tcase_add_test(service, a_port_that_is_taken);
    tcase_add_test(service, what_cannot_be_is_said);
    suite_add_tcase(suite, service);
    TCase *text = tcase_create("words");
    tcase_add_test(text, words);
    suite_add_tcase(suite, text);
    return suite;
}

TEST_MAIN(make_suite)
