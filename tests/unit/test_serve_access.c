/* Who may do what: the token file, tokens, tickets, origins, hosts, requests a second. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "check_main.h"
#include "serve/access.h"

static char folder[64], file[128];
static vd_streaming_settings settings;
static vd_access *access_rules;
static vd_error error;

static const char token[] = "0123456789abcdef", other[] = "another-token-of-32-characters--";

static void setup(void)
{
    snprintf(folder, sizeof folder, "/tmp/vedette-access-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/token", folder);
    settings = (vd_streaming_settings){.address = "127.0.0.1", .max_requests_per_s = 5};
}

static void teardown(void)
{
    char command[128];
    vd_access_free(&access_rules);
    vd_access_free(&access_rules);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

static void write_file(const char *text, mode_t mode)
{
    int out = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(out, 0);
    ck_assert_int_eq(write(out, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(fchmod(out, mode), 0);
    close(out);
}

static int open_with_file(void)
{
    vd_access_free(&access_rules);
    snprintf(settings.token_file, sizeof settings.token_file, "%s", file);
    return vd_access_new(&settings, &access_rules, &error);
}

/* --- The file */

START_TEST(test_loopback_needs_none)
{
    ck_assert_int_eq(vd_access_new(&settings, &access_rules, &error), VD_OK);
    ck_assert(!vd_access_needs_token(access_rules));
    ck_assert_str_eq(vd_access_token_file(access_rules), "");
    ck_assert_int_eq(vd_access_check_token(access_rules, NULL), VD_ACCESS_OPEN);
    ck_assert_int_eq(vd_access_check_header(access_rules, NULL), VD_ACCESS_OPEN);
    ck_assert_int_eq(vd_access_check_header(access_rules, "Bearer wrong"), VD_ACCESS_OPEN);
}
END_TEST

static void check_made(const char *path)
{
    struct stat about;
    char line[256], made[128] = "";
    FILE *stream = fopen(path, "r");
    ck_assert_msg(stream != NULL, "%s is not there", path);
    ck_assert_int_eq(fstat(fileno(stream), &about), 0);
    ck_assert_uint_eq(about.st_mode, S_IFREG | 0600);
    while (fgets(line, sizeof line, stream))
        if (line[0] != '#')
            snprintf(made, sizeof made, "%.*s", (int)strcspn(line, "\n"), line);
    fclose(stream);
    ck_assert_uint_eq(strlen(made), 64); /* 256 bits */
    ck_assert_uint_eq(strspn(made, "0123456789abcdef"), 64);
    ck_assert_int_eq(vd_access_check_token(access_rules, made), 0);
    made[63] ^= 1;
    ck_assert_int_eq(vd_access_check_token(access_rules, made), VD_ACCESS_DENIED);
}

