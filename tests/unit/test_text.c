#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "check_main.h"
#include "seeded.h"

/* Decodes one character by arithmetic on its code point, apart from the tables of the code under test; 0 when
 * there is no valid one. */
static size_t decode(const char *text, size_t left, uint32_t *ret_code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *s = (const unsigned char *)text;
    size_t length = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;
    if (length == 0 || length > left)
        return 0;
    uint32_t code = length == 1 ? s[0] : s[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (s[i] >> 6 != 2)
            return 0;
        code = code << 6 | (s[i] & 63u);
    }
    if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 0;
    *ret_code = code;
    return length;
}

static int is_valid(const char *text)
{
    uint32_t code;
    for (size_t length = strlen(text); length > 0;) {
        size_t taken = decode(text, length, &code);
        if (taken == 0)
            return 0;
        text += taken;
        length -= taken;
    }
    return 1;
}

START_TEST(a_copy_is_cut_at_the_border_of_a_character)
{
    static const char source[] = "aä€𝄞zé漢字🙂-Ω";
    for (size_t size = 1; size < sizeof source + 4; size++) {
        char *out = malloc(size); /* on the heap, so that a byte too much is found */
        vd_text_copy(out, size, source);
        ck_assert(strlen(out) < size);
        ck_assert_int_eq(strncmp(out, source, strlen(out)), 0);
        ck_assert_msg(is_valid(out), "%zu bytes leave half a character", size);
        if (size > 4)
            ck_assert_uint_ge(strlen(out) + 4, size < sizeof source ? size : sizeof source);
        free(out);
    }
    char whole[sizeof source];
    vd_text_copy(whole, sizeof whole, source);
    ck_assert_str_eq(whole, source);
}
END_TEST

