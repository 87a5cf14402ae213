/* vedette-cli serve: the streaming interface, until it is interrupted. */
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cli.h"
#include "options.h"
#include "request.h"
#include "serve_cameras.h"
#include "vedette/app/serve.h"

enum { LOOK_MS = 100 };

struct job {
    cli_request request;
    const char *listen, *token_file, *tls_certificate, *tls_key;
    int64_t port; /* negative: not given */
    vd_serve *serve;
    cli_cameras *cameras;
    int news_fd; /* an eventfd: the status changed */
};

static const char help_text[] = "Other programs send pictures over WebSocket or HTTP and get detections; "
                                "docs/streaming.md says how. Where\n"
                                "it listens is printed, and there is a page to try it with. On every address "
                                "but loopback a token is needed,\n"
                                "which is made when there is none; the file that has it is named then.\n"
                                "The settings' group `streaming` has the limits, the settings' cameras can "
                                "be watched. STREAMING_… in the\n"
                                "environment wins over the settings, an option wins over both.\n";

static bool fits(const char *text, size_t size, const char *option)
{
    if (strlen(text) < size)
        return true;
    cli_complain("--%s is longer than %zu bytes.", option, size - 1);
    return false;
}

static int set_text(char *out, size_t size, const char *text, const char *option)
{
    if (!text)
        return CLI_DONE;
    if (!fits(text, size, option))
        return CLI_WRONG;
    snprintf(out, size, "%s", text);
    return CLI_DONE;
}

/* Settings, the environment over them, options over both. */
static int prepare(struct job *job)
{
    vd_settings *settings = &job->request.settings;
    vd_streaming_settings *streaming = &settings->streaming;
    vd_error error = {0};
    int status = cli_request_prepare(&job->request);
    if (status != CLI_DONE)
        return status;
    if (vd_settings_read_environment(settings, &error) != VD_OK) {
        cli_complain_error(&error);
        return CLI_WRONG;
    }
    if (job->port >= 0)
        streaming->port = (int)job->port;
    status = set_text(streaming->address, sizeof streaming->address, job->listen, "listen");
    status = cli_worse(
        status, set_text(streaming->token_file, sizeof streaming->token_file, job->token_file, "token-file"));
    status = cli_worse(status, set_text(streaming->tls_certificate, sizeof streaming->tls_certificate,
                                        job->tls_certificate, "tls-cert"));
    status =
        cli_worse(status, set_text(streaming->tls_key, sizeof streaming->tls_key, job->tls_key, "tls-key"));
    if (status == CLI_DONE && (streaming->tls_certificate[0] == '\0') != (streaming->tls_key[0] == '\0')) {
        cli_complain("TLS needs both --tls-cert and --tls-key.");
        status = CLI_WRONG;
    }
    return status;
}

static void bring_news(void *context)
{
    uint64_t one = 1;
    if (write(((struct job *)context)->news_fd, &one, sizeof one) < 0)
        return; /* it is full of news already */
}

static vd_serve_options choose(struct job *job)
{
    vd_serve_options options;
    vd_serve_options_from_settings(&job->request.settings, &options);
    if (job->request.model)
        options.model = job->request.model;
    if (job->request.labels)
        options.labels = job->request.labels;
    options.precision = job->request.network.precision;
    options.device = job->request.network.device;
    options.max_workers = (int)job->request.workers;
    if (job->request.confidence >= 0)
        options.thresholds.confidence = (float)job->request.confidence;
    if (job->request.iou >= 0)
        options.thresholds.iou =
            job->request.iou > 0 ? (float)job->request.iou : 1e-6f; /* 0: what suits the model */
    options.wake = bring_news;
    options.wake_context = job;
    return options;
}

/* Until it is in another state, or somebody asked for the end. */
static void wait_while(struct job *job, vd_serve_state state, vd_serve_status *ret_status)
{
    uint64_t count;
    for (;;) {
        vd_serve_get_status(job->serve, ret_status);
        if (ret_status->state != state || vd_cancel_requested(cli_cancel()))
            return;
        if (job->cameras)
            cli_cameras_look(job->cameras);
        struct pollfd news = {.fd = job->news_fd, .events = POLLIN};
        if (poll(&news, 1, LOOK_MS) > 0 && read(job->news_fd, &count, sizeof count) < 0)
            continue; /* somebody else took it: look all the same */
    }
}

