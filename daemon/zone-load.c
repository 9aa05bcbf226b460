/* SPDX-License-Identifier: Apache-2.0 */
#include "zone-load.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

/* No zone changes twice within five days; 2100 is far enough for a supervision case. */
#define STEP_S (5 * 86400)
#define LAST_S 4102444800

static int32_t offset_at(int64_t second)
{
	time_t t = (time_t)second;
	struct tm tm;
	localtime_r(&t, &tm);
	return (int32_t)tm.tm_gmtoff;
}

/* The first second in (low, high] with another offset than at @low. */
static int64_t change_in(int64_t low, int64_t high)
{
	int32_t offset = offset_at(low);
	while (high - low > 1) {
		int64_t middle = low + (high - low) / 2;
		if (offset_at(middle) == offset)
			low = middle;
		else
			high = middle;
	}
	return high;
}

int zone_load(struct zone *zone, const char *name)
{
	if (setenv("TZ", name, 1) != 0)
		return -errno;
	tzset();
	size_t n = 1, capacity = 64;
	struct zone_change *changes = malloc(capacity * sizeof *changes);
	if (changes == NULL)
		return -ENOMEM;
	changes[0] = (struct zone_change){0, offset_at(0)};
	for (int64_t at = 0; at < LAST_S; at += STEP_S) {
		if (offset_at(at + STEP_S) == changes[n - 1].offset_s)
			continue;
		if (n == capacity) {
			struct zone_change *more = realloc(changes, 2 * capacity * sizeof *changes);
			if (more == NULL) {
				free(changes);
				return -ENOMEM;
			}
			changes = more;
			capacity *= 2;
		}
		int64_t from = change_in(at, at + STEP_S);
		changes[n++] = (struct zone_change){from, offset_at(from)};
	}
	*zone = (struct zone){changes, n};
	return 0;
}
