/* What the fuzzer of the streaming interface starts from, and what it found, through the same entry
 * (tests/fuzz/entry.h) in every build. A test a file: it ends well when the sanitizers are silent. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "check_main.h"
#include "fuzz/entry.h"

enum { MOST_BYTES = 1 << 20 };

static char folder[] = "tests/fuzz/findings/serve";
static struct dirent **files;
static int count;

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

START_TEST(test_serve)
{
    static uint8_t bytes[MOST_BYTES];
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, files[_i]->d_name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s cannot be read", path);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    printf("%s\n", path); /* the last one said is the one to blame */
    fflush(stdout);
    vd_fuzz_serve(bytes, size);
}
END_TEST

/* No folder, no findings: that is a fault as well. */
START_TEST(test_there_are_some)
{
    ck_assert_int_ge(count, 24);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("serve_findings");
    TCase *tests = tcase_create("findings");
    count = scandir(folder, &files, is_shown, alphasort);
    tcase_set_timeout(tests, 20);
    tcase_add_test(tests, test_there_are_some);
    tcase_add_loop_test(tests, test_serve, 0, count);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
