#define VD_LANES_BLOCK 8
#define VD_LANES_TABLE vd_lanes_plain
#include "engine/kernel_lanes_body.inc"
