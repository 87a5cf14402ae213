/* The inside of `vedette-verifier`: one worker of stage 2, a process that its parent may kill at any time. */
#ifndef VEDETTE_APP_VERIFY_WORKER_H
#define VEDETTE_APP_VERIFY_WORKER_H

/* Loads the model that the parent names and answers clips until the parent goes. One thread; the process
 * dies with its parent.
 *
 * socket_fd  a SOCK_SEQPACKET socket to the parent
 * memory_fd  shared memory with the clips' pictures; only read
 * parent     the parent's process id
 * Returns 0 when the parent has closed its end, else 1. */
int vd_verify_worker_run(int socket_fd, int memory_fd, int parent);

#endif
