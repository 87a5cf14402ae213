/* Gathering runs of layers, and the code of what was gathered. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "model/onnx_file.h"
#include "model/onnx_passes.h"
#include "model/onnx_plan.h"
#include "onnx_build.h"

/* --- Networks */

/* A convolution 3 × 3 of 4 channels with its bias; weights differ by `name`. */
static Onnx__NodeProto *put_conv(Onnx__ModelProto *m, const char *in, const char *name, const char *out)
{
    char weights[40], bias[40], links[160];
    snprintf(weights, sizeof weights, "w_%s", name);
    snprintf(bias, sizeof bias, "b_%s", name);
    snprintf(links, sizeof links, "%s %s %s", in, weights, bias);
    build_floats(m, weights, -0.1, 0.002, DIMS(4, 4, 3, 3));
    build_floats(m, bias, -0.1, 0.05, DIMS(4));
    Onnx__NodeProto *node = build_node(m, "Conv", links, out);
    build_list(node, "pads", DIMS(1, 1, 1, 1));
    return node;
}

static Onnx__ModelProto *new_model(int opset)
{
    Onnx__ModelProto *m = build_model(opset);
    build_input(m, "x", VD_ONNX_FLOAT, DIMS(1, 4, 8, 8));
    return m;
}

/* `count` convolutions in a row, from `in` to `out`. */
static void put_chain(Onnx__ModelProto *m, const char *in, const char *out, int count)
{
    char from[32], to[32];
    snprintf(from, sizeof from, "%s", in);
    for (int i = 0; i < count; i++) {
        snprintf(to, sizeof to, i == count - 1 ? "%s" : "%s_%d", out, i);
        put_conv(m, from, to, to);
        memcpy(from, to, sizeof from);
    }
}

static vd_plan_tally gather(Onnx__ModelProto *m)
{
    vd_onnx_graph graph;
    vd_plan_tally tally = {0};
    vd_error error = {0};
    ck_assert_msg(vd_onnx_graph_init(&graph, m, "", &error) == VD_OK, "%s", error.text);
    ck_assert_msg(vd_onnx_resolve(&graph, &error) == VD_OK, "%s", error.text);
    ck_assert_msg(vd_onnx_plan(&graph, &tally, &error) == VD_OK, "%s", error.text);
    vd_onnx_graph_fini(&graph);
    return tally;
}

/* The code of a node as the engine reads it. */
static vd_plan_graph plan_of(const Onnx__NodeProto *node)
{
    vd_plan_graph plan = {0};
    vd_error error = {0};
    ck_assert_str_eq(node->op_type, VD_PLAN_OP);
    ck_assert_str_eq(node->attribute[0]->name, VD_PLAN_CODE);
    size_t length = node->attribute[0]->n_ints;
    int32_t *code = malloc(length * sizeof *code);
    for (size_t i = 0; i < length; i++)
        code[i] = (int32_t)node->attribute[0]->ints[i];
    ck_assert_msg(vd_plan_decode(code, length, &plan, &error) == VD_OK, "%s", error.text);
    free(code);
    ck_assert_uint_eq(node->n_input, (size_t)(plan.input_count + plan.constant_count));
    ck_assert_uint_eq(node->n_output, (size_t)plan.output_count);
    return plan;
}

static bool is_whole(const Onnx__NodeProto *node)
{
    ck_assert_str_eq(node->attribute[1]->name, VD_PLAN_WHOLE);
    return node->attribute[1]->i == 1;
}

static int count_kind(const vd_plan_graph *plan, vd_plan_kind kind)
{
    int count = 0;
    for (int i = 0; i < plan->step_count; i++)
        count += plan->steps[i].kind == kind;
    return count;
}

