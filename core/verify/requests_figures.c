/* What requests and results of stage 2 show of themselves. */
#include <string.h>

#include "base/clock.h"
#include "verify/requests.h"

int vd_requests_waiting(vd_requests *requests)
{
    vd_mutex_lock(&requests->lock);
    int waiting = requests->waiting_count;
    vd_mutex_unlock(&requests->lock);
    return waiting;
}

void vd_requests_publish(vd_requests *requests, const vd_verify_figures *figures)
{
    vd_mutex_lock(&requests->lock);
    requests->figures = *figures;
    vd_mutex_unlock(&requests->lock);
}

static double seconds(int64_t ns)
{
    return (double)ns / (double)VD_NS_PER_S;
}

static int count_pending(const vd_requests *requests, double *ret_oldest_s)
{
    int64_t oldest_ns = INT64_MAX;
    int pending = 0;
    for (int i = 0; i < requests->slot_count; i++)
        if (requests->slots[i].state != VD_REQUEST_FREE) {
            pending++;
            oldest_ns =
                requests->slots[i].submitted_ns < oldest_ns ? requests->slots[i].submitted_ns : oldest_ns;
        }
    *ret_oldest_s = pending ? seconds(vd_clock_now_ns() - oldest_ns) : 0;
    return pending;
}

void vd_requests_get_stats(vd_requests *requests, vd_verify_stats *ret_stats)
{
    vd_verify_stats stats = {.queue_size = requests->queue_size,
                             .result_queue_size = requests->result_queue_size};
    vd_mutex_lock(&requests->lock);
    const vd_histogram *latency = &requests->latency;
    const vd_verify_figures *figures = &requests->figures;
    stats.submitted = requests->submitted;
    stats.verified = requests->verified;
    stats.rejected = requests->rejected;
    stats.unverified = requests->unverified;
    stats.dropped = requests->dropped;
    stats.results_dropped = requests->results_dropped;
    stats.pending_requests = count_pending(requests, &stats.oldest_s);
    stats.avg_processing_s = latency->count ? requests->processing_s / (double)latency->count : 0;
    stats.p50_s = seconds(vd_histogram_percentile_ns(latency, 0.5));
    stats.p99_s = seconds(vd_histogram_percentile_ns(latency, 0.99));
    stats.queue_length = requests->waiting_count;
    stats.results_waiting = requests->done_count;
    stats.workers_active = figures->workers_active;
    stats.workers = figures->workers;
    stats.timeouts = figures->timeouts;
    stats.crashes = figures->crashes;
    stats.rubbish = figures->rubbish;
    stats.restarts = figures->restarts;
    stats.degraded = figures->degraded;
    stats.degraded_why = figures->why;
    memcpy(stats.model, figures->model, sizeof stats.model);
    vd_mutex_unlock(&requests->lock);
    *ret_stats = stats;
}
