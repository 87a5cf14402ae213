#include "engine/guard.hpp"

#include <stddef.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>

#include <opencv2/core/utility.hpp>
#include <opencv2/core/utils/logger.hpp>

#include "engine/engine.h"
#include "engine/fault.h"
#include "engine/net.hpp"

extern "C" {
#include "base/text.h"
}

namespace vedette
{

namespace
{

thread_local vd_engine_fault asked_fault = VD_FAULT_NONE;
std::atomic<int> wanted_threads{0}; /* 0: nothing was said; set by any thread, read by those that compute */

int print_nothing(int, const char *, const char *, const char *, int, void *)
{
    return 0;
}

/* OpenCV puts the file and line of its own source into messages that it passes on; they help nobody here. */
void drop_source_places(std::string &text)
{
    for (size_t start; (start = text.find("OpenCV(")) != std::string::npos;) {
        size_t end = text.find("error: ", start);
        text.erase(start, end == std::string::npos ? std::string::npos : end + 7 - start);
    }
}

/* One line without a full stop, short enough for a sentence around it. */
std::string reason_line(std::string text)
{
    char line[256];
    drop_source_places(text);
    vd_text_clean(line, sizeof line, text.c_str(), text.size());
    std::string reason = line;
    size_t first = reason.find_first_not_of(' '), last = reason.find_last_not_of(" .");
    return first == std::string::npos || last == std::string::npos ? "no reason given"
                                                                   : reason.substr(first, last - first + 1);
}

int out_of_memory(vd_error *error, const char *action)
{
    return vd_error_set(error, VD_ENOMEM, nullptr, "There was not enough memory to %s.", action);
}

} // namespace

void hush_opencv()
{
    static const bool quiet = [] {
        cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
        cv::redirectError(print_nothing);
        return true;
    }();
    (void)quiet;
}

void throw_if_asked()
{
    vd_engine_fault fault = asked_fault;
    asked_fault = VD_FAULT_NONE;
    switch (fault) {
    case VD_FAULT_NONE:
        return;
    case VD_FAULT_OPENCV:
        CV_Error(cv::Error::StsError, "asked for by a test");
    case VD_FAULT_MEMORY:
        throw std::bad_alloc();
    case VD_FAULT_STANDARD:
        throw std::runtime_error("asked for by a test");
    case VD_FAULT_OTHER:
        throw 1;
    }
}

void follow_threads()
{
    static thread_local int followed = 0;
    int wanted = wanted_threads;
    if (wanted == followed)
        return;
    followed = wanted;
    vd_kernel_set_threads(wanted);
}

int report_exception(vd_error *error, const char *action) noexcept
{
    try {
        throw;
    } catch (const std::bad_alloc &) {
        return out_of_memory(error, action);
    } catch (const cv::Exception &thrown) {
        if (thrown.code == cv::Error::StsNoMem)
            return out_of_memory(error, action);
        try {
            return vd_error_set(error, VD_EFORMAT, nullptr, "OpenCV %s could not %s: %s.",
                                vd_engine_opencv_version(), action, reason_line(thrown.err).c_str());
        } catch (...) {
            return out_of_memory(error, action);
        }
    } catch (const std::exception &thrown) {
        try {
            return vd_error_set(error, VD_EFORMAT, nullptr, "OpenCV %s could not %s: %s.",
                                vd_engine_opencv_version(), action, reason_line(thrown.what()).c_str());
        } catch (...) {
            return out_of_memory(error, action);
        }
    } catch (...) {
        return vd_error_set(error, VD_EFORMAT, nullptr, "OpenCV %s could not %s and gave no reason.",
                            vd_engine_opencv_version(), action);
    }
}

int view_bgrx(const vd_image *image, cv::Mat &ret_view, vd_error *error)
{
    int code = vd_image_validate(image, error);
    if (code)
        return code;
    if (image->format != VD_PIXEL_BGRX)
        return vd_error_set(error, VD_EINVAL, nullptr,
                            "This detector takes pictures in BGRX, not in format %d.",
                            static_cast<int>(image->format));
    ret_view = cv::Mat(image->height, image->width, CV_8UC4, image->planes[0],
                       static_cast<size_t>(image->strides[0]));
    return VD_OK;
}

size_t hand_over(std::vector<vd_detection> &found, vd_detection *ret_candidates, size_t room)
{
    std::stable_sort(found.begin(), found.end(),
                     [](const vd_detection &a, const vd_detection &b) { return a.score > b.score; });
    size_t count = std::min(found.size(), room);
    std::copy_n(found.begin(), count, ret_candidates);
    return count;
}

} // namespace vedette

extern "C" void vd_engine_throw_next(vd_engine_fault fault)
{
    vedette::asked_fault = fault;
}

extern "C" void vd_engine_set_threads(int threads)
{
    vedette::guard(nullptr, "set the number of its threads", [&] {
        vedette::wanted_threads = threads < 1 ? 1 : threads;
        cv::setNumThreads(vedette::wanted_threads);
        return VD_OK;
    });
}

extern "C" const char *vd_engine_opencv_version(void)
{
    return CV_VERSION;
}