START_TEST(test_a_whole_network_is_one_run)
{
    Onnx__ModelProto *m = new_model(12);
    put_chain(m, "x", "a", 4);
    build_node(m, "Sigmoid", "a", "gate");
    build_node(m, "Mul", "gate a", "silu");
    build_node(m, "Relu", "silu", "late");
    build_node(m, "Add", "silu late", "early");
    build_output(m, "late", DIMS(1, 4, 8, 8));
    build_output(m, "early", DIMS(1, 4, 8, 8));
    vd_plan_tally tally = gather(m);
    ck_assert_int_eq(tally.runs, 1);
    ck_assert_int_eq(tally.gathered, 8);
    ck_assert_int_eq(tally.left, 0);
    ck_assert_uint_eq(m->graph->n_node, 1);
    ck_assert_uint_eq(m->graph->n_initializer, 8);
    const Onnx__NodeProto *node = m->graph->node[0];
    vd_plan_graph plan = plan_of(node);
    ck_assert(is_whole(node));
    ck_assert_str_eq(node->input[0], "x");
    ck_assert_str_eq(node->output[0], "late");
    ck_assert_str_eq(node->output[1], "early");
    ck_assert_int_eq(plan.step_count, 6); /* the sigmoid is gone, the SiLU went into its convolution */
    ck_assert_int_eq(plan.steps[3].kind, VD_PLAN_CONV);
    ck_assert_int_eq(plan.steps[3].act, VD_ACT_SILU);
    ck_assert_int_eq(plan.outputs[0], plan.steps[4].out);
    ck_assert_int_eq(plan.outputs[1], plan.steps[5].out);
    vd_plan_clear(&plan);
    build_free(m);
}
END_TEST

START_TEST(test_an_activation_stays_where_others_read)
{
    Onnx__ModelProto *m = new_model(12);
    put_chain(m, "x", "a", 4);
    build_node(m, "Relu", "a", "r");
    build_node(m, "Add", "a r", "y");
    build_output(m, "y", DIMS(1, 4, 8, 8));
    gather(m);
    vd_plan_graph plan = plan_of(m->graph->node[0]);
    ck_assert_int_eq(count_kind(&plan, VD_PLAN_ACT), 1);
    ck_assert_int_eq(plan.steps[3].act, VD_ACT_NONE);
    vd_plan_clear(&plan);
    build_free(m);
}
END_TEST

/* What no plan computes splits the network: no way leaves a run and comes back. */
START_TEST(test_runs_do_not_wait_for_themselves)
{
    Onnx__ModelProto *m = new_model(12);
    put_chain(m, "x", "a", 4);
    build_node(m, "Softplus", "a", "soft");
    put_chain(m, "a", "b", 4);
    build_node(m, "Add", "b soft", "c");
    put_chain(m, "c", "d", 4);
    build_node(m, "Relu", "x", "e");
    build_output(m, "d", DIMS(1, 4, 8, 8));
    build_output(m, "e", DIMS(1, 4, 8, 8));
    vd_plan_tally tally = gather(m);
    ck_assert_int_eq(tally.runs, 2);
    ck_assert_int_eq(tally.left, 1);
    ck_assert_uint_eq(m->graph->n_node, 3);
    ck_assert_str_eq(m->graph->node[1]->op_type, "Softplus");
    vd_plan_graph first = plan_of(m->graph->node[0]), second = plan_of(m->graph->node[2]);
    ck_assert_int_eq(first.input_count, 1);
    ck_assert_int_eq(first.output_count, 3); /* a for Softplus, b, e */
    ck_assert_int_eq(second.input_count, 2);
    ck_assert(!is_whole(m->graph->node[0]));
    vd_onnx_graph graph;
    ck_assert_int_eq(vd_onnx_graph_init(&graph, m, "", NULL), VD_OK); /* nodes stand in order */
    vd_onnx_graph_fini(&graph);
    vd_plan_clear(&first);
    vd_plan_clear(&second);
    build_free(m);
}
END_TEST

START_TEST(test_small_runs_stay)
{
    Onnx__ModelProto *m = new_model(12);
    put_chain(m, "x", "a", 3);
    build_output(m, "a", DIMS(1, 4, 8, 8));
    ck_assert_int_eq(gather(m).runs, 0);
    ck_assert_uint_eq(m->graph->n_node, 3);
    build_free(m);
}
END_TEST

/* A node behind four convolutions: whether it is in the run. */
static bool is_gathered(Onnx__ModelProto *m, int64_t height, int64_t width)
{
    build_output(m, "y", DIMS(1, 4, height, width));
    vd_plan_tally tally = gather(m);
    build_free(m);
    return tally.left == 0;
}

