/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/order.h"
#include "core/text.h"

#include <stdlib.h>
#include <string.h>

static bool take(struct case_order *order, const char *name, const char *value, const char *part)
{
	struct text error = {0};
	const struct order_field *field = order_field_find(name, USE_ACT);
	assert_non_null(field);
	bool good = order_take(order, field, value, &error);
	assert_int_equal(good, part == NULL);
	if (part != NULL && strstr(error.at, part) == NULL)
		fail_msg("%s lacks %s", error.at, part);
	text_deinit(&error);
	return good;
}

static void test_texts_are_kept_as_they_came(void **state)
{
	static const char hostile[] = "<script>alert('x')</script>'; DROP TABLE cases;-- 张\r\n\t";
	struct case_order order = {0};
	(void)state;
	take(&order, "note", hostile, NULL);
	assert_ptr_equal(order.note, hostile);
}

static void test_a_blank_is_no_text(void **state)
{
	static const char *const blanks[] = {"", " ", " \t\r\n", "\u3000 \u3000"};
	struct case_order order = {0};
	(void)state;
	for (size_t i = 0; i < sizeof blanks / sizeof blanks[0]; i++) {
		take(&order, "unit", blanks[i], NULL);
		assert_null(order.unit);
	}
	take(&order, "unit", " \u4e00", NULL);
	assert_non_null(order.unit);
}

static void test_every_field_has_its_length_and_refuses_what_is_no_text(void **state)
{
	static const char *const bad[] = {
		"a\x01z",       "\x7f",         "a\xc2\x85z",      "\xff",
		"\xc0\xaf",     "\xed\xa0\x80", "\xe4\xb8",        "\xf5\x80\x80\x80",
		"\xe0\x80\xaf", "a\x1b[2Jz",    "\xf4\x90\x80\x80"};
	struct text error = {0};
	(void)state;
	for (size_t i = 0; i < n_order_fields; i++) {
		struct case_order order = {0};
		char *longest = calloc(1, order_fields[i].most + 2);
		memset(longest, 'x', order_fields[i].most);
		if (order_fields[i].list == -1)
			assert_true(order_take(&order, &order_fields[i], longest, &error));
		longest[order_fields[i].most] = 'x';
		assert_false(order_take(&order, &order_fields[i], longest, &error));
		free(longest);
		for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++)
			assert_false(order_take(&order, &order_fields[i], bad[k], &error));
		assert_int_equal(order_take(&order, &order_fields[i], "a\nz", &error),
				 order_fields[i].lines && order_fields[i].list < 0);
	}
	text_deinit(&error);
}

static void test_listed_words_are_kept_by_their_code(void **state)
{
	struct case_order order = {0};
	(void)state;
	take(&order, "reason", "设备故障", NULL);
	assert_string_equal(order.reason, "instrument_fault");
	take(&order, "reason", "非本辖区(已转办)", NULL);
	assert_string_equal(order.reason, "elsewhere");
	take(&order, "track", "立行立改", NULL);
	assert_string_equal(order.track, "immediate");
	take(&order, "reason", "because",
	     "one of instrument_fault, maintenance, marked, duplicate, elsewhere, unfounded, "
	     "other");
	take(&order, "level", "national", "district, city, province");
}

static void test_a_document_has_its_day_behind_its_number(void **state)
{
	static const char *const days[] = {"2026-03-31", "2024-02-29", "2000-02-29", "2026-12-01"},
				 *const none[] = {"2026-02-29", "2100-02-29", "2026-13-01",
						  "2026-00-01", "2026-04-31", "2026-04-00",
						  "2026-4-01",  "31.03.2026", "2026/03/31"};
	struct case_order order = {0};
	struct text room = {0};
	(void)state;
	for (size_t i = 0; i < sizeof days / sizeof days[0]; i++)
		take(&order, "dated", days[i], NULL);
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		take(&order, "dated", none[i], "must be a day");
	assert_null(order_document(&order, &room));
	order.document = "No. 8";
	assert_string_equal(order_document(&order, &room), "No. 8 (2026-12-01)");
	order.dated = NULL;
	assert_string_equal(order_document(&order, &room), "No. 8");
	text_deinit(&room);
}

