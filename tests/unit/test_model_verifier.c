/* Verifiers of stage 2: how their form is told, how clips are fed, and that what they need of a network is
 * computed right, with a plan and without. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check_main.h"
#include "engine/engine.h"
#include "model/onnx_file.h"
#include "model/verifier.h"
#include "onnx_build.h"

enum { FRAMES = 2, SIDE = 32, PLANES = 3 * FRAMES, HALF = SIDE / 2, MAPS = 2, MIXES = 4 };

struct kind {
    const char *end;  /* Sigmoid, Softmax, or NULL: logits */
    int answers;      /* 1 or 2 */
    int64_t input[5]; /* as the file declares it */
    int rank;
};

static void add_number(Onnx__NodeProto *node, const char *name, float value)
{
    Onnx__AttributeProto *attribute = build_attribute(node, name);
    attribute->has_f = attribute->has_type = true;
    attribute->f = value;
    attribute->type = 1;
}

/* A convolution to two maps, normalised as one picture, mixed a few times; their means through a product. */
static Onnx__ModelProto *small_verifier(const struct kind *kind)
{
    Onnx__ModelProto *m = build_model(12);
    build_input(m, "clip", VD_ONNX_FLOAT, kind->input, kind->rank);
    build_output(m, "output0", DIMS(1, kind->answers));
    build_ints(m, "flat", DIMS(1, PLANES, SIDE, SIDE));
    build_ints(m, "one", DIMS(1, 1, MAPS * HALF, HALF));
    build_ints(m, "maps", DIMS(1, MAPS, HALF, HALF));
    build_floats(m, "w", -0.2, 0.01, DIMS(MAPS, PLANES, 2, 2));
    build_floats(m, "scale", 1.5, 0, DIMS(1));
    build_floats(m, "offset", 0.25, 0, DIMS(1));
    build_floats(m, "mix", 0.9, -0.2, DIMS(MAPS, MAPS, 1, 1));
    build_floats(m, "last", 0.7, -0.9, DIMS(kind->answers, MAPS));
    build_floats(m, "bias", -0.1, 0.3, DIMS(kind->answers));
    build_node(m, "Reshape", "clip flat", "f");
    Onnx__NodeProto *node = build_node(m, "Conv", "f w", "c");
    build_list(node, "kernel_shape", DIMS(2, 2));
    build_list(node, "strides", DIMS(2, 2));
    build_node(m, "Reshape", "c one", "r");
    add_number(build_node(m, "InstanceNormalization", "r scale offset", "n"), "epsilon", 1e-5f);
    build_node(m, "Reshape", "n maps", "x0");
    for (int i = 0; i < MIXES; i++) {
        char in[32], out[32];
        snprintf(in, sizeof in, "x%d mix", i);
        snprintf(out, sizeof out, "y%d", i);
        build_list(build_node(m, "Conv", in, out), "kernel_shape", DIMS(1, 1));
        snprintf(in, sizeof in, "y%d", i);
        snprintf(out, sizeof out, "x%d", i + 1);
        build_node(m, "Relu", in, out);
    }
    node = build_node(m, "ReduceMean", "x4", "p");
    build_list(node, "axes", DIMS(2, 3));
    build_int(node, "keepdims", 0);
    build_int(build_node(m, "Gemm", "p last bias", kind->end ? "g" : "output0"), "transB", 1);
    if (kind->end)
        node = build_node(m, kind->end, "g", "output0");
    if (kind->end && strcmp(kind->end, "Softmax") == 0)
        build_int(node, "axis", 1);
    return m;
}

