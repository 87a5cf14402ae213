/* The demonstration's options: read from an address, checked, and written as an address again. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "scene/scene.h"

enum { LEAST_SIDE = 64, MOST_SIDE = 3840, MOST_HAZARDS = 30 };

static int refuse(vd_error *error, const char *key, const char *value, const char *range)
{
    return vd_error_set(error, VD_EINVAL, "demo", "The demonstration's option %s cannot be \"%s\"; %s.", key,
                        value, range);
}

static int read_size(const char *value, vd_scene_options *options)
{
    int width, height;
    char tail;
    if (sscanf(value, "%5dx%5d%c", &width, &height, &tail) != 2 || width < LEAST_SIDE || width > MOST_SIDE ||
        height < LEAST_SIDE || height > MOST_SIDE)
        return VD_EINVAL;
    options->width = width;
    options->height = height;
    return VD_OK;
}

static int read_rate(const char *value, vd_scene_options *options)
{
    double number;
    if (!vd_text_parse_number(value, &number) || number < 1 || number > 120)
        return VD_EINVAL;
    options->frames_per_s = number;
    return VD_OK;
}

static bool read_whole(const char *value, double most, double *ret_number)
{
    double number;
    if (!vd_text_parse_number(value, &number) || number < 0 || number > most || number != floor(number))
        return false;
    *ret_number = number;
    return true;
}

static int read_seed(const char *value, vd_scene_options *options)
{
    double number;
    if (!read_whole(value, 4294967295.0, &number))
        return VD_EINVAL;
    options->seed = (unsigned)number;
    return VD_OK;
}

static int read_hazards(const char *value, vd_scene_options *options)
{
    double number;
    if (!read_whole(value, MOST_HAZARDS, &number))
        return VD_EINVAL;
    options->hazards = (int)number;
    return VD_OK;
}

/* One of two words. */
static int read_choice(const char *value, const char *off, const char *on, bool *ret_on)
{
    if (strcmp(value, off) != 0 && strcmp(value, on) != 0)
        return VD_EINVAL;
    *ret_on = strcmp(value, on) == 0;
    return VD_OK;
}

static int read_night(const char *value, vd_scene_options *options)
{
    return read_choice(value, "0", "1", &options->night);
}

static int read_view(const char *value, vd_scene_options *options)
{
    return read_choice(value, "vehicle", "pole", &options->from_pole);
}

static int read_pace(const char *value, vd_scene_options *options)
{
    return read_choice(value, "live", "free", &options->free_pace);
}

static const struct option {
    const char *key, *range;
    int (*read)(const char *value, vd_scene_options *options);
} OPTIONS[] = {
    {"seed", "it is a whole number from 0 to 4294967295", read_seed},
    {"hazards", "it is a whole number from 0 to 30, for 100 m of road", read_hazards},
    {"size", "it is WIDTHxHEIGHT with 64 to 3840 pixels a side, such as 1280x720", read_size},
    {"fps", "it is 1 to 120 frames a second", read_rate},
    {"night", "it is 0 (day) or 1 (night)", read_night},
    {"view", "it is vehicle (on the road) or pole (beside it)", read_view},
    {"pace", "it is live (at the scene's own speed) or free (as fast as it is asked)", read_pace},
};

static int parse_option(const char *key, const char *value, vd_scene_options *options, vd_error *error)
{
    for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++) {
        if (strcmp(key, OPTIONS[i].key) != 0)
            continue;
        int rc = OPTIONS[i].read(value, options);
        return rc == VD_OK ? VD_OK : refuse(error, key, value, OPTIONS[i].range);
    }
    return vd_error_set(
        error, VD_EINVAL, "demo",
        "The demonstration has no option \"%s\" (value \"%s\"); there are seed, hazards, size, "
        "fps, night, view and pace.",
        key, value);
}

int vd_scene_parse(const char *text, vd_scene_options *options, vd_error *error)
{
    vd_scene_options parsed = *options;
    while (text && *text) {
        size_t length = strcspn(text, ",");
        char item[64];
        vd_text_clean(item, sizeof(item), text, length);
        if (length >= sizeof(item))
            return vd_error_set(
                error, VD_EINVAL, "demo",
                "The demonstration's option \"%s…\" is too long; write key=value, such as seed=7.", item);
        text += length;
        text += *text == ',';
        char *equals = strchr(item, '=');
        if (!equals)
            return vd_error_set(
                error, VD_EINVAL, "demo",
                "The demonstration's option \"%s\" has no value; write key=value, such as seed=7.", item);
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
        return vd_error_set(error, VD_EINVAL, "demo",
                            "A scene of %d × %d pixels is not possible; each side is 64 to 3840.",
                            options->width, options->height);
    if (!(options->frames_per_s >= 1 && options->frames_per_s <= 120))
        return vd_error_set(error, VD_EINVAL, "demo", "A scene has 1 to 120 frames a second, not %g.",
                            options->frames_per_s);
    if (options->hazards < 0 || options->hazards > MOST_HAZARDS)
        return vd_error_set(error, VD_EINVAL, "demo", "A scene has 0 to %d hazards on 100 m of road, not %d.",
                            MOST_HAZARDS, options->hazards);
    return VD_OK;
}

static void append(char *out, const char *format, ...) VD_PRINTF(2, 3);

/* One more `key=value`, behind a comma unless it is the first. */
static void append(char *out, const char *format, ...)
{
    size_t used = strlen(out);
    va_list arguments;
    if (out[used - 1] != ':')
        out[used++] = ',';
    va_start(arguments, format);
    vsnprintf(out + used, VD_SCENE_ADDRESS - used, format, arguments);
    va_end(arguments);
}

/* In the fewest decimals that give the number again. */
static void append_rate(char *out, double rate)
{
    char text[40];
    double read = 0;
    for (int decimals = 0; decimals <= 15 && read != rate; decimals++) {
        vd_text_number(text, sizeof text, rate, decimals);
        vd_text_parse_number(text, &read);
    }
    append(out, "fps=%s", text);
}

void vd_scene_address(const vd_scene_options *options, char out[static VD_SCENE_ADDRESS])
{
    const vd_scene_options usual = VD_SCENE_OPTIONS_INIT;
    vd_text_copy(out, VD_SCENE_ADDRESS, "demo:");
    append(out, "seed=%u", options->seed);
    if (options->hazards != usual.hazards)
        append(out, "hazards=%d", options->hazards);
    if (options->width != usual.width || options->height != usual.height)
        append(out, "size=%dx%d", options->width, options->height);
    if (options->frames_per_s != usual.frames_per_s)
        append_rate(out, options->frames_per_s);
    if (options->night)
        append(out, "night=1");
    if (options->from_pole)
        append(out, "view=pole");
}
