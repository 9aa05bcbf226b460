/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/listen.h"

#include "base/log.h"

#include "core/text.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 64, SOCKET_MODE = 0660 };

static int fail(struct text *error, const char *place, const char *what, int number)
{
	text_format(error, "%s: %s", place, what);
	if (number != 0)
		text_format(error, ": %s", log_error_text(number));
	return -1;
}

/* Makes way for bind(): removes a socket file on which nobody answers. */
static int remove_stale(const struct sockaddr_un *address, struct text *error)
{
	struct stat state;
	const char *path = address->sun_path;
	if (lstat(path, &state) != 0)
		return errno == ENOENT ? 0 : fail(error, path, "cannot be looked at", errno);
	if (!S_ISSOCK(state.st_mode))
		return fail(error, path, "is there already and is not a socket", 0);
	int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe < 0)
		return fail(error, path, "cannot make a socket", errno);
	int result = connect(probe, (const struct sockaddr *)address, sizeof *address);
	int number = errno;
	close(probe);
	if (result == 0 || number == EAGAIN)
		return fail(error, path, "another daemon answers on this socket", 0);
	if (number != ECONNREFUSED)
		return number == ENOENT ? 0 : fail(error, path, "cannot be probed", number);
	if (unlink(path) != 0 && errno != ENOENT)
		return fail(error, path, "cannot remove the stale socket", errno);
	return 0;
}

/* The file is never wider than 0660: the mode is set before it has a name, and the umask, which may
 * only narrow it, is made up for afterwards. */
static int bind_unix(int fd, const struct sockaddr_un *address, struct listen_file *file,
		     struct text *error)
{
	struct stat state;
	const char *path = address->sun_path;
	if (fchmod(fd, SOCKET_MODE) != 0 ||
	    bind(fd, (const struct sockaddr *)address, sizeof *address) != 0)
		return fail(error, path, "cannot bind", errno);
	if (chmod(path, SOCKET_MODE) != 0 || lstat(path, &state) != 0 || listen(fd, BACKLOG) != 0) {
		int number = errno;
		unlink(path);
		return fail(error, path, "cannot listen", number);
	}
	file->device = state.st_dev;
	file->inode = state.st_ino;
	return 0;
}

int listen_unix(const char *path, struct listen_file *file, struct text *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	*file = (struct listen_file){0};
	if (path[0] == '\0' || strlen(path) >= sizeof address.sun_path)
		return fail(error, path, "must have 1 to 107 bytes to be a socket's path", 0);
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (remove_stale(&address, error) != 0)
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(error, path, "cannot make a socket", errno);
	if (bind_unix(fd, &address, file, error) != 0) {
		close(fd);
		return -1;
	}
	file->path = path;
	return fd;
}

void listen_file_remove(struct listen_file *file)
{
	struct stat state;
	if (file->path != NULL && lstat(file->path, &state) == 0 && state.st_dev == file->device &&
	    state.st_ino == file->inode)
		unlink(file->path);
	file->path = NULL;
}

/* Splits "host:port" or "[host]:port". */
static bool split(const char *address, char *host, size_t size, const char **port)
{
	const char *colon = strrchr(address, ':');
	size_t length = colon == NULL ? 0 : (size_t)(colon - address);
	if (length == 0 || colon[1] == '\0')
		return false;
	if (address[0] == '[') {
		if (length < 3 || address[length - 1] != ']')
			return false;
		address++;
		length -= 2;
	}
	if (length >= size)
		return false;
	memcpy(host, address, length);
	host[length] = '\0';
	*port = colon + 1;
	return strspn(*port, "0123456789") == strlen(*port);
}

static int bind_tcp(const struct addrinfo *info)
{
	int one = 1;
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
	    bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	int number = errno;
	close(fd);
	errno = number;
	return -1;
}

static uint16_t bound_port(int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof address;
	in_port_t port = 0;
	if (getsockname(fd, (struct sockaddr *)&address, &length) != 0)
		return 0;
	if (address.ss_family == AF_INET)
		memcpy(&port, (char *)&address + offsetof(struct sockaddr_in, sin_port),
		       sizeof port);
	else
		memcpy(&port, (char *)&address + offsetof(struct sockaddr_in6, sin6_port),
		       sizeof port);
	return ntohs(port);
}

int listen_tcp(const char *address, uint16_t *port, struct text *error)
{
	char host[256];
	const char *service;
	struct addrinfo *info, hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	if (!split(address, host, sizeof host, &service))
		return fail(error, address, "is not an address such as 127.0.0.1:9212", 0);
	int result = getaddrinfo(host, service, &hints, &info);
	if (result != 0) {
		text_format(error, "%s: %s", address, gai_strerror(result));
		return -1;
	}
	int fd = bind_tcp(info);
	int number = errno;
	freeaddrinfo(info);
	if (fd < 0)
		return fail(error, address, "cannot listen", number);
	*port = bound_port(fd);
	return fd;
}
