/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disks that fail: the real SQLite on a layer of ours that lets the Nth write, truncation or fsync
 * fail. N grows until a whole run meets no fault.
 */
#include "store-plan.h"

#include "store/daybook.h"
#include "store/ledger.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#define NOW INT64_C(1767294245000)

enum fault { FAULT_NONE, FAULT_WRITE, FAULT_FULL, FAULT_SYNC, FAULT_DAMAGE, FAULT_KILL };

/* SQLite's own file methods, with ours before them. */
static struct {
	sqlite3_vfs vfs, *real;
	struct {
		sqlite3_io_methods methods;
		const sqlite3_io_methods *under;
	} kinds[4]; /* SQLite has different methods for databases and journals */
	enum fault fault;
	int countdown; /* the call that fails; 0: none will */
	bool struck;
} disk;

static bool disk_strikes(enum fault fault)
{
	if (disk.fault != fault || disk.countdown == 0 || --disk.countdown > 0)
		return false;
	disk.struck = true;
	return true;
}

static const sqlite3_io_methods *disk_under(sqlite3_file *file)
{
	size_t i = 0;
	while (file->pMethods != &disk.kinds[i].methods)
		i++;
	return disk.kinds[i].under;
}

static int disk_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
	if (disk_strikes(FAULT_WRITE))
		return SQLITE_IOERR_WRITE;
	if (disk_strikes(FAULT_FULL))
		return SQLITE_FULL;
	if (disk_strikes(FAULT_DAMAGE))
		return SQLITE_CORRUPT;
	if (disk_strikes(FAULT_KILL))
		kill(getpid(), SIGKILL);
	return disk_under(file)->xWrite(file, data, size, offset);
}

static int disk_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	if (disk_strikes(FAULT_WRITE))
		return SQLITE_IOERR_TRUNCATE;
	return disk_under(file)->xTruncate(file, size);
}

static int disk_sync(sqlite3_file *file, int flags)
{
	if (disk_strikes(FAULT_SYNC))
		return SQLITE_IOERR_FSYNC;
	return disk_under(file)->xSync(file, flags);
}

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
	(void)vfs;
	int rc = disk.real->xOpen(disk.real, name, file, flags, out);
	if (file->pMethods == NULL)
		return rc;
	size_t i = 0;
	while (disk.kinds[i].under != NULL && disk.kinds[i].under != file->pMethods)
		i++;
	if (disk.kinds[i].under == NULL) {
		disk.kinds[i].under = file->pMethods;
		disk.kinds[i].methods = *file->pMethods;
		disk.kinds[i].methods.xWrite = disk_write;
		disk.kinds[i].methods.xTruncate = disk_truncate;
		disk.kinds[i].methods.xSync = disk_sync;
	}
	file->pMethods = &disk.kinds[i].methods;
	return rc;
}

static int disk_install(void **state)
{
	(void)state;
	disk.real = sqlite3_vfs_find(NULL);
	disk.vfs = *disk.real;
	disk.vfs.zName = "faulty";
	disk.vfs.xOpen = disk_open;
	return sqlite3_vfs_register(&disk.vfs, 1);
}

static void disk_arm(enum fault fault, int nth)
{
	disk.fault = fault;
	disk.countdown = nth;
	disk.struck = false;
}

/* --- the daybook --- */

static bool count_row(void *context, const struct daybook_row *row)
{
	int64_t *n = context;
	assert_int_equal(row->sequence, *n + 1);
	assert_int_equal(row->reading.seq, *n + 1);
	++*n;
	return true;
}

static int64_t count_rows(const char *directory)
{
	struct daybook_reader *reader;
	int64_t n = 0;
	assert_int_equal(daybook_reader_open(&reader, directory, &test_plan), 0);
	assert_int_equal(daybook_after(reader, 0, SIZE_MAX, count_row, &n), 0);
	daybook_reader_close(reader);
	return n;
}

