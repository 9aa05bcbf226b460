/* SPDX-License-Identifier: Apache-2.0 */
#include "store/tallies-internal.h"

#include "base/log.h"
#include "core/number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { VERSION = 4 };

static const char schema[] =
	"CREATE TABLE monitors(id INTEGER PRIMARY KEY, site TEXT NOT NULL, factor TEXT NOT NULL,"
	" UNIQUE(site, factor));"
	"CREATE TABLE hours(monitor INTEGER NOT NULL, start INTEGER NOT NULL, until INTEGER NOT "
	"NULL,"
	" load REAL NOT NULL, excess REAL NOT NULL, covered INTEGER NOT NULL,"
	" PRIMARY KEY(monitor, start)) WITHOUT ROWID;"
	"CREATE TABLE days(monitor INTEGER NOT NULL, start INTEGER NOT NULL, until INTEGER NOT "
	"NULL,"
	" load REAL NOT NULL DEFAULT 0, excess REAL NOT NULL DEFAULT 0,"
	" covered INTEGER NOT NULL DEFAULT 0, n INTEGER NOT NULL DEFAULT 0,"
	" valid INTEGER NOT NULL DEFAULT 0, sum REAL NOT NULL DEFAULT 0, low REAL, high REAL,"
	" late INTEGER NOT NULL DEFAULT 0, hours INTEGER NOT NULL DEFAULT 0,"
	" PRIMARY KEY(monitor, start)) WITHOUT ROWID;"
	"CREATE TABLE again(site TEXT NOT NULL, day INTEGER NOT NULL, late INTEGER NOT NULL,"
	" PRIMARY KEY(day, site)) WITHOUT ROWID;"
	"CREATE TABLE named(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE latest(monitor INTEGER PRIMARY KEY, at INTEGER NOT NULL, value REAL NOT "
	"NULL);"
	"CREATE TABLE sections(id INTEGER PRIMARY KEY, site TEXT NOT NULL, at INTEGER NOT NULL,"
	" class INTEGER NOT NULL, worst TEXT NOT NULL, UNIQUE(site, at));";

/* Of version 2, which has all but these. */
static const char schema_from_2[] = "ALTER TABLE days ADD COLUMN late INTEGER NOT NULL DEFAULT 0;"
				    "ALTER TABLE days ADD COLUMN hours INTEGER NOT NULL DEFAULT 0;";

/* Since version 4, and in a new file: hours of minutes that are in no file of a day yet. Where
 * there were others before, minutes begin with the readings that are counted from here on. */
static const char schema_from_3[] =
	"CREATE TABLE minutes(id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
	"INSERT OR REPLACE INTO named SELECT 'minuted', value FROM named WHERE name = 'cursor';"
	"PRAGMA user_version=4;";

#define DAY_INSERT                                                                                 \
	"INSERT INTO days(monitor, start, until, n, valid, sum, low, high, hours)"                 \
	" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO UPDATE SET "

