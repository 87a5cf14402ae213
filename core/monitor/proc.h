/* Small files of /proc, read as text. */
#ifndef VD_MONITOR_PROC_H
#define VD_MONITOR_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the beginning of a file, always ended: false when it cannot be read. */
bool vd_proc_read(const char *path, char *out, size_t size);

/* The number behind `key` at the beginning of a line, such as "VmHWM:"; 0 when there is none. */
int64_t vd_proc_number(const char *text, const char *key);

/* What stands behind `key` and a colon on its line, without blanks around it; empty when there is none. */
void vd_proc_words(const char *text, const char *key, char *out, size_t size);

#endif
