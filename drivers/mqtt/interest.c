/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/mqtt/interest.h"

#include "drivers/mqtt/topic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_topic(const void *left, const void *right, void *context)
{
	const struct interest *interest = context;
	uint32_t i = *(const uint32_t *)left, j = *(const uint32_t *)right;
	int order = strcmp(interest->points[i].topic, interest->points[j].topic);
	return order != 0 ? order : (i > j) - (i < j);
}

/* The filters of the points in @order, each once; equal ones stand side by side. */
static int filters_add(struct interest *interest, const uint32_t *order, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *topic = interest->points[order[i]].topic;
		if (i > 0 && strcmp(interest->filters[interest->n_filters - 1], topic) == 0)
			continue;
		char *filter = strdup(topic);
		if (filter == NULL)
			return -ENOMEM;
		interest->filters[interest->n_filters++] = filter;
	}
	return 0;
}

static int interest_fill(struct interest *interest, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (topic_has_wildcard(interest->points[i].topic))
			interest->wild[interest->n_wild++] = (uint32_t)i;
		else
			interest->exact[interest->n_exact++] = (uint32_t)i;
	}
	qsort_r(interest->exact, interest->n_exact, sizeof *interest->exact, by_topic, interest);
	qsort_r(interest->wild, interest->n_wild, sizeof *interest->wild, by_topic, interest);
	int error = filters_add(interest, interest->exact, interest->n_exact);
	return error != 0 ? error : filters_add(interest, interest->wild, interest->n_wild);
}

int interest_init(struct interest *interest, const struct mqtt_point *points, size_t n)
{
	*interest = (struct interest){.points = points,
				      .exact = calloc(n + 1, sizeof *interest->exact),
				      .wild = calloc(n + 1, sizeof *interest->wild),
				      .filters = calloc(n + 1, sizeof *interest->filters)};
	if (interest->exact == NULL || interest->wild == NULL || interest->filters == NULL)
		return -ENOMEM;
	return interest_fill(interest, n);
}

void interest_deinit(struct interest *interest)
{
	for (size_t i = 0; i < interest->n_filters; i++)
		free(interest->filters[i]);
	free(interest->filters);
	free(interest->exact);
	free(interest->wild);
	*interest = (struct interest){.points = NULL};
}

/* Return: the first of the plain topics that is not before @topic. */
static size_t exact_from(const struct interest *interest, const char *topic)
{
	size_t low = 0, high = interest->n_exact;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(interest->points[interest->exact[middle]].topic, topic) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t interest_match(const struct interest *interest, const char *topic, uint32_t *hits)
{
	size_t n = 0;
	for (size_t i = exact_from(interest, topic); i < interest->n_exact; i++) {
		if (strcmp(interest->points[interest->exact[i]].topic, topic) != 0)
			break;
		hits[n++] = interest->exact[i];
	}
	for (size_t i = 0; i < interest->n_wild; i++)
		if (topic_matches(interest->points[interest->wild[i]].topic, topic))
			hits[n++] = interest->wild[i];
	return n;
}
