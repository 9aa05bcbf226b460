/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

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

static bool page_has(const struct district *district, const char *path, const char *word)
{
	struct reply reply = get(district, path);
	assert_int_equal(reply.status, 200);
	bool has = strstr(reply.body.at, word) != NULL;
	reply_deinit(&reply);
	return has;
}

/* Gives the case until then, and looks for it among those that are due. */
static void assign_until(const struct district *district, int64_t id, int64_t due_ms)
{
	char path[64], body[128];
	snprintf(path, sizeof path, "/api/v1/cases/%lld/actions", (long long)id);
	snprintf(body, sizeof body, "{\"action\":\"assign\",\"unit\":\"U\",\"due\":\"%lld\"}",
		 (long long)(due_ms / 1000));
	expect(district, (struct call){.path = path, .body = body}, 200, "assigned");
}

static void test_the_office_page_is_filtered_by_deadline(void **state)
{
	static const char *const bad[] = {"/?due=odd", "/?due=day&due=week"};
	static const char first[] = "/api/v1/cases/1/dossier", second[] = "/api/v1/cases/2/dossier";
	struct district *district = *state;
	int64_t now_ms = district_now_ms();
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		expect(district, (struct call){.path = bad[i]}, 400, "due");
	district_raise(district, MONITOR_COD, 61.3, now_ms);
	district_raise(district, MONITOR_AMMONIA, 61.3, now_ms);
	assign_until(district, 1, now_ms + 3 * INT64_C(86400000));
	assign_until(district, 2, now_ms + 1000);
	assert_true(page_has(district, "/?due=week", first));
	assert_false(page_has(district, "/?due=day", first));
	bool overdue = false;
	while (!overdue && district_now_ms() < now_ms + 20000)
		overdue = page_has(district, "/?due=overdue", second);
	assert_true(overdue);
	assert_false(page_has(district, "/?due=overdue", first));
	assert_false(page_has(district, "/?due=week", second));
	assert_true(page_has(district, "/?due=", second));
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
		SERVED(test_the_office_page_is_filtered_by_deadline),
		SERVED(test_cases_are_listed_and_shown_whole),
		SERVED(test_an_action_is_kept_with_who_did_it),
		SERVED(test_an_action_that_cannot_be_is_refused),
		SERVED(test_bodies_are_limited),
		SERVED(test_bad_requests_are_named),
		SERVED(test_a_wrong_method_is_told_the_right_one),
		SERVED(test_head_answers_like_get_without_a_body),
		SERVED(test_the_listener_reads_but_never_acts),
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
