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

/* ThreadSanitizer would look at every byte, 50 times as slowly; it sees the copy of the background into the
 * same memory all the same. */
__attribute__((no_sanitize("thread"))) static void apply_row(uint8_t *restrict row,
                                                             const uint8_t *restrict add,
                                                             const uint8_t *restrict take, int bytes,
                                                             uint16_t gain_256)
{
    for (int i = 0; i < bytes; i++) {
        uint16_t value = (uint16_t)((uint16_t)(row[i] * gain_256 + 128) >> 8);
        value = value < take[i] ? 0 : (uint16_t)(value - take[i]);
        value = (uint16_t)(value + add[i]);
        row[i] = value > 255 ? 255 : (uint8_t)value;
    }
}

void vd_grain_apply(const vd_grain *grain, const vd_image *image, double gain, int64_t frame)
{
    uint16_t gain_256 = (uint16_t)lround(vd_clamp(gain, 0, 1) * 256);
    int bytes = 4 * image->width;
    for (int y = 0; y < image->height; y++) {
        /* Steps of 16 pixels keep the loads aligned. */
        size_t room = (size_t)(VD_GRAIN_BYTES - bytes) / 64, from = 64 * (vd_hash(11, frame, y) % (room + 1));
        apply_row(image->planes[0] + (size_t)y * (size_t)image->strides[0], grain->add + from,
                  grain->take + from, bytes, gain_256);
    }
}
