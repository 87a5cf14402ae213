/* A worker as a process: started, talked to, killed, reaped. One thread an object; the process dies when the
 * thread that started it ends. Nothing here blocks, but for the start itself (vfork until exec). */
#ifndef VD_VERIFY_PROCESS_H
#define VD_VERIFY_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/error.h"
#include "verify/wire.h"

typedef struct vd_process {
    int pid;         /* 0: none, or reaped */
    int socket;      /* -1: closed */
    uint8_t *memory; /* shared: the worker reads, only we write; NULL once it is killed */
    size_t bytes;
} vd_process;

/* Starts the program with a socket, shared memory, and nothing else of ours open; sends the setup.
 *
 * program  empty: `vedette-verifier` beside the running program, then in ../libexec/vedette, else on the PATH
 * VD_OK, VD_ENOTFOUND or VD_ENOMEM. */
int vd_process_start(const char *program, size_t bytes, const vd_wire_setup *setup, vd_process *ret_process,
                     vd_error *error);

/* Ends it, whatever it is doing: closes the socket, gives the memory back. It is still to be reaped. */
void vd_process_kill(vd_process *process);

/* Whether it is gone; true from then on. After vd_process_kill that is a matter of milliseconds. */
bool vd_process_reap(vd_process *process);

/* Sends a whole message; false when it cannot be sent. */
bool vd_process_send(const vd_process *process, const void *message, size_t size);

typedef enum vd_process_got { VD_GOT_NOTHING, VD_GOT_MESSAGE, VD_GOT_RUBBISH, VD_GOT_END } vd_process_got;

/* Reads a message; one of any other size is rubbish. */
vd_process_got vd_process_receive(const vd_process *process, void *ret_message, size_t size);

#endif
