/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ledger-internal.h"

#include "base/log.h"
#include "store/schema.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each takes the two seconds that SQLite waits for a lock. */
enum { LOCKED_TRIES = 30 };

/* Within a tenth of a second; whoever copies a larger one checks it (ledger_keep_copy()). */
#define CHECKED_BYTES INT64_C(67108864)

static int ledger_check(struct ledger *ledger, const char *path)
{
	struct stat file;

	if (ledger->directory == NULL)
		return 0;
	if (stat(path, &file) == 0 && file.st_size <= CHECKED_BYTES)
		return ledger_sound(ledger->db);
	atomic_store(&ledger->copy_due, true);
	return 0;
}

/* Tables that another program made are as a damaged file: their rows go into a new one. */
static int ledger_foreign(sqlite3 *db, const char *path)
{
	struct schema_odd odd;
	char words[160];
	int r = ledger_schema_check(db, &odd);

	if (r != SCHEMA_ODD)
		return r == -EPROTONOSUPPORT ? 0 : r; /* said by the steps */
	log_event(LOGGED_DAMAGED, ABOUT_NOTHING, "%s: %s: another program has changed it since",
		  path, schema_words(&odd, words));
	return -EUCLEAN;
}

int ledger_schema_begin(sqlite3 *db, const char *path)
{
	int64_t version;
	int r = sql_number(db, "PRAGMA user_version", 0, &version);

	if (r != 0)
		return r;
	if (version > LEDGER_VERSION) {
		log_warnx("%s: written by a newer ducha (schema %lld, this one knows %d)", path,
			  (long long)version, LEDGER_VERSION);
		return -EPROTONOSUPPORT;
	}
	for (; r == 0 && version < LEDGER_VERSION; version++) {
		r = sql_exec(db, "BEGIN IMMEDIATE");
		if (r == 0)
			r = sql_exec(db, ledger_schemas[version]);
		if (r == 0)
			r = sql_exec(db, "COMMIT");
		sql_rollback(db);
	}
	return r;
}

static int ledger_prepare(struct ledger *ledger)
{
	for (size_t i = 0; i < LEDGER_STATEMENTS; i++) {
		int r = sql_prepare(ledger->db, &ledger->sql[i], ledger_sql[i]);
		if (r != 0)
			return r;
	}
	return 0;
}

static void ledger_disconnect(struct ledger *ledger)
{
	for (size_t i = 0; i < LEDGER_STATEMENTS; i++) {
		sqlite3_finalize(ledger->sql[i]);
		ledger->sql[i] = NULL;
	}
	ledger_since_end(ledger, false);
	since_close(&ledger->since);
	ledger_chain_close(&ledger->chain);
	ledger->db = sql_close(ledger->db);
}

static int ledger_connect(struct ledger *ledger, const char *path)
{
	int r = sql_open(&ledger->db, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);

	if (r == 0)
		r = sql_exec(ledger->db, "PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=EXTRA;"
					 " PRAGMA cache_size=-512");
	if (r == 0 && ledger->directory != NULL)
		r = ledger_foreign(ledger->db, path);
	if (r == 0)
		r = ledger_check(ledger, path);
	if (r == 0)
		r = ledger_schema_begin(ledger->db, path);
	if (r == 0)
		r = ledger_prepare(ledger);
	if (r == 0 && ledger->directory != NULL)
		r = ledger_chain_open(&ledger->chain, ledger->db);
	if (r == 0)
		r = ledger_since_settle(ledger);
	if (r == 0 && ledger->directory != NULL)
		r = ledger_chain_watch(&ledger->chain, ledger->db);
	if (r == 0)
		r = ledger_recount_alerts(ledger);
	if (r == 0)
		r = ledger_recount_cases(ledger);
	if (r == 0)
		r = ledger_recount_events(ledger);
	if (r == 0)
		r = ledger_recount_timer(ledger);
	if (r == 0)
		r = ledger_recount_marks(ledger);
	if (r != 0)
		ledger_disconnect(ledger);
	return r;
}

/* --- numbers that are never given twice --- */

/* So far ahead alerts and events are noted: few transactions write the record for them. */
enum { NUMBERS_AHEAD = 1000 };

struct given {
	int64_t cases, alerts, events;
};

