/* The kinds of sources that our programs have beyond those of the library. */
#ifndef VEDETTE_APP_SOURCES_H
#define VEDETTE_APP_SOURCES_H

/* Registers `demo:`; once, however often it is called. vd_camera_open does it too. Any thread. */
void vd_sources_register(void);

#endif
