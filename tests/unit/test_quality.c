/* The rules of quality, alone and with a queue in front of workers that is reckoned in milliseconds. */
#include "vedette/app/quality.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "check_main.h"
#include "seeded.h"

START_TEST(modes_have_names)
{
    vd_quality_mode mode = VD_QUALITY_FAST;
    ck_assert(vd_quality_mode_find("accurate", &mode));
    ck_assert_int_eq(mode, VD_QUALITY_ACCURATE);
    ck_assert(!vd_quality_mode_find("Fast", &mode) && !vd_quality_mode_find("", &mode));
    ck_assert_int_eq(mode, VD_QUALITY_ACCURATE);
    for (int i = 0; i < 3; i++) {
        ck_assert(vd_quality_mode_find(vd_quality_mode_name((vd_quality_mode)i), &mode));
        ck_assert_int_eq((int)mode, i);
    }
}
END_TEST

static double cost(vd_quality_mode mode, int level)
{
    vd_quality_step step = vd_quality_step_of(mode, level);
    return step.size * step.size * step.rate;
}

START_TEST(a_lower_level_never_costs_more)
{
    for (int mode = 0; mode < 3; mode++) {
        for (int level = 1; level < VD_QUALITY_LEVELS; level++)
            ck_assert_double_le(cost(mode, level), cost(mode, level - 1));
        ck_assert_double_lt(cost(mode, VD_QUALITY_LEVELS - 1), cost(mode, 0) / 2);
        ck_assert_double_eq(vd_quality_step_of(mode, 0).rate, 1);
        ck_assert_double_eq(cost(mode, -3), cost(mode, 0));
        ck_assert_double_eq(cost(mode, 99), cost(mode, VD_QUALITY_LEVELS - 1));
    }
    for (int level = 0; level < VD_QUALITY_LEVELS; level++) {
        ck_assert_double_eq(vd_quality_step_of(VD_QUALITY_ACCURATE, level).size, 1);
        ck_assert_double_eq(vd_quality_step_of(VD_QUALITY_FAST, level).size, 0.5);
        ck_assert_double_le(cost(VD_QUALITY_FAST, level), cost(VD_QUALITY_BALANCED, level));
    }
    ck_assert_double_eq(vd_quality_step_of(VD_QUALITY_BALANCED, 0).size, 1);
}
END_TEST

