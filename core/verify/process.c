#include "verify/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"

enum { SOCKET_THERE = 3, MEMORY_THERE = 4, FIRST_FREE = 5, ABOVE = 16, PATH_ROOM = 1024 };
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

extern char **environ;

/* --- The program */

static void find_program(const char *wanted, char *out, size_t size)
{
    static const char *const places[] = {"vedette-verifier", "../libexec/vedette/vedette-verifier"};
    char folder[PATH_ROOM];
    vd_text_copy(out, size, *wanted ? wanted : "vedette-verifier");
    ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
    if (*wanted || length <= 0)
        return;
    folder[length] = '\0';
    char *slash = strrchr(folder, '/');
    *(slash ? slash + 1 : folder) = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char path[2 * PATH_ROOM];
        int written = snprintf(path, sizeof path, "%s%s", folder, places[i]);
        if (written > 0 && (size_t)written < size && access(path, X_OK) == 0) {
            vd_text_copy(out, size, path);
            return;
        }
    }
}

/* --- What is shared. Descriptors for the worker stand above those numbers that it will know them by. */

static int move_up(int fd)
{
    if (fd < 0)
        return -1;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, ABOVE);
    close(fd);
    return moved;
}

/* Memory that nobody can shrink under us, and that only we can write. *ret_fd is for reading alone. */
static uint8_t *share_memory(size_t bytes, int *ret_fd)
{
    char path[64];
    int fd = memfd_create("vedette-clip", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return NULL;
    uint8_t *memory = MAP_FAILED;
    if (ftruncate(fd, (off_t)bytes) == 0)
        memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory != MAP_FAILED) {
        if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) != 0)
            fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL); /* before Linux 5.1 */
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        *ret_fd = move_up(open(path, O_RDONLY | O_CLOEXEC));
        if (*ret_fd < 0) {
            munmap(memory, bytes);
            memory = MAP_FAILED;
        }
    }
    close(fd);
    return memory == MAP_FAILED ? NULL : memory;
}

/* --- Starting */

/* A group of its own, so that Ctrl-C in a terminal is ours alone; signals as a program begins with them. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int failed = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                          POSIX_SPAWN_SETSIGDEF);
    failed = failed ? failed : posix_spawnattr_setpgroup(attributes, 0);
    failed = failed ? failed : posix_spawnattr_setsigmask(attributes, &none);
    return failed ? failed : posix_spawnattr_setsigdefault(attributes, &all);
}

static int set_files(posix_spawn_file_actions_t *files, int socket_fd, int memory_fd)
{
    int failed = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    failed =
        failed ? failed : posix_spawn_file_actions_addopen(files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    failed = failed ? failed : posix_spawn_file_actions_adddup2(files, socket_fd, SOCKET_THERE);
    failed = failed ? failed : posix_spawn_file_actions_adddup2(files, memory_fd, MEMORY_THERE);
    return failed ? failed : posix_spawn_file_actions_addclosefrom_np(files, FIRST_FREE);
}

/* An errno, or 0. */
static int spawn(const char *program, int socket_fd, int memory_fd, pid_t *ret_pid)
{
    char there[3][16];
    snprintf(there[0], sizeof there[0], "%d", SOCKET_THERE);
    snprintf(there[1], sizeof there[1], "%d", MEMORY_THERE);
    snprintf(there[2], sizeof there[2], "%d", (int)getpid());
    char *words[] = {(char *)program, there[0], there[1], there[2], NULL};
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t files;
    int failed = posix_spawnattr_init(&attributes);
    if (failed)
        return failed;
    failed = posix_spawn_file_actions_init(&files);
    if (!failed) {
        failed = set_attributes(&attributes);
        failed = failed ? failed : set_files(&files, socket_fd, memory_fd);
        failed = failed ? failed : posix_spawnp(ret_pid, program, &files, &attributes, words, environ);
        posix_spawn_file_actions_destroy(&files);
    }
    posix_spawnattr_destroy(&attributes);
    return failed;
}

static int refuse(const char *program, int failed, vd_error *error)
{
    if (failed == ENOENT || failed == EACCES)
        return vd_error_set(
            error, VD_ENOTFOUND, program,
            "The program that runs second models, vedette-verifier, was not found; it belongs "
            "beside vedette.");
    return vd_error_set(error, VD_ENOMEM, program, "The second model's worker could not be started: %s.",
                        strerror(failed));
}

int vd_process_start(const char *program, size_t bytes, const vd_wire_setup *setup, vd_process *ret_process,
                     vd_error *error)
{
    char path[PATH_ROOM];
    int ends[2] = {-1, -1}, memory_fd = -1, failed = 0;
    pid_t pid = 0;
    find_program(program, path, sizeof path);
    vd_process made = {.socket = -1, .bytes = bytes};
    made.memory = share_memory(bytes, &memory_fd);
    if (!made.memory || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        failed = errno ? errno : ENOMEM;
    if (!failed) {
        made.socket = ends[0];
        ends[1] = move_up(ends[1]);
        failed = ends[1] < 0 ? errno : spawn(path, ends[1], memory_fd, &pid);
    }
    if (ends[1] >= 0)
        close(ends[1]);
    if (memory_fd >= 0)
        close(memory_fd);
    if (failed) {
        vd_process_kill(&made);
        return refuse(path, failed, error);
    }
    made.pid = pid;
    vd_process_send(&made, setup, sizeof *setup); /* a failure shows as the end of the socket */
    *ret_process = made;
    return VD_OK;
}

void vd_process_kill(vd_process *process)
{
    if (process->pid > 0)
        kill(process->pid, SIGKILL); /* not reaped yet, so the number is still its own */
    if (process->socket >= 0)
        close(process->socket);
    if (process->memory)
        munmap(process->memory, process->bytes);
    process->socket = -1;
    process->memory = NULL;
}

bool vd_process_reap(vd_process *process)
{
    if (process->pid > 0 && waitpid(process->pid, NULL, WNOHANG) == 0)
        return false;
    process->pid = 0; /* reaped, or by somebody else */
    return true;
}

/* --- Talking */

bool vd_process_send(const vd_process *process, const void *message, size_t size)
{
    ssize_t sent;
    do
        sent = send(process->socket, message, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)size;
}

vd_process_got vd_process_receive(const vd_process *process, void *ret_message, size_t size)
{
    ssize_t got;
    do
        got = recv(process->socket, ret_message, size, MSG_TRUNC | MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return VD_GOT_NOTHING;
    if (got <= 0)
        return VD_GOT_END;
    return got == (ssize_t)size ? VD_GOT_MESSAGE : VD_GOT_RUBBISH;
}
