/* libFuzzer's own changes of single bytes seldom leave a model that can be parsed, for every message begins
 * with its length. Here half of the inputs are changed in what they say and written anew. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/entry.h"
#include "onnx.pb-c.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

static unsigned int state;

/* A number below `end`; 0 when there is none. */
static size_t pick(size_t end)
{
    state = state * 1103515245u + 12345u;
    return end > 0 ? (state >> 8) % end : 0;
}

static int64_t number(int64_t was)
{
    static const int64_t odd[] = {0,         1,         -1,        2,         3,     4,       5,
                                  16,        80,        255,       1024,      65536, 1 << 20, 1 << 28,
                                  INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, -2,    -3,      -9,
                                  1L << 32,  1L << 40,  1L << 62,  32,        84,    144,     8400,
                                  6,         7,         8,         9,         10,    11,      64};
    switch (pick(5)) {
    case 0:
        return (int64_t)((uint64_t)was + 1);
    case 1:
        return (int64_t)((uint64_t)was - 1);
    case 2:
        return was / 2;
    default:
        return odd[pick(sizeof odd / sizeof *odd)];
    }
}

static void set_text(char **text, const char *other)
{
    char *copy = strdup(other ? other : "");
    free(*text);
    *text = copy;
}

/* A name that some node, input or tensor has. */
static const char *some_name(const Onnx__GraphProto *graph)
{
    const Onnx__NodeProto *node = graph->n_node ? graph->node[pick(graph->n_node)] : NULL;
    switch (pick(8)) {
    case 0:
        return graph->n_input ? graph->input[pick(graph->n_input)]->name : "";
    case 1:
    case 2:
        return graph->n_initializer ? graph->initializer[pick(graph->n_initializer)]->name : "";
    case 3:
        return pick(3) ? "" : "x";
    default:
        return node && node->n_output ? node->output[pick(node->n_output)] : "";
    }
}

static void change_ints(int64_t *ints, size_t *count)
{
    if (*count == 0)
        return;
    if (pick(6) == 0)
        --*count;
    else
        ints[pick(*count)] = number(ints[pick(*count)]);
}

static void change_data(ProtobufCBinaryData *data)
{
    if (data->len == 0)
        return;
    size_t element = data->len % 8 == 0 && pick(2) ? 8 : 4;
    switch (pick(3)) {
    case 0:
        data->len -= pick(data->len < 9 ? data->len + 1 : 9);
        break;
    case 1:
        if (data->len >= element) {
            uint8_t *at = data->data + pick(data->len / element) * element;
            int64_t value;
            int32_t small;
            memcpy(&small, at, sizeof small);
            value = number(small);
            memcpy(at, &value, element);
        }
        break;
    default:
        data->len = LLVMFuzzerMutate(data->data, data->len, data->len);
    }
}

static void change_tensor(const Onnx__GraphProto *graph, Onnx__TensorProto *tensor)
{
    static const int types[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 17, 0};
    switch (pick(6)) {
    case 0:
    case 1:
        change_ints(tensor->dims, &tensor->n_dims);
        break;
    case 2:
        tensor->has_data_type = true;
        tensor->data_type = types[pick(sizeof types / sizeof *types)];
        break;
    case 3:
        if (tensor->name)
            set_text(&tensor->name, some_name(graph));
        break;
    default:
        change_data(&tensor->raw_data);
    }
}

static void change_attribute(const Onnx__GraphProto *graph, Onnx__AttributeProto *attribute)
{
    static const float odd[] = {0, 1, -1, 0.5f, 1e30f, -1e30f, 1e-30f, 2, 6, 0.1f};
    switch (pick(5)) {
    case 0:
        attribute->f = pick(8) ? odd[pick(10)] : (float)number(0) * 1e30f;
        break;
    case 1:
        if (attribute->t)
            change_tensor(graph, attribute->t);
        break;
    case 2:
        change_data(&attribute->s);
        break;
    default:
        attribute->i = number(attribute->i);
        change_ints(attribute->ints, &attribute->n_ints);
    }
}

static const char *const operators[] = {"Add",
                                        "And",
                                        "ArgMax",
                                        "AveragePool",
                                        "BatchNormalization",
                                        "Cast",
                                        "Ceil",
                                        "Clip",
                                        "Concat",
                                        "Constant",
                                        "ConstantOfShape",
                                        "Conv",
                                        "ConvInteger",
                                        "ConvTranspose",
                                        "DequantizeLinear",
                                        "Div",
                                        "Dropout",
                                        "DynamicQuantizeLinear",
                                        "Equal",
                                        "Erf",
                                        "Exp",
                                        "Expand",
                                        "Flatten",
                                        "Floor",
                                        "Gather",
                                        "GatherElements",
                                        "GatherND",
                                        "Gelu",
                                        "Gemm",
                                        "GlobalAveragePool",
                                        "Greater",
                                        "HardSigmoid",
                                        "HardSwish",
                                        "Identity",
                                        "LeakyRelu",
                                        "Less",
                                        "MatMul",
                                        "MatMulInteger",
                                        "Max",
                                        "MaxPool",
                                        "Min",
                                        "Mod",
                                        "Mul",
                                        "Not",
                                        "Or",
                                        "PRelu",
                                        "Pad",
                                        "Pow",
                                        "QLinearConv",
                                        "QuantizeLinear",
                                        "Range",
                                        "ReduceMax",
                                        "ReduceMean",
                                        "ReduceSum",
                                        "Relu",
                                        "Reshape",
                                        "Resize",
                                        "ScatterND",
                                        "Shape",
                                        "Sigmoid",
                                        "Slice",
                                        "Softmax",
                                        "Softplus",
                                        "Split",
                                        "Sqrt",
                                        "Squeeze",
                                        "Sub",
                                        "Sum",
                                        "Tanh",
                                        "Tile",
                                        "TopK",
                                        "Transpose",
                                        "Unsqueeze",
                                        "Upsample",
                                        "Where",
                                        "QLinearAdd",
                                        "QLinearMatMul",
                                        "QLinearConcat",
                                        "Swish",
                                        "Mish",
                                        "NonMaxSuppression",
                                        "VedettePlan",
                                        "Abs",
                                        "Neg",
                                        "Log",
                                        "Round",
                                        "Reciprocal",
                                        "Size",
                                        "GreaterOrEqual",
                                        "LessOrEqual",
                                        "DepthToSpace",
                                        "SpaceToDepth",
                                        "InstanceNormalization",
                                        "GlobalMaxPool",
                                        "Elu",
                                        "Softsign"};

