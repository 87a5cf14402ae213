/* Label files of the YOLO format. */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "vedette/app/evaluate.h"

enum { FIELDS = 5, LONGEST_LINE = 65536 };

/* Shares are written with some digits: an object may reach over the border by a rounding. */
#define SLACK 1e-3

static const char wanted[] =
    "a line is a class number and four shares of the picture: centre x, centre y, width, height";

struct reader {
    const char *path;
    int line, width, height, classes;
    vd_truth *truths;
    size_t count, room;
    vd_error *error;
};

static int fail(const struct reader *reader, int code, const char *sentence)
{
    char place[192];
    snprintf(place, sizeof place, "%s, line %d", reader->path, reader->line);
    return vd_error_set(reader->error, code, place, "%s", sentence);
}

static int refuse(const struct reader *reader, const char *what)
{
    char sentence[400];
    snprintf(sentence, sizeof sentence, "The label %s; %s.", what, wanted);
    return fail(reader, VD_EFORMAT, sentence);
}

/* The numbers of a line; more than FIELDS are counted, not kept. */
static int split(const struct reader *reader, char *line, double numbers[FIELDS], int *ret_count)
{
    char *rest = line, *word, what[120];
    int count = 0;
    while ((word = strsep(&rest, " \t\r\n"))) {
        double number;
        if (*word == '\0')
            continue;
        if (!vd_text_parse_number(word, &number)) {
            snprintf(what, sizeof what, "has \"%.40s\" where a number belongs", word);
            return refuse(reader, what);
        }
        if (count < FIELDS)
            numbers[count] = number;
        count++;
    }
    *ret_count = count;
    return VD_OK;
}

static int check_class(const struct reader *reader, double number)
{
    char sentence[200];
    if (number == floor(number) && number >= 0 && number < reader->classes)
        return VD_OK;
    snprintf(sentence, sizeof sentence,
             "The label's class is %g; the model has %d class%s, so it must be a whole number from 0 to %d.",
             number, reader->classes, reader->classes == 1 ? "" : "es", reader->classes - 1);
    return fail(reader, VD_EFORMAT, sentence);
}

static int check_shares(const struct reader *reader, const double numbers[FIELDS])
{
    static const char *const names[FIELDS] = {"class", "centre x", "centre y", "width", "height"};
    char what[120];
    for (int i = 1; i < FIELDS; i++) {
        double least = i >= 3 ? 0 : -SLACK;
        if (numbers[i] >= least && numbers[i] <= 1 + SLACK)
            continue;
        snprintf(what, sizeof what, "has a %s of %g, which is not between 0 and 1", names[i], numbers[i]);
        return refuse(reader, what);
    }
    return VD_OK;
}

static int keep(struct reader *reader, const double numbers[FIELDS])
{
    if (reader->count == VD_EVALUATE_LABELS)
        return fail(reader, VD_EFORMAT,
                    "The file has more than ten thousand labels; that cannot be a picture's.");
    if (reader->count == reader->room) {
        size_t room = reader->room ? 2 * reader->room : 16;
        vd_truth *more = reallocarray(reader->truths, room, sizeof *more);
        if (!more)
            return fail(reader, VD_ENOMEM, "There is not enough memory for the labels.");
        reader->truths = more;
        reader->room = room;
    }
    reader->truths[reader->count++] = (vd_truth){.x1 = (numbers[1] - numbers[3] / 2) * reader->width,
                                                 .y1 = (numbers[2] - numbers[4] / 2) * reader->height,
                                                 .x2 = (numbers[1] + numbers[3] / 2) * reader->width,
                                                 .y2 = (numbers[2] + numbers[4] / 2) * reader->height,
                                                 .class_id = (int)numbers[0]};
    return VD_OK;
}

static int take_line(struct reader *reader, char *line)
{
    double numbers[FIELDS] = {0};
    char what[120];
    int count = 0, code = split(reader, line, numbers, &count);
    if (code || count == 0)
        return code;
    if (count != FIELDS) {
        snprintf(what, sizeof what, "has %d number%s%s", count, count == 1 ? "" : "s",
                 count > FIELDS ? ", as outlines have" : "");
        return refuse(reader, what);
    }
    code = check_class(reader, numbers[0]);
    if (code == VD_OK)
        code = check_shares(reader, numbers);
    return code ? code : keep(reader, numbers);
}

static int read_lines(struct reader *reader, FILE *file, char *line)
{
    int code = VD_OK;
    while (code == VD_OK && fgets(line, LONGEST_LINE, file)) {
        reader->line++;
        size_t length = strlen(line);
        if (length + 1 == LONGEST_LINE && line[length - 1] != '\n')
            return refuse(reader, "is far too long");
        code = take_line(reader, line);
    }
    if (code == VD_OK && ferror(file))
        code = vd_error_set(reader->error, VD_EIO, reader->path, "Reading the labels failed: %s.",
                            strerrordesc_np(errno));
    return code;
}

int vd_truth_read(const char *path, int width, int height, int classes, vd_truth **ret_truths,
                  size_t *ret_count, vd_error *error)
{
    struct reader reader = {
        .path = path, .width = width, .height = height, .classes = classes, .error = error};
    FILE *file = fopen(path, "re");
    bool none = !file && errno == ENOENT;
    if (!file && !none)
        return vd_error_set(error, VD_EIO, path, "The labels cannot be read: %s.", strerrordesc_np(errno));
    int code = VD_OK;
    if (file) {
        char *line = malloc(LONGEST_LINE);
        code =
            line ? read_lines(&reader, file, line) : fail(&reader, VD_ENOMEM, "There is not enough memory.");
        free(line);
        fclose(file);
    }
    if (code) {
        free(reader.truths);
        return code;
    }
    *ret_truths = reader.truths;
    *ret_count = reader.count;
    return VD_OK;
}
