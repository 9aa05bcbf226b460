/* SPDX-License-Identifier: Apache-2.0 */
#include "base/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A path, or a name in the abstract namespace: "@" stands for its leading zero. Return: its length
 * as bind(2) counts it, 0 for what is neither. */
static socklen_t address_read(struct sockaddr_un *address, const char *name)
{
	size_t length = strlen(name);
	if ((name[0] != '/' && name[0] != '@') || length < 2 || length >= sizeof address->sun_path)
		return 0;
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path, name, length);
	if (name[0] == '@')
		address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (name[0] == '/'));
}

static int send_to(int fd, const struct sockaddr_un *address, socklen_t length, const char *message,
		   int patience_ms)
{
	struct timeval patience = {.tv_sec = patience_ms / 1000,
				   .tv_usec = patience_ms % 1000 * 1000};
	int flags = MSG_NOSIGNAL | (patience_ms == 0 ? MSG_DONTWAIT : 0);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0 ||
	    sendto(fd, message, strlen(message), flags, (const struct sockaddr *)address, length) <
		    0)
		return -errno;
	return 0;
}

int notify_say(const char *message, int patience_ms)
{
	struct sockaddr_un address;
	const char *name = getenv("NOTIFY_SOCKET");
	if (name == NULL)
		return 0;
	socklen_t length = address_read(&address, name);
	if (length == 0)
		return -EINVAL;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int r = send_to(fd, &address, length, message, patience_ms);
	close(fd);
	return r;
}

uint64_t notify_watchdog_us(void)
{
	const char *interval = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	if (interval == NULL || (pid != NULL && strtol(pid, NULL, 10) != (long)getpid()))
		return 0;
	return strtoull(interval, NULL, 10);
}