static Onnx__ModelProto *with_resize(const char *mode, const char *places, const char *rounding,
                                     double factor)
{
    Onnx__ModelProto *m = new_model(13);
    put_chain(m, "x", "a", 4);
    build_floats(m, "scales", 1, 0, DIMS(4));
    for (size_t i = 2; i < 4; i++)
        vd_onnx_tensor_set_number(m->graph->initializer[m->graph->n_initializer - 1], i, factor);
    Onnx__NodeProto *node = build_node(m, "Resize", "a - scales", "y");
    build_text(node, "mode", mode);
    if (places)
        build_text(node, "coordinate_transformation_mode", places);
    if (rounding)
        build_text(node, "nearest_mode", rounding);
    return m;
}

START_TEST(test_only_repeating_resizes_are_gathered)
{
    ck_assert(is_gathered(with_resize("nearest", "asymmetric", "floor", 3), 24, 24));
    ck_assert(is_gathered(with_resize("nearest", "asymmetric", NULL, 2), 16, 16));
    ck_assert(!is_gathered(with_resize("nearest", "asymmetric", NULL, 3), 24, 24));
    ck_assert(!is_gathered(with_resize("nearest", "asymmetric", "ceil", 2), 16, 16));
    ck_assert(is_gathered(with_resize("nearest", NULL, NULL, 4), 32, 32));
    ck_assert(!is_gathered(with_resize("nearest", "align_corners", NULL, 2), 16, 16));
    ck_assert(!is_gathered(with_resize("nearest", "asymmetric", "floor", 1.5), 12, 12));
    ck_assert(!is_gathered(with_resize("linear", "half_pixel", NULL, 2), 16, 16));
}
END_TEST

/* Rounding up is written into the padding behind. */
START_TEST(test_pools)
{
    Onnx__ModelProto *m = new_model(12);
    put_chain(m, "x", "a", 4);
    Onnx__NodeProto *pool = build_node(m, "MaxPool", "a", "y");
    build_list(pool, "kernel_shape", DIMS(3, 3));
    build_list(pool, "strides", DIMS(2, 2));
    build_int(pool, "ceil_mode", 1);
    build_output(m, "y", DIMS(1, 4, 4, 4));
    gather(m);
    vd_plan_graph plan = plan_of(m->graph->node[0]);
    ck_assert_int_eq(plan.steps[4].kind, VD_PLAN_MAX_POOL);
    const int wanted[8] = {3, 3, 2, 2, 0, 0, 1, 1};
    ck_assert_mem_eq(plan.steps[4].ints, wanted, sizeof wanted);
    vd_plan_clear(&plan);
    build_free(m);
}
END_TEST

/* Shuffled channels, a slice of two axes, a split: everything a run may hold, and its code reads back. */
static Onnx__ModelProto *varied_model(void)
{
    Onnx__ModelProto *m = new_model(12);
    put_chain(m, "x", "a", 4);
    build_ints(m, "five", DIMS(1, 2, 2, 8, 8));
    build_ints(m, "four", DIMS(1, 4, 8, 8));
    build_ints(m, "starts", DIMS(0, 1));
    build_ints(m, "ends", DIMS(8, 8));
    build_ints(m, "axes", DIMS(2, 3));
    build_ints(m, "steps", DIMS(2, 1));
    build_ints(m, "one", DIMS(1));
    build_floats(m, "all", 0.5, 0, DIMS(1, 4, 8, 8));
    build_floats(m, "each", 0.5, 1, DIMS(1, 4, 1, 1));
    build_node(m, "Reshape", "a five", "s5");
    build_list(build_node(m, "Transpose", "s5", "t5"), "perm", DIMS(0, 2, 1, 3, 4));
    build_node(m, "Reshape", "t5 four", "shuffled");
    build_node(m, "Mul", "shuffled all", "half");
    build_node(m, "Sub", "half each", "moved");
    build_list(build_node(m, "Split", "moved", "p q"), "split", DIMS(1, 3));
    build_int(m->graph->node[m->graph->n_node - 1], "axis", 1);
    build_int(build_node(m, "Concat", "q p", "back"), "axis", 1);
    build_node(m, "Slice", "back starts ends axes steps", "cut");
    build_int(build_node(m, "Gather", "s5 one", "taken"), "axis", 2);
    build_node(m, "MatMul", "shuffled a", "product");
    build_int(build_node(m, "Softmax", "product", "soft"), "axis", 3);
    build_node(m, "GlobalAveragePool", "soft", "mean");
    build_output(m, "cut", DIMS(1, 4, 4, 7));
    build_output(m, "taken", DIMS(1, 2, 1, 8, 8));
    build_output(m, "mean", DIMS(1, 4, 1, 1));
    return m;
}

