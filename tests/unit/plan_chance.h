/* Graphs for tests of plans, put together by a seeded chance. */
#ifndef TESTS_UNIT_PLAN_CHANCE_H
#define TESTS_UNIT_PLAN_CHANCE_H

#include "plan_case.h"

/* 4 to 23 steps of every kind after one or two inputs, with channels on and off the borders of blocks, one or
 * two pictures, and up to four outputs. Release with case_fini. */
void case_by_chance(plan_case *c, uint64_t seed);

#endif
