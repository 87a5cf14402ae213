#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/entry.h"
#include "png_bytes.h"
#include "vedette/app/picture.h"

static const vd_picture_limits limits = {.bytes = 200000, .pixels = 1000000};

static void expect(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz: %s\n", what);
    abort();
}

/* Chance does not hit check sums. */
static void repair_png(uint8_t *bytes, size_t size)
{
    for (size_t at = 8; at + 12 <= size;) {
        uint8_t *chunk = bytes + at;
        size_t length = png_read_be32(chunk);
        if (length > size - at - 12)
            return;
        png_write_be32(chunk + 8 + length, png_crc(chunk + 4, length + 4));
        at += length + 12;
    }
}

static volatile unsigned read_so_far; /* or nothing would be read */

/* Every byte that the view names is there. */
static unsigned read_all(const vd_image *image)
{
    static const int bytes_a_pixel[] = {[VD_PIXEL_BGRX] = 4, [VD_PIXEL_I420] = 1, [VD_PIXEL_BGR] = 3,
                                        [VD_PIXEL_RGB] = 3,  [VD_PIXEL_GREY] = 1, [VD_PIXEL_NV12] = 1};
    unsigned sum = 0;
    for (int p = 0; p < 3 && image->planes[p]; p++) {
        int shift = p > 0 ? 1 : 0, height = (image->height + shift) >> shift;
        int size = ((image->width + shift) >> shift) * bytes_a_pixel[image->format];
        for (int y = 0; y < height; y++)
            for (int x = 0; x < size; x++)
                sum += image->planes[p][(ptrdiff_t)y * image->strides[p] + x];
    }
    return sum;
}

static void decode(const uint8_t *bytes, size_t size)
{
    vd_picture_decoder *decoder = NULL;
    vd_picture *picture = NULL;
    vd_picture_info info = {0};
    vd_error error = {0};
    if (vd_picture_decoder_new(&decoder) != VD_OK)
        return;
    int probed = vd_picture_probe(bytes, size, &limits, &info, NULL);
    int code = vd_picture_decode(decoder, bytes, size, &limits, &picture, &error);
    vd_picture_decoder_free(&decoder);
    expect((code == VD_OK) == (picture != NULL), "a code that does not fit what is returned");
    expect(code == VD_OK || error.text[0] != '\0', "a refusal without a sentence");
    expect(code == VD_OK || code == VD_EFORMAT || code == VD_EINVAL || code == VD_ENOMEM, "a strange code");
    expect(probed == VD_OK || code == probed, "what the header refuses was decoded");
    if (picture) {
        const vd_image *image = vd_picture_get_image(picture);
        expect(vd_image_validate(image, NULL) == VD_OK, "an image that is none");
        expect(image->width == info.width && image->height == info.height, "another size than was said");
        expect((int64_t)image->width * image->height <= limits.pixels, "more pixels than are allowed");
        read_so_far += read_all(image);
    }
    vd_picture_free(&picture);
}

void vd_fuzz_picture(const uint8_t *data, size_t size)
{
    if (size < 1)
        return;
    uint8_t *bytes = malloc(size); /* one more than is used, so that none has no size */
    if (!bytes)
        return;
    size--;
    uint8_t *end = bytes + 1; /* the copy ends where the memory ends, so that reading beyond is seen */
    memcpy(end, data + 1, size);
    if (data[0] & 1)
        repair_png(end, size);
    decode(end, size);
    free(bytes);
}
