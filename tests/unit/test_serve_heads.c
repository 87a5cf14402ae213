#include <string.h>

#include "check_main.h"
#include "serve/heads.h"

/* As a whole, and byte by byte: both must say the same. */
static bool passes(const char *text)
{
    vd_heads whole = {0}, slow = {0};
    bool fine = vd_heads_pass(&whole, (const uint8_t *)text, strlen(text));
    for (const char *at = text; *at; at++)
        vd_heads_pass(&slow, (const uint8_t *)at, 1);
    ck_assert_msg(fine == (slow.place != VD_HEADS_WRONG), "in pieces otherwise: %s", text);
    return fine;
}

#define LINE "POST /a HTTP/1.1\r\nHost: b\r\n"

START_TEST(requests_as_they_should_be)
{
    static const char *const fine[] = {
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\n\r\n",
        LINE "Content-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n\r\n",
        LINE "content-length:\t0 \r\n\r\n",
        "\r\n\r\nGET / HTTP/1.1\nHost: a\n\n",
        LINE
        "Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n" LINE
        "Content-Length: 1\r\n\r\nx",
        LINE "X: 1\r\n folded\r\nContent-Length: 2\r\n\r\nab",
        LINE "Content-Length: 42\r\n\r\nContent-Length: x\r\nTransfer-Encoding: y\r\n\r\n", /* is its body */
        LINE "X-Content-Length: x\r\nContent-Lengths: y\r\nContent-Length : z\r\n\r\n", /* other headers */
        "Content-Length: x\r\n\r\n", /* a request line of some kind */
    };
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        ck_assert_msg(passes(fine[i]), "%s", fine[i]);
}
END_TEST

START_TEST(lengths_that_are_none)
{
    static const char *const wrong[] = {
        LINE "Content-Length: x\r\n\r\n",
        LINE "Content-Length:\r\n\r\n",
        LINE "Content-Length: -1\r\n\r\n",
        LINE "Content-Length: +1\r\n\r\n",
        LINE "Content-Length: 0x10\r\n\r\n",
        LINE "Content-Length: 1 2\r\n\r\n",
        LINE "Content-Length: 99999999999999999999\r\n\r\n",
        LINE "Content-Length: 000000000000000000000000000000000000000000000000000000000000001\r\n\r\n",
        LINE "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
        LINE "Content-Length: 5\r\n 6\r\n\r\n",
        LINE "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        LINE "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        LINE "Transfer-Encoding: gzip\r\n\r\n",
        LINE "Transfer-Encoding: gzip, chunked\r\n\r\n",
        LINE "transfer-encoding: chunked\r\n\t, gzip\r\n\r\n",
        LINE "Transfer-Encoding: chunked\r\n\r\nx\r\n",
        LINE "Transfer-Encoding: chunked\r\n\r\n\r\n",
        LINE "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        LINE "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        "GET / HTTP/1.1\r\n\r\n" LINE "Content-Length: x\r\n\r\n",
        LINE "Content-Length: 2\r\n\r\nab" LINE "Content-Length: x\r\n\r\n",
        LINE "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" LINE "Content-Length: x\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(!passes(wrong[i]), "%s", wrong[i]);
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

/* Told by `ends` and `behind` together: two line ends are a head of their own. */
START_TEST(what_comes_behind_a_head)
{
    static const struct {
        const char *text;
        unsigned ends;
        bool behind;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n", 0, true},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 1, false},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n\n", 1, true},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\nx", 1, true},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\nx\n\n", 2, false},
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
    tcase_add_test(tests, what_was_refused_stays_so);
    tcase_add_test(tests, what_comes_behind_a_head);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
