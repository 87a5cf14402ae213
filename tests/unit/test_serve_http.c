/* What of the service needs no service: frames of a WebSocket as they pass, queries, routes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "serve/frames.h"
#include "serve/query.h"
#include "serve/routes.h"

/* --- Frames */

/* A frame's header and payload into `out`; its size. */
static size_t frame(uint8_t *out, int opcode, bool last, size_t size)
{
    size_t at = 0;
    out[at++] = (uint8_t)(opcode | (last ? 0x80 : 0));
    if (size < 126)
        out[at++] = (uint8_t)(0x80 | size);
    else if (size < 65536) {
        out[at++] = 0x80 | 126;
        out[at++] = (uint8_t)(size >> 8);
        out[at++] = (uint8_t)size;
    } else {
        out[at++] = 0x80 | 127;
        for (int i = 7; i >= 0; i--)
            out[at++] = (uint8_t)((uint64_t)size >> (8 * i));
    }
    memset(out + at, 0xff, 4 + size); /* mask and payload, as misleading as can be */
    return at + 4 + size;
}

START_TEST(test_frames_in_pieces_of_any_size)
{
    static const size_t sizes[] = {0, 1, 125, 126, 65535, 65536};
    static uint8_t bytes[400000];
    size_t size = 0, payload = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size += frame(bytes + size, 2, true, sizes[i]);
        payload += sizes[i];
    }
    for (size_t piece = 1; piece < 200000; piece = piece * 3 + 1) {
        vd_frames frames = {0};
        for (size_t at = 0; at < size; at += piece)
            vd_frames_pass(&frames, bytes + at, size - at < piece ? size - at : piece, UINT64_MAX);
        ck_assert(vd_frames_between(&frames));
        ck_assert_uint_eq(frames.frames, sizeof sizes / sizeof *sizes);
        ck_assert_uint_eq(frames.data_bytes, payload);
        ck_assert_uint_eq(frames.ends, frames.frames);
    }
}
END_TEST

START_TEST(test_a_message_of_many_frames)
{
    uint8_t bytes[600];
    vd_frames frames = {0};
    vd_frames_pass(&frames, bytes, frame(bytes, 1, false, 100), UINT64_MAX);
    ck_assert(!vd_frames_between(&frames));
    vd_frames_pass(&frames, bytes, frame(bytes, 9, true, 50), UINT64_MAX); /* a ping may stand between */
    ck_assert_uint_eq(frames.message_bytes, 100);
    vd_frames_pass(&frames, bytes, frame(bytes, 0, false, 200), UINT64_MAX);
    ck_assert_uint_eq(frames.message_bytes, 300);
    ck_assert_uint_eq(frames.ends, 0);
    vd_frames_pass(&frames, bytes, frame(bytes, 0, true, 7), UINT64_MAX);
    ck_assert_uint_eq(frames.ends, 1);
    ck_assert(vd_frames_between(&frames));
    ck_assert_uint_eq(frames.data_bytes, 307); /* without the ping's */
    ck_assert_uint_eq(frames.message_bytes, 0);
}
END_TEST

START_TEST(test_what_a_header_announces_counts_at_once)
{
    uint8_t bytes[64];
    vd_frames frames = {0};
    frame(bytes, 2, true, 0);
    bytes[1] = 0x80 | 127;
    memset(bytes + 2, 0xff, 8);
    ck_assert_uint_eq(vd_frames_pass(&frames, bytes, 14, 1 << 20), 9);
    ck_assert_int_eq(frames.over, VD_FRAMES_TOO_LARGE);
    ck_assert_uint_eq(frames.most, 1 << 20);
    ck_assert(!vd_frames_between(&frames));
    ck_assert_uint_eq(vd_frames_pass(&frames, bytes, 14, UINT64_MAX), 0); /* it stays over */
    vd_frames two = {0};
    vd_frames_pass(&two, bytes, frame(bytes, 2, false, 10), UINT64_MAX - 1);
    bytes[0] = 0;
    bytes[1] = 0x80 | 127;
    memset(bytes + 2, 0xff, 8);
    ck_assert_uint_eq(vd_frames_pass(&two, bytes, 14, UINT64_MAX - 1), 9); /* and does not wrap around */
    ck_assert_int_eq(two.over, VD_FRAMES_TOO_LARGE);
}
END_TEST

START_TEST(test_a_ping_that_is_too_large)
{
    uint8_t bytes[400];
    for (size_t size = 120; size < 130; size++) {
        vd_frames frames = {0};
        size_t whole = frame(bytes, 9, true, size);
        ck_assert_uint_eq(vd_frames_pass(&frames, bytes, whole, UINT64_MAX), size <= 125 ? whole : 3);
        ck_assert_int_eq(frames.over, size <= 125 ? VD_FRAMES_GO_ON : VD_FRAMES_BROKEN);
    }
}
END_TEST

