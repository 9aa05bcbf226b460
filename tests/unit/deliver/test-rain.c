/* SPDX-License-Identifier: Apache-2.0 */
/* What a dossier says of the rain beside an exceedance, from real readings and marks. */
#include "deliver/dossier.h"
#include "store/ledger-marks.h"
#include "deliver/rain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "house.h"

#define HOUR INT64_C(3600000)
/* 2026-06-02T06:00:00+08:00 */
#define BEGAN INT64_C(1780351200000)

enum { COD, RAIN, DRY, MONITORS };
static const struct monitor monitors[MONITORS] = {
	[COD] = {.site = 0, .factor = "w01018", .factor_name = "COD", .unit = "mg/L"},
	[RAIN] = {.site = 1, .factor = "a-rain", .unit = "mm", .decimals = 1},
	[DRY] = {.site = 2, .factor = "w01018", .factor_name = "COD", .unit = "mg/L"},
};
static const struct site sites[] = {
	{.id = "works",
	 .name = "Works",
	 .kind = SITE_OUTFALL,
	 .parties = {.enterprise = "Works Ltd"},
	 .rain_site = "roof",
	 .n_monitors = 1},
	{.id = "roof", .name = "Roof", .kind = SITE_AIR, .first_monitor = 1, .n_monitors = 1},
	{.id = "dry", .name = "Dry", .kind = SITE_OUTFALL, .first_monitor = 2, .n_monitors = 1},
};
static const struct zone_change east[] = {{INT64_MIN, 8 * 3600}};

static const char case_json[] =
	"{\"id\":1,\"number\":\"T1\",\"site\":\"works\",\"factor\":\"w01018\",\"kind\":"
	"\"exceedance\",\"severity\":\"general\",\"status\":\"registered\",\"verified\":false,"
	"\"level\":\"district\",\"source\":\"automatic\",\"unit\":\"mg/L\",\"decimals\":1,"
	"\"opened_at\":\"2026-06-02T06:00:00.000+08:00\",\"limit\":50,\"peak_value\":81,"
	"\"average\":\"instant\",\"history\":[],\"episodes\":[{"
	"\"began_at\":\"2026-06-02T06:00:00.000+08:00\","
	"\"ended_at\":\"2026-06-02T09:00:00.000+08:00\",\"peak_value\":81,\"limit\":50}]}";

static int setup(void **state)
{
	struct house *house = calloc(1, sizeof *house);
	house_build(house);
	house_close(house);
	house->plan.zone = (struct zone){east, 1};
	house->plan.sites = sites;
	house->plan.n_sites = sizeof sites / sizeof sites[0];
	house->plan.monitors = monitors;
	house->plan.n_monitors = MONITORS;
	house_open(house);
	*state = house;
	return 0;
}

static int teardown(void **state)
{
	house_tear_down(*state);
	free(*state);
	return 0;
}

static void fell(struct house *house, int64_t at_ms, double mm, enum flag flag)
{
	const struct reading r = {.seq = ++house->seq,
				  .measured_ms = BEGAN + at_ms,
				  .received_ms = BEGAN + at_ms,
				  .value = mm,
				  .has_value = true,
				  .monitor = RAIN,
				  .flag = (uint8_t)flag};
	assert_int_equal(daybook_append(house->daybook, &r, 1), 0);
	assert_int_equal(daybook_commit(house->daybook), 0);
}

/* The dossier's page of the case, with another site or kind in it. */
static char *page_of(struct house *house, const char *site, const char *kind, bool open)
{
	struct daybook_reader *reader;
	struct text out = {0};
	json_t *c = json_loads(case_json, 0, NULL);
	json_object_set_new(c, "site", json_string(site));
	json_object_set_new(c, "kind", json_string(kind));
	struct dossier dossier = {.plan = &house->plan,
				  .open = open,
				  .ledger = house->ledger,
				  .now_ms = BEGAN + 48 * HOUR,
				  .c = c};
	assert_int_equal(daybook_reader_open(&reader, house->directory, &house->plan), 0);
	dossier_rain(&dossier, reader, &dossier.rain);
	dossier_write(&out, &dossier);
	daybook_reader_close(reader);
	json_decref(c);
	assert_false(out.failed);
	return out.at;
}

