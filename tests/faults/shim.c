/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into duchad: lets the Nth call of a kind go wrong. The environment says how:
 *
 *   DUCHA_FAULT=KIND:N:ACTION[:ever|:every]   the Nth call; `ever`: and all later ones; `every`:
 *       each Nth
 *       KIND    write (write, pwrite, writev), sync (fsync, fdatasync), rename (also unlink,
 *               truncation), disk (all of these), memory (malloc, calloc, realloc by duchad,
 *               SQLite and jansson; libconfig 1.5 and Paho use what they get unchecked)
 *       ACTION  kill   SIGKILL instead of the call
 *               torn   half of the bytes, then SIGKILL
 *               lie    success is said and nothing done
 *               EIO, ENOSPC, ENOMEM   the call fails
 *   DUCHA_FAULT_BELOW=DIRECTORY   only calls on files below it count (memory: all)
 *   DUCHA_FAULT_ON=signal         counting begins with SIGRTMIN+8 and not at the start
 *   DUCHA_FAULT_COUNT=FILE        how many calls there were, written at a clean end
 *
 * What SQLite maps into memory (the index of its log) is not seen here.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { WRITE = 1, SYNC = 2, NAME = 4, MEMORY = 8, DISK = WRITE | SYNC | NAME };
enum action { GO_ON, KILL, TORN, LIE, FAIL };

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static struct {
	int kinds, error;
	enum action action;
	long n;
	bool ever, every;
	char below[PATH_MAX];
	size_t below_length;
	_Atomic bool on;
	_Atomic long count;
	struct {
		uintptr_t begin, end;
	} code[8]; /* whose allocations count */
	size_t n_code;
} fault;

static int note_code(struct dl_phdr_info *object, size_t size, void *context)
{
	(void)size, (void)context;
	bool counts = object->dlpi_name[0] == '\0' || strstr(object->dlpi_name, "libsqlite3") ||
		      strstr(object->dlpi_name, "libjansson");
	for (size_t i = 0; counts && i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &object->dlpi_phdr[i];
		if (part->p_type != PT_LOAD || (part->p_flags & PF_X) == 0 || fault.n_code == 8)
			continue;
		uintptr_t begin = object->dlpi_addr + part->p_vaddr;
		fault.code[fault.n_code].begin = begin;
		fault.code[fault.n_code++].end = begin + part->p_memsz;
	}
	return 0;
}

static void turn_on(int number)
{
	(void)number;
	atomic_store(&fault.on, true);
}

static const struct {
	const char *name;
	int kinds;
} kinds[] = {
	{"write", WRITE}, {"sync", SYNC}, {"rename", NAME}, {"disk", DISK}, {"memory", MEMORY}};
static const struct {
	const char *name;
	enum action action;
	int error;
} actions[] = {{"kill", KILL, 0},  {"torn", TORN, 0},        {"lie", LIE, 0},
	       {"EIO", FAIL, EIO}, {"ENOSPC", FAIL, ENOSPC}, {"ENOMEM", FAIL, ENOMEM}};

static void wrong(const char *what)
{
	dprintf(2, "shim: %s\n", what);
	_exit(64);
}

static void read_order(const char *order)
{
	char kind[16], action[16], ever[16] = "";
	if (sscanf(order, "%15[^:]:%ld:%15[^:]:%15s", kind, &fault.n, action, ever) < 3)
		wrong("DUCHA_FAULT is KIND:N:ACTION");
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(kinds[i].name, kind) == 0)
			fault.kinds = kinds[i].kinds;
	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
		if (strcmp(actions[i].name, action) == 0) {
			fault.action = actions[i].action;
			fault.error = actions[i].error;
		}
	fault.ever = strcmp(ever, "ever") == 0;
	fault.every = strcmp(ever, "every") == 0;
	if (fault.kinds == 0 || fault.n < 1 || fault.action == GO_ON)
		wrong("DUCHA_FAULT has an unknown kind or action");
}

__attribute__((constructor)) static void begin(void)
{
	const char *order = getenv("DUCHA_FAULT"), *below = getenv("DUCHA_FAULT_BELOW");
	const char *on = getenv("DUCHA_FAULT_ON");
	if (order == NULL)
		return;
	read_order(order);
	if (below != NULL && realpath(below, fault.below) != NULL)
		fault.below_length = strlen(fault.below);
	dl_iterate_phdr(note_code, NULL);
	if (on != NULL)
		signal(SIGRTMIN + 8, turn_on);
	else
		turn_on(0);
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("DUCHA_FAULT_COUNT");
	int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0) {
		dprintf(fd, "%ld\n", atomic_load(&fault.count));
		close(fd);
	}
}

