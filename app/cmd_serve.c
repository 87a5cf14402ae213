/* vedette-cli serve: the streaming interface, until it is interrupted. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cli.h"
#include "options.h"
#include "request.h"
#include "serve_cameras.h"
#include "vedette/app/serve.h"

enum { LOOK_MS = 100, ADDRESSES_NAMED = 3 };

struct job {
    cli_request request;
    const char *listen, *token_file, *tls_certificate, *tls_key;
    int64_t port; /* negative: not given */
    vd_serve *serve;
    cli_cameras *cameras;
    int news_fd; /* an eventfd: the status changed */
};

static const char help_text[] =
    "Other programs send pictures over WebSocket or HTTP and get detections, or watch the\n"
    "settings' cameras; docs/streaming.md says how. Where it listens is printed: a page\n"
    "to try it with is there. It ends with Ctrl-C.\n"
    "On every address but loopback a token is needed, which is made when there is none;\n"
    "the file that has it is named. The limits are in the settings, group `streaming`;\n"
    "STREAMING_… in the environment wins over these, an option over both.\n";

/* Nothing at all is a variable of a script that was never set: no reason to do without a token or TLS. */
static bool fits(const char *text, size_t size, const char *option)
{
    if (text[0] != '\0' && strlen(text) < size)
        return true;
    if (text[0] == '\0')
        cli_complain("--%s is empty.", option);
    else
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

/* --- Who else can come in */

typedef enum reach { REACH_SELF, REACH_ONE, REACH_ALL } reach;

static reach reach_of(const char *address)
{
    struct in_addr four;
    struct in6_addr six;
    bool is_six = inet_pton(AF_INET6, address, &six) == 1;
    if (is_six && IN6_IS_ADDR_V4MAPPED(&six))
        memcpy(&four, &six.s6_addr[12], sizeof four);
    else if (is_six)
        return IN6_IS_ADDR_LOOPBACK(&six)      ? REACH_SELF
               : IN6_IS_ADDR_UNSPECIFIED(&six) ? REACH_ALL
                                               : REACH_ONE;
    else if (inet_pton(AF_INET, address, &four) != 1)
        return REACH_SELF; /* localhost */
    uint32_t bits = ntohl(four.s_addr);
    return bits >> 24 == 127 ? REACH_SELF : bits == 0 ? REACH_ALL : REACH_ONE;
}

/* `192.168.1.7` or `[fd00::7]`; false for another family, and for what is of use on its own wire only. */
static bool write_address(const struct sockaddr *address, int family, char out[static INET6_ADDRSTRLEN + 2])
{
    char text[INET6_ADDRSTRLEN];
    if (!address || address->sa_family != family)
        return false;
    const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
    const void *bits =
        family == AF_INET6 ? (const void *)six : &((const struct sockaddr_in *)address)->sin_addr;
    if ((family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(six)) || !inet_ntop(family, bits, text, sizeof text))
        return false;
    snprintf(out, INET6_ADDRSTRLEN + 2, family == AF_INET6 ? "[%s]" : "%s", text);
    return true;
}

/* `http://192.168.1.7:8765/, …`: the first addresses of this machine but loopback; empty where it has none.
 */
static void list_urls(const char *url, int family, char *out, size_t size)
{
    const char *port = strrchr(url, ':');
    struct ifaddrs *list = NULL;
    char address[INET6_ADDRSTRLEN + 2];
    size_t used = 0;
    out[0] = '\0';
    if (getifaddrs(&list) != 0)
        return;
    int named = 0;
    for (const struct ifaddrs *one = list; one && named < ADDRESSES_NAMED && used < size;
         one = one->ifa_next) {
        if ((one->ifa_flags & IFF_LOOPBACK) || !(one->ifa_flags & IFF_UP) ||
            !write_address(one->ifa_addr, family, address))
            continue;
        used += (size_t)snprintf(out + used, size - used, "%s%.*s://%s%s", named++ > 0 ? ", " : "",
                                 (int)strcspn(url, ":"), url, address, port);
    }
    freeifaddrs(list);
}

/* Whoever listens to more than this machine is told so: the line of stdout is for scripts, and names one. */
static void tell_reach(const struct job *job, const vd_serve_status *status)
{
    const vd_streaming_settings *streaming = &job->request.settings.streaming;
    char urls[300];
    reach reached = reach_of(streaming->address);
    list_urls(status->url, strchr(streaming->address, ':') ? AF_INET6 : AF_INET, urls, sizeof urls);
    if (reached == REACH_ALL)
        cli_complain("It listens on this machine's other addresses too%s%s.", urls[0] ? ": " : "", urls);
    if (status->token_file[0] != '\0')
        cli_complain("Clients need a token out of %s.", status->token_file);
    if (reached != REACH_SELF && streaming->tls_certificate[0] == '\0')
        cli_complain("Plain HTTP can be overheard, pictures and token too; --tls-cert and --tls-key make it "
                     "HTTPS.");
}

static int serve(struct job *job)
{
    vd_serve_status status;
    wait_while(job, VD_SERVE_STARTING, &status);
    if (status.state == VD_SERVE_LISTENING) {
        printf("Listening on %s\n", status.url);
        if (cli_output_failed(stdout, "where it listens"))
            return CLI_FAILED;
        tell_reach(job, &status);
        job->cameras = cli_cameras_open(&job->request.settings, job->serve);
        wait_while(job, VD_SERVE_LISTENING, &status);
    }
    if (status.state != VD_SERVE_FAILED)
        return CLI_DONE;             /* interrupted, which the caller knows */
    if (status.error.code == VD_EIO) /* the port is taken */
        cli_complain("%s Or --port, for this once.", status.error.text);
    else
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
        {"listen", CLI_TEXT, &job.listen, 0, 0, "ADDR",
         "the address to listen on (127.0.0.1); 0.0.0.0: all of this machine"},
        {"port", CLI_COUNT, &job.port, 0, 65535, "N", "the port; 0: any that is free (8765)"},
        {"token-file", CLI_TEXT, &job.token_file, 0, 0, "F",
         "a file with one token a line; made when it is missing"},
        {"tls-cert", CLI_TEXT, &job.tls_certificate, 0, 0, "F",
         "a certificate (PEM file): HTTPS and WSS; needs --tls-key"},
        {"tls-key", CLI_TEXT, &job.tls_key, 0, 0, "F", "the certificate's key (PEM file)"},
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
