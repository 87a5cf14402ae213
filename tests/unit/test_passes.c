/* The passes over memory against plain loops in double precision. */
#include "pass_case.h"

START_TEST(test_binary)
{
    enum { COUNT = 5000 };
    vd_kernel_type type = _i ? VD_KERNEL_BF16 : VD_KERNEL_F32;
    void *a = buffer(COUNT * 4), *b = buffer(COUNT * 4), *out = buffer(COUNT * 4);
    for (size_t i = 0; i < COUNT; i++) {
        set(type, a, i, noise(3));
        set(type, b, i, noise(1) + 2);
    }
    for (int op = VD_PLAN_ADD; op <= VD_PLAN_DIV; op++) {
        vd_pass_binary(type, (vd_plan_kind)op, a, b, out, COUNT);
        for (size_t i = 0; i < COUNT; i++) {
            double x = (double)get(type, a, i), y = (double)get(type, b, i);
            double wanted = op == VD_PLAN_ADD   ? x + y
                            : op == VD_PLAN_SUB ? x - y
                            : op == VD_PLAN_MUL ? x * y
                                                : x / y;
            double error = fabs((double)get(type, out, i) - wanted);
            ck_assert_double_le(error, (_i ? 4e-3 : 1e-6) * fabs(wanted) + 1e-6);
        }
    }
    free(a), free(b), free(out);
}
END_TEST

static size_t place(int channel, int position, int plane)
{
    size_t block = (size_t)vd_kernel_block();
    return ((size_t)channel / block * (size_t)plane + (size_t)position) * block + (size_t)channel % block;
}

static size_t blocked_count(int channels, int plane)
{
    size_t block = (size_t)vd_kernel_block();
    return ((size_t)channels + block - 1) / block * block * (size_t)plane;
}

START_TEST(test_blocks)
{
    static const int channels[] = {1, 3, 8, 15, 16, 17, 80}, planes[] = {1, 3, 4, 63, 64, 65, 200, 1517};
    vd_kernel_type type = _i ? VD_KERNEL_BF16 : VD_KERNEL_F32;
    for (size_t c = 0; c < 7; c++)
        for (size_t p = 0; p < 8; p++) {
            int plane = planes[p];
            size_t count = (size_t)channels[c] * (size_t)plane, full = blocked_count(channels[c], plane);
            float *in = buffer(count * 4), *back = buffer(count * 4);
            void *out = buffer(full * bytes_of(type));
            memset(out, 0x7f, full * bytes_of(type));
            for (size_t i = 0; i < count; i++)
                in[i] = float_of(half_of(noise(1)));
            vd_pass_block(type, in, out, channels[c], plane);
            for (int channel = 0; channel < (int)(full / (size_t)plane); channel++)
                for (int i = 0; i < plane; i++) {
                    float wanted = channel < channels[c] ? in[channel * plane + i] : 0;
                    ck_assert(get(type, out, place(channel, i, plane)) == wanted);
                }
            vd_pass_unblock(type, out, back, channels[c], plane);
            ck_assert_mem_eq(in, back, count * 4);
            free(in), free(back), free(out);
        }
}
END_TEST

static float most_of(const vd_pool_shape *shape, vd_kernel_type type, const void *in, int channel, int oy,
                     int ox)
{
    float most = -INFINITY;
    for (int ky = 0; ky < shape->kernel[0]; ky++)
        for (int kx = 0; kx < shape->kernel[1]; kx++) {
            int y = oy * shape->stride[0] + ky - shape->pads[0],
                x = ox * shape->stride[1] + kx - shape->pads[1];
            if (y < 0 || x < 0 || y >= shape->in_height || x >= shape->in_width)
                continue;
            int plane = shape->in_height * shape->in_width;
            most = fmaxf(most, get(type, in, place(channel, y * shape->in_width + x, plane)));
        }
    return most;
}

static void check_pool(vd_kernel_type type, const vd_pool_shape *shape)
{
    int in_plane = shape->in_height * shape->in_width, out_plane = shape->out_height * shape->out_width;
    size_t in_count = blocked_count(shape->channels, in_plane),
           out_count = blocked_count(shape->channels, out_plane);
    void *in = buffer(in_count * bytes_of(type)), *out = buffer(out_count * bytes_of(type));
    for (size_t i = 0; i < in_count; i++)
        set(type, in, i, i % (size_t)vd_kernel_block() < 4 ? noise(5) : -1 - noise(0.5f));
    vd_pass_max_pool(type, shape, in, out);
    for (int c = 0; c < shape->channels; c++)
        for (int y = 0; y < shape->out_height; y++)
            for (int x = 0; x < shape->out_width; x++)
                ck_assert(get(type, out, place(c, y * shape->out_width + x, out_plane)) ==
                          most_of(shape, type, in, c, y, x));
    free(in), free(out);
}

