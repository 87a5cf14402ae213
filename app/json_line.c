#include "json_line.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>

/* The length of the valid UTF-8 sequence at `s`; 0 when there is none. A zero byte ends every sequence. */
static size_t valid_sequence(const unsigned char *s)
{
    static const struct {
        unsigned char first, last, least, most; /* of the first byte and the second */
        size_t length;
    } forms[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    if (s[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (s[0] < forms[i].first || s[0] > forms[i].last || s[1] < forms[i].least || s[1] > forms[i].most)
            continue;
        for (size_t j = 2; j < forms[i].length; j++)
            if ((s[j] & 0xc0) != 0x80)
                return 0;
        return forms[i].length;
    }
    return 0;
}

void cli_json_text(FILE *stream, const char *text)
{
    fputc('"', stream);
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        size_t length = valid_sequence(s);
        if (length == 0)
            fputs("\xef\xbf\xbd", stream);
        else if (*s == '"' || *s == '\\')
            fprintf(stream, "\\%c", *s);
        else if (*s < 0x20 || *s == 0x7f)
            fprintf(stream, "\\u%04x", *s);
        else
            fwrite(s, 1, length, stream);
        s += length ? length : 1;
    }
    fputc('"', stream);
}

/* JSON has no infinity; what rounds to zero is written without a sign. */
static void put_number(FILE *stream, double value, int decimals)
{
    double least = 0.5 * pow(10, -decimals);
    if (!isfinite(value) || fabs(value) < least)
        value = 0;
    fprintf(stream, "%.*f", decimals, value);
}

void cli_json_box(FILE *stream, const vd_box *box)
{
    const float sides[] = {box->x1, box->y1, box->x2, box->y2};
    for (int i = 0; i < 4; i++) {
        fputs(i ? "," : "[", stream);
        put_number(stream, (double)sides[i], 2);
    }
    fputc(']', stream);
}

static void put_detection(FILE *stream, const vd_detection *detection, const char *class_name,
                          bool interpolated)
{
    fputs("{\"bbox\":", stream);
    cli_json_box(stream, &detection->box);
    fputs(",\"confidence\":", stream);
    put_number(stream, (double)detection->score, 5);
    fprintf(stream, ",\"class_id\":%d,\"class_name\":", detection->class_id);
    cli_json_text(stream, class_name);
    if (detection->track_id > 0)
        fprintf(stream, ",\"track_id\":%d", detection->track_id);
    if (interpolated)
        fputs(",\"interpolated\":true", stream);
    fputc('}', stream);
}

static void put_timing(FILE *stream, const vd_result *result)
{
    const struct {
        const char *name;
        int64_t ns;
    } parts[] = {{"queue", result->queue_ns},
                 {"preprocess", result->preprocess_ns},
                 {"forward", result->forward_ns},
                 {"decode", result->decode_ns}};
    fputs(",\"timing_ms\":{", stream);
    for (int i = 0; i < 4; i++) {
        fprintf(stream, "%s\"%s\":", i ? "," : "", parts[i].name);
        put_number(stream, (double)parts[i].ns / 1e6, 3);
    }
    fputc('}', stream);
}

void cli_json_detection(FILE *stream, const vd_detection *detection, const char *class_name)
{
    put_detection(stream, detection, class_name, false);
}

void cli_json_frame(FILE *stream, const cli_frame_line *line)
{
    const vd_labels *labels = line->result ? line->result->labels : line->labels;
    fputc('{', stream);
    if (line->source) {
        fputs("\"source\":", stream);
        cli_json_text(stream, line->source);
        fputc(',', stream);
    }
    fprintf(stream, "\"frame\":%" PRId64 ",\"time\":", line->frame);
    put_number(stream, line->time_s, 3);
    fputs(",\"detections\":[", stream);
    for (size_t i = 0; i < line->count; i++) {
        fputs(i ? "," : "", stream);
        put_detection(stream, &line->detections[i], vd_labels_name(labels, line->detections[i].class_id),
                      i + line->interpolated >= line->count);
    }
    fputc(']', stream);
    if (line->error) {
        fputs(",\"error\":", stream);
        cli_json_text(stream, line->error);
    }
    if (line->result)
        put_timing(stream, line->result);
    if (line->model) {
        fputs(",\"model\":", stream);
        cli_json_text(stream, line->model);
    }
    int input_width = line->result ? line->result->input_width : line->input_width;
    if (input_width > 0)
        fprintf(stream, ",\"input\":[%d,%d]", input_width,
                line->result ? line->result->input_height : line->input_height);
    if (line->width > 0)
        fprintf(stream, ",\"width\":%d,\"height\":%d", line->width, line->height);
    fputs("}\n", stream);
}

static void put_objects(FILE *stream, const cli_truth_line *line, bool decoys)
{
    bool first = true;
    for (size_t i = 0; i < line->count; i++) {
        const vd_scene_object *object = &line->objects[i];
        if ((object->kind >= VD_SCENE_SHADOW) != decoys)
            continue;
        fputs(first ? "" : ",", stream);
        first = false;
        if (decoys) {
            fputs("{\"bbox\":", stream);
            cli_json_box(stream, &object->box);
            fprintf(stream, ",\"kind\":\"%s\",\"track_id\":%d}", vd_scene_kind_name(object->kind),
                    object->track_id);
            continue;
        }
        vd_detection detection = {
            .box = object->box, .score = 1, .class_id = (int)object->kind, .track_id = object->track_id};
        cli_json_detection(stream, &detection, vd_scene_kind_name(object->kind));
    }
}

void cli_json_truth(FILE *stream, const cli_truth_line *line)
{
    fputs("{\"source\":", stream);
    cli_json_text(stream, line->source);
    fprintf(stream, ",\"frame\":%" PRId64 ",\"time\":", line->frame);
    put_number(stream, line->time_s, 3);
    fputs(",\"detections\":[", stream);
    put_objects(stream, line, false);
    fputs("],\"decoys\":[", stream);
    put_objects(stream, line, true);
    fprintf(stream, "],\"width\":%d,\"height\":%d}\n", line->width, line->height);
}
