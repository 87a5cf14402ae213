#include "record/recording_name.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

static const char *home(void)
{
    const char *path = getenv("HOME");
    return path && *path ? path : ".";
}

/* Reads XDG_VIDEOS_DIR="$HOME/…" from user-dirs.dirs, as xdg-user-dirs writes it. */
static int read_user_dirs(char *out, size_t size)
{
    char path[512], line[512], value[400];
    const char *config = getenv("XDG_CONFIG_HOME");
    if (config && *config)
        snprintf(path, sizeof path, "%s/user-dirs.dirs", config);
    else
        snprintf(path, sizeof path, "%s/.config/user-dirs.dirs", home());
    FILE *file = fopen(path, "re");
    int found = 0;
    while (file && !found && fgets(line, sizeof line, file)) {
        if (sscanf(line, " XDG_VIDEOS_DIR=\"%399[^\"]\"", value) != 1)
            continue;
        int relative = strncmp(value, "$HOME", 5) == 0;
        snprintf(out, size, "%s%s", relative ? home() : "", relative ? value + 5 : value);
        found = 1;
    }
    if (file)
        fclose(file);
    return found;
}

void vd_recording_folder(const char *folder, char *out, size_t size)
{
    char videos[512];
    const char *set = getenv("XDG_VIDEOS_DIR");
    if (folder && *folder) {
        vd_text_copy(out, size, folder);
        return;
    }
    if (set && *set)
        vd_text_copy(videos, sizeof videos, set);
    else if (!read_user_dirs(videos, sizeof videos))
        snprintf(videos, sizeof videos, "%s/Videos", home());
    snprintf(out, size, "%s/Vedette", videos);
}

static void clean_name(const char *camera, char *out, size_t size)
{
    char masked[256];
    vd_text_mask_address(masked, sizeof masked, camera && *camera ? camera : "camera");
    vd_text_clean(out, size, masked, strlen(masked));
    for (char *c = out; *c; c++)
        if (strchr("/\\:*?\"<>|", *c))
            *c = '-';
    while (*out == '.' || *out == ' ' || *out == '-') /* neither hidden nor an option */
        memmove(out, out + 1, strlen(out));
    if (*out == '\0')
        vd_text_copy(out, size, "camera");
}

static int is_taken(const char *path)
{
    char part[1024];
    snprintf(part, sizeof part, "%s.part", path);
    return access(path, F_OK) == 0 || access(part, F_OK) == 0;
}

void vd_recording_path(const char *folder, const char *camera, char *out, size_t size)
{
    char place[512], name[96], when[32];
    struct tm local;
    time_t now = time(NULL);
    vd_recording_folder(folder, place, sizeof place);
    clean_name(camera, name, sizeof name);
    localtime_r(&now, &local);
    strftime(when, sizeof when, "%Y-%m-%d %H-%M-%S", &local);
    snprintf(out, size, "%s/%s %s.mp4", place, name, when);
    for (int i = 2; i < 1000 && is_taken(out); i++)
        snprintf(out, size, "%s/%s %s (%d).mp4", place, name, when, i);
}
