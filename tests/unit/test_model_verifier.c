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
    bool peaks; /* the largest of each map, not its mean */
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
    node = build_node(m, kind->peaks ? "ReduceMax" : "ReduceMean", "x4", "p");
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
static void compute(const float *clip, const struct kind *kind, double ret_logits[2])
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
            means[k] = kind->peaks ? fmax(means[k], x[k]) : means[k] + x[k] / (HALF * HALF);
    }
    for (int i = 0; i < kind->answers; i++)
        ret_logits[i] =
            -0.1 + 0.3 * i + (0.7 - 0.9 * (2 * i)) * means[0] + (0.7 - 0.9 * (2 * i + 1)) * means[1];
}

/* Writes the model to a file, which is read as a verifier; frees the model. */
static int read_verifier(Onnx__ModelProto *m, const vd_verifier_wish *wish, vd_verifier_form *ret_form,
                         vd_model **ret_model, vd_error *error)
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
    int code = vd_model_read_verifier(path, wish, ret_form, ret_model, error);
    unlink(path);
    return code;
}

static const struct kind kinds[] = {
    {"Sigmoid", 1, {1, PLANES, SIDE, SIDE}, 4, false},     {NULL, 1, {1, 3, FRAMES, SIDE, SIDE}, 5, false},
    {"Softmax", 2, {FRAMES, 3, SIDE, SIDE}, 4, false},     {NULL, 2, {1, PLANES, SIDE, SIDE}, 4, false},
    {"Sigmoid", 1, {-1, 3, FRAMES, SIDE, SIDE}, 5, false}, {"Sigmoid", 1, {1, PLANES, SIDE, SIDE}, 4, true},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

START_TEST(test_form)
{
    static const struct {
        vd_clip_layout layout;
        vd_verifier_output output;
    } right[KINDS] = {
        {VD_CLIP_STACKED, VD_VERIFIER_PROBABILITY},    {VD_CLIP_PLANES, VD_VERIFIER_LOGIT},
        {VD_CLIP_PICTURES, VD_VERIFIER_PROBABILITIES}, {VD_CLIP_STACKED, VD_VERIFIER_LOGITS},
        {VD_CLIP_PLANES, VD_VERIFIER_PROBABILITY},     {VD_CLIP_STACKED, VD_VERIFIER_PROBABILITY},
    };
    const struct kind *kind = &kinds[_i];
    vd_verifier_form form = {0};
    vd_model *model = NULL;
    vd_error error = {0};
    ck_assert_msg(read_verifier(small_verifier(kind), NULL, &form, &model, &error) == VD_OK, "%s",
                  error.text);
    ck_assert_int_eq(form.layout, right[_i].layout);
    ck_assert_int_eq(form.output, right[_i].output);
    ck_assert_int_eq(form.any_clips, kind->input[0] < 0);
    ck_assert_int_eq(form.clips, 1);
    ck_assert_int_eq(form.frames, FRAMES);
    ck_assert_int_eq(form.width, SIDE);
    ck_assert_int_eq(form.height, SIDE);
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

static void fill(const vd_verifier_form *form, int clip, float *tensor)
{
    static uint8_t rgb[SIDE * SIDE * 3];
    for (int frame = 0; frame < FRAMES; frame++) {
        for (int i = 0; i < SIDE * SIDE * 3; i++)
            rgb[i] = pixel_of(frame, i / 3, i % 3);
        vd_verifier_feed(form, clip, frame, rgb, tensor);
    }
}

START_TEST(test_feed)
{
    enum { CLIP = PLANES * SIDE * SIDE };
    static float tensor[2 * CLIP];
    vd_verifier_form form = {.frames = FRAMES, .width = SIDE, .height = SIDE, .clips = 2};
    for (int c = 0; c < 3; c++) {
        form.mean[c] = (float)(10 * c);
        form.scale[c] = 0.5f / (float)(c + 1);
    }
    for (int layout = VD_CLIP_STACKED; layout <= VD_CLIP_PLANES; layout++) {
        form.layout = (vd_clip_layout)layout;
        memset(tensor, 0, sizeof tensor);
        fill(&form, 1, tensor);
        ck_assert_float_eq(tensor[CLIP - 1], 0);
        for (int frame = 0; frame < FRAMES; frame++)
            for (int c = 0; c < 3; c++) {
                int plane = layout == VD_CLIP_PLANES ? c * FRAMES + frame : frame * 3 + c;
                for (int i = 0; i < SIDE * SIDE; i += 37)
                    ck_assert_float_eq_tol(tensor[CLIP + plane * SIDE * SIDE + i],
                                           ((float)pixel_of(frame, i, c) - form.mean[c]) * form.scale[c],
                                           1e-4f);
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
    ck_assert_msg(read_verifier(small_verifier(kind), NULL, &form, &model, &error) == VD_OK, "%s",
                  error.text);
    fill(&form, 0, clip);
    compute(clip, kind, logits);
    double right = kind->answers == 2 ? 1 / (1 + exp(logits[0] - logits[1])) : 1 / (1 + exp(-logits[0]));
    ck_assert_double_gt(right, 0.02);
    ck_assert_double_lt(right, 0.98);
    for (int plain = 0; plain < 2; plain++) {
        const vd_net_options options = {.plain = plain == 1};
        const float *data[VD_MODEL_OUTPUTS];
        vd_net *net = NULL;
        float *tensor, score;
        ck_assert_msg(vd_net_new(model, &options, &net, &error) == VD_OK, "%s", error.text);
        if (vd_engine_onednn_version())
            ck_assert_int_eq(plain == 0, strstr(vd_net_engine(net), " run of ") != NULL);
        for (int again = 0; again < 2; again++) {
            ck_assert_int_eq(vd_net_input(net, &tensor, &error), VD_OK);
            fill(&form, 0, tensor);
            ck_assert_int_eq(vd_net_forward(net, data, &error), VD_OK);
            ck_assert_int_eq(vd_verifier_score(&form, data[0], 0, &score, &error), VD_OK);
            ck_assert_double_eq_tol((double)score, right, 2e-5);
        }
        vd_net_free(&net);
    }
    vd_model_free(&model);
}
END_TEST

static void expect_score(vd_verifier_output output, const float *numbers, int clip, float right)
{
    const vd_verifier_form form = {.output = output};
    vd_error error = {0};
    float score = 0;
    ck_assert_msg(vd_verifier_score(&form, numbers, clip, &score, &error) == VD_OK, "%s", error.text);
    ck_assert_float_eq_tol(score, right, 1e-6f);
}

static void expect_no_score(vd_verifier_output output, const float *numbers, int clip, const char *words)
{
    const vd_verifier_form form = {.output = output};
    vd_error error = {0};
    float score = 7;
    ck_assert_int_eq(vd_verifier_score(&form, numbers, clip, &score, &error), VD_EFORMAT);
    ck_assert_msg(strstr(error.text, words) != NULL, "%s", error.text);
    ck_assert_float_eq(score, 7);
}

START_TEST(test_scores)
{
    const float numbers[] = {-2, 1, 0.25f, 0.75f, NAN, INFINITY, 1.5f, -1000, 1000, 1.00001f};
    expect_score(VD_VERIFIER_LOGIT, numbers, 1, 1 / (1 + expf(-1)));
    expect_score(VD_VERIFIER_LOGIT, numbers, 7, 0);
    expect_score(VD_VERIFIER_LOGIT, numbers, 8, 1);
    expect_no_score(VD_VERIFIER_LOGIT, numbers, 4, "no number");
    expect_no_score(VD_VERIFIER_LOGIT, numbers, 5, "no number");
    expect_score(VD_VERIFIER_LOGITS, numbers, 0, 1 / (1 + expf(-3)));
    expect_no_score(VD_VERIFIER_LOGITS, numbers, 2, "no number");
    expect_score(VD_VERIFIER_PROBABILITIES, numbers, 1, 0.75f);
    expect_no_score(VD_VERIFIER_PROBABILITIES, numbers, 2, "no number");
    expect_no_score(VD_VERIFIER_PROBABILITIES, numbers, 3, "may have to be logits");
    expect_score(VD_VERIFIER_PROBABILITY, numbers, 2, 0.25f);
    expect_score(VD_VERIFIER_PROBABILITY, numbers, 9, 1);
    expect_no_score(VD_VERIFIER_PROBABILITY, numbers, 6, "may have to be logit.");
    expect_no_score(VD_VERIFIER_PROBABILITY, numbers, 0, "probability");
}
END_TEST

/* What the file leaves open is as it is wished, or 16 pictures of 224 pixels; the metadata says how many. */
START_TEST(test_open_extents)
{
    static const struct {
        const char *frames;
        int expected, side;
        vd_verifier_wish wish;
    } cases[] = {{NULL, 16, 224, {0}}, {"8", 8, 224, {0}}, {NULL, 5, 64, {5, 64, 64, 1}}};
    for (int i = 0; i < 3; i++) {
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
        ck_assert_msg(read_verifier(m, &cases[i].wish, &form, &model, &error) == VD_OK, "%s", error.text);
        ck_assert_int_eq(form.frames, cases[i].expected);
        ck_assert_int_eq(form.width, cases[i].side);
        ck_assert_int_eq(form.output, VD_VERIFIER_PROBABILITY);
        vd_model_free(&model);
    }
}
END_TEST

static void refuse_wish(Onnx__ModelProto *m, const vd_verifier_wish *wish, int code, const char *words)
{
    vd_verifier_form form = {.frames = 77};
    vd_model *model = NULL;
    vd_error error = {0};
    ck_assert_int_eq(read_verifier(m, wish, &form, &model, &error), code);
    ck_assert_msg(strstr(error.text, words) != NULL, "%s", error.text);
    ck_assert_ptr_null(model);
    ck_assert_int_eq(form.frames, 77);
}

static void refuse(Onnx__ModelProto *m, const char *words)
{
    refuse_wish(m, NULL, VD_EFORMAT, words);
}

static Onnx__ModelProto *with(const struct kind *kind, const char *key, const char *value)
{
    Onnx__ModelProto *m = small_verifier(kind);
    build_metadata(m, key, value);
    return m;
}

START_TEST(test_refusals)
{
    const struct kind picture = {"Sigmoid", 1, {1, 3, SIDE, SIDE}, 4, false};
    const struct kind odd = {"Sigmoid", 1, {1, 7, SIDE, SIDE}, 4, false};
    const struct kind flat = {"Sigmoid", 1, {1, PLANES, SIDE * SIDE}, 3, false};
    const struct kind huge = {"Sigmoid", 1, {1, PLANES, 4096, SIDE}, 4, false};
    const struct kind many = {"Softmax", 3, {1, PLANES, SIDE, SIDE}, 4, false};
    refuse(small_verifier(&picture), "one picture");
    refuse(small_verifier(&odd), "[1, 7, 32, 32]");
    refuse(small_verifier(&flat), "a clip of 2 to 64 pictures");
    refuse(small_verifier(&huge), "sides of 32 to 512");
    refuse(small_verifier(&many), "of one number a clip or of two");
    refuse(with(&kinds[0], "vedette.task", "track"), "something else than a verifier");
    refuse(with(&kinds[0], "task", "detect"), "This is a detector");
    refuse(with(&kinds[0], "vedette.frames", "16"), "16 pictures a clip");
    refuse(with(&kinds[0], "vedette.output", "guess"), "it can be logit or probability");
    refuse(with(&kinds[2], "vedette.output", "probability"), "it can be logits or probabilities");
    refuse(with(&kinds[0], "vedette.scale", "0.1 0.2"), "one number or three");
    refuse(with(&kinds[0], "vedette.mean", "1 2 3 4"), "one number or three");
    refuse(with(&kinds[0], "vedette.scale", "1e300"), "one number or three");
    Onnx__ModelProto *m = small_verifier(&kinds[0]);
    m->graph->input[0]->type->tensor_type->elem_type = VD_ONNX_INT64;
    refuse(m, "of type int64");
    m = small_verifier(&kinds[0]);
    build_input(m, "more", VD_ONNX_FLOAT, DIMS(1, 3));
    refuse(m, "2 inputs");
    m = small_verifier(&kinds[0]);
    build_output(m, "c", DIMS(1, MAPS, HALF, HALF));
    refuse(m, "2 outputs");
    vd_verifier_form form;
    vd_model *model = NULL;
    vd_error error = {0};
    ck_assert_int_eq(vd_model_read_verifier("/no/such.onnx", NULL, &form, &model, &error), VD_ENOTFOUND);
}
END_TEST

/* Half precision is widened, as in detectors. */
START_TEST(test_half)
{
    vd_verifier_form form;
    vd_model *model = NULL;
    vd_net *net = NULL;
    vd_error error = {0};
    Onnx__ModelProto *m = small_verifier(&kinds[0]);
    m->graph->input[0]->type->tensor_type->elem_type = VD_ONNX_FLOAT16;
    ck_assert_msg(read_verifier(m, NULL, &form, &model, &error) == VD_OK, "%s", error.text);
    ck_assert_msg(vd_net_new(model, NULL, &net, &error) == VD_OK, "%s", error.text);
    vd_net_free(&net);
    vd_model_free(&model);
}
END_TEST

/* What the settings want and the file fixes must be the same; the sentence names both. */
START_TEST(test_sizes_that_do_not_meet)
{
    const vd_verifier_wish frames = {5, SIDE, SIDE, 1}, side = {FRAMES, 64, 64, 1}, clips = {0, 0, 0, 4};
    const vd_verifier_wish too_many = {0, 0, 0, 1000};
    refuse_wish(small_verifier(&kinds[0]), &frames, VD_EINVAL, "[1, 6, 32, 32], a clip of 2 pictures");
    refuse_wish(small_verifier(&kinds[0]), &frames, VD_EINVAL, "with temporal_size 5");
    refuse_wish(small_verifier(&kinds[1]), &side, VD_EINVAL, "input_size 64 × 64");
    refuse_wish(small_verifier(&kinds[0]), &clips, VD_EINVAL, "it takes 1 clip in one pass, not 4");
    refuse_wish(small_verifier(&kinds[2]), &clips, VD_EINVAL, "it takes 1 clip in one pass, not 4");
    refuse_wish(small_verifier(&kinds[4]), &too_many, VD_EFORMAT, "a clip of 2 to 64 pictures");
}
END_TEST

/* Means of every plane, their sum and its opposite: a number of clips that the file leaves open. */
START_TEST(test_several_clips)
{
    enum { CLIPS = 3 };
    const vd_verifier_wish wish = {FRAMES, SIDE, SIDE, CLIPS};
    static const uint8_t black[SIDE * SIDE * 3];
    vd_verifier_form form;
    vd_model *model = NULL;
    vd_net *net = NULL;
    vd_error error = {0};
    float *tensor, scores[CLIPS];
    const float *data[VD_MODEL_OUTPUTS];
    Onnx__ModelProto *m = build_model(12);
    build_input(m, "clip", VD_ONNX_FLOAT, DIMS(-1, PLANES, SIDE, SIDE));
    build_output(m, "verdict", DIMS(-1, 2));
    build_floats(m, "w", 0.1, 0.01, DIMS(2, PLANES, 1, 1));
    build_node(m, "GlobalAveragePool", "clip", "means");
    build_list(build_node(m, "Conv", "means w", "sums"), "kernel_shape", DIMS(1, 1));
    build_int(build_node(m, "Flatten", "sums", "verdict"), "axis", 1);
    ck_assert_msg(read_verifier(m, &wish, &form, &model, &error) == VD_OK, "%s", error.text);
    ck_assert(form.any_clips && form.clips == CLIPS && form.output == VD_VERIFIER_LOGITS);
    ck_assert_int_eq(model->input_extents[0], CLIPS);
    ck_assert_int_eq(vd_net_new(model, NULL, &net, &error), VD_OK);
    ck_assert_int_eq(vd_net_input(net, &tensor, &error), VD_OK);
    for (int clip = 0; clip < CLIPS; clip++)
        for (int i = 0; i < FRAMES; i++)
            vd_verifier_feed(&form, clip, i, black, tensor);
    fill(&form, 1, tensor);
    ck_assert_int_eq(vd_net_forward(net, data, &error), VD_OK);
    for (int clip = 0; clip < CLIPS; clip++)
        ck_assert_int_eq(vd_verifier_score(&form, data[0], clip, &scores[clip], &error), VD_OK);
    ck_assert_float_eq_tol(scores[0], 0.5f, 1e-6f);
    ck_assert_float_eq_tol(scores[2], 0.5f, 1e-6f);
    ck_assert_float_gt(scores[1], 0.53f);
    vd_net_free(&net);
    vd_model_free(&model);
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
    tcase_add_test(reading, test_scores);
    tcase_add_test(reading, test_open_extents);
    tcase_add_test(reading, test_refusals);
    tcase_add_test(reading, test_half);
    tcase_add_test(reading, test_sizes_that_do_not_meet);
    tcase_add_test(reading, test_no_detector);
    tcase_add_test(numbers, test_several_clips);
    tcase_add_loop_test(numbers, test_numbers, 0, KINDS);
    suite_add_tcase(suite, reading);
    suite_add_tcase(suite, numbers);
    return suite;
}

TEST_MAIN(make_suite)
