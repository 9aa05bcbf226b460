/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/influx.h"
#include "servers.h"

#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Bodies as InfluxDB 1.6 words them; of v2 as published. */
static const struct {
	long status;
	const char *body;
	enum influx_verdict verdict;
} answers[] = {
	{204, "", INFLUX_ACCEPTED},
	{200, "<html>welcome</html>", INFLUX_REFUSED},
	{301, "", INFLUX_REFUSED},
	{400, "{\"error\":\"partial write: field type conflict: input field dropped=1\"}",
	 INFLUX_PARTIAL},
	{400, "{\"error\":\"partial write: unable to parse 'x': missing fields dropped=0\"}",
	 INFLUX_PARTIAL},
	{400, "{\"error\":\"partial write: points beyond retention policy dropped=4\"}",
	 INFLUX_PARTIAL},
	{400, "{\"error\":\"unable to parse 'x': missing fields\"}", INFLUX_MALFORMED},
	{400, "{\"error\":\"database is required\"}", INFLUX_REFUSED},
	{400, "", INFLUX_DOUBTFUL},
	{401, "{\"error\":\"authorization failed\"}", INFLUX_REFUSED},
	{403, "{\"error\":\"not authorized\"}", INFLUX_REFUSED},
	{404, "{\"error\":\"database not found: \\\"ducha\\\"\"}", INFLUX_REFUSED},
	{408, "", INFLUX_UNKNOWN},
	{413, "{\"error\":\"Request Entity Too Large\"}", INFLUX_TOO_LARGE},
	{400, "{\"code\":\"invalid\",\"message\":\"unable to parse 'x': missing fields\"}",
	 INFLUX_MALFORMED},
	{401, "{\"code\":\"unauthorized\",\"message\":\"Unauthorized\"}", INFLUX_REFUSED},
	{404, "{\"code\":\"not found\",\"message\":\"bucket \\\"b\\\" not found\"}",
	 INFLUX_REFUSED},
	{422, "{\"message\":\"partial write: dropped=2\"}", INFLUX_PARTIAL},
	{429, "", INFLUX_BUSY},
	{500, "{\"error\":\"timeout\"}", INFLUX_DOUBTFUL},
	{500, "{\"error\":\"field type conflict\"}", INFLUX_PARTIAL},
	{500, "{\"error\":\"points beyond retention policy\"}", INFLUX_PARTIAL},
	{502, "", INFLUX_UNKNOWN},
	{503, "", INFLUX_BUSY},
	{504, "", INFLUX_UNKNOWN},
	{507, "", INFLUX_UNKNOWN},
};

static void test_each_answer_has_its_class(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
		if (influx_judge(answers[i].status, answers[i].body) != answers[i].verdict)
			fail_msg("%ld %s: %d", answers[i].status, answers[i].body,
				 (int)influx_judge(answers[i].status, answers[i].body));
}

static void test_a_dropped_count_of_zero_is_never_trusted(void **state)
{
	(void)state;
	assert_int_equal(influx_dropped("partial write: dropped=3"), 3);
	assert_int_equal(influx_dropped("partial write: dropped=0"), 1);
	assert_int_equal(influx_dropped("partial write"), 1);
}

static void write_once(const char *url, bool gzip, const char *user, const char *text,
		       struct influx_answer *answer)
{
	struct influx *influx;
	const struct influx_setup setup = {.url = url,
					   .database = "ducha",
					   .username = user,
					   .password = "opensesame",
					   .gzip = gzip};
	assert_int_equal(influx_new(&influx, &setup), 0);
	assert_int_equal(influx_write(influx, text, strlen(text), answer), 0);
	influx_free(influx);
}

static const char *say(void *context, const char *body, size_t n)
{
	(void)body, (void)n;
	return context;
}

static const char *be_silent(void *context, const char *body, size_t n)
{
	(void)context, (void)body, (void)n;
	return responder_silence;
}

static char say_204[] = RESPONDER_204;

