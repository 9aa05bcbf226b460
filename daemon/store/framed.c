/* SPDX-License-Identifier: Apache-2.0 */
#include "store/framed.h"

#include "seal/hash.h"
#include "store/evidence-frames.h"
#include "store/evidence-links.h"

#include <errno.h>
#include <stdlib.h>

enum { RINGS = 256 };
/* A frame is committed with its reading, or some seconds later; or before it, since the judge may
 * come to a reading before the recorder does. So many batches apart at most. */
enum { BATCHES_APART = 256 };

static const char header[] =
	"time,received_at,site,factor,value,flag,raw,frame,exchanged_at,asked,answered,"
	"batch\n";

/* The last frame of a ring that came with its bytes. */
struct frame_source {
	uint64_t frame;
	int64_t batch;
	uint8_t kind;
	int64_t at_ms;
	struct text bytes;
	size_t asked, answered; /* of them */
	bool in_hex;            /* they have become digits, since somebody wanted them */
	size_t hex;             /* where these begin */
};

void framed_add(struct framed_lines *l, const struct daybook_row *row, const char *line,
		size_t length)
{
	if (l->n == l->capacity) {
		size_t more = l->capacity * 2 + 256;
		void *grown = reallocarray(l->at, more, sizeof *l->at);
		if (grown == NULL) {
			l->failed = true;
			return;
		}
		l->at = grown;
		l->capacity = more;
	}
	l->at[l->n++] = (struct framed){.boot = row->boot,
					.sequence = row->sequence,
					.seq = row->reading.seq,
					.ring = row->reading.ring,
					.raw = row->reading.raw,
					.has_value = row->reading.has_value,
					.value = row->reading.value,
					.measured_ms = row->reading.measured_ms,
					.line = l->lines.length};
	text_add_n(&l->lines, line, length);
	text_char(&l->lines, '\0');
}

/* --- whose frame is it? --- */

static int key_compare(int64_t boot, uint8_t ring, uint64_t seq, const struct framed *f)
{
	if (boot != f->boot)
		return boot < f->boot ? -1 : 1;
	if (ring != f->ring)
		return ring < f->ring ? -1 : 1;
	return seq < f->seq ? -1 : seq > f->seq;
}

static int framed_compare(const void *a, const void *b)
{
	const struct framed *x = *(struct framed *const *)a, *y = *(struct framed *const *)b;

	return key_compare(x->boot, x->ring, x->seq, y);
}

static int record_compare(const void *record, const void *framed)
{
	const struct frame_record *r = record;

	return key_compare(r->boot, r->ring, r->seq, *(struct framed *const *)framed);
}

static int index_make(struct framed_lines *l)
{
	l->by_key = calloc(l->n + 1, sizeof *l->by_key);
	l->sources = calloc(RINGS, sizeof *l->sources);
	l->places = calloc(l->n + 1, sizeof *l->places);
	if (l->by_key == NULL || l->sources == NULL || l->places == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < l->n; i++) {
		l->by_key[i] = &l->at[i];
		l->places[i].sequence = l->at[i].sequence;
	}
	qsort(l->by_key, l->n, sizeof *l->by_key, framed_compare);
	return 0;
}

/* --- bytes --- */

static void hex_add(struct text *out, const uint8_t *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		text_char(out, digits[bytes[i] >> 4]);
		text_char(out, digits[bytes[i] & 15]);
	}
}

static void source_keep(struct frame_source *source, const struct frame_record *r, int64_t batch)
{
	struct text bytes = source->bytes;

	text_clear(&bytes);
	text_add_n(&bytes, (const char *)r->asked, r->n_asked);
	text_add_n(&bytes, (const char *)r->answered, r->n_answered);
	*source = (struct frame_source){.frame = r->frame,
					.batch = batch,
					.kind = r->kind,
					.at_ms = r->at_ms,
					.bytes = bytes,
					.asked = r->n_asked,
					.answered = r->n_answered};
}

static void framed_take(struct framed_lines *l, struct framed *f, struct frame_source *source)
{
	if (!source->in_hex) {
		source->hex = l->hex.length;
		hex_add(&l->hex, (const uint8_t *)source->bytes.at, source->bytes.length);
	}
	source->in_hex = true;
	f->kind = source->kind;
	f->at_ms = source->at_ms;
	f->hex = source->hex;
	f->asked = 2 * source->asked;
	f->answered = 2 * source->answered;
	l->failed |= source->bytes.failed;
	l->found++;
}

