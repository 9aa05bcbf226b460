/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/dossier-periods.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct monitor monitor = {.site = 0,
				       .factor = "w01018",
				       .factor_name = "COD",
				       .name_zh = "\u5316\u5b66\u9700\u6c27\u91cf",
				       .unit = "mg/L",
				       .decimals = 1};
static const struct site sites[] = {{.id = "outfall-3",
				     .name = "Works three",
				     .kind = SITE_OUTFALL,
				     .river = "Brook",
				     .responsible = {.unit = "Works Ltd", .phone = "555-0100"},
				     .parties = {.enterprise = "Works Ltd", .contact = "Carla"},
				     .n_monitors = 1}};
static const struct plan plan = {.node = "edge-01",
				 .office = "Office <b>",
				 .sites = sites,
				 .n_sites = 1,
				 .monitors = &monitor,
				 .n_monitors = 1};

static const char case_json[] =
	"{\"id\":7,\"number\":\"T\u30142026\u30157\",\"site\":\"outfall-3\",\"site_name\":\"Works "
	"three\","
	"\"factor\":\"w01018\",\"factor_name\":\"COD\",\"kind\":\"exceedance\",\"severity\":"
	"\"general\","
	"\"status\":\"registered\",\"verified\":false,\"level\":\"district\",\"escalation\":0,"
	"\"source\":\"automatic\",\"opened_at\":\"2026-11-23T00:10:00.000+08:00\",\"closed_at\":"
	"null,"
	"\"due_at\":null,\"limit\":50,\"bound\":\"max\",\"limit_source\":\"permit\",\"average\":"
	"\"day\","
	"\"unit\":\"mg/L\",\"decimals\":1,\"first_value\":81,\"peak_value\":81,"
	"\"peak_at\":\"2026-11-23T00:00:00.000+08:00\",\"last_value\":81,\"multiple\":0.62,"
	"\"episodes\":[{\"began_at\":\"2026-11-22T00:00:00.000+08:00\","
	"\"raised_at\":\"2026-11-23T00:01:00.000+08:00\",\"ended_at\":null,\"peak_value\":81,"
	"\"limit\":50,\"limit_source\":\"permit\"}],"
	"\"responsible\":{\"unit\":\"Works Ltd\",\"leader\":\"Liam\",\"team\":\"Team\"},"
	"\"history\":[{\"at\":\"2026-11-23T00:10:00.000+08:00\",\"action\":\"registered\",\"by\":"
	"\"duchad\","
	"\"note\":null},{\"at\":\"2026-11-23T09:00:00.000+08:00\",\"action\":\"note\",\"by\":"
	"\"Ines\","
	"\"note\":\"<img src=x onerror=alert(1)>\"}],"
	"\"evidence\":{\"readings\":3,\"digest\":null}}";

static char *written_in(const char *json, bool open, const struct wording *words)
{
	const struct zone_change change = {INT64_MIN / 2, 8 * 3600};
	struct plan here = plan;
	struct text text = {0};
	here.zone = (struct zone){&change, 1};
	json_t *c = json_loads(json, 0, NULL);
	assert_non_null(c);
	const struct dossier dossier = {
		.plan = &here, .words = words, .open = open, .now_ms = 1795000000000, .c = c};
	dossier_write(&text, &dossier);
	assert_false(text.failed);
	json_decref(c);
	return text.at;
}

static char *written(const char *json, bool open)
{
	return written_in(json, open, NULL);
}

static void holds(const char *page, const char *words, bool wanted)
{
	if ((strstr(page, words) != NULL) != wanted)
		fail_msg("\"%s\" is %s", words, wanted ? "missing" : "there");
}

static void test_all_of_a_case_is_on_the_page(void **state)
{
	(void)state;
	char *page = written(case_json, false);
	static const char *const words[] = {
		"T\u30142026\u30157",
		"2026-11-22: COD, day 81.0 mg/L, above the limit of 50 mg/L, 0.62 times over",
		"suspected exceedance",
		"A clue, not a finding",
		"administrative penalty",
		"Works Ltd",
		"Liam",
		"Carla",
		"555-0100",
		"Ines",
		"not sealed yet",
		"permit",
		"Office &lt;b&gt;",
		"&lt;img src=x onerror=alert(1)&gt;",
		"goes on",
		"default-src 'none'"};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		holds(page, words[i], true);
	holds(page, "<img", false);
	free(page);
}

