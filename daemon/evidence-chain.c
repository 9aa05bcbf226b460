/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence-work.h"
#include "seal/hash.h"
#include "store/evidence-frames.h"
#include "store/evidence-hole.h"
#include "store/evidence-links.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 100, PREFIX_BYTES = 1, BEGIN_BYTES = 27 };

/* --- links --- */

static bool fits(struct work *w, size_t n)
{
	bool room = w->links_bytes + n <= EVIDENCE_LINKS_MOST;

	if (room)
		w->links_bytes += n;
	else
		work_bad(w, "there is more than an archive takes (%zu bytes of links and frames)",
			 EVIDENCE_LINKS_MOST);
	return room;
}

/* A link is what its hash says, and goes on from the one before it. */
static void link_judge(struct work *w, int64_t batch, const struct text *bytes,
		       const uint8_t hash[CHAIN_HASH_BYTES])
{
	uint8_t is[CHAIN_HASH_BYTES];

	if (w->link.number != 0 && batch != w->link.number + 1)
		work_bad(w, "daybook: batch %lld is missing", (long long)w->link.number + 1);
	else if (w->link.number != 0 &&
		 memcmp(bytes->at + PREFIX_BYTES, w->link.hash, sizeof w->link.hash) != 0)
		work_bad(w, "daybook: batch %lld goes on from another batch %lld", (long long)batch,
			 (long long)w->link.number);
	if (hash_bytes(bytes->at, bytes->length, is) != 0 || memcmp(is, hash, sizeof is) != 0)
		work_bad(w, "daybook: batch %lld is not what the chain says", (long long)batch);
	w->link.number = batch;
	memcpy(w->link.hash, hash, sizeof w->link.hash);
}

static int64_t number_at(const char *bytes)
{
	int64_t value;

	memcpy(&value, bytes, sizeof value);
	return (int64_t)le64toh((uint64_t)value);
}

/* A link ends with the clocks of its commit, and how far the kernel trusted them. */
static void batch_write(struct work *w, int64_t batch, const struct text *bytes)
{
	const char *end = bytes->at + bytes->length;
	int64_t at_ms = number_at(end - 24), error_us = number_at(end - 8);

	text_format(&w->batches, "%lld,", (long long)batch);
	text_time(&w->batches, at_ms, &w->setup->plan->zone, 3);
	if (error_us >= 0)
		text_format(&w->batches, ",synchronised,%lld\n", (long long)error_us);
	else
		text_add(&w->batches, error_us == CHAIN_CLOCK_FREE ? ",free,\n" : ",unknown,\n");
}

/* Which bytes of the link are readings of the case. */
static void places_note(struct work *w, const struct text *bytes)
{
	const uint8_t *link = (const uint8_t *)bytes->at;
	size_t at = PREFIX_BYTES + CHAIN_HASH_BYTES;

	if (link[at] == 'a') /* a day's file begins: three numbers, and its name */
		at += BEGIN_BYTES + link[at + BEGIN_BYTES - 2];
	for (; link[at] == 'r'; at += CHAIN_READING_BYTES) {
		struct evidence_place *place = evidence_place_find(w->framed->places, w->framed->n,
								   number_at(bytes->at + at + 1));
		if (place != NULL)
			place->byte = at;
	}
}

static bool link_put(void *context, int64_t batch, const struct text *bytes,
		     const uint8_t hash[CHAIN_HASH_BYTES])
{
	struct work *w = context;
	char name[NAME_BYTES];

	if (!fits(w, bytes->length))
		return false;
	link_judge(w, batch, bytes, hash);
	snprintf(name, sizeof name, "links/%012lld.bin", (long long)batch);
	work_put_text(w, name, bytes);
	batch_write(w, batch, bytes);
	places_note(w, bytes);
	w->links++;
	return w->r == 0;
}

/* @from to what @cover names; @joins: they go on from those that are in the archive already. */
static void links_put(struct work *w, int64_t from, const struct cover *cover, bool joins)
{
	const struct chain_head *end = &cover->line.daybook;

	if (!joins)
		w->link = (struct chain_head){0};
	int r = evidence_links(w->setup->directory, from, end->number, link_put, w);
	if (r != 0)
		w->r = r;
	else if (w->link.number < end->number)
		work_bad(w, "daybook: batch %lld is missing", (long long)w->link.number + 1);
	else if (memcmp(w->link.hash, end->hash, sizeof end->hash) != 0)
		work_bad(w, "daybook: batch %lld is another than seal %lld says",
			 (long long)end->number, (long long)cover->line.number);
}

