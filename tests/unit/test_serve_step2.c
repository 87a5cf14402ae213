/* Figures of stage 2 as a running service tells them, with real workers: of none, of one that works, hangs or
 * is degraded, and of those that come and go with their cameras while they are read. */
#include <arpa/inet.h>
#include <jansson.h>
#include <sys/socket.h>

#include "base/thread.h"
#include "camera_case.h"
#include "vedette/app/serve.h"
#include "verify_case.h"

enum { READERS = 2, ROUNDS = 12, REPLY_BYTES = 64 << 10 };

static vd_serve *serve;
static struct sockaddr_in address;
static atomic_bool enough;

static void start(void)
{
    static vd_settings settings;
    vd_serve_options options;
    vd_serve_status status;
    vd_error error = {0};
    unsigned port = 0;
    vd_settings_init(&settings);
    settings.streaming.port = 0;
    settings.streaming.max_requests_per_s = 10000;
    strcpy(settings.model, "builtin:motion");
    vd_serve_options_from_settings(&settings, &options);
    ck_assert_msg(vd_serve_start(&options, &serve, &error) == VD_OK, "%s", error.text);
    UNTIL((vd_serve_get_status(serve, &status), status.state == VD_SERVE_LISTENING));
    ck_assert_int_eq(sscanf(status.url, "http://127.0.0.1:%u/", &port), 1);
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
}

static void set_up(void)
{
    setup();
    case_set_up();
    start();
}

static void tear_down(void)
{
    vd_serve_free(&serve);
    teardown();
    case_tear_down();
}

/* What stands under a path. */
static const char *get(const char *path, char *reply)
{
    char request[160];
    size_t used = 0;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.0\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n", path,
                          ntohs(address.sin_port));
    ck_assert_int_eq(send(fd, request, (size_t)length, MSG_NOSIGNAL), length);
    for (ssize_t got; (got = recv(fd, reply + used, REPLY_BYTES - 1 - used, 0)) > 0;)
        used += (size_t)got;
    close(fd);
    reply[used] = '\0';
    const char *body = strstr(reply, "\r\n\r\n");
    ck_assert_msg(body && strstr(reply, " 200 ") && strstr(reply, " 200 ") < body, "%s: %s", path, reply);
    return body + 4;
}

/* The object `step2`; owned by the caller. */
static json_t *step2(void)
{
    static char reply[REPLY_BYTES];
    json_t *stats = json_loads(get("/stream/stats", reply), 0, NULL);
    ck_assert_ptr_nonnull(stats);
    json_t *of_step2 = json_incref(json_object_get(stats, "step2"));
    json_decref(stats);
    ck_assert_ptr_nonnull(of_step2);
    return of_step2;
}

static double number_of(const json_t *json, const char *name)
{
    const json_t *value = json_object_get(json, name);
    ck_assert_msg(json_is_number(value), "%s is no number", name);
    return json_number_value(value);
}

/* A sample of /metrics. */
static double sample(const char *name)
{
    static char reply[REPLY_BYTES];
    char line[96];
    snprintf(line, sizeof line, "\nvedette_step2_%s ", name);
    const char *at = strstr(get("/metrics", reply), line);
    ck_assert_msg(at != NULL, "no %s", name);
    return strtod(at + strlen(line), NULL);
}

static void check_none(void)
{
    static char reply[REPLY_BYTES];
    json_t *json = step2();
    ck_assert(json_is_null(json));
    json_decref(json);
    ck_assert_ptr_null(strstr(get("/metrics", reply), "step2"));
}

