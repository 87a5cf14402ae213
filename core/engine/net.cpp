/* A network in OpenCV: read from memory, set to a device, one picture or batch a pass. */
#include "engine/net.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <mutex>

#include "engine/device.hpp"
#include "engine/guard.hpp"

using vedette::guard;
using vedette::PlanLayer;

enum { MAX_INPUT_SIDE = 8192, MAX_BATCH = 1024 };
static const size_t MAX_INPUT_ELEMENTS = static_cast<size_t>(1) << 28;

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
    bool planned; /* the network with gathered layers is to be used */
    vd_error *error;
};

/* One at a time: workers that opened a TensorFlow network together failed ("dstTotal != 0") or crashed about
 * once in a hundred times. Which of the reader's state they share was not found. */
std::mutex reading;

cv::dnn::Net read_network(const vd_model *model, bool planned)
{
    std::lock_guard<std::mutex> lock(reading);
    const char *network = reinterpret_cast<const char *>(model->network);
    const char *config = reinterpret_cast<const char *>(model->config);
    if (planned)
        return cv::dnn::readNetFromONNX(reinterpret_cast<const char *>(model->planned), model->planned_bytes);
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

/* What a pass is given: a picture or several, or a clip. */
std::vector<int> input_extents(const vd_model *model)
{
    if (model->input_rank > 0)
        return std::vector<int>(model->input_extents, model->input_extents + model->input_rank);
    return {model->batch, model->feed.channels == VD_CHANNELS_GREY ? 1 : 3, model->input_height,
            model->input_width};
}

bool is_usable_input(const vd_model *model)
{
    if (model->input_rank != 0 && model->input_rank != 4 && model->input_rank != 5)
        return false;
    size_t count = 1;
    for (int extent : input_extents(model)) {
        if (extent < 1 || extent > MAX_INPUT_SIDE)
            return false;
        count *= static_cast<size_t>(extent);
        if (count > MAX_INPUT_ELEMENTS)
            return false;
    }
    return model->batch >= 1 && model->batch <= MAX_BATCH;
}

int check_model(const vd_model *model, vd_error *error)
{
    bool has_two = model->format != VD_FORMAT_ONNX;
    if (!model->network || model->network_bytes == 0 ||
        (has_two && model->format != VD_FORMAT_TENSORFLOW && (!model->config || model->config_bytes == 0)))
        return vd_error_set(error, VD_EFORMAT, nullptr, "The network is empty: there is nothing to read.");
    if (!is_usable_input(model))
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

/* Makes the plans of the gathered layers. One that is the whole network works on memory of its own: the
 * picture is written where the first convolution reads it, and OpenCV has nothing left to do. */
int prepare_plans(const making &m, vd_net *net)
{
    vd_kernel_type type = m.options.precision == VD_PRECISION_BF16 ? VD_KERNEL_BF16 : VD_KERNEL_F32;
    vedette::follow_threads(); /* kernels are made for a number of threads */
    net->plans = PlanLayer::all_of(net->net);
    if (net->plans.empty())
        return vd_error_set(m.error, VD_EFORMAT, nullptr, "The network has no gathered layers.");
    for (const cv::Ptr<PlanLayer> &plan : net->plans) {
        int code = plan->prepare(type, m.error);
        if (code != VD_OK)
            return code;
    }
    PlanLayer *first = net->plans[0].get();
    if (net->plans.size() != 1 || !first->is_whole() || first->input_shapes().size() != 1 ||
        first->output_shapes().size() != net->promised.size() ||
        first->input_shapes()[0] != PlanLayer::Shape(net->input.size.p, net->input.size.p + net->input.dims))
        return VD_OK;
    net->whole = first;
    net->input = cv::Mat(std::vector<int>(first->input_shapes()[0]), CV_32F, vd_plan_input(first->plan(), 0));
    for (const PlanLayer::Shape &shape : first->output_shapes())
        net->outputs.push_back(cv::Mat(std::vector<int>(shape), CV_32F, cv::Scalar(0)));
    return check_outputs(net, m.error);
}

int run_whole(vd_net *net, vd_error *error)
{
    const float *input = net->input.ptr<float>();
    float *outputs[VD_MODEL_OUTPUTS];
    for (size_t i = 0; i < net->outputs.size(); i++)
        outputs[i] = net->outputs[i].ptr<float>();
    return vd_plan_run(net->whole->plan(), &input, outputs, error);
}

std::string engine_text(const making &m, const vd_net *net)
{
    if (!m.planned) {
        std::string plain = "OpenCV's own layers";
        if (m.options.device != VD_NET_CPU)
            plain += std::string(" on ") + devices[m.options.device].name;
        return plain +
               (m.options.precision == VD_PRECISION_BF16 ? ", float32 (bfloat16 is oneDNN's alone)" : "");
    }
    int layers = 0;
    for (const cv::Ptr<PlanLayer> &plan : net->plans)
        layers += plan->step_count();
    const char *version = vd_engine_onednn_version();
    std::string text = version ? version : "";
    text += m.options.precision == VD_PRECISION_BF16 ? ", bfloat16, " : ", float32, ";
    text += std::to_string(net->plans.size()) + (net->plans.size() == 1 ? " run of " : " runs of ");
    return text + std::to_string(layers) + " layers" + (net->whole ? "" : ", the others by OpenCV");
}

/* Reads the network, sets it to the device and tries it with one pass. */
int make_net(const making &m, std::unique_ptr<vd_net> &ret_net)
{
    std::unique_ptr<vd_net> made(new vd_net);
    const device_row &device = devices[m.options.device];
    const std::vector<int> extents = input_extents(m.model);
    made->net = read_network(m.model, m.planned);
    if (made->net.empty())
        return vd_error_set(m.error, VD_EFORMAT, nullptr, "The network has no layers.");
    made->net.setPreferableBackend(device.backend);
    made->net.setPreferableTarget(device.target);
    made->input = cv::Mat(extents, CV_32F, cv::Scalar(0));
    int code = choose_outputs(m, made.get());
    if (code == VD_OK && m.planned)
        code = prepare_plans(m, made.get());
    if (code == VD_OK) {
        vedette::throw_if_broken(m.options.device);
        code = vedette::run_pass(made.get(), m.error);
    }
    if (code != VD_OK)
        return code;
    made->engine = engine_text(m, made.get());
    ret_net = std::move(made);
    return VD_OK;
}

/* The network with its plan; VD_EFORMAT with the reason when that cannot be. */
int make_planned(making m, std::unique_ptr<vd_net> &ret_net, vd_error *ret_reason)
{
    m.planned = true;
    m.error = ret_reason;
    if (!vd_kernel_here())
        return vd_error_set(ret_reason, VD_EFORMAT, nullptr, "%s.",
                            vd_engine_onednn_version() ? "oneDNN needs a processor with AVX2"
                                                       : "this program was built without oneDNN");
    try {
        PlanLayer::register_once();
        return make_net(m, ret_net);
    } catch (...) {
        return vedette::report_exception(ret_reason, "read the gathered layers");
    }
}

/* With its plan where that can be, else OpenCV's own layers, and then the reason is told. */
int make_best(const making &m, std::unique_ptr<vd_net> &ret_net)
{
    vd_error reason = {};
    bool wanted = m.model->planned && m.options.device == VD_NET_CPU && !m.options.plain;
    int code = wanted ? make_planned(m, ret_net, &reason) : VD_EFORMAT;
    if (code == VD_OK)
        return code;
    code = make_net(m, ret_net);
    std::string text = reason.text;
    if (code == VD_OK && !text.empty())
        ret_net->engine += ": " + text.substr(0, text.find_last_not_of(". ") + 1);
    return code;
}

int check_options(const vd_net_options &options, vd_error *error)
{
    if (options.device < VD_NET_CPU || options.device >= VD_NET_DEVICE_END)
        return vd_error_set(error, VD_EINVAL, nullptr, "There is no device %d.",
                            static_cast<int>(options.device));
    if (!vd_engine_has(options.precision))
        return vd_error_set(error, VD_EFORMAT, nullptr,
                            "This machine cannot compute in bfloat16; use float32 (precision fp32).");
    if (!vd_engine_has_device(options.device))
        return vd_error_set(error, VD_EFORMAT, nullptr, "OpenCV %s cannot compute on %s here.",
                            vd_engine_opencv_version(), devices[options.device].name);
    return VD_OK;
}

} // namespace

int vedette::run_pass(vd_net *net, vd_error *error)
{
    follow_threads();
    if (net->whole)
        return run_whole(net, error);
    net->net.setInput(net->input);
    net->net.forward(net->outputs, net->names);
    if (net->outputs.size() != net->names.size())
        return vd_error_set(error, VD_EFORMAT, nullptr, "The network gives %zu of its %zu outputs.",
                            net->outputs.size(), net->names.size());
    return check_outputs(net, error);
}

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
            code = make_best({model, chosen, false, error}, made);
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
        int code = vedette::run_pass(net, error);
        for (size_t i = 0; code == VD_OK && i < net->outputs.size(); i++)
            ret_data[i] = net->outputs[i].ptr<float>();
        return code;
    });
}
