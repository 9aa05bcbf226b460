/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 256, ACCEPTS_AT_ONCE = 64 };
/* A peer that is gone without a word, as cellular ones often are, is known after two minutes. */
enum { KEEPALIVE_AFTER_S = 60, KEEPALIVE_EACH_S = 15, KEEPALIVES = 4 };

/* Return: 0, a code of getaddrinfo(). */
static int address_of(const char *listen, struct addrinfo **found)
{
	char host[80];
	const char *colon = strrchr(listen, ':');
	size_t n = colon == NULL ? 0 : (size_t)(colon - listen);
	if (n == 0 || n >= sizeof host)
		return EAI_NONAME;
	bool bracketed = listen[0] == '[' && listen[n - 1] == ']';
	memcpy(host, listen + bracketed, n - 2U * bracketed);
	host[n - 2U * bracketed] = '\0';
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
	return getaddrinfo(host, colon + 1, &hints, found);
}

int listen_open(const char *address)
{
	struct addrinfo *found = NULL;
	if (address_of(address, &found) != 0)
		return -EINVAL;
	int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error = fd < 0 ? -errno : 0;
	if (error == 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (error == 0 &&
	    (bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)) {
		error = -errno;
		close(fd);
	}
	freeaddrinfo(found);
	return error != 0 ? error : fd;
}

/* Return: the descriptor, negative errno. */
static int next_caller(int fd)
{
	int caller = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (caller < 0)
		return -errno;
	(void)setsockopt(caller, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	(void)setsockopt(caller, SOL_SOCKET, SO_KEEPALIVE, &(int){1}, sizeof(int));
	(void)setsockopt(caller, IPPROTO_TCP, TCP_KEEPIDLE, &(int){KEEPALIVE_AFTER_S}, sizeof(int));
	(void)setsockopt(caller, IPPROTO_TCP, TCP_KEEPINTVL, &(int){KEEPALIVE_EACH_S}, sizeof(int));
	(void)setsockopt(caller, IPPROTO_TCP, TCP_KEEPCNT, &(int){KEEPALIVES}, sizeof(int));
	return caller;
}

static bool must_wait(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOBUFS || error == -ENOMEM;
}

bool listen_take(struct loop *loop, int fd, void (*begin)(void *context, int caller), void *context)
{
	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		int caller = next_caller(fd);
		if (caller < 0)
			return must_wait(caller) && loop_change(loop, fd, 0) == 0;
		begin(context, caller);
	}
	return false;
}

bool listen_again(struct loop *loop, int fd)
{
	return loop_change(loop, fd, EPOLLIN) != 0;
}