static int ledger_given(struct ledger *ledger, struct given *out)
{
	sqlite3_stmt *given = ledger->sql[SQL_GIVEN];
	bool row;

	int r = sql_step(given, &row);
	*out = (struct given){sqlite3_column_int64(given, 0), sqlite3_column_int64(given, 1),
			      sqlite3_column_int64(given, 2)};
	sql_reset(given);
	return r;
}

/* The open transaction gives these; the record goes ahead of its commit. */
static int numbers_ahead(struct ledger *ledger)
{
	struct numbers *n = &ledger->numbers;
	struct given given;

	int r = ledger_given(ledger, &given);
	if (r != 0 ||
	    (ledger->registered == 0 && given.alerts <= n->alerts && given.events <= n->events))
		return r;
	n->known = given.cases - ledger->registered;
	n->cases = given.cases;
	if (n->alerts < given.alerts)
		n->alerts = given.alerts + NUMBERS_AHEAD;
	if (n->events < given.events)
		n->events = given.events + NUMBERS_AHEAD;
	return numbers_write(n, ledger->directory);
}

static int numbers_take(struct ledger *ledger)
{
	const struct numbers *n = &ledger->numbers;
	int r = sql_do(ledger->sql[SQL_BEGIN], "");

	if (r == 0)
		r = sql_do(ledger->sql[SQL_GIVEN_RAISE], "ti", "cases", n->cases);
	if (r == 0)
		r = sql_do(ledger->sql[SQL_GIVEN_RAISE], "ti", "alerts", n->alerts);
	if (r == 0)
		r = sql_do(ledger->sql[SQL_GIVEN_RAISE], "ti", "events", n->events);
	for (size_t i = 0; r == 0 && i < n->n_years; i++)
		r = sql_do(ledger->sql[SQL_YEAR_RAISE], "ii", n->years[i].year, n->years[i].seq);
	if (r == 0)
		r = sql_do(ledger->sql[SQL_COMMIT], "");
	sql_rollback(ledger->db);
	atomic_store(&ledger->copy_due, true); /* it is in no record */
	if (r == 0)
		log_warnx("numbers of cases go on after %lld", (long long)n->cases);
	return r;
}

/* There is no record, or it cannot be read: it begins with what the ledger has given. */
static int numbers_begin(struct ledger *ledger, const struct given *given)
{
	struct numbers *n = &ledger->numbers;
	sqlite3_stmt *list = ledger->sql[SQL_YEAR_LIST];
	bool row;

	n->known = n->cases = given->cases;
	n->alerts = given->alerts + NUMBERS_AHEAD;
	n->events = given->events + NUMBERS_AHEAD;
	int r = sql_step(list, &row);
	while (r == 0 && row) {
		r = numbers_year(n, sqlite3_column_int64(list, 0), sqlite3_column_int64(list, 1));
		if (r == 0)
			r = sql_step(list, &row);
	}
	sql_reset(list);
	return r == 0 ? numbers_write(n, ledger->directory) : r;
}

/*
 * Compares the ledger with the record. One that lacks cases which were committed before the record
 * was written is not the one of then (damaged, gone, or an older copy put back).
 */
static int numbers_settle(struct ledger *ledger, bool lost)
{
	struct given given;

	numbers_deinit(&ledger->numbers);
	int known = numbers_read(&ledger->numbers, ledger->directory);
	int r = ledger_given(ledger, &given);
	if (known != 0 && known != -ENOENT && known != -EUCLEAN)
		return known;
	if (known == -EUCLEAN)
		log_warnx("%s/numbers: damaged; it begins anew", ledger->directory);
	if (r == 0 && known != 0)
		return numbers_begin(ledger, &given);
	if (r == 0 && (lost || given.cases < ledger->numbers.known))
		r = numbers_take(ledger);
	return r;
}

/* --- the file --- */

bool ledger_altered(const struct ledger *ledger)
{
	return atomic_load(&ledger->chain.altered);
}

/* A program that copies the ledger may hold it for a while. */
static int ledger_connect_patiently(struct ledger *ledger, const char *path)
{
	int r = ledger_connect(ledger, path);

	for (int tries = 0; r == -EBUSY && tries < LOCKED_TRIES; tries++) {
		if (tries == 0)
			log_warnx("%s: locked by another program; waiting for it", path);
		r = ledger_connect(ledger, path);
	}
	return r;
}