static bool is_below(const char *path)
{
	return fault.below_length == 0 || strncmp(path, fault.below, fault.below_length) == 0;
}

static bool is_file_below(int fd)
{
	char link[32], path[PATH_MAX];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof path - 1);
	if (n <= 0)
		return false;
	path[n] = '\0';
	return is_below(path);
}

/* Return: what is to happen to this call, which counts. */
static enum action turn(void)
{
	long count = atomic_fetch_add(&fault.count, 1) + 1;
	bool is_it = count == fault.n || (fault.ever && count > fault.n) ||
		     (fault.every && count % fault.n == 0);
	if (!is_it)
		return GO_ON;
	if (fault.action == KILL)
		kill(getpid(), SIGKILL);
	if (fault.action == FAIL)
		errno = fault.error;
	return fault.action;
}

static enum action on_file(enum kind kind, int fd)
{
	if ((fault.kinds & (int)kind) == 0 || !atomic_load(&fault.on))
		return GO_ON;
	int saved = errno;
	bool counts = is_file_below(fd);
	errno = saved;
	return counts ? turn() : GO_ON;
}

static enum action on_path(const char *path)
{
	if ((fault.kinds & NAME) == 0 || !atomic_load(&fault.on) || !is_below(path))
		return GO_ON;
	return turn();
}

#define REAL(function) ((__typeof__(&function))dlsym(RTLD_NEXT, #function))

ssize_t write(int fd, const void *data, size_t n)
{
	enum action action = on_file(WRITE, fd);
	if (action == FAIL)
		return -1;
	if (action == LIE)
		return (ssize_t)n;
	ssize_t done = REAL(write)(fd, data, action == TORN ? n / 2 : n);
	if (action == TORN)
		kill(getpid(), SIGKILL);
	return done;
}

ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at)
{
	enum action action = on_file(WRITE, fd);
	if (action == FAIL)
		return -1;
	if (action == LIE)
		return (ssize_t)n;
	ssize_t done = REAL(pwrite64)(fd, data, action == TORN ? n / 2 : n, at);
	if (action == TORN)
		kill(getpid(), SIGKILL);
	return done;
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at)
{
	return pwrite64(fd, data, n, at);
}

/* SQLite has the directory of a new journal synced and goes on whatever the answer is. */
static bool is_asked_in_vain(int fd, const void *caller)
{
	struct stat status;
	Dl_info info;
	return fault.action == FAIL && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode) &&
	       dladdr(caller, &info) != 0 && strstr(info.dli_fname, "libsqlite3") != NULL;
}

static enum action on_sync(int fd, const void *caller)
{
	return is_asked_in_vain(fd, caller) ? GO_ON : on_file(SYNC, fd);
}

#define CALLER __builtin_return_address(0)

/* Of a call without bytes. Return: true if it is not to be made; then @rc is its result. */
static bool is_settled(enum action action, int *rc)
{
	if (action == TORN)
		kill(getpid(), SIGKILL);
	*rc = action == FAIL ? -1 : 0;
	return action != GO_ON;
}

int fsync(int fd)
{
	int rc;
	return is_settled(on_sync(fd, CALLER), &rc) ? rc : REAL(fsync)(fd);
}

int fdatasync(int fd)
{
	int rc;
	return is_settled(on_sync(fd, CALLER), &rc) ? rc : REAL(fdatasync)(fd);
}

int ftruncate64(int fd, off64_t size)
{
	int rc;
	return is_settled(on_file(NAME, fd), &rc) ? rc : REAL(ftruncate64)(fd, size);
}

int ftruncate(int fd, off_t size)
{
	return ftruncate64(fd, size);
}

int rename(const char *from, const char *to)
{
	int rc;
	return is_settled(on_path(to), &rc) ? rc : REAL(rename)(from, to);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	int rc;
	return is_settled(on_file(NAME, to_fd), &rc) ? rc
						     : REAL(renameat)(from_fd, from, to_fd, to);
}

int unlink(const char *path)
{
	int rc;
	return is_settled(on_path(path), &rc) ? rc : REAL(unlink)(path);
}

static bool memory_is_out(const void *caller)
{
	if ((fault.kinds & MEMORY) == 0 || !atomic_load(&fault.on))
		return false;
	uintptr_t at = (uintptr_t)caller;
	for (size_t i = 0; i < fault.n_code; i++)
		if (at >= fault.code[i].begin && at < fault.code[i].end)
			return turn() == FAIL;
	return false;
}

void *malloc(size_t size)
{
	return memory_is_out(CALLER) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return memory_is_out(CALLER) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	return memory_is_out(CALLER) ? NULL : __libc_realloc(old, size);
}