START_TEST(test_a_varied_run)
{
    Onnx__ModelProto *m = varied_model();
    vd_plan_tally tally = gather(m);
    ck_assert_int_eq(tally.left, 0);
    vd_plan_graph plan = plan_of(m->graph->node[0]);
    ck_assert_int_eq(count_kind(&plan, VD_PLAN_SLICE), 5);
    ck_assert_int_eq(count_kind(&plan, VD_PLAN_TRANSPOSE), 1);
    ck_assert_int_eq(count_kind(&plan, VD_PLAN_MATMUL), 1);
    ck_assert_int_eq(plan.constant_count, 10);
    bool shrunk = false; /* a constant that says the same everywhere is one number */
    for (int i = 0; i < plan.value_count; i++)
        shrunk = shrunk || (plan.values[i].constant >= 0 && vd_plan_count(&plan.values[i]) == 1);
    ck_assert(shrunk);
    vd_plan_clear(&plan);
    build_free(m);
}
END_TEST

START_TEST(test_files)
{
    Onnx__ModelProto *m = varied_model();
    uint8_t *bytes, *planned = NULL;
    size_t length, planned_length = 0;
    vd_plan_tally tally = {0};
    vd_error error = {0};
    ck_assert_int_eq(vd_onnx_pack(m, &bytes, &length), VD_OK);
    build_free(m);
    ck_assert_int_eq(vd_onnx_plan_file(bytes, length, "", &planned, &planned_length, &tally, &error), VD_OK);
    ck_assert_int_eq(tally.runs, 1);
    ck_assert_int_eq(vd_onnx_parse(planned, planned_length, "", &m, &error), VD_OK);
    ck_assert_str_eq(m->graph->node[0]->op_type, VD_PLAN_OP);
    build_free(m);
    free(planned);
    planned = NULL;
    ck_assert_int_eq(vd_onnx_plan_file(bytes, length / 2, "", &planned, &planned_length, &tally, &error),
                     VD_EFORMAT);
    ck_assert_ptr_null(planned);
    free(bytes);

    m = new_model(12);
    put_chain(m, "x", "a", 1);
    build_output(m, "a", DIMS(1, 4, 8, 8));
    ck_assert_int_eq(vd_onnx_pack(m, &bytes, &length), VD_OK);
    build_free(m);
    ck_assert_int_eq(vd_onnx_plan_file(bytes, length, "", &planned, &planned_length, &tally, &error), VD_OK);
    ck_assert_ptr_null(planned);
    free(bytes);
}
END_TEST

/* --- Codes */

static size_t varied_code(int32_t **ret_code)
{
    Onnx__ModelProto *m = varied_model();
    gather(m);
    vd_plan_graph plan = plan_of(m->graph->node[0]);
    size_t length = 0;
    ck_assert_int_eq(vd_plan_encode(&plan, ret_code, &length), VD_OK);
    vd_plan_clear(&plan);
    build_free(m);
    return length;
}

/* Walks a graph as the engine does, without any check of its own: the sanitizers see to the rest. */
static size_t walk(const vd_plan_graph *plan)
{
    size_t sum = 0;
    for (int i = 0; i < plan->step_count; i++) {
        const vd_plan_step *step = &plan->steps[i];
        for (int k = 0; k < step->in_count; k++)
            sum += vd_plan_count(&plan->values[step->in[k]]);
        sum += vd_plan_count(&plan->values[step->out]);
        ck_assert_int_lt(step->kind, VD_PLAN_KIND_END);
        ck_assert_int_lt(step->act, VD_ACT_END);
    }
    for (int i = 0; i < plan->output_count; i++)
        sum += vd_plan_count(&plan->values[plan->outputs[i]]);
    return sum;
}

