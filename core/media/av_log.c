/* libav's log goes nowhere, but for what it says nowhere else: kept for the thread that made the call. */
#include <stdio.h>
#include <string.h>
#include <threads.h>

#include <libavdevice/avdevice.h>

#include "media/av_source.h"

static _Thread_local vd_av_said said;

static void listen(void *context, int level, const char *format, va_list arguments)
{
    (void)context;
    if (level > AV_LOG_WARNING)
        return;
    if (strstr(format, "resolve hostname")) {
        said.unresolved = true;
    } else if (strncmp(format, "Picture size", 12) == 0) {
        char text[160];
        vsnprintf(text, sizeof text, format, arguments);
        if (sscanf(text, "Picture size %ux%u", &said.width, &said.height) != 2)
            said.width = said.height = 0;
    } else if (strstr(format, "ncrypted") || strstr(format, "no decryption key")) {
        said.encrypted = true;
    }
}

static void init(void)
{
    av_log_set_callback(listen);
    avdevice_register_all();
    avformat_network_init();
}

void vd_av_init(void)
{
    static once_flag once = ONCE_FLAG_INIT;
    call_once(&once, init);
}

void vd_av_log_reset(void)
{
    said = (vd_av_said){0};
}

vd_av_said vd_av_log_said(void)
{
    return said;
}
