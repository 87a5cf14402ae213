/* A session's configuration (row E3): read from JSON or a query, validated whole, told back. */
#ifndef VD_SERVE_CONFIG_H
#define VD_SERVE_CONFIG_H

#include <jansson.h>
#include <stdbool.h>

#include "vedette/app/quality.h"
#include "vedette/app/settings.h"
#include "vedette/error.h"

typedef struct vd_session_config {
    int fps_limit;               /* 1 to the settings' max_fps */
    double confidence_threshold; /* 0 to 1 */
    double iou_threshold;        /* 0 to 1 */
    bool enable_tracking;
    vd_quality_mode quality_mode;
    int max_detections; /* 1 to VD_MAX_DETECTIONS */
} vd_session_config;

/* A value that cannot be: `{"error","field","value","range"}`. */
typedef struct vd_refusal {
    char field[64];
    char value[128]; /* JSON text; of what is too long its beginning, as a string that ends in `…` */
    char range[96];  /* what would be right, in words */
} vd_refusal;

/* name   of the field
 * value  NULL: `null`
 * range  what it must be, in words */
void vd_refusal_fill(vd_refusal *refusal, const char *name, const json_t *value, const char *range);

/* How our JSON is written (json_dumps): on one line, 0.45 as 0.45. Decimal points in every locale. */
#define VD_JSON_FLAGS (JSON_COMPACT | JSON_REAL_PRECISION(9))

/* Changes of a configuration: a JSON object of fields, all or none. The sentence of a refusal names field,
 * value and range (`fps_limit is 99; it must be a whole number from 1 to 30.`); of an unknown field the
 * nearest known one. Untouched on failure.
 *
 * refusal  may be NULL; filled with VD_EINVAL
 * VD_OK or VD_EINVAL. */
int vd_session_config_change(vd_session_config *config, const json_t *changes, int max_fps,
                             vd_refusal *refusal, vd_error *error);

/* One field from a query: `fps_limit=15`, `enable_tracking=true` (or 1), `quality_mode=fast`. As above; or
 * VD_ENOMEM. */
int vd_session_config_change_text(vd_session_config *config, const char *name, const char *value, int max_fps,
                                  vd_refusal *refusal, vd_error *error);

/* The whole configuration, to be written with VD_JSON_FLAGS. A new reference; NULL: no memory. */
json_t *vd_session_config_to_json(const vd_session_config *config);

#endif
