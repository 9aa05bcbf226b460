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

static const struct stock_rules roomy = {.today = 105,
					 .keep_days = 400,
					 .keep_frames = 30,
					 .keep_minutes = 800,
					 .used_bytes = 600,
					 .most_bytes = 10000,
					 .sent = INT64_MAX};

/* Of readings, where there is nothing else. */
static enum stock_why next(const struct stock_file *files, size_t n,
			   const struct stock_rules *rules, size_t *which)
{
	const struct stock stock = {.readings = files, .n_readings = n, .hours_from_ms = INT64_MAX};
	struct stock_choice c = stock_choose(&stock, rules);

	assert_true(c.why == STOCK_STAYS || c.class == STOCK_READINGS);
	*which = c.which;
	return c.why;
}

/* Takes away all that may go; in @gone by day. Return: how many. */
static int take(struct stock_file *files, struct stock_rules rules, enum stock_why *last)
{
	size_t n = FILES, which;
	int gone = 0;
	enum stock_why why;

	*last = STOCK_STAYS;
	while ((why = next(files, n, &rules, &which)) != STOCK_STAYS) {
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
	rules.keep_minutes = 4;
	assert_false(stock_early(&files[1], STOCK_READINGS, &rules));
	assert_true(stock_early(&files[2], STOCK_READINGS, &rules));
	assert_true(stock_early(&files[1], STOCK_MINUTES, &rules));
	assert_false(stock_early(&files[0], STOCK_MINUTES, &rules));
	(void)state;
}

/* STOCK_STAYS where it is the turn of another class. */
static enum stock_why next_frames(const struct stock_file *files, const struct stock_rules *rules,
				  size_t *which)
{
	const struct stock stock = {
		.readings = files, .n_readings = FILES, .hours_from_ms = INT64_MAX};
	struct stock_choice c = stock_choose(&stock, rules);

	*which = c.which;
	return c.class == STOCK_FRAMES ? c.why : STOCK_STAYS;
}

static int take_frames(struct stock_file *files, struct stock_rules rules, enum stock_why *last)
{
	size_t which;
	int gone = 0;
	enum stock_why why;

	*last = STOCK_STAYS;
	while ((why = next_frames(files, &rules, &which)) != STOCK_STAYS) {
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
	assert_int_equal(next_frames(files, &rules, &which), STOCK_STAYS);
	rules.today = 1000;
	assert_int_equal(next_frames(files, &rules, &which), STOCK_STAYS);
	rules.today = 105;
	rules.n_spans = 0;
	assert_int_equal(take_frames(files, rules, &why), 1);
	(void)state;
}

/* Days 0 to 5 of all classes, and two years of hours: what goes, in the order in which it does. */
struct course {
	struct stock_file readings[FILES], minutes[FILES];
	struct stock stock;
	struct stock_rules rules;
	size_t n;
	struct stock_choice gone[4 * FILES];
	int64_t days[4 * FILES]; /* of their files */
};

static void course_begin(struct course *c)
{
	*c = (struct course){.rules = roomy};
	fill_frames(c->readings);
	fill(c->minutes);
	for (int i = 0; i < FILES; i++)
		c->minutes[i].first = c->minutes[i].last = 0;
	c->stock = (struct stock){c->readings, c->minutes, FILES, FILES, 0};
	c->rules.most_bytes = 1;
	c->rules.hours_stay_ms = 2000;
}

static void drop(struct stock_file *files, size_t *n, size_t which)
{
	for (--*n; which < *n; which++)
		files[which] = files[which + 1];
}

static void course_take(struct course *c, const struct stock_choice *choice)
{
	c->days[c->n] = choice->class == STOCK_MINUTES ? c->minutes[choice->which].day
						       : c->readings[choice->which].day;
	c->gone[c->n++] = *choice;
	if (choice->class == STOCK_FRAMES)
		c->readings[choice->which].frames_bytes = 0;
	else if (choice->class == STOCK_READINGS)
		drop(c->readings, &c->stock.n_readings, choice->which);
	else if (choice->class == STOCK_MINUTES)
		drop(c->minutes, &c->stock.n_minutes, choice->which);
	else
		c->stock.hours_from_ms += 1000;
}

static void course_run(struct course *c)
{
	struct stock_choice choice;
	while ((choice = stock_choose(&c->stock, &c->rules)).why != STOCK_STAYS) {
		assert_true(c->n < 4 * FILES);
		course_take(c, &choice);
	}
}

static void assert_gone(const struct course *c, size_t at, enum stock_class class, int64_t day)
{
	assert_true(at < c->n);
	assert_int_equal(c->gone[at].class, class);
	if (class != STOCK_HOURS)
		assert_int_equal(c->days[at], day);
}

static void test_without_room_classes_go_one_after_the_other(void **state)
{
	static const int64_t frames[] = {100, 102, 103};
	struct course c;
	(void)state;
	course_begin(&c);
	course_run(&c);
	assert_int_equal(c.n, 3 + 4 + 4 + 2);
	for (size_t i = 0; i < 3; i++)
		assert_gone(&c, i, STOCK_FRAMES, frames[i]);
	for (size_t i = 0; i < 4; i++) {
		assert_gone(&c, 3 + i, STOCK_READINGS, 100 + (int64_t)i);
		assert_gone(&c, 7 + i, STOCK_MINUTES, 100 + (int64_t)i);
	}
	assert_gone(&c, 11, STOCK_HOURS, 0);
	assert_gone(&c, 12, STOCK_HOURS, 0);
	for (size_t i = 0; i < c.n; i++)
		assert_int_equal(c.gone[i].why, STOCK_ROOM);
	assert_int_equal(c.stock.hours_from_ms, c.rules.hours_stay_ms);
}

static void test_what_is_over_goes_before_anything_goes_for_room(void **state)
{
	struct course c;
	(void)state;
	course_begin(&c);
	c.rules.keep_minutes = 3; /* days 100 and 101 are older */
	c.rules.keep_days = 4;
	c.rules.keep_frames = 4;
	course_run(&c);
	assert_gone(&c, 0, STOCK_FRAMES, 100);
	assert_gone(&c, 1, STOCK_READINGS, 100);
	assert_gone(&c, 2, STOCK_MINUTES, 100);
	assert_gone(&c, 3, STOCK_MINUTES, 101);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(c.gone[i].why, STOCK_AGE);
	assert_gone(&c, 4, STOCK_FRAMES, 102);
	assert_int_equal(c.gone[4].why, STOCK_ROOM);
}

static void test_minutes_have_a_time_of_their_own(void **state)
{
	struct course c;
	(void)state;
	course_begin(&c);
	c.rules.most_bytes = c.rules.used_bytes; /* there is room */
	c.rules.keep_minutes = 3;
	c.rules.sent = 0; /* whatever the database has had */
	course_run(&c);
	assert_int_equal(c.n, 2);
	assert_gone(&c, 1, STOCK_MINUTES, 101);
	assert_int_equal(c.gone[1].why, STOCK_AGE);
	assert_int_equal(c.stock.hours_from_ms, 0); /* their age is counted elsewhere */
}

static void test_minutes_of_an_open_case_stay(void **state)
{
	struct stock_span span = {DAY + 5, DAY + 5};
	struct course c;
	(void)state;
	course_begin(&c);
	c.rules.spans = &span;
	c.rules.n_spans = 1;
	c.rules.today = 2000;
	course_run(&c);
	assert_int_equal(c.stock.n_minutes, 3);
	assert_int_equal(c.minutes[0].day, 101);
	assert_int_equal(c.stock.n_readings, 3);
	assert_int_equal(c.readings[0].day, 101);
	c.n = 0;
	c.rules.n_spans = 0; /* the case is closed */
	course_run(&c);
	assert_int_equal(c.stock.n_minutes, 2);
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
	assert_int_equal(next(files, 4, &rules, &which), STOCK_AGE);
	assert_int_equal(which, 0);
	assert_int_equal(next(files + 1, 3, &rules, &which), STOCK_AGE);
	assert_int_equal(which, 1); /* of day 101: the second of these */
	asked = 0;
	assert_int_equal(next(files + 3, 1, &rules, &which), STOCK_STAYS);
	assert_int_equal(asked, 0); /* its earliest is within */
	rules.keep_days = 400;
	assert_int_equal(next(files, 4, &rules, &which), STOCK_STAYS);
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
		cmocka_unit_test(test_without_room_classes_go_one_after_the_other),
		cmocka_unit_test(test_what_is_over_goes_before_anything_goes_for_room),
		cmocka_unit_test(test_minutes_have_a_time_of_their_own),
		cmocka_unit_test(test_minutes_of_an_open_case_stay),
		cmocka_unit_test(test_early_is_what_its_age_would_have_left),
		cmocka_unit_test(test_filling_is_said_from_a_tenth_until_half_as_much_again),
		cmocka_unit_test(test_one_absurd_time_holds_no_file),
		cmocka_unit_test(test_the_bound_is_no_more_than_the_disk_can_hold),
		cmocka_unit_test(test_a_file_is_no_older_than_one_recorded_before_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
