/* The kinds of sources that this program adds to those of libav. */
#ifndef VD_PIPELINE_SOURCES_H
#define VD_PIPELINE_SOURCES_H

/* Registers `demo:`; once, however often it is called. Any thread. */
void vd_sources_register(void);

#endif