static size_t count_files(const char *directory)
{
	char path[256];
	size_t n = 0;
	snprintf(path, sizeof path, "%s/daybook", directory);
	DIR *dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		n += strstr(entry->d_name, ".db") != NULL &&
		     strstr(entry->d_name, "-wal") == NULL &&
		     strstr(entry->d_name, "-shm") == NULL &&
		     strstr(entry->d_name, "-journal") == NULL;
	closedir(dir);
	return n;
}

/* Offers 12 batches over four days, each until it is taken. Return: 0 or the fatal result. */
static int record(struct daybook *daybook)
{
	for (uint64_t batch = 0; batch < 12; batch++) {
		struct reading readings[300];
		int64_t at = NOW + (int64_t)batch * 6 * 3600000;
		int r = 1, tries = 0;
		for (uint64_t k = 0; k < 300; k++)
			readings[k] = (struct reading){.seq = batch * 300 + k + 1,
						       .monitor = (uint32_t)(k % MONITORS),
						       .measured_ms = at,
						       .received_ms = at,
						       .flag = FLAG_NORMAL};
		do {
			r = daybook_append(daybook, readings, 300);
			if (r == 0)
				r = daybook_commit(daybook);
			assert_true(++tries < 5);
		} while (r < 0);
		if (r > 0)
			return r;
	}
	return 0;
}

static int record_with_fault(void **state, enum fault fault, int nth)
{
	struct daybook *daybook;

	disk_arm(FAULT_NONE, 0);
	assert_int_equal(daybook_open(&daybook, *state, &test_plan), 0);
	disk_arm(fault, nth);
	int r = record(daybook);
	bool struck = disk.struck;
	disk_arm(FAULT_NONE, 0);
	if (r != 0) {
		assert_int_equal(r, DAYBOOK_FATAL);
		assert_true(struck && fault == FAULT_SYNC);
		struct reading one = {.seq = 9999, .flag = FLAG_NORMAL};
		assert_int_equal(daybook_append(daybook, &one, 1), DAYBOOK_FATAL);
		assert_int_equal(daybook_commit(daybook), DAYBOOK_FATAL);
	}
	if (r == 0) {
		assert_int_equal(daybook_sequence(daybook), 3600);
		assert_int_equal(count_rows(*state), 3600);
	}
	int64_t committed = daybook_sequence(daybook);
	assert_true(count_files(*state) <= 4);
	daybook_close(daybook);
	assert_true(count_rows(*state) >= committed);
	return struck;
}

static void each_daybook_fault(enum fault fault)
{
	int nth = 1;

	for (bool struck = true; struck; nth += 1 + nth / 8) {
		void *state;
		assert_int_equal(directory_make_in_memory(&state), 0);
		struck = record_with_fault(&state, fault, nth);
		directory_remove(&state);
	}
	assert_true(nth > 10);
}

static void test_the_daybook_outlives_any_failed_write(void **state)
{
	(void)state;
	each_daybook_fault(FAULT_WRITE);
}

static void test_the_daybook_outlives_a_full_disk_at_any_moment(void **state)
{
	(void)state;
	each_daybook_fault(FAULT_FULL);
}

static void test_the_daybook_never_goes_on_after_a_failed_fsync(void **state)
{
	(void)state;
	each_daybook_fault(FAULT_SYNC);
}

/* A commit makes one fsync, or two where the log begins anew; only folding it back makes a third.
 */
static void test_a_failed_fsync_in_folding_back_is_fatal_too(void **state)
{
	static struct reading readings[3000];
	struct daybook *daybook;
	uint64_t seq = 0;
	int r = 0;

	assert_int_equal(directory_make_in_memory(state), 0);
	assert_int_equal(daybook_open(&daybook, *state, &test_plan), 0);
	for (int i = 0; r == 0 && i < 200; i++) {
		for (size_t k = 0; k < 3000; k++)
			readings[k] = (struct reading){
				.seq = ++seq, .received_ms = NOW, .flag = FLAG_NORMAL};
		disk_arm(i == 0 ? FAULT_NONE : FAULT_SYNC, 3);
		r = daybook_append(daybook, readings, 3000);
		if (r == 0)
			r = daybook_commit(daybook);
	}
	assert_int_equal(r, DAYBOOK_FATAL);
	assert_true(disk.struck);
	disk_arm(FAULT_NONE, 0);
	assert_int_equal(daybook_append(daybook, readings, 1), DAYBOOK_FATAL);
	daybook_close(daybook);
	assert_int_equal(count_rows(*state), seq); /* the commit itself was good */
	directory_remove(state);
}