/* An alert of day means clears at the end of the first good day. */
static void test_an_episode_of_day_means_ends_with_its_last_bad_day(void **state)
{
	char *ended = NULL;
	const char *at = strstr(case_json, "\"ended_at\":null");
	(void)state;
	assert_true(asprintf(&ended, "%.*s\"ended_at\":\"2026-11-25T00:00:00.000+08:00\"%s",
			     (int)(at - case_json), case_json,
			     at + strlen("\"ended_at\":null")) > 0);
	char *page = written(ended, false);
	holds(page, "It lasted from 2026-11-22 00:00:00 to 2026-11-23 23:59:59; hours: 48.0.",
	      true);
	holds(page, "2026-11-24", false);
	holds(page, "2026-11-25", false);
	free(page);
	free(ended);
}

static void test_the_public_page_names_no_person_and_no_unverified_enterprise(void **state)
{
	static const char *const personal[] = {"Liam", "Carla", "555-0100", "Ines", "onerror"};
	static const char *const enterprise[] = {"Works", "outfall-3", "Brook"};
	char *page = written(case_json, true);
	(void)state;
	for (size_t i = 0; i < sizeof personal / sizeof personal[0]; i++)
		holds(page, personal[i], false);
	for (size_t i = 0; i < sizeof enterprise / sizeof enterprise[0]; i++)
		holds(page, enterprise[i], false);
	free(page);
	char *verified = strdup(case_json), *at = strstr(verified, "\"verified\":false");
	memcpy(at, "\"verified\":true ", 16);
	page = written(verified, true);
	for (size_t i = 0; i < sizeof personal / sizeof personal[0]; i++)
		holds(page, personal[i], false);
	for (size_t i = 0; i < sizeof enterprise / sizeof enterprise[0]; i++)
		holds(page, enterprise[i], true);
	holds(page, "suspected", false);
	holds(page, "A clue, not a finding", false);
	free(page);
	free(verified);
}

/* The case with some members otherwise: pairs of what stands there and what is to, then NULL. */
static char *changed(const char *const *pairs, bool open)
{
	struct text json = {0}, next = {0};
	text_add(&json, case_json);
	for (; pairs[0] != NULL; pairs += 2) {
		const char *at = strstr(json.at, pairs[0]);
		assert_non_null(at);
		text_clear(&next);
		text_add_n(&next, json.at, (size_t)(at - json.at));
		text_add(&next, pairs[1]);
		text_add(&next, at + strlen(pairs[0]));
		text_clear(&json);
		text_add(&json, next.at);
	}
	char *page = written(json.at, open);
	text_deinit(&json);
	text_deinit(&next);
	return page;
}

/* Where no enterprise is configured an outfall has no names; where one is, nothing leads to it. */
static void test_what_leads_to_an_enterprise_is_not_told_in_the_open(void **state)
{
	static const char *const leads[] = {"COD",     "81.0",   "2026-11-2", "river",  "Brook",
					    "goes on", "permit", "History",   "Linked", "Evidence"};
	(void)state;
	char *page = written(case_json, true);
	for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++)
		holds(page, leads[i], false);
	holds(page, "not public until the case is verified", true);
	holds(page, "suspected exceedance", true);
	free(page);
}

static void test_an_open_page_shows_no_link_to_a_case_it_cannot_look_at(void **state)
{
	const char *const pairs[] = {"\"verified\":false", "\"verified\":true ", "\"evidence\":",
				     "\"links\":[{\"case\":12,\"relation\":\"upstream\",\"at\":"
				     "\"2026-11-23T09:00:00.000Z\",\"by\":\"duchad\"}],"
				     "\"merged_into\":12,\"evidence\":",
				     NULL};
	(void)state;
	char *page = changed(pairs, true);
	holds(page, "Linked cases", false);
	holds(page, "merged into", false);
	holds(page, "Works Ltd", true);
	free(page);
	page = changed(pairs, false);
	holds(page, "Linked cases", true);
	holds(page, "merged into", true);
	free(page);
}

