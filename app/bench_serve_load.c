/* Sessions of the streaming interface that send pictures at a pace, and what they are answered. */
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_serve.h"
#include "cli.h"
#include "json_read.h"

enum { REMEMBERED = 512, SESSIONS_MOST = 64 };
#define S_NS 1e9

struct session {
    bench_load *load;
    bench_socket *socket;
    int64_t first_ns;            /* when its first frame is due */
    int64_t sent_ns[REMEMBERED]; /* by frame; 0: answered, or never sent */
    uint64_t sent, results;      /* since the beginning; in this run */
};

struct bench_load {
    bench_load_options options;
    struct session sessions[SESSIONS_MOST];
    int64_t *latency_ns;
    size_t latency_count;
    uint64_t open, doubled; /* frames without an answer yet; answers too many */
    int64_t run_ns;         /* when the run began */
    bench_load_figures figures;
    bool unreadable;
};

/* --- Answers */

struct answer {
    char type[24];
    double frame_id, level, fps, width, height;
};

static bool read_answer(cli_json *json, struct answer *answer);

static bool read_input(cli_json *json, struct answer *answer)
{
    return cli_json_take(json, '[') && cli_json_read_number(json, &answer->width) &&
           cli_json_take(json, ',') && cli_json_read_number(json, &answer->height) &&
           cli_json_take(json, ']');
}

/* A member, whichever object it is in: no two of those wanted have the same name. */
static bool read_member(cli_json *json, const char *name, struct answer *answer)
{
    if (strcmp(name, "type") == 0)
        return cli_json_read_text(json, answer->type, sizeof answer->type);
    if (strcmp(name, "frame_id") == 0)
        return cli_json_read_number(json, &answer->frame_id);
    if (strcmp(name, "level") == 0)
        return cli_json_read_number(json, &answer->level);
    if (strcmp(name, "fps") == 0)
        return cli_json_read_number(json, &answer->fps);
    if (strcmp(name, "input") == 0)
        return read_input(json, answer);
    if (strcmp(name, "data") == 0 || strcmp(name, "quality") == 0)
        return read_answer(json, answer);
    return cli_json_skip(json);
}

static bool read_answer(cli_json *json, struct answer *answer)
{
    char name[32];
    bool first = true, wrong = false;
    if (!cli_json_take(json, '{'))
        return false;
    while (cli_json_next(json, '}', &first, &wrong))
        if (!cli_json_read_text(json, name, sizeof name) || !cli_json_take(json, ':') ||
            !read_member(json, name, answer))
            return false;
    return !wrong;
}

static void note_result(struct session *session, const struct answer *answer, int64_t sent_ns, int64_t now_ns)
{
    bench_load *load = session->load;
    bench_load_figures *figures = &load->figures;
    bool first = figures->results++ == 0;
    session->results++;
    if (load->latency_count < (size_t)load->options.capacity)
        load->latency_ns[load->latency_count++] = now_ns - sent_ns;
    int level = (int)answer->level, width = (int)answer->width;
    figures->level = level > figures->level ? level : figures->level;
    figures->least_width = first || width < figures->least_width ? width : figures->least_width;
    figures->most_width = first || width > figures->most_width ? width : figures->most_width;
    figures->least_fps = first ? answer->fps : fmin(figures->least_fps, answer->fps);
    figures->most_fps = first ? answer->fps : fmax(figures->most_fps, answer->fps);
    figures->at_end++;
    if (level > 0) {
        figures->lowered_s = (double)(now_ns - load->run_ns) / S_NS;
        figures->at_end = 0;
    }
}

static void take_answer(struct session *session, const struct answer *answer, int64_t now_ns)
{
    bench_load *load = session->load;
    uint64_t frame =
        answer->frame_id >= 1 && answer->frame_id <= (double)session->sent ? (uint64_t)answer->frame_id : 0;
    int64_t *sent_ns = &session->sent_ns[frame % REMEMBERED];
    if (frame == 0 || *sent_ns == 0) {
        load->doubled++;
        return;
    }
    if (strcmp(answer->type, "detection_result") == 0)
        note_result(session, answer, *sent_ns, now_ns);
    else if (strcmp(answer->type, "skipped") == 0)
        load->figures.skipped++;
    else
        load->figures.failed++;
    *sent_ns = 0;
    load->open--;
}

static void take_text(void *context, const char *text)
{
    struct session *session = context;
    struct answer answer = {0};
    int64_t now_ns = bench_now_ns();
    cli_json json = {text};
    if (strstr(text, "\"type\":\"config\"") || strstr(text, "\"type\": \"config\""))
        return; /* what the service says first */
    if (read_answer(&json, &answer))
        take_answer(session, &answer, now_ns);
    else
        session->load->unreadable = true;
}

/* --- Sending */

/* The frame that a session is to send now, if any; the next time it is asked for. */
static int send_due(struct session *session, int64_t now_ns, int64_t *ret_next_ns)
{
    bench_load *load = session->load;
    const bench_serve_pictures *pictures = load->options.pictures;
    double period_ns = S_NS / load->options.rate;
    int64_t due_ns = session->first_ns + (int64_t)((double)session->sent * period_ns);
    while (due_ns <= now_ns) {
        int picture = (int)(session->sent % (uint64_t)pictures->count);
        int64_t *sent_ns = &session->sent_ns[(session->sent + 1) % REMEMBERED];
        if (*sent_ns != 0 || !bench_socket_send(session->socket, pictures->wire[picture].message,
                                                pictures->wire[picture].size))
            return VD_ETIMEOUT;
        *sent_ns = now_ns;
        session->sent++;
        load->figures.sent++;
        load->open++;
        due_ns = session->first_ns + (int64_t)((double)session->sent * period_ns);
    }
    *ret_next_ns = due_ns < *ret_next_ns ? due_ns : *ret_next_ns;
    return VD_OK;
}

