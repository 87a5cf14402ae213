#include "detections_file.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json_read.h"

enum { MOST_CLASSES = 4096, LONGEST_LINE = 16 << 20, LONGEST_NAME = 64 };

/* Frames are counted in doubles here: exactly up to this one. */
#define MOST_FRAMES 9007199254740992.0

static int fail(const cli_detections_file *file, int code, const char *sentence, vd_error *error)
{
    char place[192];
    snprintf(place, sizeof place, "%.140s, line %" PRId64, file->path, file->line);
    return vd_error_set(error, code, place, "%s", sentence);
}

static int fail_format(const cli_detections_file *file, const char *sentence, vd_error *error)
{
    return fail(file, VD_EFORMAT, sentence, error);
}

int cli_detections_open(const char *path, cli_detections_file *file, vd_error *error)
{
    *file = (cli_detections_file){.path = path};
    if (strcmp(path, "-") == 0) {
        file->stream = stdin;
        return VD_OK;
    }
    file->stream = fopen(path, "re");
    if (!file->stream)
        return vd_error_set(error, errno == ENOENT ? VD_ENOTFOUND : VD_EIO, path,
                            "The detections cannot be read: %s.", strerrordesc_np(errno));
    return VD_OK;
}

void cli_detections_close(cli_detections_file *file)
{
    if (file->stream && file->stream != stdin)
        fclose(file->stream);
    file->stream = NULL;
    free(file->text);
    for (int i = 0; i < file->name_count; i++)
        free(file->names[i]);
    free(file->names);
    vd_labels_unref(&file->labels);
}

/* --- Class names */

static bool has_name(const cli_detections_file *file, int class_id)
{
    return class_id < file->name_count && file->names[class_id];
}

/* The first name of a class is its name; the labels are made anew. */
static int add_name(cli_detections_file *file, int class_id, const char *name)
{
    if (has_name(file, class_id))
        return VD_OK;
    if (class_id >= file->name_count) {
        char **names = reallocarray(file->names, (size_t)class_id + 1, sizeof *names);
        if (!names)
            return VD_ENOMEM;
        file->names = names;
        while (file->name_count <= class_id)
            names[file->name_count++] = NULL;
    }
    file->names[class_id] = strdup(name);
    vd_labels *labels = NULL;
    if (!file->names[class_id] ||
        vd_labels_new((const char *const *)file->names, file->name_count, &labels) != VD_OK)
        return VD_ENOMEM;
    vd_labels_unref(&file->labels);
    file->labels = labels;
    return VD_OK;
}

/* --- A detection */

struct found {
    vd_detection detection;
    bool has_box, has_score, has_class;
    char name[LONGEST_NAME];
};

static bool read_numbers(cli_json *json, double *numbers, int count)
{
    bool first = true, wrong = false;
    int read = 0;
    if (!cli_json_take(json, '['))
        return false;
    while (cli_json_next(json, ']', &first, &wrong))
        if (read == count || !cli_json_read_number(json, &numbers[read++]))
            return false;
    return !wrong && read == count;
}

static float narrow(double number)
{
    return fabs(number) <= 1e9 ? (float)number : NAN;
}

static bool read_member(cli_json *json, const char *key, struct found *found)
{
    double numbers[4];
    if (strcmp(key, "bbox") == 0) {
        found->has_box = read_numbers(json, numbers, 4);
        if (found->has_box)
            found->detection.box =
                (vd_box){narrow(numbers[0]), narrow(numbers[1]), narrow(numbers[2]), narrow(numbers[3])};
        return found->has_box;
    }
    if (strcmp(key, "confidence") == 0) {
        found->has_score = cli_json_read_number(json, numbers);
        found->detection.score = found->has_score ? narrow(numbers[0]) : 0;
        return found->has_score;
    }
    if (strcmp(key, "class_id") == 0) {
        bool good = cli_json_read_number(json, numbers) && numbers[0] == floor(numbers[0]) &&
                    numbers[0] >= 0 && numbers[0] < MOST_CLASSES;
        found->has_class = good;
        found->detection.class_id = good ? (int)numbers[0] : 0;
        return good;
    }
    return strcmp(key, "class_name") == 0 ? cli_json_read_text(json, found->name, sizeof found->name)
                                          : cli_json_skip(json);
}

static bool read_found(cli_json *json, struct found *found)
{
    char key[32];
    bool first = true, wrong = false;
    *found = (struct found){0};
    if (!cli_json_take(json, '{'))
        return false;
    while (cli_json_next(json, '}', &first, &wrong))
        if (!cli_json_read_text(json, key, sizeof key) || !cli_json_take(json, ':') ||
            !read_member(json, key, found))
            return false;
    return !wrong && found->has_box && found->has_score && found->has_class;
}

static bool is_number(const vd_detection *detection)
{
    const vd_box *box = &detection->box;
    return isfinite(detection->score) && isfinite(box->x1) && isfinite(box->y1) && isfinite(box->x2) &&
           isfinite(box->y2);
}

