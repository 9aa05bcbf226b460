/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivery type "file": one file per event, NNNNNNNNNN-TYPE.json in the delivery's directory.
 *
 * Written under a name that begins with a dot, made durable, renamed, and the directory made
 * durable too, so a reader of the directory sees whole events only. The name follows from the
 * event: sent twice it is still one file.
 */
#include "deliver/courier-type.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct file_delivery {
	char *directory;
};

static int file_open(void **state, const struct courier_host *host)
{
	struct file_delivery *file = calloc(1, sizeof *file);
	if (file == NULL)
		return -ENOMEM;
	file->directory = strdup(host->setup->directory);
	if (file->directory == NULL) {
		free(file);
		return -ENOMEM;
	}
	*state = file;
	return 0;
}

static void file_close(void *state)
{
	struct file_delivery *file = state;
	if (file != NULL)
		free(file->directory);
	free(file);
}

static int make_directories(const char *directory)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof path, "%s", directory);
	if (n < 0 || (size_t)n >= sizeof path)
		return -ENAMETOOLONG;
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) != 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(path, 0755) != 0 && errno != EEXIST ? -errno : 0;
}

static int open_directory(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		int rc = make_directories(directory);
		if (rc != 0)
			return rc;
		fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return fd < 0 ? -errno : fd;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

static int write_durably(int directory, const char *name, const char *json)
{
	int fd = openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
			0644);
	if (fd < 0)
		return -errno;
	int rc = write_all(fd, json, strlen(json));
	if (rc == 0)
		rc = write_all(fd, "\n", 1);
	if (rc == 0 && fsync(fd) != 0)
		rc = -errno;
	if (close(fd) != 0 && rc == 0)
		rc = -errno;
	return rc;
}

static int file_write(const struct file_delivery *file, const struct outbox_event *event)
{
	char name[NAME_MAX], draft[NAME_MAX];
	snprintf(name, sizeof name, "%010" PRId64 "-%s.json", event->id, event->type);
	snprintf(draft, sizeof draft, ".%010" PRId64 ".part", event->id);

	int directory = open_directory(file->directory);
	if (directory < 0)
		return directory;
	int rc = write_durably(directory, draft, event->json);
	if (rc == 0 && renameat(directory, draft, directory, name) != 0)
		rc = -errno;
	if (rc == 0 && fsync(directory) != 0)
		rc = -errno;
	if (rc != 0)
		unlinkat(directory, draft, 0);
	close(directory);
	return rc;
}

static enum courier_outcome file_send(void *state, const struct outbox_event *event,
				      struct courier_answer *answer)
{
	struct file_delivery *file = state;
	int rc = file_write(file, event);
	return rc == 0 ? COURIER_DELIVERED : courier_errno(answer, file->directory, rc);
}

const struct courier_type courier_file = {
	.name = "file",
	.longest_pause_ms = 60000,
	.open = file_open,
	.send = file_send,
	.close = file_close,
};
