/* The plan computes what OpenCV's own layers compute: every model of the shared files, and networks made
 * here. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "check_main.h"
#include "engine/engine.h"
#include "model/model.h"
#include "model/onnx_file.h"
#include "model/onnx_plan.h"
#include "onnx_build.h"

#define SHARED "../shared/models"
#define MOST_ERROR 1e-3 /* of the largest output */

enum { PASSES = 2 /* the second over what the first left */, SIDE = 48 };

/* Something like a picture: a few large shapes, and noise. */
static void draw_input(const vd_model *model, float *tensor)
{
    int channels = model->feed.channels == VD_CHANNELS_GREY ? 1 : 3;
    uint32_t seed = 1;
    for (int n = 0; n < model->batch; n++)
        for (int c = 0; c < channels; c++)
            for (int y = 0; y < model->input_height; y++)
                for (int x = 0; x < model->input_width; x++) {
                    seed = seed * 1664525 + 1013904223;
                    double shape = 110 + 70 * sin(x * 0.05 + c) * cos(y * 0.07 - n);
                    double value = shape + (double)(seed >> 24) * 0.25;
                    *tensor++ = ((float)value - model->feed.mean[c]) * model->feed.scale[c];
                }
}

static size_t count_of(const vd_model_output *output)
{
    size_t count = 1;
    for (int i = 0; i < output->rank; i++)
        count *= (size_t)output->extents[i];
    return count;
}

static vd_net *make(const vd_model *model, bool plain, vd_precision precision)
{
    vd_net_options options = {.plain = plain, .precision = precision};
    vd_net *net = NULL;
    vd_error error = {0};
    int code = vd_net_new(model, &options, &net, &error);
    ck_assert_msg(code == VD_OK, "%s: %s", model->name, error.text);
    return net;
}

/* Runs a few passes on the same picture; the time of the fastest, in ms. */
static double run(const vd_model *model, vd_net *net, const float *ret_data[VD_MODEL_OUTPUTS])
{
    vd_error error = {0};
    int64_t best = INT64_MAX;
    for (int i = 0; i < PASSES; i++) {
        float *tensor = NULL;
        ck_assert_int_eq(vd_net_input(net, &tensor, &error), VD_OK);
        draw_input(model, tensor);
        int64_t begin = vd_clock_now_ns();
        ck_assert_msg(vd_net_forward(net, ret_data, &error) == VD_OK, "%s: %s", model->name, error.text);
        int64_t took = vd_clock_now_ns() - begin;
        best = took < best ? took : best;
    }
    return (double)best / 1e6;
}

/* The largest difference by the largest value, over the worst output. */
static double worst_error(const vd_model *model, const float *const *a, const float *const *b)
{
    double worst = 0;
    for (int i = 0; i < model->output_count; i++) {
        double most = 0, error = 0;
        for (size_t k = 0; k < count_of(&model->outputs[i]); k++) {
            ck_assert_msg(isfinite(a[i][k]) && isfinite(b[i][k]), "%s: not a number", model->name);
            most = fmax(most, fabs((double)b[i][k]));
            error = fmax(error, fabs((double)a[i][k] - (double)b[i][k]));
        }
        worst = fmax(worst, most > 0 ? error / most : error);
    }
    return worst;
}

static void compare(const vd_model *model)
{
    const float *planned[VD_MODEL_OUTPUTS], *plain[VD_MODEL_OUTPUTS], *brief[VD_MODEL_OUTPUTS];
    vd_net *plain_net = make(model, true, VD_PRECISION_FP32);
    ck_assert_ptr_nonnull(strstr(vd_net_engine(plain_net), "OpenCV"));
    double plain_ms = run(model, plain_net, plain);
    vd_net *net = make(model, false, VD_PRECISION_FP32);
    double ms = run(model, net, planned), error = worst_error(model, planned, plain);
    printf("%-44s %-48s %7.2f ms, OpenCV %7.2f ms, error %.1e", model->name, vd_net_engine(net), ms, plain_ms,
           error);
    ck_assert_msg(error <= MOST_ERROR, "%s: %s differs by %g", model->name, vd_net_engine(net), error);
    vd_net_free(&net);
    if (model->planned && vd_engine_has(VD_PRECISION_BF16)) {
        net = make(model, false, VD_PRECISION_BF16);
        ms = run(model, net, brief);
        printf("; bf16 %7.2f ms, error %.1e", ms, worst_error(model, brief, plain));
        vd_net_free(&net);
    }
    printf("\n");
    vd_net_free(&plain_net);
}

