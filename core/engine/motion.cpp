#include "engine/engine.h"

#include <algorithm>
#include <memory>
#include <vector>

#include <opencv2/imgproc.hpp>
#include <opencv2/video/background_segm.hpp>

#include "engine/guard.hpp"

using vedette::guard;

namespace
{

const int HISTORY = 300;             /* pictures that the background remembers */
const double VARIANCE_FACTOR = 25;   /* squared distance, in variances, from which a pixel differs */
const double BACKGROUND_SHARE = 0.7; /* what stands still counts as background after 30 % of the history */
const int WARM_UP = 5;               /* pictures after a start that yield nothing */
const double GLOBAL_SHARE = 0.6;     /* more moving pixels than this: the light changed, not the scene */
const double LEAST_BOX = 0.0005;     /* of the picture: smaller boxes are noise */
const double MOST_EMPTY = 1.2;       /* times the fragments' own area: larger joint boxes are not made */
const int LEAST_FRAGMENT_PX = 6;     /* of a box: smaller specks do not take part in joining */
const size_t MOST_FRAGMENTS = 512;   /* beyond it only the largest are joined */
const uchar MOVING = 255;            /* MOG2's mark; shadows are 127 */

/* Fragments of one thing lie within 1/160 of the picture's longer side, at least 2 px, of each other. */
int gap_px(const cv::Size &picture)
{
    return std::max(2, std::max(picture.width, picture.height) / 160);
}

/* Near each other, and the box around both is not mostly empty: a cyclist beside a lorry stays a thing of his
 * own. */
bool belong_together(const cv::Rect &a, const cv::Rect &b, int gap)
{
    if ((a | b).area() > MOST_EMPTY * (a.area() + b.area() - (a & b).area()))
        return false;
    return a.x - gap < b.x + b.width && b.x - gap < a.x + a.width && a.y - gap < b.y + b.height &&
           b.y - gap < a.y + a.height;
}

/* Joins boxes that belong together until none do. */
void join_fragments(std::vector<cv::Rect> &boxes, int gap)
{
    for (size_t i = 0; i < boxes.size();) {
        bool grown = false;
        for (size_t k = i + 1; k < boxes.size(); k++) {
            if (!belong_together(boxes[i], boxes[k], gap))
                continue;
            boxes[i] |= boxes[k];
            boxes[k] = boxes.back();
            boxes.pop_back();
            grown = true;
            break;
        }
        if (grown)
            i = 0; /* the larger box may now reach one that was passed */
        else
            i++;
    }
}

} // namespace

struct vd_motion {
    cv::Ptr<cv::BackgroundSubtractorMOG2> background;
    cv::Size size;
    int seen = 0; /* pictures since the background was forgotten */
    cv::Mat color, smooth, mask, kernel, joined;
    std::vector<std::vector<cv::Point>> contours;
    std::vector<cv::Rect> boxes;
    std::vector<vd_detection> found;
};

namespace
{

/* Brings the mask of moving pixels up to date; returns their share. */
double learn(vd_motion *motion, const cv::Mat &picture)
{
    if (picture.size() != motion->size) {
        motion->size = picture.size();
        motion->seen = 0;
    }
    cv::cvtColor(picture, motion->color, cv::COLOR_BGRA2BGR);
    cv::GaussianBlur(motion->color, motion->smooth, cv::Size(3, 3), 0);
    /* A rate of 1 makes the model anew from this picture alone; then it learns fast and ever slower. */
    double rate = motion->seen == 0 ? 1.0 : 1.0 / std::min(2 * motion->seen, HISTORY);
    motion->background->apply(motion->smooth, motion->mask, rate);
    motion->seen = std::min(motion->seen + 1, HISTORY);
    cv::threshold(motion->mask, motion->mask, MOVING - 1, MOVING, cv::THRESH_BINARY);
    return static_cast<double>(cv::countNonZero(motion->mask)) / static_cast<double>(motion->mask.total());
}

/* The boxes of what moves, joined from the fragments that the mask falls into. */
void outline(vd_motion *motion)
{
    cv::morphologyEx(motion->mask, motion->mask, cv::MORPH_OPEN, motion->kernel);
    cv::morphologyEx(motion->mask, motion->joined, cv::MORPH_CLOSE, motion->kernel);
    cv::findContours(motion->joined, motion->contours, cv::RETR_EXTERNAL, cv::CHAIN_APPROX_SIMPLE);
    motion->boxes.clear();
    for (const std::vector<cv::Point> &contour : motion->contours) {
        cv::Rect box = cv::boundingRect(contour);
        if (box.area() >= LEAST_FRAGMENT_PX)
            motion->boxes.push_back(box);
    }
    if (motion->boxes.size() > MOST_FRAGMENTS) {
        std::sort(motion->boxes.begin(), motion->boxes.end(),
                  [](const cv::Rect &a, const cv::Rect &b) { return a.area() > b.area(); });
        motion->boxes.resize(MOST_FRAGMENTS);
    }
    join_fragments(motion->boxes, gap_px(motion->size));
}

/* A box half full of moving pixels is a usual vehicle; a thin scatter scores little above 0.3. */
void score_boxes(vd_motion *motion)
{
    motion->found.clear();
    for (const cv::Rect &box : motion->boxes) {
        if (box.area() < LEAST_BOX * motion->size.area())
            continue;
        float share =
            static_cast<float>(cv::countNonZero(motion->mask(box))) / static_cast<float>(box.area());
        motion->found.push_back(
            {{static_cast<float>(box.x), static_cast<float>(box.y), static_cast<float>(box.x + box.width),
              static_cast<float>(box.y + box.height)},
             0.3f + 0.7f * share,
             0,
             0});
    }
}

} // namespace

extern "C" int vd_motion_new(vd_motion **ret_motion, vd_error *error)
{
    return guard(error, "make the motion detector", [&] {
        std::unique_ptr<vd_motion> made(new vd_motion);
        made->found.reserve(VD_MAX_CANDIDATES); /* grows no more while pictures come */
        made->boxes.reserve(VD_MAX_CANDIDATES);
        made->background = cv::createBackgroundSubtractorMOG2(HISTORY, VARIANCE_FACTOR, true);
        made->background->setBackgroundRatio(BACKGROUND_SHARE);
        made->kernel = cv::getStructuringElement(cv::MORPH_RECT, cv::Size(3, 3));
        *ret_motion = made.release();
        return static_cast<int>(VD_OK);
    });
}

extern "C" void vd_motion_free(vd_motion **motion)
{
    vedette::dispose(motion);
}

extern "C" void vd_motion_reset(vd_motion *motion)
{
    motion->seen = 0;
}

extern "C" int vd_motion_detect(vd_motion *motion, const vd_image *bgrx, vd_detection *ret_candidates,
                                size_t room, size_t *ret_count, vd_error *error)
{
    return guard(error, "look for movement", [&] {
        cv::Mat picture;
        int code = vedette::view_bgrx(bgrx, picture, error);
        if (code)
            return code;
        double share = learn(motion, picture);
        motion->found.clear();
        /* The first picture differs everywhere from a model that is empty. */
        if (share > GLOBAL_SHARE && motion->seen > 1) {
            motion->seen = 0;
        } else if (motion->seen > WARM_UP) {
            outline(motion);
            score_boxes(motion);
        }
        *ret_count = vedette::hand_over(motion->found, ret_candidates, room);
        return static_cast<int>(VD_OK);
    });
}
