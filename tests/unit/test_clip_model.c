/* Reading verifiers: what is refused, and with which words; how numbers become scores. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check_main.h"
#include "model/clip_model.h"
#include "model/onnx_file.h"
#include "onnx_build.h"

enum { FRAMES = 4, SIDE = 32, PLANES = 3 * FRAMES };

/* [1, 12, 32, 32] to `outputs` numbers. */
static Onnx__ModelProto *small_verifier(int outputs)
{
    Onnx__ModelProto *m = build_model(12);
    build_input(m, "clip", VD_ONNX_FLOAT, DIMS(1, PLANES, SIDE, SIDE));
    build_output(m, "verdict", DIMS(1, outputs));
    build_floats(m, "w", 0.1, 0.01, DIMS(outputs, PLANES, 1, 1));
    build_node(m, "GlobalAveragePool", "clip", "means");
    build_list(build_node(m, "Conv", "means w", "sums"), "kernel_shape", DIMS(1, 1));
    build_int(build_node(m, "Flatten", "sums", "verdict"), "axis", 1);
    return m;
}

/* Frees the model. */
static int read_model(Onnx__ModelProto *m, int frames, int batch, vd_clip_model *ret_model, vd_error *error)
{
    char path[] = "/tmp/vedette-clip-model-XXXXXX";
    uint8_t *bytes;
    size_t length;
    ck_assert_int_eq(vd_onnx_pack(m, &bytes, &length), VD_OK);
    build_free(m);
    int fd = mkstemp(path);
    ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
    close(fd);
    free(bytes);
    int code = vd_clip_model_read(path, frames, SIDE, SIDE, batch, ret_model, error);
    unlink(path);
    return code;
}

static void expect_refusal(Onnx__ModelProto *m, int code, const char *words)
{
    vd_clip_model model = {0};
    vd_error error = {0};
    int got = read_model(m, FRAMES, 1, &model, &error);
    ck_assert_msg(got == code && strstr(error.text, words), "%d: %s", got, error.text);
    ck_assert_ptr_null(model.model);
}

START_TEST(what_is_no_verifier)
{
    Onnx__ModelProto *m = small_verifier(1000);
    expect_refusal(m, VD_EFORMAT, "one number a clip, or two");
    m = small_verifier(1);
    build_input(m, "more", VD_ONNX_FLOAT, DIMS(1, 3));
    expect_refusal(m, VD_EFORMAT, "one input");
    m = small_verifier(1);
    build_output(m, "means", DIMS(1, PLANES, 1, 1));
    expect_refusal(m, VD_EFORMAT, "does not end in one number");
    m = small_verifier(1);
    build_metadata(m, "vedette.output", "logits");
    expect_refusal(m, VD_EFORMAT, "it can be logit or probability");
    m = small_verifier(2);
    build_metadata(m, "vedette.output", "probability");
    expect_refusal(m, VD_EFORMAT, "it can be logits or probabilities");
    m = small_verifier(1);
    build_metadata(m, "vedette.scale", "0.1 0.2");
    expect_refusal(m, VD_EFORMAT, "one number or three");
    m = small_verifier(1);
    build_metadata(m, "vedette.mean", "1 2 3 4");
    expect_refusal(m, VD_EFORMAT, "one number or three");
    m = small_verifier(1);
    build_node(m, "NonZero", "clip", "found");
    build_output(m, "found", DIMS(4, -1));
    expect_refusal(m, VD_EFORMAT, "");
}
END_TEST

START_TEST(sizes_and_batches)
{
    vd_clip_model model = {0};
    vd_error error = {0};
    ck_assert_int_eq(read_model(small_verifier(1), FRAMES, 1, &model, &error), VD_OK);
    ck_assert(!model.batch_is_free && model.form == VD_CLIP_STACKED && model.output == VD_CLIP_LOGIT);
    vd_clip_model_clear(&model);
    ck_assert_int_eq(read_model(small_verifier(1), 5, 1, &model, &error), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "[1, 12, 32, 32]; with temporal_size 5"));
    ck_assert_int_eq(read_model(small_verifier(1), FRAMES, 4, &model, &error), VD_EINVAL);
    Onnx__ModelProto *m = small_verifier(2);
    m->graph->input[0]->type->tensor_type->shape->dim[0]->has_dim_value = false;
    ck_assert_int_eq(read_model(m, FRAMES, 4, &model, &error), VD_OK);
    ck_assert(model.batch_is_free && model.output == VD_CLIP_LOGITS && model.model->input_extents[0] == 4);
    vd_clip_model_clear(&model);
    vd_clip_model_clear(&model);
}
END_TEST

START_TEST(numbers_become_scores)
{
    const float numbers[] = {-2, 1, 0.25f, 0.75f, NAN, INFINITY, 1.5f, -1000, 1000, 1.00001f};
    vd_clip_model model = {.output = VD_CLIP_LOGIT};
    vd_error error;
    float score;
    ck_assert_int_eq(vd_clip_model_score(&model, numbers, 1, &score, &error), VD_OK);
    ck_assert_float_eq_tol(score, 1 / (1 + expf(-1)), 1e-6f);
    ck_assert_int_eq(vd_clip_model_score(&model, numbers, 7, &score, &error), VD_OK);
    ck_assert_float_eq_tol(score, 0, 1e-6f);
    ck_assert_int_eq(vd_clip_model_score(&model, numbers, 4, &score, &error), VD_EFORMAT);
    ck_assert_int_eq(vd_clip_model_score(&model, numbers, 5, &score, &error), VD_EFORMAT);
    model.output = VD_CLIP_LOGITS;
    ck_assert_int_eq(vd_clip_model_score(&model, numbers, 0, &score, &error), VD_OK);
    ck_assert_float_eq_tol(score, 1 / (1 + expf(-3)), 1e-6f);
    ck_assert_int_eq(vd_clip_model_score(&model, numbers, 2, &score, &error), VD_EFORMAT); /* NAN, INFINITY */
    model.output = VD_CLIP_PROBABILITIES;
    ck_assert_int_eq(vd_clip_model_score(&model, numbers, 1, &score, &error), VD_OK);
    ck_assert_float_eq_tol(score, 0.75f, 1e-6f);
    model.output = VD_CLIP_PROBABILITY;
    ck_assert_int_eq(vd_clip_model_score(&model, numbers, 9, &score, &error), VD_OK);
    ck_assert_float_eq(score, 1);
    ck_assert_int_eq(vd_clip_model_score(&model, numbers, 6, &score, &error), VD_EFORMAT);
    ck_assert_int_eq(vd_clip_model_score(&model, numbers, 0, &score, &error), VD_EFORMAT);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("clip_model");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, what_is_no_verifier);
    tcase_add_test(tests, sizes_and_batches);
    tcase_add_test(tests, numbers_become_scores);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
