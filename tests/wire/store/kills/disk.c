/* A disk at which a program is killed, or which is full, from a given call on. Preloaded. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_long calls;
static long kill_at = -1, full_from = -1;

__attribute__((constructor)) static void begin(void) {
    const char *at = getenv("DISK_KILL_AT"), *from = getenv("DISK_FULL_FROM");
    if (at) kill_at = atol(at);
    if (from) full_from = atol(from);
}

/* Tells how many calls there were. */
__attribute__((destructor)) static void end(void) {
    const char *path = getenv("DISK_CALLS");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (file) {
        fprintf(file, "%ld", atomic_load(&calls));
        fclose(file);
    }
}

static int is_full(void) {
    long call = atomic_fetch_add(&calls, 1);
    if (call == kill_at) kill(getpid(), SIGKILL);
    return full_from >= 0 && call >= full_from;
}

static int is_file(int fd) {
    struct stat about;
    return fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
}

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))
#define REFUSE do { errno = ENOSPC; return -1; } while (0)

ssize_t write(int fd, const void *bytes, size_t length) {
    if (is_file(fd) && is_full()) REFUSE;
    return REAL(ssize_t, "write", int, const void *, size_t)(fd, bytes, length);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
    if (is_full()) REFUSE;
    return REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t)(fd, bytes, length, at);
}

int ftruncate64(int fd, off64_t length) {
    if (is_full()) REFUSE;
    return REAL(int, "ftruncate64", int, off64_t)(fd, length);
}

/* A full disk still syncs, names and removes. */
int fsync(int fd) {
    is_full();
    return REAL(int, "fsync", int)(fd);
}

int fdatasync(int fd) {
    is_full();
    return REAL(int, "fdatasync", int)(fd);
}

int rename(const char *from, const char *to) {
    is_full();
    return REAL(int, "rename", const char *, const char *)(from, to);
}

int linkat(int from, const char *old, int to, const char *new, int flags) {
    is_full();
    return REAL(int, "linkat", int, const char *, int, const char *, int)(from, old, to, new, flags);
}

int link(const char *old, const char *new) {
    is_full();
    return REAL(int, "link", const char *, const char *)(old, new);
}

int unlink(const char *path) {
    is_full();
    return REAL(int, "unlink", const char *)(path);
}
