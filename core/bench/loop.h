/* The source `loop:FILE`: a file that begins again at its end, by a seek, without end. */
#ifndef VD_BENCH_LOOP_H
#define VD_BENCH_LOOP_H

/* Registers it, once. Any thread. */
void vd_bench_loop_register(void);

#endif
