/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Sites: the part of the grammar that holds sites, their monitors and their limits.
 */
#include "config/clues.h"
#include "config/models.h"
#include "config/standards.h"

struct sites_context {
	struct config *config; /* connections are read already */
	const struct catalogue *catalogue;
	struct standards *standards; /* NULL: could not be read */
	const struct models *models;
	const struct signals *signals;
	const struct config_dates *dates;
};

/** sites_read() - read the list `sites` of @root into the configuration */
void sites_read(struct walk *walk, const struct sites_context *context,
		const config_setting_t *root);
extern const char *const site_kinds[]; /* their names as written, NULL behind the last */
/** range_read() - the key `range` of @group */
void range_read(struct walk *walk, const config_setting_t *group, struct config_monitor *monitor);
void sites_free(struct config *config);
/** connection_add() - as the last one; there is room for all */
void connection_add(struct config *config, const struct config_connection *connection);
/** connection_index() - SIZE_MAX if there is none of that id */
size_t connection_index(const struct config *config, const char *id);
void unknown_connection(struct walk *walk, const struct config *config,
			const config_setting_t *setting, const char *id);
