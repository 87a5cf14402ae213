/* The worker's side of the socket. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "vedette/app/verify_worker.h"
#include "verify/worker_model.h"

/* One message of exactly that size; false at the parent's end, or when it sent something else. */
static bool receive(int fd, void *message, size_t size)
{
    ssize_t got;
    do
        got = recv(fd, message, size, MSG_TRUNC);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)size;
}

static bool answer(int fd, const void *message, size_t size)
{
    ssize_t sent;
    do
        sent = send(fd, message, size, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)size;
}

static bool greet(int fd, const vd_worker_model *model, int code, const vd_error *error)
{
    vd_wire_hello hello = {.kind = VD_WIRE_HELLO, .code = code};
    if (model) {
        hello.batch = vd_worker_model_batch(model);
        vd_text_copy(hello.model, sizeof hello.model, vd_worker_model_name(model));
    } else {
        vd_text_copy(hello.text, sizeof hello.text, error->text);
    }
    return answer(fd, &hello, sizeof hello);
}

static bool serve_one(int fd, vd_worker_model *model, const uint8_t *rgb)
{
    vd_wire_ask ask;
    if (!receive(fd, &ask, sizeof ask) || ask.kind != VD_WIRE_ASK || ask.count < 1 ||
        (int)ask.count > vd_worker_model_batch(model))
        return false;
    vd_error error = {0};
    vd_wire_answer made = {.kind = VD_WIRE_ANSWER, .count = ask.count};
    size_t size = sizeof made;
    memcpy(made.ids, ask.ids, sizeof made.ids);
    int code = vd_worker_model_run(model, rgb, &ask, &made, &size, &error);
    if (code != VD_OK) {
        made.code = code;
        vd_text_copy(made.text, sizeof made.text, error.text);
    }
    return answer(fd, &made, size);
}

/* Dies with the thread that started it, leaves no core file behind, and gives way to what is shown. */
static bool settle(int parent)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    if (nice(5) < 0)
        errno = 0; /* as nice as it can be already */
    prctl(PR_SET_NAME, "vd-verifier");
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
}

int vd_verify_worker_run(int socket_fd, int memory_fd, int parent)
{
    vd_wire_setup setup;
    vd_worker_model *model = NULL;
    vd_error error = {0};
    if (!settle(parent) || !receive(socket_fd, &setup, sizeof setup) || setup.kind != VD_WIRE_SETUP ||
        setup.version != VD_WIRE_VERSION)
        return 1;
    setup.model_path[sizeof setup.model_path - 1] = setup.model_type[sizeof setup.model_type - 1] = '\0';
    size_t bytes = (size_t)setup.frames * (size_t)setup.width * (size_t)setup.height * 3 * VD_WIRE_CLIPS;
    uint8_t *rgb = mmap(NULL, bytes, PROT_READ, MAP_SHARED, memory_fd, 0);
    close(memory_fd);
    if (rgb == MAP_FAILED)
        return 1;
    int code = vd_worker_model_new(&setup, &model, &error);
    bool going = greet(socket_fd, model, code, &error) && model;
    while (going)
        going = serve_one(socket_fd, model, rgb);
    vd_worker_model_free(&model);
    munmap(rgb, bytes);
    close(socket_fd);
    return code == VD_OK ? 0 : 1;
}