START_TEST(test_made)
{
    ck_assert_int_eq(open_with_file(), VD_OK);
    ck_assert(vd_access_needs_token(access_rules));
    ck_assert_str_eq(vd_access_token_file(access_rules), file);
    check_made(file);
    struct stat before, after;
    ck_assert_int_eq(stat(file, &before), 0);
    ck_assert_int_eq(open_with_file(), VD_OK); /* the second start keeps it */
    ck_assert_int_eq(stat(file, &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
    check_made(file);
}
END_TEST

/* Beside vedette.conf, whose folders may be missing. */
START_TEST(test_made_beside_settings)
{
    char home[96], path[192];
    snprintf(home, sizeof home, "%s/a/b", folder);
    ck_assert_int_eq(setenv("XDG_CONFIG_HOME", home, 1), 0);
    snprintf(settings.address, sizeof settings.address, "0.0.0.0");
    ck_assert_int_eq(vd_access_new(&settings, &access_rules, &error), VD_OK);
    snprintf(path, sizeof path, "%s/vedette/streaming-token", home);
    ck_assert_str_eq(vd_access_token_file(access_rules), path);
    check_made(path);
}
END_TEST

/* Many starts at once: all of them have the same token, and nothing is left lying about. */
START_TEST(test_made_once)
{
    enum { STARTS = 16 };
    int ready[2], told[2];
    char found[STARTS][65];
    ck_assert_int_eq(pipe(ready), 0);
    ck_assert_int_eq(pipe(told), 0);
    for (int i = 0; i < STARTS; i++)
        if (fork() == 0) {
            char byte, made[65] = "";
            close(ready[1]);
            bool went = read(ready[0], &byte, 1) == 0 && open_with_file() == VD_OK;
            FILE *stream = fopen(file, "r");
            if (went && stream && fscanf(stream, "%*[^\n] %64s", made) == 1 &&
                vd_access_check_token(access_rules, made) == 0)
                (void)!write(told[1], made, 65);
            _exit(0);
        }
    close(ready[0]);
    close(ready[1]); /* go */
    close(told[1]);
    for (int i = 0; i < STARTS; i++) {
        ck_assert_int_eq(read(told[0], found[i], 65), 65);
        ck_assert_str_eq(found[i], found[0]);
    }
    while (wait(NULL) > 0)
        ;
    ck_assert_int_eq(unlink(file), 0);
    ck_assert_int_eq(rmdir(folder), 0); /* empty */
    ck_assert_int_eq(mkdir(folder, 0700), 0);
}
END_TEST

START_TEST(test_several)
{
    char text[512];
    snprintf(text, sizeof text, "# ours\n\n  %s \r\n\t%s\n#%s", token, other, "commented-out-token");
    write_file(text, 0600);
    ck_assert_int_eq(open_with_file(), VD_OK);
    ck_assert_int_eq(vd_access_check_token(access_rules, token), 0);
    ck_assert_int_eq(vd_access_check_token(access_rules, other), 1);
    ck_assert_int_eq(vd_access_check_token(access_rules, "commented-out-token"), VD_ACCESS_DENIED);
    ck_assert_int_eq(vd_access_check_token(access_rules, NULL), VD_ACCESS_DENIED);
    ck_assert_int_eq(vd_access_check_token(access_rules, ""), VD_ACCESS_DENIED);
    ck_assert_int_eq(vd_access_check_token(access_rules, "0123456789abcde"), VD_ACCESS_DENIED);
    ck_assert_int_eq(vd_access_check_token(access_rules, "0123456789abcdef0"), VD_ACCESS_DENIED);
    ck_assert_int_eq(vd_access_check_token(access_rules, "0123456789abcdeF"), VD_ACCESS_DENIED);
}
END_TEST

START_TEST(test_longest)
{
    char text[400];
    for (size_t length = 14; length < 260; length++) {
        memset(text, 't', length);
        text[length] = '\0';
        write_file(text, 0400);
        bool fits = length >= 16 && length <= 255;
        ck_assert_int_eq(open_with_file(), fits ? VD_OK : VD_EINVAL);
        ck_assert_int_eq(unlink(file), 0);
        if (!fits)
            continue;
        ck_assert_int_eq(vd_access_check_token(access_rules, text), 0);
        text[length] = 't'; /* one more is another one */
        text[length + 1] = '\0';
        ck_assert_int_eq(vd_access_check_token(access_rules, text), VD_ACCESS_DENIED);
    }
}
END_TEST

static const struct {
    const char *text;
    mode_t mode;
    const char *said;
} bad_files[] = {
    {"0123456789abcdef\n", 0640, "chmod 600"},
    {"0123456789abcdef\n", 0604, "chmod 600"},
    {"0123456789abcdef\n", 0620, "chmod 600"},
    {"0123456789abcdef\n", 0601, "chmod 600"},
    {"", 0600, "no token"},
    {"# nothing\n\n", 0600, "no token"},
    {"short\n", 0600, "line 1"},
    {"#\n\n0123456789 abcdef\n", 0600, "line 3"},
    {"0123456789abcdef\xc3\xa9\n", 0600, "line 1"},
};

START_TEST(test_bad_files)
{
    write_file(bad_files[_i].text, bad_files[_i].mode);
    ck_assert_int_eq(open_with_file(), VD_EINVAL);
    ck_assert_msg(strstr(error.text, bad_files[_i].said) != NULL, "%s", error.text);
    ck_assert_msg(strstr(error.text, "0123456789") == NULL, "a token is told: %s", error.text);
    ck_assert_ptr_null(access_rules);
}
END_TEST

START_TEST(test_odd_files)
{
    char target[160], *large = malloc(70000);
    ck_assert_ptr_nonnull(large);
    snprintf(target, sizeof target, "%s/target", folder);
    write_file("0123456789abcdef\n", 0600);
    ck_assert_int_eq(rename(file, target), 0);
    ck_assert_int_eq(symlink(target, file), 0);
    ck_assert_int_eq(open_with_file(), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "link"));
    ck_assert_int_eq(unlink(file), 0);

    ck_assert_int_eq(mkfifo(file, 0600), 0); /* must not wait for a writer */
    ck_assert_int_eq(open_with_file(), VD_EINVAL);
    ck_assert_int_eq(unlink(file), 0);

    ck_assert_int_eq(mkdir(file, 0700), 0);
    ck_assert_int_eq(open_with_file(), VD_EINVAL);
    ck_assert_int_eq(rmdir(file), 0);

    memset(large, 'x', 70000);
    for (int i = 50; i < 69999; i += 50)
        large[i] = '\n';
    large[69999] = '\0';
    write_file(large, 0600);
    ck_assert_int_eq(open_with_file(), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "65536"));
    large[65000] = '\0'; /* 1300 tokens */
    ck_assert_int_eq(unlink(file), 0);
    write_file(large, 0600);
    ck_assert_int_eq(open_with_file(), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "more than 256 tokens"));
    free(large);

    if (geteuid() == 0) { /* only root can give a file away */
        write_file("0123456789abcdef\n", 0600);
        ck_assert_int_eq(chown(file, 65534, 65534), 0);
        ck_assert_int_eq(open_with_file(), VD_EINVAL);
        ck_assert_ptr_nonnull(strstr(error.text, "another user"));
    }
    snprintf(file, sizeof file, "%s/missing/token", folder); /* a folder that was named is not made */
    ck_assert_int_eq(open_with_file(), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, file));
}
END_TEST