static const char *const texts[TALLIES_STATEMENTS] = {
	[MONITOR_ADD] = "INSERT OR IGNORE INTO monitors(site, factor) VALUES(?1, ?2)",
	[MONITOR_FIND] = "SELECT id FROM monitors WHERE site = ?1 AND factor = ?2",
	[PUT] = "INSERT OR REPLACE INTO named VALUES(?1, ?2)",
	[GET] = "SELECT value FROM named WHERE name = ?1",
	[HOUR_PUT] = "INSERT OR REPLACE INTO hours VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[HOUR_GET] = "SELECT load, excess, covered FROM hours WHERE monitor = ?1 AND start = ?2",
	[HOURS_FORGET] = "DELETE FROM hours WHERE monitor = ?1 AND start >= ?2 AND start < ?3",
	[HOURS_PRUNE] = "DELETE FROM hours WHERE start < ?1",
	[HOURS_LOAD] = "SELECT coalesce(sum(load), 0) FROM hours WHERE monitor = ?1"
		       " AND start >= ?2 AND start < ?3",
	[DAY_ADD] =
		DAY_INSERT "n = n + excluded.n, valid = valid + excluded.valid,"
			   " sum = sum + excluded.sum, hours = hours | excluded.hours,"
			   " low = min(coalesce(low, excluded.low), coalesce(excluded.low, low)),"
			   " high = max(coalesce(high, excluded.high),"
			   " coalesce(excluded.high, high))",
	[DAY_SET] = DAY_INSERT "n = excluded.n, valid = excluded.valid, sum = excluded.sum,"
			       " low = excluded.low, high = excluded.high, hours = excluded.hours",
	[DAY_SUM] = "INSERT INTO days(monitor, start, until, load, excess, covered)"
		    " SELECT ?1, ?2, ?3, coalesce(sum(load), 0), coalesce(sum(excess), 0),"
		    " coalesce(sum(covered), 0) FROM hours WHERE monitor = ?1 AND start >= ?2"
		    " AND start < ?3 ON CONFLICT DO UPDATE SET load = excluded.load,"
		    " excess = excluded.excess, covered = excluded.covered",
	[DAY_LATE] = "INSERT INTO days(monitor, start, until, late) VALUES(?1, ?2, ?3, ?4)"
		     " ON CONFLICT DO UPDATE SET late = excluded.late",
	[DAY_LATE_GET] = "SELECT late FROM days WHERE monitor = ?1 AND start = ?2",
	[AGAIN_ADD] = "INSERT INTO again VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET"
		      " late = max(late, excluded.late)",
	[AGAIN_NEXT] = "SELECT site, day FROM again WHERE late < ?1 ORDER BY day, site LIMIT 1",
	[AGAIN_FIND] = "SELECT 1 FROM again WHERE site = ?1 AND day = ?2",
	[AGAIN_DONE] = "DELETE FROM again WHERE site = ?1 AND day = ?2",
	[ROWS_HOURS] =
		"SELECT start, until, load, excess, covered, 0, 0, 0, NULL, NULL, 0, 0 FROM hours"
		" WHERE monitor = ?1 AND start >= ?2 AND start < ?3 ORDER BY start",
	[ROWS_DAYS] = "SELECT start, until, load, excess, covered, n, valid, sum, low, high, late,"
		      " hours "
		      "FROM days"
		      " WHERE monitor = ?1 AND start >= ?2 AND start < ?3 ORDER BY start",
	[LATEST_PUT] = "INSERT OR REPLACE INTO latest VALUES(?1, ?2, ?3)",
	[LATEST_GET] = "SELECT at, value FROM latest WHERE monitor = ?1",
	[SECTION_ADD] = "INSERT OR IGNORE INTO sections(site, at, class, worst)"
			" VALUES(?1, ?2, ?3, ?4)",
	[SECTION_LIST] = "SELECT id, site, at, class, worst FROM sections WHERE id > ?1"
			 " ORDER BY id LIMIT ?2",
	[SECTION_LAST] = "SELECT coalesce(max(id), 0) FROM sections",
	[MINUTES_PUT] = "INSERT OR REPLACE INTO minutes VALUES(?1, ?2)",
	[MINUTES_GET] = "SELECT data FROM minutes WHERE id = ?1",
	[MINUTES_ENDS] = "SELECT (SELECT min(id) FROM minutes), (SELECT max(id) FROM minutes)",
	[MINUTES_LIST] =
		"SELECT m.id, n.site, n.factor, m.data FROM minutes m JOIN monitors n"
		" ON n.id = m.id & 4294967295 WHERE m.id >= ?1 AND m.id < ?2 ORDER BY m.id",
	[MINUTES_DROP] = "DELETE FROM minutes WHERE id >= ?1 AND id < ?2",
};

/* --- opening --- */

static int schema_begin(sqlite3 *db)
{
	int64_t version;
	int r = sql_number(db, "PRAGMA user_version", 0, &version);
	if (r != 0 || version == VERSION)
		return r;
	if (version != 0 && version != 2 && version != 3)
		return -EUCLEAN; /* of another version: it is added up anew */
	r = sql_exec(db, "BEGIN IMMEDIATE");
	if (r == 0 && version != 3)
		r = sql_exec(db, version == 0 ? schema : schema_from_2);
	if (r == 0)
		r = sql_exec(db, schema_from_3);
	if (r == 0)
		r = sql_exec(db, "COMMIT");
	sql_rollback(db);
	return r;
}

static int prepare(struct tallies *t)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < TALLIES_STATEMENTS; i++)
		r = sql_prepare(t->db, &t->sql[i], texts[i]);
	return r;
}

static void disconnect(struct tallies *t)
{
	for (size_t i = 0; i < TALLIES_STATEMENTS; i++) {
		sqlite3_finalize(t->sql[i]);
		t->sql[i] = NULL;
	}
	t->db = sql_close(t->db);
}

