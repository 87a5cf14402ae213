/* The inner loops in plain C, for one vector width: included by the files kernel_lanes_*.c, each compiled for
 * another instruction set. VD_LANES_BLOCK is the number of channels side by side, VD_LANES_TABLE the table to
 * define. `omp simd` tells the compiler that the elements of one step do not depend on each other, which it
 * cannot know, for in and out may be the same buffer. */
#ifdef __AVX2__
#include <immintrin.h>
#endif
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "engine/kernel_lanes.h"

#define BLOCK VD_LANES_BLOCK
#define CHUNK                                                                                                \
    1024        /* elements worked on at a time, so that what lies between two loops stays in the cache      \
                 */
#define TILE 64 /* positions of a picture that are transposed at a time */

/* One position of a block: loads and stores need no more than the alignment of an element. */
typedef float lanes __attribute__((vector_size(4 * BLOCK), aligned(4)));
typedef uint32_t lanes_bits __attribute__((vector_size(4 * BLOCK), aligned(4)));
typedef uint16_t lanes_half __attribute__((vector_size(2 * BLOCK), aligned(2)));
typedef float quad __attribute__((vector_size(16), aligned(4)));

static inline uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* bfloat16, rounded to the nearest, ties to even; what is not a number stays so. */
static inline uint16_t narrow(float value)
{
    uint32_t bits = bits_of(value);
    uint32_t round = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    return (uint16_t)(value == value ? round : 0x7fc0);
}

static inline float widen(uint16_t half)
{
    return float_of((uint32_t)half << 16);
}

/* As the processors' instructions do it: the second of the two where one of them is not a number. Written
 * out, compilers make branches of it. */
static inline lanes max_lanes(lanes a, lanes b)
{
#if defined __AVX512F__ && BLOCK == 16
    return (lanes)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined __AVX2__ && BLOCK == 8
    return (lanes)_mm256_max_ps((__m256)a, (__m256)b);
#else
    lanes_bits mask = (lanes_bits)(a > b);
    return (lanes)(((lanes_bits)a & mask) | ((lanes_bits)b & ~mask));
#endif
}

static inline lanes min_lanes(lanes a, lanes b)
{
#if defined __AVX512F__ && BLOCK == 16
    return (lanes)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined __AVX2__ && BLOCK == 8
    return (lanes)_mm256_min_ps((__m256)a, (__m256)b);
#else
    lanes_bits mask = (lanes_bits)(a < b);
    return (lanes)(((lanes_bits)a & mask) | ((lanes_bits)b & ~mask));
#endif
}

static inline lanes all_of(float value)
{
    return (lanes){0} + value;
}

static inline lanes either(lanes_bits mask, lanes a, lanes b)
{
    return (lanes)(((lanes_bits)a & mask) | ((lanes_bits)b & ~mask));
}

static inline lanes size_of(lanes x)
{
    return (lanes)((lanes_bits)x & 0x7fffffff);
}

/* e^x within 1 or 2 units in the last place: x = n ln 2 + r, e^r by a polynomial that is best in relative
 * error over |r| <= ln 2 / 2, 2^n by way of the exponent's bits. Saturates at e^-87 and e^88.37. */
static inline lanes exp_of(lanes x)
{
    const float shift = 12582912.0f; /* 1.5 · 2^23: adding it rounds to an integer in the low bits */
    x = min_lanes(all_of(88.37f), max_lanes(all_of(-87.0f), x));
    lanes shifted = x * 1.44269504f + shift;
    lanes n = shifted - shift;
    lanes r = x - n * 0.693359375f; /* ln 2 in two parts, the first exact in a product */
    r = r + n * 2.12194440e-4f;
    lanes q = r * 0.00138141739f + 0.00836892147f;
    q = q * r + 0.0416684076f;
    q = q * r + 0.166665196f;
    q = q * r + 0.49999994f;
    lanes power = q * (r * r) + (r + 1.0f);
    return (lanes)((lanes_bits)power + ((lanes_bits)shifted << 23));
}

static inline lanes sigmoid_of(lanes x)
{
    return 1.0f / (1.0f + exp_of(-x));
}

