/* SPDX-License-Identifier: Apache-2.0 */
/* Event streams: what arrives, from where on, how many there may be, and how they end. */
#include "client.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct stream_client {
	int fd;
	struct text seen;
};

static struct stream_client listen_to(const struct district *district, const char *path,
				      const char *header)
{
	struct stream_client client = {.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct text request = {0};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", district->socket);
	assert_int_equal(connect(client.fd, (struct sockaddr *)&address, sizeof address), 0);
	text_format(&request, "GET %s HTTP/1.1\r\nHost: duchad\r\n%s\r\n", path, header);
	assert_int_equal(write(client.fd, request.at, request.length), (ssize_t)request.length);
	text_deinit(&request);
	return client;
}

static int64_t mono_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* One read. Return: bytes, 0 at the end, -1 after the deadline. */
static ssize_t more(struct stream_client *client, int64_t deadline)
{
	char buffer[4096];
	struct pollfd fd = {.fd = client->fd, .events = POLLIN};
	int64_t left = deadline - mono_ms();
	if (left <= 0 || poll(&fd, 1, (int)left) <= 0)
		return -1;
	ssize_t n = read(client->fd, buffer, sizeof buffer);
	if (n > 0)
		text_add_n(&client->seen, buffer, (size_t)n);
	return n < 0 ? 0 : n;
}

static void until(struct stream_client *client, const char *word)
{
	int64_t deadline = mono_ms() + 20000;
	while (client->seen.at == NULL || strstr(client->seen.at, word) == NULL)
		if (more(client, deadline) <= 0)
			fail_msg("no \"%s\" in: %s", word,
				 client->seen.at == NULL ? "" : client->seen.at);
}

static void hang_up(struct stream_client *client)
{
	close(client->fd);
	text_deinit(&client->seen);
}

/* --- tests --- */

static void test_events_arrive_as_they_are_committed(void **state)
{
	struct district *district = *state;
	district_raise(district, MONITOR_AMMONIA, 77, district_now_ms());
	struct stream_client client = listen_to(district, "/api/v1/events", "");
	until(&client, ": at ");
	district_raise(district, MONITOR_COD, 61.3, district_now_ms());
	until(&client, "event: ducha.alert.raised\n");
	until(&client, "event: ducha.case.opened\n");
	until(&client, "\n\n");
	const char *data = strstr(client.seen.at, "data: {");
	assert_non_null(data);
	assert_null(strstr(client.seen.at, "w21003")); /* the one before was not asked for */
	assert_non_null(strstr(client.seen.at, "text/event-stream"));
	json_t *event = json_loadb(data + 6, strcspn(data + 6, "\n"), 0, NULL);
	const char *id = json_string_value(json_object_get(event, "id"));
	struct text wanted = {0};
	text_format(&wanted, "id: %s\nevent: ducha.", id);
	assert_non_null(strstr(client.seen.at, wanted.at));
	text_deinit(&wanted);
	json_decref(event);
	hang_up(&client);
}

static void test_a_stream_goes_on_after_the_last_event_id(void **state)
{
	struct district *district = *state;
	char header[64];
	int64_t now = district_now_ms();
	district_raise(district, MONITOR_AMMONIA, 77, now);
	snprintf(header, sizeof header, "Last-Event-ID: %lld\r\n",
		 (long long)ledger_event_last(district->ledger));
	district_raise(district, MONITOR_COD, 61.3, now);
	struct stream_client client = listen_to(district, "/api/v1/events", header);
	until(&client, "w01018");
	until(&client, "ducha.case.opened");
	assert_null(strstr(client.seen.at, "w21003"));
	hang_up(&client);
	snprintf(header, sizeof header, "/api/v1/events?last_event_id=%lld",
		 (long long)ledger_event_last(district->ledger) - 1);
	client = listen_to(district, header, "");
	until(&client, "data: ");
	until(&client, ": ping");
	assert_int_equal(count(client.seen.at, "data: "), 1);
	hang_up(&client);
}

static void test_an_unknown_last_event_id_gets_all_that_is_kept(void **state)
{
	static const char *const unknown[] = {"Last-Event-ID: 999999\r\n", "Last-Event-ID: x7\r\n",
					      "Last-Event-ID: 0\r\n",
					      "Last-Event-ID: 99999999999999999999999\r\n"};
	struct district *district = *state;
	district_raise(district, MONITOR_AMMONIA, 77, district_now_ms());
	district_raise(district, MONITOR_COD, 61.3, district_now_ms());
	for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
		struct stream_client client = listen_to(district, "/api/v1/events", unknown[i]);
		until(&client, ": ping");
		assert_int_equal(count(client.seen.at, "data: "),
				 (size_t)ledger_event_last(district->ledger));
		hang_up(&client);
	}
}

