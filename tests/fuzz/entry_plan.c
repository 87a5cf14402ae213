#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/entry.h"
#include "model/plan.h"

/* A code that can be read says the same when it is written again. */
static void write_again(const vd_plan_graph *graph)
{
    vd_error error;
    vd_plan_graph second;
    int32_t *code = NULL, *again = NULL;
    size_t length = 0, length_again = 0;
    if (vd_plan_encode(graph, &code, &length) != VD_OK) {
        fprintf(stderr, "fuzz: a plan that was read cannot be written\n");
        abort();
    }
    if (vd_plan_decode(code, length, &second, &error) != VD_OK) {
        fprintf(stderr, "fuzz: a plan that was written cannot be read: %s\n", error.text);
        abort();
    }
    if (vd_plan_encode(&second, &again, &length_again) != VD_OK || length != length_again ||
        memcmp(code, again, length * sizeof *code) != 0) {
        fprintf(stderr, "fuzz: a plan is not the same when it is written twice\n");
        abort();
    }
    vd_plan_clear(&second);
    free(code);
    free(again);
}

void vd_fuzz_plan(const uint8_t *data, size_t size)
{
    vd_error error;
    vd_plan_graph graph;
    size_t length = size / sizeof(int32_t);
    int32_t *code = malloc(length * sizeof *code + 1); /* as long as it is, so that reading beyond is seen */
    if (!code)
        return;
    memcpy(code, data, length * sizeof *code);
    if (vd_plan_decode(code, length, &graph, &error) == VD_OK) {
        for (int i = 0; i < graph.value_count; i++)
            if (vd_plan_count(&graph.values[i]) == 0)
                abort();
        write_again(&graph);
        vd_plan_clear(&graph);
    }
    free(code);
}