/* By the exponential; where that would cancel, by the first terms of the series. */
static inline lanes tanh_of(lanes x)
{
    lanes size = size_of(x), square = x * x;
    lanes far = 1.0f - 2.0f / (exp_of(2.0f * size) + 1.0f);
    lanes near = size * (1.0f - square * (0.333333333f - square * (0.133333333f - square * 0.0539682540f)));
    lanes_bits sign = (lanes_bits)x & 0x80000000;
    return (lanes)((lanes_bits)either((lanes_bits)(size < 0.2f), near, far) | sign);
}

/* x Φ(x), with the error function by Abramowitz and Stegun's 7.1.26: within 2e-7 · |x|. */
static inline lanes gelu_of(lanes x)
{
    lanes z = size_of(x) * 0.707106781f, t = 1.0f / (1.0f + 0.3275911f * z);
    lanes sum = t * 1.061405429f + -1.453152027f;
    sum = sum * t + 1.421413741f;
    sum = sum * t + -0.284496736f;
    sum = sum * t + 0.254829592f;
    lanes tail = 0.5f * sum * t * exp_of(-z * z); /* Φ(-|x|) */
    return x * either((lanes_bits)(x < 0.0f), tail, 1.0f - tail);
}

static inline lanes clip_of(lanes x, float low, float high)
{
    return min_lanes(all_of(high), max_lanes(all_of(low), x));
}

/* One loop for each function, over whole vectors. */
#define EACH(expression)                                                                                     \
    for (size_t i = 0; i < count; i += BLOCK) {                                                              \
        lanes x;                                                                                             \
        memcpy(&x, in + i, sizeof x);                                                                        \
        x = (expression);                                                                                    \
        memcpy(out + i, &x, sizeof x);                                                                       \
    }                                                                                                        \
    break

static void act_vectors(vd_plan_act act, const float args[2], const float *in, float *out, size_t count)
{
    const float a = args[0], b = args[1];
    const lanes zero = {0};
    switch (act) {
    case VD_ACT_SILU:
        EACH(x / (1.0f + exp_of(-x)));
    case VD_ACT_RELU:
        EACH(max_lanes(zero, x));
    case VD_ACT_LEAKY:
        EACH(max_lanes(zero, x) + a * min_lanes(zero, x));
    case VD_ACT_CLIP:
        EACH(clip_of(x, a, b));
    case VD_ACT_SIGMOID:
        EACH(sigmoid_of(x));
    case VD_ACT_HSWISH:
        EACH(x * clip_of(x * (1.0f / 6.0f) + 0.5f, 0.0f, 1.0f));
    case VD_ACT_HSIGMOID:
        EACH(clip_of(a * x + b, 0.0f, 1.0f));
    case VD_ACT_TANH:
        EACH(tanh_of(x));
    case VD_ACT_EXP:
        EACH(exp_of(x));
    case VD_ACT_GELU:
        EACH(gelu_of(x));
    default:
        if (in != out)
            memcpy(out, in, count * sizeof *out);
    }
}

static void act_floats(vd_plan_act act, const float args[2], const float *in, float *out, size_t count)
{
    size_t whole = count / BLOCK * BLOCK, rest = count - whole;
    act_vectors(act, args, in, out, whole);
    if (rest) {
        float last[BLOCK] = {0};
        memcpy(last, in + whole, rest * sizeof *in);
        act_vectors(act, args, last, last, BLOCK);
        memcpy(out + whole, last, rest * sizeof *out);
    }
}

static void narrow_all(const float *in, uint16_t *out, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        out[i] = narrow(in[i]);
}

static void widen_all(const uint16_t *in, float *out, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        out[i] = widen(in[i]);
}

/* `count` elements from `first` on as floats: where they lie, or widened into `room`. */
static const float *read_floats(vd_kernel_type type, const void *all, size_t first, size_t count, float *room)
{
    if (type == VD_KERNEL_F32)
        return (const float *)all + first;
    widen_all((const uint16_t *)all + first, room, count);
    return room;
}

static void add_floats(const float *a, const float *b, float *out, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        out[i] = a[i] + b[i];
}

