/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/stock.h"

enum { FILES = 6, DAY = 1000 };

/* Days 100 to 105 of 10 rows and 100 bytes each; the newest two are held. Day 100 has the times
 * 0 to 999. */
static void fill(struct stock_file *files)
{
	for (int64_t i = 0; i < FILES; i++)
		files[i] = (struct stock_file){.day = 100 + i,
					       .first = i * 10 + 1,
					       .last = i * 10 + 10,
					       .from_ms = i * DAY,
					       .to_ms = i * DAY + DAY - 1,
					       .bytes = 100,
					       .held = i >= FILES - 2};
}

static const struct stock_rules roomy = {
	.today = 105, .keep_days = 400, .used_bytes = 600, .most_bytes = 10000, .sent = INT64_MAX};

/* Takes away all that may go; in @gone by day. Return: how many. */
static int take(struct stock_file *files, struct stock_rules rules, enum stock_why *last)
{
	size_t n = FILES, which;
	int gone = 0;
	enum stock_why why;

	*last = STOCK_STAYS;
	while ((why = stock_next(files, n, &rules, &which)) != STOCK_STAYS) {
		assert_true(which < n);
		assert_false(files[which].held);
		rules.used_bytes -= files[which].bytes;
		n--;
		for (size_t i = which; i < n; i++)
			files[i] = files[i + 1];
		gone++;
		*last = why;
	}
	return gone;
}

static void test_what_is_young_and_has_room_stays(void **state)
{
	struct stock_file files[FILES];
	enum stock_why why;

	fill(files);
	assert_int_equal(take(files, roomy, &why), 0);
	struct stock_rules rules = roomy;
	rules.keep_days = 5; /* days 100 to 104 are the five whole ones */
	assert_int_equal(take(files, rules, &why), 0);
	rules.used_bytes = rules.most_bytes;
	assert_int_equal(take(files, rules, &why), 0);
	(void)state;
}

static void test_what_is_older_than_its_time_goes(void **state)
{
	struct stock_file files[FILES];
	struct stock_rules rules = roomy;
	enum stock_why why;

	fill(files);
	rules.keep_days = 3;
	assert_int_equal(take(files, rules, &why), 2);
	assert_int_equal(why, STOCK_AGE);
	assert_int_equal(files[0].day, 102);
	rules.today = 1000; /* but never what the next start needs */
	assert_int_equal(take(files, rules, &why), 2);
	(void)state;
}

static void test_without_room_the_oldest_go_until_there_is(void **state)
{
	struct stock_file files[FILES];
	struct stock_rules rules = roomy;
	enum stock_why why;

	fill(files);
	rules.most_bytes = 450;
	assert_int_equal(take(files, rules, &why), 2);
	assert_int_equal(why, STOCK_ROOM);
	assert_int_equal(files[0].day, 102);
	fill(files);
	rules.most_bytes = 10;
	assert_int_equal(take(files, rules, &why), 4);
	(void)state;
}

static void test_what_has_not_left_goes_only_without_room(void **state)
{
	struct stock_file files[FILES];
	struct stock_rules rules = roomy;
	enum stock_why why;

	fill(files);
	rules.today = 1000;
	rules.sent = 19; /* all but one row of the second file */
	assert_int_equal(take(files, rules, &why), 1);
	assert_int_equal(why, STOCK_AGE);
	rules.sent = 20;
	fill(files);
	assert_int_equal(take(files, rules, &why), 2);
	fill(files);
	rules.sent = 0;
	rules.most_bytes = 550;
	assert_int_equal(take(files, rules, &why), 1);
	assert_int_equal(why, STOCK_ROOM);
	(void)state;
}