/* Both forms say what the verifier says. */
static void check_same(vd_verifier *verifier)
{
    vd_verify_stats stats = case_stats(verifier);
    json_t *json = step2();
    const struct {
        const char *name, *sample;
        double value;
    } wanted[] = {
        {"submitted", "submitted_total", (double)stats.submitted},
        {"verified", "requests{state=\"verified\"}", (double)stats.verified},
        {"rejected", "requests{state=\"rejected\"}", (double)stats.rejected},
        {"unverified", "requests{state=\"unverified\"}", (double)stats.unverified},
        {"dropped", "requests{state=\"dropped\"}", (double)stats.dropped},
        {"pending_requests", "requests{state=\"pending\"}", stats.pending_requests},
        {"workers_active", "workers_active", stats.workers_active},
        {"workers", "workers", stats.workers},
        {"max_workers", "max_workers", stats.max_workers},
        {"timeouts", "timeouts_total", (double)stats.timeouts},
        {"crashes", "crashes_total", (double)stats.crashes},
        {"rubbish", "rubbish_total", (double)stats.rubbish},
        {"restarts", "restarts_total", (double)stats.restarts},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        ck_assert_msg(number_of(json, wanted[i].name) == wanted[i].value, "%s", wanted[i].name);
        ck_assert_msg(sample(wanted[i].sample) == wanted[i].value, "%s", wanted[i].sample);
    }
    ck_assert_double_eq(number_of(json, "min_workers"), stats.min_workers);
    ck_assert_double_eq_tol(number_of(json, "avg_processing_time"), stats.avg_processing_s, 0.001);
    ck_assert_double_eq_tol(sample("avg_processing_seconds"), stats.avg_processing_s, 1e-6);
    ck_assert_str_eq(json_string_value(json_object_get(json, "model")), stats.model);
    ck_assert(json_is_true(json_object_get(json, "degraded")) == stats.degraded);
    ck_assert(sample("degraded") == stats.degraded);
    json_decref(json);
}

START_TEST(verdicts_are_counted)
{
    vd_verify_options options = case_options("test:sleep");
    options.test_sleep_s = 0.05;
    options.max_workers = 3;
    check_none();
    vd_verifier *verifier = case_new(&options);
    vd_serve_set_verifier(serve, verifier);
    for (int i = 0; i < 3; i++)
        case_take(verifier, case_submit(verifier, case_red, 0.5f));
    CASE_UNTIL(verifier, stats.workers == 1 && stats.workers_active == 0);
    check_same(verifier);
    ck_assert_double_eq(sample("submitted_total"), 3);
    ck_assert_double_ge(sample("avg_processing_seconds"), 0.05);
    ck_assert_double_eq(sample("oldest_seconds"), 0);
    ck_assert_double_eq(sample("max_workers"), 3);
    vd_serve_set_verifier(serve, NULL);
    vd_verifier_free(&verifier);
    check_none();
}
END_TEST

START_TEST(what_waits_has_an_age)
{
    vd_verify_options options = case_options("test:hang");
    options.max_workers = 1;
    options.queue_size = 1;
    vd_verifier *verifier = case_new(&options);
    vd_serve_set_verifier(serve, verifier);
    case_submit(verifier, case_red, 0.5f);
    CASE_UNTIL(verifier, stats.workers_active == 1);
    case_submit(verifier, case_red, 0.5f);
    case_submit(verifier, case_red, 0.5f);
    check_same(verifier);
    ck_assert_double_eq(sample("requests{state=\"pending\"}"), 2);
    ck_assert_double_eq(sample("requests{state=\"dropped\"}"), 1);
    double age_s = sample("oldest_seconds");
    ck_assert_double_gt(age_s, 0);
    UNTIL(sample("oldest_seconds") >= age_s + 0.05);
    json_t *json = step2();
    ck_assert_double_ge(number_of(json, "oldest_s"), 0.05);
    json_decref(json);
    vd_serve_set_verifier(serve, NULL);
    vd_verifier_free(&verifier);
}
END_TEST