/* Nobody can read it, for whatever reason: damage, a folder of that name, a bad sector. */
static bool is_lost(int r)
{
	return sql_damaged(r) || r == -EIO || r == -EISDIR || r == -EACCES || r == -ENXIO;
}

/* Is there no file, or an empty one, where there was one? */
static bool is_gone(const struct ledger *ledger, const char *path)
{
	char numbers[4210];
	struct stat file;

	snprintf(numbers, sizeof numbers, "%s/numbers", ledger->directory);
	return (stat(path, &file) != 0 || file.st_size == 0) &&
	       (access(numbers, F_OK) == 0 || ledger_copy_number(ledger->directory) >= 0);
}

/* The disk may have failed in passing. */
static int ledger_connect_twice(struct ledger *ledger, const char *path)
{
	int r = ledger_connect_patiently(ledger, path);

	return r == -EIO ? ledger_connect_patiently(ledger, path) : r;
}

static int ledger_remake(struct ledger *ledger, const char *path)
{
	int r = ledger_mend(ledger->directory);

	ledger->remade = true;
	if (r == 0)
		r = ledger_connect(ledger, path);
	ledger->remade = false;
	return r;
}

static int ledger_connect_file(struct ledger *ledger)
{
	char path[4200];

	snprintf(path, sizeof path, "%s/ledger.db", ledger->directory);
	if (mkdir(ledger->directory, 0750) != 0 && errno != EEXIST)
		return -errno;
	bool lost = access(path, F_OK) != 0;
	int r = ledger->damaged || is_gone(ledger, path) ? -EUCLEAN
							 : ledger_connect_twice(ledger, path);
	if (is_lost(r)) {
		lost = true;
		/* entries may be lost with a page, which is said: nobody changed their rows */
		bool altered = ledger_altered(ledger);
		r = ledger_remake(ledger, path);
		atomic_store(&ledger->chain.altered, altered);
	}
	if (r == 0)
		r = numbers_settle(ledger, lost);
	if (r == 0)
		r = sql_sync_directory(ledger->directory);
	if (r == 0)
		ledger->damaged = false;
	return r;
}

/* What was read last may be gone: whoever holds alerts offers them again (ledger_mended()). */
static int ledger_reconnect(struct ledger *ledger)
{
	ledger_disconnect(ledger);
	int r = ledger->directory == NULL ? -EUCLEAN : ledger_connect_file(ledger);
	if (r == 0)
		atomic_fetch_add(&ledger->mended, 1);
	return r;
}

uint64_t ledger_mended(const struct ledger *ledger)
{
	return atomic_load(&ledger->mended);
}

/* A small one is copied at once; what cannot be is left to ledger_keep_copy(). */
static int ledger_first_copy(struct ledger *ledger)
{
	char path[4200];
	struct stat file;

	if (ledger->directory == NULL || !atomic_load(&ledger->copy_due))
		return 0;
	snprintf(path, sizeof path, "%s/ledger.db", ledger->directory);
	if (stat(path, &file) != 0 || file.st_size > CHECKED_BYTES)
		return 0;
	return ledger_copy(ledger) == SQL_FATAL ? LEDGER_FATAL : 0;
}

int ledger_open(struct ledger **out, const char *directory, const struct plan *plan)
{
	struct ledger *ledger = calloc(1, sizeof *ledger);

	*out = NULL;
	if (ledger == NULL)
		return -ENOMEM;
	ledger->plan = plan;
	since_init(&ledger->since);
	ledger->kinds = calloc(plan->n_monitors + 1, sizeof *ledger->kinds);
	pthread_mutex_init(&ledger->lock, NULL);
	pthread_mutex_init(&ledger->marks_lock, NULL);
	ledger->directory = directory == NULL ? NULL : strdup(directory);
	int r = -ENOMEM;
	if (ledger->kinds != NULL && (directory == NULL || ledger->directory != NULL))
		r = directory == NULL ? ledger_connect(ledger, ":memory:")
				      : ledger_connect_file(ledger);
	if (r == 0)
		r = ledger_first_copy(ledger);
	if (r != 0)
		ledger = ledger_close(ledger);
	*out = ledger;
	return r;
}

