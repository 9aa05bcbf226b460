/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bits of the databases, wherever they lie: pages, heads, free room. A flip that changes a row that
 * is evidence, or keeps SQLite from reading one, must be found, and its file named. What changes
 * nothing that SQLite gives back may be found or not; how often that is, is said.
 * A fifth of DUCHA_MUTATIONS.
 */
#include "mutated.h"

/* What SQLite reads of a file that is evidence; by table. */
struct evidence_rows {
	struct rows of[TABLES];
	bool readable;
};

static sqlite3 *open_as_is(const struct file *file)
{
	char uri[300];
	sqlite3 *db;
	snprintf(uri, sizeof uri, "file:%s?immutable=1", file->path);
	assert_int_equal(sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL),
			 SQLITE_OK);
	return db;
}

static void evidence_take(const struct file *file, struct evidence_rows *out)
{
	sqlite3 *db = open_as_is(file);
	out->readable = true;
	for (size_t i = 0; i < TABLES && out->readable; i++) {
		out->of[i].n = 0;
		if (tables[i].ledger == is_ledger(file))
			out->readable = rows_read(db, &tables[i], &out->of[i]);
	}
	sqlite3_close(db);
}

static bool same(const struct evidence_rows *a, const struct evidence_rows *b)
{
	bool yes = a->readable && b->readable;
	for (size_t i = 0; i < TABLES && yes; i++)
		yes = a->of[i].n == b->of[i].n &&
		      memcmp(a->of[i].at, b->of[i].at, a->of[i].n * sizeof a->of[i].at[0]) == 0;
	return yes;
}

static void flip(const struct file *file, size_t at, size_t bit)
{
	FILE *f = fopen(file->path, "r+e");
	assert_non_null(f);
	assert_int_equal(fseek(f, (long)at, SEEK_SET), 0);
	assert_int_equal(fputc((unsigned char)file->now.at[at] ^ (1 << bit), f) != EOF, true);
	assert_int_equal(fclose(f), 0);
}

static struct {
	size_t harmless, found_harmless, unreadable;
} counts;

static void flip_check(const struct file *file, const struct evidence_rows *before)
{
	static struct evidence_rows after;
	struct verify_sum sum;
	struct said said;
	size_t at, bit = dice(8);
	do
		at = dice(file->now.length);
	while (file->now.at[at] == '\0' && dice(8) != 0); /* much of a page is free */
	flip(file, at, bit);
	evidence_take(file, &after);
	int r = verify_with(store.directory, NULL, &said, &sum);
	bool changed = !same(before, &after);
	size_t n = strlen(said_of(file)) - (is_ledger(file) ? 0 : 2); /* its frames, too */
	bool named = strncmp(said.bad, said_of(file), n) == 0;
	if ((changed || r != VERIFY_CLEAN) && (r != VERIFY_BAD || !named))
		fail_msg("bit %zu of byte %zu of %s: %d, %s", bit, at, file->path, r, said.bad);
	counts.harmless += !changed;
	counts.found_harmless += !changed && r == VERIFY_BAD;
	counts.unreadable += !after.readable;
	restore(file);
}

static void test_a_flipped_bit_is_found_or_changes_nothing(void **state)
{
	static struct evidence_rows before[sizeof store.at / sizeof store.at[0]];
	size_t wanted = how_many() / 5, done = 0;
	store.random = test_seed();
	build(*state);
	for (size_t i = 0; i < store.n; i++)
		if (is_database(&store.at[i]))
			evidence_take(&store.at[i], &before[i]);
	while (done < wanted) {
		size_t i = dice(store.n);
		if (!is_database(&store.at[i]))
			continue;
		flip_check(&store.at[i], &before[i]);
		done++;
	}
	print_message(
		"%zu flips: %zu changed no evidence (%zu of them were found), %zu kept it from "
		"being read\n",
		done, counts.harmless, counts.found_harmless, counts.unreadable);
	assert_true(counts.harmless < done);
	check_clean(store.directory);
	forget_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_flipped_bit_is_found_or_changes_nothing,
						set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
