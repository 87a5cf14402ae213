#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "model/onnx_file.h"

static bool holds(const uint8_t *head, size_t length, const char *text)
{
    return memmem(head, length, text, strlen(text)) != NULL;
}

static bool starts(const uint8_t *head, size_t length, const char *text)
{
    return length >= strlen(text) && memcmp(head, text, strlen(text)) == 0;
}

static bool is_text(const uint8_t *head, size_t length)
{
    size_t look = length < 4096 ? length : 4096;
    for (size_t i = 0; i < look; i++)
        if (head[i] == 0x7f || (head[i] < 0x20 && !isspace(head[i])))
            return false;
    return true;
}

static const char *sniff_text(const uint8_t *head, size_t length)
{
    size_t at = length >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while (at < length && isspace(head[at]))
        at++;
    const char *text = (const char *)head + at;
    size_t left = length - at;
    if (starts(head, length, "version https://git-lfs"))
        return "This is a Git LFS pointer, a note about the model and not the model; fetch the file itself "
               "(git lfs "
               "pull).";
    if (left == 0)
        return "The file holds nothing but blanks.";
    if (left >= 5 && (strncasecmp(text, "<!doc", 5) == 0 || strncasecmp(text, "<html", 5) == 0 ||
                      strncasecmp(text, "<head", 5) == 0 || strncasecmp(text, "<?xml", 5) == 0))
        return "This is a web page, not a model; download the file itself instead of the page about it.";
    if (holds(head, length, "[net]") || holds(head, length, "[convolutional]"))
        return "This is a Darknet configuration; name it .cfg and put the .weights beside it.";
    if (holds(head, length, "layer {") || holds(head, length, "node {"))
        return "This is a Caffe or TensorFlow network in text form; name it .prototxt or .pbtxt and put the "
               "weights beside it.";
    return "This is a text file, not an ONNX model.";
}

static const char *sniff_zip(const uint8_t *head, size_t length)
{
    if (holds(head, length, "data.pkl") || holds(head, length, "/version") ||
        holds(head, length, "constants.pkl"))
        return "This is a PyTorch checkpoint (.pt); export it to ONNX first (yolo export model=… "
               "format=onnx).";
    return "This is a zip archive; unpack it and open the ONNX file inside.";
}

typedef struct magic {
    size_t at;
    const char *bytes;
    const char *sentence;
} magic;

static const magic magics[] = {
    {4, "TFL3", "This is a TensorFlow Lite model; export the model to ONNX instead."},
    {4, "ORTM", "This is a model in ONNX Runtime's own format; open the ONNX file that it was made from."},
    {0, "\x89HDF", "This is a Keras (HDF5) model; export it to ONNX first."},
    {0, "\x80\x02",
     "This is a PyTorch checkpoint (.pt); export it to ONNX first (yolo export model=… format=onnx)."},
    {0, "\x1f\x8b", "This is a gzip archive; unpack it and open the ONNX file inside."},
    {0, "7z\xbc\xaf", "This is a 7z archive; unpack it and open the ONNX file inside."},
    {0, "Rar!", "This is a RAR archive; unpack it and open the ONNX file inside."},
    {257, "ustar", "This is a tar archive; unpack it and open the ONNX file inside."},
    {0, "\x89PNG", "This is a picture, not a model."},
    {0, "\xff\xd8\xff", "This is a picture, not a model."},
    {4, "ftyp", "This is a video, not a model."},
    {0, "RIFF", "This is a video or sound file, not a model."},
    {0, "%PDF", "This is a PDF document, not a model."},
    {0,
     "\x7f"
     "ELF",
     "This is a program (or a TensorRT engine's library), not an ONNX model."},
};

const char *vd_onnx_sniff(const uint8_t *head, size_t length)
{
    static const uint8_t darknet[] = {0, 0, 0, 0};
    if (length == 0)
        return "The file is empty.";
    if (starts(head, length, "PK\x03\x04"))
        return sniff_zip(head, length);
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        size_t size = strlen(magics[i].bytes);
        if (length >= magics[i].at + size && memcmp(head + magics[i].at, magics[i].bytes, size) == 0)
            return magics[i].sentence;
    }
    /* Darknet's header: version 0.1 or 0.2 as two little-endian numbers */
    if (length >= 16 && memcmp(head, darknet, 4) == 0 && (head[4] == 1 || head[4] == 2) &&
        memcmp(head + 5, darknet, 3) == 0)
        return "These are Darknet weights; name the file .weights and put the .cfg beside it.";
    return is_text(head, length) ? sniff_text(head, length) : NULL;
}
