/* SPDX-License-Identifier: Apache-2.0 */
#include "store/daybook-chain.h"

#include "seal/hash.h"

#include <errno.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

enum { READINGS_AT_ONCE = 8, CLOCK_ASK_MS = 1000 };

int day_chain_connect(struct day_chain *chain, sqlite3 *db, const struct day_name *name)
{
	chain->name = *name;
	chain->file.name = chain->name.text;
	int r = chain->hash == NULL ? hash_new(&chain->hash) : 0;

	if (r == 0)
		r = sql_prepare(db, &chain->add,
				"INSERT INTO chain VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
	if (r == 0)
		r = sql_prepare(db, &chain->names, DAY_CHAIN_NAMES);
	if (r == 0)
		r = sql_prepare(db, &chain->gap_rows, DAY_CHAIN_GAPS);
	return r;
}

void day_chain_disconnect(struct day_chain *chain)
{
	sqlite3_finalize(chain->add);
	sqlite3_finalize(chain->names);
	sqlite3_finalize(chain->gap_rows);
	chain->add = chain->names = chain->gap_rows = NULL;
}

/* --- where the file stands --- */

/* The file's newest link says how far names and gaps go. */
static int resync_links(struct day_chain *chain, sqlite3 *db, const struct chain_head *head)
{
	chain->head = *head;
	chain->begun = true;
	chain->file.seq = 0;
	int r = sql_number(db, "SELECT monitors FROM chain ORDER BY batch DESC LIMIT 1", 0,
			   &chain->file.monitors);
	if (r == 0)
		r = sql_number(db, "SELECT gaps FROM chain ORDER BY batch DESC LIMIT 1", 0,
			       &chain->file.gaps);
	return r;
}

/* No link yet: what a file of an earlier version holds stays outside of the chain. */
static int resync_begin(struct day_chain *chain, sqlite3 *db)
{
	chain->begun = false;
	int r = sql_number(db, "SELECT max(seq) FROM readings", 0, &chain->file.seq);
	if (r == 0)
		r = sql_number(db, "SELECT max(id) FROM monitors", 0, &chain->file.monitors);
	if (r == 0)
		r = sql_number(db, "SELECT max(rowid) FROM gaps", 0, &chain->file.gaps);
	return r;
}

int day_chain_resync(struct day_chain *chain, sqlite3 *db)
{
	struct chain_head head;

	day_chain_forget(chain);
	int r = day_chain_head(db, &head);
	if (r != 0)
		return r;
	return head.number != 0 ? resync_links(chain, db, &head) : resync_begin(chain, db);
}

void day_chain_forget(struct day_chain *chain)
{
	chain->open = false;
}

/* --- a link --- */

static void link_open(struct day_chain *chain)
{
	uint8_t bytes[CHAIN_BEGIN_MOST];

	if (chain->open)
		return;
	chain->open = true;
	chain->frames = (struct chain_frames){0};
	chain->link = (struct chain_trailer){.batch = chain->head.number + 1,
					     .monitors = chain->file.monitors,
					     .gaps = chain->file.gaps};
	hash_link(chain->hash, chain->head.hash);
	if (!chain->begun)
		hash_add(chain->hash, bytes,
			 (size_t)(chain_begin_bytes(bytes, &chain->file) - bytes));
}

void day_chain_add(struct day_chain *chain, const struct chain_reading *readings, int n)
{
	uint8_t bytes[READINGS_AT_ONCE * CHAIN_READING_BYTES], *end = bytes;

	link_open(chain);
	if (chain->link.first == 0)
		chain->link.first = readings[0].sequence;
	for (int i = 0; i < n; i++)
		end = chain_reading_bytes(end, &readings[i]);
	chain->link.last = readings[n - 1].sequence;
	hash_add(chain->hash, bytes, (size_t)(end - bytes));
}

void day_chain_name(struct day_chain *chain, int64_t id)
{
	link_open(chain);
	chain->link.monitors = id;
}

void day_chain_gap(struct day_chain *chain, int64_t row)
{
	link_open(chain);
	chain->link.gaps = row;
}

int64_t day_chain_batch(const struct day_chain *chain)
{
	return chain->head.number + 1;
}

void day_chain_frames(struct day_chain *chain, const struct chain_frames *frames)
{
	if (frames->first == frames->last)
		return;
	link_open(chain);
	chain->frames = *frames;
}

static void frames_add(struct day_chain *chain)
{
	uint8_t bytes[CHAIN_FRAMES_BYTES];

	if (chain->frames.first != chain->frames.last)
		hash_add(chain->hash, bytes,
			 (size_t)(chain_frames_bytes(bytes, &chain->frames) - bytes));
}

/* How far the wall clock may be wrong, as the kernel was told by whoever sets it. */
static int64_t clock_error_us(void)
{
	struct timex t = {.modes = 0};
	int state = adjtimex(&t);

	if (state < 0)
		return CHAIN_CLOCK_UNKNOWN;
	return state == TIME_ERROR || (t.status & STA_UNSYNC) != 0 ? CHAIN_CLOCK_FREE : t.maxerror;
}

/* The kernel's word changes once a second, and asking takes as long as hashing twenty readings. */
static void clock_ask(struct day_chain *chain, int64_t mono_ms)
{
	if (chain->asked_ms != 0 && mono_ms - chain->asked_ms < CLOCK_ASK_MS)
		return;
	chain->asked_ms = mono_ms;
	chain->clock_error_us = clock_error_us();
}

static int64_t clock_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int link_hash(struct day_chain *chain, struct chain_head *out)
{
	uint8_t bytes[CHAIN_TRAILER_BYTES];
	struct chain_trailer *link = &chain->link;

	int r = day_chain_rows(chain_to_hash, chain->hash, chain->names, chain->file.monitors,
			       link->monitors, false);
	if (r == 0)
		r = day_chain_rows(chain_to_hash, chain->hash, chain->gap_rows, chain->file.gaps,
				   link->gaps, true);
	frames_add(chain);
	link->at_ms = clock_ms(CLOCK_REALTIME);
	link->mono_ms = clock_ms(CLOCK_BOOTTIME);
	clock_ask(chain, link->mono_ms);
	link->clock_error_us = chain->clock_error_us;
	hash_add(chain->hash, bytes, (size_t)(chain_trailer_bytes(bytes, link) - bytes));
	out->number = link->batch;
	return r == 0 ? hash_end(chain->hash, out->hash) : r;
}

static int begin_add(const struct day_chain *chain, sqlite3 *db)
{
	sqlite3_stmt *add = NULL;

	int r = sql_prepare(db, &add, "INSERT INTO chain_begin VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
	if (r == 0)
		r = sql_do(add, "ihiiit", chain->head.number, chain->head.hash, chain->file.seq,
			   chain->file.monitors, chain->file.gaps, chain->file.name);
	sqlite3_finalize(add);
	return r;
}

int day_chain_link(struct day_chain *chain, sqlite3 *db, struct chain_head *out)
{
	const struct chain_trailer *link = &chain->link;

	*out = chain->head;
	if (!chain->open)
		return 0;
	int r = link_hash(chain, out);
	if (r == 0 && !chain->begun)
		r = begin_add(chain, db);
	if (r == 0)
		r = sql_do(chain->add, "iiiiiiiih", link->batch, link->first, link->last,
			   link->monitors, link->gaps, link->at_ms, link->mono_ms,
			   link->clock_error_us, out->hash);
	return r;
}

void day_chain_done(struct day_chain *chain, const struct chain_head *head)
{
	if (!chain->open)
		return;
	chain->open = false;
	chain->head = *head;
	chain->begun = true;
	chain->file.seq = 0;
	chain->file.monitors = chain->link.monitors;
	chain->file.gaps = chain->link.gaps;
}
