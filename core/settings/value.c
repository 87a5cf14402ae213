#include "settings/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { SHOWN_BYTES = 80 };

void vd_setting_locate(const char *path, int line, char *out, size_t size)
{
    const char *shown = strlen(path) + 16 < size ? path : vd_text_base_name(path);
    snprintf(out, size, "%.*s:%d", (int)size - 16, shown, line);
}

/* Text of the file may hold an address with a password: it is shown masked, on one line, shortened. */
static void describe_text(const char *text, char *out, size_t size)
{
    char masked[1200], clean[SHOWN_BYTES];
    vd_text_mask_address(masked, sizeof masked, text);
    vd_text_clean(clean, sizeof clean, masked, strlen(masked));
    snprintf(out, size, "\"%s%s\"", clean, strlen(masked) >= sizeof clean ? "…" : "");
}

static void describe_value(const config_setting_t *setting, char *out, size_t size)
{
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        snprintf(out, size, "%lld", config_setting_get_int64(setting));
        break;
    case CONFIG_TYPE_FLOAT:
        snprintf(out, size, "%.6g", config_setting_get_float(setting));
        break;
    case CONFIG_TYPE_BOOL:
        snprintf(out, size, "%s", config_setting_get_bool(setting) ? "true" : "false");
        break;
    case CONFIG_TYPE_STRING:
        describe_text(config_setting_get_string(setting), out, size);
        break;
    case CONFIG_TYPE_GROUP:
        snprintf(out, size, "a group in { }");
        break;
    case CONFIG_TYPE_ARRAY:
        snprintf(out, size, "a list in [ ]");
        break;
    default:
        snprintf(out, size, "a list in ( )");
        break;
    }
}

int vd_value_refuse(const config_setting_t *setting, const vd_setting_place *where, const char *wanted,
                    vd_error *error)
{
    char value[2 * SHOWN_BYTES];
    describe_value(setting, value, sizeof value);
    return vd_error_set(error, VD_EINVAL, where->place, "%s is %s; it must be %s.", where->label, value,
                        wanted);
}

static int refuse(const config_setting_t *setting, const vd_key *key, const vd_setting_place *where,
                  vd_error *error)
{
    char wanted[128];
    vd_key_describe_range(key, wanted, sizeof wanted);
    return vd_value_refuse(setting, where, wanted, error);
}

static int read_number(const config_setting_t *setting, const vd_key *key, const vd_setting_place *where,
                       void *field, vd_error *error)
{
    double value = 0;
    bool whole = config_setting_type(setting) != CONFIG_TYPE_FLOAT;
    if (!config_setting_is_number(setting) || (key->kind == VD_KEY_INTEGER && !whole))
        return refuse(setting, key, where, error);
    if (whole)
        value = (double)config_setting_get_int64(setting);
    else
        value = config_setting_get_float(setting);
    if (!(value >= key->least && value <= key->most))
        return refuse(setting, key, where, error);
    if (key->kind == VD_KEY_INTEGER)
        *(int *)field = (int)value;
    else
        *(double *)field = value;
    return VD_OK;
}

static int read_pair(const config_setting_t *setting, const vd_key *key, const vd_setting_place *where,
                     int *field, vd_error *error)
{
    int type = config_setting_type(setting);
    if ((type != CONFIG_TYPE_ARRAY && type != CONFIG_TYPE_LIST) || config_setting_length(setting) != 2)
        return refuse(setting, key, where, error);
    for (unsigned i = 0; i < 2; i++) {
        const config_setting_t *part = config_setting_get_elem(setting, i);
        if (!config_setting_is_number(part) || config_setting_type(part) == CONFIG_TYPE_FLOAT)
            return refuse(part, key, where, error);
        long long value = config_setting_get_int64(part);
        if (value < key->least || value > key->most)
            return refuse(part, key, where, error);
        field[i] = (int)value;
    }
    return VD_OK;
}

static int read_choice(const config_setting_t *setting, const vd_key *key, const vd_setting_place *where,
                       void *field, vd_error *error)
{
    const char *text =
        config_setting_type(setting) == CONFIG_TYPE_STRING ? config_setting_get_string(setting) : "";
    for (int i = 0; i < VD_KEY_CHOICES && key->choices[i]; i++) {
        if (strcmp(key->choices[i], text) != 0)
            continue;
        if (key->kind == VD_KEY_WORD)
            vd_text_copy(field, key->size, text);
        else
            *(int *)field = i;
        return VD_OK;
    }
    return refuse(setting, key, where, error);
}

