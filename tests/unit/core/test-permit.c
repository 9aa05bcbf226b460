/* SPDX-License-Identifier: Apache-2.0 */
/* A year's load against its permit, hour by hour. */
#include "testing.h"
#include "core/permit.h"

#include <string.h>
#include "core/text.h"

#define HOUR INT64_C(3600000)
/* 2026-12-31T20:00:00+08:00, four hours before the year ends */
#define START INT64_C(1798718400000)

static const struct zone_change east[] = {{INT64_MIN, 8 * 3600}};
static const struct permit_share shares[] = {{0.5, "50%"}, {0.8, "80%"}, {1, "100%"}};
static const struct monitor monitor = {
	.permit_tonnes = 0.1, .permit_load = 100, .permit_shares = shares, .n_permit_shares = 3};
static const struct plan plan = {.monitors = &monitor, .n_monitors = 1, .zone = {east, 1}};

/* "+50%@2=0.06": raised at the end of the second hour by 0.06 t; - cleared, ~ goes on. */
static void write_down(void *context, const struct verdict *v)
{
	struct text *said = context;
	static const char signs[] = {
		[VERDICT_RAISED] = '+', [VERDICT_CLEARED] = '-', [VERDICT_PEAK] = '~'};
	assert_int_equal(v->kind, ALERT_LOAD);
	assert_true(v->limit_value == 0.1);
	text_format(said, "%s%c%s@%d=%.12g", said->length > 0 ? " " : "", signs[v->type], v->reason,
		    (int)((v->time_ms - START) / HOUR), v->value);
}

static void hours(struct permit *p, int from, int to, double load, const char *expected)
{
	struct text said = {0};
	const struct tally_sum sum = {.load = load, .readings = 6};
	for (int i = from; i < to; i++)
		permit_hour(p, &plan, 0, (struct span){START + i * HOUR, START + (i + 1) * HOUR},
			    &sum, write_down, &said);
	assert_string_equal(said.at == NULL ? "" : said.at, expected);
	text_deinit(&said);
}

static void judge(struct permit *p, int hour, bool clears, const char *expected)
{
	struct text said = {0};
	permit_judge(p, &plan, 0, (struct span){START + hour * HOUR, START + hour * HOUR}, clears,
		     write_down, &said);
	assert_string_equal(said.at == NULL ? "" : said.at, expected);
	text_deinit(&said);
}

static void test_each_share_is_said_once_and_goes_on(void **state)
{
	struct permit p = {0};
	(void)state;
	hours(&p, 0, 1, 50, ""); /* equal does not reach */
	hours(&p, 1, 2, 1, "+50%@2=0.051");
	hours(&p, 2, 3, 50, "~50%@3=0.101 +80%@3=0.101 +100%@3=0.101");
	hours(&p, 3, 4, 1, "~50%@4=0.102 ~80%@4=0.102 ~100%@4=0.102");
}

static void count_readings(void *context, const struct verdict *v)
{
	text_format(context, " %c%s:%u", v->type == VERDICT_CLEARED ? '-' : '+', v->reason,
		    v->readings);
}

/* Of each share from the hour on that went beyond it, also when it was taken up again. */
static void test_the_readings_it_rests_on_are_counted(void **state)
{
	struct permit p = {0};
	struct text said = {0};
	(void)state;
	static const struct tally_sum sums[] = {{.load = 51, .readings = 6},
						{.load = 30, .readings = 4},
						{.load = 0, .readings = 60}};
	for (int i = 0; i < 3; i++)
		permit_hour(&p, &plan, 0, (struct span){START + i * HOUR, START + (i + 1) * HOUR},
			    &sums[i], count_readings, &said);
	assert_string_equal(said.at, " +50%:6 +50%:10 +80%:4 +50%:70 +80%:64");
	p.load = 0;
	permit_judge(&p, &plan, 0, (struct span){START + 3 * HOUR, START + 3 * HOUR}, true,
		     count_readings, &said);
	assert_string_equal(said.at + strlen(" +50%:6 +50%:10 +80%:4 +50%:70 +80%:64"),
			    " -50%:70 -80%:64");
	text_deinit(&said);
}

static void test_a_new_year_begins_with_nothing(void **state)
{
	struct permit p = {0};
	(void)state;
	hours(&p, 0, 2, 45, "+50%@2=0.09 +80%@2=0.09");
	hours(&p, 4, 5, 51, "-50%@4=0 -80%@4=0 +50%@5=0.051");
	hours(&p, 3, 4, 100, ""); /* the old year is over */
	hours(&p, 5, 6, 1, "~50%@6=0.052");
}

static void test_a_load_that_became_less_clears_where_it_may(void **state)
{
	struct permit p = {0};
	(void)state;
	hours(&p, 0, 1, 101, "+50%@1=0.101 +80%@1=0.101 +100%@1=0.101");
	p.load = 60;
	judge(&p, 1, false, "~50%@1=0.06 ~80%@1=0.06 ~100%@1=0.06");
	judge(&p, 1, true, "-80%@1=0.06 -100%@1=0.06 ~50%@1=0.06");
	p.load = 81;
	judge(&p, 2, true, "~50%@2=0.081 +80%@2=0.081");
}

static void test_a_share_is_reached_above_it(void **state)
{
	static const struct permit_share two[] = {{0.8, "80%"}, {1, "100%"}};
	struct monitor m = {.permit_load = 1000, .permit_shares = two, .n_permit_shares = 2};
	(void)state;
	assert_int_equal(permit_reached(&m, 0), 0);
	assert_int_equal(permit_reached(&m, 800), 0);
	assert_int_equal(permit_reached(&m, 800.0000001), 1);
	assert_int_equal(permit_reached(&m, 1000), 1);
	assert_int_equal(permit_reached(&m, 1000.001), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_share_is_said_once_and_goes_on),
		cmocka_unit_test(test_the_readings_it_rests_on_are_counted),
		cmocka_unit_test(test_a_new_year_begins_with_nothing),
		cmocka_unit_test(test_a_load_that_became_less_clears_where_it_may),
		cmocka_unit_test(test_a_share_is_reached_above_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
