/* A network in OpenCV: read from memory, set to a device, one picture or batch a pass. */
#include "engine/engine.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <opencv2/dnn.hpp>

#include "engine/device.hpp"
#include "engine/guard.hpp"

using vedette::guard;

enum { MAX_INPUT_SIDE = 8192, MAX_BATCH = 1024 };
static const size_t MAX_INPUT_ELEMENTS = static_cast<size_t>(1) << 28;

struct vd_net {
    cv::dnn::Net net;
    std::vector<cv::String> names; /* of the outputs, in the model's order */
    std::vector<vd_model_output> promised;
    bool counts_vary = false; /* rows of what was found: fewer may come out than were promised */
    cv::Mat input;            /* batch × channels × height × width floats */
    std::vector<cv::Mat> outputs;
    std::string engine;
};

namespace
{

struct device_row {
    const char *name, *action; /* the action completes "could not …" */
    int backend, target;
};

const device_row devices[VD_NET_DEVICE_END] = {
    {"the processor", "read the network", cv::dnn::DNN_BACKEND_OPENCV, cv::dnn::DNN_TARGET_CPU},
    {"OpenCL", "run the network on OpenCL", cv::dnn::DNN_BACKEND_OPENCV, cv::dnn::DNN_TARGET_OPENCL},
    {"CUDA", "run the network on CUDA", cv::dnn::DNN_BACKEND_CUDA, cv::dnn::DNN_TARGET_CUDA},
    {"OpenVINO", "run the network on OpenVINO", cv::dnn::DNN_BACKEND_INFERENCE_ENGINE,
     cv::dnn::DNN_TARGET_CPU},
};

/* What vd_net_new and its steps work with. */
struct making {
    const vd_model *model;
    vd_net_options options;
    vd_error *error;
};

cv::dnn::Net read_network(const vd_model *model)
{
    const char *network = reinterpret_cast<const char *>(model->network);
    const char *config = reinterpret_cast<const char *>(model->config);
    switch (model->format) {
    case VD_FORMAT_DARKNET:
        return cv::dnn::readNetFromDarknet(config, model->config_bytes, network, model->network_bytes);
    case VD_FORMAT_CAFFE:
        return cv::dnn::readNetFromCaffe(config, model->config_bytes, network, model->network_bytes);
    case VD_FORMAT_TENSORFLOW:
        return cv::dnn::readNetFromTensorflow(network, model->network_bytes, config, model->config_bytes);
    default:
        return cv::dnn::readNetFromONNX(network, model->network_bytes);
    }
}

int check_model(const vd_model *model, vd_error *error)
{
    bool has_two = model->format != VD_FORMAT_ONNX;
    if (!model->network || model->network_bytes == 0 ||
        (has_two && model->format != VD_FORMAT_TENSORFLOW && (!model->config || model->config_bytes == 0)))
        return vd_error_set(error, VD_EFORMAT, nullptr, "The network is empty: there is nothing to read.");
    int channels = model->feed.channels == VD_CHANNELS_GREY ? 1 : 3;
    if (model->batch < 1 || model->batch > MAX_BATCH || model->input_width < 1 || model->input_height < 1 ||
        model->input_width > MAX_INPUT_SIDE || model->input_height > MAX_INPUT_SIDE ||
        static_cast<size_t>(model->batch) * static_cast<size_t>(channels) *
                static_cast<size_t>(model->input_width) * static_cast<size_t>(model->input_height) >
            MAX_INPUT_ELEMENTS)
        return vd_error_set(
            error, VD_EINVAL, nullptr,
            "A network's input of %d × %d pixels, %d at a time, cannot be used; each side may "
            "be 1 to %d.",
            model->input_width, model->input_height, model->batch, static_cast<int>(MAX_INPUT_SIDE));
    if (model->output_count < 1 || model->output_count > VD_MODEL_OUTPUTS)
        return vd_error_set(error, VD_EFORMAT, nullptr, "The network has no output that is read.");
    return VD_OK;
}

int choose_outputs(const making &m, vd_net *net)
{
    std::vector<cv::String> ends = net->net.getUnconnectedOutLayersNames();
    for (int i = 0; i < m.model->output_count; i++) {
        const vd_model_output &output = m.model->outputs[i];
        if (std::find(ends.begin(), ends.end(), output.name) == ends.end())
            return vd_error_set(m.error, VD_EFORMAT, nullptr,
                                "The network has no output named \"%s\"; its output is \"%s\".", output.name,
                                ends.empty() ? "" : ends[0].c_str());
        net->names.push_back(output.name);
        net->promised.push_back(output);
    }
    net->counts_vary = m.model->family == VD_FAMILY_SSD;
    return VD_OK;
}

std::vector<int> wide_extents(const int *extents, int rank)
{
    std::vector<int> wide;
    std::copy_if(extents, extents + rank, std::back_inserter(wide), [](int extent) { return extent != 1; });
    return wide;
}

/* OpenCV keeps no rank below 2 and some layers add or drop axes of 1, which move no value. */
bool is_as_promised(const cv::Mat &found, const vd_model_output &promised)
{
    return found.type() == CV_32F && found.isContinuous() &&
           wide_extents(found.size.p, found.dims) == wide_extents(promised.extents, promised.rank);
}

std::string extents_text(const int *extents, int rank)
{
    std::string text;
    for (int i = 0; i < rank; i++)
        text += (i > 0 ? ", " : "") + std::to_string(extents[i]);
    return "[" + text + "]";
}

/* Rows of 7 of which there are fewer than promised: the rest becomes rows of zeros. */
bool fill_up(cv::Mat &found, const vd_model_output &promised)
{
    size_t count = 1;
    for (int i = 0; i < promised.rank; i++)
        count *= static_cast<size_t>(promised.extents[i]);
    if (promised.rank != 4 || found.dims != 4 || found.type() != CV_32F || !found.isContinuous() ||
        found.size[3] != promised.extents[3] || found.total() >= count)
        return false;
    cv::Mat full(4, promised.extents, CV_32F, cv::Scalar(0));
    std::copy_n(found.ptr<float>(), found.total(), full.ptr<float>());
    found = full;
    return true;
}

int check_outputs(vd_net *net, vd_error *error)
{
    for (size_t i = 0; i < net->promised.size(); i++) {
        const vd_model_output &promised = net->promised[i];
        cv::Mat &found = net->outputs[i];
        if (is_as_promised(found, promised) || (net->counts_vary && fill_up(found, promised)))
            continue;
        return vd_error_set(error, VD_EFORMAT, nullptr,
                            "The network's output \"%s\" has the extents %s of type %d; %s of 32-bit floats "
                            "were expected.",
                            promised.name, extents_text(found.size.p, found.dims).c_str(), found.type(),
                            extents_text(promised.extents, promised.rank).c_str());
    }
    return VD_OK;
}

int run_pass(vd_net *net, vd_error *error)
{
    net->net.setInput(net->input);
    net->net.forward(net->outputs, net->names);
    if (net->outputs.size() != net->names.size())
        return vd_error_set(error, VD_EFORMAT, nullptr, "The network gives %zu of its %zu outputs.",
                            net->outputs.size(), net->names.size());
    return check_outputs(net, error);
}

/* Reads the network, sets it to the device and tries it with one pass. */
int make_net(const making &m, std::unique_ptr<vd_net> &ret_net)
{
    std::unique_ptr<vd_net> made(new vd_net);
    const device_row &device = devices[m.options.device];
    const int extents[4] = {m.model->batch, m.model->feed.channels == VD_CHANNELS_GREY ? 1 : 3,
                            m.model->input_height, m.model->input_width};
    made->net = read_network(m.model);
    if (made->net.empty())
        return vd_error_set(m.error, VD_EFORMAT, nullptr, "The network has no layers.");
    made->net.setPreferableBackend(device.backend);
    made->net.setPreferableTarget(device.target);
    made->input = cv::Mat(4, extents, CV_32F, cv::Scalar(0));
    vedette::throw_if_broken(m.options.device);
    int code = choose_outputs(m, made.get());
    if (code == VD_OK)
        code = run_pass(made.get(), m.error);
    if (code != VD_OK)
        return code;
    made->engine = "OpenCV's own layers";
    if (m.options.device != VD_NET_CPU)
        made->engine += std::string(" on ") + device.name;
    ret_net = std::move(made);
    return VD_OK;
}

int check_options(const vd_net_options &options, vd_error *error)
{
    if (options.device < VD_NET_CPU || options.device >= VD_NET_DEVICE_END)
        return vd_error_set(error, VD_EINVAL, nullptr, "There is no device %d.",
                            static_cast<int>(options.device));
    if (!vd_engine_has_device(options.device))
        return vd_error_set(error, VD_EFORMAT, nullptr, "OpenCV %s cannot compute on %s here.",
                            vd_engine_opencv_version(), devices[options.device].name);
    return VD_OK;
}

} // namespace

