"""Networks to ONNX files as OpenCV 4.6 takes them."""
import os
import tempfile

import onnx
import torch


def drop_identities(graph):
    """torch merges equal weights and leaves Identity nodes on constants, which OpenCV refuses."""
    stands_for = {n.output[0]: n.input[0] for n in graph.node if n.op_type == "Identity"}
    outputs = {o.name for o in graph.output}
    for name in outputs & stands_for.keys():
        del stands_for[name]
    for node in graph.node:
        for i, name in enumerate(node.input):
            while name in stands_for:
                name = stands_for[name]
            node.input[i] = name
    for node in [n for n in graph.node if n.output[0] in stands_for]:
        graph.node.remove(node)


def export(net, example, path, metadata):
    """Writes `net` with the input `images` and the output `output0`; metadata: pairs of text."""
    net = net.eval().float().to("cpu").to(memory_format=torch.contiguous_format)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(path))) as folder:
        part = os.path.join(folder, "part.onnx")
        torch.onnx.export(net, example, part, opset_version=12, input_names=["images"],
                          output_names=["output0"], do_constant_folding=True)
        model = onnx.load(part)
        drop_identities(model.graph)
        onnx.helper.set_model_props(model, metadata)
        onnx.checker.check_model(model)
        onnx.save(model, part)
        os.replace(part, path)
