/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Waiting for an event of another thread, with a deadline that only a failing test reaches.
 */
#include <stdbool.h>
#include <time.h>

/* Return: whether @happened became true within 20 s. */
static inline bool wait_for(bool (*happened)(void *context), void *context)
{
	for (int i = 0; i < 20000; i++) {
		if (happened(context))
			return true;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	return false;
}