static void test_the_last_events_come_first_when_asked_for(void **state)
{
	struct district *district = *state;
	int64_t now = district_now_ms();
	for (int i = 0; i < 10; i++) {
		district_raise(district, MONITOR_COD, 61.3, now + i * 2);
		district_clear(district, MONITOR_COD, now + i * 2, now + i * 2 + 1);
	}
	district_raise(district, MONITOR_PH, 61.3, now);
	struct stream_client client = listen_to(district, "/api/v1/events?last=3", "");
	until(&client, ": ping");
	assert_int_equal(count(client.seen.at, "data: "), 3);
	hang_up(&client);
	for (size_t n = 1; n <= 7; n++) {
		char path[64];
		snprintf(path, sizeof path, "/api/v1/events?last=%zu&site=outfall-3", n);
		client = listen_to(district, path, "");
		until(&client, ": ping");
		assert_int_equal(count(client.seen.at, "data: "), n);
		assert_null(strstr(client.seen.at, "w01001"));
		hang_up(&client);
	}
	client = listen_to(district, "/api/v1/events?last=1000&site=river-1", "");
	until(&client, ": ping");
	assert_int_equal(count(client.seen.at, "data: "), 1);
	hang_up(&client);
}

/* Opens streams until one is refused; returns how many were not. */
static size_t fill_streams(struct district *district, struct stream_client *clients, size_t most)
{
	for (size_t i = 0; i < most; i++) {
		clients[i] = listen_to(district, "/api/v1/events", "");
		until(&clients[i], "\r\n\r\n");
		if (strstr(clients[i].seen.at, " 503 ") != NULL) {
			hang_up(&clients[i]);
			return i;
		}
		until(&clients[i], ": at ");
	}
	return most;
}

static void test_streams_are_limited_and_status_still_gets_through(void **state)
{
	struct district *district = *state;
	struct stream_client clients[40], one;
	size_t n = fill_streams(district, clients, 40);
	assert_int_equal(n, 32);
	expect(district, (struct call){.path = "/health"}, 200, "ok");
	/* One that hangs up makes room, though nothing happened to be said to it. */
	hang_up(&clients[--n]);
	for (int64_t deadline = mono_ms() + 20000;;) {
		assert_true(mono_ms() < deadline);
		one = listen_to(district, "/api/v1/events", "");
		until(&one, "\r\n\r\n");
		if (strstr(one.seen.at, " 200 ") != NULL)
			break;
		hang_up(&one);
		poll(NULL, 0, 20);
	}
	hang_up(&one);
	while (n > 0)
		hang_up(&clients[--n]);
}

static void test_stopping_ends_open_streams(void **state)
{
	struct district *district = *state;
	struct stream_client clients[5];
	for (size_t i = 0; i < 5; i++) {
		clients[i] = listen_to(district, "/api/v1/events", "");
		until(&clients[i], ": at ");
	}
	int64_t before = mono_ms();
	district->serve = serve_free(district->serve);
	assert_true(mono_ms() - before < 10000);
	for (size_t i = 0; i < 5; i++) {
		int64_t deadline = mono_ms() + 20000;
		ssize_t n;
		while ((n = more(&clients[i], deadline)) > 0)
			;
		assert_int_equal(n, 0);
		hang_up(&clients[i]);
	}
	/* The ledger goes on without its server. */
	district_raise(district, MONITOR_COD, 61.3, district_now_ms());
}

static void test_stopping_while_events_are_made_is_safe(void **state)
{
	struct district *district = *state;
	for (int round = 0; round < 10; round++) {
		struct stream_client client = listen_to(district, "/api/v1/events", "");
		until(&client, ": at ");
		district_raise(district, MONITOR_COD, 61.3, district_now_ms() + round);
		district->serve = serve_free(district->serve);
		hang_up(&client);
		district_serve(district);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVED(test_events_arrive_as_they_are_committed),
		SERVED(test_a_stream_goes_on_after_the_last_event_id),
		SERVED(test_an_unknown_last_event_id_gets_all_that_is_kept),
		SERVED(test_the_last_events_come_first_when_asked_for),
		SERVED(test_streams_are_limited_and_status_still_gets_through),
		SERVED(test_stopping_ends_open_streams),
		SERVED(test_stopping_while_events_are_made_is_safe),
	};
	curl_global_init(CURL_GLOBAL_DEFAULT);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	curl_global_cleanup();
	return failed;
}
