/* SPDX-License-Identifier: Apache-2.0 */
#include "district.h"

#include <curl/curl.h>
#include <jansson.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* --- HTTP through libcurl --- */

struct reply {
	long status;
	struct text body, headers;
	json_t *json; /* NULL if it is none */
};

struct call {
	const char *method, *path, *body;
	const char *header;
	bool listener; /* over TCP */
};

static size_t add(char *data, size_t size, size_t n, void *context)
{
	text_add_n(context, data, size * n);
	return size * n;
}

static void reply_deinit(struct reply *reply)
{
	text_deinit(&reply->body);
	text_deinit(&reply->headers);
	json_decref(reply->json);
}

static void method_set(CURL *curl, const struct call *call)
{
	if (call->method != NULL && strcmp(call->method, "HEAD") == 0)
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	else if (call->method != NULL)
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
	if (call->body != NULL)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body);
}

static struct reply http(const struct district *district, struct call call)
{
	struct reply reply = {0};
	char url[1024];
	CURL *curl = curl_easy_init();
	struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
	if (call.header != NULL)
		headers = curl_slist_append(headers, call.header);
	snprintf(url, sizeof url, "http://127.0.0.1:%u%s",
		 call.listener ? serve_port(district->serve) : 80u, call.path);
	if (!call.listener)
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, district->socket);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 20000L);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, add);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply.body);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, add);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, &reply.headers);
	method_set(curl, &call);
	CURLcode code = curl_easy_perform(curl);
	if (code != CURLE_OK)
		fail_msg("%s: %s", call.path, curl_easy_strerror(code));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply.status);
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	text_add(&reply.body, "");
	reply.json = json_loadb(reply.body.at, reply.body.length, 0, NULL);
	return reply;
}

static struct reply get(const struct district *district, const char *path)
{
	return http(district, (struct call){.path = path});
}

static void expect(const struct district *district, struct call call, long status, const char *word)
{
	struct reply reply = http(district, call);
	if (reply.status != status || strstr(reply.body.at, word) == NULL)
		fail_msg("%s: %ld %s; wanted %ld and \"%s\"", call.path, reply.status,
			 reply.body.at, status, word);
	if (status >= 400)
		assert_non_null(json_string_value(json_object_get(reply.json, "error")));
	reply_deinit(&reply);
}

/* --- an event stream over a plain socket --- */

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

static size_t count(const char *text, const char *word)
{
	size_t n = 0;
	for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
		n++;
	return n;
}

/* --- the fixture --- */

static int setup(void **state)
{
	struct district *district = malloc(sizeof *district);
	district_open(district);
	*state = district;
	return 0;
}

static int teardown(void **state)
{
	district_close(*state);
	free(*state);
	return 0;
}

/* --- tests --- */

static void test_health_says_ok_or_why_not(void **state)
{
	struct district *district = *state;
	struct reply reply = get(district, "/health");
	assert_int_equal(reply.status, 200);
	assert_string_equal(json_string_value(json_object_get(reply.json, "status")), "ok");
	assert_string_equal(json_string_value(json_object_get(reply.json, "version")), "1.2.3");
	assert_string_equal(json_string_value(json_object_get(reply.json, "node")), "test-edge-01");
	assert_true(json_is_integer(json_object_get(reply.json, "uptime_s")));
	reply_deinit(&reply);
	atomic_store(&district->ill, true);
	reply = get(district, "/health");
	assert_int_equal(reply.status, 503);
	assert_string_equal(json_string_value(json_object_get(reply.json, "status")), "failing");
	const json_t *reasons = json_object_get(reply.json, "reasons");
	assert_int_equal(json_array_size(reasons), 2);
	assert_string_equal(json_string_value(json_array_get(reasons, 1)), "the disk is full");
	reply_deinit(&reply);
}

static void test_metrics_have_every_series_from_the_start(void **state)
{
	struct district *district = *state;
	expect(district, (struct call){.path = "/metrics"}, 200,
	       "ducha_build_info{version=\"1.2.3\"} 1\n");
	expect(district, (struct call){.path = "/metrics"}, 200,
	       "ducha_alerts_active{kind=\"load\"} 0\n");
	expect(district, (struct call){.path = "/metrics"}, 200,
	       "ducha_cases_open{status=\"review\"} 0\n");
	struct reply reply = get(district, "/metrics");
	assert_non_null(strstr(reply.headers.at, "text/plain; version=0.0.4"));
	assert_null(strstr(reply.body.at, "status=\"closed\""));
	reply_deinit(&reply);
	district_raise(district, MONITOR_COD, 61.3, district_now_ms());
	expect(district, (struct call){.path = "/metrics"}, 200,
	       "ducha_alerts_active{kind=\"exceedance\"} 1\n");
	expect(district, (struct call){.path = "/metrics"}, 200,
	       "ducha_cases_open{status=\"registered\"} 1\n");
}

