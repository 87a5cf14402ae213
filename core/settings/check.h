/* What settings must be to each other, and what a single value's range cannot say. */
#ifndef VD_SETTINGS_CHECK_H
#define VD_SETTINGS_CHECK_H

#include <libconfig.h>

#include "vedette/app/settings.h"
#include "vedette/error.h"

/* Checks settings that were read from `config`, and lowers streaming.default_fps to max_fps where the file
 * does not say it. VD_OK, or VD_EINVAL with the line of what is wrong. */
int vd_settings_check(const char *path, const config_t *config, vd_settings *settings, vd_error *error);

#endif
