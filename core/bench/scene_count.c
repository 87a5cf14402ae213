/* Boxes of a frame against its truth, in the manner of the project's map.py: a detection on a decoy and on no
 * hazard is left out, and says of the decoy that it was taken for a hazard. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "bench/scene.h"

enum { CLASSES = 2 };

static const int sides[VD_BENCH_SCENE_SIDES] = {12, 16, 20, 40, 80};

int vd_bench_scene_side(int range)
{
    return sides[range];
}

/* As printed with two or five decimals and read again: a float times these is exact. */
static double cut(float value, double steps)
{
    return nearbyint((double)value * steps) / steps;
}

scene_box scene_box_of(const vd_box *box, float score, int class_id)
{
    return (scene_box){cut(box->x1, 100), cut(box->y1, 100), cut(box->x2, 100),
                       cut(box->y2, 100), cut(score, 1e5),   class_id};
}

static double area_of(const scene_box *box)
{
    return (box->x2 - box->x1) * (box->y2 - box->y1);
}

double scene_box_iou(const scene_box *a, const scene_box *b)
{
    double wide = fmax(fmin(a->x2, b->x2) - fmax(a->x1, b->x1), 0);
    double high = fmax(fmin(a->y2, b->y2) - fmax(a->y1, b->y1), 0);
    double common = wide * high;
    return common / fmax(area_of(a) + area_of(b) - common, 1e-9);
}

int scene_count_init(scene_count *count)
{
    int code = vd_evaluation_new(CLASSES, &count->all);
    for (int i = 0; i < VD_BENCH_SCENE_VIEWS && code == VD_OK; i++)
        code = vd_evaluation_new(CLASSES, &count->views[i]);
    if (code != VD_OK)
        scene_count_clear(count);
    return code;
}

void scene_count_clear(scene_count *count)
{
    vd_evaluation_free(&count->all);
    for (int i = 0; i < VD_BENCH_SCENE_VIEWS; i++)
        vd_evaluation_free(&count->views[i]);
}

static bool is_hazard(const scene_box *object)
{
    return object->class_id < VD_SCENE_SHADOW;
}

/* Whether a detection lies on something of one sort. */
static bool lies_on(const scene_view *view, const scene_box *found, bool hazards)
{
    for (size_t i = 0; i < view->object_count; i++)
        if (is_hazard(&view->object_boxes[i]) == hazards &&
            scene_box_iou(found, &view->object_boxes[i]) >= SCENE_IOU)
            return true;
    return false;
}

static int range_of(const scene_box *box)
{
    double side = fmin(box->x2 - box->x1, box->y2 - box->y1);
    int range = 0;
    while (range + 1 < VD_BENCH_SCENE_SIDES && side >= sides[range + 1])
        range++;
    return range;
}

static void count_decoys(const scene_view *view, const bool *stray, int at, vd_bench_scene_figures *figures)
{
    for (size_t i = 0; i < view->object_count; i++) {
        const scene_box *object = &view->object_boxes[i];
        bool taken = false;
        if (is_hazard(object))
            continue;
        for (size_t k = 0; k < view->found_count && !taken; k++)
            taken = stray[k] && view->found_boxes[k].score >= SCENE_SURE &&
                    scene_box_iou(&view->found_boxes[k], object) >= SCENE_IOU;
        vd_bench_share *share = &figures->taken[object->class_id][at];
        share->count += taken;
        share->of++;
        figures->decoy_boxes++;
    }
}

/* The highest score first, each detection its best free hazard of its class. */
static void count_recall(const scene_view *view, int at, vd_bench_scene_figures *figures)
{
    bool hit[VD_SCENE_OBJECTS_MOST] = {false};
    for (size_t k = 0; k < view->found_count && view->found_boxes[k].score >= SCENE_SURE; k++) {
        double best = SCENE_IOU;
        int chosen = -1;
        for (size_t i = 0; i < view->object_count; i++) {
            double iou = scene_box_iou(&view->found_boxes[k], &view->object_boxes[i]);
            if (view->object_boxes[i].class_id != view->found_boxes[k].class_id || hit[i] || iou < best)
                continue;
            best = iou;
            chosen = (int)i;
        }
        if (chosen >= 0)
            hit[chosen] = true;
    }
    for (size_t i = 0; i < view->object_count; i++) {
        const scene_box *object = &view->object_boxes[i];
        if (!is_hazard(object))
            continue;
        vd_bench_share *share = &figures->recall[object->class_id][range_of(object)];
        share->count += hit[i];
        share->of++;
        figures->view_recall[at].count += hit[i];
        figures->view_recall[at].of++;
        figures->hazard_boxes++;
    }
}

int scene_count_add(scene_count *count, const scene_view *view, int at, vd_bench_scene_figures *figures)
{
    bool stray[VD_MAX_DETECTIONS];
    vd_detection kept[VD_MAX_DETECTIONS];
    vd_truth truths[VD_SCENE_OBJECTS_MOST];
    size_t kept_count = 0, truth_count = 0;
    for (size_t k = 0; k < view->found_count; k++) {
        stray[k] = lies_on(view, &view->found_boxes[k], false) && !lies_on(view, &view->found_boxes[k], true);
        if (!stray[k])
            kept[kept_count++] = view->found[k];
    }
    for (size_t i = 0; i < view->object_count; i++) {
        const scene_box *object = &view->object_boxes[i];
        if (is_hazard(object))
            truths[truth_count++] =
                (vd_truth){object->x1, object->y1, object->x2, object->y2, object->class_id};
    }
    count_decoys(view, stray, at, figures);
    count_recall(view, at, figures);
    int code = vd_evaluation_add(count->all, kept, kept_count, truths, truth_count);
    return code ? code : vd_evaluation_add(count->views[at], kept, kept_count, truths, truth_count);
}

/* 0 where nothing was labelled. */
static int precision_of(const vd_evaluation *evaluation, double *ret_map, double ret_classes[CLASSES])
{
    vd_evaluation_figures figures = {0};
    int code = vd_evaluation_figure(evaluation, SCENE_SURE, &figures, NULL);
    if (code == VD_EINVAL)
        return VD_OK;
    *ret_map = figures.map50;
    for (size_t i = 0; i < figures.class_count && code == VD_OK; i++)
        if (ret_classes)
            ret_classes[figures.classes[i].class_id] = figures.classes[i].ap50;
    vd_evaluation_figures_clear(&figures);
    return code;
}

int scene_count_finish(scene_count *count, vd_bench_scene_figures *figures)
{
    int code = precision_of(count->all, &figures->map50, figures->ap50);
    for (int i = 0; i < VD_BENCH_SCENE_VIEWS && code == VD_OK; i++)
        code = precision_of(count->views[i], &figures->view_map50[i], NULL);
    return code;
}
