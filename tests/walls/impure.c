/* SPDX-License-Identifier: Apache-2.0 */
/* A room that looks at the clock: the check of purity must find it. */
#include <string.h>
#include <time.h>

long impure_now(void);

long impure_now(void)
{
	struct timespec t;
	memset(&t, 0, sizeof t);
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long)t.tv_sec;
}
