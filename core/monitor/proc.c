#include "monitor/proc.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

bool vd_proc_read(const char *path, char *out, size_t size)
{
    size_t length = 0;
    ssize_t got = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    out[0] = '\0';
    if (file < 0)
        return false;
    while (length + 1 < size && (got = read(file, out + length, size - 1 - length)) > 0)
        length += (size_t)got;
    close(file);
    out[length] = '\0';
    return length > 0;
}

/* What follows the key at the beginning of a line; NULL when no line begins with it. */
static const char *behind(const char *text, const char *key)
{
    size_t length = strlen(key);
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0)
            return line + length;
    }
    return NULL;
}

int64_t vd_proc_number(const char *text, const char *key)
{
    const char *number = behind(text, key);
    return number ? strtoll(number, NULL, 10) : 0;
}

void vd_proc_words(const char *text, const char *key, char *out, size_t size)
{
    const char *words = behind(text, key);
    out[0] = '\0';
    if (!words)
        return;
    words += strspn(words, " \t:");
    size_t length = strcspn(words, "\n");
    while (length > 0 && words[length - 1] == ' ')
        length--;
    vd_text_clean(out, size, words, length);
}
