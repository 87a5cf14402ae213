/* Choosing among the candidates of a convolution by the clock. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/kernel_conv.h"

enum { TUNE_ROUNDS = 6, CACHE_BYTES = 12 << 20 };
#define TUNE_NS (13 * VD_NS_PER_MS)

/* What a run meets in a network: the layers before have driven its weights out of the nearest cache and left
 * the picture there. Timed over and over with weights at hand, Winograd with its many weights would seem
 * faster than it is. `other` is CACHE_BYTES of memory, or NULL. */
static void cool(const vd_conv *conv, volatile const char *other, volatile const char *in)
{
    const vd_conv_shape *shape = &conv->shape;
    size_t channels = (size_t)(shape->planar_in ? shape->in : conv->in_full);
    size_t bytes = channels * (size_t)shape->in_height * (size_t)shape->in_width *
                   vd_type_bytes(shape->planar_in ? VD_KERNEL_F32 : shape->type);
    for (size_t i = 0; other && i < CACHE_BYTES; i += 64)
        (void)other[i];
    for (size_t i = 0; i < bytes; i += 64)
        (void)in[i];
}

/* Round by round, so that a disturbance meets all alike; the shortest time of each, for whatever else the
 * machine does only ever makes it longer. The first round warms up, and counts when there is no second. */
static int find_fastest(vd_conv *conv, const void *in, void *out, const void *addend, void *scratch,
                        const char *other, vd_error *error)
{
    int64_t shortest[VD_CONV_CANDIDATES], end_ns = vd_clock_now_ns() + TUNE_NS;
    for (int round = 0; round < TUNE_ROUNDS && (round == 0 || vd_clock_now_ns() < end_ns); round++)
        for (int i = 0; i < conv->count; i++) {
            cool(conv, other, in);
            int64_t begin_ns = vd_clock_now_ns();
            int code = vd_candidate_run(conv, &conv->candidates[i], in, out, addend, scratch, error);
            int64_t ns = vd_clock_now_ns() - begin_ns;
            if (code)
                return code;
            shortest[i] = round < 2 || ns < shortest[i] ? ns : shortest[i];
        }
    conv->chosen = 0;
    for (int i = 1; i < conv->count; i++)
        if (shortest[i] < shortest[conv->chosen])
            conv->chosen = i;
    return VD_OK;
}

static void keep_chosen(vd_conv *conv)
{
    for (int i = 0; i < conv->count; i++)
        if (i != conv->chosen)
            vd_candidate_fini(&conv->candidates[i]);
    if (conv->chosen > 0) {
        conv->candidates[0] = conv->candidates[conv->chosen];
        conv->candidates[conv->chosen] = (vd_candidate){0};
    }
    conv->chosen = 0;
    conv->count = 1;
}

int vd_conv_tune(vd_conv *conv, const void *in, void *out, const void *addend, void *scratch, vd_error *error)
{
    if (vd_kernel_threads() != conv->threads)
        vd_kernel_set_threads(conv->threads);
    if (conv->count == 1)
        return VD_OK;
    char *other = malloc(CACHE_BYTES);
    if (other)
        memset(other, 1, CACHE_BYTES); /* without, all pages would be one and the same */
    int code = find_fastest(conv, in, out, addend, scratch, other, error);
    free(other);
    if (!code)
        keep_chosen(conv);
    return code;
}
