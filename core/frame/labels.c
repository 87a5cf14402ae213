#include "vedette/detection.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { NAME_SIZE = 64, MAX_LABELS = 65536 };

struct vd_labels {
    atomic_int references; /* atomic: shared by results on any thread */
    /* immutable */
    int count;
    char names[][NAME_SIZE];
};

int vd_labels_new(const char *const *names, int count, vd_labels **ret_labels)
{
    if (count < 0 || count > MAX_LABELS)
        return VD_EINVAL;
    vd_labels *labels = calloc(1, sizeof *labels + (size_t)count * NAME_SIZE);
    if (!labels)
        return VD_ENOMEM;
    atomic_init(&labels->references, 1);
    labels->count = count;
    for (int i = 0; i < count; i++) {
        if (names[i])
            vd_text_clean(labels->names[i], NAME_SIZE, names[i], strlen(names[i]));
        if (labels->names[i][0] == '\0')
            snprintf(labels->names[i], NAME_SIZE, "class %d", i);
    }
    *ret_labels = labels;
    return VD_OK;
}

vd_labels *vd_labels_ref(vd_labels *labels)
{
    if (labels)
        atomic_fetch_add_explicit(&labels->references, 1, memory_order_relaxed);
    return labels;
}

void vd_labels_unref(vd_labels **pointer)
{
    vd_labels *labels = *pointer;
    *pointer = NULL;
    if (labels && atomic_fetch_sub(&labels->references, 1) == 1)
        free(labels);
}

int vd_labels_count(const vd_labels *labels)
{
    return labels ? labels->count : 0;
}

/* Names of classes beyond the list, as models without names have them: constant, since a caller may hold
 * several at once on any thread. */
#define TEN(tens)                                                                                            \
    "class " tens "0", "class " tens "1", "class " tens "2", "class " tens "3", "class " tens "4",           \
        "class " tens "5", "class " tens "6", "class " tens "7", "class " tens "8", "class " tens "9"
#define MORE(hundreds)                                                                                       \
    TEN(hundreds "1"), TEN(hundreds "2"), TEN(hundreds "3"), TEN(hundreds "4"), TEN(hundreds "5"),           \
        TEN(hundreds "6"), TEN(hundreds "7"), TEN(hundreds "8"), TEN(hundreds "9")
#define HUNDRED(hundreds) TEN(hundreds "0"), MORE(hundreds)

static const char *const plain_names[] = {
    TEN(""),      MORE(""),     HUNDRED("1"), HUNDRED("2"), HUNDRED("3"), HUNDRED("4"),
    HUNDRED("5"), HUNDRED("6"), HUNDRED("7"), HUNDRED("8"), HUNDRED("9"),
};

const char *vd_labels_name(const vd_labels *labels, int class_id)
{
    if (labels && class_id >= 0 && class_id < labels->count)
        return labels->names[class_id];
    if (class_id >= 0 && class_id < (int)(sizeof plain_names / sizeof *plain_names))
        return plain_names[class_id];
    return "unknown class";
}

int vd_labels_find(const vd_labels *labels, const char *name)
{
    for (int i = 0; labels && i < labels->count; i++)
        if (vd_text_same(labels->names[i], name))
            return i;
    return -1;
}