static int read_detections(cli_detections_file *file, cli_json *json, vd_error *error)
{
    struct found found;
    bool first = true, wrong = !cli_json_take(json, '[');
    while (!wrong && cli_json_next(json, ']', &first, &wrong)) {
        if (!read_found(json, &found))
            return fail_format(file,
                               "A detection must have a \"bbox\" of four numbers, a \"confidence\" and a "
                               "\"class_id\" from 0 to 4095.",
                               error);
        if (!is_number(&found.detection))
            continue;
        if (file->of.count == VD_TRACK_DETECTIONS)
            return fail_format(file, "There are more than 1024 detections in one frame.", error);
        if (found.name[0] && add_name(file, found.detection.class_id, found.name))
            return fail(file, VD_ENOMEM, "There is not enough memory for the names of the classes.", error);
        file->detections[file->of.count++] = found.detection;
    }
    return wrong ? fail_format(file, "\"detections\" must be a list.", error) : VD_OK;
}

/* --- A line */

static bool read_frame(cli_detections_file *file, cli_json *json)
{
    double number;
    if (!cli_json_read_number(json, &number) || number != floor(number) || !(fabs(number) <= MOST_FRAMES))
        return false;
    file->of.frame = (int64_t)number;
    file->has_frame = true;
    return true;
}

static bool read_time(cli_detections_file *file, cli_json *json)
{
    file->has_time = cli_json_read_number(json, &file->of.time_s) && isfinite(file->of.time_s);
    return file->has_time;
}

static bool read_side(cli_json *json, int *ret_side)
{
    double number;
    if (!cli_json_read_number(json, &number) || !(number >= 0 && number <= 1e6))
        return false;
    *ret_side = (int)number;
    return true;
}

static bool read_input(cli_detections_file *file, cli_json *json)
{
    double sides[2];
    if (!read_numbers(json, sides, 2) ||
        !(sides[0] >= 0 && sides[0] <= 1e6 && sides[1] >= 0 && sides[1] <= 1e6))
        return false;
    file->of.input_width = (int)sides[0];
    file->of.input_height = (int)sides[1];
    return true;
}

static int read_key(cli_detections_file *file, cli_json *json, const char *key, vd_error *error)
{
    char sentence[120];
    bool good;
    if (strcmp(key, "detections") == 0)
        return read_detections(file, json, error);
    if (strcmp(key, "frame") == 0)
        good = read_frame(file, json);
    else if (strcmp(key, "time") == 0)
        good = read_time(file, json);
    else if (strcmp(key, "source") == 0)
        good = cli_json_read_text(json, file->source, sizeof file->source);
    else if (strcmp(key, "model") == 0)
        good = cli_json_read_text(json, file->model, sizeof file->model);
    else if (strcmp(key, "width") == 0)
        good = read_side(json, &file->of.width);
    else if (strcmp(key, "height") == 0)
        good = read_side(json, &file->of.height);
    else if (strcmp(key, "input") == 0)
        good = read_input(file, json);
    else
        good = cli_json_skip(json);
    snprintf(sentence, sizeof sentence, "What stands behind \"%.32s\" is not as the common schema has it.",
             key);
    return good ? VD_OK : fail_format(file, sentence, error);
}

static int read_object(cli_detections_file *file, vd_error *error)
{
    cli_json json = {file->text};
    char key[32];
    bool first = true, wrong = !cli_json_take(&json, '{');
    while (!wrong && cli_json_next(&json, '}', &first, &wrong)) {
        if (!cli_json_read_text(&json, key, sizeof key) || !cli_json_take(&json, ':')) {
            wrong = true;
            break;
        }
        int code = read_key(file, &json, key, error);
        if (code)
            return code;
    }
    if (wrong || json.at[strspn(json.at, " \t\r\n")] != '\0')
        return fail_format(file, "A line must be one JSON object, a frame in the common schema.", error);
    return VD_OK;
}

static void begin_line(cli_detections_file *file)
{
    file->of = (cli_frame_line){0};
    file->has_frame = file->has_time = false;
    file->source[0] = file->model[0] = '\0';
}

static void end_line(cli_detections_file *file)
{
    file->of.source = file->source[0] ? file->source : NULL;
    file->of.model = file->model[0] ? file->model : NULL;
    file->of.labels = file->labels;
    file->of.detections = file->detections;
}

int cli_detections_read(cli_detections_file *file, vd_error *error)
{
    ssize_t length;
    do {
        errno = 0;
        length = getline(&file->text, &file->text_room, file->stream);
        if (length < 0 && errno == ENOMEM)
            return fail(file, VD_ENOMEM, "There is not enough memory for a line.", error);
        if (length < 0 && ferror(file->stream))
            return vd_error_set(error, VD_EIO, file->path, "Reading the detections failed: %s.",
                                strerrordesc_np(errno));
        if (length < 0)
            return VD_EEND;
        file->line++;
    } while (file->text[strspn(file->text, " \t\r\n")] == '\0' && (size_t)length == strlen(file->text));
    if ((size_t)length != strlen(file->text) || length > LONGEST_LINE)
        return fail_format(file, "That is no text of the common schema.", error);
    begin_line(file);
    int code = read_object(file, error);
    end_line(file);
    return code;
}
