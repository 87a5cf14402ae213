/* A file that a user names is replaced when it is a regular file, and refused when it is anything else or one
 * of the sources. */
#include "annotate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "vedette/app/still.h"

void cli_boxes_fill(cli_boxes *boxes, const vd_labels *labels, const vd_detection *detections, size_t count,
                    int width, int height)
{
    for (size_t i = 0; i < count; i++) {
        const vd_detection *detection = &detections[i];
        vd_draw_box *box = &boxes->boxes[i];
        *box = (vd_draw_box){.box = detection->box, .style = VD_BOX_DETECTED, .color = detection->class_id};
        char track[16] = "";
        if (detection->track_id > 0)
            snprintf(track, sizeof track, " #%d", detection->track_id);
        snprintf(box->label, sizeof box->label, "%.70s %.2f%s", vd_labels_name(labels, detection->class_id),
                 (double)detection->score, track);
    }
    boxes->drawing =
        (vd_drawing){.picture_width = width, .picture_height = height, .boxes = boxes->boxes, .count = count};
}

static bool ends_with(const char *text, const char *tail)
{
    size_t length = strlen(text), tail_length = strlen(tail);
    return length > tail_length && strcasecmp(text + length - tail_length, tail) == 0;
}

static bool is_picture_name(const char *path)
{
    return ends_with(path, ".png") || ends_with(path, ".jpg") || ends_with(path, ".jpeg");
}

int cli_annotator_prepare(cli_annotator *annotator)
{
    struct stat status;
    const char *out = annotator->out;
    if (!out)
        return CLI_DONE;
    bool exists = stat(out, &status) == 0;
    bool named_folder = (exists && S_ISDIR(status.st_mode)) || ends_with(out, "/");
    annotator->folder = named_folder || annotator->source_count > 1;
    annotator->names = calloc((size_t)annotator->source_count, sizeof *annotator->names);
    if (!annotator->names) {
        cli_complain("There is not enough memory.");
        return CLI_FAILED;
    }
    if (!annotator->folder && !is_picture_name(out) && !ends_with(out, ".mp4")) {
        cli_complain(
            "--annotate is \"%s\"; it must end in .png or .jpg for a picture, in .mp4 for a clip, or be a "
            "folder.",
            out);
        return CLI_WRONG;
    }
    if (!annotator->folder || (exists && S_ISDIR(status.st_mode)))
        return CLI_DONE;
    if (exists || (!named_folder && (is_picture_name(out) || ends_with(out, ".mp4")))) {
        cli_complain("--annotate is \"%s\"; with several sources it must be a folder.", out);
        return CLI_WRONG;
    }
    if (mkdir(out, 0777) != 0) {
        cli_complain("The folder %s cannot be made: %s.", out, strerrordesc_np(errno));
        return CLI_WRONG;
    }
    return CLI_DONE;
}

static bool is_source(const cli_annotator *annotator, const struct stat *status)
{
    for (int i = 0; i < annotator->source_count; i++) {
        const char *source = annotator->sources[i];
        struct stat other;
        if (strncmp(source, "file://", 7) == 0)
            source += 7;
        else if (strncmp(source, "file:", 5) == 0)
            source += 5;
        if (stat(source, &other) == 0 && other.st_dev == status->st_dev && other.st_ino == status->st_ino)
            return true;
    }
    return false;
}

/* Makes room for the file. */
static int clear_path(const cli_annotator *annotator)
{
    struct stat status;
    if (stat(annotator->path, &status) != 0)
        return CLI_DONE;
    if (is_source(annotator, &status)) {
        cli_complain("%s is a source and is not written over; give --annotate another name.",
                     annotator->path);
        return CLI_WRONG;
    }
    if (!S_ISREG(status.st_mode)) {
        cli_complain("%s is not a regular file and is not written over.", annotator->path);
        return CLI_WRONG;
    }
    if (unlink(annotator->path) != 0) {
        cli_complain("%s cannot be replaced: %s.", annotator->path, strerrordesc_np(errno));
        return CLI_WRONG;
    }
    return CLI_DONE;
}

void cli_source_stem(const vd_source_info *info, char *out, size_t size)
{
    snprintf(out, size, "%s", info->name[0] != '\0' ? info->name : "source");
    char *dot = strrchr(out, '.');
    if (dot && dot != out && !info->is_live)
        *dot = '\0';
    for (char *c = out; *c; c++)
        if (*c == '/' || *c == ':')
            *c = '-';
}

