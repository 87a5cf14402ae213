#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "serve/heads.h"

/* As a whole, and byte by byte: both must say the same. The status, 0 for what is fine. */
static int status_of(const char *text, size_t size)
{
    vd_heads whole = {0}, slow = {0};
    bool fine = vd_heads_pass(&whole, (const uint8_t *)text, size);
    for (size_t i = 0; i < size; i++)
        vd_heads_pass(&slow, (const uint8_t *)text + i, 1);
    ck_assert_msg(fine == (slow.place != VD_HEADS_WRONG), "in pieces otherwise: %s", text);
    ck_assert_int_eq(whole.status, slow.status);
    ck_assert_msg(fine == (whole.status == 0) && fine == (whole.sentence == NULL), "%s", text);
    ck_assert(fine || (whole.sentence == slow.sentence && strlen(whole.sentence) > 20));
    return whole.status;
}

#define LINE "POST /a HTTP/1.1\r\nHost: b\r\n"
#define GET "GET / HTTP/1.1\r\nHost: b\r\n"

START_TEST(requests_as_they_should_be)
{
    static const char *const fine[] = {
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nhost:127.0.0.1:80\r\n\r\n",
        LINE "Content-Length: 5\r\n\r\nhello" GET "\r\n",
        LINE "content-length:\t0 \r\n\r\n",
        "\r\n" GET "\r\n\r\n" GET "\r\n",
        LINE "Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n" LINE
             "Content-Length: 1\r\n\r\nx",
        LINE "Content-Length: 43\r\n\r\nContent-Length: x\r\nTransfer-Encoding: y\r\n\r\n", /* is its body */
        LINE
        "X-Content-Length: x\r\nContent-Lengths: y\r\nX: \xc3\xa4 : , \r\nY:\r\n\r\n", /* other headers */
        LINE "Expect: 100-Continue\r\nOrigin: null\r\nConnection: content-length, host\r\n\r\n",
        "GET /a%2Fb?c=%c3%A4&d=[|]~ HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\nHost: [::1]:8765\r\n\r\n",
        "GET http://b:80/a HTTP/1.1\r\nHost: B:80\r\n\r\n",
        "m$thod / HTTP/1.1\r\nHost: b\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        ck_assert_msg(status_of(fine[i], strlen(fine[i])) == 0, "%s", fine[i]);
}
END_TEST

/* Where it ends could be read otherwise by somebody else. */
START_TEST(lengths_that_are_none)
{
    static const char *const wrong[] = {
        LINE "Content-Length: x\r\n",
        LINE "Content-Length:\r\n",
        LINE "Content-Length: -1\r\n",
        LINE "Content-Length: +1\r\n",
        LINE "Content-Length: 0x10\r\n",
        LINE "Content-Length: 1 2\r\n",
        LINE "Content-Length: 5, 5\r\n",
        LINE "Content-Length: \"5\"\r\n",
        LINE "Content-Length: 99999999999999999999\r\n",
        LINE "Content-Length: 000000000000000000000000000000000000000000000000000000000000001\r\n",
        LINE "Content-Length: 5\r\nContent-Length: 5\r\n",
        LINE "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        LINE "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        LINE "Transfer-Encoding: gzip\r\n",
        LINE "Transfer-Encoding: identity\r\n",
        LINE "Transfer-Encoding:\r\n",
        LINE "Transfer-Encoding: gzip, chunked\r\n",
        LINE "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        LINE "Transfer-Encoding: chunked\r\n\r\nx\r\n",
        LINE "Transfer-Encoding: chunked\r\n\r\n\r\n",
        LINE "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        LINE "Transfer-Encoding: chunked\r\n\r\n+1\r\n",
        LINE "Transfer-Encoding: chunked\r\n\r\n 1\r\n",
        LINE "Transfer-Encoding: chunked\r\n\r\n0x1\r\n",
        LINE "Transfer-Encoding: chunked\r\n\r\n1\nx",
        LINE "Transfer-Encoding: chunked\r\n\r\n1\r\nx\n",
        LINE "Transfer-Encoding: chunked\r\n\r\n1;\nx\r\n",
        LINE "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        LINE "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        LINE "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n",
        GET "\r\n" LINE "Content-Length: x\r\n",
        LINE "Content-Length: 2\r\n\r\nab" LINE "Content-Length: x\r\n",
        LINE "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" LINE "Content-Length: x\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n",
        "POST / HTTP/1.0\r\nConnection: Content-Length\r\n",
        "POST / HTTP/1.0\r\nConnection: keep-alive, content-length\r\n",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(status_of(wrong[i], strlen(wrong[i])) == 400, "%s", wrong[i]);
}
END_TEST

START_TEST(headers_that_are_none)
{
    static const char *const wrong[] = {
        LINE "Content-Length : 5\r\n",
        LINE "Content-Length\t: 5\r\n",
        LINE "Transfer-Encoding : chunked\r\n",
        LINE " Content-Length: 5\r\n",
        LINE "X: 1\r\n folded\r\n",
        LINE "Content-Length: 5\r\n\t6\r\n",
        LINE ": x\r\n",
        LINE "X\r\n",
        LINE "X Y: 1\r\n",
        LINE "X\x01: 1\r\n",
        LINE "X\xc3\xa4: 1\r\n",
        LINE "(X): 1\r\n",
        LINE "X: a\rb\r\n",
        LINE "X: a\r\r\n",
        LINE "X: a\nContent-Length: 5\r\n",
        LINE "X: a\x0b\r\n",
        LINE "X: a\x7f\r\n",
        LINE "\rContent-Length: 5\r\n",
        "GET / HTTP/1.1\nHost: a\r\n",
        GET "\n",
        GET "\r\r\n",
    };
    static const char zero[] = LINE "Con\0tent-Length: 5\r\n", in_value[] = LINE "X: a\0b\r\n";
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(status_of(wrong[i], strlen(wrong[i])) == 400, "%s", wrong[i]);
    ck_assert_int_eq(status_of(zero, sizeof zero - 1), 400);
    ck_assert_int_eq(status_of(in_value, sizeof in_value - 1), 400);
}
END_TEST

/* What libsoup refuses without a word, or takes the last of. */
START_TEST(what_is_answered_before_libsoup)
{
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {GET "Host: b\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: evil.example\r\nHost: 127.0.0.1\r\n", 400},
        {"GET / HTTP/1.1\r\nHost:\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a:b\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a:99999\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: [::1\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: [1:2]\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: ::1\r\n", 400},
        {GET "Origin: https://evil.example\r\nOrigin: http://b\r\n", 403},
        {GET "Expect: a-miracle\r\n", 417},
        {GET "Expect:\r\n", 417},
        {GET "Expect: 100-continue\r\nExpect: 100-continue\r\n", 417},
        {"GET / HTTP/1.0\r\nExpect: 100-continue\r\n", 417},
        {"GET / HTTP/1.2\r\n", 505},
        {"PRI * HTTP/2.0\r\n", 505},
        {"GET / HTTP/1.1 \r\n", 400},
        {"GET / HTTP/1.10\r\n", 400},
        {"GET / http/1.1\r\n", 400},
        {"GET  / HTTP/1.1\r\n", 400},
        {"GET /\tHTTP/1.1\r\n", 400},
        {"GET /\r\n", 400},
        {"GET\r\n", 400},
        {" GET / HTTP/1.1\r\n", 400},
        {"G(T / HTTP/1.1\r\n", 400},
        {"\r\n\r\n", 400},
        {"OPTIONS * HTTP/1.1\r\n", 404},
        {"CONNECT a:80 HTTP/1.1\r\n", 400},
        {"CONNECT / HTTP/1.1\r\n", 400},
        {"GET a HTTP/1.1\r\n", 400},
        {"GET /a% HTTP/1.1\r\n", 400},
        {"GET /a%4 HTTP/1.1\r\n", 400},
        {"GET /a%zz HTTP/1.1\r\n", 400},
        {"GET /a#b HTTP/1.1\r\n", 400},
        {"GET /\xc3\xa4 HTTP/1.1\r\n", 400},
        {"GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\n", 400},
        {"GET http://a:b/ HTTP/1.1\r\n", 400},
        {"GET http://u@a/ HTTP/1.1\r\n", 400},
        {"GET http:/// HTTP/1.1\r\n", 400},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(status_of(cases[i].text, strlen(cases[i].text)) == cases[i].status, "%s",
                      cases[i].text);
}
END_TEST

START_TEST(heads_have_a_most)
{
    static char text[VD_HEADS_HEAD_MOST + 100];
    size_t size = (size_t)sprintf(text, "GET /");
    memset(text + size, 'a', VD_HEADS_TARGET_MOST);
    strcpy(text + size + VD_HEADS_TARGET_MOST - 1, " HTTP/1.1\r\nHost: b\r\n\r\n");
    ck_assert_int_eq(status_of(text, strlen(text)), 0);
    memset(text + size, 'a', VD_HEADS_TARGET_MOST);
    ck_assert_int_eq(status_of(text, size + VD_HEADS_TARGET_MOST), 414);
    size = (size_t)sprintf(text, GET "X: ");
    memset(text + size, 'a', VD_HEADS_HEAD_MOST - size + 1);
    ck_assert_int_eq(status_of(text, VD_HEADS_HEAD_MOST), 0);
    ck_assert_int_eq(status_of(text, VD_HEADS_HEAD_MOST + 1), 431);
    strcpy(text + VD_HEADS_HEAD_MOST - 4, "\r\n\r\n" GET "\r\n"); /* each has its own */
    ck_assert_int_eq(status_of(text, strlen(text)), 0);
    size = (size_t)sprintf(text, GET);
    memset(text + size, 'a', 2 * VD_HEADS_LINE); /* a name that no buffer holds */
    strcpy(text + size + 2 * VD_HEADS_LINE, ": b\r\n\r\n");
    ck_assert_int_eq(status_of(text, strlen(text)), 0);
    size = (size_t)sprintf(text, LINE "Transfer-Encoding: chunked\r\n\r\n1;");
    memset(text + size, 'a', 99);
    strcpy(text + size + 98, "\r\nx\r\n0\r\n\r\n");
    ck_assert_int_eq(status_of(text, strlen(text)), 0);
    memset(text + size, 'a', 99);
    ck_assert_int_eq(status_of(text, size + 99), 400);
}
END_TEST

START_TEST(what_was_refused_stays_so)
{
    static const char wrong[] = LINE "Content-Length: x\r\n", more[] = "\r\nGET / HTTP/1.1\r\n\r\n";
    vd_heads heads = {0};
    ck_assert(!vd_heads_pass(&heads, (const uint8_t *)wrong, sizeof wrong - 1));
    ck_assert(!vd_heads_pass(&heads, (const uint8_t *)more, sizeof more - 1));
}
END_TEST

/* Told by `ends` and `behind` together. */
START_TEST(what_comes_behind_a_head)
{
    static const struct {
        const char *text;
        unsigned ends;
        bool behind;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n", 0, true},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 1, false},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n", 1, true},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\nx", 1, true},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\nx / HTTP/1.0\r\n\r\n", 2, false},
        {LINE "Content-Length: 0\r\n\r\n", 1, false},
        {LINE "Content-Length: 1\r\n\r\nx", 1, true},
        {LINE "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 1, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vd_heads heads = {0};
        ck_assert(vd_heads_pass(&heads, (const uint8_t *)cases[i].text, strlen(cases[i].text)));
        ck_assert_uint_eq(heads.ends, cases[i].ends);
        ck_assert_msg(heads.behind == cases[i].behind, "%s", cases[i].text);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("serve_heads");
    TCase *tests = tcase_create("heads");
    tcase_add_test(tests, requests_as_they_should_be);
    tcase_add_test(tests, lengths_that_are_none);
    tcase_add_test(tests, headers_that_are_none);
    tcase_add_test(tests, what_is_answered_before_libsoup);
    tcase_add_test(tests, heads_have_a_most);
    tcase_add_test(tests, what_was_refused_stays_so);
    tcase_add_test(tests, what_comes_behind_a_head);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
