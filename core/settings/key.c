/* What a key says of itself: the range of its values and its default. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "settings/table.h"

static void describe_number(double value, char out[24])
{
    vd_text_number(out, 24, value, 4);
    size_t length = strlen(out);
    while (length > 0 && out[length - 1] == '0')
        out[--length] = '\0';
    if (length > 0 && out[length - 1] == '.')
        out[length - 1] = '\0';
}

static void describe_choices(const vd_key *key, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < VD_KEY_CHOICES && key->choices[i]; i++) {
        bool last = i + 1 == VD_KEY_CHOICES || !key->choices[i + 1];
        const char *before = i == 0 ? "" : last ? " or " : ", ";
        int put = snprintf(out + used, size - used, "%s\"%s\"", before, key->choices[i]);
        if (put < 0 || (size_t)put >= size - used)
            return;
        used += (size_t)put;
    }
}

void vd_key_describe_range(const vd_key *key, char *out, size_t size)
{
    char least[24], most[24], number[24];
    switch (key->kind) {
    case VD_KEY_TEXT:
    case VD_KEY_PATH:
        snprintf(out, size, "text in quotes of at most %zu bytes", key->size - 1);
        break;
    case VD_KEY_WORD:
    case VD_KEY_CHOICE:
        describe_choices(key, out, size);
        break;
    case VD_KEY_NUMBER:
    case VD_KEY_INTEGER:
        describe_number(key->least, least);
        describe_number(key->most, most);
        snprintf(out, size, "%s%s to %s", key->kind == VD_KEY_INTEGER ? "a whole number, " : "", least, most);
        break;
    case VD_KEY_PAIR:
        describe_number(key->least, least);
        describe_number(key->most, most);
        describe_number(key->number, number);
        snprintf(out, size, "two whole numbers such as [ %s, %s ], each %s to %s", number, number, least,
                 most);
        break;
    case VD_KEY_FLAG:
        snprintf(out, size, "true or false");
        break;
    case VD_KEY_NAMES:
        snprintf(out, size, "a list of at most %d %s", (int)key->most, key->text);
        break;
    }
}

static void set_default(const vd_key *key, void *base)
{
    void *field = (char *)base + key->offset;
    switch (key->kind) {
    case VD_KEY_TEXT:
    case VD_KEY_PATH:
    case VD_KEY_WORD:
        vd_text_copy(field, key->size, key->text ? key->text : "");
        break;
    case VD_KEY_CHOICE:
        *(int *)field = (int)key->number;
        break;
    case VD_KEY_NUMBER:
        *(double *)field = key->number;
        break;
    case VD_KEY_INTEGER:
        *(int *)field = (int)key->number;
        break;
    case VD_KEY_PAIR:
        ((int *)field)[0] = ((int *)field)[1] = (int)key->number;
        break;
    case VD_KEY_FLAG:
        *(bool *)field = key->number != 0;
        break;
    case VD_KEY_NAMES:
        break;
    }
}

void vd_settings_init(vd_settings *ret_settings)
{
    size_t count;
    const vd_key *keys = vd_key_table(&count);
    memset(ret_settings, 0, sizeof *ret_settings);
    for (size_t i = 0; i < count; i++)
        if (strcmp(keys[i].group, VD_CAMERAS_GROUP) != 0)
            set_default(&keys[i], ret_settings);
}