static void change_node(const Onnx__GraphProto *graph, Onnx__NodeProto *node)
{
    switch (pick(8)) {
    case 0:
        set_text(&node->op_type, operators[pick(sizeof operators / sizeof *operators)]);
        break;
    case 1:
        if (node->n_input)
            free(node->input[--node->n_input]);
        break;
    case 2:
        if (node->n_attribute)
            onnx__attribute_proto__free_unpacked(node->attribute[--node->n_attribute], NULL);
        break;
    case 3:
    case 4:
        if (node->n_input)
            set_text(&node->input[pick(node->n_input)], some_name(graph));
        break;
    default:
        if (node->n_attribute)
            change_attribute(graph, node->attribute[pick(node->n_attribute)]);
        else if (node->n_input)
            set_text(&node->input[pick(node->n_input)], some_name(graph));
    }
}

static void change_info(const Onnx__GraphProto *graph, Onnx__ValueInfoProto *info)
{
    Onnx__TypeProto__Tensor *tensor = info->type ? info->type->tensor_type : NULL;
    if (pick(4) == 0 || !tensor) {
        set_text(&info->name, some_name(graph));
    } else if (pick(5) == 0) {
        tensor->elem_type = (int32_t)pick(18);
    } else if (tensor->shape && tensor->shape->n_dim) {
        Onnx__TensorShapeProto__Dimension *dim = tensor->shape->dim[pick(tensor->shape->n_dim)];
        dim->has_dim_value = pick(8) != 0;
        dim->dim_value = number(dim->dim_value);
    }
}

/* Takes a node out, or moves it. */
static void change_order(Onnx__GraphProto *graph)
{
    size_t a = pick(graph->n_node), b = pick(graph->n_node);
    if (graph->n_node < 2)
        return;
    Onnx__NodeProto *node = graph->node[a];
    graph->node[a] = graph->node[b];
    graph->node[b] = node;
    if (pick(2))
        onnx__node_proto__free_unpacked(graph->node[--graph->n_node], NULL);
}

/* Joins a node to another of the same kind of place: its inputs become those of the one before. */
static void change_links(Onnx__GraphProto *graph)
{
    if (graph->n_node < 2)
        return;
    size_t a = 1 + pick(graph->n_node - 1);
    Onnx__NodeProto *node = graph->node[a], *before = graph->node[a - 1 - pick(a < 8 ? a : 8)];
    if (node->n_input && before->n_output)
        set_text(&node->input[pick(node->n_input)], before->output[pick(before->n_output)]);
}

static void change_model(Onnx__ModelProto *model)
{
    Onnx__GraphProto *graph = model->graph;
    switch (pick(12)) {
    case 0:
        if (model->n_opset_import)
            model->opset_import[0]->version = (int64_t)pick(24);
        break;
    case 1:
        change_order(graph);
        break;
    case 2:
    case 3:
        if (graph->n_initializer)
            change_tensor(graph, graph->initializer[pick(graph->n_initializer)]);
        break;
    case 4:
        if (graph->n_input)
            change_info(graph, graph->input[pick(graph->n_input)]);
        break;
    case 5:
        if (graph->n_output)
            change_info(graph, graph->output[pick(graph->n_output)]);
        break;
    case 6:
        change_links(graph);
        break;
    default:
        if (graph->n_node)
            change_node(graph, graph->node[pick(graph->n_node)]);
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    state = seed;
    if (size <= VD_FUZZ_HEAD || pick(3) == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    Onnx__ModelProto *model = onnx__model_proto__unpack(NULL, size - VD_FUZZ_HEAD, data + VD_FUZZ_HEAD);
    if (!model || !model->graph) {
        if (model)
            onnx__model_proto__free_unpacked(model, NULL);
        return LLVMFuzzerMutate(data, size, max_size);
    }
    for (size_t changes = 1 + pick(4); changes > 0; changes--)
        change_model(model);
    size_t length = onnx__model_proto__get_packed_size(model);
    if (length + VD_FUZZ_HEAD <= max_size) {
        size = VD_FUZZ_HEAD + onnx__model_proto__pack(model, data + VD_FUZZ_HEAD);
        if (pick(8) == 0)
            data[pick(VD_FUZZ_HEAD)] = (uint8_t)pick(256);
    } else {
        size = LLVMFuzzerMutate(data, size, max_size);
    }
    onnx__model_proto__free_unpacked(model, NULL);
    return size;
}
