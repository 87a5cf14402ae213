#include "model/pair_text.h"
#include "pair_case.h"

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

static Suite *suite(void)
{
    Suite *s = suite_create("pair_ssd");
    TCase *files = tcase_create("files"), *words = tcase_create("text");
    tcase_add_checked_fixture(files, make_folder, drop_folder);
    tcase_add_checked_fixture(files, forget, forget);
    tcase_set_timeout(files, 60);
    tcase_add_test(files, test_reads_caffe);
    tcase_add_test(files, test_caffe_feeds);
    tcase_add_test(files, test_caffe_refused);
    tcase_add_test(files, test_reads_tensorflow);
    tcase_add_test(files, test_tensorflow_refused);
    tcase_add_test(words, test_text);
    tcase_add_test(words, test_text_is_bounded);
    suite_add_tcase(s, files);
    suite_add_tcase(s, words);
    return s;
}

TEST_MAIN(suite)