/* --- Queries */

/* The sentence that a query is refused with. */
static const char *refusal_of(const char *text)
{
    static vd_error error;
    vd_query query;
    error = (vd_error){0};
    ck_assert_msg(vd_query_read(text, &query, &error) == VD_EFORMAT, "%s", text);
    ck_assert_int_eq(error.code, VD_EFORMAT);
    return error.text;
}

START_TEST(test_queries)
{
    vd_query query;
    vd_error error;
    ck_assert(vd_query_read(NULL, &query, &error) == VD_OK && query.count == 0);
    ck_assert(vd_query_read("", &query, &error) == VD_OK && query.count == 0);
    ck_assert(vd_query_read("a=1&b=x%20y+z&c&d=%C3%A4&", &query, &error) == VD_OK && query.count == 4);
    ck_assert_str_eq(vd_query_get(&query, "b"), "x y z");
    ck_assert_str_eq(vd_query_get(&query, "c"), "");
    ck_assert_str_eq(vd_query_get(&query, "d"), "ä");
    ck_assert_ptr_null(vd_query_get(&query, "e"));
    static const char *const bad[] = {"a=%",   "a=%4", "a=%g0", "a=%00",  "a=%ff",
                                      "a=%0a", "=1",   "%ff=1", "a=\x7f", "a=%c3%28"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(strstr(refusal_of(bad[i]), "percent-encoded"), "%s", bad[i]);
    ck_assert_ptr_nonnull(strstr(refusal_of("a=1&a=2"), "`a` stands twice"));
}
END_TEST

START_TEST(test_queries_have_a_most)
{
    vd_query query;
    vd_error error;
    char text[2000] = "a=";
    memset(text + 2, 'x', VD_QUERY_VALUE - 1);
    ck_assert_int_eq(vd_query_read(text, &query, &error), VD_OK);
    ck_assert_uint_eq(strlen(vd_query_get(&query, "a")), VD_QUERY_VALUE - 1);
    for (int more = 0; more < 4; more++) { /* what is too long is none that anybody takes */
        memset(text + 2, '1', VD_QUERY_VALUE - more);
        strcpy(text + 2 + VD_QUERY_VALUE - more, "%c3%a4%c3%a4&b=2");
        ck_assert_int_eq(vd_query_read(text, &query, &error), VD_OK);
        const char *cut = vd_query_get(&query, "a");
        ck_assert_uint_lt(strlen(cut), VD_QUERY_VALUE);
        ck_assert_uint_gt(strlen(cut), 159);
        ck_assert_str_eq(cut + strlen(cut) - 3, "\xe2\x80\xa6");
        double number;
        ck_assert(!vd_query_number(cut, &number));
        ck_assert_str_eq(vd_query_get(&query, "b"), "2");
    }
    memset(text + 2, 'x', VD_QUERY_VALUE);
    strcpy(text + 2 + VD_QUERY_VALUE, "%0a"); /* nor may anything stand behind the cut */
    ck_assert_int_eq(vd_query_read(text, &query, &error), VD_EFORMAT);
    memset(text, 'x', VD_QUERY_NAME);
    text[VD_QUERY_NAME] = '\0';
    ck_assert_str_eq(refusal_of(text), "A word of the query is longer than 47 bytes.");
    text[0] = '\0';
    for (int i = 0; i < VD_QUERY_MOST; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "k%d=1&", i);
    ck_assert_int_eq(vd_query_read(text, &query, &error), VD_OK);
    strcat(text, "more=1");
    ck_assert_str_eq(refusal_of(text), "The query has more than 16 words.");
}
END_TEST

/* --- Routes */

START_TEST(test_words_of_routes)
{
    int any = 0;
    for (size_t i = 0; vd_routes_at(i); i++) {
        const vd_route *route = vd_routes_at(i);
        bool plain = route->kind == VD_ROUTE_PLAIN;
        any += !route->words;
        ck_assert_msg(vd_route_takes(route, "ticket") == (!route->words || !plain), "%s", route->path);
        ck_assert_msg(vd_route_takes(route, "wings") == !route->words, "%s", route->path);
        bool picture = route->body == VD_BODY_PICTURE;
        static const char *const words[] = {"frame_id", "timestamp"};
        for (size_t k = 0; k < 2; k++)
            ck_assert(vd_route_takes(route, words[k]) == (!route->words || picture));
        static const char *const parts[] = {"frame", "frame_id,", "frame_id, timestamp", " timestamp",
                                            "tickets"};
        for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
            ck_assert_msg(vd_route_takes(route, parts[k]) == !route->words, "%s %s", route->path, parts[k]);
    }
    ck_assert_int_eq(any, 2); /* those whose query is a configuration */
}
END_TEST

static int find(const char *method, const char *path, const char *parameter, const char *allow)
{
    const vd_route *route = NULL;
    char got[VD_PARAMETER] = "", methods[64];
    int status = vd_route_find(method, path, &route, got, methods);
    if (parameter)
        ck_assert_str_eq(got, parameter);
    if (allow)
        ck_assert_str_eq(methods, allow);
    ck_assert((status == 200) == (route != NULL));
    return status;
}

START_TEST(test_routes)
{
    ck_assert_int_eq(find("POST", "/stream/sessions", "", NULL), 200);
    ck_assert_int_eq(find("GET", "/stream/sessions/abc", "abc", NULL), 200);
    ck_assert_int_eq(find("GET", "/stream/sessions/abc/stats", "abc", NULL), 200);
    ck_assert_int_eq(find("GET", "/stream/cameras/Front%20door%2F2", "Front door/2", NULL), 200);
    ck_assert_int_eq(find("HEAD", "/stream/health", NULL, NULL), 200);
    ck_assert_int_eq(find("HEAD", "/stream/events/abc", NULL, "GET"), 405);
    ck_assert_int_eq(find("PUT", "/stream/sessions/abc", NULL, "GET, HEAD, DELETE"), 405);
    ck_assert_int_eq(find("POST", "/metrics", NULL, "GET, HEAD"), 405); /* also a `/{file}` */
    ck_assert_int_eq(find("GET", "/stream/sessions", NULL, "POST"), 405);
    ck_assert_int_eq(find("GET", "/stream/sessions/", NULL, ""), 404);
    ck_assert_int_eq(find("GET", "/stream/sessions/a/b", NULL, ""), 404);
    ck_assert_int_eq(find("GET", "", NULL, ""), 404);
    ck_assert_int_eq(find("GET", "/stream/sessions/%f", NULL, NULL), 400);
    ck_assert_int_eq(find("GET", "/stream/cameras/%ff", NULL, NULL), 400);
    char longer[VD_PARAMETER + 32] = "/stream/cameras/";
    memset(longer + 16, 'x', VD_PARAMETER);
    longer[16 + VD_PARAMETER] = '\0';
    ck_assert_int_eq(find("GET", longer, NULL, ""), 404); /* nothing can have that name */
}
END_TEST

/* Only what is the same for everybody needs no token. */
START_TEST(test_what_is_open)
{
    static const char *const open[] = {"/stream/health", "/", "/{file}"};
    size_t count = 0;
    for (size_t i = 0; vd_routes_at(i); i++)
        if (!vd_routes_at(i)->token) {
            ck_assert_uint_lt(count, sizeof open / sizeof *open);
            ck_assert_str_eq(vd_routes_at(i)->path, open[count++]);
        }
    ck_assert_uint_eq(count, sizeof open / sizeof *open);
}
END_TEST

/* How much passes before it is over. */
static size_t pass_in_pieces(const uint8_t *bytes, size_t size, size_t piece, uint64_t most)
{
    vd_frames frames = {0};
    for (size_t at = 0; at < size; at += piece) {
        size_t part = size - at < piece ? size - at : piece;
        size_t passed = vd_frames_pass(&frames, bytes + at, part, most);
        if (passed < part)
            return at + passed;
    }
    return size;
}

/* What makes a message too large is not let through: nobody behind us is to see the length. */
START_TEST(test_a_message_that_is_too_large)
{
    static const size_t sizes[] = {0, 100, 125, 126, 300, 70000};
    static uint8_t bytes[200000];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t piece = 1; piece < 200; piece = piece * 3 + 1) {
            size_t first = frame(bytes, 2, false, 50), ping = frame(bytes + first, 9, true, 120);
            size_t before = first + ping, whole = before + frame(bytes + before, 0, true, sizes[i]);
            size_t length_size = sizes[i] < 126 ? 2 : sizes[i] < 65536 ? 4 : 10;
            for (uint64_t most = 49 + sizes[i]; most < 52 + sizes[i]; most++) {
                bool fits = most >= 50 + sizes[i];
                size_t passed = pass_in_pieces(bytes, whole, piece, most);
                ck_assert_uint_eq(passed, fits ? whole : most < 50 ? 1 : before + length_size - 1);
            }
        }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("serve_http");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, test_frames_in_pieces_of_any_size);
    tcase_add_test(tests, test_a_message_of_many_frames);
    tcase_add_test(tests, test_what_a_header_announces_counts_at_once);
    tcase_add_test(tests, test_a_message_that_is_too_large);
    tcase_add_test(tests, test_a_ping_that_is_too_large);
    tcase_add_test(tests, test_queries);
    tcase_add_test(tests, test_queries_have_a_most);
    tcase_add_test(tests, test_words_of_routes);
    tcase_add_test(tests, test_routes);
    tcase_add_test(tests, test_what_is_open);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