/* --- Headers, tickets */

START_TEST(test_header)
{
    write_file("0123456789abcdef\n", 0600);
    ck_assert_int_eq(open_with_file(), VD_OK);
    ck_assert_int_eq(vd_access_check_header(access_rules, "Bearer 0123456789abcdef"), 0);
    ck_assert_int_eq(vd_access_check_header(access_rules, "bearer 0123456789abcdef"), 0);
    ck_assert_int_eq(vd_access_check_header(access_rules, "BEARER   0123456789abcdef"), 0);
    static const char *const denied[] = {"",
                                         "Bearer",
                                         "Bearer ",
                                         "0123456789abcdef",
                                         "Basic 0123456789abcdef",
                                         "Bearer0123456789abcdef",
                                         "Bearer\t0123456789abcdef",
                                         "Bearer 0123456789abcdef ",
                                         "Bearer 0123456789abcdefg",
                                         "Bearer 0123456789abcde"};
    for (size_t i = 0; i < sizeof denied / sizeof *denied; i++)
        ck_assert_msg(vd_access_check_header(access_rules, denied[i]) == VD_ACCESS_DENIED, "%s", denied[i]);
    ck_assert_int_eq(vd_access_check_header(access_rules, NULL), VD_ACCESS_DENIED);
}
END_TEST

