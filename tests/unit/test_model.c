#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "check_main.h"
#include "model/model.h"
#include "model/onnx_file.h"
#include "onnx_build.h"

enum { SIDE = 32, ANCHORS = 20, CLASSES = 2 };

/* A detector in small: two grids of strides 8 and 16, joined, boxes multiplied by their strides. */
static Onnx__ModelProto *tiny_detector(void)
{
    Onnx__ModelProto *m = build_model(17);
    build_input(m, "images", VD_ONNX_FLOAT, DIMS(1, 3, SIDE, SIDE));
    build_output(m, "output0", DIMS(1, 4 + CLASSES, ANCHORS));
    build_floats(m, "w8", -0.01, 0.0001, DIMS(4 + CLASSES, 3, 8, 8));
    build_floats(m, "w16", -0.01, 0.00001, DIMS(4 + CLASSES, 3, 16, 16));
    build_ints(m, "flat", DIMS(1, 4 + CLASSES, -1));
    build_ints(m, "parts", DIMS(4, CLASSES));
    build_floats(m, "strides", 8, 0.5, DIMS(1, ANCHORS));
    build_list(build_node(m, "Conv", "images w8", "p8"), "strides", DIMS(8, 8));
    build_list(build_node(m, "Conv", "images w16", "p16"), "strides", DIMS(16, 16));
    build_node(m, "Reshape", "p8 flat", "f8");
    build_node(m, "Reshape", "p16 flat", "f16");
    build_int(build_node(m, "Concat", "f8 f16", "all"), "axis", 2);
    build_int(build_node(m, "Split", "all parts", "boxes scores"), "axis", 1);
    build_node(m, "Mul", "boxes strides", "scaled");
    build_node(m, "Sigmoid", "scores", "sure");
    build_int(build_node(m, "Concat", "scaled sure", "output0"), "axis", 1);
    build_metadata(m, "task", "detect");
    build_metadata(m, "author", "Tests");
    build_metadata(m, "names", "{0: 'cat', 1: \"driver's cab\"}");
    return m;
}

