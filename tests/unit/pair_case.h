/* What the tests of models in two files share: a folder of their own, one model, one error. */
#ifndef TESTS_UNIT_PAIR_CASE_H
#define TESTS_UNIT_PAIR_CASE_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check_main.h"
#include "model/pair.h"

/* --- Files in a folder of their own */
static char folder[64];

static inline void make_folder(void)
{
    strcpy(folder, "/tmp/vedette-pair-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static inline const char *in_folder(const char *name)
{
    static char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static inline void drop_folder(void)
{
    static const char *const names[] = {"a.cfg", "a.weights", "a.prototxt", "a.caffemodel",
                                        "a.pb",  "a.pbtxt",   "a.CFG",      "names"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(in_folder(names[i]));
    ck_assert_int_eq(rmdir(folder), 0);
}

static inline void put(const char *name, const void *bytes, size_t length)
{
    FILE *file = fopen(in_folder(name), "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    ck_assert_int_eq(fclose(file), 0);
}

static inline void put_words(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

static vd_model model;
static vd_error error;

static inline void forget(void)
{
    vd_labels_unref(&model.labels);
    free(model.network);
    free(model.config);
    memset(&model, 0, sizeof model);
    memset(&error, 0, sizeof error);
}

static inline int read_with(const char *name, const vd_model_options *options)
{
    forget();
    int code = vd_pair_read(in_folder(name), options, &model, &error);
    ck_assert_int_eq(strchr(error.text, '\n') != NULL, 0);
    return code;
}

#define READ(name) ck_assert_msg(read_with(name, NULL) == VD_OK, "%s", error.text)
#define REFUSES(name, words)                                                                                 \
    do {                                                                                                     \
        ck_assert_int_eq(read_with(name, NULL), VD_EFORMAT);                                                 \
        ck_assert_msg(strstr(error.text, words) != NULL, "%s", error.text);                                  \
    } while (0)

static inline bool has_note(const char *words)
{
    for (int i = 0; i < model.note_count; i++)
        if (strstr(model.notes[i], words))
            return true;
    return false;
}

#endif
