#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "scene/scene.h"

enum { LEAST_SIDE = 64, MOST_SIDE = 3840 };

static int refuse(vd_error *error, const char *key, const char *value, const char *range)
{
    return vd_error_set(error, VD_EINVAL, "demo:", "The demonstration's option %s cannot be \"%s\"; %s.", key,
                        value, range);
}

static int parse_size(const char *value, vd_scene_options *options, vd_error *error)
{
    int width, height;
    char tail;
    if (sscanf(value, "%5dx%5d%c", &width, &height, &tail) != 2 || width < LEAST_SIDE || width > MOST_SIDE ||
        height < LEAST_SIDE || height > MOST_SIDE)
        return refuse(error, "size", value,
                      "it is WIDTHxHEIGHT with 64 to 3840 pixels a side, such as 1280x720");
    options->width = width;
    options->height = height;
    return VD_OK;
}

static int parse_option(const char *key, const char *value, vd_scene_options *options, vd_error *error)
{
    double number;
    if (strcmp(key, "size") == 0)
        return parse_size(value, options, error);
    if (strcmp(key, "fps") == 0) {
        if (!vd_text_parse_number(value, &number) || number < 1 || number > 120)
            return refuse(error, "fps", value, "it is 1 to 120 frames a second");
        options->frames_per_s = number;
        return VD_OK;
    }
    if (strcmp(key, "seed") == 0) {
        if (!vd_text_parse_number(value, &number) || number < 0 || number > 4294967295.0 ||
            number != floor(number))
            return refuse(error, "seed", value, "it is a whole number from 0 to 4294967295");
        options->seed = (unsigned)number;
        return VD_OK;
    }
    if (strcmp(key, "pace") == 0) {
        if (strcmp(value, "live") != 0 && strcmp(value, "free") != 0)
            return refuse(error, "pace", value,
                          "it is live (at the scene's own speed) or free (as fast as it is asked)");
        options->free_pace = strcmp(value, "free") == 0;
        return VD_OK;
    }
    return vd_error_set(
        error, VD_EINVAL,
        "demo:", "The demonstration has no option \"%s\" (value \"%s\"); there are seed, size, fps and pace.",
        key, value);
}

int vd_scene_parse(const char *text, vd_scene_options *options, vd_error *error)
{
    vd_scene_options parsed = *options;
    while (text && *text) {
        size_t length = strcspn(text, ",");
        char item[64];
        vd_text_clean(item, sizeof(item), text, length);
        text += length;
        text += *text == ',';
        char *equals = strchr(item, '=');
        if (!equals)
            return vd_error_set(
                error, VD_EINVAL,
                "demo:", "The demonstration's option \"%s\" has no value; write key=value, such as seed=7.",
                item);
        *equals = '\0';
        int rc = parse_option(item, equals + 1, &parsed, error);
        if (rc != VD_OK)
            return rc;
    }
    *options = parsed;
    return VD_OK;
}

int vd_scene_options_validate(const vd_scene_options *options, vd_error *error)
{
    if (options->width < LEAST_SIDE || options->width > MOST_SIDE || options->height < LEAST_SIDE ||
        options->height > MOST_SIDE)
        return vd_error_set(error, VD_EINVAL,
                            "demo:", "A scene of %d × %d pixels is not possible; each side is 64 to 3840.",
                            options->width, options->height);
    if (!(options->frames_per_s >= 1 && options->frames_per_s <= 120))
        return vd_error_set(error, VD_EINVAL, "demo:", "A scene has 1 to 120 frames a second, not %g.",
                            options->frames_per_s);
    return VD_OK;
}
