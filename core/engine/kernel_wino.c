/* Winograd's 3 × 3 convolution of our own (kernel_lanes_wino.inc): oneDNN has none for AVX2, and from version
 * 3 on none at all. Products are float32 in bfloat16 networks as well. */
#include <stdlib.h>
#include <string.h>

#include "engine/kernel_conv.h"

/* Working memory of a chunk of tiles: leaves most of the second cache to the weights. */
enum { CHUNK_BYTES = 160 << 10, MIN_TILES = 12, MAX_TILES = 60 };

static int tiles_of(int extent)
{
    return (extent + 3) / 4;
}

static int chunks_of(const vd_conv *conv, int tiles)
{
    int each = CHUNK_BYTES / (36 * (conv->in_full + 2 * conv->block) * (int)sizeof(float));
    each = each < MIN_TILES ? MIN_TILES : each > MAX_TILES ? MAX_TILES : each;
    int chunks = (tiles + each - 1) / each;
    chunks = (chunks + conv->threads - 1) / conv->threads * conv->threads;
    return chunks < tiles ? chunks : tiles;
}

/* Bytes of a chunk's memory, in whole lines. */
static size_t room_of(const vd_conv *conv, int tiles)
{
    int chunks = chunks_of(conv, tiles);
    size_t each = (size_t)((tiles + chunks - 1) / chunks);
    return (36 * each * (size_t)(conv->in_full + 2 * conv->block) * sizeof(float) + 63) & ~(size_t)63;
}

enum { FILTERS = 8 }; /* side by side; every block has as many or twice as many channels */

/* G g for a column g of three numbers, `apart` from each other, of each filter. */
static void turn_three(const double (*restrict from)[FILTERS], int apart, double (*restrict to)[FILTERS],
                       int to_apart)
{
    for (int k = 0; k < FILTERS; k++) {
        double x = from[0][k], y = from[apart][k], z = from[2 * apart][k];
        double outer = (x + z) * (-1.0 / 6), wide = x * (1.0 / 24) + z * (1.0 / 6);
        to[0][k] = x * 0.25;
        to[to_apart][k] = outer - y * (1.0 / 6);
        to[2 * to_apart][k] = outer + y * (1.0 / 6);
        to[3 * to_apart][k] = wide + y * (1.0 / 12);
        to[4 * to_apart][k] = wide - y * (1.0 / 12);
        to[5 * to_apart][k] = z;
    }
}

/* G g G^T: the 36 numbers that stand for the nine of each filter. They go to rows that lie `apart` floats
 * from each other. filters, next: the first, and floats from one to the next; there are `count`. */
static void turn_filters(const float *filters, size_t next, size_t count, float *to, size_t apart)
{
    double given[9][FILTERS] = {{0}}, half[18][FILTERS], turned[36][FILTERS];
    for (size_t k = 0; k < count && k < FILTERS; k++)
        for (size_t i = 0; i < 9; i++)
            given[i][k] = (double)filters[k * next + i];
    for (int j = 0; j < 3; j++)
        turn_three((const double(*)[FILTERS])given + j, 3, half + j, 3);
    for (int i = 0; i < 6; i++)
        turn_three((const double(*)[FILTERS])half + 3 * i, 1, turned + 6 * i, 1);
    for (size_t i = 0; i < 36; i++)
        for (size_t k = 0; k < FILTERS; k++)
            to[i * apart + k] = (float)turned[i][k];
}

/* [pairs of blocks of outputs][36][in][one or two blocks], zeros where the file has no channel. */
static float *turn_weights(const vd_conv *conv, const float *weights)
{
    const vd_conv_shape *shape = &conv->shape;
    size_t in = (size_t)conv->in_full, out = (size_t)conv->out_full, pair = 2 * (size_t)conv->block;
    size_t bytes = 36 * in * out * sizeof(float);
    float *all = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
    if (!all)
        return NULL;
    memset(all, 0, bytes);
    for (size_t o = 0; o < (size_t)shape->out; o += FILTERS) {
        size_t first = o / pair * pair, wide = out - first < pair ? out - first : pair;
        float *to = all + first * 36 * in + (o - first);
        for (size_t c = 0; c < (size_t)shape->in; c++)
            turn_filters(weights + (o * (size_t)shape->in + c) * 9, (size_t)shape->in * 9,
                         (size_t)shape->out - o, to + c * wide, in * wide);
    }
    return all;
}

