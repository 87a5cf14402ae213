#include <math.h>
#include <stdint.h>
#include <string.h>

#include "check_main.h"
#include "engine/engine.h"
#include "engine/fault.h"

enum { SIDE = 4, WIDTH = 160, HEIGHT = 120 };

/* --- A protobuf writer, enough for an ONNX file of one node */
struct bytes {
    uint8_t data[1024];
    size_t size;
};

static void put_varint(struct bytes *out, uint64_t value)
{
    for (; value > 127; value >>= 7)
        out->data[out->size++] = (uint8_t)(value | 128);
    out->data[out->size++] = (uint8_t)value;
}

static void put_number(struct bytes *out, int field, uint64_t value)
{
    put_varint(out, (uint64_t)field << 3);
    put_varint(out, value);
}

static void put_block(struct bytes *out, int field, const void *data, size_t size)
{
    put_varint(out, (uint64_t)field << 3 | 2);
    put_varint(out, size);
    memcpy(out->data + out->size, data, size);
    out->size += size;
}

static void put_text(struct bytes *out, int field, const char *text)
{
    put_block(out, field, text, strlen(text));
}

static void put_message(struct bytes *out, int field, const struct bytes *message)
{
    put_block(out, field, message->data, message->size);
}

static void put_tensor_info(struct bytes *graph, int field, const char *name)
{
    const int extents[4] = {1, 3, SIDE, SIDE};
    struct bytes shape = {0}, tensor = {0}, type = {0}, info = {0};
    for (int i = 0; i < 4; i++) {
        struct bytes extent = {0};
        put_number(&extent, 1, (uint64_t)extents[i]);
        put_message(&shape, 1, &extent);
    }
    put_number(&tensor, 1, 1); /* float */
    put_message(&tensor, 2, &shape);
    put_message(&type, 1, &tensor);
    put_text(&info, 1, name);
    put_message(&info, 2, &type);
    put_message(graph, field, &info);
}

/* images → Relu → output0 */
static struct bytes make_relu_model(void)
{
    struct bytes node = {0}, graph = {0}, opset = {0}, model = {0};
    put_text(&node, 1, "images");
    put_text(&node, 2, "output0");
    put_text(&node, 3, "only");
    put_text(&node, 4, "Relu");
    put_message(&graph, 1, &node);
    put_text(&graph, 2, "graph");
    put_tensor_info(&graph, 11, "images");
    put_tensor_info(&graph, 12, "output0");
    put_number(&opset, 2, 12);
    put_number(&model, 1, 7);
    put_message(&model, 7, &graph);
    put_message(&model, 8, &opset);
    return model;
}

/* A model of that file as vd_model_read would fill it in. */
static vd_model model_of(struct bytes *file)
{
    vd_model model = {.format = VD_FORMAT_ONNX,
                      .family = VD_FAMILY_YOLOV8,
                      .input_name = "images",
                      .input_width = SIDE,
                      .input_height = SIDE,
                      .batch = 1,
                      .output_count = 1,
                      .network = file->data,
                      .network_bytes = file->size};
    model.outputs[0] = (vd_model_output){.name = "output0", .rank = 4, .extents = {1, 3, SIDE, SIDE}};
    return model;
}

static uint8_t pixels[WIDTH * HEIGHT * 4];

static vd_image picture(void)
{
    return (vd_image){.format = VD_PIXEL_BGRX,
                      .width = WIDTH,
                      .height = HEIGHT,
                      .planes = {pixels},
                      .strides = {WIDTH * 4}};
}

static void assert_sentence(const vd_error *error, int code)
{
    ck_assert_int_eq(error->code, code);
    size_t length = strlen(error->text);
    ck_assert_msg(length > 10 && error->text[length - 1] == '.', "no sentence: %s", error->text);
    ck_assert_ptr_null(strchr(error->text, '\n'));
    ck_assert_ptr_null(strstr(error->text, ".cpp"));
}

static vd_net *make_net(void)
{
    struct bytes file = make_relu_model();
    vd_model model = model_of(&file);
    vd_net *net = NULL;
    vd_error error = {0};
    ck_assert_msg(vd_net_new(&model, NULL, &net, &error) == VD_OK, "%s", error.text);
    return net;
}