START_TEST(sides_are_multiples_of_the_stride)
{
    static const struct {
        int side, stride;
        double size;
        int expected;
    } cases[] = {{640, 32, 1, 640},   {640, 32, 0.75, 480}, {640, 32, 0.5, 320}, {416, 32, 0.75, 320},
                 {416, 32, 0.5, 224}, {300, 32, 0.75, 224}, {300, 32, 1, 300},   {64, 32, 0.5, 32},
                 {32, 32, 0.5, 32},   {16, 32, 0.5, 16},    {96, 32, 0.75, 64},  {320, 64, 0.5, 192}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_int_eq(vd_quality_side(cases[i].side, cases[i].stride, cases[i].size), cases[i].expected);
}
END_TEST

/* --- Single samples */

static int64_t at(double seconds)
{
    return VD_NS_PER_S + (int64_t)(seconds * VD_NS_PER_S);
}

START_TEST(each_cause_lowers_by_one)
{
    static const vd_quality_sample bad[] = {{.load = 0.93}, {.wait_ms = 51}, {.late = 1}};
    for (int i = 0; i < 3; i++) {
        vd_quality_control control = {0};
        vd_quality_sample sample = bad[i];
        for (int n = 1; n < 8; n++) {
            sample.now_ns = at(0.5 * n);
            ck_assert_int_eq(vd_quality_update(&control, &sample), n < 4 ? n : 4);
        }
        ck_assert_uint_eq(control.lowered, 4);
    }
}
END_TEST

START_TEST(idle_stays_at_full_quality)
{
    vd_quality_control control = {0};
    for (int n = 0; n < 100; n++) {
        vd_quality_sample sample = {
            .now_ns = at(0.5 * n), .load = n % 3 * 0.3, .wait_ms = n % 5 * 12, .frames = n % 2};
        ck_assert_int_eq(vd_quality_update(&control, &sample), 0);
    }
    ck_assert_uint_eq(control.lowered + control.raised, 0);
}
END_TEST

START_TEST(what_the_better_level_would_cost_decides)
{
    vd_quality_control control = {.level = 2}, told = {.level = 2};
    for (int n = 0; n < 40; n++) { /* 0.4 × (0.75 / 0.5)² is 0.9 */
        vd_quality_sample sample = {.now_ns = at(0.5 * n), .load = 0.4, .frames = 10};
        ck_assert_int_eq(vd_quality_update(&control, &sample), 2);
        sample.better_load = 0.41; /* measured: the size makes no difference */
        vd_quality_update(&told, &sample);
    }
    ck_assert_int_eq(told.level, 0);
}
END_TEST

START_TEST(a_rise_that_was_too_early_makes_the_next_wait)
{
    vd_quality_control control = {.level = 1};
    double first_s = -1, second_s = -1;
    for (int n = 0; n < 40 && second_s < 0; n++) {
        vd_quality_sample sample = {.now_ns = at(0.5 * n), .load = control.level == 0 ? 1 : 0.1};
        int before = control.level;
        if (vd_quality_update(&control, &sample) < before)
            *(first_s < 0 ? &first_s : &second_s) = 0.5 * n;
    }
    ck_assert_double_eq_tol(first_s, 1.5, 0.01);
    ck_assert_double_ge(second_s - first_s, 3);
    ck_assert_double_le(second_s - first_s, 4.1);
}
END_TEST

/* --- A service, reckoned in milliseconds: sessions that send, queues, workers */

enum { SESSIONS = 10, WORKERS = 2, FPS = 10, QUEUE = 5, DEADLINE_MS = 500, ROOM = 2 * WORKERS };

struct frame {
    int came_ms, given_ms; /* into its session's queue; to the work */
};

struct service {
    double decode_ms, forward_ms; /* at full size and speed */
    double slow;                  /* times the forward pass */
    bool tells_better;            /* the sample has better_load */
    int burst;                    /* frames that every session sends at once, now */

    int now_ms;
    uint64_t chance;
    struct {
        int next_ms, given_ms, count;
        struct frame frames[QUEUE + 1];
    } sessions[SESSIONS];
    int turn;
    struct frame waiting[ROOM];
    int waiting_count;
    double free_at_ms[WORKERS];

    vd_quality_control control;
    double busy_ms;
    int waits[4096], wait_count, late;
    int last_rise_ms, least_between_rises_ms; /* rises */
    int worst_wait_ms;                        /* of a sample's 95th percentile, since it was set to 0 */
};

static void drop_first(struct service *service, int s)
{
    memmove(service->sessions[s].frames, service->sessions[s].frames + 1, QUEUE * sizeof(struct frame));
    service->sessions[s].count--;
}

static void arrive(struct service *service, int s)
{
    if (service->sessions[s].count == QUEUE) {
        drop_first(service, s);
        service->late++;
    }
    service->sessions[s].frames[service->sessions[s].count++] = (struct frame){.came_ms = service->now_ms};
}

static void send_frames(struct service *service)
{
    for (int s = 0; s < SESSIONS; s++) {
        for (int i = 0; i < service->burst; i++)
            arrive(service, s);
        if (service->now_ms < service->sessions[s].next_ms)
            continue;
        arrive(service, s);
        service->sessions[s].next_ms += 1000 / FPS - 10 + (int)seeded_below(&service->chance, 21);
    }
    service->burst = 0;
}

/* By turns; at a lowered rate a newer frame takes the place of an older one. */
static void start_frames(struct service *service)
{
    double rate = vd_quality_step_of(VD_QUALITY_BALANCED, service->control.level).rate;
    for (int i = 0; i < SESSIONS && service->waiting_count < WORKERS; i++) {
        int s = (service->turn + i) % SESSIONS;
        while (rate < 1 && service->sessions[s].count > 1)
            drop_first(service, s);
        while (service->sessions[s].count > 0 &&
               service->now_ms - service->sessions[s].frames[0].came_ms > DEADLINE_MS) {
            drop_first(service, s);
            service->late++;
        }
        if (service->sessions[s].count == 0 ||
            (rate < 1 && service->now_ms - service->sessions[s].given_ms < 1000 / (FPS * rate)))
            continue;
        service->waiting[service->waiting_count] = service->sessions[s].frames[0];
        service->waiting[service->waiting_count++].given_ms = service->now_ms;
        service->sessions[s].given_ms = service->now_ms;
        drop_first(service, s);
        service->turn = s + 1;
    }
}

static double pass_ms(const struct service *service, int level)
{
    double size = vd_quality_step_of(VD_QUALITY_BALANCED, level).size;
    return service->decode_ms + service->slow * service->forward_ms * size * size;
}

static void work_frames(struct service *service)
{
    for (int w = 0; w < WORKERS && service->waiting_count > 0; w++) {
        if (service->free_at_ms[w] > service->now_ms)
            continue;
        struct frame frame = service->waiting[0];
        memmove(service->waiting, service->waiting + 1, (ROOM - 1) * sizeof frame);
        service->waiting_count--;
        int own_ms = 1000 / FPS, session_ms = frame.given_ms - frame.came_ms - own_ms;
        service->waits[service->wait_count++] =
            service->now_ms - frame.given_ms + (session_ms > 0 ? session_ms : 0);
        service->free_at_ms[w] = service->now_ms + pass_ms(service, service->control.level);
    }
    for (int w = 0; w < WORKERS; w++)
        service->busy_ms += fmin(1, fmax(0, service->free_at_ms[w] - service->now_ms));
}

static int by_size(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void take_sample(struct service *service)
{
    int level = service->control.level;
    qsort(service->waits, (size_t)service->wait_count, sizeof(int), by_size);
    int wait_ms = service->wait_count > 0 ? service->waits[service->wait_count * 95 / 100] : 0;
    vd_quality_sample sample = {.now_ns = at(service->now_ms / 1000.0),
                                .load = service->busy_ms / (500 * WORKERS),
                                .wait_ms = wait_ms,
                                .late = service->late,
                                .frames = service->wait_count};
    if (service->tells_better && level > 0)
        sample.better_load = sample.load * pass_ms(service, level - 1) / pass_ms(service, level) *
                             vd_quality_step_of(VD_QUALITY_BALANCED, level - 1).rate /
                             vd_quality_step_of(VD_QUALITY_BALANCED, level).rate;
    if (vd_quality_update(&service->control, &sample) < level) {
        int between_ms = service->now_ms - service->last_rise_ms;
        if (service->last_rise_ms && between_ms < service->least_between_rises_ms)
            service->least_between_rises_ms = between_ms;
        service->last_rise_ms = service->now_ms;
    }
    if (wait_ms > service->worst_wait_ms)
        service->worst_wait_ms = wait_ms;
    service->busy_ms = service->wait_count = service->late = 0;
}

static void run_for(struct service *service, double seconds)
{
    int end_ms = service->now_ms + (int)(seconds * 1000);
    for (; service->now_ms < end_ms; service->now_ms++) {
        send_frames(service);
        start_frames(service);
        work_frames(service);
        if (service->now_ms % 500 == 499)
            take_sample(service);
    }
}

/* Half of the workers' time is busy at full quality. */
static struct service start_service(bool tells_better)
{
    struct service service = {.decode_ms = 2,
                              .forward_ms = 8,
                              .slow = 1,
                              .tells_better = tells_better,
                              .chance = 7,
                              .least_between_rises_ms = 1000000};
    for (int s = 0; s < SESSIONS; s++)
        service.sessions[s].next_ms = 1 + (int)seeded_below(&service.chance, 1000 / FPS);
    return service;
}

START_TEST(a_detector_slowed_fourfold)
{
    struct service service = start_service(_i);
    run_for(&service, 20);
    ck_assert_int_eq(service.control.level, 0);
    ck_assert_uint_eq(service.control.lowered, 0);
    service.slow = 4;
    run_for(&service, 3);
    ck_assert_int_ge(service.control.level, 2);
    service.worst_wait_ms = 0;
    run_for(&service, 17);
    ck_assert_int_ge(service.control.level, 2);
    ck_assert_int_lt(service.worst_wait_ms, 50);
    service.slow = 1;
    run_for(&service, 10);
    ck_assert_int_eq(service.control.level, 0);
    uint64_t lowered = service.control.lowered;
    run_for(&service, 20);
    ck_assert_int_eq(service.control.level, 0);
    ck_assert_uint_eq(service.control.lowered, lowered);
}
END_TEST

/* Every slowness from none to one that the least quality cannot bear: it settles, or rises at most every 3 s,
 * and is back 10 s after. */
START_TEST(a_constant_load_makes_no_waves)
{
    for (double slow = 1; slow < 20; slow += 0.5) {
        struct service service = start_service(_i);
        service.slow = slow;
        run_for(&service, 10);
        service.least_between_rises_ms = 1000000;
        service.last_rise_ms = 0;
        run_for(&service, 60);
        ck_assert_msg(service.least_between_rises_ms >= 3000, "slowed %.1f times it rose again after %d ms",
                      slow, service.least_between_rises_ms);
        service.slow = 1;
        run_for(&service, 10);
        ck_assert_msg(service.control.level == 0, "level %d, 10 s after it was %.1f times slower",
                      service.control.level, slow);
    }
}
END_TEST

START_TEST(nobody_sends_any_more)
{
    struct service service = start_service(_i);
    service.slow = 40;
    run_for(&service, 20);
    ck_assert_int_eq(service.control.level, VD_QUALITY_LEVELS - 1);
    for (int s = 0; s < SESSIONS; s++) {
        service.sessions[s].next_ms = 1000000000;
        service.sessions[s].count = 0;
    }
    run_for(&service, 10);
    ck_assert_int_eq(service.control.level, 0);
}
END_TEST

START_TEST(bursts_pass)
{
    struct service service = start_service(_i);
    for (int n = 0; n < 6; n++) {
        service.burst = QUEUE;
        run_for(&service, 1);
        ck_assert_int_le(service.control.level, 2);
        run_for(&service, 9);
        ck_assert_int_eq(service.control.level, 0);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("quality");
    TCase *steps = tcase_create("steps"), *rules = tcase_create("rules"), *service = tcase_create("service");
    tcase_add_test(steps, modes_have_names);
    tcase_add_test(steps, a_lower_level_never_costs_more);
    tcase_add_test(steps, sides_are_multiples_of_the_stride);
    tcase_add_test(rules, each_cause_lowers_by_one);
    tcase_add_test(rules, idle_stays_at_full_quality);
    tcase_add_test(rules, what_the_better_level_would_cost_decides);
    tcase_add_test(rules, a_rise_that_was_too_early_makes_the_next_wait);
    tcase_add_loop_test(service, a_detector_slowed_fourfold, 0, 2);
    tcase_add_loop_test(service, a_constant_load_makes_no_waves, 0, 2);
    tcase_add_loop_test(service, nobody_sends_any_more, 0, 2);
    tcase_add_loop_test(service, bursts_pass, 0, 2);
    suite_add_tcase(suite, steps);
    suite_add_tcase(suite, rules);
    suite_add_tcase(suite, service);
    return suite;
}

TEST_MAIN(make_suite)