static void test_what_an_open_case_needs_stays_in_any_case(void **state)
{
	static const struct {
		struct stock_span span;
		int gone;
		int64_t first_day;
	} cells[] = {
		{{0, 999}, 3, 100},
		{{999, 999}, 3, 100},
		{{0, 0}, 3, 100},
		{{999, 1000}, 2, 100},
		{{-5, -1}, 4, 104},
		{{1500, 2500}, 2, 101},
		{{3999, INT64_MAX}, 3, 103},
		{{4000, INT64_MAX}, 4, 104},
		{{INT64_MIN, INT64_MAX}, 0, 100},
	};
	for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
		struct stock_file files[FILES];
		struct stock_rules rules = roomy;
		enum stock_why why;
		rules.spans = &cells[i].span;
		rules.n_spans = 1;
		rules.today = 1000;
		rules.most_bytes = 1;
		fill(files);
		assert_int_equal(take(files, rules, &why), cells[i].gone);
		assert_int_equal(files[0].day, cells[i].first_day);
	}
	(void)state;
}

static void test_early_is_what_its_age_would_have_left(void **state)
{
	struct stock_file files[FILES];
	struct stock_rules rules = roomy;

	fill(files);
	rules.keep_days = 3;
	assert_false(stock_early(&files[1], &rules));
	assert_true(stock_early(&files[2], &rules));
	(void)state;
}

static int take_frames(struct stock_file *files, struct stock_rules rules, enum stock_why *last)
{
	size_t which;
	int gone = 0;
	enum stock_why why;

	*last = STOCK_STAYS;
	while ((why = stock_next_frames(files, FILES, &rules, &which)) != STOCK_STAYS) {
		rules.used_bytes -= files[which].frames_bytes;
		files[which].frames_bytes = 0;
		gone++;
		*last = why;
	}
	return gone;
}

/* Days 100 to 103 have frames of 10 bytes, but day 101 none; so have the held ones. */
static void fill_frames(struct stock_file *files)
{
	fill(files);
	for (int i = 0; i < FILES; i++)
		files[i].frames_bytes = i == 1 ? 0 : 10;
}

static void test_frames_have_a_time_of_their_own_and_go_first(void **state)
{
	struct stock_file files[FILES];
	struct stock_rules rules = roomy;
	enum stock_why why;
	size_t which;

	rules.keep_frames = 30;
	fill_frames(files);
	assert_int_equal(take_frames(files, rules, &why), 0);
	rules.keep_frames = 3; /* days 102 to 104 are the three whole ones */
	assert_int_equal(take_frames(files, rules, &why), 1);
	assert_int_equal(why, STOCK_AGE);
	assert_int_equal(files[0].frames_bytes, 0);
	rules.keep_frames = 30;
	rules.most_bytes = 585; /* of 600: two files of frames make the room */
	fill_frames(files);
	assert_int_equal(take_frames(files, rules, &why), 2);
	assert_int_equal(why, STOCK_ROOM);
	assert_int_equal(files[3].frames_bytes, 10);
	rules.most_bytes = 1; /* never those of the newest two, nor what an open case needs */
	rules.spans = &(struct stock_span){3 * DAY, 3 * DAY};
	rules.n_spans = 1;
	assert_int_equal(stock_next_frames(files, FILES, &rules, &which), STOCK_STAYS);
	rules.today = 1000;
	assert_int_equal(stock_next_frames(files, FILES, &rules, &which), STOCK_STAYS);
	rules.n_spans = 0;
	assert_int_equal(take_frames(files, rules, &why), 1);
	(void)state;
}

static void test_filling_is_said_from_a_tenth_until_half_as_much_again(void **state)
{
	struct stock_room room = {
		.most_bytes = 1000, .disk_free_bytes = 1000000, .disk_all_bytes = 1000000};

	room.used_bytes = 900;
	assert_false(stock_filling(&room, false));
	room.used_bytes = 901;
	assert_true(stock_filling(&room, false));
	room.used_bytes = 860;
	assert_true(stock_filling(&room, true));
	assert_false(stock_filling(&room, false));
	room.used_bytes = 850;
	assert_false(stock_filling(&room, true));
	room.used_bytes = 100;
	room.disk_free_bytes = 99; /* a tenth of the bound, though far from one of the disk */
	assert_true(stock_filling(&room, false));
	room.disk_free_bytes = 101;
	assert_false(stock_filling(&room, false));
	room.disk_all_bytes = 500; /* a disk smaller than the bound */
	room.disk_free_bytes = 51;
	assert_false(stock_filling(&room, false));
	room.disk_free_bytes = 49;
	assert_true(stock_filling(&room, false));
	(void)state;
}

