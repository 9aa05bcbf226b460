/* SPDX-License-Identifier: Apache-2.0 */
/* What is said to be in force: each rule once, with its figure and where it comes from. */
#include "core/rules.h"
#include "rig.h"

#include <string.h>

static const char *const files[] = {"a.cfg", "data/kinds.cfg"};

/* With the rig's plan at hand. */
struct saying {
	const struct plan *plan;
	struct text text;
};

static void add_line(void *context, const struct rule *rule)
{
	struct saying *s = context;
	text_format(&s->text, "%s %s %s=", rule->factor == NULL ? "-" : rule->factor,
		    rule->limit == NULL ? "-" : rule->limit, rule->name);
	rule_value(&s->text, rule);
	text_add(&s->text, " <");
	rule_from(&s->text, s->plan, rule);
	text_add(&s->text, ">\n");
}

static void expect_rules(struct rig *rig, const char *line, bool there)
{
	struct saying s = {.plan = &rig->plan};
	rules_each(&rig->plan, 0, add_line, &s);
	if ((strstr(s.text.at, line) != NULL) != there) {
		print_message("%s", s.text.at);
		fail_msg("%s: \"%s\"", there ? "missing" : "there", line);
	}
	text_deinit(&s.text);
}

static struct rig *placed(void **state)
{
	struct rig *rig = *state;
	rig->plan.files = files;
	rig->site.n_monitors = 1;
	rig->limits[0].key = "instant:max=50";
	rig->limits[0].source = "configuration";
	return rig;
}

static void test_a_check_that_is_off_is_said_once(void **state)
{
	struct rig *rig = placed(state);
	expect_rules(rig, " - stale_after_s=off <built-in>\n", true);
	expect_rules(rig, " - flat_after_s=off <built-in>\n", true);
	expect_rules(rig, " - max_step=off <built-in>\n", true);
	expect_rules(rig, "step_times", false);
	expect_rules(rig, "flat_band", false);
}

static void test_what_somebody_switched_off_is_said(void **state)
{
	static const struct rule_place places[MONITOR_RULES] = {
		[RULE_CYCLE] = {WHENCE_CONFIGURATION, 0, 12}};
	struct rig *rig = placed(state);
	expect_rules(rig, "cycle_s", false);
	rig->monitors[0].places = places;
	expect_rules(rig, " - cycle_s=off <a.cfg:12>\n", true);
}

static void test_figures_are_as_the_configuration_says_them(void **state)
{
	struct rig *rig = placed(state);
	rig->monitors[0].stale_after_ms = 1500;
	rig->monitors[0].flat_count = 4;
	rig->monitors[0].step_times = 3;
	rig->monitors[0].step_share = 0.1 + 0.2;
	rig->limits[0].deadband = 2.5;
	rig->limits[0].on_delay_ms = 60000;
	expect_rules(rig, " - stale_after_s=1.5 <built-in>\n", true);
	expect_rules(rig, " - flat_count=4 <built-in>\n", true);
	expect_rules(rig, "flat_after_s", false);
	expect_rules(rig, " - step_share=0.3 <built-in>\n", true);
	expect_rules(rig, "max_step=", false);
	expect_rules(rig, " instant:max=50 max=50 <configuration>\n", true);
	expect_rules(rig, " instant:max=50 on_delay_s=60 <built-in>\n", true);
	expect_rules(rig, " instant:max=50 deadband=2.5 <built-in>\n", true);
	expect_rules(rig, " instant:max=50 min_valid", false);
}

static void test_a_mean_has_its_own_rules(void **state)
{
	struct rig *rig = placed(state);
	rig->limits[0].average = AVERAGE_DAY;
	rig->limits[0].key = "day:max=50";
	rig->limits[0].mark_until_ms = INT64_C(12) * 3600000;
	rig->limits[0].by_flow = true;
	expect_rules(rig, " day:max=50 weight=flow <", true);
	expect_rules(rig, " day:max=50 mark_until=12:00 <", true);
	expect_rules(rig, "on_delay_s", false);
	expect_rules(rig, "deadband", false);
}

