/* libFuzzer's target for encoded pictures. */
#include "fuzz/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vd_fuzz_picture(data, size);
    return 0;
}
