/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/hj212/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int stations_init(struct stations *stations, const struct hj212_connection *config)
{
	stations->n = 0;
	stations->at = calloc(config->n_points + 1, sizeof *stations->at);
	if (stations->at == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_points; i++) {
		const struct hj212_point *point = &config->points[i];
		struct station *last = stations->n > 0 ? &stations->at[stations->n - 1] : NULL;
		if (last != NULL && strcmp(last->mn, point->mn) == 0)
			last->n++;
		else
			stations->at[stations->n++] = (struct station){point->mn, point, 1};
	}
	return 0;
}

void stations_deinit(struct stations *stations)
{
	free(stations->at);
}

static int by_mn(const void *wanted, const void *at)
{
	const struct hj212_text *mn = wanted;
	const struct station *station = at;
	int order = strncmp(mn->at, station->mn, mn->n);
	return order != 0 ? order : -(station->mn[mn->n] != '\0');
}

const struct station *stations_find(const struct stations *stations, struct hj212_text mn)
{
	return bsearch(&mn, stations->at, stations->n, sizeof *stations->at, by_mn);
}
