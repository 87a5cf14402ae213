/* Once a clip is under way, our code allocates nothing for a frame: neither 64 KiB and more (rows B1, B3) nor
 * less. What libav*, OpenCV and the C and C++ libraries allocate is listed beside it.
 *
 * This program's malloc and its relatives stand before the C library's, for every library in the process;
 * whoever called is found by the return address. Our code is linked into the program itself, so that its
 * calls are those from within the program.
 *
 * usage: steady_allocations   (yolov8n-320 and a clip of the shared folder; without them a rendered clip and
 * builtin:motion, and the detector of the first kind waits) */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vedette/app/scene.h"
#include "vedette/run.h"

enum { FRAME_SIZED = 64 * 1024, SITES = 4096, WARM_UP = 40, LAST = 140, CLIP_FRAMES = 160 };

/* --- Counting */

struct site {
    void *caller;
    uint64_t count, bytes, frame_sized;
};

static struct site sites[SITES];
static atomic_flag busy = ATOMIC_FLAG_INIT;
static atomic_bool counting;
static atomic_ullong lost; /* no room for the site */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void *_Znwm(size_t size);
void *_Znam(size_t size);

static void note(void *caller, size_t size)
{
    if (!atomic_load_explicit(&counting, memory_order_relaxed))
        return;
    while (atomic_flag_test_and_set_explicit(&busy, memory_order_acquire))
        continue;
    size_t at = ((uintptr_t)caller >> 2) % SITES, tried = 0;
    while (sites[at].caller && sites[at].caller != caller && ++tried < SITES)
        at = (at + 1) % SITES;
    if (tried == SITES) {
        atomic_fetch_add(&lost, 1);
    } else {
        sites[at].caller = caller;
        sites[at].count++;
        sites[at].bytes += size;
        sites[at].frame_sized += size >= FRAME_SIZED;
    }
    atomic_flag_clear_explicit(&busy, memory_order_release);
}

VD_API void *malloc(size_t size)
{
    note(__builtin_return_address(0), size);
    return __libc_malloc(size);
}

VD_API void *calloc(size_t count, size_t size)
{
    note(__builtin_return_address(0), count * size);
    return __libc_calloc(count, size);
}

VD_API void *realloc(void *memory, size_t size)
{
    note(__builtin_return_address(0), size);
    return __libc_realloc(memory, size);
}

VD_API void *memalign(size_t alignment, size_t size)
{
    note(__builtin_return_address(0), size);
    return __libc_memalign(alignment, size);
}

VD_API void *aligned_alloc(size_t alignment, size_t size)
{
    note(__builtin_return_address(0), size);
    return __libc_memalign(alignment, size);
}

VD_API int posix_memalign(void **memory, size_t alignment, size_t size)
{
    note(__builtin_return_address(0), size);
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}

/* C++'s new and new[]: those of our bridge are told from OpenCV's. */
VD_API void *_Znwm(size_t size)
{
    note(__builtin_return_address(0), size);
    void *memory = __libc_malloc(size > 0 ? size : 1);
    if (!memory)
        abort();
    return memory;
}

VD_API void *_Znam(size_t size)
{
    note(__builtin_return_address(0), size);
    void *memory = __libc_malloc(size > 0 ? size : 1);
    if (!memory)
        abort();
    return memory;
}

/* --- The clip */

struct job {
    int64_t frames;
};

static int count_frames(void *context, const vd_source_info *info, vd_frame *frame, vd_result *result,
                        const vd_error *error)
{
    static vd_detection detections[VD_MAX_DETECTIONS];
    const vd_thresholds thresholds = VD_THRESHOLDS_INIT;
    struct job *job = context;
    (void)info;
    (void)frame;
    if (!result) {
        printf("no result: %s\n", error ? error->text : "");
        return VD_EFORMAT;
    }
    vd_result_select(result, &thresholds, detections);
    job->frames++;
    if (job->frames == WARM_UP)
        atomic_store(&counting, true);
    else if (job->frames == LAST)
        atomic_store(&counting, false);
    return VD_OK;
}

static int run(const char *model, const char *clip, int workers)
{
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    vd_run_options running = VD_RUN_OPTIONS_INIT;
    vd_run_summary summary;
    vd_detector *detector;
    vd_error error = {0};
    struct job job = {0};
    options.model = model;
    options.max_workers = workers;
    int code = vd_detector_new(&options, &detector, &error);
    if (code == VD_OK) {
        running.address = clip;
        running.detector = detector;
        running.max_frames = LAST + 10;
        code = vd_run(&running, count_frames, &job, &summary, &error);
        vd_detector_free(&detector);
    }
    atomic_store(&counting, false);
    if (code)
        printf("%s: %s\n", error.place, error.text);
    else if (job.frames < LAST)
        printf("%s gave only %lld frames\n", clip, (long long)job.frames);
    return code == VD_OK && job.frames >= LAST ? 0 : 1;
}

