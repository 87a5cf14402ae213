/* libFuzzer's target for what strangers send to the streaming interface. */
#include "fuzz/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vd_fuzz_serve(data, size);
    return 0;
}
