/* SPDX-License-Identifier: Apache-2.0 */
/* The files of minutes as files on a disk: which there are, and taking one away. */
#include "store/daybook-file.h"
#include "store/meanfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEAN_DAY_MS (DAY_HOURS * MEAN_HOUR_MS)

enum { BLOCK_BYTES = 512 };

static const char *const tails[] = {"-journal", ""};

/* It is as old as its last minute. */
static struct stock_file stock_of(const char *folder, const struct day_name *name,
				  const struct zone *zone, int64_t today)
{
	int64_t start_ms = day_number(name) * MEAN_DAY_MS;
	struct stock_file file = {.from_ms = start_ms, .to_ms = start_ms + MEAN_DAY_MS - 1};
	char path[4300];
	struct stat about;

	file.day = zone_day(zone, file.to_ms);
	file.held = file.day >= today - 1;
	for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
		snprintf(path, sizeof path, "%s/%s%s", folder, name->text, tails[i]);
		if (stat(path, &about) == 0)
			file.bytes += (int64_t)about.st_blocks * BLOCK_BYTES;
	}
	return file;
}

int meanfile_stock(const char *directory, const struct zone *zone, int64_t today,
		   struct stock_file **out, size_t *n)
{
	struct day_name *names = NULL;
	char folder[4200];

	*out = NULL;
	meanfile_folder(directory, folder);
	int r = day_list(folder, &names, n);
	if (r != 0)
		return r == -ENOENT ? 0 : r;
	*out = calloc(*n + 1, sizeof **out);
	for (size_t i = 0; *out != NULL && i < *n; i++)
		(*out)[i] = stock_of(folder, &names[i], zone, today);
	free(names);
	return *out == NULL ? -ENOMEM : 0;
}

/* Itself last, so that a crash leaves a file that goes again. */
int meanfile_remove(const char *directory, const struct stock_file *file, char day[static 16])
{
	const struct zone utc = {0};
	struct civil civil = zone_civil(&utc, file->from_ms);
	char folder[4200], path[4300];

	snprintf(day, 16, "%04d-%02d-%02d", (int)civil.year % 10000, civil.month, civil.day);
	meanfile_folder(directory, folder);
	for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
		snprintf(path, sizeof path, "%s/%s.db%s", folder, day, tails[i]);
		if (unlink(path) != 0 && errno != ENOENT)
			return -errno;
	}
	return sql_sync_directory(folder);
}
