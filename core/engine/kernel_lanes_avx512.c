/* Compiled with -mavx512f -mavx512bw -mavx512vl -mavx512dq. */
#define VD_LANES_BLOCK 16
#define VD_LANES_TABLE vd_lanes_avx512
#include "engine/kernel_lanes_body.inc"
