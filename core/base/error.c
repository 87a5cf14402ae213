#include "vedette/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

int vd_error_set(vd_error *error, int code, const char *place, const char *format, ...)
{
    if (!error)
        return code;
    vd_error made = {.code = code};
    char text[sizeof made.text];
    place = place ? place : "";
    vd_text_clean(made.place, sizeof made.place, place, strlen(place));
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    vd_text_trim_partial(text);
    vd_text_clean(made.text, sizeof made.text, text, strlen(text)); /* names of files may be any bytes */
    *error = made; /* last: the arguments may point into *error */
    return code;
}

const char *vd_code_name(int code)
{
    switch (code) {
    case VD_OK:
        return "VD_OK";
    case VD_EINVAL:
        return "VD_EINVAL";
    case VD_ENOMEM:
        return "VD_ENOMEM";
    case VD_EAGAIN:
        return "VD_EAGAIN";
    case VD_ETIMEOUT:
        return "VD_ETIMEOUT";
    case VD_ECANCELED:
        return "VD_ECANCELED";
    case VD_ESHUTDOWN:
        return "VD_ESHUTDOWN";
    case VD_EDEADLK:
        return "VD_EDEADLK";
    case VD_EIO:
        return "VD_EIO";
    case VD_EFORMAT:
        return "VD_EFORMAT";
    case VD_ENOTFOUND:
        return "VD_ENOTFOUND";
    case VD_EEND:
        return "VD_EEND";
    case VD_EUNSUPPORTED:
        return "VD_EUNSUPPORTED";
    default:
        return "unknown code";
    }
}
