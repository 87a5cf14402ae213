/* Text: bounded copies, addresses without passwords, numbers that do not depend on the locale. */
#ifndef VD_BASE_TEXT_H
#define VD_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Copies `source` into `out` (`size` bytes, at least 1), cut at a character's border and always ended. */
void vd_text_copy(char *out, size_t size, const char *source);

/* Removes an incomplete UTF-8 sequence from the end of `text`, as a cut by bytes leaves it. */
void vd_text_trim_partial(char *text);

/* Writes `bytes` as valid UTF-8 on one line: what is not valid becomes U+FFFD, control characters a blank. */
void vd_text_clean(char *out, size_t size, const char *bytes, size_t length);

/* Copies an address with its user name and password replaced by `***`, and the values of query keys that
 * carry secrets (password, token, key, auth, …) as well. Whatever is shown, logged or written goes through
 * it: `admin:pw@host/1` behind a scheme becomes `***@host/1`. Where a password with '@', '/' or '?' in it
 * leaves doubt, more is masked than needed, never less. Text that is no URL, and a file's, is copied
 * unchanged. */
void vd_text_mask_address(char *out, size_t size, const char *address);

/* As printf's %.*f with '.' as the decimal point in every locale. Returns the length written. */
int vd_text_number(char *out, size_t size, double value, int decimals);

/* Reads a whole string as a number written with '.'; false when it is none, has a tail or is not finite. */
bool vd_text_parse_number(const char *text, double *ret_value);

/* The part of a path behind the last '/'; points into `path`. */
const char *vd_text_base_name(const char *path);

/* True when two texts are the same, ASCII letters compared without case, in every locale alike. */
bool vd_text_same(const char *a, const char *b);

/* True when `text` ends in `tail`, letters compared without case. */
bool vd_text_ends_with(const char *text, const char *tail);

/* A copy on the heap; NULL gives NULL. The caller frees it. */
char *vd_text_dup(const char *text);

#endif