static void test_sites_show_the_latest_reading_and_alerts(void **state)
{
	struct district *district = *state;
	int64_t now = district_now_ms();
	district_read(district, MONITOR_COD, 40.5, FLAG_NORMAL, now - 2000);
	district_read(district, MONITOR_COD, 61.3, FLAG_NORMAL, now - 1000);
	district_raise(district, MONITOR_COD, 61.3, now - 1000);
	struct reply reply = get(district, "/api/v1/sites");
	assert_int_equal(reply.status, 200);
	const json_t *sites = json_object_get(reply.json, "sites");
	assert_int_equal(json_array_size(sites), 2);
	const json_t *site = json_array_get(sites, 0);
	assert_string_equal(json_string_value(json_object_get(site, "id")), "outfall-3");
	assert_string_equal(json_string_value(json_object_get(site, "kind")), "outfall");
	const json_t *cod = json_array_get(json_object_get(site, "monitors"), 0);
	const json_t *latest = json_object_get(cod, "latest");
	assert_string_equal(json_string_value(json_object_get(cod, "connection")), "wwtp-3");
	assert_string_equal(json_string_value(json_object_get(cod, "factor_name")), "化学需氧量");
	assert_true(json_number_value(json_object_get(latest, "value")) == 61.3);
	assert_string_equal(json_string_value(json_object_get(latest, "flag")), "N");
	assert_string_equal(json_string_value(json_array_get(json_object_get(cod, "alerts"), 0)),
			    "exceedance");
	const json_t *ammonia = json_array_get(json_object_get(site, "monitors"), 1);
	assert_true(json_is_null(json_object_get(ammonia, "latest")));
	assert_int_equal(json_array_size(json_object_get(ammonia, "alerts")), 0);
	reply_deinit(&reply);
}

