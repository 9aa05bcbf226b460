/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gap records. They are rare, so a query goes through all files; each lies in the file of the day
 * on which recording resumed.
 */
#include "store/daybook-reader.h"

static const char gaps_query[] =
	"SELECT m.site, m.factor, g.from_ms, g.to_ms, g.count FROM gaps g JOIN monitors m"
	" ON m.id = g.monitor WHERE g.to_ms >= ?1 AND g.from_ms < ?2"
	" AND (?3 IS NULL OR m.site = ?3) AND (?4 IS NULL OR m.factor = ?4) ORDER BY g.rowid";

struct gaps_walk {
	const char *site, *factor;
	int64_t from_ms, to_ms;
	daybook_gap_fn fn;
	void *context;
	bool more;
};

static int file_gaps(sqlite3 *db, struct gaps_walk *walk)
{
	sqlite3_stmt *list = NULL;
	bool there = false;

	int r = sql_prepare(db, &list, gaps_query);
	if (r != 0)
		return r;
	sql_bind(list, "iitt", walk->from_ms, walk->to_ms, walk->site, walk->factor);
	for (r = sql_step(list, &there); r == 0 && there && walk->more;
	     r = sql_step(list, &there)) {
		struct gap gap = {.monitor = NO_INDEX,
				  .from_ms = sqlite3_column_int64(list, 2),
				  .to_ms = sqlite3_column_int64(list, 3),
				  .count = (uint64_t)sqlite3_column_int64(list, 4)};
		walk->more = walk->fn(walk->context, sql_text(list, 0), sql_text(list, 1), &gap);
	}
	sqlite3_finalize(list);
	return r;
}

/* Files of version 1 know no gaps. */
static int file_has_gaps(sqlite3 *db, bool *has)
{
	int64_t n = 0;
	int r = sql_number(db, "SELECT count(*) FROM sqlite_master WHERE name = 'gaps'", 0, &n);

	*has = n > 0;
	return r;
}

int daybook_gaps(struct daybook_reader *reader, const char *site, const char *factor,
		 int64_t from_ms, int64_t to_ms, daybook_gap_fn fn, void *context)
{
	struct gaps_walk walk = {site, factor, from_ms, to_ms, fn, context, true};

	int r = reader_refresh(reader);
	for (size_t i = 0; r == 0 && i < reader->n_files && walk.more; i++) {
		struct reader_file *file = &reader->files[i];
		bool has = false;
		if (file->damaged)
			continue;
		r = reader_use(reader, file);
		if (r == 0)
			r = file_has_gaps(file->db, &has);
		if (r == 0 && has)
			r = file_gaps(file->db, &walk);
		if (sql_damaged(r))
			r = 0; /* said where its readings are read */
	}
	return r;
}
