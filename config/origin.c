/* SPDX-License-Identifier: Apache-2.0 */
#include "config/origin.h"

#include <stdlib.h>
#include <string.h>

enum { FILES_MOST = 1 << 9, LINES_MOST = 1 << 20 }; /* as the fields of struct config_origin */

struct config_origin origin_at(enum config_whence whence, size_t file, int line)
{
	struct config_origin origin = {.whence = whence & 7u};
	if (file < FILES_MOST && line > 0 && line < LINES_MOST) {
		origin.file = file & (FILES_MOST - 1);
		origin.line = (unsigned)line & (LINES_MOST - 1);
	}
	return origin;
}

struct config_origin origin_said(const struct walk *walk, const config_setting_t *setting)
{
	int flat_line = (int)config_setting_source_line(setting);
	struct scan_place place = scan_place(&walk->document->scan, flat_line);
	return origin_at(CONFIG_SAID, place.file, place.line);
}

void origins_of_keys(const struct walk *walk, const config_setting_t *group,
		     const char *const *keys, size_t n, struct config_origin *from)
{
	for (size_t i = 0; i < n; i++)
		if (keys[i] && schema_has(group, keys[i]))
			from[i] = origin_said(walk, schema_key(group, keys[i]));
}

static bool add_file(struct config *config, const char *name)
{
	char **grown = realloc(config->files, (config->n_files + 1) * sizeof(*grown));
	if (grown)
		config->files = grown;
	char *copy = grown ? strdup(name) : NULL;
	if (copy)
		config->files[config->n_files++] = copy;
	return copy != NULL;
}

size_t origin_file(struct walk *walk, struct config *config, const char *name)
{
	size_t i = 0;
	while (i < config->n_files && strcmp(config->files[i], name) != 0)
		i++;
	if (i == config->n_files && !add_file(config, name))
		walk->faults->no_memory = true;
	return i;
}

void origins_keep(struct walk *walk, struct config *config)
{
	const struct scan *scan = &walk->document->scan;
	for (size_t i = 0; i < scan->n_files; i++)
		if (!add_file(config, scan->files[i].name))
			walk->faults->no_memory = true;
}