static void test_readings_come_oldest_first_with_their_bounds(void **state)
{
	struct district *district = *state;
	int64_t base = (district_now_ms() / 1000 - 600) * 1000;
	char path[256];
	for (int i = 0; i < 5; i++)
		district_read(district, MONITOR_COD, 40 + i, FLAG_NORMAL, base + i * 1000);
	district_read(district, MONITOR_AMMONIA, 1.25, FLAG_MAINTENANCE, base);
	snprintf(path, sizeof path,
		 "/api/v1/readings?site=outfall-3&factor=w01018&from=%lld&to=%lld",
		 (long long)base / 1000 + 1, (long long)base / 1000 + 4);
	struct reply reply = get(district, path);
	assert_int_equal(reply.status, 200);
	const json_t *readings = json_object_get(reply.json, "readings");
	assert_int_equal(json_array_size(readings), 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(json_number_value(json_object_get(json_array_get(readings, i),
							      "value")) == 41.0 + (double)i);
	const char *time = json_string_value(json_object_get(json_array_get(readings, 0), "time"));
	assert_int_equal(strlen(time), 29);
	assert_string_equal(time + 19, ".000+08:00");
	reply_deinit(&reply);
	reply = get(district, "/api/v1/readings?site=outfall-3");
	assert_int_equal(json_array_size(json_object_get(reply.json, "readings")), 6);
	assert_null(json_object_get(reply.json, "next"));
	reply_deinit(&reply);
}

static void test_a_full_page_of_readings_leads_to_the_next(void **state)
{
	struct district *district = *state;
	int64_t base = district_now_ms() - 60000, next = 0;
	char path[256];
	for (int i = 0; i < 5; i++)
		district_read(district, MONITOR_COD, i, FLAG_NORMAL, base + i);
	size_t seen = 0;
	for (int page = 0; page < 4; page++) {
		snprintf(path, sizeof path, "/api/v1/readings?site=outfall-3&limit=2%s%.0lld",
			 next > 0 ? "&after=" : "", (long long)next);
		struct reply reply = get(district, path);
		const json_t *readings = json_object_get(reply.json, "readings");
		for (size_t i = 0; i < json_array_size(readings); i++)
			assert_true(json_number_value(json_object_get(json_array_get(readings, i),
								      "value")) == (double)seen++);
		next = json_integer_value(json_object_get(reply.json, "next"));
		reply_deinit(&reply);
		if (next == 0)
			break;
	}
	assert_int_equal(seen, 5);
}

static void test_readings_are_csv_for_those_who_accept_it(void **state)
{
	struct district *district = *state;
	int64_t base = district_now_ms() - 60000;
	district_read(district, MONITOR_COD, 61.3, FLAG_NORMAL, base);
	district_read(district, MONITOR_COD, 0, FLAG_COMMUNICATION, base + 1);
	const struct call call = {.path = "/api/v1/readings?site=outfall-3&limit=2",
				  .header = "Accept: text/csv"};
	struct reply reply = http(district, call);
	assert_int_equal(reply.status, 200);
	assert_non_null(strstr(reply.headers.at, "text/csv"));
	assert_non_null(strstr(reply.headers.at, "Ducha-Next: "));
	assert_memory_equal(reply.body.at, "time,received_at,site,factor,value,flag\n", 40);
	assert_non_null(strstr(reply.body.at, ",outfall-3,w01018,61.3,N\n"));
	assert_non_null(strstr(reply.body.at, ",outfall-3,w01018,,B\n"));
	assert_int_equal(count(reply.body.at, "\n"), 3);
	reply_deinit(&reply);
}

static void test_gaps_say_what_was_judged_and_not_recorded(void **state)
{
	struct district *district = *state;
	struct gap gap = {MONITOR_COD, 1767294245000, 1767294255500, 12};
	assert_int_equal(daybook_append_gap(district->daybook, &gap, district_now_ms()), 0);
	assert_int_equal(daybook_commit(district->daybook), 0);
	struct reply reply = get(district, "/api/v1/gaps?site=outfall-3");
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply.body.at,
			    "{\"gaps\":[{\"site\":\"outfall-3\",\"factor\":\"w01018\","
			    "\"from\":\"2026-01-02T03:04:05.000+08:00\","
			    "\"to\":\"2026-01-02T03:04:15.500+08:00\",\"count\":12}]}\n");
	reply_deinit(&reply);
	reply = get(district, "/api/v1/gaps?to=2026-01-02T03:04:05%2B08:00");
	assert_string_equal(reply.body.at, "{\"gaps\":[]}\n");
	reply_deinit(&reply);
}

static void test_alerts_are_listed_and_filtered(void **state)
{
	struct district *district = *state;
	int64_t now = district_now_ms();
	district_raise(district, MONITOR_COD, 61.3, now - 5000);
	district_raise(district, MONITOR_AMMONIA, 70, now - 4000);
	district_clear(district, MONITOR_COD, now - 5000, now - 1000);
	static const struct {
		const char *path;
		size_t n;
	} cases[] = {{"/api/v1/alerts", 2},
		     {"/api/v1/alerts?active=true", 1},
		     {"/api/v1/alerts?active=false", 1},
		     {"/api/v1/alerts?limit=1", 1},
		     {"/api/v1/alerts?site=river-1", 0}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct reply reply = get(district, cases[i].path);
		assert_int_equal(reply.status, 200);
		assert_int_equal(json_array_size(json_object_get(reply.json, "alerts")),
				 cases[i].n);
		reply_deinit(&reply);
	}
}

static void test_the_office_page_follows_readings_and_withholds_what_is_not_verified(void **state)
{
	struct district *district = *state;
	const struct call open = {.path = "/", .listener = true}, own = {.path = "/"};
	struct reply reply = http(district, own);
	assert_int_equal(reply.status, 200);
	assert_non_null(strstr(reply.body.at, "no cases"));
	assert_null(strstr(reply.body.at, "class=\"spark\""));
	reply_deinit(&reply);
	district_read(district, MONITOR_PH, 7.25, FLAG_NORMAL, district_now_ms() - 7200000);
	district_read(district, MONITOR_PH, 7.75, FLAG_NORMAL, district_now_ms() - 1000);
	district_read(district, MONITOR_COD, 61.3, FLAG_MAINTENANCE, district_now_ms() - 1000);
	/* the curves are read while the page waits a little, and are there with a later one */
	bool drawn = false;
	for (int64_t end_ms = district_now_ms() + 20000; !drawn && district_now_ms() < end_ms;) {
		reply = http(district, open);
		drawn = strstr(reply.body.at, "last day: 7.25 to 7.75") != NULL;
		reply_deinit(&reply);
	}
	assert_true(drawn);
	district_raise(district, MONITOR_COD, 61.3, district_now_ms() - 1000);
	expect(district, own, 200, "/api/v1/cases/1/dossier");
	expect(district, open, 200, "not shown on the open page: 1");
	reply = http(district, open);
	assert_null(strstr(reply.body.at, "/api/v1/cases/1/dossier"));
	assert_null(strstr(reply.body.at, "exceedance"));
	reply_deinit(&reply);
}

