/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/mqtt/topic.h"

#include <string.h>

bool topic_has_wildcard(const char *filter)
{
	return strpbrk(filter, "+#") != NULL;
}

/* Compares one level and moves both behind it. */
static bool level_matches(const char **filter, const char **topic)
{
	size_t filter_bytes = strcspn(*filter, "/"), topic_bytes = strcspn(*topic, "/");
	bool any = filter_bytes == 1 && **filter == '+';
	bool same = filter_bytes == topic_bytes && memcmp(*filter, *topic, topic_bytes) == 0;
	*filter += filter_bytes;
	*topic += topic_bytes;
	return any || same;
}

bool topic_matches(const char *filter, const char *topic)
{
	if (*topic == '$' && (*filter == '+' || *filter == '#'))
		return false;
	for (;;) {
		if (strcmp(filter, "#") == 0)
			return true;
		if (!level_matches(&filter, &topic))
			return false;
		if (*topic == '\0') /* "a/#" is also "a" itself */
			return *filter == '\0' || strcmp(filter, "/#") == 0;
		if (*filter == '\0')
			return false;
		filter++;
		topic++;
	}
}
