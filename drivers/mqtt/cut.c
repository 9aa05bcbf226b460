/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/mqtt/cut.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT = 1883, PORT_TLS = 8883 };

uint16_t cut_port(const char *uri)
{
	const char *host = strstr(uri, "://");
	host = host == NULL ? uri : host + 3;
	const char *bracket = strrchr(host, ']'); /* an IPv6 address has colons of its own */
	const char *colon = strchr(bracket == NULL ? host : bracket, ':');
	if (colon == NULL)
		return strncasecmp(uri, "mqtts:", 6) == 0 ? PORT_TLS : PORT;
	unsigned long port = strtoul(colon + 1, NULL, 10);
	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

/* Return: the port of the other side; 0 of what is no TCP connection. */
static uint16_t peer_port(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} peer;
	socklen_t size = sizeof peer;
	if (getpeername(fd, &peer.any, &size) != 0)
		return 0;
	if (peer.any.sa_family == AF_INET)
		return ntohs(peer.v4.sin_port);
	return peer.any.sa_family == AF_INET6 ? ntohs(peer.v6.sin6_port) : 0;
}

void cut(uint16_t port)
{
	int most = getdtablesize(); /* and not /proc/self/fd: that takes a descriptor */
	for (int fd = 0; port != 0 && fd < most; fd++)
		if (peer_port(fd) == port)
			(void)shutdown(fd, SHUT_RDWR);
}