static void run_act(const vd_act_job *job, size_t begin, size_t end)
{
    float from[CHUNK], made[CHUNK], more[CHUNK];
    for (size_t first = begin; first < end; first += CHUNK) {
        size_t count = end - first < CHUNK ? end - first : CHUNK;
        bool direct = job->out_type == VD_KERNEL_F32 && !job->addend;
        float *to = direct ? (float *)job->out + first : made;
        act_floats(job->act, job->args, read_floats(job->in_type, job->in, first, count, from), to, count);
        if (direct)
            continue;
        if (job->addend) {
            const float *addend = read_floats(job->out_type, job->addend, first, count, more);
            to = job->out_type == VD_KERNEL_F32 ? (float *)job->out + first : made;
            add_floats(made, addend, to, count);
        }
        if (job->out_type == VD_KERNEL_BF16)
            narrow_all(made, (uint16_t *)job->out + first, count);
    }
}

#define EACH_OF_TWO(operator)                                                                                \
    _Pragma("omp simd") for (size_t i = 0; i < count; i++) out[i] = a[i] operator b[i];                      \
    break

static void run_binary(const vd_binary_job *job, size_t begin, size_t end)
{
    float left[CHUNK], right[CHUNK], made[CHUNK];
    for (size_t first = begin; first < end; first += CHUNK) {
        size_t count = end - first < CHUNK ? end - first : CHUNK;
        const float *a = read_floats(job->type, job->a, first, count, left);
        const float *b = read_floats(job->type, job->b, first, count, right);
        float *out = job->type == VD_KERNEL_F32 ? (float *)job->out + first : made;
        switch (job->op) {
        case VD_PLAN_SUB:
            EACH_OF_TWO(-);
        case VD_PLAN_MUL:
            EACH_OF_TWO(*);
        case VD_PLAN_DIV:
            EACH_OF_TWO(/);
        default:
            add_floats(a, b, out, count);
        }
        if (job->type == VD_KERNEL_BF16)
            narrow_all(made, (uint16_t *)job->out + first, count);
    }
}

/* Four rows of four become four columns. */
static inline void turn_quad(const float *in, size_t in_stride, float *out, size_t out_stride)
{
    quad a, b, c, d;
    memcpy(&a, in, sizeof a);
    memcpy(&b, in + in_stride, sizeof b);
    memcpy(&c, in + 2 * in_stride, sizeof c);
    memcpy(&d, in + 3 * in_stride, sizeof d);
    quad ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5),
         ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    quad cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5),
         cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    quad turned[4] = {__builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5),
                      __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7),
                      __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5),
                      __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
    for (int i = 0; i < 4; i++)
        memcpy(out + (size_t)i * out_stride, &turned[i], sizeof turned[i]);
}

/* out[column][row] = in[row][column]. */
static void turn(const float *in, size_t in_stride, float *out, size_t out_stride, int rows, int columns)
{
    int whole_rows = rows & ~3, whole_columns = columns & ~3;
    for (int row = 0; row < whole_rows; row += 4)
        for (int column = 0; column < whole_columns; column += 4)
            turn_quad(in + (size_t)row * in_stride + column, in_stride,
                      out + (size_t)column * out_stride + row, out_stride);
    for (int row = 0; row < rows; row++)
        for (int column = row < whole_rows ? whole_columns : 0; column < columns; column++)
            out[(size_t)column * out_stride + (size_t)row] = in[(size_t)row * in_stride + (size_t)column];
}

static int channels_of(const vd_block_job *job, size_t block)
{
    int left = job->channels - (int)block * BLOCK;
    return left < BLOCK ? left : BLOCK;
}

static void run_block_in(const vd_block_job *job, size_t begin, size_t end)
{
    float tile[TILE * BLOCK];
    size_t plane = (size_t)job->plane;
    for (size_t block = begin; block < end; block++) {
        int channels = channels_of(job, block);
        memset(tile, 0, sizeof tile);
        for (size_t first = 0; first < plane; first += TILE) {
            size_t count = plane - first < TILE ? plane - first : TILE, at = (block * plane + first) * BLOCK;
            turn(job->planar + block * BLOCK * plane + first, plane, tile, BLOCK, channels, (int)count);
            if (job->type == VD_KERNEL_F32)
                memcpy((float *)job->blocked + at, tile, count * BLOCK * sizeof *tile);
            else
                narrow_all(tile, (uint16_t *)job->blocked + at, count * BLOCK);
        }
    }
}

