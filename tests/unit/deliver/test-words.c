/* SPDX-License-Identifier: Apache-2.0 */
/* Chinese pages are Chinese: words of the API that pages, mails and reports show each have theirs,
 * and a dossier of each kind, with each step that a case may take, holds no others. */
#include "core/caserules.h"
#include "core/casewords.h"
#include "core/clue.h"
#include "core/order.h"
#include "core/refusal.h"
#include "core/section.h"
#include "deliver/dossier.h"
#include "deliver/mail.h"

#include <openssl/evp.h>

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct wording words;

static void is_chinese(const char *word)
{
	if (word != NULL && wording_find(&words, word) == word)
		fail_msg("\"%s\" has no Chinese", word);
}

static void test_words_of_alerts_and_sites(void **state)
{
	(void)state;
	for (int i = 0; i < ALERT_KINDS; i++)
		is_chinese(alert_kind_name((enum alert_kind)i));
	for (int i = 0; i < ALERT_KINDS; i++)
		is_chinese(kind_words(alert_kind_name((enum alert_kind)i)));
	for (int i = 0; i < SITE_KINDS; i++)
		is_chinese(site_kind_name((enum site_kind)i));
	for (int i = 0; i < AVERAGES; i++)
		is_chinese(average_name((enum average)i));
	for (int i = 1; i <= SECTION_CLASSES + 1; i++)
		is_chinese(section_name(i));
}

static void test_words_of_refusals(void **state)
{
	(void)state;
	for (int i = 0; i < REFUSALS; i++)
		is_chinese(refusal_text((enum refusal)i));
	for (unsigned i = 0; i < CLOSING_LACKS; i++)
		is_chinese(closing_lack_text(1u << i));
}

static void test_words_of_cases(void **state)
{
	/* what the daemon writes into a history beside the actions, and what groups a report */
	static const char *const others[] = {"reminded",
					     "overdue",
					     "step_reminded",
					     "step_overdue",
					     "same_outfall",
					     "relapsed",
					     "joined",
					     "recomputed",
					     "merged",
					     "severity raised",
					     "taken up again after withdrawal",
					     "total",
					     "subdistrict",
					     "leader",
					     "river",
					     "source",
					     "level",
					     "kind",
					     "suspected_same_event"};
	(void)state;
	for (int i = 0; i < CASE_STATUSES; i++)
		is_chinese(case_status_name((enum case_status)i));
	for (int i = 0; i < CASE_ACTIONS; i++)
		is_chinese(case_action_name((enum case_action)i));
	for (int i = 0; i < SEVERITIES; i++)
		is_chinese(severity_name((enum severity)i));
	for (int i = STAGE_VERIFY; i < STAGES; i++)
		is_chinese(stage_name((enum stage)i));
	for (int list = 0; list < CASE_LISTS; list++)
		for (size_t i = 0; case_word_at((enum case_list)list, i) != NULL; i++)
			is_chinese(case_word_at((enum case_list)list, i));
	for (unsigned i = 0; i < CLOSING_LACKS; i++)
		is_chinese(closing_lack_text(1u << i));
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		is_chinese(others[i]);
}

static void test_names_of_what_a_step_was_given(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_order_fields; i++)
		if ((order_fields[i].uses & (USE_ACT | USE_ATTACH)) != 0) {
			const char *english = field_words(order_fields[i].name);
			assert_non_null(english);
			assert_null(strchr(english, '_'));
			is_chinese(english);
		}
}

/* Each way back has its own word, in the dossier, the mails and duchactl alike. */
static void test_a_case_is_reopened_after_what_ended_it(void **state)
{
	(void)state;
	assert_string_equal(wording_find(&words, step_words("reopen", "close")),
			    "销号后反弹(重新整改)");
	assert_string_equal(wording_find(&words, step_words("reopen", "withdraw")),
			    "撤销后恢复办理");
	assert_string_equal(wording_find(&words, step_words("reopen", "merge")),
			    "撤销并案,恢复单独办理");
	assert_string_equal(wording_find(&words, step_words("registered", NULL)), "挂号登记");
	json_t *history =
		json_pack("[{s:s}{s:s}{s:s}{s:s}{s:s}]", "action", "close", "action", "reopen",
			  "action", "merge", "action", "note", "action", "reopen");
	assert_string_equal(json_step(history, json_array_get(history, 1)),
			    "rectifying again after reopening");
	assert_string_equal(json_step(history, json_array_get(history, 4)),
			    "taken up again by itself after merging");
	json_decref(history);
}

/* --- whole dossiers --- */

static const struct monitor monitor = {.factor = "w01018",
				       .factor_name = "化学需氧量",
				       .name_zh = "化学需氧量",
				       .unit = "mg/L",
				       .decimals = 1,
				       .has_range = true,
				       .range_high = 200,
				       .accepted_on = "2025-01-02",
				       .permit_tonnes = 10,
				       .permit_load = 10000};
