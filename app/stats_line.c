#include "stats_line.h"

#include <inttypes.h>

#include "json_line.h"

static double per_second(int64_t count, double seconds)
{
    return seconds > 0 ? (double)count / seconds : 0;
}

static void put_detector(FILE *stream, vd_detector *detector)
{
    vd_detector_stats stats = vd_detector_get_stats(detector);
    fputs(",\"detector\":{\"model\":", stream);
    cli_json_text(stream, vd_detector_name(detector));
    if (*vd_detector_engine(detector)) {
        fputs(",\"engine\":", stream);
        cli_json_text(stream, vd_detector_engine(detector));
    }
    fprintf(stream,
            ",\"workers\":%d,\"submitted\":%" PRIu64 ",\"succeeded\":%" PRIu64 ",\"failed\":%" PRIu64
            ",\"cancelled\":%" PRIu64 ",\"pending\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"passes\":%" PRIu64,
            stats.workers, stats.submitted, stats.succeeded, stats.failed, stats.cancelled, stats.pending,
            stats.refused, stats.passes);
    fprintf(stream, ",\"p50_ms\":%.3f,\"p95_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f}",
            (double)stats.p50_ns / 1e6, (double)stats.p95_ns / 1e6, (double)stats.p99_ns / 1e6,
            (double)stats.max_ns / 1e6);
}

static void put_system(FILE *stream, const vd_monitor_sample *sample)
{
    fprintf(stream,
            ",\"process\":{\"cpu\":%.2f,\"cpu_s\":%.2f,\"rss_mb\":%.1f,\"peak_mb\":%.1f,\"threads\":%d}",
            sample->process_cpu, sample->process_cpu_s, (double)sample->resident_bytes / 1e6,
            (double)sample->peak_bytes / 1e6, sample->threads);
    fprintf(stream, ",\"machine\":{\"cpu\":%.2f,\"memory_mb\":%.0f,\"available_mb\":%.0f}",
            sample->machine_cpu, (double)sample->total_bytes / 1e6, (double)sample->available_bytes / 1e6);
    for (int i = 0; i < sample->gpu_count; i++) {
        const vd_gpu_sample *gpu = &sample->gpus[i];
        fputs(i == 0 ? ",\"gpus\":[{\"name\":" : ",{\"name\":", stream);
        cli_json_text(stream, gpu->name);
        if (gpu->load >= 0)
            fprintf(stream, ",\"load\":%.2f", gpu->load);
        if (gpu->total_bytes >= 0)
            fprintf(stream, ",\"used_mb\":%.0f,\"memory_mb\":%.0f", (double)gpu->used_bytes / 1e6,
                    (double)gpu->total_bytes / 1e6);
        fputs(i + 1 == sample->gpu_count ? "}]" : "}", stream);
    }
}

void cli_stats_line(FILE *stream, const char *source, const vd_run_summary *summary, vd_detector *detector,
                    const vd_monitor_sample *sample)
{
    const vd_source_stats *read = &summary->source_stats;
    fputs("{\"stats\":", stream);
    cli_json_text(stream, source);
    fprintf(stream,
            ",\"frames\":%" PRId64 ",\"detected\":%" PRId64 ",\"failed\":%" PRId64 ",\"dropped\":%" PRId64
            ",\"seconds\":%.3f,\"frames_per_s\":%.2f",
            summary->frames, summary->detected, summary->failed, summary->dropped, summary->seconds,
            per_second(summary->frames, summary->seconds));
    fprintf(stream,
            ",\"read\":{\"frames\":%" PRIu64 ",\"broken\":%" PRIu64 ",\"dropped\":%" PRIu64
            "},\"pool\":{\"capacity\":%d,\"available\":%d,\"peak\":%d,\"exhausted\":%" PRIu64 "}",
            read->frames, read->broken, read->dropped_pool, read->pool_capacity, read->pool_available,
            read->pool_peak, read->pool_exhausted);
    put_detector(stream, detector);
    put_system(stream, sample);
    fputs("}\n", stream);
}
