#include "base/clock.h"

#include <string.h>
#include <time.h>

enum { SLOTS = 20 };
#define SLOT_NS (100 * VD_NS_PER_MS)

int64_t vd_clock_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * VD_NS_PER_S + now.tv_nsec;
}

int64_t vd_clock_deadline_ns(int64_t timeout_ns)
{
    int64_t now = vd_clock_now_ns();
    return timeout_ns < 0 || timeout_ns > INT64_MAX - now ? INT64_MAX : now + timeout_ns;
}

void vd_rate_add(vd_rate *rate, int64_t now_ns)
{
    int64_t slot = now_ns / SLOT_NS;
    if (slot < 0 || slot <= rate->slot - SLOTS)
        return; /* older than the window */
    if (rate->first == 0 || slot - rate->slot > 2 * SLOTS)
        rate->first = slot; /* after a long silence the window starts anew */
    if (slot - rate->slot >= SLOTS)
        memset(rate->counts, 0, sizeof rate->counts);
    else
        for (int64_t s = rate->slot + 1; s <= slot; s++)
            rate->counts[s % SLOTS] = 0;
    if (slot > rate->slot)
        rate->slot = slot;
    rate->counts[slot % SLOTS]++;
}

double vd_rate_per_s(const vd_rate *rate, int64_t now_ns)
{
    int64_t slot = now_ns / SLOT_NS;
    /* The current slot is still filling: count the whole slots before it. */
    int64_t from = slot - (SLOTS - 1);
    if (rate->first > from)
        from = rate->first;
    uint32_t sum = 0;
    for (int64_t s = from; s < slot; s++)
        if (s <= rate->slot && s > rate->slot - SLOTS)
            sum += rate->counts[s % SLOTS];
    int64_t length = slot - from;
    return length > 0 ? sum * 10.0 / (double)length : 0.0;
}