/* Copies text that is UTF-8 on one line and fits. */
static int copy_text(const config_setting_t *setting, const char *text, size_t size,
                     const vd_setting_place *where, char *out, vd_error *error)
{
    size_t length = strlen(text);
    char *clean = malloc(length * 3 + 1); /* a bad byte becomes three */
    if (!clean)
        return vd_error_set(error, VD_ENOMEM, where->place, "There is no memory left to read %s.",
                            where->label);
    vd_text_clean(clean, length * 3 + 1, text, length);
    bool valid = strcmp(clean, text) == 0;
    free(clean);
    if (!valid)
        return vd_value_refuse(setting, where, "one line of text in UTF-8", error);
    if (length >= size)
        return vd_error_set(error, VD_EINVAL, where->place, "%s is %zu bytes long; it must be at most %zu.",
                            where->label, length, size - 1);
    vd_text_copy(out, size, text);
    return VD_OK;
}

static int read_text(const config_setting_t *setting, const vd_key *key, const vd_setting_place *where,
                     char *field, vd_error *error)
{
    if (config_setting_type(setting) != CONFIG_TYPE_STRING)
        return refuse(setting, key, where, error);
    const char *text = config_setting_get_string(setting);
    bool from_home = key->kind == VD_KEY_PATH && text[0] == '~' && (text[1] == '/' || text[1] == '\0');
    if (!from_home)
        return copy_text(setting, text, key->size, where, field, error);
    const char *home = getenv("HOME");
    if (!home || home[0] != '/')
        return vd_value_refuse(setting, where, "a whole path, because HOME does not name a home folder",
                               error);
    char *path;
    if (asprintf(&path, "%s%s", home, text + 1) < 0)
        return vd_error_set(error, VD_ENOMEM, where->place, "There is no memory left to read %s.",
                            where->label);
    int code = copy_text(setting, path, key->size, where, field, error);
    free(path);
    return code;
}

static int read_names(const config_setting_t *setting, const vd_key *key, const vd_setting_place *where,
                      void *base, vd_error *error)
{
    int type = config_setting_type(setting), most = (int)key->most;
    if (type != CONFIG_TYPE_ARRAY && type != CONFIG_TYPE_LIST)
        return refuse(setting, key, where, error);
    int count = config_setting_length(setting);
    if (count > most)
        return vd_error_set(error, VD_EINVAL, where->place, "%s has %d names; it must have at most %d.",
                            where->label, count, most);
    for (int i = 0; i < count; i++) {
        const config_setting_t *name = config_setting_get_elem(setting, (unsigned)i);
        char *field = (char *)base + key->offset + (size_t)i * key->size;
        if (config_setting_type(name) != CONFIG_TYPE_STRING || config_setting_get_string(name)[0] == '\0') {
            char wanted[128];
            snprintf(wanted, sizeof wanted, "a list of %s", key->text);
            return vd_value_refuse(name, where, wanted, error);
        }
        int code = copy_text(name, config_setting_get_string(name), key->size, where, field, error);
        if (code != VD_OK)
            return code;
    }
    *(int *)((char *)base + key->count) = count;
    return VD_OK;
}

int vd_value_read(const config_setting_t *setting, const vd_key *key, const vd_setting_place *where,
                  void *base, vd_error *error)
{
    void *field = (char *)base + key->offset;
    switch (key->kind) {
    case VD_KEY_TEXT:
    case VD_KEY_PATH:
        return read_text(setting, key, where, field, error);
    case VD_KEY_WORD:
    case VD_KEY_CHOICE:
        return read_choice(setting, key, where, field, error);
    case VD_KEY_NUMBER:
    case VD_KEY_INTEGER:
        return read_number(setting, key, where, field, error);
    case VD_KEY_PAIR:
        return read_pair(setting, key, where, field, error);
    case VD_KEY_FLAG:
        if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
            return refuse(setting, key, where, error);
        *(bool *)field = config_setting_get_bool(setting) != 0;
        return VD_OK;
    case VD_KEY_NAMES:
        return read_names(setting, key, where, base, error);
    }
    return VD_EINVAL;
}
