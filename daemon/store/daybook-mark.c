/* SPDX-License-Identifier: Apache-2.0 */
/*
 * directory/daybook/boot: the number of this life, and how far the sequence has gone, so that it
 * never goes back: not even when the newest files, or all of them, were taken away.
 */
#include "store/daybook-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* Written ahead, so that few commits write it: some hours of a thousand rows a second. */
#define RESERVED_ROWS INT64_C(10000000)

void daybook_mark_read(struct daybook_mark *mark, const char *directory)
{
	char path[4200];

	*mark = (struct daybook_mark){0};
	snprintf(path, sizeof path, "%s/boot", directory);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return;
	int n = fscanf(file, "%" SCNd64 " %" SCNd64 " %" SCNd64, &mark->boot, &mark->known,
		       &mark->reserved);
	if (n < 1 || mark->boot < 0)
		mark->boot = 0;
	if (n < 3 || mark->known < 0 || mark->reserved < mark->known)
		mark->known = mark->reserved = 0;
	fclose(file);
}

static int mark_write(const struct daybook_mark *mark, const char *directory)
{
	char path[4200], next[4210], text[96];

	snprintf(path, sizeof path, "%s/boot", directory);
	snprintf(next, sizeof next, "%s.new", path);
	int n = snprintf(text, sizeof text, "%" PRId64 " %" PRId64 " %" PRId64 "\n", mark->boot,
			 mark->known, mark->reserved);
	int fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	ssize_t written = write(fd, text, (size_t)n);
	int r = written == n ? 0 : written < 0 ? -errno : -ENOSPC;
	if (r == 0 && fsync(fd) != 0)
		r = DAYBOOK_FATAL;
	close(fd);
	if (r == 0 && rename(next, path) != 0)
		r = -errno;
	return r == 0 ? sql_sync_directory(directory) : r;
}

int daybook_mark(struct daybook *daybook)
{
	int64_t next = daybook->next > daybook->floor ? daybook->next : daybook->floor;
	struct daybook_mark mark = {.boot = daybook->boot,
				    .known = daybook_sequence(daybook),
				    .reserved = next + RESERVED_ROWS};

	int r = mark_write(&mark, daybook->directory);
	if (r == 0) {
		daybook->reserved = mark.reserved;
		daybook->unmarked = false;
	}
	return r;
}
