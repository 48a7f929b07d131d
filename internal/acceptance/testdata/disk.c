/*
 * A disk that can be stopped or filled, for a server that is started with this
 * in LD_PRELOAD: while a file disk-stalled lies in the folder that it was
 * started in, its writes and flushes of files wait; while disk-slow lies there,
 * each flush takes 50 ms more; while disk-full lies there, no file grows. What
 * goes past the C library (asynchronous writes of tables) is left alone: logs do
 * not.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static char stalled[PATH_MAX + 16], slow[PATH_MAX + 16], full[PATH_MAX + 16];

__attribute__((constructor)) static void begin(void) {
	char folder[PATH_MAX];
	if (getcwd(folder, sizeof folder) == NULL) return;
	snprintf(stalled, sizeof stalled, "%s/disk-stalled", folder);
	snprintf(slow, sizeof slow, "%s/disk-slow", folder);
	snprintf(full, sizeof full, "%s/disk-full", folder);
}

static int is(const char *flag) {
	int before = errno, there = *flag && access(flag, F_OK) == 0;
	errno = before;
	return there;
}

static int regular(int fd, struct stat *s) { return fstat(fd, s) == 0 && S_ISREG(s->st_mode); }

static void wait_for_disk(int fd) {
	struct stat s;
	if (!is(stalled) || !regular(fd, &s)) return;
	while (is(stalled)) usleep(2000);
}

static void flush_slowly(int fd) {
	wait_for_disk(fd);
	if (is(slow)) usleep(50000);
}

/* no_room says whether a write up to end (-1: at the file's own position) would
 * make a file grow. */
static int no_room(int fd, off_t end, size_t length) {
	struct stat s;
	if (!is(full) || !regular(fd, &s)) return 0;
	if (end < 0) {
		int flags = fcntl(fd, F_GETFL);
		end = (flags & O_APPEND ? s.st_size : lseek(fd, 0, SEEK_CUR)) + (off_t)length;
	}
	if (end <= s.st_size) return 0;
	errno = ENOSPC;
	return 1;
}

#define REAL(type, name, ...)                                   \
	static type (*real)(__VA_ARGS__);                       \
	if (!real) *(void **)&real = dlsym(RTLD_NEXT, name)

ssize_t write(int fd, const void *data, size_t length) {
	REAL(ssize_t, "write", int, const void *, size_t);
	wait_for_disk(fd);
	return no_room(fd, -1, length) ? -1 : real(fd, data, length);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t at) {
	REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t);
	wait_for_disk(fd);
	return no_room(fd, at + (off_t)length, length) ? -1 : real(fd, data, length, at);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off_t at) { return pwrite(fd, data, length, at); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
	REAL(ssize_t, "writev", int, const struct iovec *, int);
	size_t length = 0;
	for (int i = 0; i < count; i++) length += parts[i].iov_len;
	wait_for_disk(fd);
	return no_room(fd, -1, length) ? -1 : real(fd, parts, count);
}

int fsync(int fd) {
	REAL(int, "fsync", int);
	flush_slowly(fd);
	return real(fd);
}

int fdatasync(int fd) {
	REAL(int, "fdatasync", int);
	flush_slowly(fd);
	return real(fd);
}

int fallocate(int fd, int mode, off_t at, off_t length) {
	REAL(int, "fallocate64", int, int, off_t, off_t);
	wait_for_disk(fd);
	return no_room(fd, at + length, length) ? -1 : real(fd, mode, at, length);
}

int fallocate64(int fd, int mode, off_t at, off_t length) { return fallocate(fd, mode, at, length); }

int posix_fallocate(int fd, off_t at, off_t length) {
	REAL(int, "posix_fallocate64", int, off_t, off_t);
	wait_for_disk(fd);
	return no_room(fd, at + length, length) ? ENOSPC : real(fd, at, length);
}

int posix_fallocate64(int fd, off_t at, off_t length) { return posix_fallocate(fd, at, length); }