static void run_block_out(const vd_block_job *job, size_t begin, size_t end)
{
    float tile[TILE * BLOCK];
    size_t plane = (size_t)job->plane;
    for (size_t block = begin; block < end; block++)
        for (size_t first = 0; first < plane; first += TILE) {
            size_t count = plane - first < TILE ? plane - first : TILE, at = (block * plane + first) * BLOCK;
            const float *from = read_floats(job->type, job->blocked, at, count * BLOCK, tile);
            turn(from, BLOCK, job->planar + block * BLOCK * plane + first, plane, (int)count,
                 channels_of(job, block));
        }
}

static inline lanes load_lanes(vd_kernel_type type, const void *all, size_t first)
{
    lanes value;
    if (type == VD_KERNEL_F32) {
        memcpy(&value, (const float *)all + first, sizeof value);
    } else {
        lanes_half half;
        memcpy(&half, (const uint16_t *)all + first, sizeof half);
        lanes_bits bits = __builtin_convertvector(half, lanes_bits) << 16;
        memcpy(&value, &bits, sizeof value);
    }
    return value;
}

/* For values that came from this type, so that nothing is rounded. */
static inline void store_lanes(vd_kernel_type type, lanes value, void *all, size_t first)
{
    if (type == VD_KERNEL_F32) {
        memcpy((float *)all + first, &value, sizeof value);
    } else {
        lanes_half half = __builtin_convertvector((lanes_bits)value >> 16, lanes_half);
        memcpy((uint16_t *)all + first, &half, sizeof half);
    }
}

/* The part of a window that lies inside: [*ret_first, *ret_end). */
static inline void clip_window(int out, int stride, int pad, int kernel, int limit, int *ret_first,
                               int *ret_end)
{
    int first = out * stride - pad, end = first + kernel;
    *ret_first = first < 0 ? 0 : first;
    *ret_end = end > limit ? limit : end;
}

static inline void pool_row(const vd_pool_job *job, vd_kernel_type type, size_t row)
{
    const vd_pool_shape *shape = job->shape;
    size_t block = row / (size_t)shape->out_height, width = (size_t)shape->in_width;
    int top, bottom;
    clip_window((int)(row % (size_t)shape->out_height), shape->stride[0], shape->pads[0], shape->kernel[0],
                shape->in_height, &top, &bottom);
    for (int column = 0; column < shape->out_width; column++) {
        int left, right;
        clip_window(column, shape->stride[1], shape->pads[1], shape->kernel[1], shape->in_width, &left,
                    &right);
        lanes most = (lanes){0} - INFINITY;
        for (int y = top; y < bottom; y++) {
            size_t line = (block * (size_t)shape->in_height + (size_t)y) * width;
            for (int x = left; x < right; x++)
                most = max_lanes(load_lanes(type, job->in, (line + (size_t)x) * BLOCK), most);
        }
        store_lanes(type, most, job->out, (row * (size_t)shape->out_width + (size_t)column) * BLOCK);
    }
}

static void run_max_pool(const vd_pool_job *job, size_t begin, size_t end)
{
    for (size_t row = begin; row < end; row++)
        if (job->type == VD_KERNEL_F32)
            pool_row(job, VD_KERNEL_F32, row);
        else
            pool_row(job, VD_KERNEL_BF16, row);
}

static void softmax_row(const float *in, float *out, int columns)
{
    static const float no_args[2];
    float most = -INFINITY, sum = 0.0f;
#pragma omp simd reduction(max : most)
    for (int i = 0; i < columns; i++)
        most = in[i] > most ? in[i] : most;
#pragma omp simd
    for (int i = 0; i < columns; i++)
        out[i] = in[i] - most;
    act_floats(VD_ACT_EXP, no_args, out, out, (size_t)columns);
#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < columns; i++)
        sum += out[i];
    float factor = 1.0f / sum;
#pragma omp simd
    for (int i = 0; i < columns; i++)
        out[i] *= factor;
}

static void run_softmax(const vd_rows_job *job, size_t begin, size_t end)
{
    for (size_t row = begin; row < end; row++)
        softmax_row(job->in + row * (size_t)job->columns, job->out + row * (size_t)job->columns,
                    job->columns);
}

#include "engine/kernel_lanes_wino.h"

const vd_lanes VD_LANES_TABLE = {BLOCK,         run_act,      run_binary,  run_block_in,
                                 run_block_out, run_max_pool, run_softmax, run_wino};
