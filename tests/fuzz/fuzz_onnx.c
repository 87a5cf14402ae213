/* libFuzzer's target for the ONNX reader, the rewriter and the planner. */
#include "fuzz/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vd_fuzz_onnx(data, size);
    return 0;
}
