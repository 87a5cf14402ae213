#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "verify/crew.h"

#define LOAD_TIMEOUT_NS (60 * VD_NS_PER_S)
#define IDLE_NS (10 * VD_NS_PER_S)        /* before a worker above the least number ends */
#define LOOK_NS (VD_NS_PER_S / 2)         /* between looks at the file of a model that failed */
#define RETRY_LEAST_NS (VD_NS_PER_S / 10) /* after the first failure */
#define RETRY_MOST_NS (5 * VD_NS_PER_S)

int vd_crew_count(const vd_crew *crew, vd_worker_state state, uint64_t generation)
{
    int count = 0;
    for (int i = 0; i < VD_CREW_ROOM; i++)
        count += crew->workers[i].state == state && crew->workers[i].generation == generation;
    return count;
}

int vd_crew_ready(const vd_crew *crew)
{
    return vd_crew_count(crew, VD_WORKER_IDLE, crew->current.generation) +
           vd_crew_count(crew, VD_WORKER_BUSY, crew->current.generation);
}

static bool is_test(const vd_crew *crew)
{
    return strcmp(crew->options.model_type, "onnx") != 0;
}

static bool has_model(const vd_crew *crew)
{
    return crew->current.path[0] != '\0' || is_test(crew);
}

bool vd_crew_is_out(const vd_crew *crew)
{
    return !has_model(crew) || (crew->failures > 0 && vd_crew_ready(crew) == 0);
}

void vd_crew_end_worker(vd_worker *worker)
{
    vd_process_kill(&worker->process);
    worker->state = VD_WORKER_DYING;
    worker->count = 0;
    worker->since_ns = vd_clock_now_ns();
}

/* --- Starting */

static vd_worker *free_place(vd_crew *crew)
{
    for (int i = 0; i < VD_CREW_ROOM; i++)
        if (crew->workers[i].state == VD_WORKER_NONE)
            return &crew->workers[i];
    return NULL;
}

static vd_wire_setup make_setup(const vd_crew *crew, const char *path)
{
    const vd_verify_options *options = &crew->options;
    vd_wire_setup setup = {.kind = VD_WIRE_SETUP,
                           .version = VD_WIRE_VERSION,
                           .width = options->input_width,
                           .height = options->input_height,
                           .frames = options->temporal_size,
                           .sleep_s = options->test_sleep_s};
    vd_text_copy(setup.model_path, sizeof setup.model_path, path);
    vd_text_copy(setup.model_type, sizeof setup.model_type, options->model_type);
    return setup;
}

static int check_file(const vd_crew *crew, const char *path, struct stat *ret_stat, vd_error *error)
{
    *ret_stat = (struct stat){0};
    if (is_test(crew) || stat(path, ret_stat) == 0)
        return VD_OK;
    char place[192];
    *ret_stat = (struct stat){0};
    vd_text_mask_address(place, sizeof place, path);
    return vd_error_set(error, VD_ENOTFOUND, place, "The second model's file cannot be found or read: %s.",
                        strerror(errno));
}

/* A worker begins to load. */
static int start(vd_crew *crew, const vd_crew_model *model, struct stat *ret_stat, vd_error *error)
{
    const vd_verify_options *options = &crew->options;
    size_t bytes = (size_t)options->temporal_size * (size_t)options->input_width *
                   (size_t)options->input_height * 3 * VD_WIRE_CLIPS;
    vd_wire_setup setup = make_setup(crew, model->path);
    vd_worker *worker = free_place(crew);
    if (!worker)
        return vd_error_set(error, VD_ENOMEM, NULL, "The workers that were killed are not gone yet.");
    int code = check_file(crew, model->path, ret_stat, error);
    vd_process process;
    if (code == VD_OK)
        code = vd_process_start(options->worker_program, bytes, &setup, &process, error);
    if (code != VD_OK)
        return code;
    int64_t now_ns = vd_clock_now_ns();
    *worker = (vd_worker){.state = VD_WORKER_LOADING,
                          .process = process,
                          .generation = model->generation,
                          .batch = 1,
                          .since_ns = now_ns,
                          .deadline_ns = now_ns + LOAD_TIMEOUT_NS};
    return VD_OK;
}

/* --- Loads that succeed and fail */

static void refuse_next(vd_crew *crew, const vd_error *error)
{
    crew->next.generation = 0;
    crew->refused = *error;
    crew->changed = true;
}

static void fail_current(vd_crew *crew, const vd_error *error)
{
    int64_t wait_ns = RETRY_LEAST_NS;
    for (int i = 0; i < crew->failures && wait_ns < RETRY_MOST_NS; i++)
        wait_ns *= 2;
    crew->failures++;
    crew->next_try_ns = vd_clock_now_ns() + (wait_ns < RETRY_MOST_NS ? wait_ns : RETRY_MOST_NS);
    crew->why = *error;
    crew->changed = true;
}

void vd_crew_load_failed(vd_crew *crew, const vd_worker *worker, const vd_error *error)
{
    if (worker->generation == crew->next.generation)
        refuse_next(crew, error);
    else if (worker->generation == crew->current.generation)
        fail_current(crew, error);
}

/* The tried model becomes the current one. Busy workers of the old one end with their clip. */
static void take_over(vd_crew *crew)
{
    crew->current = crew->next;
    crew->next.generation = 0;
    crew->clip_s = 0;
    crew->misses = 0;
    crew->is_slow = false;
    for (int i = 0; i < VD_CREW_ROOM; i++) {
        vd_worker *worker = &crew->workers[i];
        bool is_old = worker->generation != crew->current.generation;
        if (is_old && (worker->state == VD_WORKER_IDLE || worker->state == VD_WORKER_LOADING))
            vd_crew_end_worker(worker);
    }
}