static const struct site site = {.id = "x-1",
				 .name = "三号排口",
				 .kind = SITE_OUTFALL,
				 .river = "某江",
				 .subdistrict = "某街道",
				 .community = "某社区",
				 .has_place = true,
				 .responsible = {.phone = "000-0000009"},
				 .parties = {.support_units = "某局",
					     .territory = "某街道",
					     .contact = "曹某",
					     .appointed_by = "某局",
					     .valid_until = "2026-12-31",
					     .officer = "网某",
					     .river_chief = "河某",
					     .enterprise = "某公司",
					     .credit_code = "9153",
					     .permit_no = "9153",
					     .outlet = "001"},
				 .n_monitors = 1};

static void add_step(struct text *json, const char *action, const char *more)
{
	text_format(json,
		    "%s{\"at\":\"2026-11-23T09:00:00.000Z\",\"action\":\"%s\",\"by\":\"%s\","
		    "\"note\":null%s}",
		    json->at[json->length - 1] == '[' ? "" : ",", action,
		    strcmp(more, "") == 0 ? "duchad" : "李某", more);
}

static void add_history(struct text *json, bool by_hand)
{
	static const char *const own[] = {"registered",   "reminded",   "overdue", "step_reminded",
					  "step_overdue", "relapsed",   "joined",  "merged",
					  "parted",       "recomputed", "severity"};
	static const char *const members[CASE_LISTS] = {
		[LIST_REASON] = "reason", [LIST_TRACK] = "track",     [LIST_LEVEL] = "level",
		[LIST_SOURCE] = "source", [LIST_ATTACHMENT] = "type", [LIST_SEVERITY] = "severity"};
	struct text more = {0};
	text_add(json, "\"history\":[");
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		add_step(json, own[i], by_hand ? ",\"unit\":\"某局\"" : "");
	for (int i = 0; i < CASE_ACTIONS; i++)
		add_step(json, case_action_name((enum case_action)i),
			 ",\"unit\":\"某局\",\"leader\":\"梁某\",\"team\":\"一组\",\"step\":"
			 "\"换泵\","
			 "\"document\":\"1号\",\"checkers\":\"李某\",\"approved_by\":\"梁某\","
			 "\"name\":\"照片\",\"other\":3,\"due\":\"2026-12-01T00:00:00.000Z\","
			 "\"relation\":\"suspected_same_event\"");
	for (int list = 0; list < CASE_LISTS; list++)
		for (size_t i = 0; case_word_at((enum case_list)list, i) != NULL; i++) {
			text_clear(&more);
			text_format(&more, ",\"%s\":\"%s\"", members[list],
				    case_word_at((enum case_list)list, i));
			add_step(json, "note", more.at);
		}
	text_add(json, "]");
	text_deinit(&more);
}

static void case_text(struct text *json, const char *kind, const char *average, const char *source,
		      const char *status, const char *limit_source)
{
	text_format(
		json,
		"{\"id\":7,\"number\":\"五督〔2026〕7号\",\"site\":\"x-1\",\"site_name\":"
		"\"三号排口\","
		"\"factor\":\"w01018\",\"kind\":\"%s\",\"severity\":\"serious\","
		"\"status\":\"%s\",\"verified\":false,\"level\":\"city\",\"escalation\":2,"
		"\"source\":\"%s\",\"document\":\"1号\",\"title\":\"异味\",\"track\":\"planned\","
		"\"stage\":\"check\",\"reopened\":1,\"relapses\":1,\"merged_into\":3,"
		"\"withdrawn_reason\":\"instrument_fault\","
		"\"opened_at\":\"2026-11-23T00:10:00.000Z\",\"due_at\":\"2026-11-24T00:00:00."
		"000Z\","
		"\"limit\":50,\"bound\":\"max\",\"limit_source\":\"%s\",\"average\":%s,"
		"\"unit\":\"mg/L\",\"decimals\":1,\"first_value\":45,\"peak_value\":48,"
		"\"peak_at\":\"2026-11-23T00:00:00.000Z\",\"last_value\":47,\"multiple\":0.6,"
		"\"episodes\":[{\"began_at\":\"2026-11-22T00:00:00.000Z\",\"ended_at\":null,"
		"\"peak_value\":81,\"limit\":50,\"limit_source\":\"%s\",\"reason\":\"weak_flat\"}],"
		"\"responsible\":{\"unit\":\"某局\",\"leader\":\"梁某\",\"team\":\"一组\"},"
		"\"steps\":[{\"step\":\"换泵\",\"due_at\":null,\"done_at\":null}],"
		"\"attachments\":[{\"at\":\"2026-11-23T00:00:00.000Z\",\"type\":\"photo\","
		"\"name\":\"照片\",\"bytes\":3,\"sha256\":\"00\"}],"
		"\"evidence\":{\"readings\":3,\"digest\":null},",
		kind, status, source, limit_source, average, limit_source);
	add_history(json, strcmp(source, "automatic") != 0);
	text_char(json, '}');
}

