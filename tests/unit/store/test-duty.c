/* SPDX-License-Identifier: Apache-2.0 */
/* Who is called for an alert, and what waits for the morning (a duty roster), in virtual time. */
#include "ruled-ledger.h"

static const char *const people[] = {"Anna", "Bert"};

static void duty_set(void)
{
	rules.duty = (struct duty){.people = people,
				   .n = 2,
				   .rotation = DUTY_FIXED,
				   .change_min = 510,
				   .digest_min = 510,
				   .next_min = 30,
				   .source_next_min = 15};
}

static bool last_json(void *context, const struct ledger_event *event)
{
	struct text *out = context;
	text_clear(out);
	text_add(out, event->json);
	return true;
}

static void last_event_has(struct ledger *ledger, const char *part)
{
	struct text json = {0};
	assert_int_equal(ledger_events(ledger, ledger_event_last(ledger) - 1, 9, last_json, &json),
			 0);
	if (json.at == NULL || strstr(json.at, part) == NULL)
		fail_msg("%s\nlacks %s", json.at, part);
	text_deinit(&json);
}

/* Three times the limit is grave. */
static void test_a_grave_alert_calls_one_after_the_other_until_somebody_acknowledges(void **state)
{
	duty_set();
	struct ledger *ledger = ruled_ledger(state);
	struct said said = {0};
	struct text out = {0};
	int64_t half_hour = 30 * 60000, first = NOW + 50;

	apply(ledger, raised(COD, 0, 151, NOW));
	said_is(ledger, &said, "alert.raised duty.called case.opened ");
	assert_int_equal(ledger_timer(ledger), first + half_hour);
	assert_int_equal(ledger_tick(ledger, first + half_hour), 0);
	said_is(ledger, &said, "duty.called ");
	last_event_has(ledger, "\"data\":{\"person\":\"Bert\",\"call\":2,\"next_at\":"
			       "\"2026-01-02T04:04:05.050+08:00\",\"alert\":{\"id\":1,");
	ledger_close(ledger); /* a restart in between */
	ledger = ruled_ledger(state);
	assert_int_equal(ledger_acknowledge(ledger, 1, "Bert", first + half_hour + 1, &out), 0);
	assert_int_equal(ledger_tick(ledger, first + 2 * half_hour), 0);
	said_is(ledger, &said, "");
	text_deinit(&out);
	ledger_close(ledger);
}

static void test_calls_end_with_the_alert_and_after_two_rounds(void **state)
{
	duty_set();
	struct ledger *ledger = ruled_ledger(state);
	struct verdict v = raised(COD, 0, 151, NOW);
	struct said said = {0};

	apply(ledger, v);
	apply(ledger, cleared(v, NOW + 1000));
	said_is(ledger, &said, "alert.raised duty.called case.opened alert.cleared ");
	assert_int_equal(ledger_tick(ledger, NOW + 3600000), 0);
	said_is(ledger, &said, "");
	apply(ledger, raised(COD, 0, 151, NOW + 7200000));
	for (int i = 1; i < 10; i++)
		assert_int_equal(ledger_tick(ledger, NOW + 7200050 + i * 30 * 60000), 0);
	said_is(ledger, &said,
		"alert.raised duty.called case.updated duty.called duty.called duty.called ");
	last_event_has(ledger, "\"person\":\"Bert\",\"call\":4,\"next_at\":null");
	ledger_close(ledger);
}

static void test_the_rest_waits_for_one_digest_in_the_morning(void **state)
{
	duty_set();
	struct ledger *ledger = ruled_ledger(state);
	struct said said = {0};
	int64_t morning = NOW + 19555000; /* 08:30 of the same day */

	apply(ledger, raised(COD, 0, 61, NOW));
	apply(ledger, raised(ACIDITY, 0, 9.2, NOW + 1000));
	said_is(ledger, &said, "alert.raised case.opened alert.raised case.opened ");
	assert_int_equal(ledger_timer(ledger), morning);
	assert_int_equal(ledger_tick(ledger, morning), 0);
	said_is(ledger, &said, "duty.digest ");
	last_event_has(ledger, "\"data\":{\"person\":\"Anna\",\"alerts\":[{\"id\":1,");
	last_event_has(ledger, "{\"id\":2,");
	last_event_has(ledger, "\"more\":0}");
	assert_int_equal(ledger_tick(ledger, morning + 1000), 0);
	said_is(ledger, &said, "");
	ledger_close(ledger);
}

