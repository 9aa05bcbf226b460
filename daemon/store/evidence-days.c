/* SPDX-License-Identifier: Apache-2.0 */
#include "store/evidence-days.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOLDER_BYTES = 4200, PATH_BYTES = 4300 };

/* One that is no daybook keeps nobody from the others: what it should hold is missed by its number.
 */
static int unreadable(const char *path, int r)
{
	if (r >= 0 || r == -ENOMEM)
		return r;
	errno = -r;
	log_warn("%s: left out of the evidence", path);
	return 0;
}

/* A file, and where its chain begins. */
struct day {
	struct day_name name;
	int64_t first; /* batch; 0: it has none, as one of before there were any */
};

static int day_compare(const void *a, const void *b)
{
	const struct day *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return strverscmp(x->name.text, y->name.text);
}

static void day_place(const char *folder, struct day *day)
{
	char path[PATH_BYTES];
	int64_t last;
	sqlite3 *db;

	snprintf(path, sizeof path, "%s/%s", folder, day->name.text);
	if (day_open_read(&db, path) != 0 || day_batches(db, &day->first, &last) != 0)
		day->first = 0; /* whoever reads it says so */
	sql_close(db);
}

static int days_list(const char *folder, bool in_order, struct day **out, size_t *n)
{
	struct day_name *names;

	*out = NULL;
	int r = day_list(folder, &names, n);
	struct day *days = r == 0 ? calloc(*n + 1, sizeof *days) : NULL;
	if (r == 0 && days == NULL)
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < *n; i++) {
		days[i].name = names[i];
		if (in_order)
			day_place(folder, &days[i]);
	}
	free(names);
	if (r == 0 && in_order)
		qsort(days, *n, sizeof *days, day_compare);
	*out = days;
	return r;
}

static int days_walk(const char *directory, bool in_order, evidence_day_fn fn, void *context)
{
	char folder[FOLDER_BYTES], path[PATH_BYTES];
	struct day *days;
	size_t n;

	snprintf(folder, sizeof folder, "%.4096s/daybook", directory);
	int r = days_list(folder, in_order, &days, &n);
	for (size_t i = 0; r == 0 && i < n; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, days[i].name.text);
		r = unreadable(path, fn(context, path, &days[i].name));
	}
	free(days);
	return r > 0 ? 0 : r;
}

int evidence_days(const char *directory, evidence_day_fn fn, void *context)
{
	return days_walk(directory, false, fn, context);
}

int evidence_days_in_order(const char *directory, evidence_day_fn fn, void *context)
{
	return days_walk(directory, true, fn, context);
}
