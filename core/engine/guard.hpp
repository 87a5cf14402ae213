/* The border between C++ and C: nothing that is thrown crosses it.
 *
 * Every entry of engine.h is `return guard(error, "do what", [&] { … })`. */
#ifndef VD_ENGINE_GUARD_HPP
#define VD_ENGINE_GUARD_HPP

#include <vector>

#include <opencv2/core.hpp>

#include "vedette/detection.h"
#include "vedette/error.h"
#include "vedette/image.h"

namespace vedette
{

/* Makes OpenCV print nothing by itself; what it has to say comes back as an error. Cheap after the first
 * call. */
void hush_opencv();

/* Throws what vd_engine_throw_next asked for. */
void throw_if_asked();

/* Turns the exception that is being handled into an error: "… could not <action>: <reason>." */
int report_exception(vd_error *error, const char *action) noexcept;

/* A view of a BGRX picture as a matrix, without a copy: VD_OK, or VD_EINVAL for another kind of picture. */
int view_bgrx(const vd_image *image, cv::Mat &ret_view, vd_error *error);

/* Sorts by falling score and copies the first `room`; returns how many. */
size_t hand_over(std::vector<vd_detection> &found, vd_detection *ret_candidates, size_t room);

/* Runs `body`, which returns a code and fills `error` itself where it does not throw.
 *
 * action  completes "could not …" */
template <typename Body> int guard(vd_error *error, const char *action, Body body) noexcept
{
    try {
        hush_opencv();
        throw_if_asked();
        return body();
    } catch (...) {
        return report_exception(error, action);
    }
}

/* Deletes what `object` points to and sets it to NULL; accepts NULL. */
template <typename T> void dispose(T **object) noexcept
{
    T *old = *object;
    *object = nullptr;
    try {
        delete old;
        throw_if_asked();
    } catch (...) {
        /* the object is gone; a caller that frees has nothing left to do about it */
    }
}

} // namespace vedette

#endif
