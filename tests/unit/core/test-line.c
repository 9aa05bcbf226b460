/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/line.h"
#include "core/text.h"

#include <math.h>
#include <string.h>

static struct site site = {.id = "outfall-3", .kind = SITE_OUTFALL};
static const struct monitor monitor = {.factor = "w01018"};
static const struct plan plan = {
	.node = "edge-01", .sites = &site, .n_sites = 1, .monitors = &monitor, .n_monitors = 1};

static void check_reading(struct reading r, const char *expected)
{
	struct text text = {0};
	line_reading(&text, &plan, 0, &r);
	assert_string_equal(text.at, expected);
	text_deinit(&text);
}

static void test_a_reading_is_one_line_with_sorted_tags(void **state)
{
	struct reading r = {
		.has_value = true, .value = 38.2, .flag = 'N', .measured_ms = 1767294245007};
	check_reading(r, "reading,factor=w01018,kind=outfall,node=edge-01,site=outfall-3 "
			 "value=38.2,flag=\"N\" 1767294245007000000\n");
	(void)state;
}

static void test_a_whole_value_stays_a_float(void **state)
{
	struct reading r = {.has_value = true, .value = 38, .flag = 'M', .measured_ms = 1};
	check_reading(r, "reading,factor=w01018,kind=outfall,node=edge-01,site=outfall-3 "
			 "value=38,flag=\"M\" 1000000\n");
	(void)state;
}

static void test_a_reading_without_value_leaves_the_field_out(void **state)
{
	struct reading r = {.flag = 'B', .measured_ms = 1};
	const char *expected = "reading,factor=w01018,kind=outfall,node=edge-01,site=outfall-3 "
			       "flag=\"B\" 1000000\n";
	check_reading(r, expected);
	r.has_value = true;
	r.value = NAN;
	check_reading(r, expected);
	r.value = -INFINITY;
	check_reading(r, expected);
	(void)state;
}

static void check_case(struct line_case event, const char *expected)
{
	struct text text = {0};
	line_case(&text, &event);
	assert_string_equal(text.at, expected);
	text_deinit(&text);
}

static void test_a_case_event_is_one_line(void **state)
{
	struct line_case event = {.node = "edge-01",
				  .site = "outfall-3",
				  .factor = "w01018",
				  .kind = "exceedance",
				  .id = 7,
				  .event = "opened",
				  .has_value = true,
				  .has_limit = true,
				  .value = 61.3,
				  .limit = 50,
				  .time_ms = 1767294245000};
	check_case(event, "case,factor=w01018,kind=exceedance,node=edge-01,site=outfall-3 "
			  "id=7i,event=\"opened\",value=61.3,limit=50 1767294245000000000\n");
	event.has_value = event.has_limit = false;
	event.factor = NULL;
	check_case(event, "case,kind=exceedance,node=edge-01,site=outfall-3 "
			  "id=7i,event=\"opened\" 1767294245000000000\n");
	(void)state;
}

static void test_hostile_names_start_no_second_point(void **state)
{
	struct line_case event = {.node = "a b,c=d",
				  .site = "x\ny\rz\t",
				  .factor = "back\\",
				  .kind = "",
				  .event = "say \"hi\" \\ \n",
				  .id = 1,
				  .time_ms = 1};
	check_case(event, "case,factor=back_,node=a\\ b\\,c\\=d,site=x_y_z_ "
			  "id=1i,event=\"say \\\"hi\\\" \\\\  \" 1000000\n");
	(void)state;
}

static void test_a_backslash_stays_where_it_can_be_read_back(void **state)
{
	struct line_case event = {
		.node = "a\\b", .site = "a\\ b\\\\c\\,d\\=\\", .event = "opened", .time_ms = -1};
	check_case(event, "case,node=a\\b,site=a_\\ b_\\c_\\,d_\\=_ id=0i,event=\"opened\" "
			  "-1000000\n");
	(void)state;
}

static void test_names_of_other_scripts_pass_unchanged(void **state)
{
	struct line_case event = {.node = "五华", .site = "三号", .event = "opened", .time_ms = 1};
	check_case(event, "case,node=五华,site=三号 id=0i,event=\"opened\" 1000000\n");
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_reading_is_one_line_with_sorted_tags),
		cmocka_unit_test(test_a_whole_value_stays_a_float),
		cmocka_unit_test(test_a_reading_without_value_leaves_the_field_out),
		cmocka_unit_test(test_a_case_event_is_one_line),
		cmocka_unit_test(test_hostile_names_start_no_second_point),
		cmocka_unit_test(test_a_backslash_stays_where_it_can_be_read_back),
		cmocka_unit_test(test_names_of_other_scripts_pass_unchanged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
