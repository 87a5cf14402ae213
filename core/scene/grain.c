/* Written so that the compiler makes vectors of it: no branches, bytes in and bytes out. */
#include "scene/grain.h"

#include <math.h>
#include <stddef.h>

#include "scene/world.h"

void vd_grain_fill(vd_grain *grain, unsigned seed, double strength)
{
    for (int i = 0; i + 3 < VD_GRAIN_BYTES; i += 4) {
        double sum = -3;
        for (int k = 0; k < 6; k++)
            sum += vd_random(seed + 7u, i, k);
        for (int c = 0; c < 4; c++) {
            double tint = vd_random(seed + 8u, i, c) - 0.5;
            double noise = c == 3 ? 0 : round(strength * (3.0 * sum + 2.4 * tint));
            grain->add[i + c] = (uint8_t)fmax(noise, 0);
            grain->take[i + c] = (uint8_t)fmax(-noise, 0);
        }
    }
}

/* ThreadSanitizer would look at every byte, 50 times as slowly; it sees what else is written into the same
 * memory all the same. Saturating in bytes alone: 16 of them in the smallest vector. */
__attribute__((no_sanitize("thread"))) static void
apply_row(uint8_t *restrict row, const uint8_t *restrict add, const uint8_t *restrict take, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        uint8_t room = (uint8_t)~add[i], value = row[i];
        value = value > take[i] ? value : take[i];
        value = (uint8_t)(value - take[i]);
        value = value < room ? value : room;
        row[i] = (uint8_t)(value + add[i]);
    }
}

void vd_grain_apply(const vd_grain *grain, const vd_image *image, int64_t frame)
{
    int bytes = 4 * image->width;
    for (int y = 0; y < image->height; y++) {
        /* Steps of 16 pixels keep the loads aligned. */
        size_t room = (size_t)(VD_GRAIN_BYTES - bytes) / 64, from = 64 * (vd_hash(11, frame, y) % (room + 1));
        apply_row(image->planes[0] + (size_t)y * (size_t)image->strides[0], grain->add + from,
                  grain->take + from, bytes);
    }
}
