/* Stage 2 with model files: every form of input and output, files that are missing, appear, change or are
 * refused. */
#include <math.h>

#include "model/onnx_file.h"
#include "onnx_build.h"
#include "verify_case.h"

enum { COLORS = 3 };

static vd_frame_pool *pool;
static vd_frame *frames[CASE_FRAMES];
static char folder[64];

static void set_up(void)
{
    ck_assert_int_eq(vd_frame_pool_new(VD_PIXEL_BGRX, CASE_SIDE, CASE_SIDE, CASE_FRAMES, &pool), VD_OK);
    for (int i = 0; i < CASE_FRAMES; i++)
        frames[i] = case_frame(pool, (uint8_t)(40 * (i + 1)));
    strcpy(folder, "/tmp/vedette-verify-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void tear_down(void)
{
    char command[128];
    for (int i = 0; i < CASE_FRAMES; i++)
        vd_frame_unref(&frames[i]);
    vd_frame_pool_free(&pool);
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(case_children(NULL, 0), 0);
}

enum form { STACKED, STACKED_OPEN, PICTURES, PLANES, FORMS };
enum ending { LOGIT, LOGITS, PROBABILITY, PROBABILITIES, ENDINGS };

/* What channel c of picture t counts in the second output (the first counts minus a half of it). */
static double weight(int t, int c)
{
    return 0.3 * (t + 1) - 0.4 * (c + 1) + (t == 2 && c == 0 ? 1.1 : 0);
}

static double expected_logit(double bias)
{
    double sum = bias;
    for (int t = 0; t < CASE_FRAMES; t++) {
        const double color[COLORS] = {40 * (t + 1), 20, 10};
        for (int c = 0; c < COLORS; c++)
            sum += weight(t, c) * color[c] / 255;
    }
    return sum;
}

static double expected_score(enum ending ending, double bias)
{
    double logit = expected_logit(bias);
    return 1 / (1 + exp(-(ending == LOGITS || ending == PROBABILITIES ? 1.5 * logit : logit)));
}

/* Means of every plane, then one number or two as a 1 × 1 convolution. */
static Onnx__ModelProto *tiny_verifier(enum form form, enum ending ending, double bias)
{
    bool two = ending == LOGITS || ending == PROBABILITIES;
    int planes = CASE_FRAMES * COLORS, outputs = two ? 2 : 1;
    Onnx__ModelProto *m = build_model(12);
    if (form == STACKED || form == STACKED_OPEN)
        build_input(m, "clip", VD_ONNX_FLOAT, DIMS(form == STACKED ? 1 : -1, planes, CASE_SIDE, CASE_SIDE));
    else if (form == PICTURES)
        build_input(m, "clip", VD_ONNX_FLOAT, DIMS(CASE_FRAMES, COLORS, CASE_SIDE, CASE_SIDE));
    else
        build_input(m, "clip", VD_ONNX_FLOAT, DIMS(1, COLORS, CASE_FRAMES, CASE_SIDE, CASE_SIDE));
    build_output(m, "verdict", DIMS(form == STACKED_OPEN ? -1 : 1, outputs));
    Onnx__TensorProto *w = build_constant(m, "w", VD_ONNX_FLOAT, DIMS(outputs, planes, 1, 1));
    Onnx__TensorProto *b = build_constant(m, "b", VD_ONNX_FLOAT, DIMS(outputs));
    for (int t = 0; t < CASE_FRAMES; t++)
        for (int c = 0; c < COLORS; c++) {
            int at = form == PLANES ? c * CASE_FRAMES + t : t * COLORS + c;
            vd_onnx_tensor_set_number(w, (size_t)(planes * (outputs - 1) + at), weight(t, c));
            if (two)
                vd_onnx_tensor_set_number(w, (size_t)at, -weight(t, c) / 2);
        }
    vd_onnx_tensor_set_number(b, (size_t)outputs - 1, bias);
    if (two)
        vd_onnx_tensor_set_number(b, 0, -bias / 2);
    build_ints(m, "flat", DIMS(1, planes, CASE_SIDE, CASE_SIDE));
    if (form == PICTURES || form == PLANES)
        build_node(m, "Reshape", "clip flat", "stacked");
    build_node(m, "GlobalAveragePool", form == PICTURES || form == PLANES ? "stacked" : "clip", "means");
    build_list(build_node(m, "Conv", "means w b", "sums"), "kernel_shape", DIMS(1, 1));
    build_int(build_node(m, "Flatten", "sums", ending < PROBABILITY ? "verdict" : "logits"), "axis", 1);
    if (ending == PROBABILITY)
        build_node(m, "Sigmoid", "logits", "verdict");
    else if (ending == PROBABILITIES)
        build_int(build_node(m, "Softmax", "logits", "verdict"), "axis", 1);
    return m;
}

/* Writes beside and renames, as programs do that replace a file. Frees the model. */
static void write_model(const char *path, Onnx__ModelProto *m)
{
    uint8_t *bytes;
    size_t length;
    char part[128];
    ck_assert_int_eq(vd_onnx_pack(m, &bytes, &length), VD_OK);
    build_free(m);
    snprintf(part, sizeof part, "%s.part", path);
    FILE *file = fopen(part, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    fclose(file);
    free(bytes);
    ck_assert_int_eq(rename(part, path), 0);
}

static char *path_of(const char *name)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static vd_verify_options model_options(const char *path)
{
    vd_verify_options options = case_options("onnx");
    vd_text_copy(options.model_path, sizeof options.model_path, path);
    return options;
}

static uint64_t submit(vd_verifier *verifier)
{
    vd_verify_clip clip = case_clip(frames[0]);
    uint64_t id = 0;
    for (int i = 0; i < CASE_FRAMES; i++)
        clip.frames[i] = frames[i];
    ck_assert_int_eq(vd_verifier_submit(verifier, &clip, 0.5f, &id, NULL), VD_OK);
    return id;
}

static vd_verify_result verify(vd_verifier *verifier)
{
    return case_take(verifier, submit(verifier));
}

static void expect_score(vd_verifier *verifier, double score)
{
    vd_verify_result result = verify(verifier);
    ck_assert_msg(result.verdict == VD_VERDICT_VERIFIED || result.verdict == VD_VERDICT_REJECTED, "%s",
                  result.error.text);
    ck_assert_double_eq_tol((double)result.score, score, 1e-4);
    ck_assert_int_eq(result.verdict, score >= 0.7 ? VD_VERDICT_VERIFIED : VD_VERDICT_REJECTED);
}

START_TEST(every_form_gives_the_same)
{
    enum form form = (enum form)(_i % FORMS);
    enum ending ending = (enum ending)(_i / FORMS);
    char *path = path_of("tiny.onnx");
    write_model(path, tiny_verifier(form, ending, 0.25));
    vd_verify_options options = model_options(path);
    options.max_workers = 1;
    vd_verifier *verifier = case_new(&options);
    expect_score(verifier, expected_score(ending, 0.25));
    uint64_t ids[12]; /* several wait at once: passes of more than one clip where the batch is open */
    for (int i = 0; i < 12; i++)
        ids[i] = submit(verifier);
    for (int i = 0; i < 12; i++)
        ck_assert_double_eq_tol((double)case_take(verifier, ids[i]).score, expected_score(ending, 0.25),
                                1e-4);
    ck_assert_str_eq(case_stats(verifier).model, "tiny");
    vd_verifier_free(&verifier);
}
END_TEST

/* Metadata says how values are fed and what comes out. */
START_TEST(metadata_has_the_last_word)
{
    char *path = path_of("fed.onnx");
    Onnx__ModelProto *m = tiny_verifier(STACKED, LOGIT, 0);
    build_metadata(m, "vedette.output", "logit");
    build_metadata(m, "vedette.mean", "255");
    build_metadata(m, "vedette.scale", "0.001 0.001 0.001");
    write_model(path, m);
    vd_verify_options options = model_options(path);
    vd_verifier *verifier = case_new(&options);
    double sum = 0;
    for (int t = 0; t < CASE_FRAMES; t++) {
        const double color[COLORS] = {40 * (t + 1), 20, 10};
        for (int c = 0; c < COLORS; c++)
            sum += weight(t, c) * (color[c] - 255) * 0.001;
    }
    expect_score(verifier, 1 / (1 + exp(-sum)));
    vd_verifier_free(&verifier);
}
END_TEST

/* A number that is said to be a probability and is none: failed, and the worker stays. Degraded at the third,
 * until another model is there. */
START_TEST(a_probability_that_is_none)
{
    char *path = path_of("loud.onnx");
    Onnx__ModelProto *m = tiny_verifier(STACKED, LOGIT, 40);
    build_metadata(m, "vedette.output", "probability");
    write_model(path, m);
    vd_verify_options options = model_options(path);
    vd_verifier *verifier = case_new(&options);
    for (int i = 0; i < 3; i++) {
        vd_verify_result result = verify(verifier);
        ck_assert_int_eq(result.cause, VD_CAUSE_FAILED);
        ck_assert_ptr_nonnull(strstr(result.error.text, "probability"));
        ck_assert_int_eq(case_stats(verifier).degraded, i == 2);
    }
    ck_assert_uint_eq(case_stats(verifier).restarts, 0);
    ck_assert_ptr_nonnull(strstr(case_stats(verifier).degraded_why.text, "probability"));
    path = path_of("sound.onnx");
    write_model(path, tiny_verifier(STACKED, LOGIT, 0));
    ck_assert_int_eq(vd_verifier_set_model(verifier, path, NULL), VD_OK);
    CASE_UNTIL(verifier, !stats.degraded);
    expect_score(verifier, expected_score(LOGIT, 0));
    vd_verifier_free(&verifier);
}
END_TEST

/* A pass of several clips that fails as a whole: each goes again by itself, with its pictures. The worker is
 * held so that enough of them wait. */
START_TEST(a_pass_that_fails_is_tried_clip_by_clip)
{
    char *path = path_of("loud.onnx");
    Onnx__ModelProto *m = tiny_verifier(STACKED_OPEN, LOGIT, 40);
    build_metadata(m, "vedette.output", "probability");
    write_model(path, m);
    vd_verify_options options = model_options(path);
    options.max_workers = 1;
    vd_verifier *verifier = case_new(&options);
    uint64_t ids[9];
    int worker = 0;
    ck_assert_int_eq(verify(verifier).cause, VD_CAUSE_FAILED); /* timed: passes may be larger now */
    ck_assert_int_eq(case_children(&worker, 1), 1);
    ck_assert_int_gt(worker, 1);
    ck_assert_int_eq(kill(worker, SIGSTOP), 0);
    for (int i = 0; i < 9; i++)
        ids[i] = submit(verifier);
    CASE_UNTIL(verifier, stats.workers_active == 1);
    ck_assert_int_eq(kill(worker, SIGCONT), 0);
    for (int i = 0; i < 9; i++) {
        vd_verify_result result = case_take(verifier, ids[i]);
        ck_assert_int_eq(result.cause, VD_CAUSE_FAILED);
        ck_assert_ptr_nonnull(strstr(result.error.text, "probability"));
    }
    vd_verify_stats stats = case_stats(verifier);
    ck_assert_uint_eq(stats.unverified, 10);
    ck_assert_uint_eq(stats.restarts, 0);
    vd_verifier_free(&verifier);
}
END_TEST

static void expect_degraded(vd_verifier *verifier, const char *why)
{
    CASE_UNTIL(verifier, stats.degraded);
    vd_verify_result result = verify(verifier);
    ck_assert_int_eq(result.verdict, VD_VERDICT_UNVERIFIED);
    ck_assert_int_eq(result.cause, VD_CAUSE_DEGRADED);
    ck_assert_float_eq_tol(result.simple_score, 0.6f, 1e-5f);
    vd_verify_stats stats = case_stats(verifier);
    ck_assert_msg(strstr(stats.degraded_why.text, why) != NULL, "%s", stats.degraded_why.text);
}

/* Missing, then rubbish, then there: back by itself. */
START_TEST(a_missing_model_appears)
{
    char *path = path_of("late.onnx");
    vd_verify_options options = model_options(path);
    vd_verifier *verifier = case_new(&options);
    expect_degraded(verifier, "cannot be found");
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs("This is no model.\n", file);
    fclose(file);
    CASE_UNTIL(verifier, strstr(stats.degraded_why.text, "cannot be found") == NULL);
    expect_degraded(verifier, "");
    ck_assert_int_eq(case_stats(verifier).workers_active, 0);
    write_model(path, tiny_verifier(STACKED, PROBABILITY, 1));
    CASE_UNTIL(verifier, !stats.degraded);
    expect_score(verifier, expected_score(PROBABILITY, 1));
    ck_assert_str_eq(case_stats(verifier).degraded_why.text, "");
    vd_verifier_free(&verifier);
}
END_TEST

START_TEST(no_model_at_all)
{
    vd_verify_options options = model_options("");
    vd_verifier *verifier = case_new(&options);
    expect_degraded(verifier, "No second model");
    char *path = path_of("first.onnx");
    write_model(path, tiny_verifier(STACKED, LOGIT, 0));
    ck_assert_int_eq(vd_verifier_set_model(verifier, path, NULL), VD_OK);
    CASE_UNTIL(verifier, !stats.degraded && stats.model[0] != '\0');
    expect_score(verifier, expected_score(LOGIT, 0));
    ck_assert_int_eq(vd_verifier_set_model(verifier, "", NULL), VD_OK);
    expect_degraded(verifier, "No second model");
    vd_verifier_free(&verifier);
}
END_TEST

/* Good to good while requests come: each is answered by one of the two. Good to broken: the old one stays. */
START_TEST(a_model_is_replaced_while_it_runs)
{
    char *one = path_of("one.onnx"), *two = path_of("two.onnx"), *bad = path_of("bad.onnx");
    write_model(one, tiny_verifier(STACKED, LOGIT, 0));
    write_model(two, tiny_verifier(PLANES, LOGIT, 3));
    write_model(bad, tiny_verifier(STACKED, LOGIT, 0));
    ck_assert_int_eq(truncate(bad, 200), 0);
    double before = expected_score(LOGIT, 0), after = expected_score(LOGIT, 3);
    vd_verify_options options = model_options(one);
    vd_verifier *verifier = case_new(&options);
    expect_score(verifier, before);
    ck_assert_int_eq(vd_verifier_set_model(verifier, two, NULL), VD_OK);
    double score = before;
    for (int i = 0; i < 2000 && fabs(score - after) > 1e-4; i++) {
        score = (double)verify(verifier).score;
        ck_assert(fabs(score - after) < 1e-4 || fabs(score - before) < 1e-4);
    }
    ck_assert_double_eq_tol(score, after, 1e-4);
    ck_assert_str_eq(case_stats(verifier).model, "two");
    ck_assert_int_eq(vd_verifier_set_model(verifier, bad, NULL), VD_OK);
    CASE_UNTIL(verifier, stats.degraded_why.text[0] != '\0');
    ck_assert(!case_stats(verifier).degraded);
    int worker = 0; /* a worker that comes in place of another takes nothing away from why */
    for (int i = 0; i < 2000 && case_children(&worker, 1) > 1; i++)
        usleep(5000);
    ck_assert_int_eq(case_children(&worker, 1), 1);
    ck_assert_int_gt(worker, 1);
    kill(worker, SIGKILL);
    CASE_UNTIL(verifier, stats.crashes == 1 && stats.workers == 1);
    ck_assert(case_stats(verifier).degraded_why.text[0] != '\0');
    for (int i = 0; i < 5; i++)
        expect_score(verifier, after);
    ck_assert_str_eq(case_stats(verifier).model, "two");
    ck_assert_uint_eq(case_stats(verifier).unverified, 0);
    vd_verifier_free(&verifier);
}
END_TEST

/* What the file fixes and the settings want must be the same; the sentence names both. */
START_TEST(sizes_that_do_not_meet)
{
    char *path = path_of("size.onnx");
    write_model(path, tiny_verifier(STACKED, LOGIT, 0));
    vd_verify_options options = model_options(path);
    options.temporal_size = 16;
    vd_verifier *verifier = case_new(&options);
    expect_degraded(verifier, "temporal_size 16");
    vd_verifier_free(&verifier);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("verify_model");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 200);
    tcase_add_loop_test(tests, every_form_gives_the_same, 0, (int)FORMS * (int)ENDINGS);
    tcase_add_test(tests, metadata_has_the_last_word);
    tcase_add_test(tests, a_probability_that_is_none);
    tcase_add_test(tests, a_pass_that_fails_is_tried_clip_by_clip);
    tcase_add_test(tests, a_missing_model_appears);
    tcase_add_test(tests, no_model_at_all);
    tcase_add_test(tests, a_model_is_replaced_while_it_runs);
    tcase_add_test(tests, sizes_that_do_not_meet);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