/* Files that do not open are another test's business. Returns how many were compared. */
static int compare_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    int compared = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        const char *ending = strrchr(entry->d_name, '.');
        char path[512];
        vd_model *model = NULL;
        if (!ending || (strcmp(ending, ".onnx") && strcmp(ending, ".cfg") && strcmp(ending, ".prototxt") &&
                        strcmp(ending, ".pb")))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (vd_model_read(path, NULL, &model, NULL) != VD_OK)
            continue;
        compare(model);
        vd_model_free(&model);
        compared++;
    }
    if (dir)
        closedir(dir);
    return compared;
}

/* --- A network made here */

static void put_conv(Onnx__ModelProto *m, const char *in, const char *out, int channels, int made, int stride)
{
    char weights[40], bias[40], links[160];
    snprintf(weights, sizeof weights, "w_%s", out);
    snprintf(bias, sizeof bias, "b_%s", out);
    snprintf(links, sizeof links, "%s %s %s", in, weights, bias);
    Onnx__TensorProto *w = build_constant(m, weights, VD_ONNX_FLOAT, DIMS(made, channels, 3, 3));
    for (size_t i = 0; i < vd_onnx_tensor_count(w); i++)
        vd_onnx_tensor_set_number(w, i, 0.7 * sin((double)i * 1.7 + made) / sqrt(channels));
    build_floats(m, bias, -0.2, 0.03, DIMS(made));
    Onnx__NodeProto *node = build_node(m, "Conv", links, out);
    build_list(node, "kernel_shape", DIMS(3, 3));
    build_list(node, "pads", DIMS(1, 1, 1, 1));
    build_list(node, "strides", DIMS(stride, stride));
}

static void put_silu(Onnx__ModelProto *m, const char *in, const char *out)
{
    char gate[40], links[80];
    snprintf(gate, sizeof gate, "gate_%s", out);
    snprintf(links, sizeof links, "%s %s", in, gate);
    build_node(m, "Sigmoid", in, gate);
    build_node(m, "Mul", links, out);
}

/* Two runs around a layer that no plan computes (Elu), which reads the middle of the first. */
static Onnx__ModelProto *made_network(bool split, int batch)
{
    Onnx__ModelProto *m = build_model(12);
    build_input(m, "images", VD_ONNX_FLOAT, DIMS(batch, 3, SIDE, SIDE));
    put_conv(m, "images", "a", 3, 16, 2);
    put_silu(m, "a", "sa");
    put_conv(m, "sa", "b", 16, 32, 1);
    put_silu(m, "b", "sb");
    build_list(build_node(m, "Split", "sb", "p q"), "split", DIMS(16, 16));
    build_int(m->graph->node[m->graph->n_node - 1], "axis", 1);
    put_conv(m, "q", "c", 16, 16, 1);
    build_node(m, "Add", "c q", "d");
    put_conv(m, "d", "e", 16, 20, 1);
    build_node(m, split ? "Elu" : "Relu", "e", "f");
    build_int(build_node(m, "Concat", "p f d", "g"), "axis", 1);
    put_conv(m, "g", "h", 52, 24, 2);
    put_conv(m, "h", "i", 24, 24, 1);
    build_node(m, "LeakyRelu", "i", "j");
    put_conv(m, "j", "k", 24, 16, 1);
    put_conv(m, "k", "late", 16, 10, 1);
    build_output(m, "late", DIMS(batch, 10, SIDE / 4, SIDE / 4));
    build_output(m, "d", DIMS(batch, 16, SIDE / 2, SIDE / 2));
    for (size_t i = 0; i < m->graph->n_node; i++) { /* OpenCV wants them to differ */
        free(m->graph->node[i]->name);
        m->graph->node[i]->name = strdup(m->graph->node[i]->output[0]);
    }
    return m;
}

