/* SPDX-License-Identifier: Apache-2.0 */
#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int recording_read(struct recording *r, int fd)
{
	size_t room = 0;
	char *at = NULL;
	ssize_t n = 1;
	while (n > 0) {
		if (r->size == room) {
			room = room == 0 ? 65536 : 2 * room;
			char *more = realloc(at, room);
			if (more == NULL)
				break;
			at = more;
		}
		n = read(fd, at + r->size, room - r->size);
		r->size += n > 0 ? (size_t)n : 0;
	}
	r->at = at;
	return n == 0 ? 0 : -1;
}

int recording_open(struct recording *r, const char *file)
{
	struct stat about;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	*r = (struct recording){0};
	if (fd < 0)
		return -1;
	int result = fstat(fd, &about);
	if (result == 0 && S_ISREG(about.st_mode) && about.st_size > 0) {
		r->size = (size_t)about.st_size;
		void *map = mmap(NULL, r->size, PROT_READ, MAP_PRIVATE, fd, 0);
		r->mapped = map != MAP_FAILED;
		r->at = r->mapped ? map : NULL;
		result = r->mapped ? 0 : -1;
	} else if (result == 0) {
		result = recording_read(r, fd);
	}
	int error = errno;
	close(fd);
	errno = error;
	return result;
}

void recording_close(const struct recording *r)
{
	if (r->mapped)
		munmap((void *)(uintptr_t)r->at, r->size);
	else
		free((void *)(uintptr_t)r->at);
}

static size_t without_line_end(const char *line, size_t length)
{
	while (length > 0 && line[length - 1] == '\r')
		length--;
	return length;
}

size_t recording_line(struct recording *rest, const char **line)
{
	const char *end = memchr(rest->at, '\n', rest->size);
	size_t length = end == NULL ? rest->size : (size_t)(end - rest->at);
	size_t taken = length + (end != NULL);
	*line = rest->at;
	rest->at += taken;
	rest->size -= taken;
	return without_line_end(*line, length);
}