/* In a folder two sources may share a name: later ones get a number. Files of earlier calls are replaced. */
static int choose_in_folder(cli_annotator *annotator, const vd_source_info *info)
{
    char stem[96], name[CLI_NAME_BYTES];
    cli_source_stem(info, stem, sizeof stem);
    const char *ending = !info->is_image               ? ".mp4"
                         : is_picture_name(info->name) ? strrchr(info->name, '.')
                                                       : ".png";
    for (int number = 1;; number++) {
        bool taken = false;
        if (number == 1)
            snprintf(name, sizeof name, "%s%s", stem, ending);
        else
            snprintf(name, sizeof name, "%s-%d%s", stem, number, ending);
        for (int i = 0; i < annotator->name_count && !taken; i++)
            taken = strcmp(annotator->names[i], name) == 0;
        if (!taken)
            break;
    }
    snprintf(annotator->names[annotator->name_count++], sizeof name, "%s", name);
    const char *slash = ends_with(annotator->out, "/") ? "" : "/";
    int length = snprintf(annotator->path, sizeof annotator->path, "%s%s%s", annotator->out, slash, name);
    return length < (int)sizeof annotator->path ? CLI_DONE : CLI_WRONG;
}

static int choose_path(cli_annotator *annotator, const vd_source_info *info)
{
    if (annotator->folder)
        return choose_in_folder(annotator, info);
    snprintf(annotator->path, sizeof annotator->path, "%s", annotator->out);
    bool fits = info->is_image ? is_picture_name(annotator->out) : ends_with(annotator->out, ".mp4");
    if (!fits)
        cli_complain("%s is a %s; --annotate must end in %s.", info->name,
                     info->is_image ? "picture" : "clip", info->is_image ? ".png or .jpg" : ".mp4");
    return fits ? CLI_DONE : CLI_WRONG;
}

static int begin(cli_annotator *annotator, const vd_source_info *info, const vd_frame *frame)
{
    int status = choose_path(annotator, info);
    if (status == CLI_DONE)
        status = clear_path(annotator);
    if (status != CLI_DONE || info->is_image)
        return status;
    vd_error error = {0};
    vd_recorder_options options = VD_RECORDER_OPTIONS_INIT;
    options.path = annotator->path;
    options.frames_per_s = info->frames_per_s;
    options.quality = annotator->quality;
    options.lossless = true; /* detection sets the pace of live sources already */
    annotator->first_s = vd_frame_get_time_s(frame);
    int code = vd_recorder_start(&options, &annotator->recorder, &error);
    if (code == VD_OK)
        return CLI_DONE;
    cli_complain_error(&error);
    return code == VD_EINVAL ? CLI_WRONG : CLI_FAILED;
}

int cli_annotator_write(cli_annotator *annotator, const vd_source_info *info, vd_frame *frame,
                        const vd_drawing *drawing, int *ret_status)
{
    if (!annotator->out)
        return VD_OK;
    if (annotator->path[0] == '\0') {
        int status = begin(annotator, info, frame);
        if (status != CLI_DONE) {
            *ret_status = status;
            return VD_EINVAL;
        }
    }
    vd_error error = {0};
    int code;
    if (annotator->recorder) {
        double time_s = vd_frame_get_time_s(frame) - annotator->first_s;
        code = vd_recorder_write(annotator->recorder, frame, drawing, (int64_t)(time_s * 1e9));
    } else if ((code = vd_still_write(annotator->path, frame, drawing, &error)) != VD_OK) {
        cli_complain_error(&error);
    }
    if (code != VD_OK)
        *ret_status = CLI_FAILED; /* a recorder says why when it is ended */
    return code;
}

int cli_annotator_end(cli_annotator *annotator)
{
    int status = CLI_DONE;
    if (annotator->recorder) {
        vd_recorder_wait(annotator->recorder);
        vd_recorder_status end = vd_recorder_get_status(annotator->recorder);
        if (end.state == VD_RECORDER_FAILED) {
            cli_complain_error(&end.error);
            status = CLI_FAILED;
        }
        vd_recorder_free(&annotator->recorder);
    }
    annotator->path[0] = '\0';
    return status;
}

void cli_annotator_clear(cli_annotator *annotator)
{
    free(annotator->names);
    annotator->names = NULL;
}
