#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "check_main.h"
#include "engine/engine.h"
#include "model/pair.h"
#include "model/pair_text.h"

enum { CLASSES = 3, HEAD = 2 * (5 + CLASSES) };

/* --- Files in a folder of their own */
static char folder[64];

static void make_folder(void)
{
    strcpy(folder, "/tmp/vedette-pair-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static const char *in_folder(const char *name)
{
    static char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void drop_folder(void)
{
    static const char *const names[] = {"a.cfg", "a.weights", "a.prototxt", "a.caffemodel",
                                        "a.pb",  "a.pbtxt",   "a.CFG",      "names"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(in_folder(names[i]));
    ck_assert_int_eq(rmdir(folder), 0);
}

static void put(const char *name, const void *bytes, size_t length)
{
    FILE *file = fopen(in_folder(name), "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    ck_assert_int_eq(fclose(file), 0);
}

static void put_words(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

static vd_model model;
static vd_error error;

static void forget(void)
{
    vd_labels_unref(&model.labels);
    free(model.network);
    free(model.config);
    memset(&model, 0, sizeof model);
    memset(&error, 0, sizeof error);
}

static int read_with(const char *name, const vd_model_options *options)
{
    forget();
    int code = vd_pair_read(in_folder(name), options, &model, &error);
    ck_assert_int_eq(strchr(error.text, '\n') != NULL, 0);
    return code;
}

#define READ(name) ck_assert_msg(read_with(name, NULL) == VD_OK, "%s", error.text)
#define REFUSES(name, words)                                                                                 \
    do {                                                                                                     \
        ck_assert_int_eq(read_with(name, NULL), VD_EFORMAT);                                                 \
        ck_assert_msg(strstr(error.text, words) != NULL, "%s", error.text);                                  \
    } while (0)

static bool has_note(const char *words)
{
    for (int i = 0; i < model.note_count; i++)
        if (strstr(model.notes[i], words))
            return true;
    return false;
}

/* One pass in OpenCV, so that output names, extents and the text that was written are seen to be right. */
static void run_in_opencv(void)
{
    vd_net *net = NULL;
    float *tensor;
    const float *data[VD_MODEL_OUTPUTS];
    ck_assert_msg(vd_net_new(&model, NULL, &net, &error) == VD_OK, "%s", error.text);
    ck_assert_int_eq(vd_net_input(net, &tensor, &error), VD_OK);
    ck_assert_msg(vd_net_forward(net, data, &error) == VD_OK, "%s", error.text);
    vd_net_free(&net);
}

/* --- Darknet */
#define CONV(filters, size, stride, more)                                                                    \
    "[convolutional]\n" more "filters=" #filters "\nsize=" #size "\nstride=" #stride                         \
    "\npad=1\nactivation=leaky\n"
#define YOLO "[yolo]\nmask = 0,1\nanchors = 4,4, 8,8, 16,16\nclasses=3\nnum=3\n"
static const char cfg[] = "[net]\n# a comment\nwidth = 64\nheight=32\nchannels=3\n\n" /* */
    CONV(8, 3, 2, "batch_normalize=1\n")                                              /* 0: 16 × 32 */
    "[route]\nlayers=-1\ngroups=2\ngroup_id=1\n"                                      /* 1: 4 channels */
    CONV(4, 3, 1, "groups=2\n")                                                       /* 2 */
    "[route]\nlayers = -1, 0\n"                                                       /* 3: 12 channels */
    "[maxpool]\nsize=2\nstride=2\n"                                                   /* 4: 8 × 16 */
    CONV(12, 3, 1, "batch_normalize=1\n")                                             /* 5 */
    "[shortcut]\nfrom=-2\nactivation=linear\n"                                        /* 6 */
    "[dropout]\nprobability=.1\n"                                                     /* 7 */
    CONV(16, 1, 4, "")                                                                /* 8: 2 × 4 */
    YOLO                                                                              /* 9 */
    "[route]\nlayers=-2\n"                                                            /* 10 */
    "[upsample]\nstride=2\n"                                                          /* 11: 4 × 8 */
    CONV(16, 1, 1, "") YOLO;                                                          /* 12, 13 */

enum {
    CONV0 = 8 * (4 + 27),
    CONV2 = 4 * (1 + 9 * 2),
    CONV5 = 12 * (4 + 9 * 12),
    CONV8 = 16 * (1 + 12),
    CONV12 = 16 * (1 + 16),
    HEADER = 20,
    WEIGHT_BYTES = HEADER + 4 * (CONV0 + CONV2 + CONV5 + CONV8 + CONV12),
    CLASS_BYTES = 4 * 2 * (1 + 12 + 1 + 16)
};

static void put_weights(size_t length, int minor)
{
    static uint8_t bytes[WEIGHT_BYTES + 4096];
    memset(bytes, 0, sizeof bytes);
    bytes[4] = (uint8_t)minor;
    for (size_t i = HEADER; i + 4 <= length; i += 4)
        memcpy(bytes + i, &(float){0.01f}, 4);
    put("a.weights", bytes, length);
}

static void put_darknet(void)
{
    put_words("a.cfg", cfg);
    put_weights(WEIGHT_BYTES, 2);
}

/* The cfg with `with` in place of `what`. */
static void put_changed(const char *what, const char *with)
{
    char text[sizeof cfg + 256];
    const char *at = strstr(cfg, what);
    ck_assert_ptr_nonnull(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - cfg), cfg, with, at + strlen(what));
    put_words("a.cfg", text);
}

START_TEST(test_formats)
{
    ck_assert_int_eq(vd_pair_format("/x/yolo.cfg"), VD_FORMAT_DARKNET);
    ck_assert_int_eq(vd_pair_format("YOLO.WEIGHTS"), VD_FORMAT_DARKNET);
    ck_assert_int_eq(vd_pair_format("a.b.prototxt"), VD_FORMAT_CAFFE);
    ck_assert_int_eq(vd_pair_format("a.caffemodel"), VD_FORMAT_CAFFE);
    ck_assert_int_eq(vd_pair_format("a.pb"), VD_FORMAT_TENSORFLOW);
    ck_assert_int_eq(vd_pair_format("a.pbtxt"), VD_FORMAT_TENSORFLOW);
    ck_assert_int_eq(vd_pair_format("a.onnx"), 0);
    ck_assert_int_eq(vd_pair_format("a.cfg/model"), 0);
    ck_assert_int_eq(vd_pair_format(""), 0);
}
END_TEST

START_TEST(test_reads_darknet)
{
    put_darknet();
    READ("a.weights");
    ck_assert_int_eq(model.format, VD_FORMAT_DARKNET);
    ck_assert_int_eq(model.family, VD_FAMILY_DARKNET);
    ck_assert_str_eq(model.name, "a");
    ck_assert_uint_eq(strlen(model.digest), 64);
    ck_assert_int_eq(model.input_width, 64);
    ck_assert_int_eq(model.input_height, 32);
    ck_assert_int_eq(model.feed.fit, VD_FIT_STRETCH);
    ck_assert_int_eq(model.feed.channels, VD_CHANNELS_RGB);
    ck_assert_float_eq_tol(model.feed.scale[2], 1 / 255.f, 1e-7f);
    ck_assert_int_eq(model.classes, CLASSES);
    ck_assert_int_eq(model.output_count, 2);
    ck_assert_str_eq(model.outputs[0].name, "yolo_9");
    ck_assert_int_eq(model.outputs[0].extents[0], 2 * 4 * 2);
    ck_assert_int_eq(model.outputs[0].extents[1], 5 + CLASSES);
    ck_assert_str_eq(model.outputs[1].name, "yolo_13");
    ck_assert_int_eq(model.outputs[1].extents[0], 4 * 8 * 2);
    ck_assert_int_eq(model.anchors, 16 + 64);
    ck_assert(!model.suppressed && !model.has_names);
    ck_assert_str_eq(vd_labels_name(model.labels, 2), "class 2");
    ck_assert_uint_eq(model.network_bytes, WEIGHT_BYTES);
    ck_assert_uint_eq(model.config_bytes, sizeof cfg - 1);
    run_in_opencv();

    char digest[65];
    strcpy(digest, model.digest);
    READ("a.cfg");
    ck_assert_str_eq(model.digest, digest);
}
END_TEST

START_TEST(test_darknet_labels)
{
    put_darknet();
    put_words("names", "one\ntwo\nthree\n");
    char labels[160];
    strcpy(labels, in_folder("names"));
    const vd_model_options options = {.labels = labels};
    ck_assert_int_eq(read_with("a.cfg", &options), VD_OK);
    ck_assert(model.has_names);
    ck_assert_str_eq(vd_labels_name(model.labels, 1), "two");
    put_words("names", "one\ntwo\n");
    ck_assert_int_eq(read_with("a.cfg", &options), VD_EFORMAT);
    ck_assert_str_eq(error.text, "The file names 2 classes, and the model has 3.");
}
END_TEST

START_TEST(test_darknet_size_by_choice)
{
    put_darknet();
    vd_model_options options = {.input_width = 128, .input_height = 96};
    ck_assert_msg(read_with("a.cfg", &options) == VD_OK, "%s", error.text);
    ck_assert_int_eq(model.input_width, 128);
    ck_assert_int_eq(model.input_height, 96);
    ck_assert_int_eq(model.outputs[0].extents[0], 8 * 6 * 2);
    ck_assert_ptr_nonnull(memmem(model.config, model.config_bytes, "width = 128\nheight=96\n", 22));
    ck_assert(has_note("by choice"));
    run_in_opencv();

    options = (vd_model_options){.input_width = 100, .input_height = 96};
    ck_assert_int_eq(read_with("a.cfg", &options), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "multiples of 16"));
    options = (vd_model_options){.input_width = 8192};
    ck_assert_int_eq(read_with("a.cfg", &options), VD_EINVAL);
    options = (vd_model_options){.input_width = -64};
    ck_assert_int_eq(read_with("a.cfg", &options), VD_EINVAL);
    options = (vd_model_options){.batch = 4};
    ck_assert_int_eq(read_with("a.cfg", &options), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "one picture a pass"));
}
END_TEST

START_TEST(test_darknet_weights)
{
    put_darknet();
    put_weights(WEIGHT_BYTES - 4, 1); /* version 0.1 has four bytes less before the numbers */
    READ("a.cfg");
    put_weights(WEIGHT_BYTES - 1, 2);
    REFUSES("a.cfg", "cut off");
    put_weights(WEIGHT_BYTES + 1, 2);
    REFUSES("a.cfg", "do not belong together");
    put_weights(WEIGHT_BYTES - 2 * CLASS_BYTES, 2);
    REFUSES("a.cfg", "of a network with 1 class and the cfg is of one with 3");
    put_weights(WEIGHT_BYTES + 5 * CLASS_BYTES, 2);
    REFUSES("a.cfg", "of a network with 8 classes");
    put_weights(12, 2);
    REFUSES("a.cfg", "no Darknet weights");
    put_words("a.weights", "<html><head><title>404</title></head></html>");
    REFUSES("a.cfg", "web page");
    put_words("a.weights", "");
    REFUSES("a.cfg", "empty");

    uint8_t mangled[WEIGHT_BYTES] = {[4] = 2};
    for (size_t i = HEADER; i + 3 <= sizeof mangled; i += 3)
        memcpy(mangled + i, "\xef\xbf\xbd", 3);
    put("a.weights", mangled, sizeof mangled);
    REFUSES("a.cfg", "UTF-8");
}
END_TEST

static const struct change {
    const char *what, *with, *words;
} changes[] = {
    {"[net]", "[convolutional]", "no Darknet configuration"},
    {"width = 64", "", "width and height"},
    {"width = 64", "width = 640000", "1 to 4096 for `width`"},
    {"width = 64", "width = nonsense", "for `width`"},
    {"channels=3", "channels=7", "neither in colour"},
    {"filters=8", "filters=0", "for `filters`"},
    {"filters=8", "filters=999999999999999999999", "for `filters`"},
    {"groups=2\nfilters", "groups=3\nfilters", "groups that do not divide"},
    {"[dropout]", "[gru]", "is of a kind"},
    {"layers = -1, 0", "layers = -1, 17", "does not come before"},
    {"layers = -1, 0", "layers = -1, -17", "does not come before"},
    {"layers = -1, 0", "", "which sections"},
    {"from=-2", "from=-200", "does not come before"},
    {"classes=3", "classes=80", "needs 170 channels, and the section before gives 16"},
    {"mask = 0,1", "mask = 0,3", "an anchor that it does not have"},
    {"mask = 0,1", "", "anchors"},
    {"anchors = 4,4, 8,8, 16,16", "anchors = 4,4", "anchors"},
    {"[upsample]\nstride=2", "[upsample]\nstride=9999", "for `stride`"},
};

START_TEST(test_darknet_cfg_refused)
{
    put_darknet();
    put_changed(changes[_i].what, changes[_i].with);
    REFUSES("a.cfg", changes[_i].words);
}
END_TEST

START_TEST(test_darknet_without_heads)
{
    put_words("a.cfg", "[net]\nwidth=32\nheight=32\n" CONV(4, 3, 1, ""));
    put_weights(100, 2);
    REFUSES("a.cfg", "no boxes");
    put("a.cfg", "[net]\0width", 11);
    REFUSES("a.cfg", "no text");
}
END_TEST

START_TEST(test_darknet_region)
{
    const char text[] =
        "[net]\nwidth=32\nheight=32\nchannels=1\nletter_box=1\n" CONV(4, 3, 4, "") "[reorg]\nstride=2\n" CONV(
            16, 1, 1, "") "[region]\nanchors = 1,1, 2,2\nclasses=3\ncoords=4\nnum=2\nsoftmax=1\n";
    put_words("a.cfg", text);
    put_weights(HEADER + 4 * (4 * (1 + 9) + 16 * (1 + 16)), 2);
    READ("a.cfg");
    ck_assert_str_eq(model.outputs[0].name, "detection_out");
    ck_assert_int_eq(model.outputs[0].extents[0], 4 * 4 * 2);
    ck_assert_int_eq(model.feed.channels, VD_CHANNELS_GREY);
    ck_assert_int_eq(model.feed.fit, VD_FIT_CENTRE);
    run_in_opencv();
}
END_TEST

/* Whatever a text is cut to or loses: an answer, and no more (sanitizers watch). */
START_TEST(test_darknet_hostile)
{
    char text[sizeof cfg];
    uint32_t random = 1;
    put_darknet();
    for (size_t length = 1; length < sizeof cfg; length += 7) {
        put("a.cfg", cfg, length);
        int code = read_with("a.cfg", NULL);
        ck_assert(code == VD_OK || (code == VD_EFORMAT && error.text[0]));
    }
    for (int round = 0; round < 400; round++) {
        memcpy(text, cfg, sizeof text);
        for (int i = 0; i < 4; i++) {
            random = random * 1664525 + 1013904223;
            text[(random >> 8) % (sizeof cfg - 1)] = "0123456789-,=[]\n#x"[(random >> 3) % 18];
        }
        put("a.cfg", text, sizeof cfg - 1);
        int code = read_with("a.cfg", NULL);
        ck_assert(code == VD_OK || (code == VD_EFORMAT && error.text[0]));
    }
}
END_TEST

START_TEST(test_partner)
{
    put_words("a.cfg", cfg);
    ck_assert_int_eq(read_with("a.cfg", NULL), VD_ENOTFOUND);
    ck_assert_str_eq(
        error.text,
        "Darknet models have two files, and the second is missing: put a.weights beside this one.");
    ck_assert_int_eq(read_with("a.weights", NULL), VD_ENOTFOUND);
    ck_assert_str_eq(error.text, "There is no such file.");
    put_weights(WEIGHT_BYTES, 2);
    unlink(in_folder("a.cfg"));
    put_words("a.CFG", cfg);
    READ("a.weights");
    READ("a.CFG");
}
END_TEST

/* --- Protobuf, as far as weights need it */
struct bytes {
    uint8_t data[2048];
    size_t size;
};

static void put_varint(struct bytes *out, uint64_t value)
{
    for (; value > 127; value >>= 7)
        out->data[out->size++] = (uint8_t)(value | 128);
    out->data[out->size++] = (uint8_t)value;
}

static void put_block(struct bytes *out, uint64_t field, const void *data, size_t size)
{
    put_varint(out, field << 3 | 2);
    put_varint(out, size);
    memcpy(out->data + out->size, data, size);
    out->size += size;
}

/* A layer of a .caffemodel with one blob. */
static void put_caffe_layer(struct bytes *out, const char *name)
{
    struct bytes layer = {0};
    put_block(&layer, 1, name, strlen(name));
    put_block(&layer, 7, "\x2d\x00\x00\x00\x00", 5);
    put_block(out, 100, layer.data, layer.size);
}

#define INPUT(channels)                                                                                      \
    "layer { name: \"data\" type: \"Input\" top: \"data\" input_param { shape { dim: 1 dim: " #channels      \
    " dim: 240\ndim: 320 } } }\n"
#define CONVOLUTION                                                                                          \
    "layer { name: 'c1' type: 'Convolution' bottom: 'data' top: 'c1' convolution_param { %s } }\n"
#define DETECTION                                                                                            \
    "layer {\n  name: \"out/boxes\"  # here they are\n  type: \"DetectionOutput\"\n"                         \
    "  detection_output_param { num_classes: 21 keep_top_k: 150 background_label_id: %d } }\n"

static void put_caffe(const char *input, const char *more, const char *convolution, int background)
{
    char text[4096];
    struct bytes weights = {0};
    snprintf(text, sizeof text, "name: \"net\"\n%s\n%s" CONVOLUTION DETECTION, input, more, convolution,
             background);
    put_words("a.prototxt", text);
    put_caffe_layer(&weights, "other");
    put_caffe_layer(&weights, "c1");
    put("a.caffemodel", weights.data, weights.size);
}

static void check_feed(vd_model_channels channels, float mean0, float mean1, float scale)
{
    ck_assert_int_eq(model.feed.channels, channels);
    ck_assert_int_eq(model.feed.fit, VD_FIT_STRETCH);
    ck_assert_float_eq_tol(model.feed.mean[0], mean0, 1e-4f);
    ck_assert_float_eq_tol(model.feed.mean[1], mean1, 1e-4f);
    ck_assert_float_eq_tol(model.feed.scale[2], scale, 1e-6f);
}

START_TEST(test_reads_caffe)
{
    put_caffe(INPUT(1), "", "num_output: 8", 0);
    READ("a.prototxt");
    ck_assert_int_eq(model.format, VD_FORMAT_CAFFE);
    ck_assert_int_eq(model.family, VD_FAMILY_SSD);
    ck_assert_str_eq(model.input_name, "data");
    ck_assert_int_eq(model.input_width, 320);
    ck_assert_int_eq(model.input_height, 240);
    ck_assert_int_eq(model.classes, 20);
    ck_assert_str_eq(model.outputs[0].name, "out/boxes");
    ck_assert_int_eq(model.outputs[0].rank, 4);
    ck_assert_int_eq(model.outputs[0].extents[2], 150);
    ck_assert_int_eq(model.outputs[0].extents[3], 7);
    ck_assert(model.suppressed);
    check_feed(VD_CHANNELS_GREY, 0, 0, 1 / 255.f);
    ck_assert(has_note("grey"));

    const vd_model_options options = {.input_width = 416, .input_height = 96};
    ck_assert_int_eq(read_with("a.caffemodel", &options), VD_OK);
    ck_assert_ptr_nonnull(memmem(model.config, model.config_bytes, "dim: 96\ndim: 416", 16));
}
END_TEST

START_TEST(test_caffe_feeds)
{
    put_caffe(INPUT(3), "layer { name: 'bn' type: 'BatchNorm' bottom: 'data' top: 'data' }", "group: 1", 0);
    READ("a.prototxt");
    check_feed(VD_CHANNELS_BGR, 104, 177, 1);
    put_caffe(INPUT(3), "layer { name: 'n' type: 'Normalize' bottom: 'c1' }", "group: 1", 0);
    READ("a.prototxt");
    check_feed(VD_CHANNELS_BGR, 104, 117, 1);
    put_caffe(INPUT(3), "", "num_output: 32 group: 32", 0);
    READ("a.prototxt");
    check_feed(VD_CHANNELS_BGR, 127.5f, 127.5f, 1 / 127.5f);
    put_caffe("input: 'data' input_dim: 1 input_dim: 3 input_dim: 240 input_dim: 320", "", "group: 1", 0);
    READ("a.prototxt");
    ck_assert_int_eq(model.input_width, 320);
    check_feed(VD_CHANNELS_BGR, 104, 117, 1);
    ck_assert(has_note("no sign"));
    put_caffe("input: 'data' input_shape { dim: [1, 3, 240, 320] }",
              "layer { transform_param { mean_value: 10 mean_value: 20 mean_value: 30 scale: 0.5 } }",
              "group: 1", 0);
    READ("a.prototxt");
    check_feed(VD_CHANNELS_BGR, 10, 20, 0.5f);
    ck_assert(has_note("the data layer says it"));
}
END_TEST

START_TEST(test_caffe_refused)
{
    put_caffe(INPUT(3), "", "group: 1", 1);
    REFUSES("a.prototxt", "class 1 for the background");
    put_caffe(INPUT(4), "", "group: 1", 0);
    REFUSES("a.prototxt", "4 channels");

    put_caffe(INPUT(3), "layer { name: 'first' type: 'DetectionOutput' }", "group: 1", 0);
    REFUSES("a.prototxt", "2 DetectionOutput layers");
    put_caffe(INPUT(3), "layer { name: 'c2' type: 'Convolution' }", "group: 1", 0);
    REFUSES("a.prototxt", "Of 2 layers that need weights 1 have none here");
    put_caffe("", "", "group: 1", 0);
    REFUSES("a.prototxt", "0 channels");
    put_words("a.prototxt", INPUT(3) "layer { name: 'p' type: 'Softmax' }");
    REFUSES("a.prototxt", "a classifier");
    put_words("a.prototxt", INPUT(3) "layer { name: 'p' type: 'Deconvolution' }");
    REFUSES("a.prototxt", "a picture comes out");
    put_words("a.prototxt", "layer {\n  name: \"x\n}\n");
    REFUSES("a.prototxt", "line 2 cannot be read");
    put_words("a.prototxt", "name: 'nothing'");
    REFUSES("a.prototxt", "no layers");
    put_caffe(INPUT(3), "", "group: 1", 0);
    ck_assert_int_eq(truncate(in_folder("a.caffemodel"), 20), 0);
    REFUSES("a.prototxt", "cut off");
    put_words("a.caffemodel", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n");
    REFUSES("a.prototxt", "Git LFS");
}
END_TEST

/* --- TensorFlow */
#define PLACEHOLDER(name, more) "node { name: \"" name "\" op: \"Placeholder\" " more " }\n"
#define SHAPE                                                                                                \
    "attr { key: \"shape\" value { shape { dim { size: -1 } dim { size: 240 } dim { size: 320 } dim { "      \
    "size: 3 "                                                                                               \
    "} } } }"
#define PRIORS(step) "node { name: \"p\" op: \"PriorBox\" attr { key: \"step\" value { f: " #step " } } }\n"
#define BOXES                                                                                                \
    "node { name: \"detection_out\" op: \"DetectionOutput\" input: \"a\"\n"                                  \
    "attr { key: \"num_classes\" value { i: 91 } } attr { key: \"keep_top_k\" value { i: 100 } }\n"          \
    "attr { key: \"background_label_id\" value { i: 0 } } }\nlibrary {\n}\n"
#define CONV2D "node { name: \"c\" op: \"Conv2D\" input: \"data\" input: \"c/weights\" }\n"

static void put_tensorflow(const char *text)
{
    struct bytes node = {0}, graph = {0};
    put_words("a.pbtxt", text);
    put_block(&node, 1, "c/weights", 9);
    put_block(&node, 2, "Const", 5);
    put_block(&graph, 1, node.data, node.size);
    put("a.pb", graph.data, graph.size);
}

START_TEST(test_reads_tensorflow)
{
    put_tensorflow(PLACEHOLDER("image_tensor", SHAPE) CONV2D BOXES);
    READ("a.pb");
    ck_assert_int_eq(model.format, VD_FORMAT_TENSORFLOW);
    ck_assert_int_eq(model.input_width, 320);
    ck_assert_int_eq(model.input_height, 240);
    ck_assert_int_eq(model.classes, 90);
    ck_assert_str_eq(model.outputs[0].name, "detection_out");
    ck_assert_int_eq(model.outputs[0].extents[2], 100);
    check_feed(VD_CHANNELS_RGB, 0, 0, 1);
    put_tensorflow(
        PLACEHOLDER("data", "") "node { name: 'b' op: 'FusedBatchNorm' input: 'data:0' }" CONV2D PRIORS(8.0)
            PRIORS(300.0) PRIORS(100.0) BOXES);
    READ("a.pbtxt");
    ck_assert_int_eq(model.input_width, 300);
    ck_assert_int_eq(model.input_height, 300);
    ck_assert(has_note("coarsest prior boxes"));
    check_feed(VD_CHANNELS_BGR, 104, 177, 1);
}
END_TEST

START_TEST(test_tensorflow_refused)
{
    put_tensorflow(PLACEHOLDER("data", "") CONV2D BOXES);
    REFUSES("a.pb", "does not say the size");
    const vd_model_options options = {.input_width = 304, .input_height = 200};
    ck_assert_msg(read_with("a.pb", &options) == VD_OK, "%s", error.text);
    ck_assert_int_eq(model.input_height, 200);
    put_tensorflow(
        PLACEHOLDER("data", SHAPE) "node { name: 'c' op: 'Conv2D' input: 'data' input: 'w' }" BOXES);
    REFUSES("a.pb", "do not belong together");
    put_tensorflow(PLACEHOLDER("data", SHAPE) CONV2D);
    REFUSES("a.pb", "no boxes come out");
    put_tensorflow("");
    REFUSES("a.pb", "empty");
    put_tensorflow("node { node { node {");
    REFUSES("a.pb", "cannot be read");
    ck_assert_int_eq(unlink(in_folder("a.pbtxt")), 0);
    ck_assert_int_eq(read_with("a.pb", NULL), VD_ENOTFOUND);
    ck_assert_ptr_nonnull(strstr(error.text, "a.pbtxt"));
}
END_TEST

/* --- The text form */
static bool write_down(void *context, const vd_text_field *field)
{
    char *out = context;
    size_t used = strlen(out);
    snprintf(out + used, 512 - used, "%s=%s;", field->path, field->value ? field->value : "{");
    return strcmp(field->path, "end") != 0;
}

START_TEST(test_text)
{
    static const struct {
        const char *text, *found;
        int line;
    } cases[] = {
        {"", "", 0},
        {"a: 1 b { c: 'x' d { e: \"y\\\"z\" } } f: -2e-3", "a=1;b={;b/c=x;b/d={;b/d/e=y\"z;f=-2e-3;", 0},
        {"a: [1, 2,3] # b: 4\n;c: { }", "a=1;a=2;a=3;c={;", 0},
        {"\xef\xbb\xbf"
         "a: true",
         "a=true;", 0},
        {"end: 1 }}}", "end=1;", 0},
        {"a: 1\nb\n", "a=1;", 3},
        {"a {\n", "a={;", 2},
        {"}", "", 1},
        {"a: 'x", "", 1},
        {"a: [1", "a=1;", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char found[512] = "";
        int line = vd_text_walk(cases[i].text, strlen(cases[i].text), write_down, found);
        ck_assert_str_eq(found, cases[i].found);
        ck_assert_int_eq(line, cases[i].line);
    }
}
END_TEST

START_TEST(test_text_is_bounded)
{
    static char text[8192];
    char found[512] = "";
    for (size_t i = 0; i + 3 < sizeof text; i += 2)
        memcpy(text + i, "a{", 2);
    ck_assert_int_eq(vd_text_walk(text, strlen(text), write_down, found), 1);
    memset(text, 'a', sizeof text - 1);
    ck_assert_int_eq(vd_text_walk(text, strlen(text), write_down, found), 1);
}
END_TEST

/* --- Real files */
static const char *shared(const char *name)
{
    static char path[512];
    const char *given = getenv("VEDETTE_SHARED"), *required = getenv("VEDETTE_REQUIRE_SHARED");
    snprintf(path, sizeof path, "%s/models/families/%s", given ? given : "../shared", name);
    if (access(path, R_OK) == 0)
        return path;
    ck_assert_msg(!required || strcmp(required, "1") != 0, "%s is missing", path);
    printf("waits for shared: %s\n", name);
    return NULL;
}

static const struct good {
    const char *name;
    vd_model_format format;
    int classes, side;
    const char *output, *label;
} good[] = {
    {"yolo-fastest-1.1_coco80.weights", VD_FORMAT_DARKNET, 80, 320, "yolo_121", "class 0"},
    {"yolo-fastest-1.1_body1.cfg", VD_FORMAT_DARKNET, 1, 320, "yolo_121", "class 0"},
    {"ssd_qrcode_384_gray.caffemodel", VD_FORMAT_CAFFE, 1, 384, "detection_output", "class 0"},
    {"ssd-resnet10_face_300_tf.pb", VD_FORMAT_TENSORFLOW, 1, 300, "detection_out", "face"},
};

START_TEST(test_shared_good)
{
    const char *path = shared(good[_i].name);
    if (!path)
        return;
    ck_assert_msg(vd_pair_read(path, NULL, &model, &error) == VD_OK, "%s", error.text);
    ck_assert_int_eq(model.format, good[_i].format);
    ck_assert_int_eq(model.classes, good[_i].classes);
    ck_assert_int_eq(model.input_width, good[_i].side);
    ck_assert_str_eq(model.outputs[0].name, good[_i].output);
    ck_assert_str_eq(vd_labels_name(model.labels, 0), good[_i].label);
    run_in_opencv();
}
END_TEST

static const struct bad {
    const char *name, *words;
} bad[] = {
    {"refused/superres_caffe.prototxt", "a picture comes out"},
    {"refused/truncated_darknet.weights", "cut off"},
    {"refused/mismatched_80class.cfg", "of a network with 1 class and the cfg is of one with 80"},
    {"refused/mangled_utf8.weights", "UTF-8"},
};

START_TEST(test_shared_bad)
{
    const char *path = shared(bad[_i].name);
    if (!path)
        return;
    int64_t start = vd_clock_now_ns();
    ck_assert_int_eq(vd_pair_read(path, NULL, &model, &error), VD_EFORMAT);
    ck_assert_msg(strstr(error.text, bad[_i].words) != NULL, "%s", error.text);
    ck_assert_int_lt(vd_clock_now_ns() - start, INT64_C(2000000000));
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

static Suite *suite(void)
{
    Suite *s = suite_create("pair");
    TCase *files = tcase_create("files"), *text = tcase_create("text"), *real = tcase_create("shared");
    tcase_add_checked_fixture(files, make_folder, drop_folder);
    tcase_add_checked_fixture(files, forget, forget);
    tcase_add_checked_fixture(real, forget, forget);
    tcase_set_timeout(files, 60);
    tcase_set_timeout(real, 60);
    tcase_add_test(files, test_formats);
    tcase_add_test(files, test_reads_darknet);
    tcase_add_test(files, test_darknet_labels);
    tcase_add_test(files, test_darknet_size_by_choice);
    tcase_add_test(files, test_darknet_weights);
    tcase_add_loop_test(files, test_darknet_cfg_refused, 0, COUNT(changes));
    tcase_add_test(files, test_darknet_without_heads);
    tcase_add_test(files, test_darknet_region);
    tcase_add_test(files, test_darknet_hostile);
    tcase_add_test(files, test_partner);
    tcase_add_test(files, test_reads_caffe);
    tcase_add_test(files, test_caffe_feeds);
    tcase_add_test(files, test_caffe_refused);
    tcase_add_test(files, test_reads_tensorflow);
    tcase_add_test(files, test_tensorflow_refused);
    tcase_add_test(text, test_text);
    tcase_add_test(text, test_text_is_bounded);
    tcase_add_loop_test(real, test_shared_good, 0, COUNT(good));
    tcase_add_loop_test(real, test_shared_bad, 0, COUNT(bad));
    suite_add_tcase(s, files);
    suite_add_tcase(s, text);
    suite_add_tcase(s, real);
    return s;
}

TEST_MAIN(suite)