struct ledger *ledger_close(struct ledger *ledger)
{
	if (ledger == NULL)
		return NULL;
	ledger_disconnect(ledger);
	pthread_mutex_destroy(&ledger->lock);
	pthread_mutex_destroy(&ledger->marks_lock);
	marks_deinit(&ledger->marks);
	text_deinit(&ledger->data);
	text_deinit(&ledger->event);
	numbers_deinit(&ledger->numbers);
	for (size_t i = 0; i < ledger->n_words; i++)
		free(ledger->words[i]);
	free(ledger->kinds);
	free(ledger->directory);
	free(ledger);
	return NULL;
}

void ledger_succeed(struct ledger *ledger, const struct plan *plan, _Atomic uint32_t **kinds)
{
	_Atomic uint32_t *old = ledger->kinds;
	pthread_mutex_lock(&ledger->lock);
	ledger->plan = plan;
	ledger->kinds = *kinds;
	if (ledger_recount_alerts(ledger) != 0)
		ledger->recount = true;
	pthread_mutex_unlock(&ledger->lock);
	*kinds = old;
}

/* After a failed commit nobody knows what the file holds: count anew before going on. */
static int ledger_recount(struct ledger *ledger)
{
	int r = ledger_recount_alerts(ledger);
	if (r == 0)
		r = ledger_recount_cases(ledger);
	if (r == 0)
		r = ledger_recount_events(ledger);
	if (r == 0)
		r = ledger_recount_timer(ledger);
	if (r == 0)
		ledger->recount = false;
	return r;
}

int ledger_begin(struct ledger *ledger)
{
	pthread_mutex_lock(&ledger->lock);
	if (ledger->fatal)
		return LEDGER_FATAL;
	if (ledger->damaged) {
		int r = ledger_reconnect(ledger);
		if (r != 0)
			return r;
	}
	if (ledger->recount) {
		int r = ledger_recount(ledger);
		if (r != 0)
			return r;
	}
	ledger->announced = ledger->timed = false;
	ledger->registered = 0;
	int r = ledger_since_begin(ledger);
	return r != 0 || ledger->held ? r : sql_do(ledger->sql[SQL_BEGIN], "");
}

