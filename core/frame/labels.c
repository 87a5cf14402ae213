#include "frame/labels.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

const char *vd_labels_name(const vd_labels *labels, int class_id)
{
    /* Classes beyond the list come from models without names: a few texts are kept ready for them. */
    static const char *const spare[] = {"class 0", "class 1", "class 2", "class 3", "class 4",
                                        "class 5", "class 6", "class 7", "class 8", "class 9"};
    if (labels && class_id >= 0 && class_id < labels->count)
        return labels->names[class_id];
    if (class_id >= 0 && class_id < (int)(sizeof spare / sizeof *spare))
        return spare[class_id];
    return "unknown class";
}

int vd_labels_find(const vd_labels *labels, const char *name)
{
    for (int i = 0; labels && i < labels->count; i++)
        if (strcasecmp(labels->names[i], name) == 0)
            return i;
    return -1;
}