static void test_a_request_names_database_precision_and_user(void **state)
{
	(void)state;
	struct responder responder;
	struct influx_answer answer;
	responder_start(&responder, say, say_204);
	write_once(responder.url, false, "edge", "a b=1 1\n", &answer);
	assert_int_equal(answer.verdict, INFLUX_ACCEPTED);
	assert_non_null(strstr(responder.head, "POST /write?db=ducha&precision=ns HTTP/1.1\r\n"));
	assert_non_null(strstr(responder.head, "Authorization: Basic ZWRnZTpvcGVuc2VzYW1l\r\n"));
	assert_null(strstr(responder.head, "Expect"));
	assert_string_equal(responder.bodies[0], "a b=1 1\n");
	responder_stop(&responder);
}

static void check_head(struct influx_setup setup, const char *line, const char *authorization)
{
	struct responder responder;
	struct influx *influx;
	struct influx_answer answer;
	responder_start(&responder, say, say_204);
	setup.url = responder.url;
	assert_int_equal(influx_new(&influx, &setup), 0);
	assert_int_equal(influx_write(influx, "a b=1 1\n", 8, &answer), 0);
	assert_int_equal(answer.verdict, INFLUX_ACCEPTED);
	if (strstr(responder.head, line) == NULL)
		fail_msg("not %s but %s", line, responder.head);
	assert_non_null(strstr(responder.head, authorization));
	influx_free(influx);
	responder_stop(&responder);
}

static void test_the_second_address_names_organization_bucket_and_token(void **state)
{
	(void)state;
	check_head((struct influx_setup){.api = influx_api("v2"),
					 .org = "env & co",
					 .bucket = "a/b",
					 .token = "opensesame"},
		   "POST /api/v2/write?org=env%20%26%20co&bucket=a%2Fb&precision=ns HTTP/1.1\r\n",
		   "Authorization: Token opensesame\r\n");
}

/* Request line and header as the published format of InfluxDB 3 has them, and its answer to a body
 * with one bad line of two. */
static void test_the_third_address_is_as_published(void **state)
{
	(void)state;
	check_head((struct influx_setup){.api = influx_api("v3"),
					 .database = "ducha",
					 .token = "opensesame"},
		   "POST /api/v3/write_lp?db=ducha&precision=nanosecond&accept_partial=true"
		   "&no_sync=false HTTP/1.1\r\n",
		   "Authorization: Bearer opensesame\r\n");
	static const char partial[] =
		"{\"error\":\"partial write of line protocol occurred\",\"data\":[{"
		"\"original_line\":\"home,room=Sunroom temp=hi 1735549200\",\"line_number\":2,"
		"\"error_message\":\"No fields were provided\"}]}";
	assert_int_equal(influx_judge(400, partial), INFLUX_PARTIAL);
	assert_int_equal(influx_dropped(partial), 1);
	assert_int_equal(influx_judge(401, "{\"error\": \"the request was not authenticated\"}"),
			 INFLUX_REFUSED);
}

static void test_a_redirect_is_not_followed(void **state)
{
	(void)state;
	struct responder responder, elsewhere;
	struct influx_answer answer;
	char text[256];
	responder_start(&elsewhere, say, say_204);
	snprintf(text, sizeof text,
		 "HTTP/1.1 307 Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", elsewhere.url);
	responder_start(&responder, say, text);
	write_once(responder.url, true, "edge", "a b=1 1\n", &answer);
	assert_int_equal(answer.verdict, INFLUX_REFUSED);
	assert_int_equal(elsewhere.n, 0);
	responder_stop(&responder);
	responder_stop(&elsewhere);
}

static void test_a_proxy_of_the_environment_is_not_used(void **state)
{
	(void)state;
	struct responder responder, proxy;
	struct influx_answer answer;
	responder_start(&proxy, say, say_204);
	responder_start(&responder, say, say_204);
	setenv("http_proxy", proxy.url, 1);
	write_once(responder.url, true, NULL, "a b=1 1\n", &answer);
	unsetenv("http_proxy");
	assert_int_equal(proxy.n, 0);
	assert_int_equal(responder.n, 1);
	responder_stop(&responder);
	responder_stop(&proxy);
}