void ledger_alone(void)
{
	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int ledger_hold(struct ledger *ledger,
		bool (*tell)(void *context, const struct ledger_event *event), void *context)
{
	int r = ledger->directory != NULL ? -EINVAL
					  : sql_exec(ledger->db, "PRAGMA journal_mode=OFF; BEGIN");
	ledger->held = r == 0;
	ledger->tell = tell;
	ledger->telling = context;
	return r;
}

void ledger_bind(struct ledger *ledger, void (*daybook)(void *context, struct chain_head *out),
		 void *context)
{
	ledger->chain.daybook = daybook;
	ledger->chain.context = context;
}

int ledger_head(struct ledger *ledger, struct chain_head *out)
{
	pthread_mutex_lock(&ledger->lock);
	int r = ledger_chain_head(&ledger->chain, out);
	pthread_mutex_unlock(&ledger->lock);
	return r;
}

static void ledger_tell(struct ledger *ledger)
{
	for (size_t i = 0; i < ledger->n_listeners; i++)
		ledger->listeners[i].fn(ledger->listeners[i].context);
}

/* Results such as LEDGER_REFUSED leave nothing written, like an error. */
int ledger_end(struct ledger *ledger, int r)
{
	if (r == 0 && ledger->announced && ledger->directory != NULL)
		r = numbers_ahead(ledger);
	if (r == 0)
		r = ledger_chain_flush(&ledger->chain);
	if (r == 0)
		r = ledger_since_note(ledger);
	if (r == 0 && !ledger->held)
		r = sql_do(ledger->sql[SQL_COMMIT], "");
	bool announced = r == 0 && ledger->announced;
	if (r != 0) {
		sql_rollback(ledger->db);
		ledger_chain_failed(&ledger->chain);
	}
	ledger_since_end(ledger, r == 0);
	if (r == LEDGER_FATAL)
		ledger->fatal = true;
	if (sql_damaged(r))
		ledger->damaged = true;          /* mended by the next transaction */
	bool counts = ledger->directory != NULL; /* nobody looks at those of one in memory */
	if (r < 0 || (counts && (announced || ledger->timed)))
		ledger->recount = r < 0 || ledger_recount(ledger) != 0;
	if (r == 0 && ledger->remark)
		ledger->remark = ledger_recount_marks(ledger) != 0;
	pthread_mutex_unlock(&ledger->lock);
	if (announced)
		ledger_tell(ledger);
	return r;
}

int ledger_listen(struct ledger *ledger, void (*fn)(void *context), void *context)
{
	if (ledger->n_listeners == LEDGER_LISTENERS)
		return -ENOSPC;
	ledger->listeners[ledger->n_listeners].fn = fn;
	ledger->listeners[ledger->n_listeners++].context = context;
	return 0;
}

int ledger_put(struct ledger *ledger, const char *name, const void *data, size_t size)
{
	int r = ledger_begin(ledger);
	if (r == 0)
		r = sql_put_blob(ledger->sql[SQL_PUT], name, data, size);
	return ledger_end(ledger, r);
}

int ledger_put_often(struct ledger *ledger, const char *name, const void *data, size_t size)
{
	int r = ledger_begin(ledger);
	ledger_since_often(ledger);
	if (r == 0)
		r = sql_put_blob(ledger->sql[SQL_PUT], name, data, size);
	return ledger_end(ledger, r);
}

int ledger_get(struct ledger *ledger, const char *name, void **data, size_t *size)
{
	pthread_mutex_lock(&ledger->lock);
	int r = sql_get_blob(ledger->sql[SQL_GET], name, data, size);
	pthread_mutex_unlock(&ledger->lock);
	return r;
}

int ledger_put_cursor(struct ledger *ledger, const char *name, int64_t value)
{
	int r = ledger_begin(ledger);
	ledger->lazy = true;
	if (r == 0)
		r = sql_do(ledger->sql[SQL_PUT_CURSOR], "ti", name, value);
	return ledger_end(ledger, r);
}

int64_t ledger_cursor(struct ledger *ledger, const char *name, int64_t missing)
{
	bool row;

	pthread_mutex_lock(&ledger->lock);
	sqlite3_stmt *get = ledger->sql[SQL_GET_CURSOR];
	sql_bind(get, "t", name);
	int64_t value = sql_step(get, &row) == 0 && row ? sqlite3_column_int64(get, 0) : missing;
	sql_reset(get);
	pthread_mutex_unlock(&ledger->lock);
	return value;
}

/* The first cursor behind @after that begins with @prefix, to be freed; NULL: there is none. */
static int cursor_next(struct ledger *ledger, const char *after, const char *prefix, char **name)
{
	sqlite3_stmt *list = ledger->sql[SQL_CURSOR_LIST];
	bool row;

	*name = NULL;
	sql_bind(list, "tt", after, prefix);
	int r = sql_step(list, &row);
	if (r == 0 && row && (*name = strdup(sql_text(list, 0))) == NULL)
		r = -ENOMEM;
	sql_reset(list);
	return r;
}

int ledger_keep_cursors(struct ledger *ledger, const char *prefix,
			bool (*keep)(void *context, const char *name), void *context)
{
	char *name = NULL, *next;
	int r = ledger_begin(ledger);
	while (r == 0) {
		r = cursor_next(ledger, name == NULL ? "" : name, prefix, &next);
		free(name);
		name = next;
		if (r != 0 || name == NULL)
			break;
		if (!keep(context, name + strlen(prefix)))
			r = sql_do(ledger->sql[SQL_CURSOR_DROP], "t", name);
	}
	free(name);
	return ledger_end(ledger, r);
}

enum alert_kind ledger_kind(const char *name)
{
	int kind = 0;
	while (kind < ALERT_KINDS && strcmp(alert_kind_name((enum alert_kind)kind), name) != 0)
		kind++;
	return (enum alert_kind)kind;
}

enum case_status ledger_status(const char *name)
{
	int status = 0;
	while (status < CASE_STATUSES &&
	       strcmp(case_status_name((enum case_status)status), name) != 0)
		status++;
	return (enum case_status)status;
}

enum bound ledger_bound(const char *name)
{
	if (name == NULL)
		return BOUND_NONE;
	return strcmp(name, "max") == 0 ? BOUND_MAX : BOUND_MIN;
}

const char *ledger_bound_name(enum bound bound)
{
	if (bound == BOUND_NONE)
		return NULL;
	return bound == BOUND_MAX ? "max" : "min";
}
