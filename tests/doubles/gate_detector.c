#include "doubles/gate_detector.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { LEVELS = 3 };

struct state {
    gate_detector *gate;
    pthread_t thread; /* that made it */
};

void gate_init(gate_detector *gate)
{
    *gate = (gate_detector){.poison = GATE_NONE, .hangs_at = GATE_NONE};
    if (vd_mutex_init(&gate->lock, VD_RANK_LOG - 1) || vd_cond_init(&gate->changed))
        abort();
}

void gate_fini(gate_detector *gate)
{
    vd_cond_fini(&gate->changed);
    vd_mutex_fini(&gate->lock);
}

static void set_closed(gate_detector *gate, bool closed)
{
    vd_mutex_lock(&gate->lock);
    gate->closed = closed;
    vd_cond_broadcast(&gate->changed);
    vd_mutex_unlock(&gate->lock);
}

void gate_close(gate_detector *gate)
{
    set_closed(gate, true);
}

void gate_open(gate_detector *gate)
{
    set_closed(gate, false);
}

void gate_hang_at(gate_detector *gate, int64_t frame)
{
    vd_mutex_lock(&gate->lock);
    gate->hangs_at = frame;
    vd_cond_broadcast(&gate->changed);
    vd_mutex_unlock(&gate->lock);
}

void gate_let_go(gate_detector *gate)
{
    gate_hang_at(gate, GATE_NONE);
}

bool gate_await_inside(gate_detector *gate, int count)
{
    int64_t deadline_ns = vd_clock_deadline_ns(20 * VD_NS_PER_S);
    vd_mutex_lock(&gate->lock);
    while (gate->inside != count && vd_cond_wait_until(&gate->changed, &gate->lock, deadline_ns))
        ;
    bool reached = gate->inside == count;
    vd_mutex_unlock(&gate->lock);
    return reached;
}

void gate_tell_notes(gate_detector *gate, char *text, int size)
{
    int length = 0;
    text[0] = '\0';
    vd_mutex_lock(&gate->lock);
    for (int i = 0; i < gate->note_count && length < size; i++) {
        const char *gap = i > 0 ? " " : "";
        if (gate->notes[i] == GATE_NONE)
            length += snprintf(text + length, (size_t)(size - length), "%sR", gap);
        else
            length +=
                snprintf(text + length, (size_t)(size - length), "%s%lld", gap, (long long)gate->notes[i]);
    }
    vd_mutex_unlock(&gate->lock);
}

int gate_read(gate_detector *gate, const int *counter)
{
    vd_mutex_lock(&gate->lock);
    int value = *counter;
    vd_mutex_unlock(&gate->lock);
    return value;
}

/* --- The table */

/* The number in the name that the worker's thread was given. */
static int worker_number(void)
{
    char name[16] = "";
    int number = -1;
    pthread_getname_np(pthread_self(), name, sizeof name);
    sscanf(name, "vd-detect-%d", &number);
    return number;
}

static int open_gate(const void *config, void **ret_state, vd_labels **ret_labels, vd_error *error)
{
    static const char *const names[] = {"dim", "bright", "brightest"};
    union {
        const void *given;
        gate_detector *gate;
    } its = {.given = config};
    int number = worker_number();
    if (vd_labels_new(names, LEVELS, ret_labels))
        return VD_ENOMEM;
    if (number < 0 || its.gate->closed_workers & UINT64_C(1) << number)
        return vd_error_set(error, VD_EFORMAT, "double", "Worker %d was told not to start.", number);
    struct state *state = malloc(sizeof *state);
    if (!state)
        return VD_ENOMEM;
    *state = (struct state){.gate = its.gate, .thread = pthread_self()};
    vd_mutex_lock(&its.gate->lock);
    its.gate->opened++;
    vd_mutex_unlock(&its.gate->lock);
    *ret_state = state;
    return VD_OK;
}

static void note_locked(gate_detector *gate, int64_t what)
{
    if (gate->note_count < GATE_NOTES)
        gate->notes[gate->note_count++] = what;
}

static bool hangs_locked(const gate_detector *gate, vd_result *const *results, size_t count)
{
    for (size_t i = 0; i < count && gate->hangs_at != GATE_NONE; i++)
        if (results[i]->frame_index == gate->hangs_at)
            return true;
    return false;
}

/* Counts a call and holds it where it is to be held. Returns the number of the call. */
static int pass_gate(struct state *state, vd_result *const *results, size_t count, bool is_batch)
{
    gate_detector *gate = state->gate;
    vd_mutex_lock(&gate->lock);
    gate->wrong += !pthread_equal(state->thread, pthread_self());
    int call = ++gate->calls;
    gate->batch_calls += is_batch;
    if (is_batch && (int)count > gate->largest_batch)
        gate->largest_batch = (int)count;
    for (size_t i = 0; i < count; i++)
        note_locked(gate, results[i]->frame_index);
    if (++gate->inside > gate->most_inside)
        gate->most_inside = gate->inside;
    vd_cond_broadcast(&gate->changed);
    while (gate->closed || hangs_locked(gate, results, count))
        vd_cond_wait(&gate->changed, &gate->lock);
    gate->inside--;
    vd_cond_broadcast(&gate->changed);
    vd_mutex_unlock(&gate->lock);
    return call;
}

