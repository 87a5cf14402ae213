/* The certificate of https and wss. */
#ifndef VD_SERVE_CERTIFICATE_H
#define VD_SERVE_CERTIFICATE_H

#include <gio/gio.h>

#include "vedette/app/settings.h"
#include "vedette/error.h"

/* Reads both files, and sees that they belong together.
 *
 * ret_certificate  one reference; NULL where the settings name none
 * VD_OK; VD_EINVAL, or VD_EUNSUPPORTED where nothing here can do TLS */
int vd_certificate_read(const vd_streaming_settings *settings, GTlsCertificate **ret_certificate,
                        vd_error *error);

#endif
