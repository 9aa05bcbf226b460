/* SPDX-License-Identifier: Apache-2.0 */
#include "store/spare.h"

#include "base/log.h"

#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SPARE_BYTES = 256 * 1024, PIECE_BYTES = 32 * 1024, LINE_BYTES = 512 };

struct spare {
	int fd; /* O_DSYNC; below 0: there is none */
	pthread_mutex_t lock;
	/* under the lock */
	size_t room, used; /* bytes; less room than SPARE_BYTES: the disk was full */
	bool pending;      /* the last write has not been heard of */
	struct aiocb write;
	char piece[PIECE_BYTES]; /* it is written from */
	char *left;              /* what was found */
};

/* --- one line --- */

size_t spare_line(char *out, size_t size, const struct plan *plan, const struct reading *reading)
{
	const struct monitor *m = &plan->monitors[reading->monitor];
	char value[40] = "-";
	if (reading->has_value)
		snprintf(value, sizeof value, "%a", reading->value);
	int n = snprintf(out, size, "%s\t%s\t%" PRId64 "\t%" PRId64 "\t%s\t%c\t%" PRIu64,
			 plan->sites[m->site].id, m->factor, reading->measured_ms,
			 reading->received_ms, value, reading->flag, reading->raw);
	return n < 0 || (size_t)n >= size ? 0 : (size_t)n;
}

static bool parse_value(const char *text, struct reading *reading)
{
	char *end;
	reading->has_value = strcmp(text, "-") != 0;
	reading->value = reading->has_value ? strtod(text, &end) : 0;
	return !reading->has_value || (end != text && *end == '\0' && isfinite(reading->value));
}

bool spare_parse(const char *line, const struct plan *plan, struct reading *reading)
{
	char site[LINE_BYTES], factor[LINE_BYTES], value[40], flag;
	int end = 0;
	*reading = (struct reading){.monitor = NO_INDEX};
	if (strlen(line) >= LINE_BYTES ||
	    sscanf(line,
		   "%511[^\t]\t%511[^\t]\t%" SCNd64 "\t%" SCNd64 "\t%39[^\t]\t%c\t%" SCNu64 "%n",
		   site, factor, &reading->measured_ms, &reading->received_ms, value, &flag,
		   &reading->raw, &end) != 7 ||
	    line[end] != '\0' || !flag_known(flag) || !parse_value(value, reading))
		return false;
	reading->flag = (uint8_t)flag;
	reading->monitor = plan_monitor(plan, site, factor);
	return reading->monitor != NO_INDEX;
}

/* --- the file --- */

/* Real blocks, as those that are promised alone may want others when they are written. */
static int grow(struct spare *spare)
{
	static const char zeros[4096];
	while (spare->room < SPARE_BYTES) {
		ssize_t n = pwrite(spare->fd, zeros, sizeof zeros, (off_t)spare->room);
		if (n <= 0)
			return n < 0 ? -errno : -ENOSPC;
		spare->room += (size_t)n;
	}
	return 0;
}

/* What is found stays in the file until spare_empty(). */
static int read_left(struct spare *spare)
{
	spare->left = calloc(1, SPARE_BYTES + 1);
	if (spare->left == NULL)
		return -ENOMEM;
	ssize_t n = pread(spare->fd, spare->left, SPARE_BYTES, 0);
	if (n < 0)
		return -errno;
	spare->room = (size_t)n;
	const char *end = strrchr(spare->left, '\n'); /* what is behind it was never whole */
	spare->used = end == NULL ? 0 : (size_t)(end + 1 - spare->left);
	spare->left[spare->used] = '\0';
	return 0;
}

static int sync_name(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -errno : fsync(fd) != 0 ? SPARE_FATAL : 0;
	if (fd >= 0)
		close(fd);
	return rc;
}

static int take_room(struct spare *spare, const char *path, const char *directory)
{
	spare->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_DSYNC, 0640);
	if (spare->fd < 0)
		return -errno;
	int rc = read_left(spare);
	bool fresh = rc == 0 && spare->room == 0;
	if (rc == 0)
		rc = grow(spare);
	return rc == 0 && fresh ? sync_name(directory) : rc;
}

int spare_open(struct spare **out, const char *directory)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof path, "%s/spare", directory);
	if (n < 0 || (size_t)n >= sizeof path)
		return -ENAMETOOLONG;
	struct spare *spare = calloc(1, sizeof *spare);
	if (spare == NULL)
		return -ENOMEM;
	pthread_mutex_init(&spare->lock, NULL);
	int rc = take_room(spare, path, directory);
	if (rc < 0) {
		errno = -rc;
		log_warn("%s: no room for readings that cannot be recorded; what cannot be is not "
			 "acknowledged",
			 path);
	}
	*out = spare;
	return rc > 0 ? rc : 0;
}

