#include "detect/candidates.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* The bits of floats that are not negative rise with their value, so a key compares as one number. */
static uint64_t key_of(float score, uint32_t index)
{
    uint32_t bits;
    score += 0.0f; /* -0 becomes 0 */
    memcpy(&bits, &score, sizeof bits);
    return (uint64_t)~bits << 32 | index;
}

/* The keys are a heap with the worst (largest) on top, so that a better one replaces it. */
static void sift_down(uint64_t *keys, size_t count, size_t at)
{
    uint64_t key = keys[at];
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && keys[child + 1] > keys[child])
            child++;
        if (keys[child] <= key)
            break;
        keys[at] = keys[child];
    }
    keys[at] = key;
}

static void sift_up(uint64_t *keys, size_t at)
{
    uint64_t key = keys[at];
    while (at > 0 && keys[(at - 1) / 2] < key) {
        keys[at] = keys[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    keys[at] = key;
}

void vd_best_offer(vd_best *best, float score, uint32_t index)
{
    uint64_t key = key_of(score, index);
    if (best->count < VD_MAX_CANDIDATES) {
        best->keys[best->count] = key;
        sift_up(best->keys, best->count++);
    } else if (key < best->keys[0]) {
        best->keys[0] = key;
        sift_down(best->keys, best->count, 0);
    }
}

void vd_best_sort(vd_best *best)
{
    for (size_t left = best->count; left > 1;) {
        uint64_t worst = best->keys[0];
        best->keys[0] = best->keys[--left];
        best->keys[left] = worst;
        sift_down(best->keys, left, 0);
    }
}

uint32_t vd_best_index(const vd_best *best, size_t n)
{
    return (uint32_t)best->keys[n];
}

bool vd_candidate_box_is_sane(vd_box *box, float width, float height)
{
    const float far = 1 << 17; /* pixels: eight times the widest picture */
    if (!isfinite(box->x1) || !isfinite(box->y1) || !isfinite(box->x2) || !isfinite(box->y2))
        return false;
    box->x1 = fmaxf(box->x1, -far);
    box->y1 = fmaxf(box->y1, -far);
    box->x2 = fminf(box->x2, far);
    box->y2 = fminf(box->y2, far);
    return box->x1 < box->x2 && box->y1 < box->y2 && box->x1 < width && box->y1 < height && box->x2 > 0 &&
           box->y2 > 0;
}

/* False when the candidate cannot be kept. */
static bool make_sane(const vd_result *result, vd_detection *candidate)
{
    if (!(candidate->score >= result->floor) || !(candidate->score >= 0) || !(candidate->score <= 1) ||
        candidate->class_id < 0)
        return false;
    candidate->track_id = 0;
    return vd_candidate_box_is_sane(&candidate->box, (float)result->width, (float)result->height);
}

static void sort_candidates(vd_result *result)
{
    vd_best order = {0};
    vd_detection unsorted[VD_MAX_CANDIDATES];
    memcpy(unsorted, result->candidates, result->count * sizeof *unsorted);
    for (size_t i = 0; i < result->count; i++)
        vd_best_offer(&order, unsorted[i].score, (uint32_t)i);
    vd_best_sort(&order);
    for (size_t i = 0; i < result->count; i++)
        result->candidates[i] = unsorted[vd_best_index(&order, i)];
}

size_t vd_candidates_sanitise(vd_result *result)
{
    size_t given = result->count, kept = 0;
    size_t readable = given < VD_MAX_CANDIDATES ? given : VD_MAX_CANDIDATES;
    bool sorted = true;
    for (size_t i = 0; i < readable; i++) {
        vd_detection candidate = result->candidates[i];
        if (!make_sane(result, &candidate))
            continue;
        if (kept > 0 && candidate.score > result->candidates[kept - 1].score)
            sorted = false;
        result->candidates[kept++] = candidate;
    }
    result->count = kept;
    if (!sorted)
        sort_candidates(result);
    return given - kept;
}