static void test_a_case_by_hand_without_values_is_written(void **state)
{
	(void)state;
	char *page = written(
		"{\"id\":1,\"number\":\"T1\",\"site\":\"gone\",\"factor\":null,\"kind\":\"clue\","
		"\"severity\":\"general\",\"status\":\"registered\",\"verified\":false,"
		"\"level\":\"city\",\"source\":\"mayor\",\"title\":\"smell\","
		"\"opened_at\":\"2026-11-23T00:10:00.000+08:00\",\"document\":\"No. 5\","
		"\"episodes\":[],\"history\":[{\"at\":\"2026-11-23T00:10:00.000+08:00\","
		"\"action\":\"registered\",\"by\":\"Ines\"}]}",
		false);
	holds(page, "Registered by hand on 2026-11-23 00:10:00; source: mayor", true);
	holds(page, "Registered by: Ines.", true);
	holds(page, "Document: No. 5.", true);
	holds(page, "Registered by the system", false);
	holds(page, "automatic monitoring", false); /* rests on none, and has no evidence of it */
	holds(page, "Digest of the readings", false);
	holds(page, "smell", true);
	holds(page, "the site is no longer configured", true);
	free(page);
}

static void test_a_warning_is_near_its_limit_and_not_beyond(void **state)
{
	(void)state;
	char *page = changed((const char *const[]){"exceedance", "warning", "\"peak_value\":81",
						   "\"peak_value\":46", "0.62", "-0.08", NULL},
			     false);
	holds(page, "COD, day 46.0 mg/L, near the limit of 50 mg/L", true);
	holds(page, "above the limit", false);
	holds(page, "times over", false);
	holds(page, "<td>2026-11-22</td>", true); /* the day whose mean it was */
	free(page);
	page = changed((const char *const[]){"\"unit\":\"mg/L\"", "\"unit\":\"\"", NULL}, false);
	holds(page, "COD, day 81.0, above the limit of 50, 0.62 times over", true);
	free(page);
}

static void test_what_ended_unverified_is_not_said_to_wait_for_it(void **state)
{
	(void)state;
	char *page = changed((const char *const[]){"\"status\":\"registered\"",
						   "\"status\":\"withdrawn\"", NULL},
			     false);
	holds(page, "ended without being verified", true);
	holds(page, "not verified yet", false);
	free(page);
}

static void test_links_are_told_by_relation(void **state)
{
	(void)state;
	char *page = changed(
		(const char *const[]){
			"\"evidence\":",
			"\"links\":[{\"case\":12,\"relation\":\"upstream\",\"at\":"
			"\"2026-11-23T09:00:00.000Z\",\"by\":\"Ines\"}],\"evidence\":",
			NULL},
		false);
	holds(page, "Linked cases", true);
	holds(page, "<td class=\"whole\">12</td><td>upstream</td>", true);
	free(page);
}

static void test_the_factor_is_named_in_the_language_of_the_page(void **state)
{
	(void)state;
	const struct wording untranslated = {0};
	char *page = written_in(case_json, false, &untranslated);
	holds(page, "\u5316\u5b66\u9700\u6c27\u91cf", true);
	holds(page, "COD", false);
	free(page);
}

/* --- loads against a permit --- */

static char *of_load(double tonnes, const struct dossier_load *load)
{
	struct monitor permitted = monitor;
	struct plan here = plan;
	struct text json = {0}, out = {0};
	permitted.permit_tonnes = 10;
	permitted.permit_load = 10000;
	here.monitors = &permitted;
	text_format(&json,
		    "{\"id\":1,\"number\":\"T1\",\"site\":\"outfall-3\",\"factor\":\"w01018\","
		    "\"kind\":\"load\",\"severity\":\"general\",\"status\":\"registered\","
		    "\"verified\":false,\"level\":\"district\",\"source\":\"automatic\","
		    "\"opened_at\":\"2026-11-23T00:10:00.000Z\",\"unit\":\"t\",\"decimals\":2,"
		    "\"limit\":10,\"limit_source\":\"permit P-1\",\"bound\":\"max\","
		    "\"first_value\":8.1,\"peak_value\":%.17g,"
		    "\"peak_at\":\"2026-11-23T00:00:00.000Z\",\"multiple\":%.17g,"
		    "\"average\":null,\"history\":[],\"episodes\":[{\"began_at\":"
		    "\"2026-11-22T23:00:00.000Z\",\"ended_at\":null,\"limit\":10}]}",
		    tonnes, tonnes / 10 - 1);
	json_t *c = json_loads(json.at, 0, NULL);
	assert_non_null(c);
	const struct dossier dossier = {
		.plan = &here, .now_ms = 1795440000000, .c = c, .load = load};
	dossier_write(&out, &dossier);
	json_decref(c);
	text_deinit(&json);
	return out.at;
}

