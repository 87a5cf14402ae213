#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "engine/device.h"
#include "engine/engine.h"
#include "engine/fault.h"
#include "vedette/app/devices.h"

enum { ROOM = 32, FILTERS = 6, WEIGHT_BYTES = 20 + 4 * FILTERS * (1 + 3) };

/* --- A network that OpenCV can run: one convolution and a [yolo] of one box and one class */
static char cfg[] = "[net]\nwidth=32\nheight=32\nchannels=3\n"
                    "[convolutional]\nfilters=6\nsize=1\nstride=8\nactivation=linear\n"
                    "[yolo]\nmask=0\nanchors=8,8\nclasses=1\nnum=1\n";
static uint8_t weights[WEIGHT_BYTES] = {[4] = 2};

static const vd_model tiny = {.format = VD_FORMAT_DARKNET,
                              .family = VD_FAMILY_DARKNET,
                              .input_name = "data",
                              .input_width = 32,
                              .input_height = 32,
                              .batch = 1,
                              .outputs = {{.name = "yolo_1", .rank = 2, .extents = {16, 6}}},
                              .output_count = 1,
                              .classes = 1,
                              .anchors = 16,
                              .network = weights,
                              .network_bytes = sizeof weights,
                              .config = (uint8_t *)cfg,
                              .config_bytes = sizeof cfg - 1};

static int make_net(vd_net_device device, vd_error *error)
{
    vd_net *net = NULL;
    const vd_net_options options = {.device = device};
    int code = vd_net_new(&tiny, &options, &net, error);
    ck_assert_int_eq(net != NULL, code == VD_OK);
    vd_net_free(&net);
    return code;
}

static bool is_listed(const vd_engine_target *targets, size_t count, const char *backend, const char *target)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(targets[i].backend, backend) == 0 && strcmp(targets[i].target, target) == 0)
            return true;
    return false;
}

START_TEST(test_targets)
{
    vd_engine_target targets[ROOM];
    vd_error error = {0};
    size_t count = 0;
    ck_assert_msg(vd_engine_list_targets(targets, ROOM, &count, &error) == VD_OK, "%s", error.text);
    ck_assert_uint_ge(count, 1);
    ck_assert(is_listed(targets, count, "OpenCV", "CPU"));
    ck_assert_int_eq(vd_engine_has_device(VD_NET_OPENCL), is_listed(targets, count, "OpenCV", "OpenCL"));
    ck_assert_int_eq(vd_engine_has_device(VD_NET_CUDA), is_listed(targets, count, "CUDA", "CUDA"));
    ck_assert_int_eq(vd_engine_has_device(VD_NET_OPENVINO), is_listed(targets, count, "OpenVINO", "CPU"));
    ck_assert(vd_engine_has_device(VD_NET_CPU));
    ck_assert(!vd_engine_has_device(VD_NET_DEVICE_END));

    memset(targets, 0x55, sizeof targets);
    ck_assert_int_eq(vd_engine_list_targets(targets, 1, &count, &error), VD_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(targets[1].backend[0], 0x55);
}
END_TEST

START_TEST(test_list_fails)
{
    vd_engine_target targets[ROOM];
    vd_error error = {0};
    vd_device_list list;
    size_t count = 99;
    vd_engine_throw_next(VD_FAULT_OPENCV);
    ck_assert_int_eq(vd_engine_list_targets(targets, ROOM, &count, &error), VD_EFORMAT);
    ck_assert_uint_eq(count, 99);
    ck_assert_ptr_nonnull(strstr(error.text, "list its devices"));
    vd_engine_throw_next(VD_FAULT_OTHER);
    ck_assert(!vd_engine_has_device(VD_NET_CPU));
    vd_engine_throw_next(VD_FAULT_STANDARD);
    ck_assert_int_eq(vd_devices_list(&list, &error), VD_EFORMAT);
}
END_TEST

static const struct broken {
    vd_net_device device;
    const char *name;
} broken[] = {{VD_NET_OPENCL, "OpenCL"}, {VD_NET_CUDA, "CUDA"}, {VD_NET_OPENVINO, "OpenVINO"}};

/* A driver that is there and fails in the first pass: an error that names it, and the processor still
 * computes. */
START_TEST(test_broken_device)
{
    const struct broken *b = &broken[_i];
    vd_error error = {0};
    bool before = vd_engine_has_device(b->device);
    ck_assert_msg(make_net(VD_NET_CPU, &error) == VD_OK, "%s", error.text);
    vd_engine_break_device(b->device);
    ck_assert(vd_engine_has_device(b->device));
    ck_assert_int_eq(make_net(b->device, &error), VD_EFORMAT);
    ck_assert_msg(strstr(error.text, b->name) != NULL, "%s", error.text);
    ck_assert_msg(make_net(VD_NET_CPU, &error) == VD_OK, "%s", error.text);
    vd_engine_break_device(VD_NET_CPU);
    ck_assert_int_eq(vd_engine_has_device(b->device), before);
}
END_TEST

START_TEST(test_missing_device)
{
    vd_error error = {0};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        if (vd_engine_has_device(broken[i].device))
            continue;
        ck_assert_int_eq(make_net(broken[i].device, &error), VD_EFORMAT);
        ck_assert_msg(strstr(error.text, broken[i].name) != NULL, "%s", error.text);
    }
}
END_TEST

START_TEST(test_whole_list)
{
    static vd_device_list list;
    vd_error error = {0};
    ck_assert_msg(vd_devices_list(&list, &error) == VD_OK, "%s", error.text);
    ck_assert_int_eq(list.device_count, VD_NET_DEVICE_END);
    ck_assert_str_eq(list.devices[0].name, "cpu");
    ck_assert(list.devices[0].available);
    for (int i = 0; i < list.device_count; i++)
        ck_assert_int_eq(list.devices[i].available, vd_engine_has_device((vd_net_device)i));
    ck_assert_int_ge(list.backend_count, 1);
    ck_assert_str_eq(list.opencv, vd_engine_opencv_version());
    ck_assert_int_eq(list.onednn[0] != '\0', vd_engine_onednn_version() != NULL);
    ck_assert_int_eq(list.has_bf16, vd_engine_has(VD_PRECISION_BF16));
    for (int i = 0; i < list.camera_count; i++)
        ck_assert_int_eq(strncmp(list.cameras[i].path, "/dev/video", 10), 0);
    for (int i = 0; i < list.decoder_count; i++)
        ck_assert_int_ne(list.decoders[i].name[0], '\0');
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("devices");
    TCase *c = tcase_create("devices");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, test_targets);
    tcase_add_test(c, test_list_fails);
    tcase_add_loop_test(c, test_broken_device, 0, (int)(sizeof broken / sizeof *broken));
    tcase_add_test(c, test_missing_device);
    tcase_add_test(c, test_whole_list);
    suite_add_tcase(s, c);
    return s;
}

TEST_MAIN(suite)
