/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are not there, or hold nothing: what names them. A batch was in the file of the day of
 * the seal that names it, and a seal in the file of its own day. Days are those of the node's zone,
 * which nobody has to know: how far it is from UTC shows in the names that the other seals stand
 * under.
 */
#include "verify/internal.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { PATH_BYTES = 4400, HOUR_MS = 3600000, DAY_BYTES = 11 };
#define DAY_MS INT64_C(86400000)
#define EAST_MS (INT64_C(14) * HOUR_MS)

static const char *file_state(const struct verify *v, const char *name)
{
	char path[PATH_BYTES];
	struct stat about;

	snprintf(path, sizeof path, "%s/%s", v->setup->directory, name);
	if (stat(path, &about) != 0)
		return "there is no such file";
	return about.st_size == 0 ? "it is empty" : NULL;
}

/* Of "seals/2026-01-02.seals". */
static void day_of_file(char out[DAY_BYTES], const char *file)
{
	const char *name = strrchr(file, '/');

	snprintf(out, DAY_BYTES, "%.10s", name != NULL ? name + 1 : file);
}

/* The first seal behind what a mark speaks of; NULL: none says so. */
static const struct seal_known *seal_of(const struct verify *v, const struct mark *mark)
{
	size_t i = mark->by > 0 ? (size_t)mark->by - 1 : seals_before(v, -mark->by);

	return i < v->n_seals ? &v->seals[i] : NULL;
}

static bool day_named(const struct verify *v, const struct mark *mark, char out[DAY_BYTES])
{
	const struct seal_known *seal = seal_of(v, mark);

	if (seal != NULL)
		day_of_file(out, seal->file);
	return seal != NULL;
}

int gone_batch(struct verify *v, const struct mark *mark, int64_t batch, const char *newest)
{
	char day[DAY_BYTES] = "", name[64] = "daybook", says[100];
	const char *state = NULL;

	snprintf(says, sizeof says, "batch %lld: is missing, of which %s %lld says, which names %lld",
		 (long long)batch, mark->by > 0 ? "seal" : "entry of the ledger",
		 (long long)(mark->by > 0 ? mark->by : -mark->by), (long long)mark->number);
	if (newest[0] != '\0')
		snprintf(name, sizeof name, "daybook/%.40s", newest);
	if (day_named(v, mark, day) && strncmp(newest, day, DAY_BYTES - 1) != 0) {
		snprintf(name, sizeof name, "daybook/%s.db", day);
		state = file_state(v, name);
	}
	if (state != NULL)
		return verify_bad(v, "%s: %s, and %s" COPY_HINT, name, state, says);
	return verify_bad(v, "%s: %s: it was cut back, or a file behind it is gone" COPY_HINT, name,
			  says);
}

/* --- seals --- */

/* How far the node's days are from those of UTC: between these. */
static void zone_of(const struct verify *v, int64_t *from_ms, int64_t *to_ms)
{
	int64_t day_ms, end_ms;

	*from_ms = -12 * (int64_t)HOUR_MS;
	*to_ms = EAST_MS;
	for (size_t i = 0; i < v->n_seals; i++) {
		const char *name = strrchr(v->seals[i].file, '/');
		if (!day_of_name(name + 1, ".seals", &day_ms, &end_ms))
			continue;
		day_ms += EAST_MS;
		if (day_ms - v->seals[i].time_ms > *from_ms)
			*from_ms = day_ms - v->seals[i].time_ms;
		if (day_ms + DAY_MS - 1 - v->seals[i].time_ms < *to_ms)
			*to_ms = day_ms + DAY_MS - 1 - v->seals[i].time_ms;
	}
}

static void day_text(char out[DAY_BYTES], int64_t ms)
{
	snprintf(out, DAY_BYTES, "%.10s", time_of(ms));
}

const char *gone_seals(const struct verify *v, int64_t time_ms, char out[GONE_BYTES])
{
	char first[DAY_BYTES], last[DAY_BYTES], name[32];
	int64_t from_ms, to_ms;

	out[0] = '\0';
	zone_of(v, &from_ms, &to_ms);
	day_text(first, time_ms + from_ms);
	day_text(last, time_ms + to_ms);
	if (v->n_seals == 0 || from_ms > to_ms || strcmp(first, last) != 0)
		return out;
	snprintf(name, sizeof name, "seals/%s.seals", first);
	const char *state = file_state(v, name);
	if (state != NULL)
		snprintf(out, GONE_BYTES, "%s: %s: ", name, state);
	return out;
}
