#include "engine/engine.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>

#include "engine/guard.hpp"

using vedette::guard;

namespace
{

/* The descriptor's window, 64 × 128, holds a person of about 96 rows with room around; boxes leave it out. */
const float ROOM_BESIDE = 0.15f, ROOM_ABOVE = 0.10f;

/* Squashes the SVM's margin: 0 is doubtful (0.27), 0.5 even, above 1.5 sure. */
float score_of(double margin)
{
    return static_cast<float>(1.0 / (1.0 + std::exp(-2.0 * (margin - 0.5))));
}

vd_box box_of(const cv::Rect &window, const cv::Size &picture)
{
    float x1 = window.x + ROOM_BESIDE * window.width, x2 = window.x + (1 - ROOM_BESIDE) * window.width;
    float y1 = window.y + ROOM_ABOVE * window.height, y2 = window.y + (1 - ROOM_ABOVE) * window.height;
    return {std::max(x1, 0.0f), std::max(y1, 0.0f), std::min(x2, static_cast<float>(picture.width)),
            std::min(y2, static_cast<float>(picture.height))};
}

} // namespace

struct vd_hog {
    cv::HOGDescriptor descriptor;
    cv::Mat grey;
    std::vector<cv::Rect> windows;
    std::vector<double> margins;
    std::vector<vd_detection> found;
};

extern "C" int vd_hog_new(vd_hog **ret_hog, vd_error *error)
{
    return guard(error, "make the people detector", [&] {
        std::unique_ptr<vd_hog> made(new vd_hog);
        made->found.reserve(VD_MAX_CANDIDATES); /* grows no more while pictures come */
        made->descriptor.setSVMDetector(cv::HOGDescriptor::getDefaultPeopleDetector());
        *ret_hog = made.release();
        return static_cast<int>(VD_OK);
    });
}

extern "C" void vd_hog_free(vd_hog **hog)
{
    vedette::dispose(hog);
}

extern "C" int vd_hog_detect(vd_hog *hog, const vd_image *bgrx, vd_detection *ret_candidates, size_t room,
                             size_t *ret_count, vd_error *error)
{
    return guard(error, "look for people", [&] {
        cv::Mat picture;
        int code = vedette::view_bgrx(bgrx, picture, error);
        if (code)
            return code;
        hog->found.clear();
        if (picture.cols >= hog->descriptor.winSize.width && picture.rows >= hog->descriptor.winSize.height) {
            cv::cvtColor(picture, hog->grey, cv::COLOR_BGRA2GRAY);
            hog->descriptor.detectMultiScale(hog->grey, hog->windows, hog->margins, 0.0, cv::Size(8, 8),
                                             cv::Size(16, 16), 1.05, 1.0, false);
            for (size_t i = 0; i < hog->windows.size() && i < hog->margins.size(); i++)
                hog->found.push_back(
                    {box_of(hog->windows[i], picture.size()), score_of(hog->margins[i]), 0, 0});
        }
        *ret_count = vedette::hand_over(hog->found, ret_candidates, room);
        return static_cast<int>(VD_OK);
    });
}