static void test_a_day_in_the_text_of_a_document_is_its_day(void **state)
{
	static const struct {
		const char *given, *kept; /* NULL: as it is */
	} documents[] = {
		{"No. 8 (2026-12-01)", "No. 8 (2026-12-01)"},
		{"No. 8(2026-12-01)", "No. 8 (2026-12-01)"},
		{"No. 8 2026-12-01", "No. 8 (2026-12-01)"},
		{"云环督〔2026〕8号（2026年12月1日）", "云环督〔2026〕8号 (2026-12-01)"},
		{"云环督〔2026〕8号2026年12月01日", "云环督〔2026〕8号 (2026-12-01)"},
		{"KS-2026-12-01", NULL},
		{"No. 8 (2026-02-29)", NULL},
		{"No. 8 (2026-12-01) b", NULL},
		{"2026-12-01", NULL},
		{"(2026-12-01)", NULL},
		{"No. 20261201", NULL},
		{"", NULL},
	};
	struct text room = {0};
	(void)state;
	for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
		const struct case_order order = {
			.action = ACTION_LEVEL, .level = "city", .document = documents[i].given};
		const char *kept = documents[i].kept;
		assert_string_equal(order_document(&order, &room),
				    kept != NULL ? kept : documents[i].given);
		if (kept != NULL)
			assert_null(order_lacks(&order));
		else
			assert_string_equal(order_lacks(&order), "dated");
	}
	struct case_order twice = {.action = ACTION_LEVEL,
				   .level = "city",
				   .document = "No. 8 (2026-12-01)",
				   .dated = "2026-12-01"};
	assert_false(order_two_days(&twice));
	assert_string_equal(order_document(&twice, &room), "No. 8 (2026-12-01)");
	twice.dated = "2026-12-02";
	assert_true(order_two_days(&twice));
	twice.document = "No. 8";
	assert_false(order_two_days(&twice));
	text_deinit(&room);
}

static void test_the_first_need_that_is_missing_is_named(void **state)
{
	(void)state;
	assert_string_equal(order_lacks(&(struct case_order){.action = ACTION_ASSIGN}), "unit");
	assert_string_equal(order_lacks(&(struct case_order){.action = ACTION_WITHDRAW}), "reason");
	assert_string_equal(
		order_lacks(&(struct case_order){.action = ACTION_WITHDRAW, .reason = "other"}),
		"note");
	assert_string_equal(order_lacks(&(struct case_order){.action = ACTION_EXTEND}), "due");
	assert_string_equal(order_lacks(&(struct case_order){.action = ACTION_LINK}), "other");
	assert_string_equal(order_lacks(&(struct case_order){.action = ACTION_MERGE, .note = "n"}),
			    "other");
	assert_string_equal(order_lacks(&(struct case_order){.action = ACTION_LEVEL}), "level");
	assert_string_equal(
		order_lacks(&(struct case_order){.action = ACTION_LEVEL, .level = "city"}),
		"document");
	assert_string_equal(order_lacks(&(struct case_order){
				    .action = ACTION_LEVEL, .level = "city", .document = "No. 8"}),
			    "dated");
	assert_string_equal(order_lacks(&(struct case_order){
				    .action = ACTION_NOTE, .note = "n", .dated = "2026-03-31"}),
			    "document");
	assert_null(order_lacks(&(struct case_order){.action = ACTION_ACCEPT}));
}

static void test_a_field_is_known_where_it_is_meant(void **state)
{
	(void)state;
	assert_null(order_field_find("site", USE_ACT));
	assert_non_null(order_field_find("site", USE_OPEN));
	assert_null(order_field_find("track", USE_OPEN));
	assert_null(order_field_find("complainant", USE_OPEN));
	assert_null(order_field_find("sha256", USE_ATTACH));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts_are_kept_as_they_came),
		cmocka_unit_test(test_a_blank_is_no_text),
		cmocka_unit_test(test_every_field_has_its_length_and_refuses_what_is_no_text),
		cmocka_unit_test(test_listed_words_are_kept_by_their_code),
		cmocka_unit_test(test_a_document_has_its_day_behind_its_number),
		cmocka_unit_test(test_a_day_in_the_text_of_a_document_is_its_day),
		cmocka_unit_test(test_the_first_need_that_is_missing_is_named),
		cmocka_unit_test(test_a_field_is_known_where_it_is_meant),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