struct spare *spare_close(struct spare *spare)
{
	if (spare == NULL)
		return NULL;
	if (spare->pending) /* its memory is in use until it ends */
		while (aio_error(&spare->write) == EINPROGRESS)
			aio_suspend((const struct aiocb *const[]){&spare->write}, 1, NULL);
	if (spare->fd >= 0)
		close(spare->fd);
	pthread_mutex_destroy(&spare->lock);
	free(spare->left);
	free(spare);
	return NULL;
}

size_t spare_left(struct spare *spare, const struct plan *plan, struct reading **out)
{
	char *rest = NULL;
	size_t n = 0, lost = 0;
	*out = calloc(spare->used / 2 + 1, sizeof **out);
	if (*out == NULL || spare->left == NULL)
		return 0;
	for (char *line = strtok_r(spare->left, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest))
		if (spare_parse(line, plan, &(*out)[n]))
			n++;
		else
			lost++;
	if (lost > 0)
		log_warnx("spare: %zu readings that were set aside are of no monitor of this "
			  "configuration",
			  lost);
	free(spare->left);
	spare->left = NULL;
	return n;
}

/* --- keeping --- */

static size_t pack(struct spare *spare, const struct plan *plan, const struct reading *readings,
		   size_t n)
{
	size_t length = 0;
	for (size_t i = 0; i < n; i++) {
		if (sizeof spare->piece - length < LINE_BYTES)
			return 0;
		size_t line = spare_line(spare->piece + length, LINE_BYTES - 1, plan, &readings[i]);
		if (line == 0)
			return 0;
		length += line;
		spare->piece[length++] = '\n';
	}
	return length;
}

/* Return: whether the write under way is over; then also whether it is on disk. */
static bool await(struct spare *spare, int timeout_ms, bool *good)
{
	const struct aiocb *const list[] = {&spare->write};
	const struct timespec time = {timeout_ms / 1000, (long)(timeout_ms % 1000) * 1000000};
	*good = false;
	if (aio_suspend(list, 1, &time) != 0 || aio_error(&spare->write) == EINPROGRESS)
		return false;
	spare->pending = false;
	*good = aio_return(&spare->write) == (ssize_t)spare->write.aio_nbytes;
	if (*good)
		spare->used += spare->write.aio_nbytes;
	return true;
}

static bool keep(struct spare *spare, const struct plan *plan, const struct reading *readings,
		 size_t n, int timeout_ms)
{
	bool good;
	if (spare->fd < 0 || (spare->pending && !await(spare, timeout_ms, &good)))
		return false;
	size_t length = pack(spare, plan, readings, n);
	if (length == 0 || spare->used + length > spare->room)
		return false;
	spare->write = (struct aiocb){.aio_fildes = spare->fd,
				      .aio_buf = spare->piece,
				      .aio_nbytes = length,
				      .aio_offset = (off_t)spare->used};
	if (aio_write(&spare->write) != 0)
		return false;
	spare->pending = true;
	return await(spare, timeout_ms, &good) && good;
}

bool spare_keep(struct spare *spare, const struct plan *plan, const struct reading *readings,
		size_t n, int timeout_ms)
{
	pthread_mutex_lock(&spare->lock);
	bool kept = keep(spare, plan, readings, n, timeout_ms);
	pthread_mutex_unlock(&spare->lock);
	return kept;
}

/* Zeros that a power cut takes back do no harm: what is in the daybook is not taken again. */
static void empty(struct spare *spare)
{
	static const char zeros[4096];
	for (size_t at = 0; at < spare->used; at += sizeof zeros)
		if (pwrite(spare->fd, zeros, sizeof zeros, (off_t)at) != (ssize_t)sizeof zeros)
			return;
	spare->used = 0;
}

void spare_empty(struct spare *spare, bool (*needed)(void *context), void *context)
{
	bool good;
	if (pthread_mutex_trylock(&spare->lock) != 0)
		return;
	bool quiet = !spare->pending || await(spare, 0, &good);
	if (spare->fd >= 0 && quiet && spare->used > 0 && !needed(context))
		empty(spare);
	if (spare->fd >= 0 && quiet)
		(void)grow(spare);
	pthread_mutex_unlock(&spare->lock);
}
