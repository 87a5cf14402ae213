/* Where the time of a pass goes, and what the machine has for one. */
#include <algorithm>
#include <cstdio>
#include <vector>

#include "engine/guard.hpp"
#include "engine/net.hpp"

using vedette::guard;

namespace
{

enum { MOST_PASSES = 10000 };

int measure_plans(vd_net *net, int passes, std::vector<vd_plan_line> &lines, vd_error *error)
{
    for (const cv::Ptr<vedette::PlanLayer> &layer : net->plans) {
        std::vector<vd_plan_line> found(static_cast<size_t>(vd_plan_line_count(layer->plan())));
        int code = vd_plan_measure(layer->plan(), passes, found.data(), error);
        if (code != VD_OK)
            return code;
        lines.insert(lines.end(), found.begin(), found.end());
    }
    return VD_OK;
}

vd_plan_line opencv_line(const cv::Ptr<cv::dnn::Layer> &layer, std::vector<double> &times)
{
    vd_plan_line line = {};
    std::nth_element(times.begin(), times.begin() + static_cast<long>(times.size() / 2), times.end());
    double seconds = times[times.size() / 2] / cv::getTickFrequency();
    std::snprintf(line.text, sizeof line.text, "%s %s", layer->type.c_str(), layer->name.c_str());
    std::snprintf(line.kernel, sizeof line.kernel, "OpenCV");
    line.median_ns = static_cast<int64_t>(seconds * 1e9);
    return line;
}

/* OpenCV's own layers, by its own stopwatch; the layers with plans are measured from within. */
int measure_opencv(vd_net *net, int passes, std::vector<vd_plan_line> &lines, vd_error *error)
{
    std::vector<cv::String> names = net->net.getLayerNames();
    std::vector<std::vector<double>> times(names.size());
    for (int pass = 0; pass < passes; pass++) {
        std::vector<double> ticks;
        int code = vedette::run_pass(net, error);
        if (code != VD_OK)
            return code;
        net->net.getPerfProfile(ticks);
        for (size_t i = 0; i < names.size(); i++) {
            size_t place = static_cast<size_t>(net->net.getLayerId(names[i]) - 1);
            if (place < ticks.size() && ticks[place] > 0)
                times[i].push_back(ticks[place]);
        }
    }
    for (size_t i = 0; i < names.size(); i++) {
        cv::Ptr<cv::dnn::Layer> layer = net->net.getLayer(net->net.getLayerId(names[i]));
        if (!times[i].empty() && !layer.dynamicCast<vedette::PlanLayer>())
            lines.push_back(opencv_line(layer, times[i]));
    }
    return VD_OK;
}

} // namespace

extern "C" int vd_net_measure(vd_net *net, int passes, vd_plan_line *ret_lines, size_t room,
                              size_t *ret_count, vd_error *error)
{
    return guard(error, "measure the network", [&] {
        vedette::follow_threads();
        std::vector<vd_plan_line> lines;
        int count = std::min(std::max(passes, 1), static_cast<int>(MOST_PASSES));
        int code = measure_plans(net, count, lines, error);
        if (code == VD_OK && !net->whole)
            code = measure_opencv(net, count, lines, error);
        if (code != VD_OK)
            return code;
        std::copy_n(lines.begin(), std::min(room, lines.size()), ret_lines);
        *ret_count = lines.size();
        return code;
    });
}

extern "C" bool vd_engine_has(vd_precision precision)
{
    return precision == VD_PRECISION_FP32 || (precision == VD_PRECISION_BF16 && vd_kernel_has_bf16());
}

extern "C" const char *vd_engine_onednn_version(void)
{
    return vd_kernel_version();
}
