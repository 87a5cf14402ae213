#include "engine/engine.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <opencv2/dnn.hpp>

#include "engine/guard.hpp"

using vedette::guard;

enum { MAX_INPUT_SIDE = 8192 };

struct vd_net {
    cv::dnn::Net net;
    std::vector<cv::String> outputs; /* the names that forward may be asked for */
    cv::Mat input;                   /* 1 × 3 × height × width floats */
    cv::Mat output;                  /* a header on the network's own memory */
};

extern "C" int vd_net_new(const uint8_t *onnx, size_t bytes, vd_net **ret_net, vd_error *error)
{
    return guard(error, "read the network", [&] {
        if (!onnx || bytes == 0)
            return vd_error_set(error, VD_EFORMAT, nullptr,
                                "The network is empty: there is nothing to read.");
        std::unique_ptr<vd_net> made(new vd_net);
        made->net = cv::dnn::readNetFromONNX(reinterpret_cast<const char *>(onnx), bytes);
        if (made->net.empty())
            return vd_error_set(error, VD_EFORMAT, nullptr, "The network has no layers.");
        made->net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
        made->net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
        made->outputs = made->net.getUnconnectedOutLayersNames();
        *ret_net = made.release();
        return static_cast<int>(VD_OK);
    });
}

extern "C" void vd_net_free(vd_net **net)
{
    vedette::dispose(net);
}

extern "C" int vd_net_input(vd_net *net, int width, int height, float **ret_tensor, vd_error *error)
{
    return guard(error, "make room for the network's input", [&] {
        if (width < 1 || height < 1 || width > MAX_INPUT_SIDE || height > MAX_INPUT_SIDE)
            return vd_error_set(
                error, VD_EINVAL, nullptr,
                "A network's input of %d × %d pixels cannot be used; each side may be 1 to %d.", width,
                height, static_cast<int>(MAX_INPUT_SIDE));
        const int extents[4] = {1, 3, height, width};
        if (net->input.dims != 4 || net->input.size[2] != height || net->input.size[3] != width)
            net->input = cv::Mat(4, extents, CV_32F, cv::Scalar(0));
        *ret_tensor = net->input.ptr<float>();
        return static_cast<int>(VD_OK);
    });
}

extern "C" int vd_net_forward(vd_net *net, const char *output_name, const float **ret_data, int ret_shape[4],
                              vd_error *error)
{
    return guard(error, "run the network", [&] {
        if (net->input.empty())
            return vd_error_set(error, VD_EINVAL, nullptr, "The network has no input yet; fill one first.");
        if (std::find(net->outputs.begin(), net->outputs.end(), output_name) == net->outputs.end())
            return vd_error_set(error, VD_EINVAL, nullptr,
                                "The network has no output named \"%s\"; its output is \"%s\".", output_name,
                                net->outputs.empty() ? "" : net->outputs[0].c_str());
        net->net.setInput(net->input);
        net->output = net->net.forward(output_name);
        if (net->output.dims > 4 || net->output.type() != CV_32F || !net->output.isContinuous())
            return vd_error_set(
                error, VD_EFORMAT, nullptr,
                "The network's output has %d dimensions of type %d; up to 4 of 32-bit floats can be read.",
                net->output.dims, net->output.type());
        for (int i = 0; i < 4; i++)
            ret_shape[i] = i < net->output.dims ? net->output.size[i] : 1;
        *ret_data = net->output.ptr<float>();
        return static_cast<int>(VD_OK);
    });
}
