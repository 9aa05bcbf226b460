/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/verify.h"

#include "verify/internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void __attribute__((format(printf, 3, 0)))
say(struct verify *v, bool bad, const char *format, va_list list)
{
	char sentence[1024];

	vsnprintf(sentence, sizeof sentence, format, list);
	v->setup->say(v->setup->context, bad, sentence);
}

int verify_bad(struct verify *v, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	say(v, true, format, list);
	va_end(list);
	return VERIFY_BAD;
}

void verify_note(struct verify *v, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	say(v, false, format, list);
	va_end(list);
}

int verify_unreadable(struct verify *v, const char *folder, const char *name, sqlite3 *db, int r)
{
	bool said = db != NULL && sql_error(db, sqlite3_errcode(db)) != 0;

	if (r >= 0 || r == -ENOMEM)
		return r;
	return verify_bad(v, "%s%s: it cannot be read as what it should be (%s)" COPY_HINT, folder,
			  name, said ? sqlite3_errmsg(db) : strerror(-r));
}

int64_t verify_mono_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

const char *time_of(int64_t wall_ms)
{
	static _Thread_local char text[32];
	time_t s = (time_t)(wall_ms / 1000);
	struct tm tm;

	if (gmtime_r(&s, &tm) == NULL ||
	    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(text, sizeof text, "%lld ms", (long long)wall_ms);
	return text;
}

bool day_of_name(const char *name, const char *tail, int64_t *from_ms, int64_t *to_ms)
{
	enum { HOUR_MS = 3600000, ZONE_HOURS = 14 };
	struct tm tm = {0};
	int n = 0;

	if (sscanf(name, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &n) != 3 || n != 10)
		return false;
	if (name[n] == '.' && name[n + 1] >= '0' && name[n + 1] <= '9')
		n += 1 + (int)strspn(name + n + 1, "0123456789");
	tm.tm_year -= 1900;
	tm.tm_mon--;
	int64_t day_ms = (int64_t)timegm(&tm) * 1000;
	*from_ms = day_ms - ZONE_HOURS * HOUR_MS;
	*to_ms = day_ms + (24 + ZONE_HOURS) * HOUR_MS;
	return strcmp(name + n, tail) == 0;
}

bool cells_are(sqlite3_stmt *row, const char *kinds)
{
	for (int i = 0; kinds[i] != '\0'; i++) {
		int type = sqlite3_column_type(row, i);
		bool good = kinds[i] == 'i'   ? type == SQLITE_INTEGER
			    : kinds[i] == 't' ? type == SQLITE_TEXT
			    : kinds[i] == 'b' ? type == SQLITE_BLOB
					      : type == SQLITE_FLOAT || type == SQLITE_NULL;
		if (!good)
			return false;
	}
	return true;
}

/* --- marks --- */

int marks_add(struct marks *marks, int64_t number, const uint8_t *hash, int64_t by)
{
	if (marks->n == marks->capacity) {
		size_t more = marks->capacity * 2 + 64;
		void *grown = reallocarray(marks->at, more, sizeof *marks->at);
		if (grown == NULL)
			return -ENOMEM;
		marks->at = grown;
		marks->capacity = more;
	}
	struct mark *mark = &marks->at[marks->n++];
	*mark = (struct mark){.number = number, .by = by};
	memcpy(mark->hash, hash, sizeof mark->hash);
	return 0;
}

static int mark_compare(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return x->by < y->by ? -1 : x->by > y->by;
}

void marks_sort(struct marks *marks)
{
	if (marks->n > 1)
		qsort(marks->at, marks->n, sizeof *marks->at, mark_compare);
}

static int mark_bad(struct verify *v, const struct mark *mark, const char *what, const char *how)
{
	return verify_bad(v, "%s %lld: %s %s %lld says", what, (long long)mark->number, how,
			  mark->by > 0 ? "seal" : "entry of the ledger",
			  (long long)(mark->by > 0 ? mark->by : -mark->by));
}

int marks_check(struct verify *v, struct marks *marks, const char *what,
		const struct chain_head *head)
{
	for (; marks->next < marks->n; marks->next++) {
		const struct mark *mark = &marks->at[marks->next];
		if (mark->number > head->number)
			return 0;
		if (mark->number == head->number &&
		    memcmp(mark->hash, head->hash, sizeof mark->hash) != 0)
			return mark_bad(v, mark, what, "is another than");
		if (mark->number < head->number)
			return mark_bad(v, mark, what, "is missing, of which");
	}
	return 0;
}

int marks_end(struct verify *v, const struct marks *marks, const char *what, int64_t last)
{
	if (marks->next == marks->n)
		return 0;
	const struct mark *mark = &marks->at[marks->next];
	return verify_bad(v,
			  "%s %lld: is missing, of which %s %lld says, which names %lld: it was cut "
			  "back" COPY_HINT,
			  what, (long long)last + 1, mark->by > 0 ? "seal" : "entry of the ledger",
			  (long long)(mark->by > 0 ? mark->by : -mark->by),
			  (long long)mark->number);
}

/* --- anchors --- */

static int anchors_read(struct verify *v)
{
	const struct verify_setup *setup = v->setup;

	v->anchors = calloc(setup->n_anchors + 1, CHAIN_HASH_BYTES);
	v->anchored = calloc(setup->n_anchors + 1, sizeof *v->anchored);
	if (v->anchors == NULL || v->anchored == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < setup->n_anchors; i++)
		if (strlen(setup->anchors[i]) != 2 * CHAIN_HASH_BYTES ||
		    !chain_unhex(v->anchors + i * CHAIN_HASH_BYTES, CHAIN_HASH_BYTES,
				 setup->anchors[i]))
			return -EINVAL;
	return 0;
}

void verify_anchor(struct verify *v, const uint8_t hash[CHAIN_HASH_BYTES])
{
	for (size_t i = 0; i < v->setup->n_anchors; i++)
		if (memcmp(v->anchors + i * CHAIN_HASH_BYTES, hash, CHAIN_HASH_BYTES) == 0)
			v->anchored[i] = true;
}

static int anchors_end(struct verify *v)
{
	for (size_t i = 0; i < v->setup->n_anchors; i++)
		if (!v->anchored[i])
			return verify_bad(v,
					  "anchor %s: no seal, batch or entry has this hash: the "
					  "store was cut back, replaced or rewritten since it left",
					  v->setup->anchors[i]);
	return 0;
}

/* --- all --- */

static void unsealed(struct verify *v)
{
	if (v->sum->seals == 0)
		verify_note(v, "seals: there is none, and nothing of this store is sealed");
	if (v->sum->unsealed > 0)
		verify_note(v, "%lld batches behind the last seal are not sealed yet",
			    (long long)v->sum->unsealed);
	if (v->sum->unsealed > 0 && v->unsealed_at_ms - v->sum->last.time_ms > UNSEALED_MS)
		verify_note(v,
			    "the last of them is %lld s later than the seal: the clock was set, "
			    "or they were altered",
			    (long long)(v->unsealed_at_ms - v->sum->last.time_ms) / 1000);
	if (v->sum->entries > v->sum->last.ledger.number)
		verify_note(v, "%lld entries of the ledger behind the last seal are not sealed yet",
			    (long long)(v->sum->entries - v->sum->last.ledger.number));
}

/* What is not looked at is said, lest a reader takes it for sealed. */
static void tally(struct verify *v)
{
	char path[4400];

	snprintf(path, sizeof path, "%s/tally.db", v->setup->directory);
	if (access(path, F_OK) == 0)
		verify_note(v, "tally.db: loads and means that were added up are in no chain; the "
			       "readings that they were made of are");
}

/* A copy that broke off (copy/copy.h) may lack anything. */
static int finished(struct verify *v)
{
	char path[4400];

	snprintf(path, sizeof path, "%s/copy.unfinished", v->setup->directory);
	if (access(path, F_OK) != 0)
		return 0;
	return verify_bad(v,
			  "copy.unfinished: duchactl copy broke off here, and files are missing: "
			  "take the copy again");
}

int verify_store(const struct verify_setup *setup, struct verify_sum *sum)
{
	struct verify v = {.setup = setup, .sum = sum};

	*sum = (struct verify_sum){0};
	int r = hash_new(&v.hash);
	if (r == 0)
		r = hash_new(&v.digest);
	if (r == 0)
		r = anchors_read(&v);
	if (r == 0)
		r = finished(&v);
	if (r == 0)
		r = verify_seals(&v);
	if (r == 0)
		r = verify_ledger(&v);
	if (r == 0)
		r = verify_daybook(&v);
	if (r == 0)
		strays_name(&v);
	if (r == 0)
		r = anchors_end(&v);
	if (r == 0)
		unsealed(&v);
	if (r == 0)
		tally(&v);
	hash_free(v.hash);
	hash_free(v.digest);
	free(v.frames_gone);
	free(v.days);
	free(v.needs);
	free(v.turns);
	free(v.anchors);
	free(v.anchored);
	free(v.keys);
	free(v.seals);
	for (size_t i = 0; i < v.n_files; i++)
		free(v.files[i]);
	free(v.files);
	free(v.ledger.at);
	free(v.daybook.at);
	return r;
}
