/* SPDX-License-Identifier: Apache-2.0 */
#include "core/zone.h"
#include "drivers/hj212/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define HEAD "QN=20400103040506007;ST=32;CN=2011;PW=123456;MN=88888880000001;Flag=5;"
#define REALTIME                                                                                   \
	HEAD "CP=&&DataTime=20400103040500;w01018-Rtd=61.3,w01018-Flag=N;"                         \
	     "w00000-Rtd=36.91,w00000-Flag=M&&"
#define OF_2005                                                                                    \
	"ST=32;CN=2011;PW=123456;MN=88888880000001;CP=&&DataTime=20400103040500250;B01-Rtd=36.91;" \
	"011-Rtd=231.0,011-Flag=N;060-Rtd=1.803,060-Flag=D&&"
#define PART                                                                                       \
	"QN=20400103040506007;ST=22;CN=2051;PW=123456;MN=14513567846884;PNO=0002;PNUM=0002;"       \
	"CP=&&DataTime=20400103040000;a01006-Avg=101.85,a01006-Min=101.84,a01006-Max=101.87,"      \
	"a01006-ValidNum=10&&"

#define MOMENT INT64_C(2209176300000) /* 2040-01-03T04:05:00Z */

static const struct hj212_point cod = {.monitor = 7,
				       .mn = "88888880000001",
				       .factor = "w01018",
				       .old_factor = "011",
				       .field = HJ212_RTD,
				       .scale = 1};

static struct hj212_message parsed(const char *data)
{
	struct hj212_message message;
	const char *wrong = hj212_message_parse(data, strlen(data), &message);
	if (wrong != NULL)
		fail_msg("%s: %s", data, wrong);
	return message;
}

/* What @point takes from a message: each sample that it gives. */
struct samples {
	struct sample at[8];
	enum hj212_taken taken[8]; /* of all records, not wanted ones left out */
	size_t n, n_taken;
};

static struct samples samples_of(const struct hj212_point *point, const char *data)
{
	static const struct zone utc = {0};
	struct hj212_message message = parsed(data);
	struct hj212_text rest = message.area;
	struct hj212_record record;
	struct samples out = {.n = 0};
	while (hj212_record_next(&rest, &record)) {
		struct sample sample;
		enum hj212_taken taken = hj212_sample(point, &message, &record, &utc, &sample);
		if (taken == HJ212_SAMPLE)
			out.at[out.n++] = sample;
		if (taken != HJ212_NOT_WANTED)
			out.taken[out.n_taken++] = taken;
	}
	return out;
}

static struct sample only(const struct hj212_point *point, const char *data)
{
	struct samples samples = samples_of(point, data);
	assert_int_equal(samples.n, 1);
	assert_int_equal(samples.n_taken, 1);
	return samples.at[0];
}

static void test_the_fields_in_front_are_known_by_name(void **state)
{
	(void)state;
	struct hj212_message message = parsed(REALTIME);
	assert_true(hj212_is(message.qn, "20400103040506007"));
	assert_true(hj212_is(message.pw, "123456"));
	assert_true(hj212_is(message.mn, "88888880000001"));
	assert_int_equal(message.system, 32);
	assert_int_equal(message.command, HJ212_REALTIME);
	assert_int_equal(message.flag, 5);
	message = parsed("MN=A;CN=9015;CP=&&&&");
	assert_null(message.qn.at);
	assert_int_equal(message.system, -1);
	assert_int_equal(message.flag, 0);
	assert_int_equal(message.area.n, 0);
	message = parsed("Flag=7;PNUM=2;NEW=x;PNO=1;MN=A;CN=2051;ST=A1;CP=&&DataTime=1&&");
	assert_int_equal(message.flag, 7);
	assert_int_equal(message.system, -1);
	assert_true(hj212_is(message.time, "1"));
	assert_int_equal(parsed(PART).command, HJ212_MINUTE);
}