static int work_all(bench_load *load, vd_error *error)
{
    int code = VD_OK;
    for (int i = 0; i < load->options.sessions && code == VD_OK; i++)
        code = bench_socket_work(load->sessions[i].socket, take_text, &load->sessions[i], error);
    if (code == VD_OK && load->unreadable)
        code = vd_error_set(error, VD_EFORMAT, NULL,
                            "The service sent an answer that is not what it should be.");
    return code;
}

/* Until something comes, or the time does. */
static int wait_until(bench_load *load, int64_t until_ns)
{
    struct pollfd wait[SESSIONS_MOST];
    for (int i = 0; i < load->options.sessions; i++) {
        const bench_socket *socket = load->sessions[i].socket;
        wait[i] = (struct pollfd){.fd = bench_socket_fd(socket),
                                  .events = (short)(POLLIN | (bench_socket_has_more(socket) ? POLLOUT : 0))};
    }
    int64_t left_ns = until_ns - bench_now_ns();
    struct timespec left = {.tv_sec = left_ns / 1000000000, .tv_nsec = left_ns % 1000000000};
    if (left_ns > 0)
        ppoll(wait, (nfds_t)load->options.sessions, &left, NULL);
    return vd_interrupted() ? VD_ECANCELED : VD_OK;
}

static int send_all(bench_load *load, int64_t *ret_next_ns, vd_error *error)
{
    for (int i = 0; i < load->options.sessions; i++)
        if (send_due(&load->sessions[i], bench_now_ns(), ret_next_ns))
            return vd_error_set(error, VD_ETIMEOUT, NULL,
                                "The service reads or answers nothing of session %d for seconds.", i + 1);
    return VD_OK;
}

static void sum_up(bench_load *load)
{
    bench_load_figures *figures = &load->figures;
    figures->least = load->sessions[0].results;
    for (int i = 0; i < load->options.sessions; i++) {
        uint64_t results = load->sessions[i].results;
        figures->least = results < figures->least ? results : figures->least;
        figures->most = results > figures->most ? results : figures->most;
        load->sessions[i].results = 0;
    }
    figures->latency = vd_bench_latency_of(load->latency_ns, load->latency_count);
    figures->seconds = (double)(bench_now_ns() - load->run_ns) / S_NS;
}

int bench_load_run(bench_load *load, double seconds, bench_load_figures *ret_figures, vd_error *error)
{
    load->figures = (bench_load_figures){0};
    load->latency_count = 0;
    load->run_ns = bench_now_ns();
    int64_t end_ns = load->run_ns + (int64_t)(seconds * S_NS);
    int code = VD_OK;
    while (code == VD_OK && bench_now_ns() < end_ns) {
        int64_t next_ns = end_ns;
        code = send_all(load, &next_ns, error);
        if (code == VD_OK)
            code = work_all(load, error);
        if (code == VD_OK)
            code = wait_until(load, next_ns);
    }
    sum_up(load);
    if (code == VD_OK)
        *ret_figures = load->figures;
    return code;
}

int bench_load_finish(bench_load *load, double seconds, uint64_t *ret_unanswered, uint64_t *ret_doubled,
                      vd_error *error)
{
    int64_t end_ns = bench_now_ns() + (int64_t)(seconds * S_NS);
    int code = work_all(load, error);
    while (code == VD_OK && load->open > 0 && bench_now_ns() < end_ns) {
        code = wait_until(load, end_ns);
        if (code == VD_OK)
            code = work_all(load, error);
    }
    *ret_unanswered = load->open;
    *ret_doubled = load->doubled;
    return code;
}

/* --- Opening */

static int open_session(bench_load *load, int number, vd_error *error)
{
    struct session *session = &load->sessions[number];
    int accurate = load->options.accurate;
    char path[100];
    snprintf(path, sizeof path, "/stream/detection?fps_limit=%d%s", (int)ceil(load->options.rate),
             accurate > 0 && number % accurate == accurate - 1 ? "&quality_mode=accurate" : "");
    session->load = load;
    return bench_socket_open(load->options.port, path, &session->socket, error);
}

int bench_load_new(const bench_load_options *options, bench_load **ret_load, vd_error *error)
{
    bench_load *made = calloc(1, sizeof *made);
    if (made)
        made->latency_ns = malloc((size_t)options->capacity * sizeof *made->latency_ns);
    if (!made || !made->latency_ns) {
        bench_load_free(&made);
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for the sessions' figures.");
    }
    made->options = *options;
    int code = VD_OK;
    for (int i = 0; i < options->sessions && code == VD_OK; i++)
        code = open_session(made, i, error);
    if (code) {
        bench_load_free(&made);
        return code;
    }
    int64_t now_ns = bench_now_ns();
    for (int i = 0; i < options->sessions; i++) /* spread over a period, as cameras are */
        made->sessions[i].first_ns = now_ns + (int64_t)(S_NS / options->rate * i / options->sessions);
    *ret_load = made;
    return VD_OK;
}

void bench_load_free(bench_load **pointer)
{
    bench_load *load = *pointer;
    *pointer = NULL;
    if (!load)
        return;
    for (int i = 0; i < SESSIONS_MOST; i++)
        bench_socket_free(&load->sessions[i].socket);
    free(load->latency_ns);
    free(load);
}