static void batch_note(struct framed_lines *l, int64_t batch)
{
	if (l->first_batch == 0 || batch < l->first_batch)
		l->first_batch = batch;
	if (batch > l->last_batch)
		l->last_batch = batch;
}

static void record_take(struct framed_lines *l, const struct frame_record *r, int64_t batch)
{
	struct framed **found =
		bsearch(r, l->by_key, l->n, sizeof(struct framed *), record_compare);
	struct frame_source *source = &l->sources[r->ring];

	if (r->kind != FRAME_SAME && r->kind != FRAME_OVERWRITTEN)
		source_keep(source, r, batch);
	if (found == NULL)
		return;
	batch_note(l, batch);
	if (r->kind == FRAME_OVERWRITTEN)
		(*found)->kind = r->kind;
	else if (source->frame == r->frame) {
		batch_note(l, source->batch);
		framed_take(l, *found, source);
	}
}

static bool batch_take(void *context, const struct evidence_batch_frames *frames)
{
	struct framed_lines *l = context;
	struct frame_record record;

	for (size_t at = 0, length; at < frames->n; at += length) {
		length = frame_parse(frames->bytes + at, frames->n - at, &record);
		if (length == 0)
			break;
		record_take(l, &record, frames->batch);
	}
	return !l->hex.failed && !l->failed;
}

int framed_find(struct framed_lines *l, const char *directory, int64_t from, int64_t until)
{
	int r = l->failed || l->lines.failed ? -ENOMEM : index_make(l);

	if (r == 0)
		r = evidence_places(directory, l->places, l->n);
	if (r == 0)
		r = evidence_frames(directory, from - BATCHES_APART, until + BATCHES_APART,
				    batch_take, l);
	return r == 0 && (l->hex.failed || l->failed) ? -ENOMEM : r;
}

static bool line_take(void *context, const struct daybook_row *row, const struct text *line)
{
	struct framed_lines *l = context;

	l->many = l->most != 0 && l->n == l->most;
	if (!l->many)
		framed_add(l, row, line->at, line->length - 1);
	return !l->many && !l->failed;
}

int framed_read(struct framed_lines *l, const char *directory, struct daybook_reader *reader,
		const struct plan *plan, const struct evidence_case *evidence, size_t most)
{
	struct evidence_lines lines;
	int64_t first = 0, last = 0;

	l->most = most;
	int r = evidence_read(reader, plan, evidence, line_take, l, &lines);
	if (l->many)
		return -E2BIG;
	if (r != 0 || l->n == 0)
		return r;
	r = evidence_batch(directory, lines.first, &first);
	if (r == 0)
		r = evidence_batch(directory, lines.last, &last);
	return r == 0 ? framed_find(l, directory, first, last) : r;
}

/* --- the table --- */

const char *framed_asked(const struct framed_lines *l, const struct framed *f)
{
	return l->hex.at == NULL ? "" : l->hex.at + f->hex;
}

const char *framed_answered(const struct framed_lines *l, const struct framed *f)
{
	return framed_asked(l, f) + f->asked;
}

void framed_write(const struct framed_lines *l, const struct zone *zone, struct text *out)
{
	text_add(out, header);
	for (size_t i = 0; i < l->n; i++) {
		const struct framed *f = &l->at[i];
		text_format(out, "%s,%llx,%s,", l->lines.at + f->line, (unsigned long long)f->raw,
			    f->kind == 0 ? "none" : frame_kind_name(f->kind));
		if (f->kind != 0 && f->kind != FRAME_OVERWRITTEN)
			text_time(out, f->at_ms, zone, 3);
		text_char(out, ',');
		text_add_n(out, framed_asked(l, f), f->asked);
		text_char(out, ',');
		text_add_n(out, framed_answered(l, f), f->answered);
		text_format(out, ",%lld\n",
			    (long long)evidence_place(l->places, l->n, f->sequence));
	}
}

int framed_digest(const struct framed_lines *l, const struct zone *zone,
		  uint8_t out[CHAIN_HASH_BYTES])
{
	struct text table = {0};

	framed_write(l, zone, &table);
	int r = table.failed ? -ENOMEM : hash_bytes(table.at, table.length, out);
	text_deinit(&table);
	return r;
}

void framed_deinit(struct framed_lines *l)
{
	for (size_t i = 0; l->sources != NULL && i < RINGS; i++)
		text_deinit(&l->sources[i].bytes);
	free(l->at);
	free(l->by_key);
	free(l->places);
	free(l->sources);
	text_deinit(&l->lines);
	text_deinit(&l->hex);
}