static int connect_writing(struct tallies *t, const char *path)
{
	int r = sql_open(&t->db, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	if (r == 0)
		r = sql_exec(t->db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL");
	if (r == 0)
		r = schema_begin(t->db);
	if (r == 0)
		r = prepare(t);
	if (r != 0)
		disconnect(t);
	return r;
}

static int tallies_new(struct tallies **out, const char *directory, const struct plan *plan)
{
	struct tallies *t = calloc(1, sizeof *t);
	*out = t;
	if (t == NULL)
		return -ENOMEM;
	t->plan = plan;
	snprintf(t->directory, sizeof t->directory, "%s", directory);
	t->ids = calloc(plan->n_monitors + 1, sizeof *t->ids);
	return t->ids == NULL ? -ENOMEM : 0;
}

static void path_of(const char *directory, char path[4096])
{
	snprintf(path, 4096, "%s/tally.db", directory);
}

int tallies_open(struct tallies **out, const char *directory, const struct plan *plan)
{
	char path[4096];
	path_of(directory, path);
	int r = tallies_new(out, directory, plan);
	if (r == 0)
		r = connect_writing(*out, path);
	if (sql_damaged(r)) {
		log_warnx(
			"%s: damaged, or of another version; it is added up anew from the daybooks",
			path);
		r = sql_set_aside(path);
		if (r == 0)
			r = connect_writing(*out, path);
	}
	if (r != 0)
		*out = tallies_close(*out);
	return r;
}

int tallies_read(struct tallies **out, const char *directory, const struct plan *plan)
{
	char path[4096];
	struct stat about;
	path_of(directory, path);
	*out = NULL;
	if (stat(path, &about) != 0)
		return -errno;
	int r = tallies_new(out, directory, plan);
	if (r == 0)
		r = sql_open(&(*out)->db, path, SQLITE_OPEN_READONLY);
	if (r == 0)
		r = prepare(*out);
	if (r != 0)
		*out = tallies_close(*out);
	return r == -EINVAL ? -ENOENT : r; /* its tables are not there yet */
}

struct tallies *tallies_close(struct tallies *t)
{
	if (t == NULL)
		return NULL;
	tallies_leave_day(t);
	disconnect(t);
	free(t->ids);
	free(t);
	return NULL;
}

/* --- names --- */

static int find_id(struct tallies *t, const char *site, const char *factor, int64_t *id)
{
	sqlite3_stmt *find = t->sql[MONITOR_FIND];
	bool row;
	sql_bind(find, "tt", site, factor);
	int r = sql_step(find, &row);
	*id = r == 0 && row ? sqlite3_column_int64(find, 0) : 0;
	sql_reset(find);
	return r;
}

int tallies_id(struct tallies *t, uint32_t monitor, bool add, int64_t *id)
{
	const struct monitor *m = &t->plan->monitors[monitor];
	const char *site = t->plan->sites[m->site].id;
	*id = t->ids[monitor];
	if (*id != 0)
		return 0;
	int r = find_id(t, site, m->factor, id);
	if (r == 0 && *id == 0 && add) {
		r = sql_do(t->sql[MONITOR_ADD], "tt", site, m->factor);
		if (r == 0)
			r = find_id(t, site, m->factor, id);
	}
	t->ids[monitor] = r == 0 ? *id : 0;
	return r;
}

/* --- writing --- */

int tallies_begin(struct tallies *t)
{
	return sql_exec(t->db, "BEGIN IMMEDIATE");
}

/* What was rolled back may have been a name. */
int tallies_end(struct tallies *t, int r)
{
	tallies_leave_day(t);
	if (r == 0)
		r = sql_exec(t->db, "COMMIT");
	if (r != 0) {
		sql_rollback(t->db);
		memset(t->ids, 0, t->plan->n_monitors * sizeof *t->ids);
	}
	return r;
}

int tallies_put(struct tallies *t, const char *name, const void *data, size_t size)
{
	return sql_put_blob(t->sql[PUT], name, data, size);
}

int tallies_get(struct tallies *t, const char *name, void **data, size_t *size)
{
	return sql_get_blob(t->sql[GET], name, data, size);
}

int tallies_put_hour(struct tallies *t, uint32_t monitor, struct span hour,
		     const struct tally_sum *sum)
{
	int64_t id;
	int r = tallies_id(t, monitor, true, &id);
	return r != 0 ? r
		      : sql_do(t->sql[HOUR_PUT], "iiiddi", id, hour.start_ms, hour.end_ms,
			       sum->load, sum->excess, sum->covered_ms);
}

int tallies_get_hour(struct tallies *t, uint32_t monitor, int64_t start_ms, struct tally_sum *sum)
{
	sqlite3_stmt *get = t->sql[HOUR_GET];
	int64_t id;
	bool row;
	*sum = (struct tally_sum){0};
	int r = tallies_id(t, monitor, false, &id);
	if (r != 0 || id == 0)
		return r;
	sql_bind(get, "ii", id, start_ms);
	r = sql_step(get, &row);
	if (r == 0 && row)
		*sum = (struct tally_sum){.load = sqlite3_column_double(get, 0),
					  .excess = sqlite3_column_double(get, 1),
					  .covered_ms = sqlite3_column_int64(get, 2)};
	sql_reset(get);
	return r;
}

int tallies_count(struct tallies *t, uint32_t monitor, struct span day, const struct tally_count *c,
		  bool anew)
{
	int64_t id;
	int some = c->valid > 0;
	int r = tallies_id(t, monitor, true, &id);
	return r != 0 ? r
		      : sql_do(t->sql[anew ? DAY_SET : DAY_ADD], "iiiiidooi", id, day.start_ms,
			       day.end_ms, c->n, c->valid, c->sum, some, c->low, some, c->high,
			       (int64_t)c->hours);
}

int tallies_put_late(struct tallies *t, uint32_t monitor, struct span day, int64_t late)
{
	int64_t id;
	int r = tallies_id(t, monitor, true, &id);
	return r != 0 ? r : sql_do(t->sql[DAY_LATE], "iiii", id, day.start_ms, day.end_ms, late);
}

int tallies_get_late(struct tallies *t, uint32_t monitor, int64_t day_ms, int64_t *late)
{
	sqlite3_stmt *get = t->sql[DAY_LATE_GET];
	int64_t id;
	bool row;
	*late = 0;
	int r = tallies_id(t, monitor, false, &id);
	if (r != 0 || id == 0)
		return r;
	sql_bind(get, "ii", id, day_ms);
	r = sql_step(get, &row);
	if (r == 0 && row)
		*late = sqlite3_column_int64(get, 0);
	sql_reset(get);
	return r;
}

int tallies_sum_day(struct tallies *t, uint32_t monitor, struct span day)
{
	int64_t id;
	int r = tallies_id(t, monitor, true, &id);
	return r != 0 ? r : sql_do(t->sql[DAY_SUM], "iii", id, day.start_ms, day.end_ms);
}

int tallies_forget_hours(struct tallies *t, uint32_t monitor, struct span span)
{
	int64_t id;
	int r = tallies_id(t, monitor, false, &id);
	return r != 0 || id == 0
		       ? r
		       : sql_do(t->sql[HOURS_FORGET], "iii", id, span.start_ms, span.end_ms);
}

int tallies_prune(struct tallies *t, int64_t before_ms)
{
	return sql_do(t->sql[HOURS_PRUNE], "i", before_ms);
}

int tallies_oldest_hour(struct tallies *t, int64_t *start_ms)
{
	return sql_number(t->db, "SELECT min(start) FROM hours", INT64_MAX, start_ms);
}

int tallies_checkpoint(struct tallies *t)
{
	return sql_exec(t->db, "PRAGMA wal_checkpoint(TRUNCATE)");
}

int tallies_shrink(struct tallies *t)
{
	int r = sql_exec(t->db, "VACUUM");
	return r == 0 ? tallies_checkpoint(t) : r;
}

int tallies_again(struct tallies *t, uint32_t site, int64_t day_ms, int64_t late_ms)
{
	return sql_do(t->sql[AGAIN_ADD], "tii", t->plan->sites[site].id, day_ms, late_ms);
}

int tallies_not_again(struct tallies *t, uint32_t site, int64_t day_ms)
{
	return sql_do(t->sql[AGAIN_DONE], "ti", t->plan->sites[site].id, day_ms);
}

int tallies_waits(struct tallies *t, uint32_t site, int64_t day_ms, bool *waits)
{
	sqlite3_stmt *find = t->sql[AGAIN_FIND];
	sql_bind(find, "ti", t->plan->sites[site].id, day_ms);
	int r = sql_step(find, waits);
	sql_reset(find);
	return r;
}

/* Sites that the plan no longer has are dropped from the list. */
int tallies_next_again(struct tallies *t, int64_t before_ms, uint32_t *site, int64_t *day_ms)
{
	sqlite3_stmt *next = t->sql[AGAIN_NEXT];
	char id[128];
	bool row = true;
	int r = 0;
	*site = NO_INDEX;
	while (r == 0 && row && *site == NO_INDEX) {
		sql_bind(next, "i", before_ms);
		r = sql_step(next, &row);
		if (r == 0 && row) {
			snprintf(id, sizeof id, "%s", sql_text(next, 0));
			*day_ms = sqlite3_column_int64(next, 1);
			*site = plan_site(t->plan, id);
		}
		sql_reset(next);
		if (r == 0 && row && *site == NO_INDEX)
			r = sql_do(t->sql[AGAIN_DONE], "ti", id, *day_ms);
	}
	return r;
}

/* --- reading --- */

static struct tally_row row_of(sqlite3_stmt *s)
{
	return (struct tally_row){
		.span = {sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1)},
		.sum = {.load = sqlite3_column_double(s, 2),
			.excess = sqlite3_column_double(s, 3),
			.covered_ms = sqlite3_column_int64(s, 4)},
		.count = {.n = sqlite3_column_int64(s, 5),
			  .valid = sqlite3_column_int64(s, 6),
			  .sum = sqlite3_column_double(s, 7),
			  .low = sqlite3_column_double(s, 8),
			  .high = sqlite3_column_double(s, 9),
			  .hours = (uint32_t)sqlite3_column_int64(s, 11)},
		.late = sqlite3_column_int64(s, 10),
	};
}

static void count_merge(struct tally_count *into, const struct tally_count *c)
{
	bool first = into->valid == 0;
	if (c->valid > 0) {
		into->low = first || c->low < into->low ? c->low : into->low;
		into->high = first || c->high > into->high ? c->high : into->high;
	}
	into->n += c->n;
	into->valid += c->valid;
	into->sum += c->sum;
}

struct gather {
	const struct zone *zone;
	enum tally_period period;
	struct tally_row row; /* span.end_ms 0: empty */
	tally_row_fn fn;
	void *context;
};

/* Return: false to go no further. */
static bool gather_end(struct gather *g)
{
	bool more = g->row.span.end_ms == 0 || g->fn(g->context, &g->row);
	g->row = (struct tally_row){0};
	return more;
}

static bool gather_row(struct gather *g, const struct tally_row *row)
{
	if (g->period == TALLY_HOUR || g->period == TALLY_DAY)
		return g->fn(g->context, row);
	if (row->span.start_ms >= g->row.span.end_ms) {
		if (!gather_end(g))
			return false;
		g->row.span = g->period == TALLY_MONTH ? month_of(g->zone, row->span.start_ms)
						       : year_of(g->zone, row->span.start_ms);
	}
	g->row.sum.load += row->sum.load;
	g->row.sum.excess += row->sum.excess;
	g->row.sum.covered_ms += row->sum.covered_ms;
	count_merge(&g->row.count, &row->count);
	return true;
}

int tallies_rows(struct tallies *t, uint32_t monitor, enum tally_period period, struct span span,
		 tally_row_fn fn, void *context)
{
	struct gather g = {.zone = &t->plan->zone, .period = period, .fn = fn, .context = context};
	sqlite3_stmt *rows = t->sql[period == TALLY_HOUR ? ROWS_HOURS : ROWS_DAYS];
	int64_t id;
	bool row = false, more = true;
	int r = tallies_id(t, monitor, false, &id);
	if (r != 0 || id == 0)
		return r;
	sql_bind(rows, "iii", id, span.start_ms, span.end_ms);
	while (more && (r = sql_step(rows, &row)) == 0 && row) {
		struct tally_row one = row_of(rows);
		more = gather_row(&g, &one);
	}
	sql_reset(rows);
	if (r == 0 && more)
		gather_end(&g);
	return r;
}

int tallies_load(struct tallies *t, uint32_t monitor, struct span span, double *load)
{
	sqlite3_stmt *sum = t->sql[HOURS_LOAD];
	int64_t id;
	bool row;
	*load = 0;
	int r = tallies_id(t, monitor, false, &id);
	if (r != 0 || id == 0)
		return r;
	sql_bind(sum, "iii", id, span.start_ms, span.end_ms);
	r = sql_step(sum, &row);
	if (r == 0 && row)
		*load = sqlite3_column_double(sum, 0);
	sql_reset(sum);
	return r;
}

static int64_t number_named(struct tallies *t, const char *name)
{
	void *data;
	size_t size;
	int64_t number = 0;
	if (tallies_get(t, name, &data, &size) == 0 && size == sizeof number)
		memcpy(&number, data, sizeof number);
	free(data);
	return number;
}

int64_t tallies_until(struct tallies *t)
{
	return number_named(t, "until");
}

int64_t tallies_marked(struct tallies *t)
{
	return number_named(t, "marked");
}

/* --- classes of sections --- */

int tallies_put_latest(struct tallies *t, uint32_t monitor, int64_t at_ms, double value)
{
	int64_t id;
	int r = tallies_id(t, monitor, true, &id);
	return r != 0 ? r : sql_do(t->sql[LATEST_PUT], "iid", id, at_ms, value);
}

int tallies_get_latest(struct tallies *t, uint32_t monitor, int64_t *at_ms, double *value)
{
	sqlite3_stmt *get = t->sql[LATEST_GET];
	int64_t id;
	bool row;
	*at_ms = 0;
	int r = tallies_id(t, monitor, false, &id);
	if (r != 0 || id == 0)
		return r;
	sql_bind(get, "i", id);
	r = sql_step(get, &row);
	if (r == 0 && row) {
		*at_ms = sqlite3_column_int64(get, 0);
		*value = sqlite3_column_double(get, 1);
	}
	sql_reset(get);
	return r;
}

int tallies_put_section(struct tallies *t, uint32_t site, int64_t at_ms,
			const struct section_class *section)
{
	return sql_do(t->sql[SECTION_ADD], "tiit", t->plan->sites[site].id, at_ms,
		      (int64_t)section->class, t->plan->monitors[section->monitor].factor);
}

int tallies_sections(struct tallies *t, int64_t after, size_t limit, section_row_fn fn,
		     void *context)
{
	sqlite3_stmt *list = t->sql[SECTION_LIST];
	bool row = false, more = true;
	int r = 0;
	sql_bind(list, "ii", after, (int64_t)limit);
	while (more && (r = sql_step(list, &row)) == 0 && row) {
		const struct section_row one = {.id = sqlite3_column_int64(list, 0),
						.site = sql_text(list, 1),
						.at_ms = sqlite3_column_int64(list, 2),
						.class = sqlite3_column_int(list, 3),
						.worst = sql_text(list, 4)};
		more = fn(context, &one);
	}
	sql_reset(list);
	return r;
}

int64_t tallies_section_last(struct tallies *t)
{
	sqlite3_stmt *last = t->sql[SECTION_LAST];
	bool row;
	int64_t id = sql_step(last, &row) == 0 && row ? sqlite3_column_int64(last, 0) : 0;
	sql_reset(last);
	return id;
}

struct mean {
	double sum;
	int64_t n;
};

static bool mean_row(void *context, const struct tally_row *row)
{
	struct mean *mean = context;
	if (row->count.valid > 0) {
		mean->sum += row->count.sum / (double)row->count.valid;
		mean->n++;
	}
	return true;
}

int tallies_mean(struct tallies *t, uint32_t monitor, struct span span, double *mean, int64_t *days)
{
	struct mean m = {0};
	int r = tallies_rows(t, monitor, TALLY_DAY, span, mean_row, &m);
	*days = m.n;
	*mean = m.n > 0 ? m.sum / (double)m.n : 0;
	return r;
}

int tallies_section(struct tallies *t, uint32_t site, struct span span, struct section_class *out)
{
	const struct site *s = &t->plan->sites[site];
	int r = 0;
	section_begin(out);
	for (uint32_t i = 0; r == 0 && i < s->n_monitors; i++) {
		uint32_t monitor = s->first_monitor + i;
		const struct monitor *m = &t->plan->monitors[monitor];
		int64_t days;
		double mean;
		if (m->classes == NULL || (m->classes->has_max && m->classes->has_min))
			continue;
		r = tallies_mean(t, monitor, span, &mean, &days);
		if (days > 0)
			section_take(out, t->plan, monitor, round_even(mean, m->decimals));
	}
	return r;
}
