/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daybook: its files, those that were removed among them, one after the other in the order of
 * their batches.
 */
#include "verify/dayfile.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int file_compare(const void *a, const void *b)
{
	const struct day_file *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int is_day(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 3 && length < DAYFILE_NAME_BYTES &&
	       strcmp(entry->d_name + length - 3, ".db") == 0;
}

static int files_list(struct verify *v, struct day_file **out, size_t *n)
{
	char path[DAYFILE_PATH_BYTES];
	struct dirent **names;
	int r = 0;

	*n = 0;
	*out = NULL;
	snprintf(path, sizeof path, "%s/daybook", v->setup->directory);
	int found = scandir(path, &names, is_day, alphasort);
	if (found < 0)
		return errno == ENOENT ? verify_bad(v, "daybook: there is no such folder") : -errno;
	struct day_file *files = calloc((size_t)found + 1, sizeof *files);
	for (int i = 0; i < found; i++) {
		if (files != NULL && r == 0) {
			snprintf(files[i].name, DAYFILE_NAME_BYTES, "%.63s", names[i]->d_name);
			r = dayfile_first(v, &files[i]);
		}
		free(names[i]);
	}
	free(names);
	*out = files;
	*n = (size_t)found;
	if (files != NULL && found > 1)
		qsort(files, *n, sizeof *files, file_compare);
	return files == NULL ? -ENOMEM : r;
}

/* On behind a day that is gone, of which the ledger keeps where it began and ended. */
static int day_pass(struct verify *v, const struct removed_day *day, struct chain_head *head)
{
	if (day->first != head->number + 1)
		return verify_bad(v,
				  "daybook: %s, which was removed, went on from batch %lld, not "
				  "from %lld",
				  day->name, (long long)day->first - 1, (long long)head->number);
	int64_t id = needs_have(v, day->name, day->first, day->last.number, day->entry);
	if (id != 0)
		return verify_bad(v,
				  "daybook/%s: it was removed, and case %lld, which was open, "
				  "needs it",
				  day->name, (long long)id);
	*head = day->last;
	while (v->daybook.next < v->daybook.n &&
	       v->daybook.at[v->daybook.next].number < head->number)
		v->daybook.next++; /* of what is gone, but its last batch */
	verify_anchor(v, head->hash);
	return marks_check(v, &v->daybook, "daybook: batch", head);
}

/*
 * A file that is there though the ledger calls it removed: a daemon is about to do it, or was
 * killed before. Until then it is what it was, but for its frames, which go first.
 */
static int day_leaving(struct verify *v, const struct day_file *file, const struct removed_day *day,
		       struct chain_head *head)
{
	int r = dayfile_check(v, file, false, head);

	if (r != 0)
		return r;
	if (head->number != day->last.number ||
	    memcmp(head->hash, day->last.hash, sizeof head->hash) != 0)
		return verify_bad(v,
				  "daybook/%s: it ends with batch %lld, and not as the ledger "
				  "says since it was removed",
				  file->name, (long long)head->number);
	verify_note(v, "daybook/%s: it is about to be removed", file->name);
	return 0;
}

/* A live daemon may have taken it away since the folder was read. */
static bool is_there(const struct verify *v, const struct day_file *file)
{
	char path[DAYFILE_PATH_BYTES];

	snprintf(path, sizeof path, "%s/daybook/%s", v->setup->directory, file->name);
	return access(path, F_OK) == 0;
}

static bool is_removed(const struct verify *v, size_t next, const struct day_file *file)
{
	return next < v->n_days && v->days[next].first == file->first &&
	       strcmp(v->days[next].name, file->name) == 0;
}

/* Days that are kept and days that were removed, in the order of their batches. */
static int days_walk(struct verify *v, const struct day_file *files, size_t n)
{
	const struct marks *marks = &v->daybook;
	struct chain_head head = {0};
	size_t next = 0;
	int r = 0;

	for (; r == 0 && n > 0 && files->first == 0; files++, n--)
		r = dayfile_unchained(v, files);
	if (r == 0)
		r = marks_check(v, &v->daybook, "daybook: batch", &head);
	for (size_t i = 0; r == 0 && i < n; i++) {
		while (r == 0 && next < v->n_days && v->days[next].first < files[i].first)
			r = day_pass(v, &v->days[next++], &head);
		bool removed = is_removed(v, next, &files[i]);
		if (r == 0 && removed && is_there(v, &files[i]))
			r = day_leaving(v, &files[i], &v->days[next++], &head);
		else if (r == 0 && !removed)
			r = dayfile_check(v, &files[i], i + 1 == n, &head);
	}
	while (r == 0 && next < v->n_days)
		r = day_pass(v, &v->days[next++], &head);
	return r == 0 && marks->next < marks->n ? gone_batch(v, &marks->at[marks->next],
							     head.number + 1, v->former)
						: r;
}

int verify_daybook(struct verify *v)
{
	struct day_file *files;
	size_t n;

	marks_sort(&v->daybook);
	int r = files_list(v, &files, &n);
	if (r == 0)
		r = days_walk(v, files, n);
	free(files);
	return r;
}
