/* The cameras of the settings, opened without a window and served under their names. */
#ifndef APP_SERVE_CAMERAS_H
#define APP_SERVE_CAMERAS_H

#include "vedette/app/serve.h"
#include "vedette/app/settings.h"

typedef struct cli_cameras cli_cameras;

/* Opens every camera that the settings name, with stage 2 where they have it, and makes its feed reachable.
 * One that cannot be opened is complained of and left out. `settings` and `serve` outlive it. NULL: no
 * memory; the sentence has been printed. */
cli_cameras *cli_cameras_open(const vd_settings *settings, vd_serve *serve);

/* To be called a few times a second: gives each camera the thresholds that suit its model once that is there,
 * says on stderr what became of it, and opens a live one that failed again after some seconds. */
void cli_cameras_look(cli_cameras *cameras);

/* Closes them and waits for their threads, 5 s at most; false: some are left, and the program must end with
 * _exit. Before vd_serve_free. Accepts NULL and sets it. */
bool cli_cameras_close(cli_cameras **cameras);

#endif