START_TEST(test_max_pool)
{
    static const vd_pool_shape shapes[] = {
        {20, 10, 10, 10, 10, {5, 5}, {1, 1}, {2, 2}}, {16, 41, 37, 20, 18, {2, 2}, {2, 2}, {0, 0}},
        {48, 1, 1, 1, 1, {5, 5}, {1, 1}, {2, 2}},     {16, 20, 21, 20, 21, {13, 13}, {1, 1}, {6, 6}},
        {16, 13, 13, 13, 13, {2, 2}, {1, 1}, {0, 0}}, {16, 9, 8, 5, 4, {3, 3}, {2, 2}, {1, 1}},
        {32, 7, 160, 7, 54, {1, 5}, {1, 3}, {0, 2}},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_pool(_i ? VD_KERNEL_BF16 : VD_KERNEL_F32, &shapes[i]);
}
END_TEST

START_TEST(test_nearest)
{
    static const int factors[][2] = {{2, 2}, {1, 3}, {3, 1}, {4, 2}};
    vd_kernel_type type = _i ? VD_KERNEL_BF16 : VD_KERNEL_F32;
    int channels = 40, height = 5, width = 7;
    size_t in_count = blocked_count(channels, height * width);
    void *in = buffer(in_count * bytes_of(type));
    for (size_t i = 0; i < in_count; i++)
        set(type, in, i, noise(5));
    for (int f = 0; f < 4; f++) {
        int tall = height * factors[f][0], wide = width * factors[f][1];
        void *out = buffer(blocked_count(channels, tall * wide) * bytes_of(type));
        vd_pass_nearest(type, in, out, channels, height, width, factors[f]);
        for (int c = 0; c < channels; c++)
            for (int y = 0; y < tall; y++)
                for (int x = 0; x < wide; x++) {
                    int from = y / factors[f][0] * width + x / factors[f][1];
                    ck_assert(get(type, out, place(c, y * wide + x, tall * wide)) ==
                              get(type, in, place(c, from, height * width)));
                }
        free(out);
    }
    free(in);
}
END_TEST

START_TEST(test_softmax)
{
    static const int shapes[][2] = {{1, 1}, {3, 2}, {64, 16}, {100, 100}, {7, 401}};
    for (int s = 0; s < 5; s++) {
        int rows = shapes[s][0], columns = shapes[s][1];
        float *in = buffer((size_t)(rows * columns) * 4), *out = buffer((size_t)(rows * columns) * 4);
        for (int i = 0; i < rows * columns; i++)
            in[i] = noise(20) + 300; /* e^300 alone would not be a float */
        vd_pass_softmax(in, out, rows, columns);
        for (int r = 0; r < rows; r++) {
            double sum = 0;
            for (int c = 0; c < columns; c++)
                sum += exp((double)in[r * columns + c] - 300);
            for (int c = 0; c < columns; c++) {
                double wanted = exp((double)in[r * columns + c] - 300) / sum;
                ck_assert_double_le(fabs((double)out[r * columns + c] - wanted), 1e-5 * wanted + 1e-7);
            }
        }
        vd_pass_softmax(in, in, rows, columns);
        ck_assert_mem_eq(in, out, (size_t)(rows * columns) * 4);
        free(in), free(out);
    }
}
END_TEST

static void check_product(int m, int n, int k, bool a_turned, bool b_turned)
{
    float *a = buffer((size_t)(m * k) * 4), *b = buffer((size_t)(k * n) * 4),
          *c = buffer((size_t)(m * n) * 4);
    for (int i = 0; i < m * k; i++)
        a[i] = noise(1);
    for (int i = 0; i < k * n; i++)
        b[i] = noise(1);
    vd_pass_matmul(a_turned, b_turned, m, n, k, a, b, c);
    for (int y = 0; y < m; y++)
        for (int x = 0; x < n; x++) {
            double sum = 0;
            for (int i = 0; i < k; i++)
                sum +=
                    (double)a[a_turned ? i * m + y : y * k + i] * (double)b[b_turned ? x * k + i : i * n + x];
            ck_assert_double_le(fabs((double)c[y * n + x] - sum), 1e-5 * k);
        }
    free(a), free(b), free(c);
}

START_TEST(test_matmul)
{
    static const int sizes[][3] = {{1, 1, 1},    {2, 3, 4},      {16, 16, 15},
                                   {17, 16, 16}, {100, 100, 32}, {33, 65, 129}};
    for (int s = 0; s < 6; s++)
        check_product(sizes[s][0], sizes[s][1], sizes[s][2], _i & 1, _i & 2);
}
END_TEST

START_TEST(test_threads)
{
    vd_kernel_set_threads(_i);
    static const vd_pool_shape pool = {96, 40, 40, 40, 40, {5, 5}, {1, 1}, {2, 2}};
    check_pool(VD_KERNEL_F32, &pool);
    check_product(200, 150, 64, false, true);
    enum { CHANNELS = 70, PLANE = 1000 };
    float *in = buffer(CHANNELS * PLANE * 4), *back = buffer(CHANNELS * PLANE * 4);
    float *out = buffer(blocked_count(CHANNELS, PLANE) * 4);
    for (int i = 0; i < CHANNELS * PLANE; i++)
        in[i] = noise(1);
    vd_pass_block(VD_KERNEL_F32, in, out, CHANNELS, PLANE);
    vd_pass_unblock(VD_KERNEL_F32, out, back, CHANNELS, PLANE);
    ck_assert_mem_eq(in, back, CHANNELS * PLANE * 4);
    vd_pass_softmax(in, back, CHANNELS, PLANE);
    for (int row = 0; row < CHANNELS; row++) {
        double sum = 0;
        for (int i = 0; i < PLANE; i++)
            sum += (double)back[row * PLANE + i];
        ck_assert_double_eq_tol(sum, 1, 1e-4);
    }
    free(in), free(back), free(out);
}
END_TEST

static Suite *passes_suite(void)
{
    Suite *suite = suite_create("passes");
    TCase *passes = tcase_create("passes");
    tcase_set_timeout(passes, 60);
    tcase_add_loop_test(passes, test_binary, 0, 2);
    tcase_add_loop_test(passes, test_blocks, 0, 2);
    tcase_add_loop_test(passes, test_max_pool, 0, 2);
    tcase_add_loop_test(passes, test_nearest, 0, 2);
    tcase_add_test(passes, test_softmax);
    tcase_add_loop_test(passes, test_matmul, 0, 4);
    tcase_add_loop_test(passes, test_threads, 1, 4);
    suite_add_tcase(suite, passes);
    return suite;
}

TEST_MAIN(passes_suite)
