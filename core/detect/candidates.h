/* Lists of candidates: the best by score in a stable order, and the check of what a detector hands over. */
#ifndef VD_DETECT_CANDIDATES_H
#define VD_DETECT_CANDIDATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/detection.h"

/* The best VD_MAX_CANDIDATES of any number of scores, without sorting them all. Zeroed to start. */
typedef struct vd_best {
    size_t count;
    uint64_t keys[VD_MAX_CANDIDATES]; /* score and index in one number that rises as the score falls */
} vd_best;

/* Offers one score, which must be a number of at least 0. */
void vd_best_offer(vd_best *best, float score, uint32_t index);

/* Brings what was kept into order: falling score, then rising index. Nothing may be offered afterwards. */
void vd_best_sort(vd_best *best);

/* The index of the n-th best, once sorted. */
uint32_t vd_best_index(const vd_best *best, size_t n);

/* Whether a box is one: finite, not empty, and partly in the picture. It may reach beyond the picture, as
 * doubles are told by whole boxes; what reaches too far for areas to be numbers is brought nearer. */
bool vd_candidate_box_is_sane(vd_box *box, float width, float height);

/* Makes a result safe to publish, whoever filled it: at most VD_MAX_CANDIDATES, sorted by falling score
 * (equal scores keep their order). Dropped are boxes that are not finite or lie outside, scores that are no
 * number from result->floor to 1, and negative classes.
 *
 * Returns how many were dropped. */
size_t vd_candidates_sanitise(vd_result *result);

#endif