static int serve(struct job *job)
{
    vd_serve_status status;
    wait_while(job, VD_SERVE_STARTING, &status);
    if (status.state == VD_SERVE_LISTENING) {
        printf("Listening on %s\n", status.url);
        if (cli_output_failed(stdout, "where it listens"))
            return CLI_FAILED;
        if (status.token_file[0] != '\0')
            cli_complain("Clients need a token out of %s.", status.token_file);
        job->cameras = cli_cameras_open(&job->request.settings, job->serve);
        wait_while(job, VD_SERVE_LISTENING, &status);
    }
    if (status.state != VD_SERVE_FAILED)
        return CLI_DONE; /* interrupted, which the caller knows */
    cli_complain_error(&status.error);
    return status.error.code == VD_ENOMEM || status.error.code == VD_EIO ? CLI_FAILED : CLI_WRONG;
}

static int run(struct job *job)
{
    vd_error error = {0};
    vd_serve_options options = choose(job);
    job->news_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int code = job->news_fd < 0
                   ? vd_error_set(&error, VD_ENOMEM, NULL, "There are not enough file descriptors.")
                   : vd_serve_start(&options, &job->serve, &error);
    if (code != VD_OK) {
        cli_complain_error(&error);
        return code == VD_ENOMEM ? CLI_FAILED : CLI_WRONG;
    }
    int status = serve(job);
    vd_serve_stop(job->serve); /* while the cameras close */
    bool closed = cli_cameras_close(&job->cameras);
    vd_serve_free(&job->serve);
    close(job->news_fd);
    if (!closed) {
        fflush(NULL);
        _exit(status == CLI_DONE ? CLI_INTERRUPTED : status); /* a camera's thread is stuck in a driver */
    }
    return status;
}

int cmd_serve(int argc, char **argv)
{
    static struct job job = {.request = CLI_REQUEST_INIT, .port = -1};
    const cli_option options[] = {
        {"model", CLI_TEXT, &job.request.model, 0, 0, "M", "a model file, builtin:people or demo"},
        {"labels", CLI_TEXT, &job.request.labels, 0, 0, "F", "a text file with one class name a line"},
        {"conf", CLI_NUMBER, &job.request.confidence, 0.0001, 1, "X",
         "the least score that counts, of new sessions"},
        {"iou", CLI_NUMBER, &job.request.iou, 0, 1, "X", "boxes of a class that overlap more are one object"},
        {"precision", CLI_TEXT, &job.request.precision, 0, 0, "P",
         "what it computes in: fp32 or bf16 (fp32)"},
        {"device", CLI_TEXT, &job.request.device, 0, 0, "D",
         "what computes: cpu, opencl, cuda or openvino (cpu)"},
        {"workers", CLI_COUNT, &job.request.workers, 1, 64, "N",
         "of the detector (as many as cores, at most 4)"},
        {"config", CLI_TEXT, &job.request.config, 0, 0, "F", "a settings file instead of the user's own"},
        {"listen", CLI_TEXT, &job.listen, 0, 0, "ADDR", "the address (127.0.0.1)"},
        {"port", CLI_COUNT, &job.port, 0, 65535, "N", "the port; 0: any that is free (8765)"},
        {"token-file", CLI_TEXT, &job.token_file, 0, 0, "F", "one token a line; made when it is missing"},
        {"tls-cert", CLI_TEXT, &job.tls_certificate, 0, 0, "F", "a certificate (PEM): TLS"},
        {"tls-key", CLI_TEXT, &job.tls_key, 0, 0, "F", "its key (PEM)"},
    };
    const cli_usage usage = {.command = "serve",
                             .operands = "",
                             .text = help_text,
                             .options = options,
                             .option_count = sizeof options / sizeof *options,
                             .least_operands = 0,
                             .most_operands = 0};
    int operands, status = cli_parse(&usage, argc, argv, &operands);
    if (status != CLI_DONE)
        return status == CLI_HELPED ? CLI_DONE : status;
    status = prepare(&job);
    if (status == CLI_DONE)
        status = run(&job);
    cli_request_clear(&job.request);
    return status;
}