/* Latin words of what a reader sees: outside of markup, style and title. */
static void has_no_latin(const char *page, const char *what)
{
	static const char *const may[] = {"mg",     "pH", "SHA", "csv", "frames", "edge",
					  "w01018", "x",  "N",   "M",   "C",      "t"};
	const char *at = strstr(page, "<body");
	while (*at != '\0') {
		char word[64];
		if (*at == '<') {
			at = strchr(at, '>') + 1;
			continue;
		}
		size_t n = 0;
		while (isalnum((unsigned char)at[n]))
			n++;
		snprintf(word, sizeof word, "%.*s", (int)n, at);
		bool known = n == 0 || strpbrk(word, "abcdefghijklmnopqrstuvwxyz") == NULL;
		for (size_t i = 0; !known && i < sizeof may / sizeof may[0]; i++)
			known = strcmp(word, may[i]) == 0;
		if (!known)
			fail_msg("%s: \"%.60s\"", what, at);
		at += n == 0 ? 1 : n;
	}
}

/* No code of the API stands before a reader of English, either. */
static void has_no_code(const char *page, const char *what)
{
	const char *at = strstr(page, "<body");
	while (*at != '\0') {
		size_t n = strcspn(at, "<");
		for (size_t i = 0; i < n; i++)
			if (at[i] == '_' || strncmp(at + i, "sha256", 6) == 0)
				fail_msg("%s: \"%.*s\"", what, (int)n, at);
		at += n;
		at += *at == '<' ? strcspn(at, ">") + 1 : 0;
	}
}

static void write_and_look(const char *kind, const char *average, const char *source,
			   const char *status, const char *limit_source, bool open)
{
	static const struct zone_change change = {INT64_MIN / 2, 8 * 3600};
	const struct plan plan = {.node = "edge-01",
				  .office = "某办公室",
				  .zone = {&change, 1},
				  .sites = &site,
				  .n_sites = 1,
				  .monitors = &monitor,
				  .n_monitors = 1};
	struct text json = {0}, page = {0};
	case_text(&json, kind, average, source, status, limit_source);
	json_t *c = json_loads(json.at, 0, NULL);
	assert_non_null(c);
	dossier_write(&page, &(const struct dossier){.plan = &plan,
						     .words = &words,
						     .open = open,
						     .now_ms = 1795900000000,
						     .c = c});
	has_no_latin(page.at, kind);
	text_clear(&page);
	dossier_write(&page, &(const struct dossier){
				     .plan = &plan, .open = open, .now_ms = 1795900000000, .c = c});
	has_no_code(page.at, kind);
	json_decref(c);
	text_deinit(&json);
	text_deinit(&page);
}

static void test_dossiers_of_each_kind_are_chinese(void **state)
{
	static const char *const averages[] = {"\"instant\"", "\"hour\"", "\"day\"", "null"};
	(void)state;
	for (int kind = 0; kind < ALERT_KINDS; kind++)
		for (size_t i = 0; i < sizeof averages / sizeof averages[0]; i++)
			write_and_look(alert_kind_name((enum alert_kind)kind), averages[i],
				       "automatic", "registered", "permit 91530", i == 0);
	for (size_t i = 0; case_word_at(LIST_SOURCE, i) != NULL; i++)
		write_and_look("clue", "null", case_word_at(LIST_SOURCE, i), "review",
			       "configuration", i % 2 == 0);
	for (int i = 0; i < CASE_STATUSES; i++)
		write_and_look("exceedance", "\"day\"", "automatic",
			       case_status_name((enum case_status)i),
			       "GB18918-2002 1A, table 1, water <= 12 C", false);
}

/* --- mails --- */

static const char *chinese(const char *english)
{
	return wording_find(&words, english);
}

/* The text part of a mail, as it is read. */
static char *mail_text(const char *type, const char *data)
{
	static const struct plan plan = {
		.node = "edge-01", .office = "某办公室", .sites = &site, .n_sites = 1};
	static const char *const to[] = {"a@office.example"};
	struct text json = {0}, out = {0}, base64 = {0};
	text_format(&json, "{\"id\":\"7\",\"data\":%s}", data);
	struct outbox_event event = {.id = 7, .json = json.at};
	snprintf(event.type, sizeof event.type, "%s", type);
	mail_write(&(const struct mail){.plan = &plan,
					.from = "d@edge.example",
					.to = to,
					.n_to = 1,
					.translate = chinese,
					.words = &words,
					.event = &event},
		   &out);
	const char *at = strstr(strstr(out.at, "text/plain"), "\r\n\r\n") + 4;
	for (; *at != '-'; at++)
		if (*at != '\r' && *at != '\n')
			text_char(&base64, *at);
	char *plain = calloc(1, base64.length + 1);
	EVP_DecodeBlock((unsigned char *)plain, (const unsigned char *)base64.at,
			(int)base64.length);
	text_deinit(&json);
	text_deinit(&out);
	text_deinit(&base64);
	return plain;
}