/* --- which links named the monitors --- */

static int number_compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Before @first, each once or more, in order. Return: how many. */
static size_t named_before(struct work *w, const struct evidence_case *c, int64_t first,
			   int64_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_spans; i++) {
		int64_t named = 0;
		int r = evidence_named(w->setup->directory, first, c->site, c->spans[i].factor,
				       &named);
		if (r != 0)
			w->r = r;
		if (named != 0 && named < first)
			out[n++] = named;
	}
	qsort(out, n, sizeof *out, number_compare);
	return n;
}

/* A run of links from one that named a monitor to the next seal, or to where those of the readings
 * begin. Return: whether these go on from it. */
static bool names_put(struct work *w, size_t i, int64_t named, int64_t from_ms, int64_t first)
{
	struct cover cover = {0};
	char which[NAME_BYTES];
	int64_t last = w->link.number;

	if (named <= last)
		return false;
	snprintf(which, sizeof which, "-names-%zu", i + 1);
	seal_take(w, which, from_ms, named, 0, &cover);
	bool meets = cover.line.number == 0 || cover.line.daybook.number >= first;
	if (meets) { /* up to the readings themselves, whose seal covers it */
		cover.line.daybook.number = first - 1;
		w->link = last == named - 1 ? w->link : (struct chain_head){0};
		int r = evidence_links(w->setup->directory, named, first - 1, link_put, w);
		w->r = r != 0 ? r : w->r;
	} else {
		links_put(w, named, &cover, last != 0 && last == named - 1);
	}
	cover_deinit(&cover);
	return meets;
}

/* Return: whether the links of the readings go on from what is there. */
static bool all_names_put(struct work *w, const struct evidence_case *c, int64_t from_ms,
			  int64_t first)
{
	int64_t *named = calloc(c->n_spans + 1, sizeof *named);
	bool meets = false;

	if (named == NULL) {
		w->r = -ENOMEM;
		return false;
	}
	size_t n = named_before(w, c, first, named);
	for (size_t i = 0; i < n && !meets && w->r == 0; i++)
		meets = names_put(w, i, named[i], from_ms, first);
	free(named);
	return meets || w->link.number == first - 1;
}

/* --- frames --- */

/* They may go before the readings do, if the ledger says so. */
static void frames_missing(struct work *w, const struct evidence_batch_frames *frames)
{
	bool gone = false;
	int r = ledger_frames_gone(w->setup->ledger, frames->file, &gone);

	if (r != 0)
		w->r = r;
	else if (!gone)
		work_bad(w, "daybook: the frames of batch %lld are missing",
			 (long long)frames->batch);
	w->frames_gone++;
}

static bool frames_put(void *context, const struct evidence_batch_frames *frames)
{
	struct work *w = context;
	uint8_t is[CHAIN_HASH_BYTES];
	char name[NAME_BYTES];

	if (frames->bytes == NULL) {
		frames_missing(w, frames);
		return w->r == 0;
	}
	if (!fits(w, frames->n))
		return false;
	if (hash_bytes(frames->bytes, frames->n, is) != 0 ||
	    memcmp(is, frames->digest, sizeof is) != 0)
		work_bad(w, "daybook: the frames of batch %lld are not what the chain says",
			 (long long)frames->batch);
	snprintf(name, sizeof name, "frames/%012lld.bin", (long long)frames->batch);
	work_put(w, name, frames->bytes, frames->n);
	return w->r == 0;
}

/* @first, @last: batches of the readings; they move to those of their frames. */
static int framed_put(struct work *w, struct framed_lines *framed, int64_t *first, int64_t *last)
{
	struct text csv = {0};

	int r = framed_find(framed, w->setup->directory, *first, *last);
	framed_write(framed, &w->setup->plan->zone, &csv);
	if (r == 0)
		work_put_text(w, "frames.csv", &csv);
	text_deinit(&csv);
	if (framed->first_batch != 0 && framed->first_batch < *first)
		*first = framed->first_batch;
	if (framed->last_batch > *last)
		*last = framed->last_batch;
	return r;
}