void vd_crew_greet(vd_crew *crew, vd_worker *worker, const vd_wire_hello *hello)
{
    worker->state = VD_WORKER_IDLE;
    worker->since_ns = vd_clock_now_ns();
    worker->batch = hello->batch;
    if (worker->generation == crew->next.generation) {
        take_over(crew);
        crew->refused = (vd_error){0};
    }
    vd_text_clean(crew->figures.model, sizeof crew->figures.model, hello->model,
                  strnlen(hello->model, sizeof hello->model));
    crew->failures = 0;
    crew->is_slow = false;
    crew->why = (vd_error){0};
    crew->changed = true;
}

/* --- Orders */

/* Without a worker that could go on meanwhile, the new model is the current one from the start. */
static void begin_at_once(vd_crew *crew, const vd_crew_model *model)
{
    crew->next = *model;
    take_over(crew);
    crew->failures = 0;
    crew->next_try_ns = 0;
    crew->why = (vd_error){0};
    if (!has_model(crew)) {
        crew->figures.model[0] = '\0';
        vd_error_set(&crew->why, VD_ENOTFOUND, NULL, "No second model is set.");
    }
}

void vd_crew_take_orders(vd_crew *crew)
{
    vd_mutex_lock(&crew->requests->lock);
    vd_crew_model order = crew->order;
    vd_mutex_unlock(&crew->requests->lock);
    uint64_t newest = crew->next.generation ? crew->next.generation : crew->current.generation;
    if (order.generation <= newest || order.generation <= crew->taken)
        return;
    crew->taken = order.generation;
    crew->refused = (vd_error){0};
    for (int i = 0; i < VD_CREW_ROOM; i++) /* a trial that nobody wants any more */
        if (crew->workers[i].state == VD_WORKER_LOADING && crew->next.generation &&
            crew->workers[i].generation == crew->next.generation)
            vd_crew_end_worker(&crew->workers[i]);
    crew->next.generation = 0;
    crew->changed = true;
    if (vd_crew_ready(crew) == 0 || order.path[0] == '\0') {
        begin_at_once(crew, &order);
        return;
    }
    struct stat file;
    vd_error error = {0};
    crew->next = order;
    if (start(crew, &crew->next, &file, &error) != VD_OK)
        refuse_next(crew, &error);
}

/* --- As many as are wanted */

static int wanted(const vd_crew *crew)
{
    const vd_verify_options *options = &crew->options;
    int load =
        vd_crew_count(crew, VD_WORKER_BUSY, crew->current.generation) + vd_requests_waiting(crew->requests);
    int least = load > options->min_workers ? load : options->min_workers;
    return least < options->max_workers ? least : options->max_workers;
}

/* A changed file is worth an attempt before its time. */
static void look_at_file(vd_crew *crew)
{
    struct stat file = {0};
    if (crew->failures == 0 || is_test(crew) || !has_model(crew))
        return;
    if (stat(crew->current.path, &file) != 0)
        file = (struct stat){0};
    if (file.st_ino != crew->tried.st_ino || file.st_size != crew->tried.st_size ||
        file.st_mtim.tv_sec != crew->tried.st_mtim.tv_sec ||
        file.st_mtim.tv_nsec != crew->tried.st_mtim.tv_nsec)
        crew->next_try_ns = 0;
}

static void end_idle(vd_crew *crew, int alive)
{
    int64_t now_ns = vd_clock_now_ns();
    for (int i = 0; i < VD_CREW_ROOM && alive > crew->options.min_workers; i++) {
        vd_worker *worker = &crew->workers[i];
        if (worker->state == VD_WORKER_IDLE && now_ns - worker->since_ns >= IDLE_NS) {
            vd_crew_end_worker(worker);
            crew->changed = true;
            alive--;
        }
    }
}

void vd_crew_staff(vd_crew *crew)
{
    if (!has_model(crew))
        return;
    look_at_file(crew);
    int loading = vd_crew_count(crew, VD_WORKER_LOADING, crew->current.generation);
    int alive = vd_crew_ready(crew) + loading, want = wanted(crew);
    if (crew->failures > 0 && want > 1) /* one attempt at a time */
        want = alive - loading + 1;
    while (alive < want && vd_clock_now_ns() >= crew->next_try_ns) {
        vd_error error = {0};
        if (start(crew, &crew->current, &crew->tried, &error) != VD_OK)
            fail_current(crew, &error);
        else
            alive++;
    }
    end_idle(crew, alive);
}

int64_t vd_crew_staff_due_ns(const vd_crew *crew)
{
    int64_t now_ns = vd_clock_now_ns(), due_ns = INT64_MAX;
    if (!has_model(crew))
        return due_ns;
    int alive = vd_crew_ready(crew) + vd_crew_count(crew, VD_WORKER_LOADING, crew->current.generation);
    if (alive < wanted(crew) && crew->next_try_ns > now_ns)
        due_ns = crew->next_try_ns;
    if (crew->failures > 0 && now_ns + LOOK_NS < due_ns)
        due_ns = now_ns + LOOK_NS;
    for (int i = 0; i < VD_CREW_ROOM && alive > crew->options.min_workers; i++)
        if (crew->workers[i].state == VD_WORKER_IDLE && crew->workers[i].since_ns + IDLE_NS < due_ns)
            due_ns = crew->workers[i].since_ns + IDLE_NS;
    return due_ns;
}
