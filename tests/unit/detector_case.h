/* What the tests of the detector share: a double, pictures that count their releases, and the ledger. */
#ifndef TESTS_UNIT_DETECTOR_CASE_H
#define TESTS_UNIT_DETECTOR_CASE_H

#include <stdatomic.h>

#include "doubles/gate_detector.h"
#include "vedette/detector.h"

enum { PICTURE_WIDTH = 64, PICTURE_HEIGHT = 48, MOST_PICTURES = 128 };

/* A grey picture with three bright shapes at places that follow from its number. */
typedef struct case_picture {
    uint8_t pixels[PICTURE_WIDTH * PICTURE_HEIGHT];
    vd_input input;      /* asks for it */
    atomic_int releases; /* how often the detector gave it back */
} case_picture;

extern gate_detector gate;
extern case_picture pictures[MOST_PICTURES];

/* Checked fixtures: before, everything is new; after, every worker is closed, no thread is left, and every
 * picture was released exactly as often as it was accepted. */
void case_set_up(void);
void case_tear_down(void);

/* A detector of the double; workers 0 and queue 0 leave the defaults. */
vd_detector *case_make(const vd_detector_ops *ops, int workers, int queue_size);

/* Asks for picture `n`, and remembers that it was accepted. */
int case_submit(vd_detector *detector, int n, vd_future **ret_future);
vd_future *case_must_submit(vd_detector *detector, int n);

/* Asks for the first `count` pictures as a batch. */
int case_submit_batch(vd_detector *detector, size_t count, int batch_size, vd_future **ret_future);
vd_future *case_must_submit_batch(vd_detector *detector, size_t count, int batch_size);

/* Remembers a picture that was accepted by other ways. */
void case_accepted(int n);

/* The inputs of the first `count` pictures, in a static array. */
vd_input *case_inputs(size_t count);

void case_assert_shapes(const vd_result *result, int n);
void case_assert_ledger(vd_detector *detector, unsigned succeeded, unsigned failed, unsigned cancelled,
                        unsigned pending);

/* Waits until no picture is pending (its future may be complete a moment before), then checks the sum. */
vd_detector_stats case_settle(vd_detector *detector);

void case_unref_all(vd_future **futures, int count);
void case_free(void *detector); /* for vd_thread_start; `detector` is a vd_detector ** */

/* Threads of this process that are a detector's workers, by their names. */
int case_count_workers(void);

#endif
