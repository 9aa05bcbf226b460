/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Listen: an address where devices dial in, for any protocol over TCP.
 */
#include <stdbool.h>

/** listen_open() - listen on "192.0.2.1:9003" or "[2001:db8::1]:9003", digits only, without
 * blocking. Return: the descriptor, negative errno. */
int listen_open(const char *address);

/** listen_accept() - the next caller, without blocking, watched by keepalives. Return: the
 * descriptor, negative errno. */
int listen_accept(int fd);

/** listen_must_wait() - after this error of listen_accept() callers wait until descriptors or
 * memory are free: to watch for them meanwhile would spin */
bool listen_must_wait(int error);