static char *write_file(const void *bytes, size_t length)
{
    char *path = strdup("/tmp/vedette-model-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
    close(fd);
    return path;
}

static void drop_path(char *path)
{
    unlink(path);
    free(path);
}

/* Packs and frees the model. */
static uint8_t *packed(Onnx__ModelProto *m, size_t *ret_length)
{
    uint8_t *bytes;
    ck_assert_int_eq(vd_onnx_pack(m, &bytes, ret_length), VD_OK);
    build_free(m);
    return bytes;
}

static int read_bytes(const void *bytes, size_t length, const char *labels, vd_model **ret_model,
                      vd_error *error)
{
    char *path = write_file(bytes, length);
    const vd_model_options options = {.labels = labels, .no_plan = true};
    int code = vd_model_read(path, &options, ret_model, error);
    drop_path(path);
    return code;
}

/* Frees the model. */
static int read_proto(Onnx__ModelProto *m, const char *labels, vd_model **ret_model, vd_error *error)
{
    size_t length;
    uint8_t *bytes = packed(m, &length);
    int code = read_bytes(bytes, length, labels, ret_model, error);
    free(bytes);
    return code;
}

static bool has_note(const vd_model *model, const char *words)
{
    for (int i = 0; i < model->note_count; i++)
        if (strstr(model->notes[i], words))
            return true;
    return false;
}

START_TEST(test_reads_a_detector)
{
    vd_model *model = NULL;
    vd_error error = {0};
    ck_assert_msg(read_proto(tiny_detector(), NULL, &model, &error) == VD_OK, "%s", error.text);
    ck_assert_int_eq(model->family, VD_FAMILY_YOLOV8);
    ck_assert_str_eq(model->input_name, "images");
    ck_assert_int_eq(model->output_count, 1);
    ck_assert_str_eq(model->outputs[0].name, "output0");
    ck_assert_int_eq(model->input_width, SIDE);
    ck_assert_int_eq(model->input_height, SIDE);
    ck_assert_int_eq(model->classes, CLASSES);
    ck_assert_int_eq(model->anchors, ANCHORS);
    ck_assert(model->has_names);
    ck_assert_str_eq(vd_labels_name(model->labels, 1), "driver's cab");
    ck_assert_uint_eq(strlen(model->digest), 64);
    ck_assert(has_note(model, "output [1, 6, 20]: 4 box values and 2 class scores"));
    ck_assert(has_note(model, "strides 8, 16"));
    ck_assert(has_note(model, "spread 1 constant to full rank"));
    ck_assert(has_note(model, "task detect, written by Tests"));

    Onnx__ModelProto *again = NULL;
    ck_assert_int_eq(vd_onnx_parse(model->network, model->network_bytes, "", &again, &error), VD_OK);
    ck_assert_uint_eq(again->graph->n_node, 9);
    build_free(again);
    vd_model_drop_file(model);
    ck_assert_ptr_null(model->network);
    vd_model_free(&model);
    ck_assert_ptr_null(model);
    vd_model_free(&model);
}
END_TEST

START_TEST(test_labels)
{
    vd_model *model = NULL;
    vd_error error = {0};
    char *labels = write_file("one\ntwo\n", 8);
    ck_assert_int_eq(read_proto(tiny_detector(), labels, &model, &error), VD_OK);
    ck_assert_str_eq(vd_labels_name(model->labels, 0), "one");
    vd_model_free(&model);
    drop_path(labels);

    labels = write_file("one\ntwo\nthree\n", 14);
    ck_assert_int_eq(read_proto(tiny_detector(), labels, &model, &error), VD_EFORMAT);
    ck_assert_str_eq(error.text, "The file names 3 classes, and the model has 2.");
    ck_assert_ptr_null(model);
    drop_path(labels);
    ck_assert_int_eq(read_proto(tiny_detector(), "/nonexistent", &model, &error), VD_ENOTFOUND);
}
END_TEST

static char **metadata_of(Onnx__ModelProto *m, const char *key)
{
    for (size_t i = 0; i < m->n_metadata_props; i++)
        if (strcmp(m->metadata_props[i]->key, key) == 0)
            return &m->metadata_props[i]->value;
    return NULL;
}

static void replace(char **text, const char *with)
{
    free(*text);
    *text = strdup(with);
}

START_TEST(test_without_names)
{
    vd_model *model = NULL;
    vd_error error = {0};
    Onnx__ModelProto *m = tiny_detector();
    replace(metadata_of(m, "names"), "{}");
    ck_assert_msg(read_proto(m, NULL, &model, &error) == VD_OK, "%s", error.text);
    ck_assert(!model->has_names);
    ck_assert_str_eq(vd_labels_name(model->labels, 1), "class 1");
    ck_assert(has_note(model, "labels file"));
    vd_model_free(&model);
}
END_TEST

static void free_sides(Onnx__ModelProto *m)
{
    for (size_t i = 0; i < 4; i++)
        if (i != 1)
            m->graph->input[0]->type->tensor_type->shape->dim[i]->has_dim_value = false;
    m->graph->output[0]->type->tensor_type->shape->dim[2]->has_dim_value = false;
}

START_TEST(test_free_size)
{
    vd_model *model = NULL;
    vd_error error = {0};
    Onnx__ModelProto *m = tiny_detector();
    free_sides(m);
    build_metadata(m, "imgsz", "[32, 32]");
    ck_assert_msg(read_proto(m, NULL, &model, &error) == VD_OK, "%s", error.text);
    ck_assert_int_eq(model->input_height, 32);
    ck_assert(has_note(model, "free size"));
    vd_model_free(&model);

    /* without the metadata it is 640, which its constants for 20 cells do not fit */
    m = tiny_detector();
    free_sides(m);
    ck_assert_int_eq(read_proto(m, NULL, &model, &error), VD_EFORMAT);
    ck_assert_ptr_null(model);
}
END_TEST

typedef struct change {
    void (*apply)(Onnx__ModelProto *m);
    const char *words; /* in the refusal */
} change;

static void as_classifier(Onnx__ModelProto *m)
{
    replace(metadata_of(m, "task"), "classify");
}

static void with_other_names(Onnx__ModelProto *m)
{
    replace(metadata_of(m, "names"), "{0: 'person'}");
}

static void with_bad_names(Onnx__ModelProto *m)
{
    replace(metadata_of(m, "names"), "{0: person}");
}

static void with_half_weights(Onnx__ModelProto *m)
{
    m->graph->initializer[0]->data_type = VD_ONNX_FLOAT16;
}

static void with_grey_input(Onnx__ModelProto *m)
{
    m->graph->input[0]->type->tensor_type->shape->dim[1]->dim_value = 1;
}

static void with_other_side(Onnx__ModelProto *m)
{
    m->graph->input[0]->type->tensor_type->shape->dim[2]->dim_value = 2 * SIDE;
    m->graph->output[0]->type->tensor_type->shape->dim[2]->dim_value = 2 * ANCHORS;
}

static void with_broken_promise(Onnx__ModelProto *m)
{
    m->graph->output[0]->type->tensor_type->shape->dim[2]->dim_value = 99;
}

static void without_graph(Onnx__ModelProto *m)
{
    onnx__graph_proto__free_unpacked(m->graph, NULL);
    m->graph = NULL;
}

static void with_hostile_text(Onnx__ModelProto *m)
{
    replace(&m->graph->node[0]->op_type, "Evil\n\x1b[31m\xff");
}

static const change changes[] = {{as_classifier, "classifier"},
                                 {with_other_names, "not that of a known detector"},
                                 {with_bad_names, "class names"},
                                 {with_half_weights, "damaged"},
                                 {with_grey_input, "colour picture"},
                                 {with_other_side, "do not fit together"},
                                 {with_broken_promise, "damaged"},
                                 {without_graph, "no network"},
                                 {with_hostile_text, "Evil  [31m\xef\xbf\xbd"}};

START_TEST(test_refusals)
{
    vd_model *model = NULL;
    vd_error error = {0};
    Onnx__ModelProto *m = tiny_detector();
    changes[_i].apply(m);
    ck_assert_int_eq(read_proto(m, NULL, &model, &error), VD_EFORMAT);
    ck_assert_ptr_null(model);
    ck_assert_msg(strstr(error.text, changes[_i].words) != NULL, "%s", error.text);
    ck_assert_ptr_null(strchr(error.text, '\n'));
}
END_TEST

typedef struct sample {
    const char *bytes;
    size_t length;
    const char *words;
} sample;

#define SAMPLE(text, words)                                                                                  \
    {                                                                                                        \
        text, sizeof text - 1, words                                                                         \
    }

static const sample samples[] = {
    SAMPLE("", "empty"),
    SAMPLE("  \n \n", "blanks"),
    SAMPLE("hello, this is text\n", "text file"),
    SAMPLE("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
    SAMPLE("\n\n <!DOCTYPE html><html>", "web page"),
    SAMPLE("PK\x03\x04....yolov8n.onnx", "zip"),
    SAMPLE("PK\x03\x04....best/data.pkl", "PyTorch"),
    SAMPLE("\x80\x02\x8a\nl\xfc", "PyTorch"),
    SAMPLE("\x1c\0\0\0TFL3....", "TensorFlow Lite"),
    SAMPLE("\x89HDF\r\n\x1a\n", "Keras"),
    SAMPLE("\x1f\x8b\x08....", "gzip"),
    SAMPLE("\x89PNG\r\n\x1a\n....", "picture"),
    SAMPLE("\0\0\0\x20"
           "ftypisom....",
           "video"),
    SAMPLE("[net]\nbatch=1\n", "Darknet"),
    SAMPLE("\0\0\0\0\2\0\0\0\5\0\0\0\0\0\0\0", "Darknet"),
    SAMPLE("\xff\xfe\xfd\xfc\x01\x02\x03", "not an ONNX model"),
    SAMPLE("\x08\x08", "holds no network"),
};

START_TEST(test_other_files)
{
    vd_model *model = NULL;
    vd_error error = {0};
    const sample *s = &samples[_i];
    ck_assert_int_eq(read_bytes(s->bytes, s->length, NULL, &model, &error), VD_EFORMAT);
    ck_assert_msg(strstr(error.text, s->words) != NULL, "%s", error.text);
}
END_TEST

START_TEST(test_no_file)
{
    vd_model *model = NULL;
    vd_error error = {0};
    ck_assert_int_eq(vd_model_read("/nonexistent/model.onnx", NULL, &model, &error), VD_ENOTFOUND);
    ck_assert_int_eq(vd_model_read("/tmp", NULL, &model, &error), VD_EFORMAT);
    ck_assert_ptr_nonnull(strstr(error.text, "folder"));
    char folder[] = "/tmp/vedette-pipe-XXXXXX", path[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/model.onnx", folder);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(vd_model_read(path, NULL, &model, &error), VD_EFORMAT);
    ck_assert_ptr_nonnull(strstr(error.text, "pipe"));
    unlink(path);
    rmdir(folder);
}
END_TEST

/* The graph comes after other fields, so that a cut lies everywhere in turn; all cuts are refused. */
START_TEST(test_truncated)
{
    size_t length;
    uint8_t *bytes = packed(tiny_detector(), &length);
    for (int part = 0; part < 64; part++) {
        vd_model *model = NULL;
        vd_error error = {0};
        size_t cut = length * (size_t)part / 64;
        ck_assert_int_eq(read_bytes(bytes, cut, NULL, &model, &error), VD_EFORMAT);
        ck_assert_uint_gt(strlen(error.text), 10);
        if (part > 0)
            ck_assert_msg(strstr(error.text, "incomplete") != NULL, "%zu: %s", cut, error.text);
    }
    free(bytes);
}
END_TEST

/* Damage at places a fixed generator picks: read or refused, never a crash. */
START_TEST(test_damaged)
{
    size_t length;
    uint8_t *bytes = packed(tiny_detector(), &length), *copy = malloc(length);
    uint64_t state = 12345 + (uint64_t)_i;
    int refused = 0;
    for (int round = 0; round < 150; round++) {
        memcpy(copy, bytes, length);
        for (int hit = 0; hit < 3; hit++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            /* most of a file is weights: aim at the structure, which lies before and after them */
            size_t at = (size_t)(state >> 33) % 2000;
            copy[at < 1000 ? at : length - 1 - (at - 1000)] = (uint8_t)(state >> 24);
        }
        vd_model *model = NULL;
        vd_error error = {0};
        refused += read_bytes(copy, length, NULL, &model, &error) != VD_OK;
        vd_model_free(&model);
    }
    ck_assert_int_gt(refused, 10);
    free(bytes);
    free(copy);
}
END_TEST

/* A million messages of two bytes each would take a hundred times the file. */
START_TEST(test_memory_is_bounded)
{
    enum { COUNT = 8 << 20 };
    size_t length = 2 + 6 + 2 * (size_t)COUNT, at = 0;
    uint8_t *bytes = malloc(length);
    bytes[at++] = 0x08;
    bytes[at++] = 0x08;
    bytes[at++] = 0x3a;
    uint64_t size = 2 * (uint64_t)COUNT;
    for (int i = 0; i < 5; i++, size >>= 7)
        bytes[at++] = (uint8_t)((size & 0x7f) | (i < 4 ? 0x80 : 0));
    for (int i = 0; i < COUNT; i++) {
        bytes[at++] = 0x0a;
        bytes[at++] = 0x00;
    }
    vd_error error = {0};
    Onnx__ModelProto *model = NULL;
    ck_assert_int_eq(vd_onnx_parse(bytes, at, "", &model, &error), VD_EFORMAT);
    ck_assert_ptr_null(model);
    free(bytes);
}
END_TEST

/* The path of a file in the shared folder, or NULL when it is not there: then the test is left out. */
static const char *shared_file(const char *name)
{
    static char path[512];
    const char *folder = getenv("VEDETTE_SHARED"), *required = getenv("VEDETTE_REQUIRE_SHARED");
    snprintf(path, sizeof path, "%s/%s", folder ? folder : "../shared", name);
    if (access(path, R_OK) == 0)
        return path;
    ck_assert_msg(!required || strcmp(required, "1") != 0, "%s is missing", path);
    printf("waits for shared: %s\n", name);
    return NULL;
}

START_TEST(test_shared_yolov8n)
{
    vd_model *model = NULL;
    vd_error error = {0};
    const char *path = shared_file("models/yolov8n-320.onnx");
    if (!path)
        return;
    ck_assert_msg(vd_model_read(path, NULL, &model, &error) == VD_OK, "%s", error.text);
    ck_assert_str_eq(model->name, "yolov8n-320");
    ck_assert_str_eq(model->digest, "a6d96a05ee1c0885e60e33f2867b67ed1012a28628749eb69e3cc7d290556213");
    ck_assert_int_eq(model->classes, 80);
    ck_assert_int_eq(model->anchors, 2100);
    ck_assert_int_eq(model->input_width, 320);
    ck_assert_int_eq(model->input_height, 320);
    ck_assert_str_eq(vd_labels_name(model->labels, 0), "person");
    ck_assert_str_eq(vd_labels_name(model->labels, 79), "toothbrush");
    ck_assert(has_note(model, "strides 8, 16, 32"));
    vd_model_free(&model);

    const vd_model_options wider = {.input_width = 640}; /* the other side stays the file's own */
    ck_assert_msg(vd_model_read(path, &wider, &model, &error) == VD_OK, "%s", error.text);
    ck_assert_int_eq(model->input_width, 640);
    ck_assert_int_eq(model->input_height, 320);
    ck_assert_int_eq(model->anchors, 4200);
    vd_model_free(&model);
}
END_TEST

typedef struct refused_file {
    const char *name;
    const char *words;
} refused_file;

static const refused_file refused_files[] = {
    {"graphs/v8-cls.onnx", "classifier"},
    {"families/refused/classifier_gray28_11.onnx", "classifier"},
    {"families/refused/segmentation_unet_gray224.onnx", "picture out of a picture"},
    {"families/refused/superres_espcn_224.onnx", "picture out of a picture"},
    {"families/refused/truncated_60percent.onnx", "incomplete"},
    {"families/refused/text.onnx", "text file"},
    {"families/refused/empty.onnx", "empty"},
    {"families/refused/zip.onnx", "zip"},
    {"families/refused/pytorch_checkpoint_cut.onnx", "PyTorch"},
    {"families/refused/tflite.onnx", "TensorFlow Lite"},
    {"families/refused/html_page.onnx", "web page"},
    {"families/refused/git_lfs_pointer.onnx", "Git LFS"},
    {"families/refused/superres_caffe.caffemodel", ""},
    {"families/refused/truncated_darknet.weights", ""},
    {"families/refused/mismatched_80class.weights", ""},
    {"families/refused/mangled_utf8.weights", ""},
};

START_TEST(test_shared_refused)
{
    vd_model *model = NULL;
    vd_error error = {0};
    char name[128];
    snprintf(name, sizeof name, "models/%s", refused_files[_i].name);
    const char *path = shared_file(name);
    if (!path)
        return;
    int64_t start_ns = vd_clock_now_ns();
    ck_assert_int_eq(vd_model_read(path, NULL, &model, &error), VD_EFORMAT);
    ck_assert_int_lt(vd_clock_now_ns() - start_ns, 2 * VD_NS_PER_S);
    ck_assert_msg(strstr(error.text, refused_files[_i].words) != NULL, "%s: %s", name, error.text);
    ck_assert_ptr_null(strchr(error.text, '\n'));
}
END_TEST

/* Every file of the folder, whatever joins it later. */
START_TEST(test_shared_refused_folder)
{
    char path[1024], folder[512];
    const char *found = shared_file("models/families/refused");
    if (!found)
        return;
    snprintf(folder, sizeof folder, "%s", found);
    DIR *list = opendir(folder);
    ck_assert_ptr_nonnull(list);
    for (struct dirent *entry = readdir(list); entry; entry = readdir(list)) {
        vd_model *model = NULL;
        vd_error error = {0};
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        ck_assert_msg(vd_model_read(path, NULL, &model, &error) == VD_EFORMAT, "%s", path);
    }
    closedir(list);
}
END_TEST

START_TEST(test_shared_truncated)
{
    vd_error error = {0};
    const char *path = shared_file("models/graphs/v8.onnx");
    if (!path)
        return;
    uint8_t *bytes;
    size_t length;
    ck_assert_int_eq(vd_onnx_load(path, "", VD_ONNX_MAX_BYTES, &bytes, &length, &error), VD_OK);
    for (size_t part = 1; part < 64; part++) {
        vd_model *model = NULL;
        ck_assert_int_eq(read_bytes(bytes, length * part / 64, NULL, &model, &error), VD_EFORMAT);
        ck_assert_msg(strstr(error.text, "incomplete") != NULL, "%zu: %s", part, error.text);
    }
    free(bytes);
}
END_TEST

#define COUNT_OF(list) ((int)(sizeof(list) / sizeof *(list)))

static Suite *suite(void)
{
    Suite *s = suite_create("model");
    TCase *t = tcase_create("model");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_reads_a_detector);
    tcase_add_test(t, test_labels);
    tcase_add_test(t, test_without_names);
    tcase_add_test(t, test_free_size);
    tcase_add_loop_test(t, test_refusals, 0, COUNT_OF(changes));
    tcase_add_loop_test(t, test_other_files, 0, COUNT_OF(samples));
    tcase_add_test(t, test_no_file);
    tcase_add_test(t, test_truncated);
    tcase_add_loop_test(t, test_damaged, 0, 4);
    tcase_add_test(t, test_memory_is_bounded);
    suite_add_tcase(s, t);
    t = tcase_create("shared");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_shared_yolov8n);
    tcase_add_loop_test(t, test_shared_refused, 0, COUNT_OF(refused_files));
    tcase_add_test(t, test_shared_refused_folder);
    tcase_add_test(t, test_shared_truncated);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