static void look_at_mail(const char *type, const char *data)
{
	struct text page = {0};
	char *plain = mail_text(type, data);
	text_format(&page, "<body>%s", plain);
	has_no_latin(page.at, type);
	text_deinit(&page);
	free(plain);
}

static void test_mails_are_chinese(void **state)
{
	static const char *const reasons[] = {"over_range", "alike x-1", "80%"};
	(void)state;
	for (int kind = 0; kind < ALERT_KINDS; kind++) {
		struct text json = {0};
		text_format(
			&json,
			"{\"site_name\":\"三号排口\",\"factor_name\":\"化学需氧量\","
			"\"kind\":\"%s\",\"reason\":\"%s\",\"limit\":50,\"value\":48,"
			"\"peak_value\":48,\"unit\":\"mg/L\",\"limit_source\":\"GB3838-2002 III, "
			"table 1, river\",\"connection\":\"01\",\"began_at\":"
			"\"2026-11-22T00:00:00.000Z\"}",
			alert_kind_name((enum alert_kind)kind), reasons[kind % 3]);
		look_at_mail("alert.raised", json.at);
		text_deinit(&json);
	}
	for (size_t i = 0; case_word_at(LIST_SOURCE, i) != NULL; i++) {
		struct text json = {0};
		case_text(&json, "load", "null", case_word_at(LIST_SOURCE, i), "closed",
			  "configuration");
		look_at_mail("case.opened", json.at);
		text_deinit(&json);
	}
	char *mail = mail_text("alert.raised", "{\"kind\":\"load\",\"limit\":10,\"peak_value\":8}");
	assert_non_null(strstr(mail, "许可排放量预警"));
	free(mail);
}

static void has(const char *mail, const char *words_wanted)
{
	const char *text = mail == NULL ? "" : mail;
	if (strstr(text, words_wanted) == NULL)
		fail_msg("\"%s\" is not in\n%s", words_wanted, text);
}

#define ALERT                                                                                      \
	"{\"site\":\"x-1\",\"site_name\":\"三号排口\",\"factor_name\":\"化学需氧量\","    \
	"\"kind\":\"exceedance\",\"limit\":50,\"value\":81.20000000000001,\"decimals\":1,"         \
	"\"unit\":\"mg/L\",\"began_at\":\"2026-11-22T00:00:00.000+08:00\"}"

static void test_who_is_called_at_night_is_told_what_to_do(void **state)
{
	static const char data[] = "{\"person\":\"李某\",\"call\":1,\"alert\":" ALERT "}";
	(void)state;
	look_at_mail("duty.called", data);
	char *mail = mail_text("duty.called", data);
	has(mail, "数值: 81.2 mg/L\r\n");
	has(mail, "限值: 50 mg/L\r\n");
	has(mail, "应采取的措施: 现场核查");
	free(mail);
}

static void test_a_digest_says_how_many_waited_for_it(void **state)
{
	static const char data[] =
		"{\"person\":\"李某\",\"alerts\":[" ALERT "," ALERT "],\"more\":3}";
	(void)state;
	look_at_mail("duty.digest", data);
	char *mail = mail_text("duty.digest", data);
	has(mail, "本次汇总的告警数: 5\r\n其中未列出: 3\r\n");
	assert_null(strstr(mail, "应采取的措施")); /* it waits, and is a list */
	free(mail);
}

static int setup(void **state)
{
	const char *path = getenv("DUCHA_MO");
	(void)state;
	assert_non_null(path);
	assert_int_equal(wording_load(&words, path), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	wording_deinit(&words);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_of_alerts_and_sites),
		cmocka_unit_test(test_words_of_refusals),
		cmocka_unit_test(test_words_of_cases),
		cmocka_unit_test(test_dossiers_of_each_kind_are_chinese),
		cmocka_unit_test(test_mails_are_chinese),
		cmocka_unit_test(test_who_is_called_at_night_is_told_what_to_do),
		cmocka_unit_test(test_a_digest_says_how_many_waited_for_it),
		cmocka_unit_test(test_names_of_what_a_step_was_given),
		cmocka_unit_test(test_a_case_is_reopened_after_what_ended_it),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