/* The box of all pixels that are at least as bright as a level and darker than the next. */
static bool find_level(const vd_image *image, int least, int below, vd_box *ret_box)
{
    int left = image->width, right = -1, top = -1, bottom = -1;
    for (int y = 0; y < image->height; y++) {
        const uint8_t *row = image->planes[0] + (ptrdiff_t)y * image->strides[0];
        for (int x = 0; x < image->width; x++) {
            if (row[x] < least || row[x] >= below)
                continue;
            left = x < left ? x : left;
            right = x > right ? x : right;
            top = top < 0 ? y : top;
            bottom = y;
        }
    }
    *ret_box = (vd_box){(float)left, (float)top, (float)(right + 1), (float)(bottom + 1)};
    return right >= 0;
}

/* Appends: what was found before would stay. */
static void find_shapes(const vd_image *image, vd_result *result)
{
    static const int levels[LEVELS + 1] = {64, 128, 192, 256};
    for (int i = 0; i < LEVELS; i++) {
        vd_box box;
        if (find_level(image, levels[i], levels[i + 1], &box))
            result->candidates[result->count++] =
                (vd_detection){.box = box, .score = (float)(i + 1) / LEVELS, .class_id = i};
    }
    result->input_width = image->width;
    result->input_height = image->height;
    result->forward_ns += 3 * VD_NS_PER_MS;
}

static void give_rubbish(vd_result *result)
{
    const vd_detection rubbish[] = {
        {{1, 1, 9, 9}, 0.30f, 0, 7}, {{NAN, 1, 9, 9}, 0.9f, 0, 0},       {{1, 1, INFINITY, 9}, 0.9f, 0, 0},
        {{2, 2, 9, 9}, NAN, 0, 0},   {{3, 3, 9, 9}, 1.5f, 0, 0},         {{4, 4, 9, 9}, -0.5f, 0, 0},
        {{5, 5, 9, 9}, 0.01f, 0, 0}, {{-50, -50, 200, 200}, 0.8f, 2, 0}, {{100, 1, 120, 9}, 0.9f, 0, 0},
        {{9, 9, 3, 3}, 0.9f, 0, 0},  {{6, 6, 9, 9}, 0.9f, -1, 0},        {{7, 7, 9, 9}, 0.30f, 1, 0},
    };
    memcpy(result->candidates, rubbish, sizeof rubbish);
    for (size_t i = sizeof rubbish / sizeof *rubbish; i < VD_MAX_CANDIDATES; i++)
        result->candidates[i] = (vd_detection){.score = NAN};
    result->count = 1000000;
}

static void give_nan(vd_result *result)
{
    for (int i = 0; i < 8; i++) {
        float side[4] = {1, 1, 9, 9}, score = i & 4 ? NAN : 0.9f;
        side[i & 3] = NAN;
        result->candidates[i] = (vd_detection){.box = {side[0], side[1], side[2], side[3]}, .score = score};
    }
    result->count = 8;
}

static int answer(const gate_detector *gate, const vd_image *image, vd_result *result)
{
    if (gate->habit == GATE_GIVES_RUBBISH)
        give_rubbish(result);
    else if (gate->habit == GATE_GIVES_NAN)
        give_nan(result);
    else
        find_shapes(image, result);
    return VD_OK;
}

static int fail_by_habit(const gate_detector *gate, int call, vd_error *error)
{
    if (gate->habit == GATE_FAILS_THIRD && call % 3 == 0)
        return vd_error_set(error, VD_EIO, NULL, "Each third call fails.");
    return gate->habit == GATE_FAILS_MUTE ? 5 : VD_OK;
}

static int detect_gate(void *context, const vd_image *image, vd_result *result, vd_error *error)
{
    struct state *state = context;
    gate_detector *gate = state->gate;
    int code = fail_by_habit(gate, pass_gate(state, &result, 1, false), error);
    if (code)
        return code;
    if (gate->poison_is_mortal && result->frame_index == gate->poison)
        return vd_error_set(error, VD_EIO, NULL, "This picture is poison.");
    return answer(gate, image, result);
}

/* A chunk with poison in it fails late: results are filled up to the poison. */
static int detect_gate_batch(void *context, const vd_image *const *images, vd_result *const *results,
                             size_t count, vd_error *error)
{
    struct state *state = context;
    gate_detector *gate = state->gate;
    int code = fail_by_habit(gate, pass_gate(state, results, count, true), error);
    for (size_t i = 0; i < count && code == VD_OK; i++) {
        if (gate->poison != GATE_NONE && results[i]->frame_index == gate->poison)
            return vd_error_set(error, VD_EIO, NULL, "There is poison in the chunk.");
        code = answer(gate, images[i], results[i]);
    }
    return code;
}

static void reset_gate(void *context)
{
    struct state *state = context;
    vd_mutex_lock(&state->gate->lock);
    state->gate->wrong += !pthread_equal(state->thread, pthread_self());
    state->gate->resets++;
    note_locked(state->gate, GATE_NONE);
    vd_mutex_unlock(&state->gate->lock);
}

static void close_gate(void *context)
{
    struct state *state = context;
    vd_mutex_lock(&state->gate->lock);
    state->gate->wrong += !pthread_equal(state->thread, pthread_self());
    state->gate->ended++;
    vd_mutex_unlock(&state->gate->lock);
    free(state);
}

const vd_detector_ops gate_ops = {
    .open = open_gate, .detect = detect_gate, .reset = reset_gate, .close = close_gate, .name = "double"};

const vd_detector_ops gate_batch_ops = {.open = open_gate,
                                        .detect = detect_gate,
                                        .detect_batch = detect_gate_batch,
                                        .reset = reset_gate,
                                        .close = close_gate,
                                        .name = "double"};
