/* The table of keys: the only place that knows a setting's name, type, range, default and place in the
 * snapshot. */
#ifndef VD_SETTINGS_TABLE_H
#define VD_SETTINGS_TABLE_H

#include <stddef.h>

#include "vedette/app/settings.h"

typedef enum vd_key_kind {
    VD_KEY_TEXT,    /* char[size] */
    VD_KEY_PATH,    /* char[size]; a leading `~/` becomes the home folder */
    VD_KEY_WORD,    /* char[size], one of `choices` */
    VD_KEY_CHOICE,  /* an enum whose values count `choices` from 0 */
    VD_KEY_NUMBER,  /* double */
    VD_KEY_INTEGER, /* int */
    VD_KEY_PAIR,    /* int[2] */
    VD_KEY_FLAG,    /* bool */
    VD_KEY_NAMES    /* char[most][size] and an int that counts them */
} vd_key_kind;

enum { VD_KEY_CHOICES = 4 };

typedef struct vd_key {
    const char *group; /* "" at the top level; VD_CAMERAS_GROUP for the entries of that list */
    const char *name;  /* in its group */
    vd_key_kind kind;
    size_t offset, size; /* in vd_settings; of the cameras' keys in vd_camera_settings */
    size_t count;        /* NAMES: of the int */
    size_t given;        /* of a bool that becomes true when the file has the key; 0: none */
    double least, most;  /* NUMBER, INTEGER, PAIR: the range, both ends included; NAMES: how many */
    double number;       /* default of NUMBER, INTEGER, PAIR, FLAG and CHOICE (its index) */
    const char *text;    /* default of TEXT, PATH and WORD, NULL: the empty one; NAMES: what they are */
    const char *choices[VD_KEY_CHOICES]; /* ended by NULL */
    const char *doc;                     /* one line for the example file */
} vd_key;

#define VD_CAMERAS_GROUP "cameras"

/* The keys, group by group in the order of the example file; *ret_count gets their number. */
const vd_key *vd_key_table(size_t *ret_count);

/* The key of that name in that group; NULL when there is none. */
const vd_key *vd_key_find(const char *group, const char *name);

/* What a value of this key has to be, such as `0.05 to 1` or `"tcp" or "udp"`. */
void vd_key_describe_range(const vd_key *key, char *out, size_t size);

#endif