START_TEST(test_tickets)
{
    char first[VD_TICKET], second[VD_TICKET], wrong[VD_TICKET];
    write_file("0123456789abcdef\n", 0600);
    ck_assert_int_eq(open_with_file(), VD_OK);
    vd_access_make_ticket(access_rules, 7, 0, first);
    vd_access_make_ticket(access_rules, 8, 0, second);
    ck_assert_uint_eq(strlen(first), 64);
    ck_assert_str_ne(first, second);
    memcpy(wrong, first, sizeof wrong);
    wrong[63] = wrong[63] == 'a' ? 'b' : 'a';
    ck_assert_int_eq(vd_access_take_ticket(access_rules, wrong, 1), VD_ACCESS_DENIED);
    ck_assert_int_eq(vd_access_take_ticket(access_rules, "", 1), VD_ACCESS_DENIED);
    ck_assert_int_eq(vd_access_take_ticket(access_rules, NULL, 1), VD_ACCESS_DENIED);
    ck_assert_int_eq(vd_access_take_ticket(access_rules, first, 30 * VD_NS_PER_S), 7);
    ck_assert_int_eq(vd_access_take_ticket(access_rules, first, 1), VD_ACCESS_DENIED); /* once */
    ck_assert_int_eq(vd_access_take_ticket(access_rules, second, 30 * VD_NS_PER_S + 1), VD_ACCESS_DENIED);
    ck_assert_int_eq(vd_access_take_ticket(access_rules, second, 1), VD_ACCESS_DENIED);
}
END_TEST

START_TEST(test_many_tickets)
{
    static char tickets[1030][VD_TICKET];
    ck_assert_int_eq(vd_access_new(&settings, &access_rules, &error), VD_OK);
    for (int i = 0; i < 1024; i++)
        vd_access_make_ticket(access_rules, i, i, tickets[i]);
    ck_assert_int_eq(vd_access_take_ticket(access_rules, tickets[500], 2000), 500);
    vd_access_make_ticket(access_rules, 1024, 1024, tickets[1024]); /* into the gap */
    ck_assert_int_eq(vd_access_take_ticket(access_rules, tickets[0], 2000), 0);
    vd_access_make_ticket(access_rules, 1025, 1025, tickets[1025]);
    vd_access_make_ticket(access_rules, 1026, 1026, tickets[1026]); /* the oldest, 1, gives way */
    ck_assert_int_eq(vd_access_take_ticket(access_rules, tickets[1], 2000), VD_ACCESS_DENIED);
    for (int i = 2; i < 1027; i++)
        ck_assert_int_eq(vd_access_take_ticket(access_rules, tickets[i], 2000),
                         i == 500 ? VD_ACCESS_DENIED : i);
}
END_TEST

/* --- Origins and hosts */

