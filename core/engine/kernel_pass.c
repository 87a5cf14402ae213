/* The passes: the lanes' inner loops, divided among OpenMP's threads where there is enough to do. */
#include <string.h>

#include "engine/kernel_here.h"
#include "engine/kernel_lanes.h"

enum { ELEMENTS_A_THREAD = 16384 }; /* below, waking a thread costs more than it takes over */

typedef void (*range_work)(const void *job, size_t begin, size_t end);

/* Does [0, count) in as many parts as there are threads, but for parts of less than `grain`. A part begins at
 * a multiple of 16, so that no two threads write to one line of the cache. */
static void divide(size_t count, size_t grain, size_t unit, const void *job, range_work work)
{
    size_t parts = count / (grain ? grain : 1), threads = (size_t)vd_kernel_threads();
    parts = parts < threads ? parts : threads;
    if (parts < 2) {
        work(job, 0, count);
        return;
    }
#ifdef _OPENMP
    size_t step = (count / parts + unit - 1) / unit * unit;
#pragma omp parallel for schedule(static) num_threads((int)parts)
    for (size_t part = 0; part < parts; part++) {
        size_t begin = part * step, end = part + 1 < parts ? begin + step : count;
        if (begin < count)
            work(job, begin, end < count ? end : count);
    }
#else
    (void)unit;
    work(job, 0, count);
#endif
}

static size_t blocks_of(int channels)
{
    size_t block = (size_t)vd_lanes_here()->block;
    return ((size_t)channels + block - 1) / block;
}

/* How many units of `size` elements make it worth a thread. */
static size_t grain_of(size_t size)
{
    return ELEMENTS_A_THREAD / (size ? size : 1) + 1;
}

static void do_act(const void *job, size_t begin, size_t end)
{
    vd_lanes_here()->act(job, begin, end);
}

void vd_pass_act_mixed(const vd_act_job *job, size_t count)
{
    divide(count, ELEMENTS_A_THREAD, 32, job, do_act);
}

void vd_pass_act(vd_kernel_type type, vd_plan_act act, const float act_args[2], const void *in, void *out,
                 size_t count)
{
    vd_pass_act_add(type, act, act_args, in, NULL, out, count);
}

void vd_pass_act_add(vd_kernel_type type, vd_plan_act act, const float act_args[2], const void *in,
                     const void *addend, void *out, size_t count)
{
    vd_act_job job = {.in_type = type, .out_type = type, .act = act, .in = in, .addend = addend, .out = out};
    if (act_args)
        memcpy(job.args, act_args, sizeof job.args);
    vd_pass_act_mixed(&job, count);
}

static void do_binary(const void *job, size_t begin, size_t end)
{
    vd_lanes_here()->binary(job, begin, end);
}

void vd_pass_binary(vd_kernel_type type, vd_plan_kind op, const void *a, const void *b, void *out,
                    size_t count)
{
    vd_binary_job job = {type, op, a, b, out};
    divide(count, ELEMENTS_A_THREAD, 32, &job, do_binary);
}

static void do_block_in(const void *job, size_t begin, size_t end)
{
    vd_lanes_here()->block_in(job, begin, end);
}

void vd_pass_block(vd_kernel_type type, const float *in, void *out, int channels, int plane)
{
    vd_block_job job = {type, (float *)in, out, channels, plane};
    divide(blocks_of(channels), grain_of((size_t)plane * 16), 1, &job, do_block_in);
}

static void do_block_out(const void *job, size_t begin, size_t end)
{
    vd_lanes_here()->block_out(job, begin, end);
}

void vd_pass_unblock(vd_kernel_type type, const void *in, float *out, int channels, int plane)
{
    vd_block_job job = {type, out, (void *)in, channels, plane};
    divide(blocks_of(channels), grain_of((size_t)plane * 16), 1, &job, do_block_out);
}

static void do_max_pool(const void *job, size_t begin, size_t end)
{
    vd_lanes_here()->max_pool(job, begin, end);
}

void vd_pass_max_pool(vd_kernel_type type, const vd_pool_shape *shape, const void *in, void *out)
{
    vd_pool_job job = {type, shape, in, out};
    size_t area = (size_t)shape->kernel[0] * (size_t)shape->kernel[1];
    divide(blocks_of(shape->channels) * (size_t)shape->out_height,
           grain_of(area * (size_t)shape->out_width * 16), 1, &job, do_max_pool);
}

/* One row of blocks of `size` bytes: each written `times` times in a row. */
static void repeat_row(const char *in, char *out, size_t width, size_t times, size_t size)
{
    for (size_t x = 0; x < width; x++)
        for (size_t i = 0; i < times; i++)
            if (size == 64) /* sizes that are known become plain moves */
                memcpy(out + (x * times + i) * 64, in + x * 64, 64);
            else if (size == 32)
                memcpy(out + (x * times + i) * 32, in + x * 32, 32);
            else
                memcpy(out + (x * times + i) * size, in + x * size, size);
}

void vd_pass_nearest(vd_kernel_type type, const void *in, void *out, int channels, int height, int width,
                     const int factor[2])
{
    size_t size = (size_t)vd_lanes_here()->block * vd_type_bytes(type);
    size_t in_row = (size_t)width * size, out_row = in_row * (size_t)factor[1];
    size_t rows = blocks_of(channels) * (size_t)height;
    const char *from = in;
    char *to = out;
    for (size_t row = 0; row < rows; row++, from += in_row) {
        char *first = to;
        repeat_row(from, first, (size_t)width, (size_t)factor[1], size);
        to += out_row;
        for (int i = 1; i < factor[0]; i++, to += out_row)
            memcpy(to, first, out_row);
    }
}

static void do_softmax(const void *job, size_t begin, size_t end)
{
    vd_lanes_here()->softmax(job, begin, end);
}

void vd_pass_softmax(const float *in, float *out, int rows, int columns)
{
    vd_rows_job job = {in, out, columns};
    divide((size_t)rows, grain_of((size_t)columns), 1, &job, do_softmax);
}
