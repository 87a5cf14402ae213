/* Winograd's 3 × 3 convolution by tiles of 4 × 4 outputs (Lavin and Gray, CVPR 2016): 36 products where 144
 * would be. Included by kernel_lanes_body.h, for its vectors. */

/* B^T x, over six vectors `step` apart. */
static inline void wino_in(const lanes *x, int step, lanes *out, int out_step)
{
    lanes even = x[4 * step] - 4.0f * x[2 * step], odd = x[3 * step] - 4.0f * x[step];
    lanes far = x[4 * step] - x[2 * step], twice = 2.0f * (x[3 * step] - x[step]);
    out[0] = 4.0f * x[0] - 5.0f * x[2 * step] + x[4 * step];
    out[out_step] = even + odd;
    out[2 * out_step] = even - odd;
    out[3 * out_step] = far + twice;
    out[4 * out_step] = far - twice;
    out[5 * out_step] = 4.0f * x[step] - 5.0f * x[3 * step] + x[5 * step];
}

/* A^T x. */
static inline void wino_out(const lanes *x, int step, lanes *out, int out_step)
{
    lanes sum = x[step] + x[2 * step], less = x[step] - x[2 * step];
    lanes sum2 = x[3 * step] + x[4 * step], less2 = x[3 * step] - x[4 * step];
    out[0] = x[0] + sum + sum2;
    out[out_step] = less + 2.0f * less2;
    out[2 * out_step] = sum + 4.0f * sum2;
    out[3 * out_step] = less + 8.0f * less2 + x[5 * step];
}

/* The 6 × 6 inputs of a tile; zeros outside the picture. */
static inline void wino_load(const vd_wino_job *job, vd_kernel_type type, size_t block, int top, int left,
                             lanes *tile)
{
    size_t width = (size_t)job->in_width, first = block * (size_t)job->in_height;
    if (top >= 0 && left >= 0 && top + 6 <= job->in_height && left + 6 <= job->in_width) {
        size_t at = ((first + (size_t)top) * width + (size_t)left) * BLOCK;
        for (size_t y = 0; y < 6; y++)
            for (size_t x = 0; x < 6; x++)
                tile[6 * y + x] = load_lanes(type, job->in, at + (y * width + x) * BLOCK);
        return;
    }
    for (int y = 0; y < 6; y++)
        for (int x = 0; x < 6; x++) {
            int row = top + y, column = left + x;
            bool inside = row >= 0 && column >= 0 && row < job->in_height && column < job->in_width;
            size_t at = inside ? ((first + (size_t)row) * width + (size_t)column) * BLOCK : 0;
            tile[6 * y + x] = inside ? load_lanes(type, job->in, at) : (lanes){0};
        }
}

/* All tiles of a chunk, to [36][tiles][channels]. */
static void wino_bring(const vd_wino_job *job, int first, int count, float *room)
{
    lanes tile[36], half[36], done[36];
    size_t channels = (size_t)job->in_full;
    for (size_t block = 0; block < channels / BLOCK; block++)
        for (int t = 0; t < count; t++) {
            int row = (first + t) / job->tiles_wide, column = (first + t) % job->tiles_wide;
            int top = 4 * row - job->pad_top, left = 4 * column - job->pad_left;
            if (job->type == VD_KERNEL_F32)
                wino_load(job, VD_KERNEL_F32, block, top, left, tile);
            else
                wino_load(job, VD_KERNEL_BF16, block, top, left, tile);
            for (int i = 0; i < 6; i++)
                wino_in(tile + i, 6, half + i, 6);
            for (int i = 0; i < 6; i++)
                wino_in(half + 6 * i, 1, done + 6 * i, 1);
            for (int i = 0; i < 36; i++)
                memcpy(room + ((size_t)(i * count + t) * channels + block * BLOCK), &done[i], sizeof done[i]);
        }
}

enum { WINO_ROWS = BLOCK == 16 ? 12 : 5 }; /* as many sums as there are registers for */

/* Products of `rows` tiles with `blocks` blocks of outputs; both constants where this is inlined. */
static inline __attribute__((always_inline)) void wino_multiply(const float *in, size_t channels,
                                                                const float *weights, float *out,
                                                                const int rows, const int blocks)
{
    lanes sums[12][2];
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++)
        sums[r][0] = sums[r][1] = (lanes){0};
    for (size_t c = 0; c < channels; c++, weights += blocks * BLOCK) {
        lanes one, two = {0};
        memcpy(&one, weights, sizeof one);
        if (blocks > 1)
            memcpy(&two, weights + BLOCK, sizeof two);
#pragma GCC unroll 12
        for (int r = 0; r < rows; r++) {
            sums[r][0] += in[(size_t)r * channels + c] * one;
            if (blocks > 1)
                sums[r][1] += in[(size_t)r * channels + c] * two;
        }
    }
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++)
        memcpy(out + r * blocks * BLOCK, sums[r], sizeof sums[r][0] * (size_t)blocks);
}

