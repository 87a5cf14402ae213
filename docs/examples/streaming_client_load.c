/* Many sessions at once: how long answers take, and that each frame has one. */
#include <stdio.h>

#include "streaming_client.h"

struct load {
    struct line line;
    struct client *client;
    int frames, sent;
    gint64 *sent_us;
    guint timer; /* 0: everything is sent */
    int answered, skipped, failed;
    GArray *latencies_ms; /* of all */
};

static void on_answer(void *context, json_t *answer)
{
    struct load *load = context;
    const json_t *data = json_object_get(answer, "data");
    json_int_t id = json_integer_value(json_object_get(data, "frame_id"));
    if (is_type(answer, "detection_result") && id >= 0 && id < load->sent) {
        double ms = (double)(g_get_monotonic_time() - load->sent_us[id]) / 1000;
        g_array_append_val(load->latencies_ms, ms);
        load->answered++;
    } else if (is_type(answer, "skipped")) {
        load->skipped++;
    } else {
        load->failed++;
    }
}

static gboolean send_next(void *context)
{
    struct load *load = context;
    char text[64];
    if (load->sent == load->frames || load->line.closed) {
        load->timer = 0;
        return G_SOURCE_REMOVE;
    }
    snprintf(text, sizeof text, "{\"type\":\"next\",\"frame_id\":%d}", load->sent);
    line_send(&load->line, text);
    load->sent_us[load->sent++] = g_get_monotonic_time();
    line_send_picture(&load->line, load->client->picture);
    return G_SOURCE_CONTINUE;
}

static bool start_load(struct client *client, struct load *load, GArray *latencies_ms)
{
    char path[64];
    snprintf(path, sizeof path, "/stream/detection?fps_limit=%d", client->fps);
    *load = (struct load){
        .client = client, .frames = client->fps * client->seconds, .latencies_ms = latencies_ms};
    load->sent_us = g_new0(gint64, (gsize)load->frames);
    if (!line_open(client, &load->line, path))
        return false;
    json_decref(line_next(&load->line));
    line_divert(&load->line, on_answer, load);
    return true;
}

static bool is_done(const struct load *loads, int count)
{
    for (int i = 0; i < count; i++)
        if (!loads[i].line.closed && loads[i].answered + loads[i].skipped + loads[i].failed < loads[i].frames)
            return false;
    return true;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void report_load(struct client *client, const struct load *loads, int count, GArray *latencies_ms)
{
    int sent = 0, answered = 0, skipped = 0, failed = 0;
    for (int i = 0; i < count; i++) {
        sent += loads[i].sent;
        answered += loads[i].answered;
        skipped += loads[i].skipped;
        failed += loads[i].failed;
    }
    g_array_sort(latencies_ms, by_size);
    if (latencies_ms->len) {
        const double *all = (const double *)(void *)latencies_ms->data;
        guint last = latencies_ms->len - 1;
        printf("%d sessions of %d frames a second for %d s: %d sent, %d results, %d skipped; from send to "
               "result "
               "%.1f ms median, %.1f p95, %.1f p99\n",
               count, client->fps, client->seconds, sent, answered, skipped, all[last / 2],
               all[last * 95 / 100], all[last * 99 / 100]);
    }
    check(client, answered > 0 && failed == 0, "the load gets results and no errors");
    check(client, sent == count * loads[0].frames && answered + skipped + failed == sent,
          "every frame of the load is answered once");
}

void check_bench(struct client *client)
{
    GArray *latencies_ms = g_array_new(FALSE, FALSE, sizeof(double));
    struct load *loads = g_new0(struct load, (gsize)client->sessions);
    int count = 0;
    while (count < client->sessions && start_load(client, &loads[count], latencies_ms))
        count++;
    if (check(client, count == client->sessions, "all sessions of the load open")) {
        bool late = false;
        for (int i = 0; i < count; i++)
            loads[i].timer = g_timeout_add((guint)(1000 / client->fps), send_next, &loads[i]);
        guint timer = g_timeout_add((guint)(client->seconds * 2000 + ANSWER_MS), on_timeout, &late);
        while (!late && !is_done(loads, count))
            g_main_context_iteration(NULL, TRUE);
        if (!late)
            g_source_remove(timer);
        report_load(client, loads, count, latencies_ms);
    }
    for (int i = 0; i < count; i++)
        if (loads[i].timer)
            g_source_remove(loads[i].timer);
    for (int i = 0; i < client->sessions; i++) {
        line_close(&loads[i].line);
        g_free(loads[i].sent_us);
    }
    g_free(loads);
    g_array_unref(latencies_ms);
}
