/* Reads vedette.conf: the whole file into memory, libconfig's tree from it, every value checked into a
 * snapshot of our own, and only then the caller's. The reader's thread is the only one here; it works in the
 * C locale. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libconfig.h>

#include "base/text.h"
#include "settings/check.h"
#include "settings/scan.h"
#include "settings/table.h"
#include "settings/value.h"
#include "vedette/app/nearest.h"

/* libconfig looks for doubles in a group one by one: the limit also bounds the time that a hostile file
 * takes. */
enum { MAX_FILE_BYTES = 64 * 1024, MAX_WORDS = 40 };

struct reader {
    const char *path;
    vd_settings settings;
    vd_error *error;
};

static int refuse_line(const struct reader *reader, int line, int code, const char *text)
{
    char place[192];
    vd_setting_locate(reader->path, line, place, sizeof place);
    return vd_error_set(reader->error, code, place, "%s", text);
}

static int refuse_file(const struct reader *reader, int code, const char *text)
{
    return vd_error_set(reader->error, code, reader->path, "%s", text);
}

static int refuse_errno(const struct reader *reader, int number)
{
    if (number == ENOENT || number == ENOTDIR)
        return refuse_file(reader, VD_ENOTFOUND, "There is no such settings file.");
    return vd_error_set(reader->error, VD_EIO, reader->path, "The settings file cannot be read: %s.",
                        strerrordesc_np(number));
}

static int load_descriptor(const struct reader *reader, int fd, char **ret_text)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return refuse_errno(reader, errno);
    if (S_ISDIR(status.st_mode))
        return refuse_file(reader, VD_EIO, "This is a folder; name the settings file in it.");
    if (!S_ISREG(status.st_mode))
        return refuse_file(reader, VD_EIO, "This is not a regular file; settings are read from one.");
    char *text = malloc(MAX_FILE_BYTES + 4);
    if (!text)
        return refuse_file(reader, VD_ENOMEM, "There is no memory left to read the settings.");
    size_t length = 0;
    while (length <= MAX_FILE_BYTES) {
        ssize_t got = read(fd, text + length, MAX_FILE_BYTES + 1 - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            free(text);
            return refuse_errno(reader, errno);
        }
        if (got == 0)
            break;
        length += (size_t)got;
    }
    text[length] = '\0';
    int code = VD_OK;
    if (length > MAX_FILE_BYTES)
        code = refuse_file(reader, VD_EFORMAT,
                           "This is larger than 64 KiB, which no settings file needs to be.");
    else if (memchr(text, '\0', length))
        code =
            refuse_file(reader, VD_EFORMAT, "This is not a settings file: it holds bytes that are no text.");
    if (code != VD_OK) {
        free(text);
        return code;
    }
    memcpy(text + length, "\n", 2); /* libconfig 1.5 takes a comment that ends the file for an error */
    *ret_text = text;
    return VD_OK;
}

/* A file that is opened for nothing (O_NONBLOCK) cannot make the caller wait, be it a pipe without a writer.
 */
static int load_file(const struct reader *reader, char **ret_text)
{
    int fd = open(reader->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return refuse_errno(reader, errno);
    int code = load_descriptor(reader, fd, ret_text);
    close(fd);
    return code;
}

/* libconfig would open the files named by @include by itself, whatever they are. */
static int refuse_findings(const struct reader *reader, const char *text)
{
    int line;
    switch (vd_scan_text(text, &line)) {
    case VD_SCAN_INCLUDE:
        return refuse_line(reader, line, VD_EFORMAT, "@include is not supported; write the settings here.");
    case VD_SCAN_NUMBER:
        return refuse_line(reader, line, VD_EINVAL, "This number is far larger than any setting may be.");
    case VD_SCAN_CLEAN:
        break;
    }
    return VD_OK;
}

static int count_lines(const char *text)
{
    int lines = 0;
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        lines++;
    return lines;
}

static int parse_text(const struct reader *reader, const char *text, config_t *config)
{
    int code = refuse_findings(reader, text);
    if (code != VD_OK || config_read_string(config, text) == CONFIG_TRUE)
        return code;
    int line = config_error_line(config), lines = count_lines(text);
    const char *reason = config_error_text(config);
    char sentence[256];
    if (reason && strcmp(reason, "syntax error") != 0)
        snprintf(sentence, sizeof sentence, "This line cannot be understood: %s.", reason);
    else
        snprintf(
            sentence, sizeof sentence,
            "This line cannot be understood; look here and in the line above for a missing \";\", quote or "
            "bracket.");
    return refuse_line(reader, line < lines ? line : lines, VD_EFORMAT, sentence);
}

static void locate(const struct reader *reader, const config_setting_t *setting, const char *prefix,
                   vd_setting_place *ret_where)
{
    const char *name = config_setting_name(setting);
    vd_setting_locate(reader->path, (int)setting->line, ret_where->place, sizeof ret_where->place);
    char clean[64];
    vd_text_clean(clean, sizeof clean, name ? name : "", name ? strlen(name) : 0);
    snprintf(ret_where->label, sizeof ret_where->label, "%s%s%s", prefix, *prefix && *clean ? "." : "",
             clean);
}

static void add_word(const char **words, size_t *count, const char *word)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(words[i], word) == 0)
            return;
    if (*count < MAX_WORDS)
        words[(*count)++] = word;
}