START_TEST(a_network_computes)
{
    vd_net *net = make_net();
    vd_error error = {0};
    ck_assert_str_eq(vd_net_engine(net), "OpenCV's own layers");
    for (int pass = 0; pass < 3; pass++) {
        float *input = NULL;
        ck_assert_int_eq(vd_net_input(net, &input, &error), VD_OK);
        for (int i = 0; i < 3 * SIDE * SIDE; i++)
            input[i] = (float)(i - 20 * pass);
        const float *outputs[VD_MODEL_OUTPUTS] = {NULL};
        ck_assert_msg(vd_net_forward(net, outputs, &error) == VD_OK, "%s", error.text);
        for (int i = 0; i < 3 * SIDE * SIDE; i++)
            ck_assert_float_eq(outputs[0][i], fmaxf((float)(i - 20 * pass), 0));
        ck_assert_ptr_null(outputs[1]);
    }
    vd_net_free(&net);
    ck_assert_ptr_null(net);
    vd_net_free(&net);
}
END_TEST

START_TEST(a_network_is_measured)
{
    vd_net *net = make_net();
    vd_plan_line lines[4] = {{.text = ""}};
    size_t count = 0;
    vd_error error = {0};
    ck_assert_msg(vd_net_measure(net, 3, lines, 4, &count, &error) == VD_OK, "%s", error.text);
    ck_assert_uint_ge(count, 1);
    ck_assert_str_eq(lines[0].kernel, "OpenCV");
    ck_assert_int_gt(lines[0].median_ns, 0);
    ck_assert_int_eq(vd_net_measure(net, 1, NULL, 0, &count, &error), VD_OK);
    vd_net_free(&net);
}
END_TEST

/* Refused with that code and a sentence; nothing is made. */
static void assert_no_net(const vd_model *model, const vd_net_options *options, int code)
{
    vd_net *net = NULL;
    vd_error error = {0};
    ck_assert_int_eq(vd_net_new(model, options, &net, &error), code);
    assert_sentence(&error, code);
    ck_assert_ptr_null(net);
}

START_TEST(wrong_models_are_refused)
{
    struct bytes file = make_relu_model();
    vd_model model = model_of(&file), good = model;
    static uint8_t rubbish[64] = {0xff, 0x01, 0x80, 0x7f, 0x33};
    model.network = rubbish;
    model.network_bytes = sizeof rubbish;
    assert_no_net(&model, NULL, VD_EFORMAT);
    model.format = VD_FORMAT_DARKNET;
    assert_no_net(&model, NULL, VD_EFORMAT);
    model = good;
    model.network = NULL;
    assert_no_net(&model, NULL, VD_EFORMAT);
    model = good;
    model.input_width = 0;
    assert_no_net(&model, NULL, VD_EINVAL);
    model.input_width = 1 << 30;
    assert_no_net(&model, NULL, VD_EINVAL);
    model = good;
    model.outputs[0].extents[1] = 2;
    assert_no_net(&model, NULL, VD_EFORMAT);
    model = good;
    model.output_count = 0;
    assert_no_net(&model, NULL, VD_EFORMAT);
    model = good;
    strcpy(model.outputs[0].name, "no such");
    vd_net *net = NULL;
    vd_error error = {0};
    ck_assert_int_eq(vd_net_new(&model, NULL, &net, &error), VD_EFORMAT);
    ck_assert_ptr_nonnull(strstr(error.text, "no such"));
    ck_assert_ptr_nonnull(strstr(error.text, "output0"));
    for (size_t size = 1; size < file.size; size += 7) {
        model = good;
        model.network_bytes = size;
        if (vd_net_new(&model, NULL, &net, &error) == VD_OK)
            vd_net_free(&net);
    }
}
END_TEST

START_TEST(wrong_options_are_refused)
{
    struct bytes file = make_relu_model();
    vd_model model = model_of(&file);
    assert_no_net(&model, &(vd_net_options){.device = VD_NET_DEVICE_END}, VD_EINVAL);
    for (int device = VD_NET_OPENCL; device < VD_NET_DEVICE_END; device++)
        if (!vd_engine_has_device((vd_net_device)device))
            assert_no_net(&model, &(vd_net_options){.device = (vd_net_device)device}, VD_EFORMAT);
    if (!vd_engine_has(VD_PRECISION_BF16))
        assert_no_net(&model, &(vd_net_options){.precision = VD_PRECISION_BF16}, VD_EFORMAT);
}
END_TEST

