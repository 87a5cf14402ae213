/* A source without pictures of the world, for tests of what comes after it: `fake:` with options.
 *
 *   fake:frames=100,fps=25,live=1,width=160,height=120   (all may be left out)
 *   fake:silent=1    opens only when it is cancelled or times out
 *   fake:break=30    fails with VD_EIO at frame 30
 *
 * Every frame carries its index in its first pixels; a square moves linearly with the index. */
#ifndef TESTS_DOUBLES_FAKE_SOURCE_H
#define TESTS_DOUBLES_FAKE_SOURCE_H

#include <stdint.h>

#include "vedette/detector.h"
#include "vedette/image.h"

void fake_source_register(void);

/* The index a picture carries. */
int64_t fake_source_index(const vd_image *image);

/* The true box of a frame. */
vd_box fake_source_box(int64_t index);

/* A detector that returns the true box of the very picture it is given, score 0.9, and a second, weaker one
 * (score 0.4) beside it, after `delay_ms`. */
struct fake_detector_config {
    int delay_ms;
    int fail_every;     /* n: every n-th detection fails; 0: none */
    const char *refuse; /* not NULL: opening fails with this sentence */
};

extern const vd_detector_ops fake_detector_ops; /* config: struct fake_detector_config */

#endif