static void test_a_file_that_is_damaged_under_way_is_set_aside(void **state)
{
	struct reading r = {.seq = 1, .received_ms = NOW, .flag = FLAG_NORMAL};
	struct daybook *daybook;

	assert_int_equal(directory_make_in_memory(state), 0);
	assert_int_equal(daybook_open(&daybook, *state, &test_plan), 0);
	assert_int_equal(daybook_append(daybook, &r, 1), 0);
	assert_int_equal(daybook_commit(daybook), 0);
	r.seq = 2;
	disk_arm(FAULT_DAMAGE, 1);
	assert_int_equal(daybook_append(daybook, &r, 1), 0);
	assert_int_equal(daybook_commit(daybook), -EUCLEAN);
	disk_arm(FAULT_NONE, 0);
	assert_int_equal(daybook_append(daybook, &r, 1), 0);
	assert_int_equal(daybook_commit(daybook), 0);
	assert_true(daybook_sequence(daybook) > 2);
	assert_int_equal(count_files(*state), 2); /* the one set aside, and the new one */
	daybook_close(daybook);
	directory_remove(state);
}

/* --- the ledger --- */

static struct verdict verdict_of(uint32_t monitor, int64_t at, bool raise)
{
	return (struct verdict){.type = raise ? VERDICT_RAISED : VERDICT_CLEARED,
				.kind = ALERT_EXCEEDANCE,
				.monitor = monitor,
				.connection = NO_INDEX,
				.limit = 0,
				.bound = BOUND_MAX,
				.time_ms = at,
				.began_ms = NOW,
				.raised_ms = NOW,
				.has_value = true,
				.value = 60,
				.peak_value = 60,
				.has_limit = true,
				.limit_value = 50};
}

static int apply_until_taken(struct ledger *ledger, const struct verdict *verdicts, size_t n)
{
	int r, tries = 0;
	do {
		r = ledger_apply(ledger, verdicts, n, NOW, NULL);
		assert_true(++tries < 5);
	} while (r < 0);
	return r;
}

static void check_ledger(struct ledger *ledger)
{
	struct text out = {0};
	assert_int_equal(ledger_active_count(ledger, ALERT_EXCEEDANCE), 1);
	assert_int_equal(ledger_case_count(ledger, CASE_REGISTERED), 2);
	assert_int_equal(ledger_event_last(ledger), 5);
	assert_int_equal(ledger_case_json(ledger, 2, &out), 0);
	assert_non_null(strstr(out.at, "\"seq\":2,"));
	assert_int_equal(ledger_case_json(ledger, 3, &out), LEDGER_UNKNOWN);
	text_deinit(&out);
}

static bool apply_with_fault(void **state, enum fault fault, int nth)
{
	struct verdict raises[] = {verdict_of(COD, NOW, true), verdict_of(ACIDITY, NOW, true)};
	struct verdict clear = verdict_of(COD, NOW + 5, false);
	struct ledger *ledger;

	disk_arm(FAULT_NONE, 0);
	assert_int_equal(ledger_open(&ledger, *state, &test_plan), 0);
	disk_arm(fault, nth);
	int r = apply_until_taken(ledger, raises, 2);
	if (r == 0)
		r = apply_until_taken(ledger, &clear, 1);
	bool struck = disk.struck;
	disk_arm(FAULT_NONE, 0);
	if (r == 0) {
		check_ledger(ledger);
	} else {
		assert_int_equal(r, LEDGER_FATAL);
		assert_true(fault == FAULT_SYNC);
		assert_int_equal(ledger_apply(ledger, &clear, 1, NOW, NULL), LEDGER_FATAL);
	}
	ledger_close(ledger);
	assert_int_equal(ledger_open(&ledger, *state, &test_plan), 0);
	if (r != 0) { /* the next life is offered the same again */
		assert_int_equal(apply_until_taken(ledger, raises, 2), 0);
		assert_int_equal(apply_until_taken(ledger, &clear, 1), 0);
	}
	check_ledger(ledger);
	ledger_close(ledger);
	return struck;
}