#define WINO_CASE(rows)                                                                                      \
    case rows:                                                                                               \
        if (blocks > 1)                                                                                      \
            wino_multiply(in, channels, weights, out, rows, 2);                                              \
        else                                                                                                 \
            wino_multiply(in, channels, weights, out, rows, 1);                                              \
        break

static void wino_multiply_rows(const float *in, size_t channels, const float *weights, float *out, int rows,
                               int blocks)
{
    switch (rows) {
        WINO_CASE(1);
        WINO_CASE(2);
        WINO_CASE(3);
        WINO_CASE(4);
        WINO_CASE(5);
#if BLOCK == 16
        WINO_CASE(6);
        WINO_CASE(7);
        WINO_CASE(8);
        WINO_CASE(9);
        WINO_CASE(10);
        WINO_CASE(11);
        WINO_CASE(12);
#endif
    }
}

/* [36][tiles][blocks] products of one or two blocks of outputs, in groups of nearly the same number of tiles.
 */
static void wino_products(const vd_wino_job *job, const float *in, const float *weights, float *out,
                          int count, int blocks)
{
    size_t channels = (size_t)job->in_full;
    int groups = (count + WINO_ROWS - 1) / WINO_ROWS;
    for (int i = 0; i < 36; i++, weights += channels * (size_t)blocks * BLOCK)
        for (int group = 0; group < groups; group++) {
            int first = count * group / groups, rows = count * (group + 1) / groups - first;
            size_t at = (size_t)(i * count + first);
            wino_multiply_rows(in + at * channels, channels, weights, out + at * (size_t)blocks * BLOCK, rows,
                               blocks);
        }
}

/* The 4 × 4 outputs of a tile: bias, function, addend, and those inside the picture stored. */
static void wino_store(const vd_wino_job *job, size_t block, int tile, lanes *values)
{
    const float *bias = job->bias + block * BLOCK;
    lanes shift;
    memcpy(&shift, bias, sizeof shift);
    for (int i = 0; i < 16; i++)
        values[i] += shift;
    act_vectors(job->act, job->args, (float *)values, (float *)values, 16 * BLOCK);
    int top = tile / job->tiles_wide * 4, left = tile % job->tiles_wide * 4;
    int rows = job->out_height - top < 4 ? job->out_height - top : 4;
    int columns = job->out_width - left < 4 ? job->out_width - left : 4;
    for (int y = 0; y < rows; y++) {
        size_t line = block * (size_t)job->out_height + (size_t)(top + y);
        size_t at = (line * (size_t)job->out_width + (size_t)left) * BLOCK;
        if (job->addend)
            for (int x = 0; x < columns; x++)
                values[4 * y + x] += load_lanes(job->out_type, job->addend, at + (size_t)x * BLOCK);
        const float *from = (const float *)(values + 4 * y);
        if (job->out_type == VD_KERNEL_F32)
            memcpy((float *)job->out + at, from, (size_t)columns * BLOCK * sizeof *from);
        else
            narrow_all(from, (uint16_t *)job->out + at, (size_t)columns * BLOCK);
    }
}

static void wino_finish(const vd_wino_job *job, const float *products, size_t block, int first, int count,
                        int blocks)
{
    lanes tile[36], half[24], done[16];
    for (int b = 0; b < blocks; b++)
        for (int t = 0; t < count; t++) {
            for (int i = 0; i < 36; i++)
                memcpy(&tile[i], products + ((size_t)(i * count + t) * (size_t)blocks + (size_t)b) * BLOCK,
                       sizeof tile[i]);
            for (int i = 0; i < 6; i++)
                wino_out(tile + i, 6, half + i, 6);
            for (int i = 0; i < 4; i++)
                wino_out(half + 6 * i, 1, done + 4 * i, 1);
            wino_store(job, block + (size_t)b, first + t, done);
        }
}

static void run_wino(const vd_wino_job *job, int first, int count, float *room)
{
    size_t channels = (size_t)job->in_full, blocks = (size_t)job->out_full / BLOCK;
    float *products = room + 36 * (size_t)count * channels;
    wino_bring(job, first, count, room);
    for (size_t block = 0; block < blocks; block += 2) {
        int pair = block + 1 < blocks ? 2 : 1;
        const float *weights = job->weights + block * 36 * channels * BLOCK;
        wino_products(job, room, weights, products, count, pair);
        wino_finish(job, products, block, first, count, pair);
    }
}
