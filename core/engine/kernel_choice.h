/* Which candidate computes a convolution, for the whole process: what the clock has said once holds for every
 * other convolution of the same shape, in this network and in others. So workers of one model compute the
 * same to the last bit, and only the first of them takes the time to choose. */
#ifndef VD_ENGINE_KERNEL_CHOICE_H
#define VD_ENGINE_KERNEL_CHOICE_H

#include "engine/kernels.h"

enum { VD_CHOICES = 512, VD_CHOICE_TEXT = 80 };

/* All that decides which candidates there are and what they cost. Made by vd_choice_key_of, for keys are
 * compared byte by byte. */
typedef struct vd_choice_key {
    vd_conv_shape shape;
    int threads, block;
} vd_choice_key;

void vd_choice_key_of(const vd_conv_shape *shape, int threads, int block, vd_choice_key *ret_key);

/* Held from looking for a choice until it is kept: who comes meanwhile waits for it instead of timing the
 * same, and no two timings disturb each other. A lock of rank VD_RANK_KERNELS. */
void vd_choice_lock(void);
void vd_choice_unlock(void);

/* The candidate's text (vd_candidate.text); false when nothing was chosen yet. Only while locked. */
bool vd_choice_find(const vd_choice_key *key, char ret_text[VD_CHOICE_TEXT]);

/* Keeps a choice; of more than VD_CHOICES the oldest is forgotten. Only while locked. */
void vd_choice_keep(const vd_choice_key *key, const char *text);

#endif
