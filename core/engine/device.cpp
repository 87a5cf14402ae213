#include "engine/device.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <iterator>
#include <utility>
#include <vector>

#include <opencv2/dnn.hpp>

#include "engine/device.hpp"
#include "engine/fault.h"
#include "engine/guard.hpp"

using vedette::guard;

namespace
{

/* By OpenCV's numbers; later versions add to the end. */
const char *const backends[] = {"default", "Halide", "OpenVINO", "OpenCV", "Vulkan",
                                "CUDA",    "WebNN",  "TIM-VX",   "CANN"};
const char *const targets[] = {
    "CPU",  "OpenCL", "OpenCL, half precision", "Myriad", "Vulkan", "FPGA", "CUDA", "CUDA, half precision",
    "HDDL", "NPU",    "CPU, half precision"};
enum { OPENVINO_NGRAPH = 1000001 }; /* what OpenCV's own list calls OpenVINO, a number that no header has */

std::atomic<int> broken_device{VD_NET_CPU}; /* set by tests, read by workers */

typedef std::vector<std::pair<cv::dnn::Backend, cv::dnn::Target>> pairs;

int backend_number(cv::dnn::Backend backend)
{
    return static_cast<int>(backend) == OPENVINO_NGRAPH ? cv::dnn::DNN_BACKEND_INFERENCE_ENGINE
                                                        : static_cast<int>(backend);
}

void name_number(char *out, size_t size, int number, const char *const *names, int count, const char *kind)
{
    if (number >= 0 && number < count)
        std::snprintf(out, size, "%s", names[number]);
    else
        std::snprintf(out, size, "%s %d", kind, number);
}

bool offers(int backend, cv::dnn::Target target)
{
    const pairs found = cv::dnn::getAvailableBackends();
    return std::any_of(found.begin(), found.end(), [&](const pairs::value_type &pair) {
        return backend_number(pair.first) == backend && pair.second == target;
    });
}

bool is_there(vd_net_device device)
{
    if (device != VD_NET_CPU && device == broken_device)
        return true;
    switch (device) {
    case VD_NET_CPU:
        return true;
    case VD_NET_OPENCL:
        return offers(cv::dnn::DNN_BACKEND_OPENCV, cv::dnn::DNN_TARGET_OPENCL);
    case VD_NET_CUDA:
        return offers(cv::dnn::DNN_BACKEND_CUDA, cv::dnn::DNN_TARGET_CUDA);
    case VD_NET_OPENVINO:
        return offers(cv::dnn::DNN_BACKEND_INFERENCE_ENGINE, cv::dnn::DNN_TARGET_CPU);
    default:
        return false;
    }
}

} // namespace

void vedette::throw_if_broken(vd_net_device device)
{
    if (device != VD_NET_CPU && device == broken_device)
        CV_Error(cv::Error::GpuApiCallError, "the device was broken by a test");
}

extern "C" void vd_engine_break_device(vd_net_device device)
{
    broken_device = device;
}

extern "C" bool vd_engine_has_device(vd_net_device device)
{
    bool there = false;
    int code = guard(nullptr, "list its devices", [&] {
        there = is_there(device);
        return static_cast<int>(VD_OK);
    });
    return code == VD_OK && there;
}

extern "C" int vd_engine_list_targets(vd_engine_target *ret_targets, size_t room, size_t *ret_count,
                                      vd_error *error)
{
    return guard(error, "list its devices", [&] {
        const pairs found = cv::dnn::getAvailableBackends();
        size_t count = std::min(found.size(), room);
        for (size_t i = 0; i < count; i++) {
            vd_engine_target &target = ret_targets[i];
            name_number(target.backend, sizeof target.backend, backend_number(found[i].first), backends,
                        static_cast<int>(std::size(backends)), "backend");
            name_number(target.target, sizeof target.target, found[i].second, targets,
                        static_cast<int>(std::size(targets)), "target");
        }
        *ret_count = count;
        return static_cast<int>(VD_OK);
    });
}