START_TEST(only_an_incomplete_end_is_trimmed)
{
    static const struct {
        const char *text, *trimmed;
    } cases[] = {{"", ""},
                 {"a", "a"},
                 {"\xc3\xa4", "\xc3\xa4"},
                 {"a\xc3", "a"},
                 {"\xc3", ""},
                 {"\xe2\x82\xac", "\xe2\x82\xac"},
                 {"\xe2\x82", ""},
                 {"b\xe2", "b"},
                 {"x\xf0\x9d\x84\x9e", "x\xf0\x9d\x84\x9e"},
                 {"\xf0\x9d", ""},
                 {"y\xf0\x9d\x84", "y"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[16];
        snprintf(text, sizeof text, "%s", cases[i].text);
        vd_text_trim_partial(text);
        ck_assert_str_eq(text, cases[i].trimmed);
    }
}
END_TEST

START_TEST(any_bytes_become_one_line_of_utf8)
{
    uint64_t seed = 7;
    for (int round = 0; round < 20000; round++) {
        static const unsigned char likely[] = {0xc3, 0xa4, 0xe2, 0x82, 0xac, 0xf0, 0x9d, 0x84, 0x9e, 0xed,
                                               0xa0, 0xf4, 0x90, 'a',  '\n', 0x7f, 0xc2, 0x85, 0xe0, 0xff};
        char bytes[24], out[40];
        size_t length = seeded_below(&seed, sizeof bytes), size = 1 + seeded_below(&seed, sizeof out);
        for (size_t i = 0; i < length; i++)
            bytes[i] = seeded_below(&seed, 3) ? (char)likely[seeded_below(&seed, sizeof likely)]
                                              : (char)seeded_below(&seed, 256);
        vd_text_clean(out, size, bytes, length);
        int wrong = strlen(out) >= size || !is_valid(out);
        for (const char *c = out; *c; c++)
            wrong += (unsigned char)*c < 0x20 || *c == 0x7f ||
                     ((unsigned char)c[0] == 0xc2 && (unsigned char)c[1] < 0xa0);
        if (wrong)
            ck_abort_msg("round %d gives '%s'", round, out);
    }
}
END_TEST

START_TEST(cleaning_keeps_what_is_valid)
{
    char out[64];
    vd_text_clean(out, sizeof out, "Bär 🙂 漢", strlen("Bär 🙂 漢"));
    ck_assert_str_eq(out, "Bär 🙂 漢");
    vd_text_clean(out, sizeof out, "two\nlines\t\x1b[31m", 14);
    ck_assert_str_eq(out, "two lines  [31");
    vd_text_clean(out, sizeof out,
                  "a\xff"
                  "b\xc3",
                  4);
    ck_assert_str_eq(out, "a\xef\xbf\xbd"
                          "b\xef\xbf\xbd");
    vd_text_clean(out, sizeof out, "a\0b", 3);
    ck_assert_str_eq(out, "a b");
    vd_text_clean(out, sizeof out, "\xed\xa0\x80", 3); /* half of a surrogate pair */
    ck_assert_str_eq(out, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    vd_text_clean(out, 5, "ab漢", 5);
    ck_assert_str_eq(out, "ab");
}
END_TEST

static const struct {
    const char *address, *shown;
} addresses[] = {
    {"rtsp://admin:pw@host/1", "rtsp://***@host/1"},
    {"rtsp://admin@host/1", "rtsp://***@host/1"},
    {"rtsp://:pw@host", "rtsp://***@host"},
    {"rtsp://admin:@host", "rtsp://***@host"},
    {"rtsp://host:554/Streaming/Channels/101", "rtsp://host:554/Streaming/Channels/101"},
    {"rtsp://a:b@[fe80::1]:554/x", "rtsp://***@[fe80::1]:554/x"},
    {"rtsp://[2001:db8::7]:554/x?fps=5", "rtsp://[2001:db8::7]:554/x?fps=5"},
    {"rtsp://a:p@ss@host/1", "rtsp://***@host/1"},
    {"rtsp://a:p/ss@host/1", "rtsp://***@host/1"},
    {"rtsp://a:12/34@host/1", "rtsp://***@host/1"},
    {"rtsp://a:p?s#s@host/1", "rtsp://***@host/1"},
    {"rtsp://a:p@s/s@host/1", "rtsp://***@host/1"},
    {"rtsp://a:p:s@host:554/1", "rtsp://***@host:554/1"},
    {"rtsp://LAN/a:pw@host/1", "rtsp://***@host/1"},
    {"http://a:p%40w@host", "http://***@host"},
    {"http://host/@a/live", "http://host/@a/live"},
    {"http://h/x?token=abc&fps=5", "http://h/x?token=***&fps=5"},
    {"http://h/x?fps=5&Password=a/b?c=d&w=1", "http://h/x?fps=5&Password=***&w=1"},
    {"http://h/x?loginuse=adm&loginpas=pw", "http://h/x?loginuse=***&loginpas=***"},
    {"http://h/x?api_key=abc#sig=def", "http://h/x?api_key=***"},
    {"http://h/x?a=1#access_token=def", "http://h/x?a=1#access_token=***"},
    {"rtsp://h:554/user=adm&password=pw&channel=1", "rtsp://h:554/user=***&password=***&channel=1"},
    {"rtsp://h/user=adm_password=pw_channel=1.sdp", "rtsp://h/user=***"},
    {"http://u:p@h/x?token=a@b", "http://***"},
    {"http://u:p@h/x?auth=abc", "http://***@h/x?auth=***"},
    {"cannot open rtsp://u:p@h/1", "cannot open rtsp://***@h/1"},
    {"file:///clips/a:b@c.mp4", "file:///clips/a:b@c.mp4"},
    {"/clips/a:b@c.mp4", "/clips/a:b@c.mp4"},
    {"/dev/video0", "/dev/video0"},
    {"demo:", "demo:"},
    {"", ""},
    {"://", "://"},
    {"rtsp://", "rtsp://"},
    {"rtsp://@", "rtsp://***@"},
};

START_TEST(an_address_is_shown_without_its_secrets)
{
    char out[256];
    vd_text_mask_address(out, sizeof out, addresses[_i].address);
    ck_assert_str_eq(out, addresses[_i].shown);
}
END_TEST

START_TEST(a_masked_address_fits_its_room)
{
    for (size_t size = 1; size < 40; size++) {
        char *out = malloc(size), whole[256];
        vd_text_mask_address(out, size, addresses[_i].address);
        vd_text_mask_address(whole, sizeof whole, addresses[_i].address);
        ck_assert(strlen(out) < size);
        ck_assert_int_eq(strncmp(out, whole, strlen(out)), 0);
        free(out);
    }
}
END_TEST

static const char *const hosts[] = {"cam.lan", "10.0.0.12:554", "[fe80::1]", "[fe80::1%25eth0]:8554", "cam"};
static const char *const paths[] = {"", "/", "/live/ch1", "/x?fps=25", "/x?a=b&c=d#top"};

/* Letters that stand in passwords only, so that one of them in what is shown is a leak. */
static const char secret_letters[] = "QXZJ79";

static void make_password(uint64_t *seed, const char *const *others, uint32_t other_count, char *out)
{
    uint32_t length = 1 + seeded_below(seed, 12);
    *out = '\0';
    for (uint32_t i = 0; i < length; i++) {
        char letter[2] = {secret_letters[seeded_below(seed, sizeof secret_letters - 1)], '\0'};
        strcat(out, seeded_below(seed, 2) ? others[seeded_below(seed, other_count)] : letter);
    }
}

START_TEST(no_part_of_a_password_is_ever_shown)
{
    static const char *const marks[] = {"@", ":", "/", "?", "#", "&", "=", "%", " ", ";", "[", "]", "\\"};
    uint64_t seed = 11;
    for (int round = 0; round < 50000; round++) {
        char password[64], address[256], shown[256], wanted[256];
        const char *host = hosts[seeded_below(&seed, 5)], *path = paths[seeded_below(&seed, 5)];
        make_password(&seed, marks, sizeof marks / sizeof *marks, password);
        snprintf(address, sizeof address, "rtsp://adm:%s@%s%s", password, host, path);
        snprintf(wanted, sizeof wanted, "rtsp://***@%s%s", host, path);
        vd_text_mask_address(shown, sizeof shown, address);
        if (strcmp(shown, wanted) != 0)
            ck_abort_msg("'%s' is shown as '%s'", address, shown);
    }
}
END_TEST

START_TEST(passwords_that_look_like_addresses_are_not_shown)
{
    static const char *const marks[] = {"@",       ":",      "/",         "?",        "#",       "&key=",
                                        "?token=", "/user=", "password=", "&",        "rtsp://", "a.b@",
                                        ":554/",   "?fps=5", "@cam",      "[fe80::1]"};
    static const char *const tails[] = {"", "/a@b", "?mail=a@b", "?token=a@b", "/x?auth=abc", "/user=a&pw=b"};
    uint64_t seed = 13;
    for (int round = 0; round < 50000; round++) {
        char password[160], address[320], shown[320];
        make_password(&seed, marks, sizeof marks / sizeof *marks, password);
        snprintf(address, sizeof address, "rtsp://adm:%s@%s%s", password, hosts[seeded_below(&seed, 5)],
                 tails[seeded_below(&seed, 6)]);
        vd_text_mask_address(shown, sizeof shown, address);
        if (strpbrk(shown, secret_letters))
            ck_abort_msg("'%s' is shown as '%s'", address, shown);
    }
}
END_TEST

START_TEST(numbers_are_read_whole_or_not_at_all)
{
    static const struct {
        const char *text;
        int valid;
        double value;
    } cases[] = {{"1.5", 1, 1.5}, {"-3", 1, -3},   {"0", 1, 0},   {"1e3", 1, 1000}, {".5", 1, 0.5},
                 {"+2", 1, 2},    {"1,5", 0, 0},   {"", 0, 0},    {" 1", 0, 0},     {"1 ", 0, 0},
                 {"1.5x", 0, 0},  {"nan", 0, 0},   {"inf", 0, 0}, {"1e999", 0, 0},  {"-", 0, 0},
                 {"1.5.2", 0, 0}, {"1'000", 0, 0}, {"\t4", 0, 0}, {"1e", 0, 0},     {"abc", 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value = -77;
        ck_assert_msg(vd_text_parse_number(cases[i].text, &value) == cases[i].valid, "'%s'", cases[i].text);
        ck_assert_double_eq(value, cases[i].valid ? cases[i].value : -77);
    }
    double value;
    ck_assert(!vd_text_parse_number(NULL, &value));
}
END_TEST

START_TEST(numbers_are_written_to_the_room_there_is)
{
    char out[32];
    ck_assert_int_eq(vd_text_number(out, sizeof out, 3.14159, 2), 4);
    ck_assert_str_eq(out, "3.14");
    ck_assert_int_eq(vd_text_number(out, sizeof out, -0.5, 0), 2);
    ck_assert_int_eq(vd_text_number(out, 4, 123456, 1), 3);
    ck_assert_str_eq(out, "123");
    ck_assert_int_eq(vd_text_number(out, 1, 5, 0), 0);
    ck_assert_str_eq(out, "");
}
END_TEST

/* A locale where people write commas and, as in Turkish, `i` is not the small letter of `I`. */
static const char odd_locale[] =
    "LC_CTYPE\nupper <U0041>;<U0049>\nlower <U0061>;<U0069>\n"
    "toupper (<U0061>,<U0041>)\ntolower (<U0041>,<U0061>)\nEND LC_CTYPE\n"
    "LC_NUMERIC\ndecimal_point \",\"\nthousands_sep \".\"\ngrouping 3;3\nEND LC_NUMERIC\n";

/* Compiles it into `folder`; 0 where the system has no compiler for locales. */
static int make_odd_locale(const char *folder)
{
    char path[128], command[256];
    snprintf(path, sizeof path, "%s/source", folder);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(odd_locale, file), 0);
    ck_assert_int_eq(fclose(file), 0);
    snprintf(command, sizeof command, "localedef -c -i %s -f ANSI_X3.4-1968 %s/odd >%s/said 2>&1", path,
             folder, folder);
    int status = system(command); /* 1: made, with warnings about what it leaves out */
    setenv("LOCPATH", folder, 1);
    return status >= 0 && setlocale(LC_NUMERIC, "odd") && setlocale(LC_CTYPE, "odd");
}

static void check_odd_locale(void)
{
    char out[32], by_printf[32];
    double value = 0;
    snprintf(by_printf, sizeof by_printf, "%.2f", 1234.5);
    ck_assert_str_eq(by_printf, "1234,50");
    ck_assert_int_eq(tolower('I'), 'I');
    vd_text_number(out, sizeof out, 1234.5, 2);
    ck_assert_str_eq(out, "1234.50");
    ck_assert(vd_text_parse_number("1234.5", &value));
    ck_assert_double_eq(value, 1234.5);
    ck_assert(!vd_text_parse_number("1234,5", &value));
    ck_assert(vd_text_ends_with("CLIP.AVI", ".avi"));
    ck_assert(vd_text_same("BICYCLE", "bicycle"));
    vd_text_mask_address(out, sizeof out, "http://h/x?SIG=abc");
    ck_assert_str_eq(out, "http://h/x?SIG=***");
    snprintf(by_printf, sizeof by_printf, "%.2f", 0.5);
    ck_assert_str_eq(by_printf, "0,50"); /* the program's locale is as before */
}

START_TEST(the_locale_changes_nothing)
{
    char folder[] = "/tmp/vedette-locale-XXXXXX", command[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    if (make_odd_locale(folder))
        check_odd_locale();
    else
        printf("waits for localedef\n");
    setlocale(LC_ALL, "C");
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(small_helpers)
{
    ck_assert_str_eq(vd_text_base_name("/a/b.mp4"), "b.mp4");
    ck_assert_str_eq(vd_text_base_name("b.mp4"), "b.mp4");
    ck_assert_str_eq(vd_text_base_name("/a/"), "");
    ck_assert(vd_text_ends_with("x.ONNX", ".onnx"));
    ck_assert(!vd_text_ends_with("nnx", ".onnx"));
    ck_assert(vd_text_ends_with("a", ""));
    ck_assert(!vd_text_same("a", "ab"));
    ck_assert_ptr_null(vd_text_dup(NULL));
    char *copy = vd_text_dup("abc");
    ck_assert_str_eq(copy, "abc");
    free(copy);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("text");
    TCase *utf8 = tcase_create("utf8");
    tcase_add_test(utf8, a_copy_is_cut_at_the_border_of_a_character);
    tcase_add_test(utf8, only_an_incomplete_end_is_trimmed);
    tcase_add_test(utf8, any_bytes_become_one_line_of_utf8);
    tcase_add_test(utf8, cleaning_keeps_what_is_valid);
    suite_add_tcase(suite, utf8);
    TCase *masks = tcase_create("addresses");
    tcase_set_timeout(masks, 20);
    tcase_add_loop_test(masks, an_address_is_shown_without_its_secrets, 0,
                        sizeof addresses / sizeof *addresses);
    tcase_add_loop_test(masks, a_masked_address_fits_its_room, 0, sizeof addresses / sizeof *addresses);
    tcase_add_test(masks, no_part_of_a_password_is_ever_shown);
    tcase_add_test(masks, passwords_that_look_like_addresses_are_not_shown);
    suite_add_tcase(suite, masks);
    TCase *numbers = tcase_create("numbers");
    tcase_set_timeout(numbers, 30); /* a locale may have to be compiled */
    tcase_add_test(numbers, numbers_are_read_whole_or_not_at_all);
    tcase_add_test(numbers, numbers_are_written_to_the_room_there_is);
    tcase_add_test(numbers, the_locale_changes_nothing);
    tcase_add_test(numbers, small_helpers);
    suite_add_tcase(suite, numbers);
    return suite;
}

TEST_MAIN(make_suite)
