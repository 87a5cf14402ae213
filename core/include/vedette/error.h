/* Errors are values: a code, the place it concerns and one sentence for people. */
#ifndef VEDETTE_ERROR_H
#define VEDETTE_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

#define VD_API __attribute__((visibility("default")))
#define VD_PRINTF(text, first) __attribute__((format(printf, text, first)))

/* Every function that can fail returns VD_OK or one of these negative codes. */
enum vd_code {
    VD_OK = 0,
    VD_EINVAL = -1,       /* an argument or setting is wrong */
    VD_ENOMEM = -2,       /* memory or another resource of the system is used up */
    VD_EAGAIN = -3,       /* nothing to take, or no room, right now */
    VD_ETIMEOUT = -4,     /* the deadline passed */
    VD_ECANCELED = -5,    /* somebody asked for it to stop */
    VD_ESHUTDOWN = -6,    /* the object no longer takes work */
    VD_EDEADLK = -7,      /* waiting here would wait for oneself */
    VD_EIO = -8,          /* disk, network or device failed */
    VD_EFORMAT = -9,      /* the data cannot be understood or used */
    VD_ENOTFOUND = -10,   /* there is no such file, device, host or setting */
    VD_EEND = -11,        /* the stream has ended */
    VD_EUNSUPPORTED = -12 /* valid, but not possible with what is installed */
};

typedef struct vd_error {
    int code;        /* one of vd_code */
    char place[192]; /* the file, line, address or frame it concerns; passwords masked; may be empty */
    char text[448];  /* one sentence: what was wrong and what would be right; UTF-8 */
} vd_error;

/* Fills `error` and returns `code`, so that a function can end in `return vd_error_set(…)`.
 *
 * error  may be NULL: then only the code is returned
 * place  may be NULL; copied, cut to fit at a character's border
 * Any thread. */
VD_API int vd_error_set(vd_error *error, int code, const char *place, const char *format, ...)
    VD_PRINTF(4, 5);

/* The name of a code, such as "VD_EINVAL"; a constant string. */
VD_API const char *vd_code_name(int code);

#ifdef __cplusplus
}
#endif
#endif