static void test_what_is_no_message_says_why(void **state)
{
	(void)state;
	static const char *const wrong[][2] = {
		{"MN=A;CN=2011", "CP=&&"},
		{"CN=2011;CP=&&&&", "MN"},
		{"MN=;CN=2011;CP=&&&&", "MN"},
		{"MN=A;CP=&&&&", "CN"},
		{"MN=A;CN=20x1;CP=&&&&", "CN"},
		{"MN=A;CN=2011;Flag=256;CP=&&&&", "Flag"},
		{"MN=A;CN=2011;Flag=x;CP=&&&&", "Flag"},
		{"MN=A;CN=2011;CP=&&&", "end in &&"},
		{"MN=A;CN=2011;CP=&&DataTime=1", "end in &&"},
		{"QN=01234567890123456789012345678901234567890;MN=A;CN=2011;CP=&&&&", "longer"}};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct hj212_message message;
		const char *why = hj212_message_parse(wrong[i][0], strlen(wrong[i][0]), &message);
		assert_non_null(why);
		assert_non_null(strstr(why, wrong[i][1]));
	}
}

static void test_a_factor_is_a_value_with_time_and_flag(void **state)
{
	(void)state;
	struct sample sample = only(&cod, REALTIME);
	double raw;
	memcpy(&raw, &sample.raw, sizeof raw);
	assert_int_equal(sample.monitor, 7);
	assert_true(sample.has_value && sample.value == 61.3 && raw == 61.3);
	assert_true(sample.has_time && sample.measured_ms == MOMENT);
	assert_int_equal(sample.flag, FLAG_NORMAL);
	struct hj212_point flow = cod;
	flow.factor = "w00000";
	assert_int_equal(only(&flow, REALTIME).flag, FLAG_MAINTENANCE);
	flow.scale = 3.6;
	flow.offset = 1;
	assert_true(only(&flow, REALTIME).value == 36.91 * 3.6 + 1);
}

static void test_loggers_of_2005_have_old_codes_and_no_flags(void **state)
{
	(void)state;
	struct hj212_point flow = cod, ammonia = cod;
	assert_true(only(&cod, OF_2005).value == 231);
	assert_int_equal(only(&cod, OF_2005).measured_ms, MOMENT + 250);
	flow.old_factor = "B01";
	assert_int_equal(only(&flow, OF_2005).flag, FLAG_NORMAL);
	ammonia.old_factor = "060";
	assert_int_equal(only(&ammonia, OF_2005).flag, FLAG_FAULT);
	ammonia.old_factor = NULL;
	assert_int_equal(samples_of(&ammonia, OF_2005).n_taken, 0);
}

static void test_all_flags_and_those_that_are_none(void **state)
{
	(void)state;
	static const char letters[] = "NFMSDCTB", others[] = "nPL0+";
	char data[256];
	for (size_t i = 0; letters[i] != '\0'; i++) {
		snprintf(data, sizeof data, HEAD "CP=&&w01018-Rtd=1,w01018-Flag=%c&&", letters[i]);
		assert_int_equal(only(&cod, data).flag, letters[i]);
	}
	for (size_t i = 0; others[i] != '\0'; i++) {
		snprintf(data, sizeof data, HEAD "CP=&&w01018-Rtd=1,w01018-Flag=%c&&", others[i]);
		assert_int_equal(only(&cod, data).flag, FLAG_FAULT);
	}
	assert_int_equal(only(&cod, HEAD "CP=&&w01018-Rtd=1,w01018-Flag=NN&&").flag, FLAG_FAULT);
	assert_int_equal(only(&cod, HEAD "CP=&&w01018-Rtd=1,w01018-Flag=&&").flag, FLAG_NORMAL);
	assert_int_equal(only(&cod, HEAD "CP=&&Flag=C;w01018-Rtd=1&&").flag, FLAG_CALIBRATION);
	assert_int_equal(only(&cod, HEAD "CP=&&w01018-Rtd=1,w01018-Flag=N;Flag=C&&").flag,
			 FLAG_NORMAL);
}