/* The same by the definitions: the logits. */
static void compute(const float *clip, int answers, double ret_logits[2])
{
    static double maps[MAPS][HALF * HALF];
    double sum = 0, squares = 0, means[MAPS] = {0};
    int count = MAPS * HALF * HALF;
    for (int k = 0; k < MAPS; k++)
        for (int i = 0; i < HALF * HALF; i++) {
            double value = 0;
            for (int p = 0; p < PLANES; p++)
                for (int e = 0; e < 4; e++)
                    value += (-0.2 + 0.01 * ((k * PLANES + p) * 4 + e)) *
                             (double)clip[(p * SIDE + i / HALF * 2 + e / 2) * SIDE + i % HALF * 2 + e % 2];
            maps[k][i] = value;
            sum += value;
            squares += value * value;
        }
    double mean = sum / count, deviation = sqrt(squares / count - mean * mean + 1e-5);
    for (int i = 0; i < HALF * HALF; i++) {
        double x[MAPS];
        for (int k = 0; k < MAPS; k++)
            x[k] = (maps[k][i] - mean) / deviation * 1.5 + 0.25;
        for (int m = 0; m < MIXES; m++) {
            double a = fmax(0.9 * x[0] + 0.7 * x[1], 0), b = fmax(0.5 * x[0] + 0.3 * x[1], 0);
            x[0] = a;
            x[1] = b;
        }
        for (int k = 0; k < MAPS; k++)
            means[k] += x[k] / (HALF * HALF);
    }
    for (int i = 0; i < answers; i++)
        ret_logits[i] =
            -0.1 + 0.3 * i + (0.7 - 0.9 * (2 * i)) * means[0] + (0.7 - 0.9 * (2 * i + 1)) * means[1];
}

/* Writes the model to a file, which is read as a verifier; frees the model. */
static int read_verifier(Onnx__ModelProto *m, vd_verifier_form *ret_form, vd_model **ret_model,
                         vd_error *error)
{
    uint8_t *bytes;
    size_t length;
    char path[] = "/tmp/vedette-verifier-XXXXXX";
    ck_assert_int_eq(vd_onnx_pack(m, &bytes, &length), VD_OK);
    build_free(m);
    int fd = mkstemp(path);
    ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
    close(fd);
    free(bytes);
    int code = vd_model_read_verifier(path, ret_form, ret_model, error);
    unlink(path);
    return code;
}

