/* A file as a camera: `paced:PATH` reads a clip at its own speed and calls itself live. */
#ifndef TESTS_DOUBLES_PACED_SOURCE_H
#define TESTS_DOUBLES_PACED_SOURCE_H

void paced_source_register(void);

#endif
