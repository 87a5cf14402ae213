#include <math.h>
#include <stdlib.h>

#include "draw/label.h"

/* How many labels in a row are stepped over before one may be covered after all. */
enum { STEPS = 4 };

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

static double clamp(double value, double least, double most)
{
    return fmax(least, fmin(value, most));
}

static void place(vd_label *label, const vd_label *placed, size_t count, const vd_rect *picture, double line)
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
    for (size_t i = 0; i < count; i++)
        place(&labels[i], labels, i, picture, line);
}