/* As vd_model_read would fill it in; its files are for vd_model_drop_file. */
static vd_model made_model(bool split, int batch)
{
    vd_model model = {.format = VD_FORMAT_ONNX,
                      .family = VD_FAMILY_HEADS,
                      .input_name = "images",
                      .input_width = SIDE,
                      .input_height = SIDE,
                      .batch = batch,
                      .output_count = 2,
                      .feed = {.scale = {1 / 255.0f, 1 / 255.0f, 1 / 255.0f}}};
    vd_plan_tally tally = {0};
    vd_error error = {0};
    Onnx__ModelProto *m = made_network(split, batch);
    snprintf(model.name, sizeof model.name, "made here, %s, batch %d", split ? "two runs" : "one run", batch);
    model.outputs[0] = (vd_model_output){"late", 4, {batch, 10, SIDE / 4, SIDE / 4}};
    model.outputs[1] = (vd_model_output){"d", 4, {batch, 16, SIDE / 2, SIDE / 2}};
    ck_assert_int_eq(vd_onnx_pack(m, &model.network, &model.network_bytes), VD_OK);
    build_free(m);
    ck_assert_msg(vd_onnx_plan_file(model.network, model.network_bytes, "", &model.planned,
                                    &model.planned_bytes, &tally, &error) == VD_OK,
                  "%s", error.text);
    ck_assert_int_eq(tally.runs, split ? 2 : 1);
    return model;
}

static void compare_made(bool split, int batch)
{
    vd_model model = made_model(split, batch);
    compare(&model);
    if (vd_engine_onednn_version()) {
        vd_net *net = make(&model, false, VD_PRECISION_FP32);
        ck_assert_msg(strstr(vd_net_engine(net), "oneDNN"), "%s", vd_net_engine(net));
        ck_assert_int_eq(strstr(vd_net_engine(net), "OpenCV") != NULL, split);
        vd_net_free(&net);
    }
    vd_model_drop_file(&model);
}

START_TEST(made_networks_are_the_same)
{
    vd_engine_set_threads(1);
    for (int batch = 1; batch <= 3; batch += 2) {
        compare_made(false, batch);
        compare_made(true, batch);
    }
}
END_TEST

/* Whoever reads an output goes by what the model says of it: a network that gives less is refused, though its
 * layers can be gathered. */
START_TEST(promises_are_kept)
{
    vd_engine_set_threads(1);
    for (int split = 0; split < 2; split++) {
        vd_model model = made_model(split, 1);
        vd_net *net = NULL;
        vd_error error = {0};
        model.outputs[1].extents[1]++;
        ck_assert_int_eq(vd_net_new(&model, NULL, &net, &error), VD_EFORMAT);
        ck_assert_ptr_null(net);
        ck_assert_msg(strstr(error.text, "\"d\""), "%s", error.text);
        vd_model_drop_file(&model);
    }
}
END_TEST

/* Lines for every step, and for OpenCV's own layers between runs. */
START_TEST(plans_are_measured)
{
    vd_model *model = NULL;
    vd_plan_line lines[512];
    size_t count = 0;
    vd_error error = {0};
    if (vd_model_read(SHARED "/graphs/v8.onnx", NULL, &model, NULL) != VD_OK)
        return;
    vd_engine_set_threads(1);
    vd_net *net = make(model, false, VD_PRECISION_FP32);
    ck_assert_msg(vd_net_measure(net, 3, lines, 512, &count, &error) == VD_OK, "%s", error.text);
    ck_assert_uint_gt(count, 60);
    ck_assert_uint_le(count, 512);
    for (size_t i = 0; i < count; i++)
        ck_assert(lines[i].text[0] && lines[i].kernel[0] && lines[i].median_ns >= 0);
    vd_net_free(&net);
    vd_model_free(&model);
}
END_TEST

START_TEST(trained_models_are_the_same)
{
    vd_engine_set_threads(1);
    int compared = compare_folder(SHARED);
    if (compared == 0)
        printf("no shared models: nothing compared\n");
    else
        ck_assert_int_ge(compared, 3);
}
END_TEST

START_TEST(graphs_are_the_same)
{
    vd_engine_set_threads(1);
    int compared = compare_folder(SHARED "/graphs");
    ck_assert(compared == 0 || compared > 10);
}
END_TEST

START_TEST(families_are_the_same)
{
    vd_engine_set_threads(1);
    int compared = compare_folder(SHARED "/families");
    ck_assert(compared == 0 || compared > 5);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("net_same");
    TCase *tests = tcase_create("net_same");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, made_networks_are_the_same);
    tcase_add_test(tests, promises_are_kept);
    tcase_add_test(tests, plans_are_measured);
    tcase_add_test(tests, trained_models_are_the_same);
    tcase_add_test(tests, graphs_are_the_same);
    tcase_add_test(tests, families_are_the_same);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
