/* The pool of results: detection arrays are reused, not allocated a frame (row B3). */
#ifndef VD_FRAME_RESULT_H
#define VD_FRAME_RESULT_H

#include "vedette/detection.h"

typedef struct vd_result_pool vd_result_pool;

/* count  how many are made at once; the pool grows one by one when they are all in use.
 * VD_OK or VD_ENOMEM. */
int vd_result_pool_new(int count, vd_result_pool **ret_pool);

/* Gives the pool up; its memory goes when the last result is back. Accepts NULL and sets it. */
void vd_result_pool_free(vd_result_pool **pool);

/* An empty result with one reference, candidates unset. VD_OK or VD_ENOMEM. Any thread. */
int vd_result_pool_take(vd_result_pool *pool, vd_result **ret_result);

#endif