/* A plan that cannot be read costs nothing but the plan. */
START_TEST(a_broken_plan_is_told_and_left_out)
{
    struct bytes file = make_relu_model(), broken = make_relu_model();
    vd_model model = model_of(&file);
    vd_net *net = NULL;
    vd_error error = {0};
    broken.size /= 2;
    model.planned = broken.data;
    model.planned_bytes = broken.size;
    ck_assert_msg(vd_net_new(&model, NULL, &net, &error) == VD_OK, "%s", error.text);
    ck_assert_int_eq(strncmp(vd_net_engine(net), "OpenCV's own layers: ", 21), 0);
    ck_assert_uint_gt(strlen(vd_net_engine(net)), 30);
    vd_net_free(&net);

    model.planned = file.data; /* whole, but without gathered layers */
    model.planned_bytes = file.size;
    ck_assert_int_eq(vd_net_new(&model, NULL, &net, &error), VD_OK);
    ck_assert_int_eq(strncmp(vd_net_engine(net), "OpenCV's own layers: ", 21), 0);
    vd_net_free(&net);
    ck_assert_int_eq(vd_net_new(&model, &(vd_net_options){.plain = true}, &net, &error), VD_OK);
    ck_assert_str_eq(vd_net_engine(net), "OpenCV's own layers");
    vd_net_free(&net);
}
END_TEST

START_TEST(wrong_pictures_are_refused)
{
    vd_hog *hog = NULL;
    vd_motion *motion = NULL;
    ck_assert_int_eq(vd_hog_new(&hog, NULL), VD_OK);
    ck_assert_int_eq(vd_motion_new(&motion, NULL), VD_OK);
    vd_image wrong[4] = {picture(), picture(), picture(), picture()};
    wrong[0].planes[0] = NULL;
    wrong[1].strides[0] = 1;
    wrong[2].width = 0;
    wrong[3].format = VD_PIXEL_GREY;
    for (int i = 0; i < 4; i++) {
        vd_detection found[4];
        size_t count = 99;
        vd_error error = {0};
        ck_assert_int_eq(vd_hog_detect(hog, &wrong[i], found, 4, &count, &error), VD_EINVAL);
        assert_sentence(&error, VD_EINVAL);
        ck_assert_int_eq(vd_motion_detect(motion, &wrong[i], found, 4, &count, &error), VD_EINVAL);
        assert_sentence(&error, VD_EINVAL);
        ck_assert_uint_eq(count, 99);
    }
    vd_hog_free(&hog);
    vd_motion_free(&motion);
}
END_TEST

/* Every entry that can fail, called once; `entry` chooses it. */
static int call_entry(int entry, vd_net *net, vd_hog *hog, vd_motion *motion, vd_error *error)
{
    struct bytes file = make_relu_model();
    vd_model model = model_of(&file);
    vd_image image = picture();
    vd_plan_line lines[4];
    vd_detection found[4];
    size_t count = 0;
    float *input = NULL;
    const float *outputs[VD_MODEL_OUTPUTS];
    int code;
    vd_net *made_net = NULL;
    vd_hog *made_hog = NULL;
    vd_motion *made_motion = NULL;
    switch (entry) {
    case 0:
        code = vd_net_new(&model, NULL, &made_net, error);
        vd_net_free(&made_net);
        return code;
    case 1:
        return vd_net_input(net, &input, error);
    case 2:
        return vd_net_forward(net, outputs, error);
    case 3:
        code = vd_hog_new(&made_hog, error);
        vd_hog_free(&made_hog);
        return code;
    case 4:
        return vd_hog_detect(hog, &image, found, 4, &count, error);
    case 5:
        code = vd_motion_new(&made_motion, error);
        vd_motion_free(&made_motion);
        return code;
    case 6:
        return vd_net_measure(net, 1, lines, 4, &count, error);
    default:
        return vd_motion_detect(motion, &image, found, 4, &count, error);
    }
}

