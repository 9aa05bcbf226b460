/* SPDX-License-Identifier: Apache-2.0 */
/* One event, one case: further factors of a site that join a case, in virtual time. */
#include "measured.h"

#include "store/evidence.h"

static struct site sites[2];

/* At both sites a further factor joins within a day. */
static struct ledger *joining_ledger(void **state)
{
	memcpy(sites, plan_sites, sizeof sites);
	sites[SITE_OUTFALL_3].join_ms = sites[SITE_RIVER_1].join_ms = DAY_MS;
	plan.sites = sites;
	return ruled_ledger(state);
}

static struct verdict ammonia(double value, int64_t at)
{
	struct verdict v = raised(AMMONIA, NO_INDEX, value, at);
	v.has_limit = true;
	v.limit_value = 5;
	return v;
}

static int act(struct ledger *ledger, int64_t id, struct case_order order, int64_t now,
	       const char *part)
{
	struct text out = {0};
	order.by = "Handler H";
	int r = ledger_act(ledger, id, &order, now, &out);
	if (strstr(out.at, part) == NULL)
		fail_msg("%s\nlacks %s", out.at, part);
	text_deinit(&out);
	return r;
}

static void test_a_further_factor_joins_and_makes_the_case_graver(void **state)
{
	struct ledger *ledger = joining_ledger(state);
	struct said said = {0};

	apply(ledger, raised(COD, 0, 61, NOW));
	said_is(ledger, &said, "alert.raised case.opened ");
	assert_int_equal(apply(ledger, ammonia(20, NOW + 1000)), 0);
	said_is(ledger, &said, "alert.raised case.updated ");
	assert_true(case_has(ledger, 1,
			     "\"factor\":\"w01018\",\"factor_name\":\"化学需氧量\",\"kind\":"
			     "\"exceedance\",\"severity\":\"grave\""));
	assert_true(case_has(ledger, 1, "\"limit\":50,"));
	assert_true(case_has(ledger, 1,
			     "\"first_value\":61,\"peak_value\":61,\"peak_at\":\"2026-01-02T03:04:"
			     "05.000+08:00\",\"last_value\":61,"));
	assert_true(case_has(ledger, 1,
			     "\"factors\":[{\"factor\":\"w01018\",\"factor_name\":\"化学需氧量\","
			     "\"limit\":50,"));
	assert_true(case_has(ledger, 1,
			     "},{\"factor\":\"w21003\",\"factor_name\":\"氨氮\",\"limit\":5,"
			     "\"bound\":\"max\",\"limit_source\":null,\"unit\":\"mg/L\","
			     "\"decimals\":2,\"peak_value\":20,"));
	assert_true(
		case_has(ledger, 1, "\"factor\":\"w21003\",\"unit\":\"mg/L\",\"decimals\":2}]"));
	assert_true(
		case_has(ledger, 1, "\"action\":\"joined\",\"by\":\"duchad\",\"note\":\"氨氮\""));
	assert_true(alerts_have(ledger, "\"factor\":\"w21003\""));
	assert_int_equal(ledger_case_count(ledger, CASE_REGISTERED), 1);
	ledger_close(ledger);
}

static void test_it_joins_no_case_of_long_ago_of_another_averaging_or_site(void **state)
{
	struct ledger *ledger = joining_ledger(state);
	struct verdict river = raised(OXYGEN, NO_INDEX, 1, NOW + 1000);

	apply(ledger, raised(COD, 2, 61, NOW)); /* hour means */
	assert_int_equal(apply(ledger, ammonia(6, NOW + 1000)), 2);
	assert_int_equal(apply(ledger, river), 3);
	/* 50 ms between a verdict and its commit */
	assert_int_equal(
		apply_at(ledger, raised(ACIDITY, NO_INDEX, 10, NOW + 2000), NOW + 1050 + DAY_MS),
		0);
	assert_true(case_has(ledger, 2, "\"factor\":\"w01001\""));
	ledger_close(ledger);
}

static void
test_a_day_later_a_factor_has_a_case_of_its_own_but_one_that_joined_goes_on(void **state)
{
	struct ledger *ledger = joining_ledger(state);
	struct verdict first = ammonia(6, NOW + 1000);

	apply(ledger, raised(COD, 0, 61, NOW));
	assert_int_equal(apply(ledger, first), 0);
	apply(ledger, cleared(first, NOW + 2000));
	assert_int_equal(apply(ledger, raised(ACIDITY, NO_INDEX, 10, NOW + DAY_MS + 1)), 2);
	assert_int_equal(apply(ledger, ammonia(7, NOW + 3 * DAY_MS)), 0);
	assert_true(case_has(ledger, 1, "\"peak_value\":7"));
	ledger_close(ledger);
}

static void test_without_the_key_each_factor_has_its_case(void **state)
{
	plan.sites = plan_sites;
	struct ledger *ledger = ruled_ledger(state);
	struct text out = {0};

	apply(ledger, raised(COD, 0, 61, NOW));
	assert_int_equal(apply(ledger, ammonia(20, NOW + 1000)), 2);
	assert_int_equal(ledger_case_json(ledger, 2, &out), 0);
	assert_null(strstr(out.at, "factors"));
	text_deinit(&out);
	ledger_close(ledger);
}