static const struct kind kinds[] = {
    {"Sigmoid", 1, {1, PLANES, SIDE, SIDE}, 4},     {NULL, 1, {1, 3, FRAMES, SIDE, SIDE}, 5},
    {"Softmax", 2, {FRAMES, 3, SIDE, SIDE}, 4},     {NULL, 2, {1, PLANES, SIDE, SIDE}, 4},
    {"Sigmoid", 1, {-1, 3, FRAMES, SIDE, SIDE}, 5},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

START_TEST(test_form)
{
    static const vd_clip_layout layouts[KINDS] = {VD_CLIP_STACKED, VD_CLIP_DEEP, VD_CLIP_BATCH,
                                                  VD_CLIP_STACKED, VD_CLIP_DEEP};
    const struct kind *kind = &kinds[_i];
    vd_verifier_form form = {0};
    vd_model *model = NULL;
    vd_error error = {0};
    ck_assert_msg(read_verifier(small_verifier(kind), &form, &model, &error) == VD_OK, "%s", error.text);
    ck_assert_int_eq(form.layout, layouts[_i]);
    ck_assert_int_eq(form.frames, FRAMES);
    ck_assert_int_eq(form.width, SIDE);
    ck_assert_int_eq(form.height, SIDE);
    ck_assert_int_eq(form.answers, kind->answers);
    ck_assert_int_eq(form.probability, kind->end != NULL);
    ck_assert_int_eq(model->input_rank, kind->rank);
    ck_assert_int_eq(model->input_extents[0], kind->input[0] < 0 ? 1 : (int)kind->input[0]);
    ck_assert_uint_eq(strlen(model->digest), 64);
    vd_model_free(&model);
}
END_TEST

static uint8_t pixel_of(int frame, int i, int colour)
{
    return (uint8_t)((frame * 89 + i * 7 + i / SIDE * 31 + colour * 53) % 256);
}

static void fill(const vd_verifier_form *form, float *tensor)
{
    static uint8_t rgb[SIDE * SIDE * 3];
    for (int frame = 0; frame < FRAMES; frame++) {
        for (int i = 0; i < SIDE * SIDE * 3; i++)
            rgb[i] = pixel_of(frame, i / 3, i % 3);
        vd_verifier_feed(form, frame, rgb, tensor);
    }
}

START_TEST(test_feed)
{
    static float tensor[PLANES * SIDE * SIDE];
    vd_verifier_form form = {.frames = FRAMES, .width = SIDE, .height = SIDE};
    for (int layout = VD_CLIP_STACKED; layout <= VD_CLIP_BATCH; layout++) {
        form.layout = (vd_clip_layout)layout;
        fill(&form, tensor);
        for (int frame = 0; frame < FRAMES; frame++)
            for (int colour = 0; colour < 3; colour++) {
                int plane = layout == VD_CLIP_DEEP ? colour * FRAMES + frame : frame * 3 + colour;
                for (int i = 0; i < SIDE * SIDE; i += 37)
                    ck_assert_float_eq_tol(tensor[plane * SIDE * SIDE + i],
                                           (float)pixel_of(frame, i, colour) / 255, 1e-6f);
            }
    }
}
END_TEST

/* What stands in a verifier and in no detector (means, products, a clip normalised as a whole) is right. */
START_TEST(test_numbers)
{
    static float clip[PLANES * SIDE * SIDE];
    const struct kind *kind = &kinds[_i];
    vd_verifier_form form;
    vd_model *model = NULL;
    vd_error error = {0};
    double logits[2] = {0};
    ck_assert_msg(read_verifier(small_verifier(kind), &form, &model, &error) == VD_OK, "%s", error.text);
    fill(&form, clip);
    compute(clip, kind->answers, logits);
    double right = kind->answers == 2 ? 1 / (1 + exp(logits[0] - logits[1])) : 1 / (1 + exp(-logits[0]));
    ck_assert_double_gt(right, 0.02);
    ck_assert_double_lt(right, 0.98);
    for (int plain = 0; plain < 2; plain++) {
        const vd_net_options options = {.plain = plain == 1};
        const float *data[VD_MODEL_OUTPUTS];
        vd_net *net = NULL;
        float *tensor;
        ck_assert_msg(vd_net_new(model, &options, &net, &error) == VD_OK, "%s", error.text);
        for (int again = 0; again < 2; again++) {
            ck_assert_int_eq(vd_net_input(net, &tensor, &error), VD_OK);
            fill(&form, tensor);
            ck_assert_int_eq(vd_net_forward(net, data, &error), VD_OK);
            ck_assert_double_eq_tol((double)vd_verifier_answer(&form, data[0]), right, 2e-5);
        }
        vd_net_free(&net);
    }
    vd_model_free(&model);
}
END_TEST

START_TEST(test_answers)
{
    vd_verifier_form form = {.answers = 1, .probability = true};
    ck_assert_float_eq(vd_verifier_answer(&form, (const float[]){0.3f}), 0.3f);
    ck_assert_float_eq(vd_verifier_answer(&form, (const float[]){1.5f}), 1);
    ck_assert_float_eq(vd_verifier_answer(&form, (const float[]){-0.5f}), 0);
    ck_assert_float_eq(vd_verifier_answer(&form, (const float[]){NAN}), 0);
    form.answers = 2;
    ck_assert_float_eq(vd_verifier_answer(&form, (const float[]){0.2f, 0.8f}), 0.8f);
    form.probability = false;
    ck_assert_float_eq_tol(vd_verifier_answer(&form, (const float[]){1, 1}), 0.5f, 1e-6f);
    ck_assert_float_eq(vd_verifier_answer(&form, (const float[]){1000, -1000}), 0);
    ck_assert_float_eq(vd_verifier_answer(&form, (const float[]){-1000, 1000}), 1);
}
END_TEST

/* What the file leaves open is 16 pictures of 224 pixels, unless the metadata says how many. */
START_TEST(test_open_extents)
{
    static const struct {
        const char *frames;
        int expected;
    } cases[] = {{NULL, 16}, {"8", 8}};
    for (int i = 0; i < 2; i++) {
        vd_verifier_form form = {0};
        vd_model *model = NULL;
        vd_error error = {0};
        Onnx__ModelProto *m = build_model(12);
        build_input(m, "clip", VD_ONNX_FLOAT, DIMS(1, -1, -1, -1));
        build_output(m, "output0", DIMS(1, 1));
        build_floats(m, "w", 0.1, 0, DIMS(1, cases[i].expected * 3, 1, 1));
        build_ints(m, "one", DIMS(1, 1));
        build_list(build_node(m, "Conv", "clip w", "c"), "kernel_shape", DIMS(1, 1));
        build_node(m, "GlobalAveragePool", "c", "p");
        build_node(m, "Reshape", "p one", "output0");
        build_metadata(m, "vedette.task", "verify");
        build_metadata(m, "vedette.output", "probability");
        if (cases[i].frames)
            build_metadata(m, "vedette.frames", cases[i].frames);
        ck_assert_msg(read_verifier(m, &form, &model, &error) == VD_OK, "%s", error.text);
        ck_assert_int_eq(form.frames, cases[i].expected);
        ck_assert_int_eq(form.width, 224);
        ck_assert(form.probability);
        vd_model_free(&model);
    }
}
END_TEST

static void refuse(Onnx__ModelProto *m, const char *words)
{
    vd_verifier_form form = {.frames = 77};
    vd_model *model = NULL;
    vd_error error = {0};
    ck_assert_int_eq(read_verifier(m, &form, &model, &error), VD_EFORMAT);
    ck_assert_msg(strstr(error.text, words) != NULL, "%s", error.text);
    ck_assert_ptr_null(model);
    ck_assert_int_eq(form.frames, 77);
}

static Onnx__ModelProto *with(const struct kind *kind, const char *key, const char *value)
{
    Onnx__ModelProto *m = small_verifier(kind);
    build_metadata(m, key, value);
    return m;
}

START_TEST(test_refusals)
{
    const struct kind picture = {"Sigmoid", 1, {1, 3, SIDE, SIDE}, 4};
    const struct kind odd = {"Sigmoid", 1, {1, 7, SIDE, SIDE}, 4};
    const struct kind flat = {"Sigmoid", 1, {1, PLANES, SIDE * SIDE}, 3};
    const struct kind huge = {"Sigmoid", 1, {1, PLANES, 4096, SIDE}, 4};
    const struct kind many = {"Softmax", 3, {1, PLANES, SIDE, SIDE}, 4};
    refuse(small_verifier(&picture), "one picture");
    refuse(small_verifier(&odd), "[1, 7, 32, 32]");
    refuse(small_verifier(&flat), "a clip of 2 to 64 pictures");
    refuse(small_verifier(&huge), "sides of 32 to 512");
    refuse(small_verifier(&many), "of one number or of two");
    refuse(with(&kinds[0], "vedette.task", "track"), "something else than a verifier");
    refuse(with(&kinds[0], "task", "detect"), "This is a detector");
    refuse(with(&kinds[0], "vedette.frames", "16"), "16 pictures a clip");
    refuse(with(&kinds[0], "vedette.output", "guess"), "neither `probability` nor `logit`");
    vd_verifier_form form;
    vd_model *model = NULL;
    vd_error error = {0};
    ck_assert_int_eq(vd_model_read_verifier("/no/such.onnx", &form, &model, &error), VD_ENOTFOUND);
}
END_TEST

/* A detector's reader says what it is, in words. */
START_TEST(test_no_detector)
{
    uint8_t *bytes;
    size_t length;
    vd_model *model = NULL;
    vd_error error = {0};
    Onnx__ModelProto *m = with(&kinds[0], "vedette.task", "verify");
    ck_assert_int_eq(vd_onnx_pack(m, &bytes, &length), VD_OK);
    build_free(m);
    ck_assert_int_eq(vd_model_read_bytes(bytes, length, "road.onnx", NULL, &model, &error), VD_EFORMAT);
    ck_assert_msg(strstr(error.text, "a stage-2 verifier") != NULL, "%s", error.text);
    ck_assert_ptr_null(strchr(error.text, '\n'));
    free(bytes);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("verifier");
    TCase *reading = tcase_create("reading"), *numbers = tcase_create("numbers");
    tcase_add_loop_test(reading, test_form, 0, KINDS);
    tcase_add_test(reading, test_feed);
    tcase_add_test(reading, test_answers);
    tcase_add_test(reading, test_open_extents);
    tcase_add_test(reading, test_refusals);
    tcase_add_test(reading, test_no_detector);
    tcase_add_loop_test(numbers, test_numbers, 0, KINDS);
    suite_add_tcase(suite, reading);
    suite_add_tcase(suite, numbers);
    return suite;
}

TEST_MAIN(make_suite)
