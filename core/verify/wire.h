/* What goes over the socket between the program and a worker: whole messages (SOCK_SEQPACKET) of fixed size,
 * both ends of one build on one machine. The program trusts nothing that comes from a worker. */
#ifndef VD_VERIFY_WIRE_H
#define VD_VERIFY_WIRE_H

#include <stdint.h>

enum {
    VD_WIRE_VERSION = 1,
    VD_WIRE_CLIPS = 4, /* of one pass at most */
    VD_WIRE_SETUP = 0x56447331,
    VD_WIRE_HELLO,
    VD_WIRE_ASK,
    VD_WIRE_ANSWER
};

/* The first message: to the worker. */
typedef struct vd_wire_setup {
    uint32_t kind, version;
    char model_path[512], model_type[16];
    int32_t width, height, frames;
    int32_t unused;
    double sleep_s; /* of test:sleep and test:load */
} vd_wire_setup;

/* Its answer, once: the model is loaded, or why not. */
typedef struct vd_wire_hello {
    uint32_t kind;
    int32_t code;  /* VD_OK, or a vd_code: then the worker ends */
    int32_t batch; /* clips of one pass, 1 to VD_WIRE_CLIPS */
    char model[64];
    char text[448];
} vd_wire_hello;

/* The shared memory holds `count` clips, one behind the other. */
typedef struct vd_wire_ask {
    uint32_t kind, count;
    uint64_t ids[VD_WIRE_CLIPS];
} vd_wire_ask;

/* Scores are 0 to 1; code other than VD_OK: the whole pass failed, and the text says why. */
typedef struct vd_wire_answer {
    uint32_t kind, count;
    uint64_t ids[VD_WIRE_CLIPS];
    float scores[VD_WIRE_CLIPS];
    int32_t code;
    char text[444];
} vd_wire_answer;

#endif
