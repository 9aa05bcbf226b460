/* SPDX-License-Identifier: Apache-2.0 */
#include "config/reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_whole(int fd, char **text, size_t *length)
{
	size_t size = 0, room = 4096;
	char *buffer = malloc(room + 1);
	while (buffer) {
		ssize_t got = read(fd, buffer + size, room - size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || size + (size_t)got > READER_MAX_BYTES) {
			int error = got < 0 ? -errno : got > 0 ? -EFBIG : 0;
			buffer[size] = '\0';
			*text = buffer;
			*length = size;
			return error;
		}
		size += (size_t)got;
		if (size < room)
			continue;
		room *= 2;
		char *grown = realloc(buffer, room + 1);
		if (!grown)
			free(buffer);
		buffer = grown;
	}
	*text = NULL;
	return -ENOMEM;
}

static int disk_read(void *context, const char *path, char **text, size_t *length)
{
	(void)context;
	struct stat about;
	/* O_NONBLOCK: a FIFO in the place of a file is refused, not waited for */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	int error = fstat(fd, &about) < 0 ? -errno : 0;
	if (!error && S_ISDIR(about.st_mode))
		error = -EISDIR;
	if (!error && S_ISFIFO(about.st_mode))
		error = -EINVAL;
	*text = NULL;
	if (!error)
		error = read_whole(fd, text, length);
	if (error) {
		free(*text);
		*text = NULL;
	}
	close(fd);
	return error;
}

static int is_configuration(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	return entry->d_name[0] != '.' && length > 4 &&
	       strcmp(entry->d_name + length - 4, ".cfg") == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int disk_list(void *context, const char *folder, char ***names, size_t *n)
{
	(void)context;
	struct dirent **entries;
	int found = scandir(folder, &entries, is_configuration, by_bytes);
	if (found < 0)
		return -errno;
	*names = calloc((size_t)found + 1, sizeof(**names));
	*n = 0;
	int error = *names ? 0 : -ENOMEM;
	for (int i = 0; i < found; i++) {
		char *name = error ? NULL : strdup(entries[i]->d_name);
		if (name)
			(*names)[(*n)++] = name;
		else
			error = -ENOMEM;
		free(entries[i]);
	}
	free(entries);
	if (error)
		reader_free_names(*names, *n);
	return error;
}

const struct reader reader_disk = {.read = disk_read, .list = disk_list};

int reader_read(const struct reader *reader, const char *path, char **text, size_t *length)
{
	return reader->read(reader->context, path, text, length);
}

int reader_list(const struct reader *reader, const char *folder, char ***names, size_t *n)
{
	return reader->list(reader->context, folder, names, n);
}

void reader_free_names(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

char *reader_beside(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	char *joined;
	if (path[0] == '/' || !slash)
		return strdup(path);
	if (asprintf(&joined, "%.*s%s", (int)(slash - file + 1), file, path) < 0)
		return NULL;
	return joined;
}

char *reader_join(const char *folder, const char *name)
{
	char *joined;
	size_t length = strlen(folder);
	const char *between = length && folder[length - 1] == '/' ? "" : "/";
	return asprintf(&joined, "%s%s%s", folder, between, name) < 0 ? NULL : joined;
}