static void test_figures_say_what_they_count_in(void **state)
{
	struct rig *rig = placed(state);
	struct site *site = &rig->site;
	rig->monitors[0].unit = "L/s";
	site->has_flow = site->has_gate = true;
	site->gate_below = 0.5;
	site->gate_for_ms = 60000;
	rig->limits[0].decimals = 2;
	expect_rules(rig, " - unit=L/s <", true);
	expect_rules(rig, "below 0.5 L/s for 60 s", true);
	expect_rules(rig, "decimals", false);
	rig->limits[0].compare = COMPARE_ROUNDED;
	expect_rules(rig, " instant:max=50 decimals=2 <", true);
}

static void test_each_origin_reads_differently(void **state)
{
	static const struct rule_place limit[LIMIT_RULES] = {
		[RULE_BOUNDS] = {WHENCE_STANDARD, 0, 7},
		[RULE_OPENS] = {WHENCE_PRACTICE, 1, 30},
		[RULE_ON_DELAY] = {WHENCE_CONFIGURATION, 0, 8},
		[RULE_OFF_DELAY] = {WHENCE_MODEL, 0, 0}};
	struct rig *rig = placed(state);
	rig->limits[0].places = limit;
	rig->limits[0].source = "GB18918-2002 1A, table 1";
	expect_rules(rig, " max=50 <a.cfg:7 (GB18918-2002 1A, table 1)>\n", true);
	expect_rules(rig, " opens=alert <data/kinds.cfg:30 (practice)>\n", true);
	expect_rules(rig, " on_delay_s=0 <a.cfg:8>\n", true);
	expect_rules(rig, " off_delay_s=0 <model>\n", true);
	expect_rules(rig, " deadband=0 <built-in>\n", true);
}

static void test_a_clue_is_said_of_monitors_that_look_for_it(void **state)
{
	static const struct contradiction contradiction = {
		"a_over_b", 1, CONTRADICTION_ABOVE, 1.1, {WHENCE_DATA, 1, 12}};
	static const struct rule_place places[SITE_RULES] = {
		[RULE_REPEATING_COUNT] = {WHENCE_CONFIGURATION, 0, 5}};
	struct rig *rig = placed(state);
	rig->monitors[1].factor = "w21001";
	rig->site.places = places;
	rig->clues[0] = (struct clue_rules){.repeating_count = 12,
					    .contradicts_count = 2,
					    .within_ms = 14400000,
					    .contradictions = &contradiction,
					    .n_contradictions = 1};
	expect_rules(rig, "repeating_count", false);
	rig->monitors[0].clues = &rig->clues[0];
	expect_rules(rig, " - repeating_count=12 <a.cfg:5>\n", true);
	expect_rules(rig, "clipped_count", false);
	expect_rules(rig,
		     " - contradiction=a_over_b: above 1.1 times the value of w21001 "
		     "<data/kinds.cfg:12 (data)>\n",
		     true);
	expect_rules(rig, " - within_s=14400 <built-in>\n", true);
}

static void test_the_site_opens_what_it_opens(void **state)
{
	struct rig *rig = placed(state);
	rig->site.opens = 1u << ALERT_EXCEEDANCE | 1u << ALERT_FLAT;
	expect_rules(rig, "- - opens=exceedance, flat <built-in>\n", true);
	rig->site.opens = 0;
	expect_rules(rig, "- - opens=none <built-in>\n", true);
	expect_rules(rig, "- - practice=none <built-in>\n", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(test_a_check_that_is_off_is_said_once),
		rig_test(test_what_somebody_switched_off_is_said),
		rig_test(test_figures_are_as_the_configuration_says_them),
		rig_test(test_a_mean_has_its_own_rules),
		rig_test(test_figures_say_what_they_count_in),
		rig_test(test_each_origin_reads_differently),
		rig_test(test_a_clue_is_said_of_monitors_that_look_for_it),
		rig_test(test_the_site_opens_what_it_opens),
	};
	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