extern "C" int vd_net_new(const vd_model *model, const vd_net_options *options, vd_net **ret_net,
                          vd_error *error)
{
    const vd_net_options chosen = options ? *options : vd_net_options{};
    bool is_known = chosen.device >= VD_NET_CPU && chosen.device < VD_NET_DEVICE_END;
    return guard(error, devices[is_known ? chosen.device : VD_NET_CPU].action, [&] {
        int code = check_options(chosen, error);
        if (code == VD_OK)
            code = check_model(model, error);
        std::unique_ptr<vd_net> made;
        if (code == VD_OK)
            code = make_net({model, chosen, error}, made);
        if (code == VD_OK)
            *ret_net = made.release();
        return code;
    });
}

extern "C" void vd_net_free(vd_net **net)
{
    vedette::dispose(net);
}

extern "C" const char *vd_net_engine(const vd_net *net)
{
    return net->engine.c_str();
}

extern "C" int vd_net_input(vd_net *net, float **ret_tensor, vd_error *error)
{
    return guard(error, "make room for the network's input", [&] {
        *ret_tensor = net->input.ptr<float>();
        return static_cast<int>(VD_OK);
    });
}

extern "C" int vd_net_forward(vd_net *net, const float *ret_data[VD_MODEL_OUTPUTS], vd_error *error)
{
    return guard(error, "run the network", [&] {
        int code = run_pass(net, error);
        for (size_t i = 0; code == VD_OK && i < net->outputs.size(); i++)
            ret_data[i] = net->outputs[i].ptr<float>();
        return code;
    });
}
