/* What tests of the settings share: a file in a folder of its own. */
#ifndef TESTS_SETTINGS_CASE_H
#define TESTS_SETTINGS_CASE_H

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_main.h"
#include "vedette/app/settings.h"

static char folder[PATH_MAX], file[PATH_MAX + 32];

static inline void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/vedette-settings-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/vedette.conf", folder);
}

static inline void remove_folder(void)
{
    unlink(file);
    rmdir(file);
    rmdir(folder);
}

static inline void write_bytes(const char *bytes, size_t length)
{
    FILE *stream = fopen(file, "wb");
    ck_assert_ptr_nonnull(stream);
    ck_assert_uint_eq(fwrite(bytes, 1, length, stream), length);
    ck_assert_int_eq(fclose(stream), 0);
}

static inline int read_text(const char *text, vd_settings *settings, vd_error *error)
{
    write_bytes(text, strlen(text));
    return vd_settings_read(file, settings, error);
}

#endif
