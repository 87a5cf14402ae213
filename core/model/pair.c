#include "model/pair.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "model/digest.h"
#include "model/family.h"
#include "model/names.h"
#include "model/onnx_file.h"
#include "model/pair_parts.h"

enum { MOST_TEXT_BYTES = 16 << 20 };

typedef struct kind {
    vd_model_format format;
    const char *name;
    const char *data_ending, *text_ending;
    int (*tell)(vd_pair *pair, vd_model *model, vd_error *error);
} kind;

static const kind kinds[] = {
    {VD_FORMAT_DARKNET, "Darknet", ".weights", ".cfg", vd_darknet_tell},
    {VD_FORMAT_CAFFE, "Caffe", ".caffemodel", ".prototxt", vd_caffe_tell},
    {VD_FORMAT_TENSORFLOW, "TensorFlow", ".pb", ".pbtxt", vd_tensorflow_tell},
};

static const kind *find_kind(const char *path)
{
    const char *base = vd_text_base_name(path);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (vd_text_ends_with(base, kinds[i].data_ending) || vd_text_ends_with(base, kinds[i].text_ending))
            return &kinds[i];
    return NULL;
}

vd_model_format vd_pair_format(const char *path)
{
    const kind *found = find_kind(path);
    return found ? found->format : (vd_model_format)0;
}

/* The path with another ending; where the folder has it in capitals alone, so. */
static int name_partner(const char *path, size_t stem, const char *ending, char *ret_path, size_t size)
{
    if (stem + strlen(ending) >= size)
        return VD_EFORMAT;
    memcpy(ret_path, path, stem);
    strcpy(ret_path + stem, ending);
    if (access(ret_path, F_OK) == 0)
        return VD_OK;
    for (char *c = ret_path + stem; *c; c++)
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    if (access(ret_path, F_OK) == 0)
        return VD_OK;
    strcpy(ret_path + stem, ending);
    return VD_ENOTFOUND;
}

/* Both paths from the one that was named. */
static int find_files(const kind *k, const char *path, char data[PATH_MAX], char text[PATH_MAX],
                      vd_error *error)
{
    char place[192];
    vd_text_mask_address(place, sizeof place, path);
    bool is_text = vd_text_ends_with(path, k->text_ending);
    const char *mine = is_text ? k->text_ending : k->data_ending;
    const char *other = is_text ? k->data_ending : k->text_ending;
    size_t stem = strlen(path) - strlen(mine);
    if (strlen(path) >= PATH_MAX)
        return vd_error_set(error, VD_ENOTFOUND, place, "There is no such file.");
    if (access(path, F_OK) != 0)
        return vd_error_set(error, errno == EACCES ? VD_EIO : VD_ENOTFOUND, place,
                            errno == EACCES ? "The file cannot be reached: permission denied."
                                            : "There is no such file.");
    strcpy(is_text ? text : data, path);
    if (name_partner(path, stem, other, is_text ? data : text, PATH_MAX) != VD_OK)
        return vd_error_set(
            error, VD_ENOTFOUND, place,
            "%s models have two files, and the second is missing: put %.*s%s beside this one.", k->name,
            (int)(stem - (size_t)(vd_text_base_name(path) - path)), vd_text_base_name(path), other);
    return VD_OK;
}

static int check_batch(const char *place, const vd_model_options *options, vd_error *error)
{
    if (options->batch == 0 || options->batch == 1)
        return VD_OK;
    return vd_error_set(error, VD_EINVAL, place,
                        "A batch of %d was asked for; models in two files take one picture a pass.",
                        options->batch);
}

/* Class names from the labels file; such models have none of their own, but for what their family says. */
static int find_labels(const char *path, vd_model *model, vd_error *error)
{
    static const char *const none[VD_MAX_CLASSES];
    char place[192];
    vd_names names = {0};
    model->has_names = path || model->labels;
    if (!path && model->labels)
        return VD_OK;
    vd_labels_unref(&model->labels);
    if (path) {
        vd_text_mask_address(place, sizeof place, path);
        int code = vd_names_read_file(path, &names, error);
        if (code == VD_OK && names.count != model->classes)
            code = vd_error_set(error, VD_EFORMAT, place, "The file names %d classes, and the model has %d.",
                                names.count, model->classes);
        if (code != VD_OK) {
            vd_names_free(&names);
            return code;
        }
    } else {
        vd_model_note(model, "no class names in the file: give a labels file with one a line");
    }
    int code = vd_labels_new(path ? (const char *const *)names.items : none, model->classes, &model->labels);
    vd_names_free(&names);
    return code == VD_OK
               ? VD_OK
               : vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory to read the model.");
}

static int load_both(const kind *k, const char *path, vd_pair *pair, vd_error *error)
{
    char data[PATH_MAX], text[PATH_MAX];
    int code = find_files(k, path, data, text, error);
    if (code != VD_OK)
        return code;
    vd_text_mask_address(pair->data_place, sizeof pair->data_place, data);
    vd_text_mask_address(pair->text_place, sizeof pair->text_place, text);
    code = vd_model_load(text, pair->text_place, MOST_TEXT_BYTES, &pair->text, &pair->text_length, error);
    if (code == VD_OK && memchr(pair->text, '\0', pair->text_length))
        code = vd_error_set(error, VD_EFORMAT, pair->text_place,
                            "This is no text; a %s network's %s file is one.", k->name, k->text_ending);
    if (code == VD_OK)
        code =
            vd_model_load(data, pair->data_place, VD_ONNX_MAX_BYTES, &pair->data, &pair->data_length, error);
    return code;
}

int vd_pair_read(const char *path, const vd_model_options *options, vd_model *model, vd_error *error)
{
    static const vd_model_options plain;
    const kind *k = find_kind(path);
    vd_pair pair = {.options = options ? options : &plain};
    if (!k)
        return vd_error_set(error, VD_EINVAL, NULL, "This is no name of a model in two files.");
    int code = load_both(k, path, &pair, error);
    if (code == VD_OK)
        code = check_batch(pair.data_place, pair.options, error);
    if (code == VD_OK) {
        model->format = k->format;
        model->batch = 1;
        model->bins = 1;
        vd_model_name(model, path);
        vd_digest_sha256(pair.data, pair.data_length, model->digest);
        code = k->tell(&pair, model, error);
    }
    if (code == VD_OK)
        code = find_labels(pair.options->labels, model, error);
    if (code != VD_OK) {
        free(pair.text);
        free(pair.data);
        return code;
    }
    model->network = pair.data;
    model->network_bytes = pair.data_length;
    model->config = pair.text;
    model->config_bytes = pair.text_length;
    return VD_OK;
}