START_TEST(every_entry_catches_what_is_thrown)
{
    static const int codes[] = {VD_OK, VD_EFORMAT, VD_ENOMEM, VD_EFORMAT, VD_EFORMAT};
    vd_net *net = make_net();
    vd_hog *hog = NULL;
    vd_motion *motion = NULL;
    ck_assert_int_eq(vd_hog_new(&hog, NULL), VD_OK);
    ck_assert_int_eq(vd_motion_new(&motion, NULL), VD_OK);
    for (int entry = 0; entry < 8; entry++) {
        for (int fault = VD_FAULT_OPENCV; fault <= VD_FAULT_OTHER; fault++) {
            vd_error error = {0};
            vd_engine_throw_next((vd_engine_fault)fault);
            ck_assert_int_eq(call_entry(entry, net, hog, motion, &error), codes[fault]);
            assert_sentence(&error, codes[fault]);
        }
        ck_assert_int_eq(call_entry(entry, net, hog, motion, NULL), VD_OK);
    }
    vd_engine_throw_next(VD_FAULT_OPENCV);
    vd_engine_set_threads(1);
    vd_engine_throw_next(VD_FAULT_OTHER);
    vd_net_free(&net);
    vd_engine_throw_next(VD_FAULT_STANDARD);
    vd_hog_free(&hog);
    vd_engine_throw_next(VD_FAULT_MEMORY);
    vd_motion_free(&motion);
    ck_assert_ptr_null(net);
    ck_assert_ptr_null(hog);
    ck_assert_ptr_null(motion);
}
END_TEST

START_TEST(small_pictures_hold_nothing)
{
    vd_hog *hog = NULL;
    vd_motion *motion = NULL;
    ck_assert_int_eq(vd_hog_new(&hog, NULL), VD_OK);
    ck_assert_int_eq(vd_motion_new(&motion, NULL), VD_OK);
    const int sizes[][2] = {{1, 1}, {1, HEIGHT}, {WIDTH, 1}, {3, 2}, {63, HEIGHT}, {64, 119}};
    for (int i = 0; i < 6; i++) {
        vd_image image = picture();
        image.width = sizes[i][0];
        image.height = sizes[i][1];
        vd_detection found[4];
        size_t count = 99;
        vd_error error = {0};
        ck_assert_msg(vd_hog_detect(hog, &image, found, 4, &count, &error) == VD_OK, "%s", error.text);
        ck_assert_uint_eq(count, 0);
        for (int k = 0; k < 8; k++) {
            count = 99;
            ck_assert_msg(vd_motion_detect(motion, &image, found, 4, &count, &error) == VD_OK, "%s",
                          error.text);
            ck_assert_uint_eq(count, 0);
        }
    }
    vd_hog_free(&hog);
    vd_motion_free(&motion);
}
END_TEST

static void paint(int x, int y, int size, uint8_t level)
{
    for (int row = y; row < y + size; row++)
        memset(pixels + (row * WIDTH + x) * 4, level, (size_t)size * 4);
}

START_TEST(no_more_boxes_than_there_is_room)
{
    vd_motion *motion = NULL;
    ck_assert_int_eq(vd_motion_new(&motion, NULL), VD_OK);
    vd_image image = picture();
    memset(pixels, 90, sizeof pixels);
    vd_detection found[3] = {0};
    size_t count = 0;
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(vd_motion_detect(motion, &image, found, 2, &count, NULL), VD_OK);
    ck_assert_uint_eq(count, 0);
    for (int i = 0; i < 4; i++)
        paint(10 + 40 * i, 40, 12, 250);
    ck_assert_int_eq(vd_motion_detect(motion, &image, found, 2, &count, NULL), VD_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_float_ge(found[0].score, found[1].score);
    ck_assert_float_gt(found[1].score, 0.8f);
    ck_assert_float_eq(found[2].score, 0);
    vd_motion_free(&motion);
}
END_TEST

START_TEST(the_version_is_known)
{
    ck_assert_int_eq(vd_engine_opencv_version()[0], '4');
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("engine");
    TCase *tests = tcase_create("engine");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_network_computes);
    tcase_add_test(tests, a_network_is_measured);
    tcase_add_test(tests, wrong_models_are_refused);
    tcase_add_test(tests, wrong_options_are_refused);
    tcase_add_test(tests, a_broken_plan_is_told_and_left_out);
    tcase_add_test(tests, wrong_pictures_are_refused);
    tcase_add_test(tests, every_entry_catches_what_is_thrown);
    tcase_add_test(tests, small_pictures_hold_nothing);
    tcase_add_test(tests, no_more_boxes_than_there_is_room);
    tcase_add_test(tests, the_version_is_known);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