static void test_a_share_of_a_permit_is_no_more_than_a_share(void **state)
{
	(void)state;
	char *page = of_load(8.25, NULL);
	holds(page,
	      "COD: 8.25 t were discharged from the beginning of 2026 until 2026-11-23 00:00:00, "
	      "82.5% of the 10 t that are permitted in the year",
	      true);
	holds(page, "permit nearly used up", true);
	holds(page, "more than the 10 t", false);
	holds(page, "averaging", false);
	holds(page, "times over", false); /* it is not over */
	holds(page, "could not be read", true);
	free(page);
	page = of_load(10, NULL); /* equal complies */
	holds(page, "100.0% of the 10 t", true);
	free(page);
	page = of_load(10.5, NULL);
	holds(page, "10.50 t were discharged from the beginning of 2026", true);
	holds(page, "more than the 10 t that are permitted in the year (105.0%)", true);
	holds(page, "permit nearly used up", false);
	free(page);
}

static void test_a_load_is_drawn_as_it_grew_against_its_permit(void **state)
{
	(void)state;
	static struct chart chart;
	struct dossier_load load = {
		.chart = &chart,
		.year = {1767225600000, 1798761600000},
		.months = {
			[0] = {4, 31 * INT64_C(86400000)}, [1] = {4.25, 14 * INT64_C(86400000)}}};
	chart_begin(&chart, &plan.zone, load.year.start_ms, load.year.end_ms, 0);
	chart.sums = true;
	chart.name = "COD";
	chart.unit = "t";
	chart.decimals = 2;
	chart.n_limits = 2;
	chart.limits[0] = (struct chart_level){8, 0.8};
	chart.limits[1] = (struct chart_level){10, 1};
	const struct reading sum = {.measured_ms = load.year.start_ms + 1,
				    .value = 4,
				    .has_value = true,
				    .flag = FLAG_NORMAL};
	chart_feed(&chart, &sum, 0);
	char *page = of_load(8.25, &load);
	holds(page, ">80% of the permit: 8</text>", true);
	holds(page, ">permit 10</text>", true);
	holds(page, ">limit 10</text>", false);
	holds(page, "Load of COD since the beginning of the year", true);
	holds(page, "2026-02</th><td>4.25</td><td>8.25</td><td>82.5%</td><td>50.0%</td>", true);
	holds(page, "2026-03</th>", false);
	free(page);
}

/* --- what was exchanged --- */

static char *with_frames(bool open, size_t shown)
{
	struct dossier_frames frames = {.readings = 85, .kept = 84, .n_shown = shown};
	struct text out = {0};
	json_t *c = json_loads(case_json, 0, NULL);
	json_object_set_new(c, "verified", json_true()); /* else the open page tells nothing */
	for (size_t i = 0; i < shown; i++) {
		struct dossier_frame *frame = &frames.shown[i];
		*frame = (struct dossier_frame){.kind = "modbus-tcp",
						.measured_ms = 1795000000000,
						.has_value = true,
						.value = 60};
		text_add(&frame->asked, "000100000006010300000002");
		for (int j = 0; i == 1 && j < 50; j++)
			text_add(&frame->answered, "c0de");
	}
	frames.digest[0] = 0xab;
	dossier_write(&out, &(const struct dossier){.plan = &plan,
						    .open = open,
						    .now_ms = 1795000000000,
						    .c = c,
						    .frames = &frames});
	json_decref(c);
	dossier_frames_deinit(&frames);
	return out.at;
}

static void test_frames_are_counted_and_some_shown(void **state)
{
	(void)state;
	char *page = with_frames(false, 2);
	holds(page, "84 / 85", true);
	holds(page, "ab00000000", true);
	holds(page, "modbus-tcp</td><td>000100000006010300000002</td>", true);
	holds(page, "c0dec0de\u2026</td>", true);
	free(page);
	page = with_frames(true, 2); /* a message may name an enterprise */
	holds(page, "84 / 85", true);
	holds(page, "000100000006010300000002", false);
	free(page);
	page = written(case_json, false);
	holds(page, "Frames on the wire", false);
	free(page);
}

