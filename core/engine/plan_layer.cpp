#include "engine/plan_layer.hpp"

#include <limits>
#include <mutex>
#include <string>

#include <opencv2/dnn/layer.details.hpp>

namespace vedette
{

namespace
{

cv::Ptr<cv::dnn::Layer> make_layer(cv::dnn::LayerParams &params)
{
    return cv::Ptr<cv::dnn::Layer>(new PlanLayer(params));
}

[[noreturn]] void refuse(const char *sentence)
{
    CV_Error(cv::Error::StsParseError, sentence);
}

PlanLayer::Shape shape_of(const vd_plan_value &value)
{
    return PlanLayer::Shape(value.extents, value.extents + value.rank);
}

size_t count_of(const cv::dnn::MatShape &shape)
{
    size_t count = 1;
    for (int extent : shape)
        count *= static_cast<size_t>(extent);
    return count;
}

} // namespace

void PlanLayer::register_once()
{
    static std::once_flag once;
    std::call_once(once, [] { cv::dnn::LayerFactory::registerLayer(VD_PLAN_OP, make_layer); });
}

std::vector<cv::Ptr<PlanLayer>> PlanLayer::all_of(cv::dnn::Net &net)
{
    std::vector<cv::Ptr<PlanLayer>> layers;
    for (const cv::String &name : net.getLayerNames()) {
        cv::Ptr<cv::dnn::Layer> layer = net.getLayer(net.getLayerId(name));
        cv::Ptr<PlanLayer> plan = layer.dynamicCast<PlanLayer>();
        if (plan)
            layers.push_back(plan);
    }
    return layers;
}

PlanLayer::PlanLayer(cv::dnn::LayerParams &params) : whole_(params.get<int>(VD_PLAN_WHOLE, 0) == 1)
{
    name = params.name;
    type = params.type;
    if (!params.has(VD_PLAN_CODE))
        refuse("gathered layers without a code");
    decode(params.get(VD_PLAN_CODE));
    try {
        take_constants(params);
    } catch (...) {
        vd_plan_clear(&graph_);
        throw;
    }
}

PlanLayer::~PlanLayer()
{
    vd_plan_free(&plan_);
    vd_plan_clear(&graph_);
}

void PlanLayer::decode(const cv::dnn::DictValue &code)
{
    std::vector<int32_t> ints(static_cast<size_t>(code.size()));
    for (size_t i = 0; i < ints.size(); i++)
        ints[i] = code.get<int>(static_cast<int>(i));
    vd_error error = {};
    if (vd_plan_decode(ints.data(), ints.size(), &graph_, &error) != VD_OK)
        refuse(error.text);
    inputs_.resize(static_cast<size_t>(graph_.input_count));
    for (int i = 0; i < graph_.value_count; i++)
        if (graph_.values[i].input >= 0)
            inputs_[static_cast<size_t>(graph_.values[i].input)] = shape_of(graph_.values[i]);
    for (int i = 0; i < graph_.output_count; i++)
        outputs_.push_back(shape_of(graph_.values[graph_.outputs[i]]));
    step_count_ = graph_.step_count;
}

/* OpenCV keeps its own ranks of small constants; the number of elements must be right. */
void PlanLayer::take_constants(cv::dnn::LayerParams &params)
{
    constants_.swap(params.blobs);
    if (constants_.size() != static_cast<size_t>(graph_.constant_count))
        refuse("gathered layers with a wrong number of constants");
    for (int i = 0; i < graph_.value_count; i++) {
        const vd_plan_value &value = graph_.values[i];
        if (value.constant < 0)
            continue;
        const cv::Mat &constant = constants_[static_cast<size_t>(value.constant)];
        if (constant.type() != CV_32F || !constant.isContinuous() ||
            constant.total() != vd_plan_count(&value))
            refuse("gathered layers with a constant of a wrong size");
    }
}

int PlanLayer::prepare(vd_kernel_type precision, vd_error *error)
{
    if (plan_)
        return VD_OK;
    std::vector<const float *> constants;
    for (const cv::Mat &constant : constants_)
        constants.push_back(constant.ptr<float>());
    int code = vd_plan_new(&graph_, constants.data(), precision, &plan_, error);
    constants_.clear();
    return code;
}

/* On every other backend OpenCV would have to know what the layer does. */
bool PlanLayer::supportBackend(int backend)
{
    return backend == cv::dnn::DNN_BACKEND_OPENCV;
}

bool PlanLayer::getMemoryShapes(const std::vector<cv::dnn::MatShape> &inputs, const int,
                                std::vector<cv::dnn::MatShape> &outputs,
                                std::vector<cv::dnn::MatShape> &internals) const
{
    if (inputs.size() != inputs_.size())
        refuse("gathered layers with a wrong number of inputs");
    for (size_t i = 0; i < inputs.size(); i++)
        if (count_of(inputs[i]) != count_of(inputs_[i]))
            refuse("gathered layers with an input of a wrong shape");
    outputs.assign(outputs_.begin(), outputs_.end());
    internals.clear();
    return false; /* not in place */
}

void PlanLayer::forward(cv::InputArrayOfArrays inputs_array, cv::OutputArrayOfArrays outputs_array,
                        cv::OutputArrayOfArrays)
{
    std::vector<cv::Mat> inputs, outputs;
    inputs_array.getMatVector(inputs);
    outputs_array.getMatVector(outputs);
    if (!plan_ || inputs.size() != inputs_.size() || outputs.size() != outputs_.size())
        refuse("gathered layers that were not prepared");
    std::vector<const float *> from;
    std::vector<float *> to;
    for (const cv::Mat &input : inputs) {
        if (input.type() != CV_32F || !input.isContinuous())
            refuse("gathered layers with an input of a wrong type");
        from.push_back(input.ptr<float>());
    }
    for (cv::Mat &output : outputs) {
        if (output.type() != CV_32F || !output.isContinuous())
            refuse("gathered layers with an output of a wrong type");
        to.push_back(output.ptr<float>());
    }
    vd_error error = {};
    if (vd_plan_run(plan_, from.data(), to.data(), &error) != VD_OK)
        CV_Error(cv::Error::StsError, error.text);
}

} // namespace vedette
