#include "base/clock.h"
#include "engine/engine.h"
#include "pair_case.h"

enum { CLASSES = 3, HEAD = 2 * (5 + CLASSES) };

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
    TCase *files = tcase_create("files"), *real = tcase_create("shared");
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
    tcase_add_loop_test(real, test_shared_good, 0, COUNT(good));
    tcase_add_loop_test(real, test_shared_bad, 0, COUNT(bad));
    suite_add_tcase(s, files);
    suite_add_tcase(s, real);
    return s;
}

TEST_MAIN(suite)