static void test_cases_are_listed_and_shown_whole(void **state)
{
	struct district *district = *state;
	char path[64];
	int64_t id = district_raise(district, MONITOR_COD, 61.3, district_now_ms());
	assert_true(id > 0);
	struct reply reply = get(district, "/api/v1/cases");
	const json_t *cases = json_object_get(reply.json, "cases");
	assert_int_equal(json_array_size(cases), 1);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(cases, 0), "id")), id);
	reply_deinit(&reply);
	snprintf(path, sizeof path, "/api/v1/cases/%lld", (long long)id);
	reply = get(district, path);
	assert_int_equal(reply.status, 200);
	assert_string_equal(json_string_value(json_object_get(reply.json, "status")), "registered");
	assert_true(json_number_value(json_object_get(reply.json, "peak_value")) == 61.3);
	reply_deinit(&reply);
	reply = get(district, "/api/v1/cases?status=all&to=2001-01-01T00:00:00Z");
	assert_int_equal(json_array_size(json_object_get(reply.json, "cases")), 0);
	reply_deinit(&reply);
	strcat(path, "/dossier");
	expect(district, (struct call){.path = path}, 200, "<!DOCTYPE html>");
	expect(district, (struct call){.path = "/api/v1/cases/99/dossier"}, 404, "no case 99");
}

static void test_an_action_is_kept_with_who_did_it(void **state)
{
	struct district *district = *state;
	char path[64];
	int64_t id = district_raise(district, MONITOR_COD, 61.3, district_now_ms());
	snprintf(path, sizeof path, "/api/v1/cases/%lld/actions", (long long)id);
	struct call call = {.path = path,
			    .body = "{\"action\":\"note\",\"note\":\"looked at it\"}"};
	struct reply reply = http(district, call);
	assert_int_equal(reply.status, 200);
	const json_t *history = json_object_get(reply.json, "history");
	const json_t *last = json_array_get(history, json_array_size(history) - 1);
	assert_string_equal(json_string_value(json_object_get(last, "note")), "looked at it");
	assert_true(strlen(json_string_value(json_object_get(last, "by"))) > 0);
	assert_string_not_equal(json_string_value(json_object_get(last, "by")), "unknown");
	reply_deinit(&reply);
	call.body = "{\"action\":\"note\",\"note\":\"again\",\"by\":\"张某\"}";
	expect(district, call, 200, "张某");
}

static void test_an_action_that_cannot_be_is_refused(void **state)
{
	struct district *district = *state;
	char path[64];
	int64_t id = district_raise(district, MONITOR_COD, 61.3, district_now_ms());
	snprintf(path, sizeof path, "/api/v1/cases/%lld/actions", (long long)id);
	expect(district,
	       (struct call){.path = path, .body = "{\"action\":\"close\",\"note\":\"x\"}"}, 409,
	       "\"allowed\":[");
	expect(district, (struct call){.path = path, .body = "{\"action\":\"note\"}"}, 400, "note");
	expect(district, (struct call){.path = path, .body = "{\"action\":\"fly\"}"}, 400, "fly");
	expect(district, (struct call){.path = path, .body = "[1]"}, 400, "object");
	expect(district, (struct call){.path = path, .body = "no"}, 400, "not JSON");
	expect(district,
	       (struct call){.path = "/api/v1/cases/99/actions",
			     .body = "{\"action\":\"note\",\"note\":\"x\"}"},
	       404, "no case 99");
}

static void test_bodies_are_limited(void **state)
{
	struct district *district = *state;
	char *body = malloc(70001);
	memset(body, ' ', 70000);
	body[70000] = '\0';
	const struct call call = {.path = "/api/v1/cases/1/actions", .body = body};
	expect(district, call, 413, "64 KiB");
	body[65536] = '\0';
	expect(district, call, 400, "not JSON");
	free(body);
}

