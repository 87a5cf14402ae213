#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

static void to_stderr(void *context, vd_log_level level, const char *part, const char *message)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    char line[640];
    (void)context;
    int length = snprintf(line, sizeof line, "vedette: %s: %s: %s\n", names[level], part, message);
    if (length > (int)sizeof line - 1)
        length = (int)sizeof line - 1;
    if (write(STDERR_FILENO, line, (size_t)length) < 0)
        return; /* nobody is left to tell */
}

/* immutable once threads run */
static vd_log_sink *log_sink = to_stderr;
static void *log_context;
static vd_log_level log_least = VD_LOG_WARNING;

void vd_log_set_sink(vd_log_sink *sink, void *context, vd_log_level least)
{
    log_sink = sink ? sink : to_stderr;
    log_context = context;
    log_least = least;
}

void vd_log(vd_log_level level, const char *part, const char *format, ...)
{
    if (level < log_least)
        return;
    char message[512], line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    vd_text_trim_partial(message);
    vd_text_clean(line, sizeof line, message, strlen(message));
    log_sink(log_context, level, part, line);
}