/* As many pieces as wanted of what holds() looks for. */
static int count(const char *page, const char *words)
{
	int n = 0;
	for (const char *at = page; (at = strstr(at, words)) != NULL; at += strlen(words))
		n++;
	return n;
}

static void test_factors_that_have_joined_stand_beside_its_own(void **state)
{
	(void)state;
	static const char json[] =
		"{\"id\":1,\"number\":\"T1\",\"site\":\"outfall-3\",\"factor\":\"w01018\","
		"\"factor_name\":\"COD\",\"kind\":\"exceedance\",\"severity\":\"general\","
		"\"status\":\"registered\",\"verified\":false,\"level\":\"district\","
		"\"source\":\"automatic\",\"opened_at\":\"2026-11-23T00:10:00.000+08:00\","
		"\"unit\":\"mg/L\",\"decimals\":1,\"limit\":50,\"peak_value\":81,\"average\":"
		"\"instant\",\"history\":[],\"factors\":["
		"{\"factor\":\"w01018\",\"limit\":50,\"unit\":\"mg/L\",\"decimals\":1,"
		"\"peak_value\":81,\"multiple\":0.62},{\"factor\":\"w20115\",\"limit\":5,"
		"\"unit\":\"\u00b5g/L\",\"decimals\":2,\"peak_value\":7.5,\"multiple\":null}],"
		"\"episodes\":[{\"began_at\":\"2026-11-22T00:00:00.000+08:00\",\"ended_at\":null,"
		"\"peak_value\":7.5,\"limit\":5,\"factor\":\"w20115\",\"unit\":"
		"\"\u00b5g/L\",\"decimals\":2}]}";
	static struct chart own, other;
	const int64_t from_ms = 1795000000000;
	const struct reading reading = {.measured_ms = from_ms + 60000,
					.value = 60,
					.has_value = true,
					.flag = FLAG_NORMAL};
	struct chart *const charts[] = {&own, &other};
	for (unsigned i = 0; i < 2; i++) {
		chart_begin(charts[i], &plan.zone, from_ms, from_ms + 3600000, 0);
		chart_feed(charts[i], &reading, 0);
		charts[i]->name = i == 0 ? "COD" : "cadmium";
		charts[i]->unit = "";
	}
	const struct dossier_panels panels = {
		.at = {{.chart = &own, .number = 1}}, .n = 1, .periods = 1};
	const struct dossier_further further = {
		.at = {{.at = {{.chart = &other, .number = 1}}, .n = 1, .periods = 1}}, .n = 1};
	struct text page = {0};
	json_t *c = json_loads(json, 0, NULL);
	assert_non_null(c);
	const struct dossier dossier = {
		.plan = &plan, .now_ms = from_ms, .c = c, .panels = &panels, .further = &further};
	dossier_write(&page, &dossier);
	assert_int_equal(count(page.at, "<svg "), 2);
	assert_int_equal(count(page.at, "id=\"hatch\""), 1);
	assert_int_equal(count(page.at, "id=\"chart-title-1\""), 1);
	holds(page.at, "Factors of the same event", true);
	holds(page.at, "<td>81.0 mg/L</td>", true);
	/* among the factors and the episodes, in its own unit and decimals */
	assert_int_equal(count(page.at, "<td>7.50 \u00b5g/L</td>"), 2);
	text_deinit(&page);
	json_decref(c);
}

/* --- episodes that lie months apart --- */

/* Of the first of the months, six hours long; the peaks in their order. */
static json_t *of_months(const int *peaks, size_t n, bool goes_on)
{
	json_t *c = json_loads(case_json, 0, NULL), *episodes = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(
			episodes,
			json_pack("{s:o,s:o,s:i,s:i}", "began_at",
				  json_sprintf("2026-%02d-01T00:00:00.000+08:00", (int)i + 1),
				  "ended_at",
				  goes_on && i + 1 == n
					  ? json_null()
					  : json_sprintf("2026-%02d-01T06:00:00.000+08:00",
							 (int)i + 1),
				  "peak_value", peaks[i], "limit", 50));
	json_object_set_new(c, "episodes", episodes);
	json_object_set_new(c, "average", json_string("instant"));
	return c;
}

