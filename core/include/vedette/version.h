/* The version of libvedette. CMake reads it from here. */
#ifndef VEDETTE_VERSION_H
#define VEDETTE_VERSION_H

#include "vedette/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of these headers: what a program is compiled with. */
#define VD_VERSION_MAJOR 0
#define VD_VERSION_MINOR 1
#define VD_VERSION_PATCH 0

/* Of the library that is loaded: "0.1.0", a constant string. Any thread. */
VD_API const char *vd_version(void);

#ifdef __cplusplus
}
#endif
#endif
