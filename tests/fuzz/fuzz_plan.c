/* libFuzzer's target for the codes of plans. */
#include "fuzz/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vd_fuzz_plan(data, size);
    return 0;
}
