#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check_main.h"
#include "model/digest.h"
#include "model/names.h"

static vd_names parsed(const char *text)
{
    vd_names names = {0};
    ck_assert_msg(vd_names_parse(text, &names) == VD_OK, "%s", text);
    return names;
}

START_TEST(test_dictionary)
{
    vd_names names = parsed("{0: 'person', 1: \"driver's cab\", 2: 'Fu\xc3\x9fg\xc3\xa4nger', 3: 'cat/dog'}");
    ck_assert_int_eq(names.count, 4);
    ck_assert_str_eq(names.items[0], "person");
    ck_assert_str_eq(names.items[1], "driver's cab");
    ck_assert_str_eq(names.items[2], "Fußgänger");
    ck_assert_str_eq(names.items[3], "cat/dog");
    vd_names_free(&names);
    ck_assert_ptr_null(names.items);
}
END_TEST

START_TEST(test_escapes)
{
    vd_names names =
        parsed("{0: 'it\\'s', 1: 'a\\\\b', 2: '\\xe9t\\u00e9', 3: '\\U0001f600', 4: 'tab\\there', "
               "5: '\\101\\7', 6: '\\q', 7: '\\ud800', 8: '\\0'}");
    const char *const wanted[] = {"it's", "a\\b", "été",          "😀",           "tab\there",
                                  "A\a",  "\\q",  "\xef\xbf\xbd", "\xef\xbf\xbd"};
    ck_assert_int_eq(names.count, 9);
    for (int i = 0; i < 9; i++)
        ck_assert_str_eq(names.items[i], wanted[i]);
    vd_names_free(&names);
}
END_TEST

START_TEST(test_other_forms)
{
    vd_names names = parsed(" [ 'a' , \"b\" , ] \n");
    ck_assert_int_eq(names.count, 2);
    ck_assert_str_eq(names.items[1], "b");
    vd_names_free(&names);

    names = parsed("{\"1\": \"one\", '0': 'zero'}");
    ck_assert_str_eq(names.items[0], "zero");
    ck_assert_str_eq(names.items[1], "one");
    vd_names_free(&names);

    names = parsed("{2: 'c'}");
    ck_assert_int_eq(names.count, 3);
    ck_assert_ptr_null(names.items[0]);
    ck_assert_str_eq(names.items[2], "c");
    vd_names_free(&names);

    names = parsed("{}");
    ck_assert_int_eq(names.count, 0);
    vd_names_free(&names);
}
END_TEST

static const char *const broken[] = {"",
                                     "person",
                                     "{",
                                     "{0",
                                     "{0:",
                                     "{0: 'person'",
                                     "{0: 'person}",
                                     "{0: person}",
                                     "{0: 'a' 1: 'b'}",
                                     "{0: 'a', 0: 'b'}",
                                     "{-1: 'a'}",
                                     "{1024: 'a'}",
                                     "{99999999999999999999: 'a'}",
                                     "{'0: 'a'}",
                                     "{0: 'a'} tail",
                                     "{0: '\\x4'}",
                                     "{0: '\\u12'}",
                                     "{0: '\\",
                                     "['a']]",
                                     "{0: None}",
                                     "[['a']]"};

START_TEST(test_broken)
{
    vd_names names = {0};
    ck_assert_int_eq(vd_names_parse(broken[_i], &names), VD_EFORMAT);
    ck_assert_ptr_null(names.items);
}
END_TEST

START_TEST(test_every_prefix_ends)
{
    const char whole[] = "{0: 'it\\'s', 1: \"b\\u00e9\", '2': 'c', 3: '\\777'}";
    for (size_t length = 0; length < sizeof whole - 1; length++) {
        char *cut = strndup(whole, length);
        vd_names names = {0};
        ck_assert_int_eq(vd_names_parse(cut, &names), VD_EFORMAT);
        free(cut);
    }
    vd_names names = parsed(whole);
    vd_names_free(&names);
}
END_TEST

static int read_labels(const char *bytes, size_t length, vd_names *ret_names, vd_error *error)
{
    char path[] = "/tmp/vedette-names-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
    close(fd);
    int code = vd_names_read_file(path, ret_names, error);
    unlink(path);
    return code;
}

START_TEST(test_labels_file)
{
    const char text[] = "\xef\xbb\xbfperson\r\n  stop sign \n\ncat/dog\n\n\n";
    vd_names names = {0};
    vd_error error = {0};
    ck_assert_int_eq(read_labels(text, sizeof text - 1, &names, &error), VD_OK);
    ck_assert_int_eq(names.count, 4);
    ck_assert_str_eq(names.items[0], "person");
    ck_assert_str_eq(names.items[1], "stop sign");
    ck_assert_str_eq(names.items[2], "");
    ck_assert_str_eq(names.items[3], "cat/dog");
    vd_names_free(&names);
}
END_TEST

START_TEST(test_labels_file_refused)
{
    vd_names names = {0};
    vd_error error = {0};
    ck_assert_int_eq(vd_names_read_file("/nonexistent/labels.txt", &names, &error), VD_ENOTFOUND);
    ck_assert_int_eq(vd_names_read_file("/tmp", &names, &error), VD_EFORMAT);
    ck_assert_int_eq(read_labels("\n\n", 2, &names, &error), VD_EFORMAT);
    ck_assert_int_eq(read_labels("", 0, &names, &error), VD_EFORMAT);
    ck_assert_int_eq(read_labels("a\0b", 3, &names, &error), VD_EFORMAT);
    char many[3 * (VD_MAX_CLASSES + 1)];
    for (int i = 0; i <= VD_MAX_CLASSES; i++)
        memcpy(many + 3 * i, "aa\n", 3);
    ck_assert_int_eq(read_labels(many, sizeof many, &names, &error), VD_EFORMAT);
    ck_assert_ptr_nonnull(strstr(error.text, "1024"));
    ck_assert_ptr_null(names.items);
}
END_TEST

START_TEST(test_digest)
{
    char hex[65];
    vd_digest_sha256("", 0, hex);
    ck_assert_str_eq(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    vd_digest_sha256("abc", 3, hex);
    ck_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    vd_digest_sha256(two_blocks, sizeof two_blocks - 1, hex);
    ck_assert_str_eq(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    char *million = malloc(1000000);
    memset(million, 'a', 1000000);
    vd_digest_sha256(million, 1000000, hex);
    free(million);
    ck_assert_str_eq(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("names");
    TCase *t = tcase_create("names");
    tcase_add_test(t, test_dictionary);
    tcase_add_test(t, test_escapes);
    tcase_add_test(t, test_other_forms);
    tcase_add_loop_test(t, test_broken, 0, (int)(sizeof broken / sizeof *broken));
    tcase_add_test(t, test_every_prefix_ends);
    tcase_add_test(t, test_labels_file);
    tcase_add_test(t, test_labels_file_refused);
    tcase_add_test(t, test_digest);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
