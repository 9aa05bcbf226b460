/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/sources.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The catalogue as it is built. */
static int setup(void **state)
{
	static struct wording words;
	const char *path = getenv("DUCHA_MO");
	assert_non_null(path);
	assert_int_equal(wording_load(&words, path), 0);
	*state = &words;
	return 0;
}

static int teardown(void **state)
{
	wording_deinit(*state);
	return 0;
}

static void says(const struct wording *words, const char *source, const char *expected)
{
	struct text out = {0};
	source_words(&out, words, source);
	assert_string_equal(out.at, expected);
	text_deinit(&out);
}

static void test_standards_and_permits_are_told_in_chinese(void **state)
{
	says(*state, "configuration", "本系统设定值");
	says(*state, "permit P-1", "排污许可证P-1");
	says(*state, "GB3838-2002 III, table 1, river", "GB3838-2002 Ⅲ类,表1,河流");
	says(*state, "GB3838-2002 source, table 2",
	     "GB3838-2002 集中式生活饮用水地表水源地项目,表2");
	says(*state, "GB18918-2002 1A, table 1, water <= 12 C",
	     "GB18918-2002 一级A标准,表1,水温≤12℃");
	says(*state, "GB8978-1996 1, table 4, 6 to 9 mg/L (figure not confirmed)",
	     "GB8978-1996 一级标准,表4,6至9 mg/L(限值待核实)");
	says(*state, "DB5301/T43-2020 E, table 1, cited by permit 9153",
	     "DB5301/T43-2020 E级限值,表1,由排污许可证9153引用");
}

static void test_what_an_office_wrote_stays_as_it_is(void **state)
{
	says(*state, "Order 1", "Order 1");
	says(*state, "环评批复(2020)7号", "环评批复(2020)7号");
	says(NULL, "GB3838-2002 III, table 1, river", "GB3838-2002 III, table 1, river");
	char longer[600];
	memset(longer, 'x', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	says(*state, longer, longer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_standards_and_permits_are_told_in_chinese),
		cmocka_unit_test(test_what_an_office_wrote_stays_as_it_is),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