/* What may stand in a group: its keys, and at the top level the other groups. */
static size_t list_words(const char *group, const char **words)
{
    size_t key_count, count = 0;
    const vd_key *keys = vd_key_table(&key_count);
    for (size_t i = 0; i < key_count; i++) {
        if (strcmp(keys[i].group, group) == 0)
            add_word(words, &count, keys[i].name);
        else if (group[0] == '\0')
            add_word(words, &count, keys[i].group);
    }
    return count;
}

/* Another group that has a key of this name, or NULL: `confidence` belongs into `detection`. */
static const char *find_home(const char *group, const char *name)
{
    size_t count;
    const vd_key *keys = vd_key_table(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(keys[i].name, name) == 0 && strcmp(keys[i].group, group) != 0)
            return keys[i].group;
    return NULL;
}

static int refuse_unknown(const struct reader *reader, const char *group, const char *name,
                          const vd_setting_place *where)
{
    const char *words[MAX_WORDS], *home = find_home(group, name);
    size_t count = list_words(group, words);
    const char *nearest = vd_nearest_word(name, words, count);
    const char *prefix = *group ? group : "", *dot = *group ? "." : "";
    char rest[256] = "";
    if (home && *home)
        snprintf(rest, sizeof rest, "; it belongs into the group %s", home);
    else if (home)
        snprintf(rest, sizeof rest, "; it belongs to the top level, outside of any group");
    else if (nearest)
        snprintf(rest, sizeof rest, "; did you mean %s%s%s?", prefix, dot, nearest);
    size_t used = strlen(rest);
    if (used == 0) {
        used = (size_t)snprintf(rest, sizeof rest, "; known here are ");
        for (size_t i = 0; i < count && used + strlen(words[i]) + 3 < sizeof rest; i++)
            used += (size_t)snprintf(rest + used, sizeof rest - used, "%s%s", i ? ", " : "", words[i]);
    }
    return vd_error_set(reader->error, VD_EINVAL, where->place, "There is no setting %s%s%s", where->label,
                        rest, rest[used - 1] == '?' ? "" : ".");
}

static bool is_group_name(const char *name)
{
    size_t count;
    const vd_key *keys = vd_key_table(&count);
    for (size_t i = 0; i < count; i++)
        if (*name && strcmp(keys[i].group, name) == 0)
            return true;
    return false;
}

/* One group's keys into `base`; groups at the top level are left to the caller. */
static int read_group(struct reader *reader, const config_setting_t *group, const char *name,
                      const char *prefix, void *base)
{
    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
        const char *key_name = config_setting_name(setting);
        if (*name == '\0' && is_group_name(key_name))
            continue;
        vd_setting_place where;
        locate(reader, setting, prefix, &where);
        const vd_key *key = vd_key_find(name, key_name);
        int code = key ? vd_value_read(setting, key, &where, base, reader->error)
                       : refuse_unknown(reader, name, key_name, &where);
        if (code != VD_OK)
            return code;
        if (key->given)
            *(bool *)((char *)base + key->given) = true;
    }
    return VD_OK;
}