/* Decodes a copy of exactly that length: true when it is sound. A refusal is a sentence. */
static bool decodes(const int32_t *code, size_t length)
{
    vd_plan_graph plan = {0};
    vd_error error = {0};
    int32_t *copy = malloc(length * sizeof *copy + 1);
    memcpy(copy, code, length * sizeof *copy);
    int result = vd_plan_decode(copy, length, &plan, &error);
    free(copy);
    if (result == VD_OK) {
        ck_assert_uint_gt(walk(&plan), 0);
        vd_plan_clear(&plan);
        return true;
    }
    ck_assert_int_eq(result, VD_EFORMAT);
    ck_assert_int_eq(error.text[strlen(error.text) - 1], '.');
    ck_assert_ptr_null(plan.values);
    return false;
}

START_TEST(test_codes_read_back)
{
    int32_t *code, *again;
    size_t length = varied_code(&code), again_length = 0;
    vd_plan_graph plan = {0};
    ck_assert_int_eq(vd_plan_decode(code, length, &plan, NULL), VD_OK);
    ck_assert_int_eq(vd_plan_encode(&plan, &again, &again_length), VD_OK);
    ck_assert_uint_eq(length, again_length);
    ck_assert_mem_eq(code, again, length * sizeof *code);
    vd_plan_clear(&plan);
    free(again);
    free(code);
}
END_TEST

START_TEST(test_hostile_codes_are_refused)
{
    static const int32_t values[] = {INT_MIN, -2, -1, 0, 1, 2, 5, 9, 17, 64, 4096, 1 << 20, 1 << 29, INT_MAX};
    int32_t *code;
    size_t length = varied_code(&code), refused = 0, tried = 0;
    for (size_t i = 0; i < length; i++) {
        ck_assert(!decodes(code, i));
        int32_t kept = code[i];
        for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
            code[i] = values[k];
            tried += values[k] != kept;
            refused += !decodes(code, length);
        }
        code[i] = kept;
    }
    ck_assert(decodes(code, length));
    ck_assert_uint_gt(refused, tried * 9 / 10);
    free(code);
}
END_TEST

START_TEST(test_random_codes_are_refused)
{
    int32_t *code, noise[256];
    size_t length = varied_code(&code);
    uint32_t seed = 7;
    for (int round = 0; round < 20000; round++) {
        for (size_t i = 0; i < 256; i++) {
            seed = seed * 1664525 + 1013904223;
            noise[i] = round & 1 ? (int32_t)seed : (int32_t)(seed >> 28);
        }
        noise[0] = 1; /* the version */
        decodes(noise, seed % 256);
    }
    for (int round = 0; round < 20000; round++) { /* a sound code with some numbers exchanged */
        int32_t *copy = malloc(length * sizeof *copy);
        memcpy(copy, code, length * sizeof *copy);
        for (int i = 0; i < 3; i++) {
            seed = seed * 1664525 + 1013904223;
            copy[(seed >> 8) % length] = code[(seed >> 4) % length];
        }
        decodes(copy, length);
        free(copy);
    }
    free(code);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("onnx_plan");
    TCase *tests = tcase_create("onnx_plan");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, test_a_whole_network_is_one_run);
    tcase_add_test(tests, test_an_activation_stays_where_others_read);
    tcase_add_test(tests, test_runs_do_not_wait_for_themselves);
    tcase_add_test(tests, test_small_runs_stay);
    tcase_add_test(tests, test_only_repeating_resizes_are_gathered);
    tcase_add_test(tests, test_pools);
    tcase_add_test(tests, test_a_varied_run);
    tcase_add_test(tests, test_files);
    tcase_add_test(tests, test_codes_read_back);
    tcase_add_test(tests, test_hostile_codes_are_refused);
    tcase_add_test(tests, test_random_codes_are_refused);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
