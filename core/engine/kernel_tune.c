/* Choosing among the candidates of a convolution by the clock. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "engine/kernel_conv.h"

enum { TUNE_ROUNDS = 6, OTHER_BYTES = 4 << 20, LINE = 64, PAGE = 4096 };
#define TUNE_NS (13 * VD_NS_PER_MS)
#define HOPELESS 1.4 /* times the fastest in each of two rounds: there is no third one for it */

/* What candidates are tried on. */
typedef struct tune_room {
    char *memory; /* of all the others */
    char *in, *out, *addend, *scratch, *other;
    size_t in_bytes;
} tune_room;

static size_t whole_lines(size_t bytes)
{
    return (bytes + LINE - 1) & ~(size_t)(LINE - 1);
}

/* With small numbers, of either type, in the picture and the addend. */
static int make_room(const vd_conv *conv, tune_room *ret_room)
{
    const vd_conv_shape *shape = &conv->shape;
    size_t channels = (size_t)(shape->planar_in ? shape->in : conv->in_full);
    size_t in = channels * (size_t)shape->in_height * (size_t)shape->in_width *
                vd_type_bytes(shape->planar_in ? VD_KERNEL_F32 : shape->type);
    size_t in_room = whole_lines(in), out = whole_lines(vd_conv_out_count(conv) * sizeof(float));
    size_t addend = shape->add ? out : 0, scratch = whole_lines(vd_conv_scratch_bytes(conv));
    tune_room room = {.in_bytes = in};
    room.memory = aligned_alloc(LINE, in_room + out + addend + scratch + OTHER_BYTES);
    if (!room.memory)
        return VD_ENOMEM;
    room.in = room.memory;
    room.out = room.in + in_room;
    room.addend = addend ? room.out + out : NULL;
    room.scratch = room.out + out + addend;
    room.other = room.scratch + scratch;
    memset(room.memory, 0x3c, in_room + out + addend + scratch);
    for (size_t i = 0; i < OTHER_BYTES; i += PAGE)
        room.other[i] = 1; /* without, all pages would be one and the same */
    *ret_room = room;
    return VD_OK;
}

/* What a run meets in a network: the layers before have driven its weights out of the nearer caches and left
 * the picture there. Timed over and over with weights at hand, Winograd with its many weights would seem
 * faster than it is. */
static void cool(const tune_room *room)
{
    volatile const char *other = room->other, *in = room->in;
    for (size_t i = 0; i < OTHER_BYTES; i += LINE)
        (void)other[i];
    for (size_t i = 0; i < room->in_bytes; i += LINE)
        (void)in[i];
}

/* The time of this thread alone, for others may want the processor; of several threads nobody knows who waits
 * for whom, so that only the clock on the wall is left. */
static int64_t now_ns(const vd_conv *conv)
{
    struct timespec time;
    if (conv->threads > 1 || clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time))
        return vd_clock_now_ns();
    return (int64_t)time.tv_sec * VD_NS_PER_S + time.tv_nsec;
}

static int time_one(const vd_conv *conv, int i, const tune_room *room, int64_t *ret_ns, vd_error *error)
{
    cool(room);
    int64_t begin_ns = now_ns(conv);
    int code =
        vd_candidate_run(conv, &conv->candidates[i], room->in, room->out, room->addend, room->scratch, error);
    *ret_ns = now_ns(conv) - begin_ns;
    return code;
}

static int fastest_of(const vd_conv *conv, const int64_t *ns)
{
    int fastest = 0;
    for (int i = 1; i < conv->count; i++)
        if (ns[i] < ns[fastest])
            fastest = i;
    return fastest;
}

/* Round by round, so that a disturbance meets all alike; the shortest time of each, for whatever else the
 * machine does only ever makes it longer. */
static int choose(vd_conv *conv, const tune_room *room, vd_error *error)
{
    int64_t shortest[VD_CONV_CANDIDATES] = {0}, spent_ns = 0;
    for (int round = 0; round < TUNE_ROUNDS && spent_ns < TUNE_NS; round++) {
        double limit = HOPELESS * (double)shortest[fastest_of(conv, shortest)];
        for (int i = 0; i < conv->count; i++) {
            int64_t ns;
            if (round > 1 && (double)shortest[i] > limit)
                continue;
            int code = time_one(conv, i, room, &ns, error);
            if (code)
                return code;
            spent_ns += ns;
            shortest[i] = round == 0 || ns < shortest[i] ? ns : shortest[i];
        }
    }
    conv->chosen = fastest_of(conv, shortest);
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

int vd_conv_tune(vd_conv *conv, vd_error *error)
{
    tune_room room;
    if (conv->count == 1)
        return VD_OK;
    if (make_room(conv, &room))
        return vd_conv_fail(error, dnnl_out_of_memory);
    int code = choose(conv, &room, error);
    free(room.memory);
    if (!code)
        keep_chosen(conv);
    return code;
}
