#include "settings/table.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define IN_SETTINGS(field) .offset = offsetof(vd_settings, field), .size = sizeof(((vd_settings *)0)->field)
#define IN_CAMERA(field)                                                                                     \
    .offset = offsetof(vd_camera_settings, field), .size = sizeof(((vd_camera_settings *)0)->field)

static const vd_key keys[] = {
    {.group = "",
     .name = "model",
     .kind = VD_KEY_PATH,
     IN_SETTINGS(model),
     .doc =
         "A model file, \"builtin:people\", \"builtin:motion\" or \"demo\" (the demonstration's cracks and "
         "potholes); empty: builtin:people for cameras and files, demo for demo:"},
    {.group = "",
     .name = "labels",
     .kind = VD_KEY_PATH,
     IN_SETTINGS(labels),
     .doc = "A text file with one class name a line, for a model that has no names of its own"},
    {.group = "",
     .name = "overlay_sync",
     .kind = VD_KEY_CHOICE,
     IN_SETTINGS(overlay_sync),
     .choices = {"auto", "exact", "live"},
     .doc = "Boxes of the very picture shown (exact), or the newest picture at once (live); auto: exact for "
            "files"},
    {.group = "",
     .name = "theme",
     .kind = VD_KEY_CHOICE,
     IN_SETTINGS(theme),
     .choices = {"system", "light", "dark"},
     .doc = "The window's colours"},
    {.group = "detection",
     .name = "confidence",
     .kind = VD_KEY_NUMBER,
     IN_SETTINGS(confidence),
     .given = offsetof(vd_settings, confidence_given),
     .least = 0.05,
     .most = 1,
     .number = 0.25,
     .doc = "The least score that counts as a detection; where the line is missing, what suits the model "
            "(faces 0.6)"},
    {.group = "detection",
     .name = "iou",
     .kind = VD_KEY_NUMBER,
     IN_SETTINGS(iou),
     .given = offsetof(vd_settings, iou_given),
     .least = 0,
     .most = 1,
     .number = 0.45,
     .doc = "Two boxes of one class that overlap more than this are one object"},
    {.group = "detection",
     .name = "max_detections",
     .kind = VD_KEY_INTEGER,
     IN_SETTINGS(max_detections),
     .least = 1,
     .most = 300,
     .number = 300,
     .doc = "The most detections in one picture"},
    {.group = "detection",
     .name = "classes",
     .kind = VD_KEY_NAMES,
     .doc = "Names of the classes that are wanted; empty: all"},
    {.group = "detection",
     .name = "precision",
     .kind = VD_KEY_WORD,
     IN_SETTINGS(precision),
     .text = "fp32",
     .choices = {"fp32", "bf16"},
     .doc = "What networks compute in; bf16 is faster on processors that have it, and a little less exact"},
    {.group = "detection",
     .name = "device",
     .kind = VD_KEY_WORD,
     IN_SETTINGS(device),
     .text = "cpu",
     .choices = {"cpu", "opencl", "cuda", "openvino"},
     .doc = "What computes; where it does not work the processor does, and Vedette says so"},
    {.group = "detection",
     .name = "input_size",
     .kind = VD_KEY_INTEGER,
     IN_SETTINGS(input_size),
     .least = 0,
     .most = 4096,
     .doc = "Pixels a side that networks look at, a multiple of their stride (mostly 32); 0: as the model "
            "was made"},
    {.group = "tracking",
     .name = "lost",
     .kind = VD_KEY_NUMBER,
     IN_SETTINGS(track_lost_s),
     .least = 0.1,
     .most = 10,
     .number = 1,
     .doc = "Seconds after which an object that is not seen any more is given up"},
    {.group = "events",
     .name = "confirm",
     .kind = VD_KEY_NUMBER,
     IN_SETTINGS(event_confirm_s),
     .least = 0,
     .most = 10,
     .number = 0.3,
     .doc = "Seconds for which an object must have been seen to become an event"},
    {.group = "events",
     .name = "absence",
     .kind = VD_KEY_NUMBER,
     IN_SETTINGS(event_absence_s),
     .least = 0.1,
     .most = 600,
     .number = 3,
     .doc = "Seconds without the object after which its event is over"},
    {.group = "events",
     .name = "parked",
     .kind = VD_KEY_NUMBER,
     IN_SETTINGS(event_parked_s),
     .least = 1,
     .most = 86400,
     .number = 60,
     .doc = "What has not moved for so many seconds opens no new event where it stands"},
    {.group = "events",
     .name = "least_size",
     .kind = VD_KEY_NUMBER,
     IN_SETTINGS(event_least_size_px),
     .least = 0,
     .most = 16384,
     .number = 0,
     .doc = "The shorter side, in pixels of the picture, that an object must have to become an event"},
    {.group = "step2",
     .name = "enabled",
     .kind = VD_KEY_FLAG,
     IN_SETTINGS(step2.enabled),
     .given = offsetof(vd_settings, step2.enabled_given),
     .number = 1,
     .doc = "A second model looks at a short clip of each event; where the line is missing, when there is a "
            "model_path"},
    {.group = "step2",
     .name = "async_enabled",
     .kind = VD_KEY_FLAG,
     IN_SETTINGS(step2.async_enabled),
     .number = 1,
     .doc = "Clips are handed over at once; false: the next one when the verdict of the last is there"},
    {.group = "step2",
     .name = "shadow",
     .kind = VD_KEY_FLAG,
     IN_SETTINGS(step2.shadow),
     .doc = "Verdicts are measured and shown, but change nothing that you are told"},
    {.group = "step2",
     .name = "model_path",
     .kind = VD_KEY_PATH,
     IN_SETTINGS(step2.model_path),
     .doc = "The second model, a file or \"demo\" (the demonstration's); empty: none, but beside the model "
            "demo its own"},
    {.group = "step2",
     .name = "model_type",
     .kind = VD_KEY_WORD,
     IN_SETTINGS(step2.model_type),
     .text = "onnx",
     .choices = {"onnx"},
     .doc = "What kind of model that is"},
    {.group = "step2",
     .name = "verification_threshold",
     .kind = VD_KEY_NUMBER,
     IN_SETTINGS(step2.verification_threshold),
     .least = 0,
     .most = 1,
     .number = 0.7,
     .doc = "The least score that verifies an event; below it is rejected"},
    {.group = "step2",
     .name = "input_size",
     .kind = VD_KEY_PAIR,
     IN_SETTINGS(step2.input_size),
     .least = 32,
     .most = 512,
     .number = 224,
     .doc = "Width and height in pixels of the pictures that the second model sees"},
    {.group = "step2",
     .name = "temporal_size",
     .kind = VD_KEY_INTEGER,
     IN_SETTINGS(step2.temporal_size),
     .least = 2,
     .most = 64,
     .number = 16,
     .doc = "Pictures in a clip"},
    {.group = "step2",
     .name = "min_workers",
     .kind = VD_KEY_INTEGER,
     IN_SETTINGS(step2.min_workers),
     .given = offsetof(vd_settings, step2.min_workers_given),
     .least = 1,
     .most = 8,
     .number = 1,
     .doc = "Programs that keep the second model ready"},
    {.group = "step2",
     .name = "max_workers",
     .kind = VD_KEY_INTEGER,
     IN_SETTINGS(step2.max_workers),
     .given = offsetof(vd_settings, step2.max_workers_given),
     .least = 1,
     .most = 8,
     .number = 2,
     .doc = "Programs that work at once where there is much to do"},
    {.group = "step2",
     .name = "queue_size",
     .kind = VD_KEY_INTEGER,
     IN_SETTINGS(step2.queue_size),
     .given = offsetof(vd_settings, step2.queue_size_given),
     .least = 1,
     .most = 1000,
     .number = 50,
     .doc = "Events that may wait for the second model; beyond it the oldest is dropped"},
    {.group = "step2",
     .name = "result_queue_size",
     .kind = VD_KEY_INTEGER,
     IN_SETTINGS(step2.result_queue_size),
     .given = offsetof(vd_settings, step2.result_queue_size_given),
     .least = 1,
     .most = 1000,
     .number = 100,
     .doc = "Verdicts that may wait to be taken; beyond it the oldest is dropped"},
    {.group = "step2",
     .name = "worker_timeout_sec",
     .kind = VD_KEY_NUMBER,
     IN_SETTINGS(step2.worker_timeout_s),
     .least = 0.05,
     .most = 300,
     .number = 10,
     .doc = "Seconds that a verification may take"},
    {.group = "step2",
     .name = "preset",
     .kind = VD_KEY_CHOICE,
     IN_SETTINGS(step2.preset),
     .choices = {"none", "small", "medium", "large"},
     .doc = "Workers, queue and results at once (1/20/40, 2/40/80, 3/60/120), where no line above says "
            "otherwise"},
    {.group = "network",
     .name = "rtsp_transport",
     .kind = VD_KEY_WORD,
     IN_SETTINGS(rtsp_transport),
     .text = "tcp",
     .choices = {"tcp", "udp"},
     .doc = "How RTSP cameras send their pictures"},
    {.group = "network",
     .name = "open_timeout",
     .kind = VD_KEY_NUMBER,
     IN_SETTINGS(open_timeout_s),
     .least = 0.5,
     .most = 60,
     .number = 5,
     .doc = "Seconds until a camera must have answered"},
    {.group = "network",
     .name = "stall_timeout",
     .kind = VD_KEY_NUMBER,
     IN_SETTINGS(stall_timeout_s),
     .least = 0.5,
     .most = 60,
     .number = 5,
     .doc = "Seconds without a picture after which a camera counts as failed"},
    {.group = "recording",
     .name = "folder",
     .kind = VD_KEY_PATH,
     IN_SETTINGS(recording_folder),
     .doc = "Where recordings go; empty: the folder Vedette among your videos"},
    {.group = "recording",
     .name = "quality",
     .kind = VD_KEY_INTEGER,
     IN_SETTINGS(recording_quality),
     .least = 10,
     .most = 40,
     .number = 23,
     .doc = "The encoder's constant rate factor: smaller is better and larger in bytes"},
    {.group = "playback",
     .name = "loop",
     .kind = VD_KEY_FLAG,
     IN_SETTINGS(loop),
     .doc = "Files start again at their end"},
    {.group = VD_CAMERAS_GROUP,
     .name = "name",
     .kind = VD_KEY_TEXT,
     IN_CAMERA(name),
     .doc = "What to call the camera; required, each name once"},
    {.group = VD_CAMERAS_GROUP,
     .name = "address",
     .kind = VD_KEY_PATH,
     IN_CAMERA(address),
     .doc = "Its address: rtsp://…, http://…, /dev/video0, demo: or a file; required"},
    {.group = VD_CAMERAS_GROUP,
     .name = "model",
     .kind = VD_KEY_PATH,
     IN_CAMERA(model),
     .doc = "A model for this camera; empty: the general one"},
};

const vd_key *vd_key_table(size_t *ret_count)
{
    *ret_count = sizeof keys / sizeof *keys;
    return keys;
}

const vd_key *vd_key_find(const char *group, const char *name)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i].group, group) == 0 && strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

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
        snprintf(out, size, "a list of at most %d names such as [ \"person\", \"car\" ]", VD_MAX_CLASS_NAMES);
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
    memset(ret_settings, 0, sizeof *ret_settings);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i].group, VD_CAMERAS_GROUP) != 0)
            set_default(&keys[i], ret_settings);
}
