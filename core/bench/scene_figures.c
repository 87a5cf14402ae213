/* How well a number tells hazards from decoys, whatever the threshold. */
#include <math.h>
#include <stdlib.h>

#include "bench/scene.h"

#define HAZARDS_PASS 0.95

struct scored {
    double score;
    int hazard;
};

static int compare(const void *a, const void *b)
{
    double x = ((const struct scored *)a)->score, y = ((const struct scored *)b)->score;
    return (x > y) - (x < y);
}

/* The share of pairs of a hazard and a decoy in which the hazard has the higher score; equal ones count half
 * (the area under the ROC curve by ranks, Mann and Whitney). Sorted by rising score; 0 of nothing. */
static double area_under_curve(const struct scored *scored, size_t count)
{
    double pairs = 0, hazards = 0, decoys = 0;
    for (size_t i = 0; i < count;) {
        double equal_hazards = 0, equal_decoys = 0;
        double score = scored[i].score;
        for (; i < count && scored[i].score == score; i++)
            *(scored[i].hazard ? &equal_hazards : &equal_decoys) += 1;
        pairs += equal_hazards * (decoys + equal_decoys / 2);
        hazards += equal_hazards;
        decoys += equal_decoys;
    }
    return hazards > 0 && decoys > 0 ? pairs / (hazards * decoys) : 0;
}

/* The share of decoys below the highest threshold at which HAZARDS_PASS of the hazards are not. */
static double rejected_share(const struct scored *scored, size_t count)
{
    size_t hazards = 0, decoys = 0, left, below = 0;
    for (size_t i = 0; i < count; i++)
        *(scored[i].hazard ? &hazards : &decoys) += 1;
    left = hazards - (size_t)ceil(HAZARDS_PASS * (double)hazards);
    double threshold = INFINITY;
    for (size_t i = 0; i < count; i++)
        if (scored[i].hazard && left-- == 0) {
            threshold = scored[i].score;
            break;
        }
    for (size_t i = 0; i < count; i++)
        below += !scored[i].hazard && scored[i].score < threshold;
    return decoys > 0 ? (double)below / (double)decoys : 0;
}

int scene_verify_finish(const scene_verify *verify, vd_bench_scene_figures *figures)
{
    size_t count = verify->verdict_count;
    struct scored *scored = calloc(count + 1, sizeof *scored);
    if (!scored)
        return VD_ENOMEM;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < count; i++) {
            const scene_verdict *verdict = &verify->verdicts[i];
            scored[i] = (struct scored){pass == 0 ? verdict->answer : verdict->confidence,
                                        verdict->kind < VD_SCENE_SHADOW};
        }
        qsort(scored, count, sizeof *scored, compare);
        *(pass == 0 ? &figures->auc : &figures->single_auc) = area_under_curve(scored, count);
        *(pass == 0 ? &figures->rejected : &figures->single_rejected) = rejected_share(scored, count);
    }
    free(scored);
    return VD_OK;
}
