/* The figures of the demonstration's models, as lines. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench_scene.h"

enum { VIEWS = VD_BENCH_SCENE_VIEWS, SIDES = VD_BENCH_SCENE_SIDES, CLASSES = 2, MORE = 768 };

static double value_of(vd_bench_share share)
{
    return share.of > 0 ? (double)share.count / (double)share.of : 0;
}

/* What is left when `share` is taken away. */
static vd_bench_share rest_of(vd_bench_share share)
{
    return (vd_bench_share){share.of - share.count, share.of};
}

/* Of the kinds `first` to `last` in the views `first_view` to `last_view`. */
static vd_bench_share sum_of(const vd_bench_share table[VD_SCENE_KINDS][VIEWS], int first, int last,
                             int first_view, int last_view)
{
    vd_bench_share sum = {0};
    for (int kind = first; kind <= last; kind++)
        for (int view = first_view; view <= last_view; view++) {
            sum.count += table[kind][view].count;
            sum.of += table[kind][view].of;
        }
    return sum;
}

static void put_share(char *out, const char *key, vd_bench_share share)
{
    size_t length = strlen(out);
    if (share.of > 0 && length < MORE)
        snprintf(out + length, MORE - length, "%s\"%s\":%.4f", length ? "," : "", key, value_of(share));
}

static void put_count(char *out, const char *key, int64_t count)
{
    size_t length = strlen(out);
    if (length < MORE)
        snprintf(out + length, MORE - length, "%s\"%s\":%" PRId64, length ? "," : "", key, count);
}

/* A line whose value is a share; nothing where nothing was counted, unless it is judged. */
static void print_share(bench_job *job, const char *bench, const char *name, vd_bench_share share,
                        double bound, const char *more)
{
    char all[MORE] = "";
    if (share.of == 0 && bound <= 0)
        return;
    put_count(all, "count", share.count);
    put_count(all, "of", share.of);
    if (more && *more && strlen(all) + strlen(more) + 2 < sizeof all) {
        strcat(all, ",");
        strcat(all, more);
    }
    bench_print(job, &(bench_line){.bench = bench,
                                   .name = name,
                                   .unit = "share",
                                   .value = value_of(share),
                                   .rule = bound > 0 ? BENCH_VALUE_AT_LEAST : BENCH_UNJUDGED,
                                   .bound = bound,
                                   .more = all});
}

static void print_precision(bench_job *job, const vd_bench_scene_figures *figures, int64_t first_seed,
                            int seeds)
{
    char more[MORE];
    int length =
        snprintf(more, sizeof more,
                 "\"first_seed\":%" PRId64 ",\"windows\":%d,\"frames\":%" PRId64 ",\"hazard_boxes\":%" PRId64
                 ",\"decoy_boxes\":%" PRId64 ",\"crack\":%.4f,\"pothole\":%.4f",
                 first_seed, seeds, figures->frames, figures->hazard_boxes, figures->decoy_boxes,
                 figures->ap50[VD_SCENE_CRACK], figures->ap50[VD_SCENE_POTHOLE]);
    for (int view = 0; view < VIEWS; view++)
        length += snprintf(more + length, sizeof more - (size_t)length, ",\"%s\":%.4f",
                           vd_bench_scene_view(view), figures->view_map50[view]);
    bench_print(job, &(bench_line){.bench = "scene",
                                   .name = "detector mAP50",
                                   .unit = "share",
                                   .value = figures->map50,
                                   .rule = BENCH_VALUE_AT_LEAST,
                                   .bound = BENCH_SCENE_MAP,
                                   .more = more});
    bench_print(job, &(bench_line){.bench = "scene",
                                   .name = "decoys to hazards",
                                   .unit = "boxes",
                                   .value = figures->hazard_boxes > 0
                                                ? (double)figures->decoy_boxes / (double)figures->hazard_boxes
                                                : 0,
                                   .rule = BENCH_VALUE_AT_LEAST,
                                   .bound = 1});
}

/* Recall by size is the sizes' histogram as well: `part` of the boxes of its class. */
static void print_recall(bench_job *job, const vd_bench_scene_figures *figures)
{
    for (int class_id = 0; class_id < CLASSES; class_id++) {
        vd_bench_share all = {0};
        const char *kind = vd_scene_kind_name((vd_scene_kind)class_id);
        for (int side = 0; side < SIDES; side++) {
            all.count += figures->recall[class_id][side].count;
            all.of += figures->recall[class_id][side].of;
        }
        print_share(job, "scene_recall", kind, all, 0, NULL);
        for (int side = 0; side < SIDES; side++) {
            char name[64], more[32];
            vd_bench_share share = figures->recall[class_id][side];
            snprintf(name, sizeof name, "%s, %d%s px", kind, vd_bench_scene_side(side),
                     side + 1 < SIDES ? "" : " and more");
            if (side + 1 < SIDES)
                snprintf(name, sizeof name, "%s, %d to %d px", kind, vd_bench_scene_side(side),
                         vd_bench_scene_side(side + 1));
            snprintf(more, sizeof more, "\"part\":%.4f", all.of ? (double)share.of / (double)all.of : 0);
            print_share(job, "scene_recall", name, share, 0, more);
        }
    }
    for (int view = 0; view < VIEWS; view++)
        print_share(job, "scene_recall", vd_bench_scene_view(view), figures->view_recall[view], 0, NULL);
}