/* Wherever devices put it: a value whose flag was missed would count as good. */
static void test_the_flag_is_found_before_and_behind_the_value(void **state)
{
	(void)state;
	static const char *const forms[] = {
		"w01018-Flag=D,w01018-Rtd=1", "w01018-Rtd=1;w01018-Flag=D",
		"w01018-Flag=D;w01018-Rtd=1", "w01018-Rtd=1,w01018-EFlag=E12,w01018-Flag=D",
		"w01018-Rtd=1,,w01018-Flag=D;;"};
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		char data[256];
		snprintf(data, sizeof data, HEAD "CP=&&DataTime=20400103040500;%s&&", forms[i]);
		assert_int_equal(only(&cod, data).flag, FLAG_FAULT);
		assert_true(only(&cod, data).value == 1);
	}
}

static void test_a_factor_that_comes_twice_is_two_values(void **state)
{
	(void)state;
	struct samples samples = samples_of(
		&cod, HEAD "CP=&&w01018-Rtd=1,w01018-Flag=N;w01018-Rtd=2,w01018-Flag=D&&");
	assert_int_equal(samples.n, 2);
	assert_true(samples.at[0].value == 1 && samples.at[0].flag == FLAG_NORMAL);
	assert_true(samples.at[1].value == 2 && samples.at[1].flag == FLAG_FAULT);
}

static void test_without_a_value_the_flag_says_why(void **state)
{
	(void)state;
	static const char *const none[] = {"w01018-Rtd=",    "w01018-Rtd=-",    "w01018-Rtd=--",
					   "w01018-Rtd=NaN", "w01018-Rtd=null", "w01018-Rtd"};
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		char data[256];
		snprintf(data, sizeof data, HEAD "CP=&&%s,w01018-Flag=B&&", none[i]);
		assert_false(only(&cod, data).has_value);
		assert_int_equal(only(&cod, data).flag, FLAG_COMMUNICATION);
		snprintf(data, sizeof data, HEAD "CP=&&%s&&", none[i]);
		assert_int_equal(only(&cod, data).flag, FLAG_FAULT);
	}
	assert_int_equal(only(&cod, HEAD "CP=&&w01018-Flag=F&&").flag, FLAG_STOPPED);
	assert_int_equal(samples_of(&cod, HEAD "CP=&&w01018-Flag=N&&").n_taken, 0);
}

static void test_what_is_no_number_or_no_time_is_refused(void **state)
{
	(void)state;
	static const char *const values[] = {"0x10", "1,5x", "inf", "1.2.3", "12mg", "1e999"};
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		char data[256];
		snprintf(data, sizeof data, HEAD "CP=&&w01018-Rtd=%s&&", values[i]);
		struct samples samples = samples_of(&cod, data);
		if (strchr(values[i], ',') != NULL)
			assert_true(samples.n == 1 && samples.at[0].value == 1);
		else
			assert_true(samples.n_taken == 1 && samples.taken[0] == HJ212_NO_NUMBER);
	}
	static const char *const times[] = {"20400132040500",     "20400103",
					    "204001030405000000", "2040010304050x",
					    "20400103250500",     "00000000000000"};
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		char data[256];
		snprintf(data, sizeof data, HEAD "CP=&&DataTime=%s;w01018-Rtd=1&&", times[i]);
		struct samples samples = samples_of(&cod, data);
		assert_true(samples.n_taken == 1 && samples.taken[0] == HJ212_NO_TIME);
	}
	assert_false(only(&cod, HEAD "CP=&&w01018-Rtd=1&&").has_time);
}

static void test_a_result_has_the_time_of_its_sample(void **state)
{
	(void)state;
	struct sample sample = only(&cod, HEAD "CP=&&DataTime=20400103043000;w01018-Rtd=1,"
					       "w01018-SampleTime=20400103040500&&");
	assert_int_equal(sample.measured_ms, MOMENT);
	sample = only(&cod, HEAD "CP=&&DataTime=20400103040500;w01018-Rtd=1,"
				 "w01018-SampleTime=00000000000000&&");
	assert_int_equal(sample.measured_ms, MOMENT);
}