static bool can_compute(const vd_conv *conv)
{
    const vd_conv_shape *shape = &conv->shape;
    for (int axis = 0; axis < 2; axis++)
        if (shape->kernel[axis] != 3 || shape->stride[axis] != 1 || shape->dilation[axis] != 1)
            return false;
    return shape->groups == 1 && !shape->planar_in &&
           (size_t)conv->in_full * (size_t)conv->out_full <= 1 << 20;
}

/* Whether the shape is one that a convolution can have at all is known by oneDNN's having candidates for it;
 * a choice that was made before is proof as well. */
dnnl_status_t vd_wino_find(vd_conv *conv, const float *weights, const char *wanted)
{
    static const char text[] = "winograd 4x4";
    bool is_wanted = wanted ? !strcmp(wanted, text) : conv->count > 0 && conv->count < VD_CONV_CANDIDATES;
    if (!is_wanted || !can_compute(conv))
        return dnnl_success;
    vd_candidate *candidate = &conv->candidates[conv->count];
    *candidate = (vd_candidate){.wino_weights = turn_weights(conv, weights), .made_type = conv->out_type};
    if (!candidate->wino_weights)
        return dnnl_out_of_memory;
    int tiles = tiles_of(conv->shape.out_height) * tiles_of(conv->shape.out_width);
    candidate->own_bytes = room_of(conv, tiles) * (size_t)conv->threads;
    candidate->does_act = candidate->does_add = true;
    memcpy(candidate->text, text, sizeof text);
    conv->count++;
    return dnnl_success;
}

static vd_wino_job describe(const vd_conv *conv, const vd_candidate *candidate)
{
    const vd_conv_shape *shape = &conv->shape;
    void *bias = NULL;
    dnnl_memory_get_data_handle(conv->bias, &bias);
    return (vd_wino_job){.type = shape->type,
                         .out_type = conv->out_type,
                         .act = shape->act,
                         .args = {shape->act_args[0], shape->act_args[1]},
                         .weights = candidate->wino_weights,
                         .bias = bias,
                         .in_full = conv->in_full,
                         .out_full = conv->out_full,
                         .in_height = shape->in_height,
                         .in_width = shape->in_width,
                         .out_height = shape->out_height,
                         .out_width = shape->out_width,
                         .pad_top = shape->pads[0],
                         .pad_left = shape->pads[1],
                         .tiles_wide = tiles_of(shape->out_width)};
}

/* Every threads-th chunk from `part` on. */
static void run_part(const vd_conv *conv, const vd_wino_job *job, int part, int tiles, float *room)
{
    int chunks = chunks_of(conv, tiles);
    for (int chunk = part; chunk < chunks; chunk += conv->threads) {
        int first = (int)((int64_t)tiles * chunk / chunks),
            end = (int)((int64_t)tiles * (chunk + 1) / chunks);
        vd_lanes_here()->wino(job, first, end - first, room);
    }
}

void vd_wino_run(const vd_conv *conv, const vd_candidate *candidate, const void *in, void *out,
                 const void *addend, void *scratch)
{
    vd_wino_job job = describe(conv, candidate);
    job.in = in;
    job.out = out;
    job.addend = conv->shape.add ? addend : NULL;
    int tiles = tiles_of(job.out_height) * job.tiles_wide;
    size_t room = room_of(conv, tiles);
    if (conv->threads == 1) {
        run_part(conv, &job, 0, tiles, scratch);
        return;
    }
#pragma omp parallel for schedule(static) num_threads(conv->threads)
    for (int part = 0; part < conv->threads; part++)
        run_part(conv, &job, part, tiles, (float *)((char *)scratch + room * (size_t)part));
}
