/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Listen: an address where devices dial in, for any protocol over TCP.
 */
#include "drivers/driver.h"

#include <stdbool.h>

/** listen_open() - listen on "192.0.2.1:9003" or "[2001:db8::1]:9003", digits only, without
 * blocking. Return: the descriptor, negative errno. */
int listen_open(const char *address);

/**
 * listen_take() - hand who waits at @fd to @begin, without blocking, watched by keepalives; not so
 * many at once that others of the loop wait
 * Return: true where descriptors or memory are short, and @fd is not watched until listen_again():
 * to watch for callers meanwhile would spin
 */
bool listen_take(struct loop *loop, int fd, void (*begin)(void *context, int caller),
		 void *context);
/** listen_again() - watch after listen_take() said true. Return: true if that failed. */
bool listen_again(struct loop *loop, int fd);
