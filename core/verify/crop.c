/* Rows are blended first, in the picture's own order of samples: one pass of vectors. Then each pixel takes
 * its columns. Shares of rows are 1/256, so that a blend of bytes fits 16 bits; those of columns 1/32,768. */
#include "verify/crop.h"

#include <math.h>

enum { ROW_ONE = 256, COLUMN_ONE = 32768, SUM_BITS = 23 };
enum {
    MOST_COLUMNS = VD_CROP_MOST_SIDE + 8,
    /* A pixel touches at most side / size + 2 columns, and there are VD_CROP_MOST_SIZE of them. */
    MOST_SHARES = VD_CROP_MOST_SIDE + 3 * VD_CROP_MOST_SIZE
};

void vd_crop_frame_size(int width, int height, int *ret_width, int *ret_height)
{
    *ret_width = width < VD_CROP_FRAME_WIDTH ? width : VD_CROP_FRAME_WIDTH;
    int scaled = width > 0 ? (int)lround((double)height * *ret_width / width) : height;
    *ret_height = scaled > 1 ? scaled : 1;
}

double vd_crop_side(const vd_box *boxes, size_t count)
{
    double longest = 0;
    for (size_t i = 0; i < count; i++)
        longest = fmax(longest, fmax((double)boxes[i].x2 - boxes[i].x1, (double)boxes[i].y2 - boxes[i].y1));
    return fmin(fmax(1.4 * longest, VD_CROP_LEAST_SIDE), VD_CROP_MOST_SIDE);
}

/* How pixels of the result lie on one axis of the picture. */
struct axis {
    double from; /* where the first one begins */
    double step; /* pixels of the picture for one of the result */
    int taps;    /* neighbours that each takes */
};

/* A square that lies wholly beyond the border is moved to touch it, which shows the same. */
static struct axis make_axis(double center, double side, int size, int length)
{
    center = fmin(fmax(center, 0.5 - side / 2), length - 0.5 + side / 2);
    struct axis axis = {.from = center - side / 2, .step = side / size};
    axis.taps = axis.step <= 1 ? 2 : (int)ceil(axis.step) + 1;
    return axis;
}

/* The first neighbour of pixel `at`, and the shares of all, which add up to `one`: rounded from sum to sum,
 * so that nothing is lost. */
static int take_shares(const struct axis *axis, int at, int one, uint16_t *ret_shares)
{
    int linear = axis->step <= 1, done = 0;
    double from = linear ? axis->from + (at + 0.5) * axis->step - 0.5 : axis->from + at * axis->step;
    double length = linear ? 1 : axis->step;
    int first = (int)floor(from);
    for (int i = 0; i < axis->taps; i++) {
        double covered = fmin((first + i + 1 - from) / length, 1);
        int sum = (int)lround(covered * one);
        ret_shares[i] = (uint16_t)(sum - done);
        done = sum;
    }
    return first;
}

static void weigh_row(const uint8_t *restrict row, uint16_t share, size_t count, uint16_t *restrict sums)
{
    for (size_t i = 0; i < count; i++)
        sums[i] = (uint16_t)(row[i] * share);
}

static void add_row(const uint8_t *restrict row, uint16_t share, size_t count, uint16_t *restrict sums)
{
    for (size_t i = 0; i < count; i++)
        sums[i] = (uint16_t)(sums[i] + row[i] * share);
}

/* The columns of a picture that the squares need: `first` to `last`, of which those from `inside_first` to
 * `inside_last` exist. */
struct columns {
    int first, last, inside_first, inside_last;
    int channels;
};

static int held(int value, int least, int most)
{
    return value < least ? least : value > most ? most : value;
}

