/* Compiled with -mavx2 -mfma. */
#define VD_LANES_BLOCK 8
#define VD_LANES_TABLE vd_lanes_avx2
#include "engine/kernel_lanes_body.inc"
