/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/rejects.h"

#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_FILES = 100 };
#define MOST_BYTES (64L << 20)

static int open_rejected(const char *directory)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof path, "%s/rejected", directory);
	if (n < 0 || (size_t)n >= sizeof path)
		return -ENAMETOOLONG;
	if (mkdir(path, 0750) != 0 && errno != EEXIST)
		return -errno;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool older(const struct stat *a, const struct stat *b)
{
	if (a->st_mtim.tv_sec != b->st_mtim.tv_sec)
		return a->st_mtim.tv_sec < b->st_mtim.tv_sec;
	return a->st_mtim.tv_nsec < b->st_mtim.tv_nsec;
}

/* Looks over the directory once. Return: true if it holds too much; then @name is the oldest. */
static bool find_surplus(int directory, char *name, size_t size)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	if (stream == NULL) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	struct stat oldest = {0}, file;
	int64_t bytes = 0;
	size_t n = 0;
	for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
		if (fstatat(directory, entry->d_name, &file, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(file.st_mode))
			continue;
		bytes += file.st_size;
		if (n++ == 0 || older(&file, &oldest)) {
			oldest = file;
			snprintf(name, size, "%s", entry->d_name);
		}
	}
	closedir(stream);
	return n > 1 && (n > MOST_FILES || bytes > MOST_BYTES);
}

/* What an fsync failed at may be gone, and the next one would not say so. */
static int sync_file(int fd)
{
	if (fsync(fd) == 0)
		return 0;
	log_warn("fsync of refused lines failed");
	return REJECTS_FATAL;
}

static int write_text(int fd, const char *why, const char *text, size_t length)
{
	if (dprintf(fd, "# %s\n", why) < 0)
		return -errno;
	while (length > 0) {
		ssize_t n = write(fd, text, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		text += n;
		length -= (size_t)n;
	}
	return sync_file(fd);
}

static size_t remove_surplus(int directory)
{
	char name[NAME_MAX + 1];
	size_t n = 0;
	while (find_surplus(directory, name, sizeof name) && unlinkat(directory, name, 0) == 0)
		n++;
	return n;
}

int rejects_keep(const char *directory, const char *name, const char *why, const char *text,
		 size_t length, size_t *removed)
{
	int rejected = open_rejected(directory);
	if (rejected < 0)
		return rejected;
	int rc = 0;
	int fd =
		openat(rejected, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		rc = -errno;
	if (rc == 0)
		rc = write_text(fd, why, text, length);
	if (fd >= 0)
		close(fd);
	if (rc == 0)
		rc = sync_file(rejected);
	*removed = rc <= 0 ? remove_surplus(rejected) : 0;
	close(rejected);
	return rc;
}