static void test_the_worst_and_the_newest_periods_are_drawn(void **state)
{
	static const int peaks[] = {60, 90, 60, 70, 60, 60};
	struct period periods[4];
	size_t total;
	json_t *c = of_months(peaks, 6, false);
	struct dossier dossier = {.plan = &plan, .c = c, .now_ms = 1795000000000};
	(void)state;
	assert_int_equal(periods_of(&dossier, "w01018", periods, 4, &total), 4);
	assert_int_equal(total, 6);
	static const size_t numbers[] = {2, 4, 5, 6};
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(periods[i].number, numbers[i]);
		assert_int_equal(periods[i].to_ms - periods[i].from_ms, 6 * 3600000);
	}
	assert_int_equal(periods_of(&dossier, NULL, periods, 1, &total), 1);
	assert_int_equal(periods[0].number, 2);
	json_decref(c);
	/* those that lie close to one another are one */
	c = json_loads(case_json, 0, NULL);
	json_t *near =
		json_loads("[{\"began_at\":\"2026-03-02T00:00:00Z\",\"ended_at\":"
			   "\"2026-03-02T01:00:00Z\"},{\"began_at\":\"2026-03-01T00:00:00Z\","
			   "\"ended_at\":\"2026-03-01T03:00:00Z\"},{\"began_at\":"
			   "\"2026-03-03T02:00:00Z\",\"ended_at\":null}]",
			   0, NULL);
	json_object_set_new(c, "episodes", near);
	dossier.c = c;
	assert_int_equal(periods_of(&dossier, "w01018", periods, 4, &total), 2);
	assert_int_equal(periods[1].from_ms - periods[0].from_ms, INT64_C(50) * 3600000);
	assert_int_equal(periods[1].to_ms, dossier.now_ms);
	json_decref(c);
}

static void test_episodes_are_told_by_number_hours_first_and_last(void **state)
{
	static const int peaks[] = {60, 60, 60};
	(void)state;
	json_t *c = of_months(peaks, 3, false);
	char *json = json_dumps(c, 0), *page = written(json, false);
	holds(page,
	      "Episodes: 3; hours in all: 18.0. The first began on 2026-01-01 00:00:00; the last "
	      "lasted from 2026-03-01 00:00:00 to 2026-03-01 06:00:00.",
	      true);
	holds(page, "It lasted from", false);
	free(page);
	free(json);
	json_decref(c);
	c = of_months(peaks, 2, true);
	json = json_dumps(c, 0);
	page = written(json, false);
	holds(page, "the last began on 2026-02-01 00:00:00 and goes on.", true);
	free(page);
	free(json);
	json_decref(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_of_a_case_is_on_the_page),
		cmocka_unit_test(test_an_episode_of_day_means_ends_with_its_last_bad_day),
		cmocka_unit_test(test_the_public_page_names_no_person_and_no_unverified_enterprise),
		cmocka_unit_test(test_what_leads_to_an_enterprise_is_not_told_in_the_open),
		cmocka_unit_test(test_an_open_page_shows_no_link_to_a_case_it_cannot_look_at),
		cmocka_unit_test(test_factors_that_have_joined_stand_beside_its_own),
		cmocka_unit_test(test_the_factor_is_named_in_the_language_of_the_page),
		cmocka_unit_test(test_a_case_by_hand_without_values_is_written),
		cmocka_unit_test(test_a_warning_is_near_its_limit_and_not_beyond),
		cmocka_unit_test(test_what_ended_unverified_is_not_said_to_wait_for_it),
		cmocka_unit_test(test_links_are_told_by_relation),
		cmocka_unit_test(test_a_share_of_a_permit_is_no_more_than_a_share),
		cmocka_unit_test(test_a_load_is_drawn_as_it_grew_against_its_permit),
		cmocka_unit_test(test_frames_are_counted_and_some_shown),
		cmocka_unit_test(test_the_worst_and_the_newest_periods_are_drawn),
		cmocka_unit_test(test_episodes_are_told_by_number_hours_first_and_last),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