static int check_camera(struct reader *reader, const config_setting_t *entry, int index)
{
    const vd_camera_settings *camera = &reader->settings.cameras[index];
    char place[192];
    vd_setting_locate(reader->path, (int)entry->line, place, sizeof place);
    if (camera->name[0] == '\0' || camera->address[0] == '\0')
        return vd_error_set(reader->error, VD_EINVAL, place,
                            "cameras[%d] has no %s; each camera needs a name and an "
                            "address.",
                            index + 1, camera->name[0] == '\0' ? "name" : "address");
    for (int i = 0; i < index; i++)
        if (strcmp(reader->settings.cameras[i].name, camera->name) == 0)
            return vd_error_set(
                reader->error, VD_EINVAL, place,
                "cameras[%d].name is \"%s\", as is cameras[%d].name; each camera needs a name of its "
                "own.",
                index + 1, camera->name, i + 1);
    return VD_OK;
}

static int read_cameras(struct reader *reader, const config_setting_t *list, const vd_setting_place *where)
{
    if (!config_setting_is_list(list))
        return vd_value_refuse(list, where, "a list such as ( { name = \"Gate\"; address = \"rtsp://…\"; } )",
                               reader->error);
    int count = config_setting_length(list);
    if (count > VD_MAX_CAMERAS)
        return vd_error_set(reader->error, VD_EINVAL, where->place,
                            "cameras has %d entries; it must have at most %d.", count, VD_MAX_CAMERAS);
    for (int i = 0; i < count; i++) {
        const config_setting_t *entry = config_setting_get_elem(list, (unsigned)i);
        vd_setting_place entry_where;
        char prefix[24];
        snprintf(prefix, sizeof prefix, "cameras[%d]", i + 1);
        locate(reader, entry, prefix, &entry_where);
        if (!config_setting_is_group(entry))
            return vd_value_refuse(entry, &entry_where,
                                   "a group such as { name = \"Gate\"; address = \"rtsp://…\"; }",
                                   reader->error);
        int code = read_group(reader, entry, VD_CAMERAS_GROUP, prefix, &reader->settings.cameras[i]);
        if (code == VD_OK)
            code = check_camera(reader, entry, i);
        if (code != VD_OK)
            return code;
    }
    reader->settings.camera_count = count;
    return VD_OK;
}

static int read_tree(struct reader *reader, const config_setting_t *root)
{
    int code = read_group(reader, root, "", "", &reader->settings);
    for (int i = 0; code == VD_OK && i < config_setting_length(root); i++) {
        const config_setting_t *group = config_setting_get_elem(root, (unsigned)i);
        const char *name = config_setting_name(group);
        vd_setting_place where;
        locate(reader, group, "", &where);
        if (!is_group_name(name))
            continue;
        if (strcmp(name, VD_CAMERAS_GROUP) == 0)
            code = read_cameras(reader, group, &where);
        else if (config_setting_is_group(group))
            code = read_group(reader, group, name, name, &reader->settings);
        else
            code = vd_value_refuse(group, &where, "a group of settings in { }", reader->error);
    }
    return code;
}

static int read_settings(struct reader *reader)
{
    char *text = NULL;
    int code = load_file(reader, &text);
    if (code != VD_OK)
        return code;
    config_t config;
    config_init(&config);
    code = parse_text(reader, text, &config);
    if (code == VD_OK)
        code = read_tree(reader, config_root_setting(&config));
    if (code == VD_OK)
        code = vd_settings_check(reader->path, &config, &reader->settings, reader->error);
    config_destroy(&config);
    free(text);
    return code;
}

int vd_settings_read(const char *path, vd_settings *ret_settings, vd_error *error)
{
    struct reader *reader = malloc(sizeof *reader);
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", NULL);
    if (!reader || !c_locale) {
        free(reader);
        if (c_locale)
            freelocale(c_locale);
        return vd_error_set(error, VD_ENOMEM, path, "There is no memory left to read the settings.");
    }
    locale_t before = uselocale(c_locale);
    *reader = (struct reader){.path = path, .error = error};
    vd_settings_init(&reader->settings);
    int code =
        strlen(path) < sizeof reader->settings.path
            ? read_settings(reader)
            : refuse_file(reader, VD_EINVAL, "The name of the settings file is too long: 511 bytes at most.");
    if (code == VD_OK) {
        vd_text_copy(reader->settings.path, sizeof reader->settings.path, path);
        *ret_settings = reader->settings;
    }
    uselocale(before);
    freelocale(c_locale);
    free(reader);
    return code;
}

void vd_settings_default_path(char *out, int size)
{
    const char *folder = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (size < 1)
        return;
    if (folder && folder[0] == '/')
        snprintf(out, (size_t)size, "%s/vedette/vedette.conf", folder);
    else
        snprintf(out, (size_t)size, "%s/.config/vedette/vedette.conf", home ? home : "");
}
