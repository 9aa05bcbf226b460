/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/courier.h"
#include "house.h"
#include "servers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static struct house house;

static int build(void **state)
{
	(void)state;
	house_build(&house);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	house_tear_down(&house);
	return 0;
}

static struct courier *start(const struct delivery_setup *deliveries, size_t n)
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

static struct delivery_setup folder(const char *id, char *path, size_t size)
{
	snprintf(path, size, "%s/out/%s", house.directory, id);
	return (struct delivery_setup){.id = id, .type = "file", .directory = path};
}

static int by_name(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* Names of all files, hidden ones too, each followed by a space. */
static void list(const char *path, char *out, size_t size)
{
	struct dirent **entries;
	int n = scandir(path, &entries, by_name, alphasort);
	size_t at = 0;
	out[0] = '\0';
	for (int i = 0; i < n; i++) {
		if (at < size)
			at += (size_t)snprintf(out + at, size - at, "%s ", entries[i]->d_name);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

static void test_events_become_whole_files_in_order(void **state)
{
	(void)state;
	char path[192], names[512], file[320];
	const struct delivery_setup delivery = folder("box", path, sizeof path);
	house_warn(&house, true);
	house_exceed(&house, 61.3);
	struct courier *courier = start(&delivery, 1);
	assert_true(house_wait(&house, "ducha_deliveries_pending{delivery=\"box\"}", 0));
	house_warn(&house, false);
	courier_wake(courier);
	assert_true(
		house_wait(&house, "ducha_deliveries_total{delivery=\"box\",result=\"ok\"}", 4));
	list(path, names, sizeof names);
	assert_string_equal(names, "0000000001-alert.raised.json 0000000002-alert.raised.json "
				   "0000000003-case.opened.json 0000000004-alert.cleared.json ");
	snprintf(file, sizeof file, "%s/0000000003-case.opened.json", path);
	json_t *event = json_load_file(file, JSON_REJECT_DUPLICATES, NULL);
	assert_string_equal(json_string_value(json_object_get(event, "type")), "ducha.case.opened");
	assert_non_null(json_object_get(event, "data"));
	json_decref(event);
	courier_free(courier);
}

static void test_only_wanted_events_are_delivered_and_counted(void **state)
{
	(void)state;
	char path[192], names[512];
	const char *const filters[] = {"case.*"};
	struct delivery_setup delivery = folder("box", path, sizeof path);
	delivery.filter = (struct outbox_filter){.events = filters, .n_events = 1};
	struct courier *courier = start(&delivery, 1);
	house_warn(&house, true);
	house_exceed(&house, 61.3);
	courier_wake(courier);
	assert_true(
		house_wait(&house, "ducha_deliveries_total{delivery=\"box\",result=\"ok\"}", 1));
	assert_true(house_wait(&house, "ducha_deliveries_pending{delivery=\"box\"}", 0));
	list(path, names, sizeof names);
	assert_string_equal(names, "0000000003-case.opened.json ");
	courier_free(courier);
	assert_int_equal(ledger_cursor(house.ledger, "delivery/box", -1), 3);
}

static void test_a_restart_goes_on_where_it_stopped(void **state)
{
	(void)state;
	char path[192], names[512], file[320];
	const struct delivery_setup delivery = folder("box", path, sizeof path);
	struct courier *courier = start(&delivery, 1);
	house_warn(&house, true);
	courier_wake(courier);
	assert_true(
		house_wait(&house, "ducha_deliveries_total{delivery=\"box\",result=\"ok\"}", 1));
	courier_free(courier);
	snprintf(file, sizeof file, "%s/0000000001-alert.raised.json", path);
	assert_int_equal(unlink(file), 0);
	house_warn(&house, false);
	house_close(&house);
	house_open(&house);
	courier = start(&delivery, 1);
	assert_true(
		house_wait(&house, "ducha_deliveries_total{delivery=\"box\",result=\"ok\"}", 1));
	courier_free(courier);
	list(path, names, sizeof names);
	assert_string_equal(names, "0000000002-alert.cleared.json ");
}

static void test_a_directory_that_cannot_be_written_holds_up_nobody_else(void **state)
{
	(void)state;
	char good[192], bad[192], out[160], names[512];
	const struct delivery_setup deliveries[] = {folder("bad", bad, sizeof bad),
						    folder("good", good, sizeof good)};
	snprintf(out, sizeof out, "%s/out", house.directory);
	assert_int_equal(mkdir(out, 0755), 0);
	int fd = open(bad, O_WRONLY | O_CREAT | O_CLOEXEC,
		      0600); /* a file where a directory should be */
	assert_true(fd >= 0);
	close(fd);
	struct courier *courier = start(deliveries, 2);
	house_warn(&house, true);
	house_exceed(&house, 61.3);
	courier_wake(courier);
	assert_true(
		house_wait(&house, "ducha_deliveries_total{delivery=\"good\",result=\"ok\"}", 3));
	assert_true(house_wait(&house, "ducha_deliveries_pending{delivery=\"bad\"}", 3));
	assert_true(house_reach(&house, "ducha_deliveries_total{delivery=\"bad\",result=\"error\"}",
				1));
	assert_int_equal(ledger_cursor(house.ledger, "delivery/bad", -1), 0);
	assert_int_equal(unlink(bad), 0);
	assert_true(
		house_wait(&house, "ducha_deliveries_total{delivery=\"bad\",result=\"ok\"}", 3));
	assert_true(house_wait(&house, "ducha_deliveries_pending{delivery=\"bad\"}", 0));
	list(bad, names, sizeof names);
	assert_string_equal(names, "0000000001-alert.raised.json 0000000002-alert.raised.json "
				   "0000000003-case.opened.json ");
	courier_free(courier);
}

static void test_a_removed_delivery_holds_back_no_events(void **state)
{
	(void)state;
	char path[192];
	const struct delivery_setup delivery = folder("box", path, sizeof path);
	assert_int_equal(ledger_put_cursor(house.ledger, "delivery/gone", 7), 0);
	assert_int_equal(ledger_put_cursor(house.ledger, "delivery/box", 3), 0);
	assert_int_equal(ledger_put_cursor(house.ledger, "influx/events", 5), 0);
	struct courier *courier = start(&delivery, 1);
	courier_free(courier);
	assert_int_equal(ledger_cursor(house.ledger, "delivery/gone", -1), -1);
	assert_int_equal(ledger_cursor(house.ledger, "delivery/box", -1), 3);
	assert_int_equal(ledger_cursor(house.ledger, "influx/events", -1), 5);
}

static void test_an_unknown_type_is_refused(void **state)
{
	(void)state;
	struct courier *courier;
	const struct delivery_setup delivery = {
		.id = "owl", .type = "owl", .directory = "/nowhere"};
	const struct courier_setup setup = {.deliveries = &delivery,
					    .n_deliveries = 1,
					    .plan = &house.plan,
					    .ledger = house.ledger,
					    .metrics = house.metrics};
	assert_int_equal(courier_new(&courier, &setup), -EINVAL);
}

static void test_a_courier_without_deliveries_still_beats(void **state)
{
	(void)state;
	struct courier *courier = start(NULL, 0);
	int64_t until = servers_now_ms() + 10000;
	while (atomic_load(&house.heartbeat) < 2 && servers_now_ms() < until)
		poll(NULL, 0, 5);
	assert_true(atomic_load(&house.heartbeat) >= 2);
	courier_free(courier);
}

/* --- killed at any moment --- */

enum { KILLS = 15, EVENTS_PER_LIFE = 40 };

/* Says by @said when its first event is in the ledger, however slow the machine. */
static void live_until_killed(const void *delivery, int said)
{
	house_open(&house);
	struct courier *courier = start(delivery, 1);
	for (int i = 0;; i++) {
		if (i < EVENTS_PER_LIFE)
			house_warn(&house, i % 2 == 0);
		else
			poll(NULL, 0, 5);
		courier_wake(courier);
		if (i == 0)
			house_say(said);
	}
}

static void check_all_there(const char *path, int64_t last)
{
	struct dirent **entries;
	int n = scandir(path, &entries, by_name, alphasort);
	assert_int_equal(n, last);
	for (int i = 0; i < n; i++) {
		char file[512];
		snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
		assert_int_equal(strtoll(entries[i]->d_name, NULL, 10), i + 1);
		json_t *event = json_load_file(file, 0, NULL);
		if (event == NULL)
			fail_msg("%s is not whole", file);
		json_decref(event);
		free(entries[i]);
	}
	free(entries);
}

static void test_a_kill_at_any_moment_loses_no_event(void **state)
{
	(void)state;
	char path[192];
	const char *given = getenv("DUCHA_SEED");
	unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)getpid();
	print_message("seed %u (DUCHA_SEED)\n", seed);
	const struct delivery_setup delivery = folder("box", path, sizeof path);
	house_close(&house);
	for (int i = 0; i < KILLS; i++)
		house_kill_one(live_until_killed, &delivery, rand_r(&seed) % 120);
	house_open(&house);
	int64_t last = ledger_event_last(house.ledger);
	assert_true(last > 0);
	struct courier *courier = start(&delivery, 1);
	assert_true(house_wait(&house, "ducha_deliveries_pending{delivery=\"box\"}", 0));
	courier_free(courier);
	check_all_there(path, last);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_events_become_whole_files_in_order, build,
						tear_down),
		cmocka_unit_test_setup_teardown(test_only_wanted_events_are_delivered_and_counted,
						build, tear_down),
		cmocka_unit_test_setup_teardown(test_a_restart_goes_on_where_it_stopped, build,
						tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_directory_that_cannot_be_written_holds_up_nobody_else, build,
			tear_down),
		cmocka_unit_test_setup_teardown(test_a_removed_delivery_holds_back_no_events, build,
						tear_down),
		cmocka_unit_test_setup_teardown(test_an_unknown_type_is_refused, build, tear_down),
		cmocka_unit_test_setup_teardown(test_a_courier_without_deliveries_still_beats,
						build, tear_down),
		cmocka_unit_test_setup_teardown(test_a_kill_at_any_moment_loses_no_event, build,
						tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
