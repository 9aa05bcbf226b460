/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What tests of several rooms need: to empty a directory, and random numbers that can be repeated.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* For nftw(). */
static inline int test_unlink(const char *path, const struct stat *status, int type,
			      struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

/* The seed of random tests: $DUCHA_SEED, or a new one; printed, so that a failure can be repeated.
 */
static inline uint64_t test_seed(void)
{
	const char *given = getenv("DUCHA_SEED");
	uint64_t seed =
		given != NULL ? strtoull(given, NULL, 10) : (uint64_t)getpid() * 2654435761u;
	print_message("DUCHA_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

static inline uint64_t test_random(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15u;
	uint64_t z = *state;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}