START_TEST(who_is_late_or_crashes_is_counted)
{
    vd_verify_options options = case_options(_i ? "test:crash" : "test:hang");
    options.worker_timeout_s = 0.2;
    options.max_workers = 1;
    vd_verifier *verifier = case_new(&options);
    vd_serve_set_verifier(serve, verifier);
    CASE_UNTIL(verifier, stats.workers == 1);
    case_take(verifier, case_submit(verifier, case_red, 0.5f));
    CASE_UNTIL(verifier, stats.restarts > 0 && stats.workers == 1 && stats.workers_active == 0);
    check_same(verifier);
    ck_assert_double_ge(sample(_i ? "crashes_total" : "timeouts_total"), 1);
    ck_assert_double_eq(sample("requests{state=\"unverified\"}"), 1);
    vd_serve_set_verifier(serve, NULL);
    vd_verifier_free(&verifier);
}
END_TEST

START_TEST(degraded_says_why)
{
    vd_verify_options options = case_options("onnx");
    strcpy(options.model_path, "/nowhere/at/all/late.onnx");
    vd_verifier *verifier = case_new(&options);
    vd_serve_set_verifier(serve, verifier);
    CASE_UNTIL(verifier, stats.degraded && stats.degraded_why.text[0] != '\0');
    check_same(verifier);
    ck_assert_double_eq(sample("degraded"), 1);
    json_t *json = step2();
    const char *why = json_string_value(json_object_get(json, "degraded_why"));
    ck_assert_msg(why && strncmp(why, "late.onnx: ", 11) == 0 && strstr(why, "cannot be found"), "%s", why);
    ck_assert_ptr_null(strstr(why, "nowhere"));
    json_decref(json);
    vd_serve_set_verifier(serve, NULL);
    vd_verifier_free(&verifier);
}
END_TEST

static void read_on(void *context)
{
    char *reply = malloc(REPLY_BYTES);
    for (int *reads = context; !atomic_load(&enough); ++*reads)
        get(*reads % 2 ? "/stream/stats" : "/metrics", reply);
    free(reply);
}

/* As a window does that goes from source to source: the camera and its verifier go while both are read. */
START_TEST(they_come_and_go_while_they_are_read)
{
    vd_thread readers[READERS] = {{0}};
    int reads[READERS] = {0}, seen = 0;
    vd_verify_options of_verifier = case_options("test:sleep");
    atomic_store(&enough, false);
    for (int i = 0; i < READERS; i++)
        ck_assert_int_eq(vd_thread_start(&readers[i], "vd-reads", read_on, &reads[i]), VD_OK);
    for (int i = 0; i < ROUNDS; i++) {
        vd_verifier *verifier = case_new(&of_verifier);
        vd_camera_options options = options_of("fake:frames=100000,live=1");
        options.verifier = verifier;
        vd_camera *camera = open_camera(&options);
        ck_assert_int_eq(vd_serve_add_camera(serve, "Gate", camera, NULL), VD_OK);
        vd_serve_set_verifier(serve, verifier);
        case_submit(verifier, case_red, 0.5f);
        seen += sample("submitted_total") >= 1;
        vd_serve_set_verifier(serve, NULL);
        vd_serve_remove_camera(serve, "Gate");
        vd_camera_close(&camera);
        ck_assert(vd_camera_join_closed(10 * VD_NS_PER_S));
        vd_verifier_free(&verifier);
    }
    atomic_store(&enough, true);
    for (int i = 0; i < READERS; i++) {
        vd_thread_join(&readers[i]);
        ck_assert_int_gt(reads[i], 0);
    }
    ck_assert_int_eq(seen, ROUNDS);
    check_none();
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("serve_step2");
    TCase *figures = tcase_create("figures");
    tcase_add_checked_fixture(figures, set_up, tear_down);
    tcase_set_timeout(figures, 100);
    tcase_add_test(figures, verdicts_are_counted);
    tcase_add_test(figures, what_waits_has_an_age);
    tcase_add_loop_test(figures, who_is_late_or_crashes_is_counted, 0, 2);
    tcase_add_test(figures, degraded_says_why);
    tcase_add_test(figures, they_come_and_go_while_they_are_read);
    suite_add_tcase(suite, figures);
    return suite;
}

TEST_MAIN(make_suite)
