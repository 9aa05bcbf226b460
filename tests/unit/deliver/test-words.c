/* SPDX-License-Identifier: Apache-2.0 */
/* Words of the API that pages, mails and reports show: each has its Chinese. */
#include "core/caserules.h"
#include "core/clue.h"
#include "core/order.h"
#include "core/section.h"
#include "deliver/sheet.h"

#include <setjmp.h>
#include <stdarg.h>
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
	for (int i = 0; i < SITE_KINDS; i++)
		is_chinese(site_kind_name((enum site_kind)i));
	for (int i = AVERAGE_INSTANT; i <= AVERAGE_DAY; i++)
		is_chinese(average_name((enum average)i));
	for (int i = 1; i <= SECTION_CLASSES + 1; i++)
		is_chinese(section_name(i));
}

static void test_words_of_cases(void **state)
{
	/* what the daemon writes into a history beside the actions, and what groups a report */
	static const char *const others[] = {"reminded",   "overdue",
					     "relapsed",   "joined",
					     "recomputed", "merged",
					     "total",      "subdistrict",
					     "leader",     "river",
					     "source",     "level",
					     "kind",       "suspected_same_event"};
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
		if ((order_fields[i].uses & (USE_ACT | USE_ATTACH)) != 0)
			is_chinese(order_fields[i].name);
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
		cmocka_unit_test(test_words_of_cases),
		cmocka_unit_test(test_names_of_what_a_step_was_given),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