static void test_a_case_is_not_reopened_beside_one_of_a_factor_that_joined_it(void **state)
{
	struct ledger *ledger = joining_ledger(state);
	struct verdict cod = raised(COD, 0, 61, NOW), nh = ammonia(6, NOW + 1000);
	const struct case_order withdraw = {
		.action = ACTION_WITHDRAW, .note = "n", .reason = "unfounded"};
	const struct case_order reopen = {.action = ACTION_REOPEN, .note = "n"};

	apply(ledger, cod);
	apply(ledger, nh);
	apply(ledger, cleared(cod, NOW + 2000));
	apply(ledger, cleared(nh, NOW + 2000));
	assert_int_equal(act(ledger, 1, withdraw, NOW + 3000, "withdrawn"), 0);
	assert_int_equal(apply(ledger, ammonia(6, NOW + 4000)), 2);
	assert_int_equal(act(ledger, 1, reopen, NOW + 5000, "case 2 of the same site"),
			 LEDGER_REFUSED);
	assert_int_equal(act(ledger, 2, withdraw, NOW + 6000, "withdrawn"), 0);
	assert_int_equal(act(ledger, 1, reopen, NOW + 7000, "registered"), 0);
	ledger_close(ledger);
}

static void test_days_count_for_closing_once_every_factor_complies(void **state)
{
	struct ledger *ledger = joining_ledger(state);
	struct verdict cod = raised(COD, 0, 61, NOW), nh = ammonia(6, NOW + 1000);
	const struct case_order close = {.action = ACTION_CLOSE, .note = "n"};

	apply(ledger, cod);
	apply(ledger, nh);
	apply(ledger, cleared(cod, NOW + 2000));
	apply(ledger, cleared(nh, NOW + 4 * DAY_MS));
	act(ledger, 1, (struct case_order){.action = ACTION_ASSIGN, .unit = "U"}, NOW + DAY_MS,
	    "{");
	act(ledger, 1, (struct case_order){.action = ACTION_PLAN, .note = "n"}, NOW + DAY_MS, "{");
	act(ledger, 1, (struct case_order){.action = ACTION_RECTIFIED}, NOW + DAY_MS, "review");
	measured(state, ACIDITY, NOW + 3 * DAY_MS, 4);
	measured(state, AMMONIA, NOW + 5 * DAY_MS, 2);
	measured(state, COD, NOW + 3 * DAY_MS, 4);
	assert_int_equal(act(ledger, 1, close, NOW + 6 * DAY_MS,
			     "compliant days (1 of 3); whole days count from 2026-01-07 on"),
			 LEDGER_REFUSED);
	assert_int_equal(act(ledger, 1, close, NOW + 8 * DAY_MS,
			     "(2 of 3); whole days count from 2026-01-07 on; 2026-01-09 "
			     "outfall-3/w01018: "
			     "not added up yet"),
			 LEDGER_REFUSED);
	measured(state, COD, NOW + 7 * DAY_MS, 1);
	assert_int_equal(act(ledger, 1, close, NOW + 8 * DAY_MS,
			     "2026-01-09 outfall-3/w21003: nothing was recorded"),
			 LEDGER_REFUSED);
	ledger_close(ledger);
}

static void test_a_fault_of_the_instruments_shelves_each(void **state)
{
	struct ledger *ledger = joining_ledger(state);

	apply(ledger, raised(COD, 0, 61, NOW));
	apply(ledger, ammonia(6, NOW + 1000));
	assert_int_equal(act(ledger, 1,
			     (struct case_order){.action = ACTION_WITHDRAW,
						 .note = "lamp",
						 .reason = "instrument_fault"},
			     NOW + 2000, "instrument_fault"),
			 0);
	bool shelved;
	struct text out = {0};
	assert_int_equal(ledger_shelves_json(ledger, false, &out), 0);
	shelved = strstr(out.at, "w01018") != NULL && strstr(out.at, "w21003") != NULL;
	assert_true(shelved);
	text_deinit(&out);
	ledger_close(ledger);
}

static void test_the_readings_of_each_factor_are_its_evidence(void **state)
{
	struct ledger *ledger = joining_ledger(state);
	struct verdict cod = raised(COD, 0, 61, NOW);
	struct evidence_case e;

	apply(ledger, cod);
	apply(ledger, raised(ACIDITY, NO_INDEX, 10, NOW + 500));
	apply(ledger, ammonia(6, NOW + 1000));
	apply(ledger, cleared(cod, NOW + 1500));
	apply(ledger, raised(COD, 0, 62, NOW + 20000));
	assert_int_equal(ledger_evidence(ledger, 1, &e), 0);
	const struct {
		const char *factor;
		int64_t from_ms, to_ms;
	} expected[] = {{"w01018", NOW - 10000, NOW + 1500},
			{"w01018", NOW + 10000, EVIDENCE_OPEN_END},
			{"w01001", NOW - 9500, EVIDENCE_OPEN_END},
			{"w21003", NOW - 9000, EVIDENCE_OPEN_END}};
	assert_int_equal(e.n_spans, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(e.spans[i].factor, expected[i].factor);
		assert_int_equal(e.spans[i].from_ms, expected[i].from_ms);
		assert_int_equal(e.spans[i].to_ms, expected[i].to_ms);
	}
	evidence_deinit(&e);
	ledger_close(ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_further_factor_joins_and_makes_the_case_graver),
		TEST(test_it_joins_no_case_of_long_ago_of_another_averaging_or_site),
		TEST(test_a_day_later_a_factor_has_a_case_of_its_own_but_one_that_joined_goes_on),
		TEST(test_without_the_key_each_factor_has_its_case),
		TEST(test_a_case_is_not_reopened_beside_one_of_a_factor_that_joined_it),
		TEST(test_days_count_for_closing_once_every_factor_complies),
		TEST(test_a_fault_of_the_instruments_shelves_each),
		TEST(test_the_readings_of_each_factor_are_its_evidence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
