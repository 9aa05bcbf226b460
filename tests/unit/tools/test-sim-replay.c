/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/bank.h"
#include "sim/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int load(const char *content, const char *const *sites, size_t n_sites, struct replay **r,
		char **faults)
{
	char name[] = "/tmp/test-sim-replay-XXXXXX";
	int fd = mkstemp(name);
	size_t length, n = strlen(content);
	struct replay_options options = {name, sites, n_sites, "p", 8 * 3600};
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, n), n);
	close(fd);
	FILE *out = open_memstream(faults, &length);
	assert_non_null(out);
	int error = replay_load(&options, r, out);
	fclose(out);
	unlink(name);
	return error;
}

static void expect_payload(const struct replay *r, size_t row, const char *topic, const char *text)
{
	char *payload = replay_payload(&r->rows[row]);
	assert_string_equal(r->series[r->rows[row].series].topic, topic);
	assert_string_equal(payload, text);
	free(payload);
}

static void test_rows_are_played_in_the_order_of_their_times(void **state)
{
	struct replay *r = NULL;
	char *faults = NULL;
	(void)state;
	assert_int_equal(load("value,flag,site,time,factor\r\n"
			      "1.5,N,a,2026-01-02T00:00:02Z,x\r\n"
			      "0.1,D,a,2026-01-02T00:00:00Z,y\r\n"
			      "NA,,b,2026-01-02 08:00:01,x\r\n"
			      "-3e2,T,a,1767312000.25,x\r\n"
			      "7,M,a,2026-01-02T00:00:02Z,y\r\n",
			      NULL, 0, &r, &faults),
			 0);
	assert_string_equal(faults, "");
	assert_int_equal(r->n_rows, 5);
	expect_payload(r, 0, "p/a/y", "{\"ts\":1767312000000,\"value\":0.1,\"flag\":\"D\"}");
	expect_payload(r, 1, "p/a/x", "{\"ts\":1767312000250,\"value\":-300,\"flag\":\"T\"}");
	expect_payload(r, 2, "p/b/x", "{\"ts\":1767312001000,\"value\":null,\"flag\":\"N\"}");
	expect_payload(r, 3, "p/a/x", "{\"ts\":1767312002000,\"value\":1.5,\"flag\":\"N\"}");
	expect_payload(r, 4, "p/a/y", "{\"ts\":1767312002000,\"value\":7,\"flag\":\"M\"}");
	replay_free(r);
	free(faults);
}

static void test_bad_rows_are_named_and_left_out(void **state)
{
	struct replay *r = NULL;
	char *faults = NULL;
	(void)state;
	assert_int_equal(load("time,site,factor,value,flag\n"
			      "yesterday,a,x,1,N\n"
			      "2026-01-02T00:00:00Z,a,x,inf,N\n"
			      "2026-01-02T00:00:00Z,a,x,1,Q\n"
			      "2026-01-02T00:00:00Z,,x,1,N\n"
			      "2026-01-02T00:00:00Z,a,x,0x10,N\n"
			      "2026-01-02T00:00Z,a,x,1,N\n"
			      "2026-01-02T00:00:00Z,a,x,1,NN\n"
			      "2026-01-02T00:00:00Z,a,x,4,N\n",
			      NULL, 0, &r, &faults),
			 0);
	assert_int_equal(r->n_bad, 7);
	assert_int_equal(r->n_rows, 1);
	assert_int_equal(r->rows[0].line, 9);
	assert_non_null(strstr(faults, ":2: not a time: \"yesterday\""));
	assert_non_null(strstr(faults, ":3: not a number: \"inf\""));
	assert_non_null(strstr(faults, ":4: not a flag: \"Q\""));
	assert_non_null(strstr(faults, ":5: no site or no factor"));
	assert_non_null(strstr(faults, ":8: not a flag: \"NN\""));
	replay_free(r);
	free(faults);
}

static void test_a_file_without_its_columns_is_refused(void **state)
{
	struct replay *r = NULL;
	char *faults = NULL;
	(void)state;
	assert_int_equal(load("time,site,value\n", NULL, 0, &r, &faults), -EINVAL);
	assert_non_null(strstr(faults, ":1: the header has no column \"factor\""));
	free(faults);
	assert_int_equal(load("", NULL, 0, &r, &faults), -EINVAL);
	assert_non_null(strstr(faults, "no header line"));
	free(faults);
}

static void test_other_sites_are_left_out_and_counted(void **state)
{
	const char *const sites[] = {"b"};
	struct replay *r = NULL;
	char *faults = NULL;
	(void)state;
	assert_int_equal(
		load("time,site,factor,value\n1,a,x,1\n2,b,x,2\n3,c,x,3\n", sites, 1, &r, &faults),
		0);
	assert_int_equal(r->n_rows, 1);
	assert_int_equal(r->n_skipped, 2);
	assert_string_equal(r->series[0].site, "b");
	replay_free(r);
	free(faults);
}

static void test_registers_show_the_current_value_of_each_factor(void **state)
{
	struct replay *r = NULL;
	char *faults = NULL;
	uint16_t words[4];
	(void)state;
	assert_int_equal(
		load("time,site,factor,value\n1,a,x,1\n1,b,x,2\n1,a,y,3\n", NULL, 0, &r, &faults),
		0);
	r->series[2].current = 123456.0;
	assert_int_equal(replay_read(r, 1, BANK_HOLDING, 0, 4, 0, words), 0);
	assert_int_equal(words[0] & 0x7fc0, 0x7fc0);
	assert_int_equal(words[2], 0x47f1);
	assert_int_equal(words[3], 0x2000);
	assert_int_equal(replay_read(r, 1, BANK_INPUT, 3, 1, 0, words), 0);
	assert_int_equal(words[0], 0x2000);
	assert_int_equal(replay_read(r, 1, BANK_HOLDING, 2, 3, 0, words), BANK_ILLEGAL_ADDRESS);
	assert_int_equal(replay_read(r, 2, BANK_HOLDING, 0, 2, 0, words), 0);
	assert_int_equal(replay_read(r, 2, BANK_HOLDING, 2, 1, 0, words), BANK_ILLEGAL_ADDRESS);
	assert_int_equal(replay_read(r, 3, BANK_HOLDING, 0, 1, 0, words), BANK_NO_SUCH_UNIT);
	assert_int_equal(replay_read(r, 1, BANK_COIL, 0, 1, 0, words), BANK_ILLEGAL_ADDRESS);
	replay_free(r);
	free(faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_played_in_the_order_of_their_times),
		cmocka_unit_test(test_bad_rows_are_named_and_left_out),
		cmocka_unit_test(test_a_file_without_its_columns_is_refused),
		cmocka_unit_test(test_other_sites_are_left_out_and_counted),
		cmocka_unit_test(test_registers_show_the_current_value_of_each_factor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
