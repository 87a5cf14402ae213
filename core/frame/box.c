#include <math.h>

#include "vedette/image.h"

float vd_box_iou(const vd_box *a, const vd_box *b)
{
    float width = fminf(a->x2, b->x2) - fmaxf(a->x1, b->x1);
    float height = fminf(a->y2, b->y2) - fmaxf(a->y1, b->y1);
    if (!(width > 0) || !(height > 0))
        return 0;
    float both = width * height;
    float all = (a->x2 - a->x1) * (a->y2 - a->y1) + (b->x2 - b->x1) * (b->y2 - b->y1) - both;
    float iou = both / all;
    return isfinite(iou) ? iou : 0;
}