/* A section's case is judged by its class, and so is whom its alert calls. */
static void test_whom_an_alert_calls_goes_by_the_class_as_its_case_does(void **state)
{
	static const struct class_bounds bounds = {.has_max = true, .max = {15, 15, 20, 30, 40}};
	struct site sites[2];
	struct monitor monitors[MONITORS];
	memcpy(sites, plan_sites, sizeof sites);
	memcpy(monitors, plan_monitors, sizeof monitors);
	sites[SITE_OUTFALL_3].kind = SITE_RIVER_SECTION;
	sites[SITE_OUTFALL_3].target_class = 3;
	monitors[COD].classes = &bounds;
	plan.sites = sites;
	plan.monitors = monitors;
	duty_set();
	struct ledger *ledger = ruled_ledger(state);
	struct said said = {0};

	apply(ledger, raised(COD, 0, 81, NOW)); /* above twice class V, and 0.62 over its limit */
	said_is(ledger, &said, "alert.raised duty.called case.opened ");
	assert_true(case_has(ledger, 1, "\"severity\":\"grave\""));
	ledger_close(ledger);
}

static void test_whom_an_alert_calls_goes_by_the_steps_of_the_office(void **state)
{
	struct severity_steps steps = severity_defaults;
	steps.grave_multiple = 0.2;
	plan.steps = &steps;
	duty_set();
	struct ledger *ledger = ruled_ledger(state);
	struct said said = {0};

	apply(ledger, raised(COD, 0, 61, NOW));
	said_is(ledger, &said, "alert.raised duty.called case.opened ");
	assert_true(case_has(ledger, 1, "\"severity\":\"grave\""));
	ledger_close(ledger);
}

static struct verdict worse(struct verdict v, double peak, int64_t at)
{
	v.type = VERDICT_PEAK;
	v.time_ms = v.peak_ms = at;
	v.peak_value = v.last_value = peak;
	return v;
}

static void test_what_becomes_grave_calls_then_unless_somebody_knows_of_it(void **state)
{
	duty_set();
	struct ledger *ledger = ruled_ledger(state);
	struct verdict v = raised(COD, 0, 61, NOW), hour = raised(COD, 2, 61, NOW + 10);
	struct text out = {0};
	struct said said = {0};

	apply(ledger, v);
	apply(ledger, hour);
	assert_int_equal(ledger_acknowledge(ledger, 2, "Anna", NOW + 100, &out), 0);
	said_is(ledger, &said, "alert.raised case.opened alert.raised case.opened ");
	apply(ledger, worse(v, 90, NOW + 60000));
	said_is(ledger, &said, "case.updated ");
	apply(ledger, worse(v, 160, NOW + 120000));
	apply(ledger, worse(v, 170, NOW + 180000));
	said_is(ledger, &said, "case.updated duty.called ");
	last_event_has(ledger, "\"person\":\"Anna\",\"call\":1,");
	apply(ledger, worse(hour, 160, NOW + 240000));
	said_is(ledger, &said, "case.updated ");
	assert_int_equal(ledger_tick(ledger, NOW + 19555000), 0);
	last_event_has(ledger, "\"alerts\":[{\"id\":2,"); /* who was called for is in no digest */
	text_deinit(&out);
	ledger_close(ledger);
}

static struct verdict flood(int64_t at)
{
	return (struct verdict){.type = VERDICT_RAISED,
				.kind = ALERT_FAULT,
				.monitor = NO_INDEX,
				.connection = NO_INDEX,
				.limit = NO_INDEX,
				.time_ms = at,
				.began_ms = at,
				.raised_ms = at,
				.reason = own_fault_name(OWN_FLOOD)};
}

static void test_a_flood_calls_once_and_leaves_only_what_is_urgent(void **state)
{
	struct site sites[2];
	memcpy(sites, plan_sites, sizeof sites);
	sites[SITE_OUTFALL_3].kind = SITE_WATER_SOURCE;
	plan.sites = sites;
	duty_set();
	struct ledger *ledger = ruled_ledger(state);
	struct said said = {0};

	apply(ledger, flood(NOW));
	said_is(ledger, &said, "alert.raised duty.called ");
	apply(ledger, raised(COD, 0, 51, NOW + 1000));
	said_is(ledger, &said, "alert.raised case.opened ");
	struct verdict over = flood(NOW);
	over.type = VERDICT_CLEARED;
	over.time_ms = NOW + 2000;
	apply(ledger, over);
	said_is(ledger, &said, "alert.cleared ");
	apply(ledger, raised(ACIDITY, 0, 9.2, NOW + 3000));
	said_is(ledger, &said, "alert.raised duty.called case.opened ");
	ledger_close(ledger);
	plan.sites = plan_sites;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_grave_alert_calls_one_after_the_other_until_somebody_acknowledges),
		TEST(test_calls_end_with_the_alert_and_after_two_rounds),
		TEST(test_the_rest_waits_for_one_digest_in_the_morning),
		TEST(test_whom_an_alert_calls_goes_by_the_class_as_its_case_does),
		TEST(test_whom_an_alert_calls_goes_by_the_steps_of_the_office),
		TEST(test_what_becomes_grave_calls_then_unless_somebody_knows_of_it),
		TEST(test_a_flood_calls_once_and_leaves_only_what_is_urgent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
