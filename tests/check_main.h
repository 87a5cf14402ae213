/* The main function of a Check program: TEST_MAIN(suite function). */
#ifndef TESTS_CHECK_MAIN_H
#define TESTS_CHECK_MAIN_H

#include <check.h>
#include <stdlib.h>

/* Check writes down each assertion that holds, to say of a test that dies which was the last: several us,
 * long for loops over pixels. The same one again is no news. */
static inline void check_note_point(const char *file, int line)
{
    static _Thread_local const char *last_file;
    static _Thread_local int last_line;
    if (line == last_line && file == last_file)
        return;
    last_file = file;
    last_line = line;
    _mark_point(file, line);
}
#define _mark_point(file, line) check_note_point(file, line)

#define TEST_MAIN(make_suite)                                                                                \
    int main(void)                                                                                           \
    {                                                                                                        \
        SRunner *runner = srunner_create(make_suite());                                                      \
        srunner_run_all(runner, CK_NORMAL);                                                                  \
        int failed = srunner_ntests_failed(runner);                                                          \
        srunner_free(runner);                                                                                \
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;                                                    \
    }

#endif
