/* What a network is made of, for the files that work on one. */
#ifndef VD_ENGINE_NET_HPP
#define VD_ENGINE_NET_HPP

#include <string>
#include <vector>

#include <opencv2/dnn.hpp>

#include "engine/engine.h"
#include "engine/plan_layer.hpp"

struct vd_net {
    cv::dnn::Net net;
    std::vector<cv::String> names; /* of the outputs, in the model's order */
    std::vector<vd_model_output> promised;
    bool counts_vary = false; /* rows of what was found: fewer may come out than were promised */
    std::vector<cv::Ptr<vedette::PlanLayer>> plans;
    vedette::PlanLayer *whole = nullptr; /* of plans: the one that is all there is, and runs without OpenCV */
    cv::Mat input; /* the floats of the model's extents; with `whole` a view of the plan's own */
    std::vector<cv::Mat> outputs;
    std::string engine;
};

namespace vedette
{

/* One pass, and whether what comes out is what was promised. */
int run_pass(vd_net *net, vd_error *error);

/* What vd_engine_set_threads said last, told to the calling thread's kernels; cheap. */
void follow_threads();

} // namespace vedette

#endif
