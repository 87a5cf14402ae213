/* A detector double: finds bright shapes in small grey pictures, and can be held at a gate, hang at one
 * picture, fail in many ways, and take batches. It counts what happens to it.
 *
 * Workers are kept busy with the gate, so a test waits for a state (`gate_await…`) and never for a time. */
#ifndef TESTS_DOUBLES_GATE_DETECTOR_H
#define TESTS_DOUBLES_GATE_DETECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/thread.h"
#include "vedette/detector.h"

typedef enum gate_habit {
    GATE_FINDS,       /* what is bright in the picture */
    GATE_FAILS_THIRD, /* each third call fails with VD_EIO */
    GATE_FAILS_MUTE,  /* fails with a code that is none and without a word */
    GATE_GIVES_NAN,   /* boxes and scores that are not numbers */
    GATE_GIVES_RUBBISH
} gate_habit;

enum { GATE_NOTES = 1024, GATE_NONE = -1 };

typedef struct gate_detector {
    /* immutable while a detector lives */
    gate_habit habit;
    uint64_t closed_workers; /* bit n: worker n cannot start */
    int64_t poison;          /* a chunk with this frame fails as a whole; GATE_NONE: none does */
    bool poison_is_mortal;   /* and the frame alone fails as well */

    vd_mutex lock;
    vd_cond changed;
    /* guarded by lock */
    bool closed;
    int64_t hangs_at;        /* the frame that hangs until gate_let_go; GATE_NONE */
    int inside, most_inside; /* calls at this moment, and the most ever */
    int calls, batch_calls, largest_batch;
    int opened, ended, resets;
    int64_t notes[GATE_NOTES]; /* frames in the order they came, GATE_NONE: a reset */
    int note_count;
    int wrong; /* calls that broke a promise: another thread, a wrong argument */
} gate_detector;

/* The table without batches, and with them; config is the gate_detector. */
extern const vd_detector_ops gate_ops, gate_batch_ops;

void gate_init(gate_detector *gate);
void gate_fini(gate_detector *gate);

/* A closed gate holds calls, which count as inside. */
void gate_close(gate_detector *gate);
void gate_open(gate_detector *gate);
void gate_hang_at(gate_detector *gate, int64_t frame);
void gate_let_go(gate_detector *gate);

/* Waits until so many calls are inside; false after 20 s. */
bool gate_await_inside(gate_detector *gate, int count);

/* The frames seen so far as `3 1 2`, resets as `R`. */
void gate_tell_notes(gate_detector *gate, char *text, int size);

/* Reads one counter under the lock. */
int gate_read(gate_detector *gate, const int *counter);

#endif
