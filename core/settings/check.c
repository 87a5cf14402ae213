#include "settings/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "settings/value.h"

struct check {
    const char *path;
    const config_t *config;
    vd_error *error;
};

/* With the line of the setting that `where` names. */
__attribute__((format(printf, 3, 4))) static int refuse(const struct check *check, const char *where,
                                                        const char *format, ...)
{
    const config_setting_t *setting = config_lookup(check->config, where);
    char place[192], sentence[sizeof check->error->text];
    va_list values;
    va_start(values, format);
    vsnprintf(sentence, sizeof sentence, format, values);
    va_end(values);
    vd_setting_locate(check->path, setting ? (int)setting->line : 1, place, sizeof place);
    return vd_error_set(check->error, VD_EINVAL, place, "%s", sentence);
}

static int check_workers(const struct check *check, const vd_step2_settings *step2)
{
    int most = vd_step2_get_sizes(step2).max_workers;
    if (!step2->min_workers_given || step2->min_workers <= most)
        return VD_OK;
    return refuse(
        check, "step2.min_workers", "step2.min_workers is %d; it must be at most max_workers, which is %d%s.",
        step2->min_workers, most, step2->max_workers_given ? "" : " where the file does not say it");
}

static int check_rates(const struct check *check, vd_streaming_settings *streaming)
{
    if (streaming->default_fps <= streaming->max_fps)
        return VD_OK;
    if (config_lookup(check->config, "streaming.default_fps"))
        return refuse(check, "streaming.default_fps",
                      "streaming.default_fps is %d; it must be at most max_fps, which is %d.",
                      streaming->default_fps, streaming->max_fps);
    streaming->default_fps = streaming->max_fps;
    return VD_OK;
}

static int check_certificate(const struct check *check, const vd_streaming_settings *streaming)
{
    bool has_certificate = streaming->tls_certificate[0] != '\0', has_key = streaming->tls_key[0] != '\0';
    if (has_certificate && !has_key)
        return refuse(check, "streaming.tls_certificate",
                      "streaming.tls_certificate is named, but no tls_key; https needs both.");
    if (has_key && !has_certificate)
        return refuse(check, "streaming.tls_key",
                      "streaming.tls_key is named, but no tls_certificate; https needs both.");
    return VD_OK;
}

static bool is_port(const char *text)
{
    size_t length = strspn(text, "0123456789");
    long port = length >= 1 && length <= 5 ? strtol(text, NULL, 10) : 0;
    return text[length] == '\0' && port >= 1 && port <= 65535;
}

/* `http://host`, `https://host` or either with `:port`: what browsers send as Origin. */
static bool is_origin(const char *text)
{
    static const char host_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    size_t scheme = strncmp(text, "https://", 8) == 0 ? 8 : strncmp(text, "http://", 7) == 0 ? 7 : 0;
    const char *host = text + scheme, *end;
    if (scheme == 0)
        return false;
    if (host[0] == '[') { /* an address of IPv6 */
        size_t length = strspn(host + 1, "0123456789abcdefABCDEF:.");
        if (length < 2 || host[length + 1] != ']')
            return false;
        end = host + length + 2;
    } else {
        end = host + strspn(host, host_bytes);
        if (end == host)
            return false;
    }
    return *end == '\0' || (*end == ':' && is_port(end + 1));
}

static int check_origins(const struct check *check, const vd_streaming_settings *streaming)
{
    for (int i = 0; i < streaming->origin_count; i++) {
        char shown[160];
        if (is_origin(streaming->origins[i]))
            continue;
        vd_text_mask_address(shown, sizeof shown, streaming->origins[i]);
        return refuse(check, "streaming.origins",
                      "streaming.origins has \"%s\"; an origin is http:// or https://, a host and perhaps "
                      ":port, without a path, such as \"https://example.org\".",
                      shown);
    }
    return VD_OK;
}

static int check_address(const struct check *check, const vd_streaming_settings *streaming)
{
    if (streaming->address[0] != '\0')
        return VD_OK;
    return refuse(check, "streaming.address",
                  "streaming.address is empty; it must be an address such as \"127.0.0.1\", or \"0.0.0.0\" "
                  "for all of this machine.");
}

int vd_settings_check(const char *path, const config_t *config, vd_settings *settings, vd_error *error)
{
    const struct check check = {.path = path, .config = config, .error = error};
    int code = check_workers(&check, &settings->step2);
    if (code == VD_OK)
        code = check_address(&check, &settings->streaming);
    if (code == VD_OK)
        code = check_rates(&check, &settings->streaming);
    if (code == VD_OK)
        code = check_certificate(&check, &settings->streaming);
    if (code == VD_OK)
        code = check_origins(&check, &settings->streaming);
    return code;
}