/* Blends the rows that one row of the result takes, and goes on with the border to both sides. */
static void blend_rows(const vd_image *picture, const struct axis *axis, int at,
                       const struct columns *columns, uint16_t *sums)
{
    uint16_t shares[VD_CROP_MOST_SIDE + 2];
    int first = take_shares(axis, at, ROW_ONE, shares), channels = columns->channels;
    size_t count = (size_t)(columns->inside_last - columns->inside_first + 1) * (size_t)channels;
    size_t before = (size_t)(columns->inside_first - columns->first) * (size_t)channels;
    size_t all = (size_t)(columns->last - columns->first + 1) * (size_t)channels;
    uint16_t *inside = sums + before;
    for (int i = 0; i < axis->taps; i++) {
        size_t y = (size_t)held(first + i, 0, picture->height - 1);
        const uint8_t *row = picture->planes[0] + y * (size_t)picture->strides[0] +
                             (size_t)columns->inside_first * (size_t)channels;
        if (i == 0)
            weigh_row(row, shares[i], count, inside);
        else if (shares[i])
            add_row(row, shares[i], count, inside);
    }
    for (size_t i = before; i-- > 0;)
        sums[i] = sums[i + (size_t)channels];
    for (size_t i = before + count; i < all; i++)
        sums[i] = sums[i - (size_t)channels];
}

/* A row of the result: `shares` holds `taps` for each pixel, `starts` the index of its first sample. */
static inline void spread(const uint16_t *restrict sums, const int *restrict starts,
                          const uint16_t *restrict shares, int taps, int channels, int size, int red,
                          uint8_t *restrict to)
{
    for (int x = 0; x < size; x++) {
        const uint16_t *from = sums + starts[x];
        uint32_t r = 1u << (SUM_BITS - 1), g = r, b = r;
        for (int i = 0; i < taps; i++, from += channels) {
            uint32_t share = *shares++;
            r += share * from[red];
            g += share * from[1];
            b += share * from[2 - red];
        }
        *to++ = (uint8_t)(r >> SUM_BITS);
        *to++ = (uint8_t)(g >> SUM_BITS);
        *to++ = (uint8_t)(b >> SUM_BITS);
    }
}

/* The usual numbers of taps as loops of their own. */
static void spread_row(const uint16_t *sums, const int *starts, const uint16_t *shares, int taps,
                       int channels, int size, int red, uint8_t *to)
{
    if (taps == 2 && channels == 4)
        spread(sums, starts, shares, 2, 4, size, red, to);
    else if (taps == 2)
        spread(sums, starts, shares, 2, 3, size, red, to);
    else if (taps == 3 && channels == 4)
        spread(sums, starts, shares, 3, 4, size, red, to);
    else if (taps == 3)
        spread(sums, starts, shares, 3, 3, size, red, to);
    else
        spread(sums, starts, shares, taps, channels, size, red, to);
}

static int is_takeable(const vd_image *picture, double center_x, double center_y, double side, int size)
{
    if (picture->format != VD_PIXEL_BGRX && picture->format != VD_PIXEL_BGR &&
        picture->format != VD_PIXEL_RGB)
        return 0;
    return vd_image_validate(picture, NULL) == VD_OK && isfinite(center_x) && isfinite(center_y) &&
           side >= 1 && side <= VD_CROP_MOST_SIDE && size >= 1 && size <= VD_CROP_MOST_SIZE;
}

int vd_crop_take(const vd_image *picture, double center_x, double center_y, double side, int size,
                 uint8_t *ret_rgb)
{
    if (!is_takeable(picture, center_x, center_y, side, size))
        return VD_EINVAL;
    uint16_t shares[MOST_SHARES], sums[MOST_COLUMNS * 4];
    int starts[VD_CROP_MOST_SIZE];
    struct axis across = make_axis(center_x, side, size, picture->width);
    struct axis down = make_axis(center_y, side, size, picture->height);
    for (int x = 0; x < size; x++)
        starts[x] = take_shares(&across, x, COLUMN_ONE, shares + x * across.taps);
    struct columns columns = {.first = starts[0],
                              .last = starts[size - 1] + across.taps - 1,
                              .channels = picture->format == VD_PIXEL_BGRX ? 4 : 3};
    columns.inside_first = held(columns.first, 0, picture->width - 1);
    columns.inside_last = held(columns.last, 0, picture->width - 1);
    for (int x = 0; x < size; x++)
        starts[x] = (starts[x] - columns.first) * columns.channels;
    int red = picture->format == VD_PIXEL_RGB ? 0 : 2;
    for (int y = 0; y < size; y++) {
        blend_rows(picture, &down, y, &columns, sums);
        spread_row(sums, starts, shares, across.taps, columns.channels, size, red,
                   ret_rgb + (size_t)y * (size_t)size * 3);
    }
    return VD_OK;
}
