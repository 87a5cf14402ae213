/* What the environment says of the streaming interface: the same keys, ranges and sentences as the file's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "settings/table.h"

static const struct variable {
    const char *name, *group, *key;
} variables[] = {
    {"STREAMING_SESSION_TIMEOUT", "streaming", "session_timeout"},
    {"STREAMING_MAX_FPS", "streaming", "max_fps"},
    {"STREAMING_DEFAULT_FPS", "streaming", "default_fps"},
    {"STREAMING_QUEUE_SIZE", "streaming", "queue_size"},
    {"STREAMING_ENABLE_TRACKING", "streaming", "enable_tracking"},
    {"CONFIDENCE_THRESHOLD", "detection", "confidence"},
    {"MODEL_PATH", "", "model"},
};

static bool read_number(const vd_key *key, const char *value, void *field)
{
    double number;
    if (!vd_text_parse_number(value, &number) || number < key->least || number > key->most)
        return false;
    if (key->kind == VD_KEY_NUMBER) {
        *(double *)field = number;
        return true;
    }
    if (number != (double)(int)number)
        return false;
    *(int *)field = (int)number;
    return true;
}

static bool read_flag(const char *value, bool *field)
{
    bool is_true = vd_text_same(value, "true") || strcmp(value, "1") == 0;
    if (!is_true && !vd_text_same(value, "false") && strcmp(value, "0") != 0)
        return false;
    *field = is_true;
    return true;
}

static bool read_text(const vd_key *key, const char *value, char *field)
{
    if (strlen(value) >= key->size)
        return false;
    char clean[3 * sizeof((vd_settings *)0)->model]; /* a bad byte becomes three */
    vd_text_clean(clean, sizeof clean, value, strlen(value));
    if (strcmp(clean, value) != 0)
        return false;
    vd_text_copy(field, key->size, value);
    return true;
}

static bool read_value(const vd_key *key, const char *value, vd_settings *settings)
{
    void *field = (char *)settings + key->offset;
    bool fine = false;
    if (key->kind == VD_KEY_FLAG)
        fine = read_flag(value, field);
    else if (key->kind == VD_KEY_NUMBER || key->kind == VD_KEY_INTEGER)
        fine = read_number(key, value, field);
    else
        fine = read_text(key, value, field);
    if (fine && key->given)
        *(bool *)((char *)settings + key->given) = true;
    return fine;
}

static int refuse(const struct variable *variable, const vd_key *key, const char *value, vd_error *error)
{
    char wanted[128], shown[80];
    if (key->kind == VD_KEY_PATH)
        snprintf(wanted, sizeof wanted, "one line of text in UTF-8 of at most %zu bytes", key->size - 1);
    else
        vd_key_describe_range(key, wanted, sizeof wanted);
    vd_text_clean(shown, sizeof shown, value, strlen(value));
    return vd_error_set(error, VD_EINVAL, variable->name, "%s is \"%s\"; it must be %s.", variable->name,
                        shown, wanted);
}

static const char *given(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] != '\0' ? value : NULL;
}

/* As vd_settings_check, with the variable in place of the line. */
static int check_rates(vd_streaming_settings *streaming, vd_error *error)
{
    if (streaming->default_fps <= streaming->max_fps)
        return VD_OK;
    if (given("STREAMING_DEFAULT_FPS"))
        return vd_error_set(error, VD_EINVAL, "STREAMING_DEFAULT_FPS",
                            "STREAMING_DEFAULT_FPS is %d; it must be 1 to %d, which is the most frames a "
                            "second that a session may ask for.",
                            streaming->default_fps, streaming->max_fps);
    streaming->default_fps = streaming->max_fps;
    return VD_OK;
}

int vd_settings_read_environment(vd_settings *settings, vd_error *error)
{
    vd_settings read = *settings;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const struct variable *variable = &variables[i];
        const char *value = given(variable->name);
        const vd_key *key = vd_key_find(variable->group, variable->key);
        if (value && !read_value(key, value, &read))
            return refuse(variable, key, value, error);
    }
    int code = check_rates(&read.streaming, error);
    if (code == VD_OK)
        *settings = read;
    return code;
}
