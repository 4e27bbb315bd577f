/* A system clock that can be set for one process: LD_PRELOAD puts this before the C library. The
 * file that CLOCK_OFFSET names holds the seconds by which the clock is ahead. Clocks that only run
 * are left alone. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *time)
{
    char offset[32] = { 0 };
    int file;

    if (syscall(SYS_clock_gettime, id, time))
        return -1;
    if (id != CLOCK_REALTIME)
        return 0;
    file = open(getenv("CLOCK_OFFSET"), O_RDONLY | O_CLOEXEC);
    if (file < 0 || read(file, offset, sizeof offset - 1) < 1)
        abort(); /* A story must not go by the right clock unnoticed. */
    close(file);
    time->tv_sec += atoll(offset);
    return 0;
}
