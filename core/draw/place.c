#include <math.h>
#include <stdlib.h>

#include "draw/label.h"

/* How many labels in a row are stepped over before one may be covered after all. */
enum { STEPS = 4 };

/* A box that is so many times as high as a label can do without the part that the label covers. */
enum { ROOMY = 3 };

static int compare_places(const void *left, const void *right)
{
    const vd_label *a = left, *b = right;
    if (a->box.y != b->box.y)
        return a->box.y < b->box.y ? -1 : 1;
    if (a->box.x != b->box.x)
        return a->box.x < b->box.x ? -1 : 1;
    return (a->box.height > b->box.height) - (a->box.height < b->box.height);
}

static bool overlap(const vd_rect *a, const vd_rect *b)
{
    return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height &&
           b->y < a->y + a->height;
}

static const vd_rect *first_covered(const vd_label *placed, size_t count, const vd_rect *tag)
{
    for (size_t i = 0; i < count; i++) {
        if (overlap(&placed[i].tag, tag))
            return &placed[i].tag;
    }
    return NULL;
}

/* The nearest free y below (direction 1) or above (-1) the tag's own; NAN when there is none near. */
static double free_y(const vd_label *placed, size_t count, vd_rect tag, const vd_rect *picture, int direction)
{
    for (int step = 0; step <= STEPS; step++) {
        if (tag.y < picture->y || tag.y + tag.height > picture->y + picture->height)
            return NAN;
        const vd_rect *covered = first_covered(placed, count, &tag);
        if (!covered)
            return tag.y;
        tag.y = direction > 0 ? covered->y + covered->height : covered->y - tag.height;
    }
    return NAN;
}

/* --- Where a label may stand */

static double clamp(double value, double least, double most)
{
    return fmax(least, fmin(value, most));
}

typedef enum spot { ABOVE, INSIDE, BELOW, RIGHT, LEFT, SPOTS } spot;

/* The tag at a spot of its box: false where it does not fit. */
static bool stand_at(const vd_label *label, spot at, const vd_rect *picture, double line, vd_rect *ret_tag)
{
    const vd_rect *box = &label->box;
    vd_rect tag = label->tag;
    double right = picture->x + picture->width - tag.width;
    double bottom = picture->y + picture->height - tag.height;
    tag.x = at == RIGHT  ? box->x + box->width
            : at == LEFT ? box->x - tag.width
                         : clamp(box->x, picture->x, right);
    tag.y = at == ABOVE    ? box->y - tag.height
            : at == INSIDE ? box->y + line
            : at == BELOW  ? box->y + box->height
                           : clamp(box->y, picture->y, bottom);
    *ret_tag = tag;
    if (at == INSIDE && box->height < ROOMY * tag.height)
        return false;
    return tag.x >= picture->x && tag.x <= right && tag.y >= picture->y && tag.y <= bottom;
}

/* How much of boxes a tag hides that are hardly larger than it: the sum of their shares. */
static double hidden_by(const vd_rect *tag, const vd_label *labels, size_t count)
{
    double hidden = 0;
    for (size_t i = 0; i < count; i++) {
        const vd_rect *box = &labels[i].box;
        if (!overlap(box, tag) || box->height >= ROOMY * tag->height || box->width <= 0 || box->height <= 0)
            continue;
        double width = fmin(box->x + box->width, tag->x + tag->width) - fmax(box->x, tag->x);
        double height = fmin(box->y + box->height, tag->y + tag->height) - fmax(box->y, tag->y);
        hidden += width * height / (box->width * box->height);
    }
    return hidden;
}

/* The first spot that covers no label and hides least; false: none is free. */
static bool take_spot(vd_label *labels, size_t count, size_t index, const vd_rect *picture, double line)
{
    double least = INFINITY;
    vd_rect tag, best = {0};
    for (int at = 0; at < SPOTS && least > 0; at++) {
        if (!stand_at(&labels[index], (spot)at, picture, line, &tag) || first_covered(labels, index, &tag))
            continue;
        double hidden = hidden_by(&tag, labels, count);
        if (hidden < least - 0.01) {
            least = hidden;
            best = tag;
        }
    }
    if (least < INFINITY)
        labels[index].tag = best;
    return least < INFINITY;
}

/* In a crowd: the nearest free place above or below. */
static void squeeze_in(vd_label *label, const vd_label *placed, size_t count, const vd_rect *picture,
                       double line)
{
    vd_rect *tag = &label->tag;
    double bottom = picture->y + picture->height - tag->height;
    tag->x = clamp(label->box.x, picture->x, picture->x + picture->width - tag->width);
    tag->y = label->box.y - tag->height;
    if (tag->y < picture->y)
        tag->y = label->box.y + line;
    tag->y = clamp(tag->y, picture->y, bottom);

    double lower = free_y(placed, count, *tag, picture, 1);
    double higher = free_y(placed, count, *tag, picture, -1);
    /* Inside the box rather than away from it, unless that is much nearer. */
    if (!isnan(lower) && (isnan(higher) || lower - tag->y <= tag->y - higher + tag->height / 2))
        tag->y = lower;
    else if (!isnan(higher))
        tag->y = higher;
}

void vd_label_place(vd_label *labels, size_t count, const vd_rect *picture, double line)
{
    qsort(labels, count, sizeof(*labels), compare_places);
    for (size_t i = 0; i < count; i++) {
        if (!take_spot(labels, count, i, picture, line))
            squeeze_in(&labels[i], labels, i, picture, line);
    }
}