static void each_ledger_fault(enum fault fault)
{
	int nth = 1;

	for (bool struck = true; struck; nth++) {
		void *state;
		assert_int_equal(directory_make_in_memory(&state), 0);
		struck = apply_with_fault(&state, fault, nth);
		directory_remove(&state);
	}
	assert_true(nth > 4);
}

static void test_the_ledger_outlives_any_failed_write(void **state)
{
	(void)state;
	each_ledger_fault(FAULT_WRITE);
	each_ledger_fault(FAULT_FULL);
}

static void test_the_ledger_never_goes_on_after_a_failed_fsync(void **state)
{
	(void)state;
	each_ledger_fault(FAULT_SYNC);
}

/* --- the ledger, killed between the writes of a commit --- */

static int integrity_row(void *ok, int n, char **values, char **names)
{
	(void)n;
	(void)names;
	*(bool *)ok = strcmp(values[0], "ok") == 0;
	return 0;
}

/* Rolled back by its journal, and not mended: nothing of the file was ever half written. */
static void check_rolled_back(void **state)
{
	char path[300];
	sqlite3 *db;
	bool ok = false;

	snprintf(path, sizeof path, "%s/ledger.db", (const char *)*state);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA integrity_check(1)", integrity_row, &ok, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	assert_true(ok);
	DIR *dir = opendir(*state);
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		assert_null(strstr(entry->d_name, ".corrupt-"));
	closedir(dir);
}

/* Return: false if the child was through before its Nth write. */
static bool killed_in_commit(void **state, const struct verdict *verdicts, size_t n, int nth)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		struct ledger *ledger;
		if (ledger_open(&ledger, *state, &test_plan) != 0)
			_exit(2);
		disk_arm(FAULT_KILL, nth);
		_exit(ledger_apply(ledger, verdicts, n, NOW, NULL) == 0 ? 0 : 3);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status);
}

static void test_a_kill_between_the_writes_of_a_commit_is_rolled_back(void **state)
{
	struct verdict first[] = {verdict_of(COD, NOW, true)};
	struct verdict then[] = {verdict_of(ACIDITY, NOW, true), verdict_of(COD, NOW + 5, false)};
	bool killed = true;
	int nth = 1;

	for (; killed; nth++) {
		void *directory;
		struct ledger *ledger;
		assert_int_equal(directory_make_in_memory(&directory), 0);
		assert_false(killed_in_commit(&directory, first, 1, 0));
		killed = killed_in_commit(&directory, then, 2, nth);
		check_rolled_back(&directory);
		assert_int_equal(ledger_open(&ledger, directory, &test_plan), 0);
		assert_int_equal(apply_until_taken(ledger, then, 2), 0);
		check_ledger(ledger);
		ledger_close(ledger);
		check_rolled_back(&directory);
		directory_remove(&directory);
	}
	assert_true(nth > 10);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_daybook_outlives_any_failed_write),
		cmocka_unit_test(test_the_daybook_outlives_a_full_disk_at_any_moment),
		cmocka_unit_test(test_the_daybook_never_goes_on_after_a_failed_fsync),
		cmocka_unit_test(test_a_file_that_is_damaged_under_way_is_set_aside),
		cmocka_unit_test(test_a_failed_fsync_in_folding_back_is_fatal_too),
		cmocka_unit_test(test_the_ledger_outlives_any_failed_write),
		cmocka_unit_test(test_the_ledger_never_goes_on_after_a_failed_fsync),
		cmocka_unit_test(test_a_kill_between_the_writes_of_a_commit_is_rolled_back),
	};
	return cmocka_run_group_tests(tests, disk_install, NULL);
}
