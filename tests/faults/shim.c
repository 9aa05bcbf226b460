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
 *               slow   the call is made SLOW_MS late
 *               EIO, ENOSPC, ENOMEM   the call fails
 *   DUCHA_FAULT_BELOW=DIRECTORY   only calls on files below it count (memory: all)
 *   DUCHA_FAULT_ON=signal         counting begins with SIGRTMIN+8 and not at the start
 *   DUCHA_FAULT_FILE=FILE         the order stands there; each SIGRTMIN+8 has it read, and counting
 *       begins anew; an empty file: nothing goes wrong from now on
 *   DUCHA_FAULT_COUNT=FILE        how many calls there were, written at a clean end
 *   DUCHA_FAULT_LOG=FILE          what was written below the directory, and what was synced, in
 * this order (struct record); from it tests/system/disks.py makes what a power cut leaves
 *
 * What SQLite maps into memory (the index of its log), and what glibc's aio and stdio write, is not
 * seen here.
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
#include <time.h>
#include <unistd.h>

enum kind { WRITE = 1, SYNC = 2, NAME = 4, MEMORY = 8, DISK = WRITE | SYNC | NAME };
enum action { GO_ON, KILL, TORN, LIE, FAIL, SLOW };
enum { SLOW_MS = 300 };

/* Of the log; a path of @path_bytes and then @data_bytes follow: what was written, or a new name.
 */
struct record {
	char what; /* 'w'rite, 't'runcate to @at, 's'ync, 'r'ename, 'u'nlink */
	char unused[3];
	uint32_t path_bytes;
	int64_t at;
	uint64_t data_bytes;
};

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
	const char *file; /* the order stands in */
	int log;          /* 0: none */
	_Atomic bool on, reread;
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
	atomic_store(fault.file != NULL ? &fault.reread : &fault.on, true);
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
} actions[] = {{"kill", KILL, 0},       {"torn", TORN, 0},  {"lie", LIE, 0},
	       {"slow", SLOW, 0},       {"EIO", FAIL, EIO}, {"ENOSPC", FAIL, ENOSPC},
	       {"ENOMEM", FAIL, ENOMEM}};

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

/* By whichever thread calls next after the signal. */
static void read_file(void)
{
	char order[64] = "";
	int fd = open(fault.file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, order, sizeof order - 1);
	close(fd);
	atomic_store(&fault.on, false);
	atomic_store(&fault.count, 0);
	if (n <= 0)
		return;
	read_order(order);
	atomic_store(&fault.on, true);
}

static bool is_on(int kind)
{
	if (atomic_load(&fault.reread) && atomic_exchange(&fault.reread, false))
		read_file();
	return atomic_load(&fault.on) && (fault.kinds & kind) != 0;
}

__attribute__((constructor)) static void begin(void)
{
	const char *order = getenv("DUCHA_FAULT"), *below = getenv("DUCHA_FAULT_BELOW");
	const char *on = getenv("DUCHA_FAULT_ON"), *log = getenv("DUCHA_FAULT_LOG");
	if (below != NULL && realpath(below, fault.below) != NULL)
		fault.below_length = strlen(fault.below);
	if (log != NULL)
		fault.log = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	fault.file = getenv("DUCHA_FAULT_FILE");
	if (order == NULL && fault.file == NULL)
		return;
	if (order != NULL)
		read_order(order);
	dl_iterate_phdr(note_code, NULL);
	if (on != NULL || fault.file != NULL)
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

/* Return: false if it has none. */
static bool path_of(int fd, char path[PATH_MAX])
{
	char link[32];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, PATH_MAX - 1);
	path[n < 0 ? 0 : n] = '\0';
	return n > 0;
}

static bool is_file_below(int fd)
{
	char path[PATH_MAX];
	return path_of(fd, path) && is_below(path);
}

/* --- the log: each thread's calls in their order, one of its records after the call was made ---
 */

static void note(char what, const char *path, int64_t at, const void *data, size_t n)
{
	int saved = errno;
	struct record record = {
		.what = what, .path_bytes = (uint32_t)strlen(path), .at = at, .data_bytes = n};
	const struct iovec parts[] = {{&record, sizeof record},
				      {(void *)(uintptr_t)path, record.path_bytes},
				      {(void *)(uintptr_t)data, n}};
	if (is_below(path) && writev(fault.log, parts, 3) < 0)
		wrong("the log cannot be written");
	errno = saved;
}

static void note_file(char what, int fd, int64_t at, const void *data, size_t n)
{
	char path[PATH_MAX];
	int saved = errno;
	if (fault.log > 0 && path_of(fd, path) && path[0] == '/')
		note(what, path, at, data, n);
	errno = saved;
}

/* --- what is to happen --- */

static void be_late(void)
{
	nanosleep(&(struct timespec){.tv_nsec = SLOW_MS * 1000000L}, NULL);
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
	if (fault.action == SLOW)
		be_late();
	return fault.action == SLOW ? GO_ON : fault.action;
}

static enum action on_file(enum kind kind, int fd)
{
	if (!is_on(kind))
		return GO_ON;
	int saved = errno;
	bool counts = is_file_below(fd);
	errno = saved;
	return counts ? turn() : GO_ON;
}

static enum action on_path(const char *path)
{
	return is_on(NAME) && is_below(path) ? turn() : GO_ON;
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
	if (fault.log > 0 && done > 0)
		note_file('w', fd, lseek(fd, 0, SEEK_CUR) - done, data, (size_t)done);
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
	if (done > 0)
		note_file('w', fd, at, data, (size_t)done);
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

/* Return: @rc, and what was synced is in the log if it is 0 */
static int synced(int fd, int rc)
{
	if (rc == 0)
		note_file('s', fd, 0, NULL, 0);
	return rc;
}

int fsync(int fd)
{
	int rc;
	return is_settled(on_sync(fd, CALLER), &rc) ? rc : synced(fd, REAL(fsync)(fd));
}

int fdatasync(int fd)
{
	int rc;
	return is_settled(on_sync(fd, CALLER), &rc) ? rc : synced(fd, REAL(fdatasync)(fd));
}

int ftruncate64(int fd, off64_t size)
{
	int rc;
	if (is_settled(on_file(NAME, fd), &rc))
		return rc;
	rc = REAL(ftruncate64)(fd, size);
	if (rc == 0)
		note_file('t', fd, size, NULL, 0);
	return rc;
}

int ftruncate(int fd, off_t size)
{
	return ftruncate64(fd, size);
}

/* Those of the store are absolute. */
int rename(const char *from, const char *to)
{
	int rc;
	if (is_settled(on_path(to), &rc))
		return rc;
	rc = REAL(rename)(from, to);
	if (rc == 0 && fault.log > 0)
		note('r', from, 0, to, strlen(to));
	return rc;
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
	if (is_settled(on_path(path), &rc))
		return rc;
	rc = REAL(unlink)(path);
	if (rc == 0 && fault.log > 0)
		note('u', path, 0, NULL, 0);
	return rc;
}

static bool memory_is_out(const void *caller)
{
	if (!is_on(MEMORY))
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