static void test_bad_requests_are_named(void **state)
{
	struct district *district = *state;
	static const struct {
		const char *path;
		long status;
		const char *word;
	} bad[] = {
		{"/?status=odd", 400, "it must be open, all, or a case's status"},
		{"/?site=none", 404, "no site"},
		{"/?page=0", 400, "it must be a whole number from 1"},
		{"/api/v1/nothing", 404, "no such path"},
		{"/api/v1/cases/99", 404, "no case 99"},
		{"/api/v1/cases/x", 404, "no such path"},
		{"/api/v1/readings", 400, "site"},
		{"/api/v1/readings?site=nowhere", 404, "nowhere"},
		{"/api/v1/readings?site=outfall-3&factor=w99999", 404, "w99999"},
		{"/api/v1/readings?site=outfall-3&limit=0", 400, "limit"},
		{"/api/v1/readings?site=outfall-3&from=tomorrow", 400, "from"},
		{"/api/v1/readings?site=outfall-3&colour=red", 400, "colour"},
		{"/api/v1/alerts?active=1", 400, "active"},
		{"/api/v1/alerts?site=nowhere", 404, "nowhere"},
		{"/api/v1/cases?status=closed", 400, "status"},
		{"/api/v1/cases?site=nowhere", 404, "nowhere"},
		{"/api/v1/sites?x", 400, "x"},
		{"/health?x=1", 400, "x"},
		{"/api/v1/events?site=nowhere", 404, "nowhere"},
		{"/api/v1/events?last=-1", 400, "last"},
		{"/health?a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q", 400, "too many"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		expect(district, (struct call){.path = bad[i].path}, bad[i].status, bad[i].word);
}

static void test_a_wrong_method_is_told_the_right_one(void **state)
{
	struct district *district = *state;
	struct reply reply =
		http(district, (struct call){.path = "/api/v1/sites", .method = "DELETE"});
	assert_int_equal(reply.status, 405);
	assert_non_null(strstr(reply.headers.at, "Allow: GET, HEAD\r\n"));
	reply_deinit(&reply);
	reply = http(district, (struct call){.path = "/api/v1/sites", .body = "{}"});
	assert_int_equal(reply.status, 405);
	reply_deinit(&reply);
	reply = get(district, "/api/v1/cases/1/actions");
	assert_int_equal(reply.status, 405);
	assert_non_null(strstr(reply.headers.at, "Allow: POST\r\n"));
	reply_deinit(&reply);
}

static void test_head_answers_like_get_without_a_body(void **state)
{
	struct district *district = *state;
	struct reply reply = http(district, (struct call){.path = "/health", .method = "HEAD"});
	assert_int_equal(reply.status, 200);
	assert_int_equal(reply.body.length, 0);
	assert_non_null(strstr(reply.headers.at, "application/json"));
	reply_deinit(&reply);
	reply = http(district, (struct call){.path = "/api/v1/cases/9", .method = "HEAD"});
	assert_int_equal(reply.status, 404);
	reply_deinit(&reply);
	reply = http(district, (struct call){.path = "/api/v1/events", .method = "HEAD"});
	assert_int_equal(reply.status, 200);
	assert_non_null(strstr(reply.headers.at, "text/event-stream"));
	reply_deinit(&reply);
}

static void test_the_listener_reads_but_never_acts(void **state)
{
	struct district *district = *state;
	int64_t id = district_raise(district, MONITOR_COD, 61.3, district_now_ms());
	char path[64];
	snprintf(path, sizeof path, "/api/v1/cases/%lld/actions", (long long)id);
	expect(district, (struct call){.path = "/api/v1/cases", .listener = true}, 200,
	       "outfall-3");
	expect(district,
	       (struct call){.path = path,
			     .body = "{\"action\":\"note\",\"note\":\"x\"}",
			     .listener = true},
	       403, "reading only");
	expect(district, (struct call){.path = "/nothing", .body = "x", .listener = true}, 403,
	       "reading only");
	expect(district, (struct call){.path = path, .listener = true}, 405, "method");
	*strrchr(path, '/') = '\0';
	struct reply reply = get(district, path);
	assert_int_equal(json_array_size(json_object_get(reply.json, "history")), 1);
	reply_deinit(&reply);
}

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

static void test_the_socket_is_for_owner_and_group(void **state)
{
	struct district *district = *state;
	struct stat file;
	assert_int_equal(stat(district->socket, &file), 0);
	assert_true(S_ISSOCK(file.st_mode));
	assert_int_equal(file.st_mode & 0777, 0660);
	district->serve = serve_free(district->serve);
	assert_int_equal(access(district->socket, F_OK), -1);
}

static char *refusal(const struct district *district, const char *socket, const char *listen)
{
	struct serve *serve;
	char *error = NULL;
	const struct serve_setup setup = {.socket = socket,
					  .listen = listen,
					  .directory = district->directory,
					  .version = "1",
					  .plan = district->plan,
					  .daybook = district->daybook,
					  .ledger = district->ledger,
					  .metrics = district->metrics};
	assert_true(serve_new(&serve, &setup, &error) < 0);
	assert_non_null(error);
	return error;
}

static void test_a_running_daemon_keeps_its_socket(void **state)
{
	struct district *district = *state;
	char *error = refusal(district, district->socket, NULL);
	assert_non_null(strstr(error, "another daemon answers"));
	free(error);
	expect(district, (struct call){.path = "/health"}, 200, "ok");
}

static void test_a_stale_socket_is_replaced_and_a_file_is_not(void **state)
{
	struct district *district = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	district->serve = serve_free(district->serve);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", district->socket);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	close(fd);
	assert_int_equal(access(district->socket, F_OK), 0);
	district_serve(district);
	expect(district, (struct call){.path = "/health"}, 200, "ok");
	char path[128];
	snprintf(path, sizeof path, "%s/file", district->directory);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	char *error = refusal(district, path, NULL);
	assert_non_null(strstr(error, "is not a socket"));
	assert_int_equal(access(path, F_OK), 0);
	free(error);
}

static void test_what_cannot_be_bound_is_said(void **state)
{
	struct district *district = *state;
	char path[128], taken[32];
	snprintf(path, sizeof path, "%s/none/s.sock", district->directory);
	char *error = refusal(district, path, NULL);
	assert_non_null(strstr(error, path));
	free(error);
	snprintf(path, sizeof path, "%s/second.sock", district->directory);
	snprintf(taken, sizeof taken, "127.0.0.1:%u", serve_port(district->serve));
	error = refusal(district, path, taken);
	assert_non_null(strstr(error, taken));
	free(error);
	assert_int_equal(access(path, F_OK), -1);
	static const char *const bad[] = {"9212", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x",
					  "[::1:9"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		error = refusal(district, path, bad[i]);
		assert_non_null(strstr(error, "is not an address"));
		free(error);
	}
}

#define SERVED(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVED(test_health_says_ok_or_why_not),
		SERVED(test_metrics_have_every_series_from_the_start),
		SERVED(test_sites_show_the_latest_reading_and_alerts),
		SERVED(test_readings_come_oldest_first_with_their_bounds),
		SERVED(test_a_full_page_of_readings_leads_to_the_next),
		SERVED(test_readings_are_csv_for_those_who_accept_it),
		SERVED(test_gaps_say_what_was_judged_and_not_recorded),
		SERVED(test_alerts_are_listed_and_filtered),
		SERVED(test_the_office_page_follows_readings_and_withholds_what_is_not_verified),
		SERVED(test_cases_are_listed_and_shown_whole),
		SERVED(test_an_action_is_kept_with_who_did_it),
		SERVED(test_an_action_that_cannot_be_is_refused),
		SERVED(test_bodies_are_limited),
		SERVED(test_bad_requests_are_named),
		SERVED(test_a_wrong_method_is_told_the_right_one),
		SERVED(test_head_answers_like_get_without_a_body),
		SERVED(test_the_listener_reads_but_never_acts),
		SERVED(test_events_arrive_as_they_are_committed),
		SERVED(test_a_stream_goes_on_after_the_last_event_id),
		SERVED(test_an_unknown_last_event_id_gets_all_that_is_kept),
		SERVED(test_the_last_events_come_first_when_asked_for),
		SERVED(test_streams_are_limited_and_status_still_gets_through),
		SERVED(test_stopping_ends_open_streams),
		SERVED(test_stopping_while_events_are_made_is_safe),
		SERVED(test_the_socket_is_for_owner_and_group),
		SERVED(test_a_running_daemon_keeps_its_socket),
		SERVED(test_a_stale_socket_is_replaced_and_a_file_is_not),
		SERVED(test_what_cannot_be_bound_is_said),
	};
	curl_global_init(CURL_GLOBAL_DEFAULT);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	curl_global_cleanup();
	return failed;
}