static void test_a_wait_that_is_asked_for_is_capped(void **state)
{
	(void)state;
	struct responder responder;
	struct influx_answer answer;
	char text[] = "HTTP/1.1 429 Slow\r\nRetry-After: 99999\r\nContent-Length: 0\r\n\r\n";
	responder_start(&responder, say, text);
	write_once(responder.url, true, NULL, "a b=1 1\n", &answer);
	assert_int_equal(answer.verdict, INFLUX_BUSY);
	assert_int_equal(answer.retry_after_ms, 600000);
	responder_stop(&responder);
}

static void test_an_endless_answer_is_cut_and_judged_by_its_status(void **state)
{
	(void)state;
	struct responder responder;
	struct influx_answer answer;
	const size_t size = 200000;
	char *text = malloc(size);
	assert_non_null(text);
	memset(text, 'x', size);
	int n = snprintf(text, size, "HTTP/1.1 400 Bad\r\nContent-Length: 900000\r\n\r\n");
	text[n] = 'x';
	text[size - 1] = '\0';
	responder_start(&responder, say, text);
	write_once(responder.url, true, NULL, "a b=1 1\n", &answer);
	assert_int_equal(answer.verdict, INFLUX_DOUBTFUL);
	responder_stop(&responder);
	free(text);
}

static void test_nobody_there_is_not_known_whether_stored(void **state)
{
	(void)state;
	char url[64];
	struct influx_answer answer;
	snprintf(url, sizeof url, "http://127.0.0.1:%d", servers_port());
	write_once(url, true, NULL, "a b=1 1\n", &answer);
	assert_int_equal(answer.verdict, INFLUX_UNKNOWN);
	assert_int_equal(answer.status, 0);
	assert_true(answer.text[0] != '\0');
}

struct interruption {
	struct responder *responder;
	struct influx *influx;
};

static void *interrupt_when_asked(void *context)
{
	struct interruption *interruption = context;
	while (atomic_load(&interruption->responder->n) == 0)
		sched_yield();
	influx_interrupt(interruption->influx);
	return NULL;
}

static void test_a_running_transfer_ends_at_once(void **state)
{
	(void)state;
	struct responder responder;
	struct influx *influx;
	struct influx_answer answer;
	responder_start(&responder, be_silent, NULL);
	const struct influx_setup setup = {.url = responder.url, .database = "ducha"};
	assert_int_equal(influx_new(&influx, &setup), 0);
	pthread_t thread;
	struct interruption interruption = {&responder, influx};
	assert_int_equal(pthread_create(&thread, NULL, interrupt_when_asked, &interruption), 0);
	assert_int_equal(influx_write(influx, "a b=1 1\n", 8, &answer), 0);
	assert_int_equal(answer.verdict, INFLUX_STOPPED);
	pthread_join(thread, NULL);
	influx_free(influx);
	responder_stop(&responder);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_answer_has_its_class),
		cmocka_unit_test(test_a_dropped_count_of_zero_is_never_trusted),
		cmocka_unit_test(test_a_request_names_database_precision_and_user),
		cmocka_unit_test(test_the_second_address_names_organization_bucket_and_token),
		cmocka_unit_test(test_the_third_address_is_as_published),
		cmocka_unit_test(test_a_redirect_is_not_followed),
		cmocka_unit_test(test_a_proxy_of_the_environment_is_not_used),
		cmocka_unit_test(test_a_wait_that_is_asked_for_is_capped),
		cmocka_unit_test(test_an_endless_answer_is_cut_and_judged_by_its_status),
		cmocka_unit_test(test_nobody_there_is_not_known_whether_stored),
		cmocka_unit_test(test_a_running_transfer_ends_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
