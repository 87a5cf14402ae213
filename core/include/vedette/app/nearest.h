/* Finding what somebody meant: the nearest of some words. */
#ifndef VEDETTE_APP_NEAREST_H
#define VEDETTE_APP_NEAREST_H

#include <stddef.h>

/* The word that is nearest to `word` by letters added, left out, changed or swapped with their neighbour,
 * compared without case; NULL when none is near (more than a third of the letters would have to change).
 * Borrowed. Any thread. */
const char *vd_nearest_word(const char *word, const char *const *words, size_t count);

#endif
