/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Interest: which points want a message, found without asking them all. Pure after set-up.
 *
 * Most filters are plain topics: those are sorted and searched; only filters with wildcards are
 * tried one by one.
 */
#include "drivers/mqtt/mqtt.h"

#include <stdint.h>

struct interest {
	const struct mqtt_point *points; /* borrowed */
	uint32_t *exact, *wild;          /* indices of points, both sorted by filter */
	size_t n_exact, n_wild;
	char **filters; /* each once, for the subscriptions */
	size_t n_filters;
};

/** interest_init() - of @n points, which outlive it. Return: 0, -ENOMEM. */
int interest_init(struct interest *interest, const struct mqtt_point *points, size_t n);
void interest_deinit(struct interest *interest);

/**
 * interest_match() - the points that want @topic
 * @hits: out: their indices; room for all points
 *
 * Return: how many.
 */
size_t interest_match(const struct interest *interest, const char *topic, uint32_t *hits);