static bool has_day_100(void *context, const struct stock_file *file, const struct stock_span *span)
{
	(*(int *)context)++;
	return file->first == 2 && span->from_ms <= 100;
}

static void test_one_absurd_time_holds_no_file(void **state)
{
	/* of each but the last the earliest reading is of 1970, or the latest of 2100 */
	const struct stock_file files[] = {
		{.day = 90, .first = 1, .last = 1, .from_ms = 0, .to_ms = 90},
		{.day = 100, .first = 2, .last = 2, .from_ms = 0, .to_ms = 9000},
		{.day = 101, .first = 3, .last = 3, .from_ms = 0, .to_ms = 9000},
		{.day = 102, .first = 4, .last = 4, .from_ms = 60, .to_ms = 102},
	};
	const struct stock_span spans[] = {{50, 60}, {99, 101}};
	int asked = 0;
	size_t which;
	struct stock_rules rules = {.today = 200,
				    .keep_days = 10,
				    .most_bytes = 1,
				    .sent = INT64_MAX,
				    .spans = spans,
				    .n_spans = 2,
				    .holds = has_day_100,
				    .context = &asked};
	(void)state;
	assert_int_equal(stock_next(files, 4, &rules, &which), STOCK_AGE);
	assert_int_equal(which, 0);
	assert_int_equal(stock_next(files + 1, 3, &rules, &which), STOCK_AGE);
	assert_int_equal(which, 1); /* of day 101: the second of these */
	asked = 0;
	assert_int_equal(stock_next(files + 3, 1, &rules, &which), STOCK_STAYS);
	assert_int_equal(asked, 0); /* its earliest is within */
	rules.keep_days = 400;
	assert_int_equal(stock_next(files, 4, &rules, &which), STOCK_STAYS);
	assert_int_equal(asked, 0); /* what may stay is not looked into */
}

static void test_the_bound_is_no_more_than_the_disk_can_hold(void **state)
{
	(void)state;
	assert_int_equal(stock_most(20000, 1600), 1500);
	assert_int_equal(stock_most(1000, 1600), 1000);
}

static void test_a_file_is_no_older_than_one_recorded_before_it(void **state)
{
	/* a clock ten years back for a while, and ahead for a while */
	const int64_t named[] = {101, 102, -3550, 900, 103, -3550, 900, 104},
		      settled[] = {101, 102, 102, 900, 103, 103, 900, 104};
	struct stock_file files[8] = {0};
	(void)state;
	for (size_t i = 0; i < 8; i++)
		files[i].day = named[i];
	stock_settle(files, 8, 105);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(files[i].day, settled[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_young_and_has_room_stays),
		cmocka_unit_test(test_what_is_older_than_its_time_goes),
		cmocka_unit_test(test_without_room_the_oldest_go_until_there_is),
		cmocka_unit_test(test_what_has_not_left_goes_only_without_room),
		cmocka_unit_test(test_what_an_open_case_needs_stays_in_any_case),
		cmocka_unit_test(test_frames_have_a_time_of_their_own_and_go_first),
		cmocka_unit_test(test_early_is_what_its_age_would_have_left),
		cmocka_unit_test(test_filling_is_said_from_a_tenth_until_half_as_much_again),
		cmocka_unit_test(test_one_absurd_time_holds_no_file),
		cmocka_unit_test(test_the_bound_is_no_more_than_the_disk_can_hold),
		cmocka_unit_test(test_a_file_is_no_older_than_one_recorded_before_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
