/* SPDX-License-Identifier: Apache-2.0 */
/* The daybook as files: what there is, what has not left, and taking one away. */
#include "store-daybook.h"

#include "store/daybook-stock.h"

#include <errno.h>

enum { DAYS = 5, ROWS = 10 };

/* Ten readings on each of five days, of two monitors. */
static struct daybook *fill_days(void **state)
{
	struct daybook *daybook = open_daybook(state);
	for (int64_t i = 0; i < DAYS * ROWS; i++) {
		int64_t at = NOW + i / ROWS * DAY_MS + i % ROWS * 1000;
		store(daybook,
		      reading(i % 2 == 0 ? COD : AMMONIA, (uint64_t)i + 1, at, at, (double)i));
	}
	return daybook;
}

static void test_each_file_is_known_with_its_rows_and_times(void **state)
{
	struct daybook *daybook = fill_days(state);
	struct daybook_reader *reader = open_reader(state);
	struct stock_file *files;
	size_t n;

	assert_int_equal(daybook_stock(reader, &files, &n), 0);
	assert_int_equal(n, DAYS);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(files[i].day, zone_day(&test_plan.zone, NOW) + (int64_t)i);
		assert_int_equal(files[i].first, i * ROWS + 1);
		assert_int_equal(files[i].held, i >= DAYS - 2);
		assert_true(files[i].bytes > 0);
		if (files[i].held)
			continue;
		assert_int_equal(files[i].last, i * ROWS + ROWS);
		assert_int_equal(files[i].from_ms, NOW + (int64_t)i * DAY_MS);
		assert_int_equal(files[i].to_ms, NOW + (int64_t)i * DAY_MS + 9000);
	}
	free(files);
	daybook_reader_close(reader);
	daybook_close(daybook);
}

struct noted {
	struct gap cod, ammonia;
	uint64_t count;
};

static bool note(void *context, const char *site, const char *factor, const struct gap *gap)
{
	struct noted *noted = context;
	assert_string_equal(site, "outfall-3");
	*(gap->monitor == COD ? &noted->cod : &noted->ammonia) = *gap;
	assert_true(strcmp(factor, gap->monitor == COD ? "w01018" : "w21003") == 0);
	noted->count += gap->count;
	return true;
}

static void test_what_has_not_left_is_counted_for_each_monitor(void **state)
{
	struct daybook *daybook = fill_days(state);
	struct daybook_reader *reader = open_reader(state);
	struct noted noted = {.count = 0};
	struct stock_file *files;
	size_t n;

	assert_int_equal(daybook_stock(reader, &files, &n), 0);
	assert_int_equal(daybook_unsent(reader, ROWS + 1, ROWS + 3, note, &noted), 0);
	assert_int_equal(noted.count, 7);
	assert_int_equal(noted.cod.count, 3);
	assert_int_equal(noted.cod.from_ms, NOW + DAY_MS + 4000);
	assert_int_equal(noted.cod.to_ms, NOW + DAY_MS + 8000);
	assert_int_equal(noted.ammonia.count, 4);
	assert_int_equal(noted.ammonia.from_ms, NOW + DAY_MS + 3000);
	assert_int_equal(daybook_unsent(reader, ROWS + 1, 2 * ROWS, note, &noted), 0);
	assert_int_equal(noted.count, 7);
	assert_int_equal(daybook_unsent(reader, 7, 0, note, &noted), -ENOENT);
	free(files);
	daybook_reader_close(reader);
	daybook_close(daybook);
}

