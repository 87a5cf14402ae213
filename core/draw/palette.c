#include "vedette/app/draw.h"

/* The seven colours of Okabe and Ito that are not black, a near-white, then lighter and darker kin of them.
 * The order keeps each apart from the next two, with normal sight and with the three deficiencies. */
static const unsigned PALETTE[] = {
    0x56b4e9, 0xe69f00, 0x009e73, 0xf0e442, 0xd55e00, 0xcc79a7, 0x0072b2, 0xe8e8e8,
    0x9fd8ff, 0x2f66a8, 0x8c4a78, 0xffb9a0, 0xb5ad3c, 0x2f7f6e, 0xb3e5c8, 0xa8570a,
};

void vd_palette_color(int index, double ret_rgb[3])
{
    int count = (int)(sizeof(PALETTE) / sizeof(PALETTE[0]));
    int entry = index % count;
    unsigned color = PALETTE[entry < 0 ? entry + count : entry];
    ret_rgb[0] = (color >> 16 & 255) / 255.0;
    ret_rgb[1] = (color >> 8 & 255) / 255.0;
    ret_rgb[2] = (color & 255) / 255.0;
}
