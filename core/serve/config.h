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
    char value[128]; /* as JSON text, cut */
    char range[96];
} vd_refusal;

/* Changes of a configuration: a JSON object of fields. Unknown fields are refused with the nearest known one
 * in the error's sentence. Untouched on failure. VD_OK or VD_EINVAL with `refusal` (may be NULL) filled. */
int vd_session_config_change(vd_session_config *config, const json_t *changes, int max_fps,
                             vd_refusal *refusal, vd_error *error);

/* One field from a query: `fps_limit=15`. As above. */
int vd_session_config_change_text(vd_session_config *config, const char *name, const char *value, int max_fps,
                                  vd_refusal *refusal, vd_error *error);

json_t *vd_session_config_to_json(const vd_session_config *config); /* a new reference; NULL: no memory */

#endif