static void test_a_removed_day_is_gone_for_all_and_the_rest_goes_on(void **state)
{
	struct daybook *daybook = fill_days(state);
	struct daybook_reader *keeper = open_reader(state), *other = open_reader(state);
	struct store_use before, after;

	assert_int_equal(count_after(state, 0), DAYS * ROWS);
	free(all_after(other, 0, SIZE_MAX)); /* has them open */
	assert_int_equal(store_use(*state, &before), 0);
	assert_int_equal(daybook_remove(keeper, 1), 0);
	assert_int_equal(daybook_remove(keeper, 1), -ENOENT);
	assert_int_equal(daybook_remove(keeper, 2 * ROWS + 1), 0);
	assert_false(has_file(state, "2026-01-02.db"));
	assert_false(has_file(state, "2026-01-02.db-wal"));
	assert_false(has_file(state, "2026-01-02.db-shm"));
	assert_true(has_file(state, "2026-01-03.db"));
	assert_int_equal(store_use(*state, &after), 0);
	assert_true(after.bytes < before.bytes);
	assert_int_equal(after.damaged, 0);
	struct rows *rows = all_after(other, 0, SIZE_MAX);
	assert_int_equal(rows->n, 3 * ROWS);
	assert_int_equal(rows->at[0].sequence, ROWS + 1);
	assert_int_equal(rows->at[ROWS].sequence, 3 * ROWS + 1);
	free(rows);
	store(daybook, reading(COD, 100, NOW + 4 * DAY_MS + 60000, NOW + 4 * DAY_MS + 60000, 1));
	assert_int_equal(daybook_sequence(daybook), DAYS * ROWS + 1);
	daybook_close(daybook);
	daybook = open_daybook(state);
	assert_int_equal(daybook_sequence(daybook), DAYS * ROWS + 1);
	daybook_close(daybook);
	daybook_reader_close(keeper);
	daybook_reader_close(other);
}

static void test_what_is_to_be_known_of_a_file_that_goes(void **state)
{
	struct daybook *daybook = fill_days(state);
	struct daybook_reader *reader = open_reader(state);
	struct text text = {0};

	assert_int_equal(daybook_removal(reader, ROWS + 1, &text), 0);
	assert_non_null(strstr(text.at, "\"file\":\"2026-01-03.db\",\"first\":11,\"last\":20"));
	assert_int_equal(daybook_removal(reader, 7, &text), -ENOENT);
	text_deinit(&text);
	daybook_reader_close(reader);
	daybook_close(daybook);
}

static void test_a_file_holds_what_its_rows_say(void **state)
{
	struct daybook *daybook = open_daybook(state);
	bool holds;

	/* 1970 once in each of two days, so that their bounds say nothing */
	for (int64_t i = 0; i < 2 * 5000; i++) {
		int64_t at = NOW + i / 5000 * 3 * DAY_MS + i % 5000;
		store(daybook, reading(COD, (uint64_t)i + 1, i % 5000 == 7 ? 0 : at, at, 1));
	}
	struct daybook_reader *reader = open_reader(state);
	struct stock_file *files;
	size_t n;
	assert_int_equal(daybook_stock(reader, &files, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(daybook_holds(reader, 1, NOW, NOW, &holds), 0);
	assert_true(holds);
	assert_int_equal(daybook_holds(reader, 1, 1, NOW - 1, &holds), 0);
	assert_false(holds);
	assert_int_equal(daybook_holds(reader, 1, NOW + 4999, INT64_MAX, &holds), 0);
	assert_true(holds); /* behind the last block */
	assert_int_equal(daybook_holds(reader, 5001, NOW, NOW + 2 * DAY_MS, &holds), 0);
	assert_false(holds);
	assert_int_equal(daybook_holds(reader, 5001, 0, 0, &holds), 0);
	assert_true(holds);
	assert_int_equal(daybook_holds(reader, 7, 0, 0, &holds), -ENOENT);
	free(files);
	daybook_reader_close(reader);
	daybook_close(daybook);
}

static void test_files_set_aside_are_counted(void **state)
{
	struct store_use use;
	char path[300];

	daybook_close(fill_days(state));
	snprintf(path, sizeof path, "%s/daybook/2026-01-03.db.corrupt-1767294245",
		 (const char *)*state);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(store_use(*state, &use), 0);
	assert_int_equal(use.damaged, 1);
	assert_int_equal(use.aside_bytes, 0);
	int64_t before = use.bytes;
	file = fopen(path, "w");
	for (int i = 0; i < 50000; i++)
		fputc(i, file);
	fclose(file);
	assert_int_equal(store_use(*state, &use), 0);
	assert_true(use.aside_bytes >= 50000);
	assert_int_equal(use.bytes, before + use.aside_bytes);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, directory_make, directory_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_file_is_known_with_its_rows_and_times),
		TEST(test_what_has_not_left_is_counted_for_each_monitor),
		TEST(test_a_removed_day_is_gone_for_all_and_the_rest_goes_on),
		TEST(test_what_is_to_be_known_of_a_file_that_goes),
		TEST(test_a_file_holds_what_its_rows_say),
		TEST(test_files_set_aside_are_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
