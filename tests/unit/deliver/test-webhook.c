/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/webhook.h"
#include "deliver/postgresql.h"
#include "deliver/signature.h"
#include "house.h"
#include "servers.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define PENDING "ducha_deliveries_pending{delivery=\"office\"}"
#define TOTAL(result) "ducha_deliveries_total{delivery=\"office\",result=\"" result "\"}"
#define REPLY(status, body) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n" body

static struct house house;
static struct responder responder;

/* @answer for the first @times requests, and of those only for bodies with @poison if there is one.
 */
static struct script {
	const char *answer, *poison;
	size_t times, used;
	int64_t at_ms[RESPONDER_KEPT];
} script;

static const char *play(void *context, const char *body, size_t n)
{
	(void)context;
	if (n < RESPONDER_KEPT)
		script.at_ms[n] = servers_now_ms();
	if (script.used >= script.times ||
	    (script.poison != NULL && strstr(body, script.poison) == NULL))
		return RESPONDER_204;
	script.used++;
	return script.answer;
}

static int build(void **state)
{
	(void)state;
	script = (struct script){0};
	house_build(&house);
	responder_start(&responder, play, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	responder_stop(&responder);
	house_tear_down(&house);
	return 0;
}

static struct delivery_setup office(void)
{
	return (struct delivery_setup){.id = "office",
				       .type = "webhook",
				       .url = responder.url,
				       .secret = SECRET,
				       .timeout_ms = 5000,
				       .alarm_after_ms = 60000,
				       .longest_pause_ms = 30};
}

static struct courier *start_all(const struct delivery_setup *deliveries, size_t n)
{
	struct courier *courier;
	const struct courier_setup setup = {.deliveries = deliveries,
					    .n_deliveries = n,
					    .plan = &house.plan,
					    .ledger = house.ledger,
					    .metrics = house.metrics,
					    .heartbeat = &house.heartbeat};
	assert_int_equal(courier_new(&courier, &setup), 0);
	assert_int_equal(courier_start(courier), 0);
	return courier;
}

static struct courier *start(const struct delivery_setup *delivery)
{
	return start_all(delivery, 1);
}

/* Ids of all requests, in order, each followed by a space; without the alert of the delivery. */
static const char *arrived(void)
{
	static char out[2048];
	size_t at = 0;
	pthread_mutex_lock(&responder.mutex);
	out[0] = '\0';
	for (size_t i = 0; i < responder.n && i < RESPONDER_KEPT; i++) {
		const char *id = strstr(responder.bodies[i], "\"id\":\"");
		if (strstr(responder.bodies[i], "\"kind\":\"fault\"") != NULL)
			continue;
		at += (size_t)snprintf(out + at, sizeof out - at, "%lld ",
				       id == NULL ? -1 : strtoll(id + 6, NULL, 10));
	}
	pthread_mutex_unlock(&responder.mutex);
	return out;
}

/* How many fault alerts there are, of those active or not. */
static int alerts(bool active, const char *words)
{
	const struct alert_filter filter = {.active = active, .limit = 100};
	struct text json = {0};
	int n = 0;
	assert_int_equal(ledger_alerts_json(house.ledger, &filter, &json), 0);
	for (const char *at = json.at; (at = strstr(at, "\"kind\":\"fault\"")) != NULL; at++)
		n++;
	if (n > 0 && words != NULL && strstr(json.at, words) == NULL)
		fail_msg("%s is not in %s", words, json.at);
	text_deinit(&json);
	return n;
}

static void wait_for_alerts(bool active, int n, const char *words)
{
	int64_t until = servers_now_ms() + 20000;
	while (alerts(active, words) != n && servers_now_ms() < until)
		poll(NULL, 0, 5);
	assert_int_equal(alerts(active, words), n);
}

static void header(const char *name, char *out, size_t size)
{
	const char *at = strcasestr(responder.head, name);
	assert_non_null(at);
	at += strlen(name) + 2;
	snprintf(out, size, "%.*s", (int)strcspn(at, "\r"), at);
}

static void test_an_event_arrives_signed_as_the_standard_says(void **state)
{
	(void)state;
	const struct delivery_setup delivery = office();
	char id[80], timestamp[80], signature[160];
	struct signer *signer;
	struct text expected = {0};
	house_warn(&house, true);
	struct courier *courier = start(&delivery);
	assert_true(house_wait(&house, TOTAL("ok"), 1));
	courier_free(courier);
	assert_non_null(strcasestr(responder.head, "content-type: application/cloudevents+json"));
	header("webhook-id", id, sizeof id);
	header("webhook-timestamp", timestamp, sizeof timestamp);
	header("webhook-signature", signature, sizeof signature);
	assert_string_equal(id, "edge-01-1");
	assert_true(llabs(strtoll(timestamp, NULL, 10) - time(NULL)) < 300);
	assert_int_equal(signer_new(&signer, SECRET, NULL), 0);
	signer_sign(signer, id, strtoll(timestamp, NULL, 10), responder.bodies[0],
		    strlen(responder.bodies[0]), &expected);
	assert_string_equal(signature, expected.at);
	assert_non_null(strstr(responder.bodies[0], "\"specversion\":\"1.0\""));
	text_deinit(&expected);
	signer_free(signer);
}

static void test_each_status_means_one_thing(void **state)
{
	(void)state;
	static const struct {
		long status;
		enum courier_outcome outcome;
	} table[] = {
		{0, COURIER_UNREACHABLE},   {200, COURIER_DELIVERED},   {204, COURIER_DELIVERED},
		{299, COURIER_DELIVERED},   {100, COURIER_TURNED_AWAY}, {301, COURIER_TURNED_AWAY},
		{304, COURIER_TURNED_AWAY}, {400, COURIER_REFUSED},     {401, COURIER_TURNED_AWAY},
		{403, COURIER_TURNED_AWAY}, {404, COURIER_TURNED_AWAY}, {405, COURIER_TURNED_AWAY},
		{408, COURIER_UNREACHABLE}, {409, COURIER_REFUSED},     {410, COURIER_TURNED_AWAY},
		{413, COURIER_REFUSED},     {422, COURIER_REFUSED},     {429, COURIER_UNREACHABLE},
		{500, COURIER_FAILED},      {501, COURIER_FAILED},      {502, COURIER_UNREACHABLE},
		{503, COURIER_UNREACHABLE}, {504, COURIER_UNREACHABLE}, {505, COURIER_FAILED},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (webhook_judge(table[i].status) != table[i].outcome)
			fail_msg("%ld", table[i].status);
}

static void test_each_class_of_a_registry_s_errors_means_one_thing(void **state)
{
	(void)state;
	static const struct {
		const char *sqlstate;
		enum courier_outcome outcome;
	} table[] = {
		{NULL, COURIER_UNREACHABLE},    {"22P05", COURIER_REFUSED},
		{"23505", COURIER_REFUSED},     {"28P01", COURIER_TURNED_AWAY},
		{"3D000", COURIER_TURNED_AWAY}, {"42883", COURIER_TURNED_AWAY},
		{"40001", COURIER_UNREACHABLE}, {"53100", COURIER_UNREACHABLE},
		{"57P01", COURIER_UNREACHABLE}, {"25006", COURIER_UNREACHABLE},
		{"XX000", COURIER_FAILED},      {"P0001", COURIER_FAILED},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (postgresql_judge(table[i].sqlstate) != table[i].outcome)
			fail_msg("%s", table[i].sqlstate);
}

/* Events: 1 a warning of the site; 2 and 3 of case 1; 4 the warning's end. */
static void make_events(void)
{
	house_warn(&house, true);
	house_exceed(&house, 61.3);
	house_warn(&house, false);
}

static void check_held_back(const char *expected, const char *words, int errors, int refusals)
{
	const struct delivery_setup delivery = office();
	script.poison = "\"id\":\"2\"";
	make_events();
	struct courier *courier = start(&delivery);
	assert_true(house_wait(&house, TOTAL("ok"), 6)); /* with an alert of its own and its end */
	assert_true(house_wait(&house, PENDING, 0));
	assert_string_equal(arrived(), expected);
	assert_true(house_metric(&house, TOTAL("error")) == errors);
	assert_true(house_metric(&house, TOTAL("refused")) == refusals);
	wait_for_alerts(true, 0, NULL);
	wait_for_alerts(false, 1, words);
	courier_free(courier);
}

static void test_a_refused_event_holds_up_its_case_alone(void **state)
{
	(void)state;
	script.answer = REPLY("400 Bad Request", "we know no such site\n");
	script.times = 2;
	check_held_back(
		"1 2 4 2 2 3 ",
		"delivery office: event 2, alert.raised, is held back: HTTP 400: we know no "
		"such site",
		0, 2);
}

static void test_an_event_the_receiver_fails_at_is_held_after_three_tries(void **state)
{
	(void)state;
	script.answer = REPLY("500 Oops", "stack trace\n");
	script.times = 4;
	check_held_back("1 2 2 2 4 2 2 3 ", "HTTP 500: stack trace", 4, 0);
}

static void test_what_is_held_stays_so_over_a_restart_and_is_not_pruned(void **state)
{
	(void)state;
	const struct delivery_setup delivery = office();
	script.answer = REPLY("422 No", "no");
	script.times = SIZE_MAX;
	script.poison = "\"id\":\"2\"";
	make_events();
	struct courier *courier = start(&delivery);
	assert_true(house_wait(&house, TOTAL("ok"), 3));
	courier_free(courier);
	house_close(&house);
	house_open(&house);
	assert_int_equal(ledger_prune(house.ledger, INT64_MAX), 0);
	assert_int_equal(ledger_event_first(house.ledger), 2);
	script.times = 0;
	courier = start(&delivery);
	assert_true(house_wait(&house, TOTAL("ok"), 3)); /* 2, 3 and the end of the alert */
	assert_true(house_wait(&house, PENDING, 0));
	courier_free(courier);
	const char *order = arrived();
	assert_string_equal(order + strlen(order) - 4, "2 3 ");
	assert_int_equal(alerts(false, NULL), 1);
	assert_int_equal(alerts(true, NULL), 0);
	assert_int_equal(ledger_prune(house.ledger, INT64_MAX), 0);
	assert_int_equal(ledger_event_first(house.ledger), 0);
}

static void is_alerted_at_once(const char *answer, const char *words)
{
	const struct delivery_setup delivery = office();
	script.answer = answer;
	script.times = 3;
	house_warn(&house, true);
	struct courier *courier = start(&delivery);
	wait_for_alerts(false, 1, words);
	courier_free(courier);
	assert_string_equal(arrived(), "1 1 1 1 ");
}

static void test_a_receiver_that_is_gone_is_an_alert_with_its_words(void **state)
{
	(void)state;
	is_alerted_at_once(REPLY("410 Gone", "moved to\x1b[31m elsewhere\n"),
			   "HTTP 410: moved to [31m elsewhere");
}

static void test_a_redirect_is_not_followed(void **state)
{
	(void)state;
	char answer[256];
	snprintf(answer, sizeof answer,
		 "HTTP/1.1 307 Elsewhere\r\nLocation: %selsewhere\r\nContent-Length: 0\r\n"
		 "Connection: close\r\n\r\n",
		 responder.url);
	is_alerted_at_once(answer, "HTTP 307");
	assert_null(strstr(responder.head, "elsewhere"));
}

static void test_out_of_reach_for_long_is_one_alert_also_over_a_restart(void **state)
{
	(void)state;
	struct delivery_setup delivery = office();
	delivery.alarm_after_ms = 50;
	script.answer = responder_reset;
	script.times = SIZE_MAX;
	house_warn(&house, true);
	struct courier *courier = start(&delivery);
	wait_for_alerts(true, 1, "no answer");
	courier_free(courier);
	house_close(&house);
	house_open(&house);
	courier = start(&delivery);
	assert_true(house_wait(&house, PENDING, 2));
	size_t seen = responder.n;
	while (responder.n < seen + 4)
		poll(NULL, 0, 5);
	assert_int_equal(alerts(true, NULL), 1);
	script.times = 0;
	wait_for_alerts(true, 0, NULL);
	assert_int_equal(alerts(false, NULL), 1);
	courier_free(courier);
}

static void test_the_alert_of_a_delivery_that_was_removed_is_dropped(void **state)
{
	(void)state;
	const struct delivery_setup delivery = office();
	script.answer = REPLY("401 No", "who are you");
	script.times = SIZE_MAX;
	house_warn(&house, true);
	struct courier *courier = start(&delivery);
	wait_for_alerts(true, 1, NULL);
	courier_free(courier);
	house_close(&house);
	house_open(&house);
	courier_free(start_all(NULL, 0));
	assert_int_equal(alerts(true, NULL), 0);
	assert_int_equal(alerts(false, NULL), 1);
}

static void test_retry_after_is_heeded(void **state)
{
	(void)state;
	const struct delivery_setup delivery = office();
	script.answer = "HTTP/1.1 503 Later\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";
	script.times = 1;
	house_warn(&house, true);
	struct courier *courier = start(&delivery);
	assert_true(house_wait(&house, TOTAL("ok"), 1));
	courier_free(courier);
	assert_true(script.at_ms[1] - script.at_ms[0] >= 990);
}

static void holds_no_thread(const char *answer)
{
	struct delivery_setup delivery = office();
	delivery.timeout_ms = 300;
	script.answer = answer;
	script.times = 1;
	house_warn(&house, true);
	struct courier *courier = start(&delivery);
	while (responder.n < 1)
		poll(NULL, 0, 5);
	if (answer != responder_silence)
		assert_true(house_wait(&house, PENDING, 0));
	courier_free(courier);
}

static void test_no_answer_is_long_enough_to_hold_the_thread(void **state)
{
	(void)state;
	holds_no_thread(responder_endless);
	holds_no_thread(responder_half);
	holds_no_thread(responder_reset);
	holds_no_thread(responder_trickle);
	holds_no_thread(responder_silence);
}

static void test_a_silent_receiver_delays_nobody_else(void **state)
{
	(void)state;
	char out[192];
	snprintf(out, sizeof out, "%s/out", house.directory);
	const struct delivery_setup deliveries[] = {
		office(), {.id = "folder", .type = "file", .directory = out}};
	script.answer = responder_silence;
	script.times = SIZE_MAX;
	make_events();
	struct courier *courier = start_all(deliveries, 2);
	assert_true(
		house_wait(&house, "ducha_deliveries_total{delivery=\"folder\",result=\"ok\"}", 4));
	assert_true(house_metric(&house, PENDING) >= 4);
	assert_true(house_metric(&house, TOTAL("ok")) == 0);
	courier_free(courier);
}

static void test_a_test_is_marked_and_ends_the_pause(void **state)
{
	(void)state;
	struct delivery_setup delivery = office();
	delivery.longest_pause_ms = 3600000;
	int64_t number = 0, until = servers_now_ms() + 20000;
	struct text json = {0};
	script.answer = "HTTP/1.1 503 Later\r\nRetry-After: 3000\r\nContent-Length: 0\r\n\r\n";
	script.times = 1;
	house_warn(&house, true);
	struct courier *courier = start(&delivery);
	assert_true(house_wait(&house, TOTAL("error"), 1));
	assert_false(courier_test(courier, "nobody", &number));
	assert_true(courier_test(courier, "office", &number));
	assert_int_equal(number, 1);
	do {
		poll(NULL, 0, 5);
		text_clear(&json);
		courier_json(courier, &json);
	} while (strstr(json.at, "\"done\":true,\"ok\":true") == NULL && servers_now_ms() < until);
	assert_non_null(
		strstr(json.at, "{\"number\":1,\"done\":true,\"ok\":true,\"text\":\"HTTP 204\"}"));
	assert_non_null(strstr(json.at, "\"last_error\":\"HTTP 503\""));
	assert_true(house_wait(&house, TOTAL("ok"), 1));
	courier_free(courier);
	assert_non_null(strstr(responder.bodies[1], "\"type\":\"ducha.test\""));
	assert_non_null(strstr(responder.bodies[1], "\"test\":true"));
	assert_int_equal(ledger_event_last(house.ledger), 1);
	text_deinit(&json);
}

/* --- killed at any moment --- */

enum { KILLS = 8 };

static void live_until_killed(const struct delivery_setup *delivery)
{
	house_open(&house);
	struct courier *courier = start(delivery);
	for (int i = 0; i < 25; i++) {
		house_warn(&house, i % 2 == 0);
		courier_wake(courier);
	}
	for (;;)
		pause();
}

static void check_each_arrived(int64_t last)
{
	char *seen = calloc((size_t)last + 1, 1);
	pthread_mutex_lock(&responder.mutex);
	for (size_t i = 0; i < responder.n && i < RESPONDER_KEPT; i++) {
		const char *at = strstr(responder.bodies[i], "\"id\":\"");
		int64_t id = at == NULL ? -1 : strtoll(at + 6, NULL, 10);
		assert_true(id >= 1 && id <= last);
		assert_true(id == 1 || seen[id - 1]); /* in order, with repeats */
		seen[id] = 1;
	}
	pthread_mutex_unlock(&responder.mutex);
	assert_true(seen[last]);
	free(seen);
}

static void test_a_kill_at_any_moment_loses_no_event(void **state)
{
	(void)state;
	const struct delivery_setup delivery = office();
	house_close(&house);
	for (int i = 0; i < KILLS; i++) {
		fflush(NULL);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			live_until_killed(&delivery);
		size_t seen = responder.n;
		int64_t until = servers_now_ms() + 20000;
		while (responder.n < seen + 3 && servers_now_ms() < until)
			poll(NULL, 0, 1);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
	house_open(&house);
	struct courier *courier = start(&delivery);
	assert_true(house_wait(&house, PENDING, 0));
	courier_free(courier);
	check_each_arrived(ledger_event_last(house.ledger));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, build, tear_down)

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {
		TEST(test_an_event_arrives_signed_as_the_standard_says),
		TEST(test_each_status_means_one_thing),
		TEST(test_each_class_of_a_registry_s_errors_means_one_thing),
		TEST(test_a_refused_event_holds_up_its_case_alone),
		TEST(test_an_event_the_receiver_fails_at_is_held_after_three_tries),
		TEST(test_what_is_held_stays_so_over_a_restart_and_is_not_pruned),
		TEST(test_a_receiver_that_is_gone_is_an_alert_with_its_words),
		TEST(test_a_redirect_is_not_followed),
		TEST(test_out_of_reach_for_long_is_one_alert_also_over_a_restart),
		TEST(test_the_alert_of_a_delivery_that_was_removed_is_dropped),
		TEST(test_retry_after_is_heeded),
		TEST(test_no_answer_is_long_enough_to_hold_the_thread),
		TEST(test_a_silent_receiver_delays_nobody_else),
		TEST(test_a_test_is_marked_and_ends_the_pause),
		TEST(test_a_kill_at_any_moment_loses_no_event),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
