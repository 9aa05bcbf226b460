/* SPDX-License-Identifier: Apache-2.0 */
/* Files that nothing speaks of: they are no evidence, and whoever reads a folder should know. */
#include "verify/internal.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 4400 };

/* Files beside a day's have its name. */
static bool is_of_a_day(const char *folder, const char *name)
{
	static const char *const tails[] = {".db", ".db-wal", ".db-shm", ".db-journal", ".frames"};
	size_t length = strlen(name);
	char path[PATH_BYTES + 300];

	for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
		size_t n = strlen(tails[i]);
		if (length <= n || strcmp(name + length - n, tails[i]) != 0)
			continue;
		snprintf(path, sizeof path, "%s/%.*s.db", folder, (int)(length - n), name);
		return access(path, F_OK) == 0;
	}
	return strncmp(name, "boot", 4) == 0 || strcmp(name, "lock") == 0;
}

static bool is_of_seals(const char *folder, const char *name)
{
	size_t length = strlen(name);

	(void)folder;
	return strcmp(name, "keys") == 0 ||
	       (length > 6 && strcmp(name + length - 6, ".seals") == 0);
}

static void folder_look(struct verify *v, const char *folder,
			bool (*known)(const char *folder, const char *name))
{
	char path[PATH_BYTES];
	struct dirent *entry;

	snprintf(path, sizeof path, "%s/%s", v->setup->directory, folder);
	DIR *list = opendir(path);
	while (list != NULL && (entry = readdir(list)) != NULL)
		if (strstr(entry->d_name, ".db.corrupt-") != NULL)
			verify_note(v, "%s/%s: was damaged and set aside", folder, entry->d_name);
		else if (entry->d_name[0] != '.' && !known(path, entry->d_name))
			verify_note(v, "%s/%s: no daemon's file", folder, entry->d_name);
	if (list != NULL)
		closedir(list);
}

/* Which numbers were given stands a second time, lest one is given twice when the first is lost. */
static void records_look(struct verify *v)
{
	static const char *const names[] = {"numbers", "daybook/boot"};
	char path[PATH_BYTES];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", v->setup->directory, names[i]);
		if (access(path, F_OK) != 0)
			verify_note(v, "%s: there is no such file, which each daemon keeps",
				    names[i]);
	}
}

void strays_name(struct verify *v)
{
	records_look(v);
	folder_look(v, "daybook", is_of_a_day);
	folder_look(v, "seals", is_of_seals);
}