/* A kind, with its views beside. */
static void print_kinds(bench_job *job, const char *bench, const char *name,
                        const vd_bench_share table[VD_SCENE_KINDS][VIEWS], int first, int last, double bound)
{
    char more[MORE] = "";
    for (int view = 0; view < VIEWS; view++)
        put_share(more, vd_bench_scene_view(view), sum_of(table, first, last, view, view));
    print_share(job, bench, name, sum_of(table, first, last, 0, VIEWS - 1), bound, more);
}

static void print_taken(bench_job *job, const vd_bench_scene_figures *figures)
{
    for (int kind = VD_SCENE_SHADOW; kind < VD_SCENE_KINDS; kind++)
        print_kinds(job, "scene_taken", vd_scene_kind_name((vd_scene_kind)kind), figures->taken, kind, kind,
                    0);
    print_kinds(job, "scene_taken", "all decoys", figures->taken, VD_SCENE_SHADOW, VD_SCENE_KINDS - 1, 0);
    print_kinds(job, "scene", "shadows and wet patches taken for hazards by stage 1", figures->taken,
                VD_SCENE_SHADOW, VD_SCENE_WET, BENCH_SCENE_TAKEN);
}

static void turn(const vd_bench_share table[VD_SCENE_KINDS][VIEWS],
                 vd_bench_share ret_rest[VD_SCENE_KINDS][VIEWS])
{
    for (int kind = 0; kind < VD_SCENE_KINDS; kind++)
        for (int view = 0; view < VIEWS; view++)
            ret_rest[kind][view] = rest_of(table[kind][view]);
}

/* By thresholds alone: what stage 1 does not follow, and what its mean confidence would tell. */
static void print_stage1(bench_job *job, const vd_bench_scene_figures *figures)
{
    vd_bench_share rejected[VD_SCENE_KINDS][VIEWS];
    turn(figures->through, rejected);
    print_kinds(job, "scene_stage1", "hazards passed", figures->through, VD_SCENE_CRACK, VD_SCENE_POTHOLE, 0);
    print_kinds(job, "scene_stage1", "decoys rejected", rejected, VD_SCENE_SHADOW, VD_SCENE_KINDS - 1, 0);
    for (int kind = VD_SCENE_SHADOW; kind < VD_SCENE_KINDS; kind++) {
        char name[64];
        snprintf(name, sizeof name, "%s rejected", vd_scene_kind_name((vd_scene_kind)kind));
        print_kinds(job, "scene_stage1", name, rejected, kind, kind, 0);
    }
}

/* Of objects that were followed for too short a time: not judged, but told. */
static void print_brief(bench_job *job, const vd_bench_scene_figures *figures)
{
    vd_bench_share rejected[VD_SCENE_KINDS][VIEWS];
    turn(figures->brief, rejected);
    print_kinds(job, "scene_stage2", "hazards passed, seen too briefly", figures->brief, VD_SCENE_CRACK,
                VD_SCENE_POTHOLE, 0);
    print_kinds(job, "scene_stage2", "decoys rejected, seen too briefly", rejected, VD_SCENE_SHADOW,
                VD_SCENE_KINDS - 1, 0);
}

static void print_judged(bench_job *job, const vd_bench_scene_figures *figures)
{
    vd_bench_share rejected[VD_SCENE_KINDS][VIEWS];
    turn(figures->passed, rejected);
    print_kinds(job, "scene", "hazards passed by stage 2", figures->passed, VD_SCENE_CRACK, VD_SCENE_POTHOLE,
                BENCH_SCENE_PASSED);
    print_kinds(job, "scene", "decoys rejected by stage 2", rejected, VD_SCENE_SHADOW, VD_SCENE_KINDS - 1,
                BENCH_SCENE_REJECTED);
    print_brief(job, figures);
    for (int kind = 0; kind < VD_SCENE_KINDS; kind++) {
        char name[64];
        bool is_decoy = kind >= VD_SCENE_SHADOW;
        snprintf(name, sizeof name, "%s %s", vd_scene_kind_name((vd_scene_kind)kind),
                 is_decoy ? "rejected" : "passed");
        print_kinds(job, "scene_stage2", name, is_decoy ? rejected : figures->passed, kind, kind, 0);
    }
}

/* What tells a hazard from a decoy where 0.95 of the hazards pass: a clip, or stage 1's mean confidence. */
static void print_separation(bench_job *job, const vd_bench_scene_figures *figures)
{
    char more[64];
    snprintf(more, sizeof more, "\"auc\":%.4f", figures->auc);
    bench_print(job, &(bench_line){.bench = "scene_stage2",
                                   .name = "decoys rejected where 0.95 of the hazards pass",
                                   .unit = "share",
                                   .value = figures->rejected,
                                   .more = more});
    snprintf(more, sizeof more, "\"auc\":%.4f", figures->single_auc);
    bench_print(job, &(bench_line){.bench = "scene_stage1",
                                   .name = "decoys rejected where 0.95 of the hazards pass",
                                   .unit = "share",
                                   .value = figures->single_rejected,
                                   .more = more});
}

void bench_scene_print(bench_job *job, const vd_bench_scene_figures *figures, int64_t first_seed, int seeds)
{
    print_precision(job, figures, first_seed, seeds);
    print_recall(job, figures);
    print_taken(job, figures);
    print_stage1(job, figures);
    print_judged(job, figures);
    print_separation(job, figures);
}
