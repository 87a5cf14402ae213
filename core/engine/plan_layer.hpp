/* A run of layers (model/plan.h) as one layer of OpenCV: registered with its factory under a name of our own,
 * so that OpenCV stays as it was for whoever else uses it in the process. */
#ifndef VD_ENGINE_PLAN_LAYER_HPP
#define VD_ENGINE_PLAN_LAYER_HPP

#include <vector>

#include <opencv2/dnn.hpp>

#include "engine/plan.h"

namespace vedette
{

class PlanLayer final : public cv::dnn::Layer
{
  public:
    /* Lets OpenCV's importer make such layers. Any thread; cheap after the first call. */
    static void register_once();

    /* Those of a network, in its order. */
    static std::vector<cv::Ptr<PlanLayer>> all_of(cv::dnn::Net &net);

    /* Throws cv::Exception with a sentence when code and constants are not sound. The constants are taken out
     * of `params`, so that they can go when the plan is made. */
    explicit PlanLayer(cv::dnn::LayerParams &params);
    ~PlanLayer() override;
    PlanLayer(const PlanLayer &) = delete;
    PlanLayer &operator=(const PlanLayer &) = delete;

    /* Makes the plan, once, before the first pass. VD_OK, VD_EFORMAT or VD_ENOMEM. */
    int prepare(vd_kernel_type type, vd_error *error);

    /* The plan, once it is made. */
    vd_plan *plan() const
    {
        return plan_;
    }

    /* The layer is all there is of the network. */
    bool is_whole() const
    {
        return whole_;
    }
    int step_count() const
    {
        return step_count_;
    }

    typedef std::vector<int> Shape;
    const std::vector<Shape> &input_shapes() const
    {
        return inputs_;
    }
    const std::vector<Shape> &output_shapes() const
    {
        return outputs_;
    }

    bool supportBackend(int backend) override;
    bool getMemoryShapes(const std::vector<cv::dnn::MatShape> &inputs, const int requiredOutputs,
                         std::vector<cv::dnn::MatShape> &outputs,
                         std::vector<cv::dnn::MatShape> &internals) const override;
    void forward(cv::InputArrayOfArrays inputs, cv::OutputArrayOfArrays outputs,
                 cv::OutputArrayOfArrays internals) override;

  private:
    void decode(const cv::dnn::DictValue &code);
    void take_constants(cv::dnn::LayerParams &params);

    vd_plan_graph graph_ = {};
    std::vector<cv::Mat> constants_;
    std::vector<Shape> inputs_, outputs_;
    int step_count_ = 0;
    bool whole_ = false;
    vd_plan *plan_ = nullptr;
};

} // namespace vedette

#endif
