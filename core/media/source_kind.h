/* Kinds of sources: matched by the address' beginning, else by the fallback (libav). */
#ifndef VD_MEDIA_SOURCE_KIND_H
#define VD_MEDIA_SOURCE_KIND_H

#include "vedette/source.h"

/* Options are complete: every zero has been replaced by its default. */
typedef struct vd_source_ops {
    const char *scheme; /* such as "demo:" */
    int (*open)(const char *address, const vd_source_options *options, vd_cancel *cancel, void **ret_state,
                vd_source_info *ret_info, vd_error *error);
    int (*read)(void *state, vd_frame **ret_frame, vd_error *error);
    int (*seek)(void *state, double time_s, vd_error *error); /* may be NULL */
    void (*get_stats)(void *state, vd_source_stats *ret_stats);
    void (*close)(void *state);
} vd_source_ops;

/* Adds a kind of source; before threads start. At most 8. `ops` must live as long as the process. */
int vd_source_register(const vd_source_ops *ops);

#endif
