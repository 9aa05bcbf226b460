/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Resolve: names to addresses, away from the event loop.
 *
 * A name server that does not answer may hold getaddrinfo() for half a minute, so names are looked
 * up by a thread of their own, once; one that is not found is tried again every 60 s. Literal
 * addresses are there at once. The thread outlives resolver_free() when it is stuck: it then frees
 * what it holds when it comes back.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { RESOLVE_ADDRESSES = 4 };

struct resolver;

/** resolver_new() - room for @n names. Return: 0, -ENOMEM. */
int resolver_new(struct resolver **out, size_t n);
/** resolver_ask() - name @i is @host, wanted with @port (before resolver_start()). Return: 0,
 * -ENOMEM. */
int resolver_ask(struct resolver *resolver, size_t i, const char *host, uint16_t port);
/** resolver_start() - begin to look up what is no literal. Return: 0, negative errno of the thread
 */
int resolver_start(struct resolver *resolver);
struct resolver *resolver_free(struct resolver *resolver);

/**
 * resolver_address() - the address of name @i (any thread; never waits)
 * @turn: which of them, where there are several; taken modulo their number
 *
 * Return: NULL while it is not known; else valid until resolver_free().
 */
const struct sockaddr *resolver_address(const struct resolver *resolver, size_t i, unsigned turn,
					socklen_t *bytes);