/* --- The account */

struct module {
    const char *name;
    uint64_t count, bytes, frame_sized;
};

enum { MODULES = 128 };

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static struct module *find_module(struct module *modules, const char *name)
{
    int i = 0;
    while (i < MODULES - 1 && modules[i].name && strcmp(modules[i].name, name) != 0)
        i++;
    modules[i].name = name;
    return &modules[i];
}

/* Prints who allocated; returns how much of it was ours.
 *
 * ours  the file that our own functions are in */
static struct module account(const char *title, const void *ours)
{
    static struct module modules[MODULES];
    struct module total = {0};
    Dl_info here, info;
    memset(modules, 0, sizeof modules);
    dladdr(ours, &here);
    for (int i = 0; i < SITES; i++) {
        const struct site *site = &sites[i];
        if (!site->caller)
            continue;
        bool known = dladdr(site->caller, &info) != 0;
        bool is_ours = known && info.dli_fbase == here.dli_fbase;
        struct module *module = find_module(modules, is_ours ? "our code"
                                                     : known ? base_name(info.dli_fname)
                                                             : "?");
        module->count += site->count;
        module->bytes += site->bytes;
        module->frame_sized += site->frame_sized;
        if (is_ours) {
            total.count += site->count;
            total.frame_sized += site->frame_sized;
            printf("  ours: %llu allocations of %llu bytes from %s+0x%tx\n", (unsigned long long)site->count,
                   (unsigned long long)site->bytes, base_name(info.dli_fname),
                   (char *)site->caller - (char *)info.dli_fbase);
        }
    }
    printf("%s, a frame:\n", title);
    for (int i = 0; i < MODULES && modules[i].name; i++)
        printf("  %-28s %8.2f allocations, %10.0f bytes, %6.2f of 64 KiB or more\n", modules[i].name,
               (double)modules[i].count / (LAST - WARM_UP), (double)modules[i].bytes / (LAST - WARM_UP),
               (double)modules[i].frame_sized / (LAST - WARM_UP));
    return total;
}

/* The account must be able to see: an allocation of our own, made on purpose, is found. */
static int check_counter(void)
{
    atomic_store(&counting, true);
    void *volatile memory = malloc(FRAME_SIZED);
    atomic_store(&counting, false);
    free(memory);
    struct module ours = account("an allocation on purpose", (const void *)&run);
    memset(sites, 0, sizeof sites);
    return ours.count == 1 && ours.frame_sized == 1 ? 0 : 1;
}

static int check(const char *title, const char *model, const char *clip, int workers)
{
    memset(sites, 0, sizeof sites);
    if (run(model, clip, workers))
        return 1;
    struct module ours = account(title, (const void *)&run);
    return ours.count == 0 && atomic_load(&lost) == 0 ? 0 : 1;
}

static bool find_shared(const char *name, char *out, size_t size)
{
    const char *shared = getenv("VEDETTE_SHARED");
    snprintf(out, size, "%s/%s", shared && *shared ? shared : "../shared", name);
    return access(out, R_OK) == 0;
}

static int check_rendered(void)
{
    char folder[] = "/tmp/vedette-steady-XXXXXX", clip[64];
    vd_error error = {0};
    int failed = 1;
    if (!mkdtemp(folder))
        return 1;
    snprintf(clip, sizeof clip, "%s/demo.mp4", folder);
    vd_scene_clip rendered = VD_SCENE_CLIP_INIT;
    rendered.path = clip;
    rendered.frames = CLIP_FRAMES;
    rendered.scene.width = 640;
    rendered.scene.height = 360;
    rendered.scene.from_pole = true;
    rendered.quality = 23;
    if (vd_scene_write_clip(&rendered, &error))
        printf("%s\n", error.text);
    else
        failed = check("builtin:motion on a rendered clip", "builtin:motion", clip, 1);
    unlink(clip);
    rmdir(folder);
    return failed;
}

int main(void)
{
    char model[1024], clip[1024];
    const char *required = getenv("VEDETTE_REQUIRE_SHARED");
    int failed = check_counter();
    failed += check_rendered();
    if (find_shared("models/yolov8n-320.onnx", model, sizeof model) &&
        find_shared("clips/car-detection.mp4", clip, sizeof clip)) {
        failed += check("yolov8n-320, 2 workers", model, clip, 2);
    } else {
        puts("waits for shared: models/yolov8n-320.onnx clips/car-detection.mp4");
        failed += required && *required == '1';
    }
    return failed ? 1 : 0;
}