/* A logger's own means are made of the values that it sends, too: a point takes one kind. */
static void test_a_point_takes_one_kind_of_message(void **state)
{
	(void)state;
	static const int commands[] = {2011, 2051, 2061, 2031, 2041, 2021, 3020, 9014};
	for (int kind = HJ212_OF_REALTIME; kind <= HJ212_OF_DAYS; kind++)
		for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
			struct hj212_point point = cod;
			point.kind = (enum hj212_kind)kind;
			assert_int_equal(hj212_takes(&point, commands[i]), (size_t)kind == i);
		}
	struct hj212_point minutes = {.monitor = 1,
				      .factor = "a01006",
				      .kind = HJ212_OF_MINUTES,
				      .field = HJ212_AVG,
				      .period_ms = 600000,
				      .scale = 1};
	assert_true(only(&minutes, PART).value == 101.85);
	assert_int_equal(only(&minutes, PART).measured_ms, MOMENT - 300000 - 600000);
	minutes.field = HJ212_MAX;
	assert_true(only(&minutes, PART).value == 101.87);
	minutes.field = HJ212_COU;
	assert_int_equal(samples_of(&minutes, PART).n_taken, 0);
	minutes.kind = HJ212_OF_HOURS;
	assert_int_equal(samples_of(&minutes, PART).n_taken, 0);
}

static void test_texts_of_a_log_do_not_part_it(void **state)
{
	(void)state;
	struct sample sample = only(&cod, HEAD "CP=&&DataTime=20400103040500;i11001-Info=//a;"
					       "w01018-Rtd=5,w01018-Flag=N//;w01018-Rtd=1&&");
	assert_true(sample.value == 1);
	assert_int_equal(samples_of(&cod, HEAD "CP=&&i11001-Info=//open;w01018-Rtd=5&&").n, 1);
}

/* No telegram holds one, but the parser need not know that. */
static void test_a_nul_is_a_character(void **state)
{
	(void)state;
	static const char data[] = "MN=A;CN=2011;CP=&&\0;w01018-Rtd=1;\0=\0&&";
	struct hj212_message message;
	struct hj212_record record;
	assert_null(hj212_message_parse(data, sizeof data - 1, &message));
	struct hj212_text rest = message.area;
	assert_true(hj212_record_next(&rest, &record));
	assert_false(hj212_record_next(&rest, &record));
}

static void test_times_are_those_of_the_zone(void **state)
{
	(void)state;
	static const struct zone_change changes[] = {{INT64_MIN, 8 * 3600}};
	static const struct zone shanghai = {changes, 1};
	int64_t ms = 0;
	assert_true(hj212_time((struct hj212_text){"20400103120500", 14}, &shanghai, &ms));
	assert_int_equal(ms, MOMENT);
	assert_true(hj212_time((struct hj212_text){"2040010312050025", 16}, &shanghai, &ms));
	assert_int_equal(ms, MOMENT + 250);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_fields_in_front_are_known_by_name),
		cmocka_unit_test(test_what_is_no_message_says_why),
		cmocka_unit_test(test_a_factor_is_a_value_with_time_and_flag),
		cmocka_unit_test(test_loggers_of_2005_have_old_codes_and_no_flags),
		cmocka_unit_test(test_all_flags_and_those_that_are_none),
		cmocka_unit_test(test_the_flag_is_found_before_and_behind_the_value),
		cmocka_unit_test(test_a_factor_that_comes_twice_is_two_values),
		cmocka_unit_test(test_without_a_value_the_flag_says_why),
		cmocka_unit_test(test_what_is_no_number_or_no_time_is_refused),
		cmocka_unit_test(test_a_result_has_the_time_of_its_sample),
		cmocka_unit_test(test_a_point_takes_one_kind_of_message),
		cmocka_unit_test(test_texts_of_a_log_do_not_part_it),
		cmocka_unit_test(test_a_nul_is_a_character),
		cmocka_unit_test(test_times_are_those_of_the_zone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