static void holds(struct house *house, const char *words)
{
	char *page = page_of(house, "works", "exceedance", false);
	if (strstr(page, words) == NULL)
		fail_msg("\"%s\" is not in\n%s", words, page);
	free(page);
}

static void test_valid_readings_of_the_day_before_and_of_the_time_are_added_up(void **state)
{
	fell(*state, -24 * HOUR - 1, 64, FLAG_NORMAL);
	fell(*state, -24 * HOUR, 0.5, FLAG_NORMAL);
	fell(*state, -2 * HOUR, 100, FLAG_MAINTENANCE);
	fell(*state, -1, 2, FLAG_NORMAL);
	fell(*state, 0, 4, FLAG_NORMAL);
	fell(*state, 3 * HOUR - 1, 8, FLAG_NORMAL);
	fell(*state, 3 * HOUR, 32, FLAG_NORMAL);
	holds(*state, "Rain in the 24 hours before 2026-06-02 06:00:00: 2.5 mm "
		      "(valid readings: 2 of 3). "
		      "Rain from 2026-06-02 06:00:00 to 2026-06-02 09:00:00: 12.0 mm "
		      "(valid readings: 2 of 2). Rain gauge: Roof. "
		      "Rain is noted for those who look for the cause; it excuses nothing.");
}

static void test_a_reading_that_was_marked_later_does_not_count(void **state)
{
	struct house *house = *state;
	struct text out = {0};
	const struct mark_order order = {.site = "roof",
					 .factor = "a-rain",
					 .reason = "invented",
					 .by = "H",
					 .from_ms = BEGAN - HOUR,
					 .to_ms = BEGAN,
					 .flag = FLAG_MAINTENANCE};
	fell(house, -2 * HOUR, 0, FLAG_NORMAL);
	fell(house, -1, 2, FLAG_NORMAL);
	assert_int_equal(ledger_mark(house->ledger, &order, BEGAN + HOUR, &out), 0);
	text_deinit(&out);
	holds(house, "06:00:00: 0.0 mm (valid readings: 1 of 2).");
	holds(house, "09:00:00: not known (valid readings: 0 of 0).");
}

static void test_of_means_the_good_window_that_cleared_it_is_left_out(void **state)
{
	struct house *house = *state;
	struct daybook_reader *reader;
	json_t *c = json_loads(case_json, 0, NULL);
	json_t *episode = json_array_get(json_object_get(c, "episodes"), 0);
	json_object_set_new(c, "average", json_string("day"));
	json_object_set_new(episode, "began_at", json_string("2026-06-01T00:00:00.000+08:00"));
	json_object_set_new(episode, "ended_at", json_string("2026-06-03T00:00:00.000+08:00"));
	struct dossier dossier = {.plan = &house->plan, .now_ms = BEGAN + 48 * HOUR, .c = c};
	assert_int_equal(daybook_reader_open(&reader, house->directory, &house->plan), 0);
	dossier_rain(&dossier, reader, &dossier.rain);
	assert_int_equal(dossier.rain.during.span.to_ms - dossier.rain.during.span.from_ms,
			 24 * HOUR);
	daybook_reader_close(reader);
	json_decref(c);
}

static void absent(struct house *house, const char *site, const char *kind, bool open,
		   const char *words)
{
	char *page = page_of(house, site, kind, open);
	if (strstr(page, words) != NULL)
		fail_msg("\"%s\" is in\n%s", words, page);
	free(page);
}

static void test_it_is_said_of_exceedances_with_a_gauge_alone(void **state)
{
	absent(*state, "dry", "exceedance", false, "Rain");
	absent(*state, "gone", "exceedance", false, "Rain");
	absent(*state, "works", "stale", false, "Rain");
	absent(*state, "works", "exceedance", true, "Roof"); /* would tell who is not named */
	holds(*state, "Rain gauge: Roof.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_valid_readings_of_the_day_before_and_of_the_time_are_added_up, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_a_reading_that_was_marked_later_does_not_count,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_of_means_the_good_window_that_cleared_it_is_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_it_is_said_of_exceedances_with_a_gauge_alone,
						setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
