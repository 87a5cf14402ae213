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

#define SHARED "../shared/models"
#define MOST_ERROR 1e-3 /* of the largest output */

enum { PASSES = 3 };

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
    tcase_add_test(tests, trained_models_are_the_same);
    tcase_add_test(tests, graphs_are_the_same);
    tcase_add_test(tests, families_are_the_same);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
