/* What is printed: lines with judged figures, the machine, figures of the process. */
#include <commit.h> /* made by the build */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "cli.h"
#include "json_line.h"

int64_t bench_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void put_text(const char *key, const char *text)
{
    if (!text || !*text)
        return;
    printf(",\"%s\":", key);
    cli_json_text(stdout, text);
}

static bool is_held(const bench_line *line)
{
    if (line->rule == BENCH_VALUE_AT_MOST)
        return line->value <= line->bound;
    return (line->rule == BENCH_RATIO_AT_LEAST ? line->ratio : line->value) >= line->bound;
}

void bench_print(bench_job *job, const bench_line *line)
{
    fputs("{\"bench\":", stdout);
    cli_json_text(stdout, line->bench ? line->bench : "async");
    put_text("case", line->name);
    printf(",\"value\":%.6g", line->value);
    put_text("unit", line->unit);
    if (line->latency) {
        bool us = line->unit && strcmp(line->unit, "us") == 0;
        double scale = us ? 1 : 1000;
        printf(",\"p50\":%.6g,\"p95\":%.6g,\"p99\":%.6g", line->latency->p50_us / scale,
               line->latency->p95_us / scale, line->latency->p99_us / scale);
        if (!us)
            put_text("latency_unit", "ms");
    }
    put_text("reference", line->reference);
    if (line->reference)
        printf(",\"reference_value\":%.6g,\"ratio\":%.4f", line->reference_value, line->ratio);
    if (line->rule != BENCH_UNJUDGED)
        printf(",\"bound\":%.6g,\"holds\":%s", line->bound, is_held(line) ? "true" : "false");
    if (line->more && *line->more)
        printf(",%s", line->more);
    puts("}");
    fflush(stdout);
    job->missed = job->missed || (line->rule != BENCH_UNJUDGED && !is_held(line));
}

void bench_print_note(const char *bench, const char *name, const char *reference, const char *note)
{
    fputs("{\"bench\":", stdout);
    cli_json_text(stdout, bench);
    put_text("case", name);
    put_text("reference", reference);
    put_text("note", note);
    puts("}");
    fflush(stdout);
}

void bench_print_machine(void)
{
    vd_machine machine;
    vd_machine_describe(&machine);
    fputs("{\"bench\":\"machine\"", stdout);
    put_text("processor", machine.processor);
    printf(",\"cores\":%d", machine.cores);
    put_text("instructions", machine.instructions);
    printf(",\"memory_mb\":%" PRId64, machine.memory_bytes / 1000000);
    put_text("opencv", vd_bench_opencv_version());
    const char *onednn = vd_bench_onednn_version();
    put_text("onednn", onednn && strchr(onednn, ' ') ? strchr(onednn, ' ') + 1 : onednn);
    put_text("ffmpeg", vd_bench_ffmpeg_version());
    put_text("commit", VD_COMMIT);
    puts("}");
    fflush(stdout);
}

/* Memory that earlier cases gave back goes to the system first, so that the peak is this case's own. */
void bench_watch_begin(bench_job *job)
{
    vd_monitor_sample sample;
    malloc_trim(0);
    vd_monitor_reset_peak();
    vd_monitor_take(job->monitor, &sample);
}

void bench_watch_end(bench_job *job, char *out, size_t size)
{
    vd_monitor_sample sample;
    vd_monitor_take(job->monitor, &sample);
    int length = snprintf(out, size, "\"cpu\":%.2f,\"machine_cpu\":%.2f,\"rss_mb\":%.1f,\"peak_mb\":%.1f",
                          sample.process_cpu, sample.machine_cpu, (double)sample.resident_bytes / 1e6,
                          (double)sample.peak_bytes / 1e6);
    for (int i = 0; i < sample.gpu_count && length > 0 && (size_t)length < size; i++)
        length += snprintf(out + length, size - (size_t)length, "%s{\"load\":%.2f,\"used_mb\":%.0f}%s",
                           i == 0 ? ",\"gpus\":[" : ",", sample.gpus[i].load,
                           (double)sample.gpus[i].used_bytes / 1e6, i + 1 == sample.gpu_count ? "]" : "");
}

int bench_failed(int code, const vd_error *error)
{
    if (code == VD_ECANCELED)
        return vd_interrupted() ? CLI_INTERRUPTED : CLI_FAILED;
    cli_complain_error(error);
    return CLI_FAILED;
}