/* --- readings --- */

static int64_t earliest(const struct evidence_case *c)
{
	int64_t from_ms = INT64_MAX;
	for (size_t i = 0; i < c->n_spans; i++)
		if (c->spans[i].from_ms < from_ms)
			from_ms = c->spans[i].from_ms;
	return from_ms;
}

/* For each line of readings.csv where its record is. */
static void places_put(struct work *w)
{
	const struct framed_lines *framed = w->framed;
	struct text table = {0};

	text_add(&table, "link,byte\n");
	for (size_t i = 0; i < framed->n; i++) {
		const struct evidence_place *place =
			evidence_place_find(framed->places, framed->n, framed->at[i].sequence);
		if (place != NULL && place->byte != 0)
			text_format(&table, "%012lld.bin,%zu\n", (long long)place->batch,
				    place->byte);
		else
			text_add(&table, ",\n");
	}
	work_put_text(w, "places.csv", &table);
	text_deinit(&table);
}

static void sealed_put(struct work *w, const struct evidence_case *c, int64_t first, int64_t last)
{
	int64_t from_ms = earliest(c);
	struct cover cover;

	text_add(&w->batches, "batch,committed_at,clock,largest_error_us\n");
	if (!work_sealed(w, last, 0))
		work_bad(w,
			 "seals: none covers batch %lld yet: the newest readings of the case are "
			 "not sealed (status says why; ask again)",
			 (long long)last);
	seal_take(w, "", from_ms, last, 0, &cover);
	if (cover.line.number != 0) {
		bool joins = all_names_put(w, c, from_ms, first);
		links_put(w, first, &cover, joins);
		int r = evidence_frames(w->setup->directory, first, cover.line.daybook.number,
					frames_put, w);
		if (r != 0)
			w->r = r;
		work_put_text(w, "batches.csv", &w->batches);
		places_put(w);
	}
	cover_deinit(&cover);
}

void readings_whole(struct work *w)
{
	struct sealed last;
	int64_t batch = 0;

	evidence_last(w->setup->evidence, &last);
	int r = evidence_hole(w->setup->directory, w->setup->ledger, last.line.daybook.number,
			      &batch);
	if (r != 0)
		work_bad(w, "daybook: a file cannot be read");
	else if (batch != 0)
		work_bad(w, "daybook: batch %lld is missing", (long long)batch);
}

void readings_chain(struct work *w, const struct evidence_case *c,
		    const struct evidence_lines *lines, struct framed_lines *framed)
{
	int64_t first = 0, last = 0;

	w->framed = framed;
	if (lines->first == 0)
		return;
	int r = evidence_batch(w->setup->directory, lines->last, &last);
	if (r == 0)
		r = evidence_batch(w->setup->directory, lines->first, &first);
	if (r == 0)
		r = framed_put(w, framed, &first, &last);
	if (r != 0)
		w->r = r;
	else if (first == 0 || last == 0)
		work_bad(w, "daybook: readings of the case are in no batch");
	else
		sealed_put(w, c, first, last);
}

/* --- the case --- */

void case_chain(struct work *w, const struct evidence_rows *rows, int64_t from_ms)
{
	struct text entries = {0};
	char bad[sizeof rows->bad];
	struct cover cover;

	work_put_text(w, "rows.jsonl", &rows->rows);
	seal_take(w, "-case", from_ms, 0, rows->last, &cover);
	struct chain_head head = cover.line.ledger;
	if (cover.line.number == 0)
		head.number = rows->last;
	int r = ledger_evidence_entries(w->setup->ledger, rows->first, &head, &entries, bad,
					sizeof bad);
	if (bad[0] != '\0')
		work_bad(w, "%s", bad);
	if (r == 0 && cover.line.number != 0 &&
	    memcmp(head.hash, cover.line.ledger.hash, sizeof head.hash) != 0)
		work_bad(w, "ledger.db: entry %lld is another than seal %lld says",
			 (long long)cover.line.ledger.number, (long long)cover.line.number);
	if (r == 0)
		work_put_text(w, "entries.csv", &entries);
	else
		w->r = r;
	text_deinit(&entries);
	cover_deinit(&cover);
}
