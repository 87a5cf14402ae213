/* What the fuzzer found before, and inputs made to hurt, through the same entries (tests/fuzz/entry.h) in
 * every build. A test a file: it ends well when the entry returns in time and the sanitizers are silent. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check_main.h"
#include "fuzz/entry.h"
#include "onnx_build.h"

enum { MOST_BYTES = 1 << 20, PATIENCE_S = 20 };

static char onnx_folder[] = "tests/fuzz/findings/onnx", plan_folder[] = "tests/fuzz/findings/plan";
static struct dirent **onnx_files, **plan_files;
static int onnx_count, plan_count;

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* A copy that ends where the file does, so that reading beyond it is seen. */
static uint8_t *load(const char *folder, const char *name, size_t *ret_size)
{
    static uint8_t bytes[MOST_BYTES];
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s cannot be read", path);
    *ret_size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    uint8_t *copy = malloc(*ret_size > 0 ? *ret_size : 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, bytes, *ret_size);
    printf("%s\n", path); /* the last one said is the one to blame */
    fflush(stdout);
    return copy;
}

START_TEST(test_onnx)
{
    size_t size;
    uint8_t *bytes = load(onnx_folder, onnx_files[_i]->d_name, &size);
    vd_fuzz_onnx(bytes, size);
    free(bytes);
}
END_TEST

START_TEST(test_plan)
{
    size_t size;
    uint8_t *bytes = load(plan_folder, plan_files[_i]->d_name, &size);
    vd_fuzz_plan(bytes, size);
    free(bytes);
}
END_TEST

/* --- Files that are too large to be kept: as many nodes as are allowed, each of which makes the passes add a
 * constant, or hands an output on. What takes a time that grows with their square takes five seconds and
 * more; it should take half a second. Processor time, so that it does not matter what else the machine does.
 */

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { MANY = 60000, MOST_SECONDS = 12 };
#else
enum { MANY = 60000, MOST_SECONDS = 3 };
#endif

static Onnx__ModelProto *model_with_room(void)
{
    Onnx__ModelProto *model = build_model(13);
    model->graph->node = calloc(MANY, sizeof *model->graph->node);
    ck_assert_ptr_nonnull(model->graph->node);
    build_input(model, "x", VD_ONNX_FLOAT, DIMS(1, 3, 2, 2));
    return model;
}

/* As build_node, into the room that is there: a list that grows node by node takes sanitizers minutes. */
static void put_node(Onnx__ModelProto *model, const char *op_type, const char *inputs, const char *outputs)
{
    Onnx__GraphProto alone = ONNX__GRAPH_PROTO__INIT, *graph = model->graph;
    model->graph = &alone;
    build_node(model, op_type, inputs, outputs);
    model->graph = graph;
    graph->node[graph->n_node++] = alone.node[0];
    free(alone.node);
}

static void feed(Onnx__ModelProto *model)
{
    size_t length = VD_FUZZ_HEAD + onnx__model_proto__get_packed_size(model);
    uint8_t *bytes = calloc(1, length);
    ck_assert_ptr_nonnull(bytes);
    bytes[0] = VD_FUZZ_PASSES;
    onnx__model_proto__pack(model, bytes + VD_FUZZ_HEAD);
    onnx__model_proto__free_unpacked(model, NULL);
    clock_t began = clock();
    vd_fuzz_onnx(bytes, length);
    double seconds = (double)(clock() - began) / CLOCKS_PER_SEC;
    ck_assert_msg(seconds < MOST_SECONDS, "it took %.1f s of the processor", seconds);
    free(bytes);
}

START_TEST(test_many_constants)
{
    Onnx__ModelProto *model = model_with_room();
    char in[64] = "x factor", out[32];
    build_floats(model, "factor", 1, 1, DIMS(3, 1, 1));
    for (int i = 0; i < MANY; i++) {
        snprintf(out, sizeof out, "v%d", i);
        put_node(model, "Mul", in, out);
        snprintf(in, sizeof in, "%s factor", out);
    }
    build_output(model, out, DIMS(1, 3, 2, 2));
    feed(model);
}
END_TEST

START_TEST(test_many_outputs)
{
    Onnx__ModelProto *model = model_with_room();
    char made[32], out[32];
    for (int i = 0; i < MANY / 2; i++) {
        snprintf(made, sizeof made, "r%d", i);
        snprintf(out, sizeof out, "v%d", i);
        put_node(model, "Relu", "x", made);
        put_node(model, "Identity", made, out);
        if (i < 1024)
            build_output(model, out, DIMS(1, 3, 2, 2));
    }
    feed(model);
}
END_TEST

/* No folder, no findings: that is a fault as well. */
START_TEST(test_there_are_some)
{
    ck_assert_int_ge(onnx_count, 1);
    ck_assert_int_ge(plan_count, 1);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("fuzz_findings");
    TCase *tests = tcase_create("findings");
    onnx_count = scandir(onnx_folder, &onnx_files, is_shown, alphasort);
    plan_count = scandir(plan_folder, &plan_files, is_shown, alphasort);
    tcase_set_timeout(tests, PATIENCE_S);
    tcase_add_test(tests, test_there_are_some);
    tcase_add_loop_test(tests, test_onnx, 0, onnx_count);
    tcase_add_loop_test(tests, test_plan, 0, plan_count);
    tcase_add_test(tests, test_many_constants);
    tcase_add_test(tests, test_many_outputs);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