START_TEST(test_loopback)
{
    static const char *const loopback[] = {"127.0.0.1", "127.1.2.3", "localhost",
                                           "LocalHost", "::1",       "::ffff:127.0.0.1"};
    static const char *const others[] = {
        "0.0.0.0", "::",  "192.168.1.2",     "128.0.0.1", "localhost.example.com", "127.0.0.1.example.com",
        "",        "::2", "::ffff:10.0.0.1", "127.1"};
    for (size_t i = 0; i < sizeof loopback / sizeof *loopback; i++)
        ck_assert_msg(vd_access_is_loopback(loopback[i]), "%s", loopback[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_msg(!vd_access_is_loopback(others[i]), "%s", others[i]);
}
END_TEST

static const struct {
    const char *origin, *scheme, *host;
    bool fine, listed;
} origins[] = {
    {NULL, "http", "127.0.0.1:8765", true, false},
    {"http://127.0.0.1:8765", "http", "127.0.0.1:8765", true, false},
    {"http://LOCALHOST:8765", "http", "localhost:8765", true, false},
    {"http://[::1]:8765", "http", "[::1]:8765", true, false},
    {"http://camera.example", "http", "camera.example", true, false},
    {"http://camera.example:80", "http", "camera.example", true, false},
    {"https://camera.example", "https", "camera.example:443", true, false},
    {"http://camera.example", "https", "camera.example", false, false},
    {"http://127.0.0.1:8766", "http", "127.0.0.1:8765", false, false},
    {"http://127.0.0.1", "http", "127.0.0.1:8765", false, false},
    {"http://localhost:8765", "http", "127.0.0.1:8765", false, false},
    {"http://evil.example", "http", "127.0.0.1:8765", false, false},
    {"http://127.0.0.1:8765.evil.example", "http", "127.0.0.1:8765", false, false},
    {"http://127.0.0.1:8765@evil.example", "http", "127.0.0.1:8765", false, false},
    {"http://127.0.0.1:8765/path", "http", "127.0.0.1:8765", false, false},
    {"null", "http", "127.0.0.1:8765", false, false},
    {"", "http", "127.0.0.1:8765", false, false},
    {"file://", "http", "127.0.0.1:8765", false, false},
    {"chrome-extension://abc", "http", "127.0.0.1:8765", false, false},
    {"http://", "http", "", false, false},
    {"http://a", "http", NULL, false, false},
    {"http://a:", "http", "a:", false, false},
    {"http://a:0", "http", "a:0", false, false},
    {"http://a:65536", "http", "a:65536", false, false},
    {"http://a:99999999999999999999", "http", "a:99999999999999999999", false, false},
    {"http://a b", "http", "a b", false, false},
    {"https://shop.example", "http", "127.0.0.1:8765", true, true},
    {"HTTPS://Shop.Example:443", "http", NULL, true, true},
    {"http://shop.example", "http", "127.0.0.1:8765", false, false},
    {"https://shop.example:8443", "http", "127.0.0.1:8765", false, false},
    {"http://10.0.0.5:3000", "http", "127.0.0.1:8765", true, true},
    {"https://a.shop.example", "http", "127.0.0.1:8765", false, false},
};

START_TEST(test_origins)
{
    settings.origin_count = 2;
    snprintf(settings.origins[0], sizeof settings.origins[0], "https://shop.example");
    snprintf(settings.origins[1], sizeof settings.origins[1], "http://10.0.0.5:3000");
    ck_assert_int_eq(vd_access_new(&settings, &access_rules, &error), VD_OK);
    const char *origin = origins[_i].origin;
    ck_assert_int_eq(vd_access_origin_is_fine(access_rules, origin, origins[_i].scheme, origins[_i].host),
                     origins[_i].fine);
    ck_assert_int_eq(vd_access_origin_is_listed(access_rules, origin), origins[_i].listed);
}
END_TEST

START_TEST(test_bad_origins)
{
    static const char *const bad[] = {"*", "shop.example", "https://", "https://shop.example/", "null"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        settings.origin_count = 1;
        snprintf(settings.origins[0], sizeof settings.origins[0], "%s", bad[i]);
        ck_assert_int_eq(vd_access_new(&settings, &access_rules, &error), VD_EINVAL);
        ck_assert_ptr_nonnull(strstr(error.text, bad[i]));
    }
}
END_TEST

START_TEST(test_hosts)
{
    static const char *const own[] = {"127.0.0.1",  "127.0.0.1:8765",         "localhost:8765", "LOCALHOST",
                                      "[::1]:8765", "vedette.localhost:8765", "127.9.9.9:1"};
    static const char *const strange[] = {
        "evil.example", "evil.example:8765",      "192.168.0.2:8765", "localhost.evil.example",
        "localhost.",   "127.0.0.1.evil.example", "0.0.0.0:8765",     "[::2]:8765"};
    static const char *const broken[] = {"",
                                         ":8765",
                                         "[::1",
                                         "[]",
                                         "a b",
                                         "localhost:x",
                                         "localhost:",
                                         "127.0.0.1:0",
                                         "127.0.0.1:8765:1",
                                         "user@localhost",
                                         "localhost/",
                                         "[::1]x"};
    for (int tokens = 0; tokens < 2; tokens++) {
        if (tokens)
            ck_assert_int_eq(open_with_file(), VD_OK);
        else
            ck_assert_int_eq(vd_access_new(&settings, &access_rules, &error), VD_OK);
        for (size_t i = 0; i < sizeof own / sizeof *own; i++)
            ck_assert_msg(vd_access_host_is_fine(access_rules, own[i]), "%s", own[i]);
        for (size_t i = 0; i < sizeof strange / sizeof *strange; i++)
            ck_assert_msg(vd_access_host_is_fine(access_rules, strange[i]) == tokens, "%s", strange[i]);
        for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
            ck_assert_msg(!vd_access_host_is_fine(access_rules, broken[i]), "%s", broken[i]);
        ck_assert(!vd_access_host_is_fine(access_rules, NULL));
    }
}
END_TEST

/* --- Requests a second */

START_TEST(test_requests)
{
    ck_assert_int_eq(vd_access_new(&settings, &access_rules, &error), VD_OK);
    for (int second = 1; second < 4; second++) {
        int64_t now_ns = second * VD_NS_PER_S;
        for (int i = 0; i < 8; i++) {
            ck_assert_int_eq(vd_access_count_request(access_rules, "10.0.0.1", now_ns + i), i < 5);
            ck_assert_int_eq(vd_access_count_request(access_rules, "10.0.0.2", now_ns + i), i < 5);
        }
    }
    ck_assert(!vd_access_count_request(access_rules, "10.0.0.1", 4 * VD_NS_PER_S - 1));
    ck_assert(vd_access_count_request(access_rules, "10.0.0.1", 4 * VD_NS_PER_S));
}
END_TEST

/* 4096 are remembered, whoever asked last the longest ago is forgotten first. */
START_TEST(test_many_peers)
{
    char peer[32];
    settings.max_requests_per_s = 1;
    ck_assert_int_eq(vd_access_new(&settings, &access_rules, &error), VD_OK);
    for (int i = 0; i < 4096; i++) {
        snprintf(peer, sizeof peer, "10.1.%d.%d", i / 256, i % 256);
        ck_assert(vd_access_count_request(access_rules, peer, 1000 + i));
    }
    ck_assert(!vd_access_count_request(access_rules, "10.1.0.0", 6000)); /* asked again: not the stalest */
    ck_assert(vd_access_count_request(access_rules, "10.2.0.0", 6001));
    ck_assert(!vd_access_count_request(access_rules, "10.2.0.0", 6002));
    ck_assert(!vd_access_count_request(access_rules, "10.1.0.0", 6003));
    ck_assert(
        vd_access_count_request(access_rules, "10.1.0.1", 6004)); /* had been forgotten; forgets 10.1.0.2 */
    for (int i = 3; i < 4096; i++) {
        snprintf(peer, sizeof peer, "10.1.%d.%d", i / 256, i % 256);
        ck_assert_msg(!vd_access_count_request(access_rules, peer, 7000 + i), "%s was forgotten", peer);
    }
    for (int i = 0; i < 20000; i++) { /* a crowd */
        snprintf(peer, sizeof peer, "fe80::%x", i);
        ck_assert(vd_access_count_request(access_rules, peer, 20000 + i));
        ck_assert(!vd_access_count_request(access_rules, peer, 20000 + i));
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("serve_access");
    TCase *tests = tcase_create("access");
    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_loopback_needs_none);
    tcase_add_test(tests, test_made);
    tcase_add_test(tests, test_made_beside_settings);
    tcase_add_test(tests, test_made_once);
    tcase_add_test(tests, test_several);
    tcase_add_test(tests, test_longest);
    tcase_add_loop_test(tests, test_bad_files, 0, sizeof bad_files / sizeof *bad_files);
    tcase_add_test(tests, test_odd_files);
    tcase_add_test(tests, test_header);
    tcase_add_test(tests, test_tickets);
    tcase_add_test(tests, test_many_tickets);
    tcase_add_test(tests, test_loopback);
    tcase_add_loop_test(tests, test_origins, 0, sizeof origins / sizeof *origins);
    tcase_add_test(tests, test_bad_origins);
    tcase_add_test(tests, test_hosts);
    tcase_add_test(tests, test_requests);
    tcase_add_test(tests, test_many_peers);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
