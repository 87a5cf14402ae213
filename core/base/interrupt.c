/* Signals become cancel requests on a thread that waits for them, so that no handler runs in the middle of a
 * lock. The thread is owned by the program's main thread, which starts and stops it. */
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/thread.h"
#include "vedette/app/interrupt.h"
#include "vedette/error.h"

static vd_thread interrupt_thread;
static atomic_bool interrupt_seen, interrupt_stopping; /* atomic: read by any thread */

static sigset_t watched_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

static void wait_for_signals(void *context)
{
    sigset_t set = watched_signals();
    for (int signal_number; sigwait(&set, &signal_number) == 0;) {
        if (atomic_load(&interrupt_stopping))
            return;
        if (atomic_exchange(&interrupt_seen, true))
            _exit(130); /* asked twice: whoever did not end by now will not */
        vd_cancel_request(context);
    }
}

int vd_interrupt_start(vd_cancel *cancel)
{
    sigset_t set = watched_signals();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    atomic_store(&interrupt_stopping, false);
    int code = vd_thread_start(&interrupt_thread, "vd-signals", wait_for_signals, cancel);
    if (code)
        pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    return code;
}

void vd_interrupt_stop(void)
{
    if (!interrupt_thread.running)
        return;
    atomic_store(&interrupt_stopping, true);
    pthread_kill(interrupt_thread.handle, SIGTERM);
    vd_thread_join(&interrupt_thread);
    sigset_t set = watched_signals();
    pthread_sigmask(SIG_UNBLOCK, &set, NULL); /* from here on a signal ends the process at once again */
}

bool vd_interrupted(void)
{
    return atomic_load(&interrupt_seen);
}
