/* One value of the file against its key: type, range, length. */
#ifndef VD_SETTINGS_VALUE_H
#define VD_SETTINGS_VALUE_H

#include <libconfig.h>

#include "settings/table.h"
#include "vedette/error.h"

/* Where something stands, as a refusal says it. */
typedef struct vd_setting_place {
    char place[192]; /* file and line */
    char label[96];  /* the setting's whole name, such as `detection.iou` or `cameras[2].name` */
} vd_setting_place;

/* `path:line`; of a path that is too long its last part. */
void vd_setting_locate(const char *path, int line, char *out, size_t size);

/* Checks a value and stores it at its key's offset in `base`. VD_OK, or VD_EINVAL with the refusal; `base`
 * may then be half filled. */
int vd_value_read(const config_setting_t *setting, const vd_key *key, const vd_setting_place *where,
                  void *base, vd_error *error);

/* `in place: label is <value>; it must be <wanted>.` as an error of code VD_EINVAL; returns it. */
int vd_value_refuse(const config_setting_t *setting, const vd_setting_place *where, const char *wanted,
                    vd_error *error);

#endif
