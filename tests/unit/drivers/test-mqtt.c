/* SPDX-License-Identifier: Apache-2.0 */
/* The MQTT driver against a real mosquitto that the test starts, stops and starts again. */
#include "core/metrics.h"
#include "drivers/driver.h"
#include "drivers/mqtt/cut.h"
#include "drivers/mqtt/interest.h"
#include "fake-door.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { SKIPPED = 77 };

/* --- broker --- */

struct broker {
	uint16_t port;
	char directory[64], config[96], port_text[8];
	const char *program;
	pid_t pid;
};

static const char *const places[] = {"/usr/sbin/mosquitto", "/usr/bin/mosquitto",
				     "/usr/local/sbin/mosquitto"};

static const char *broker_program(void)
{
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

static uint16_t free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t bytes = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &bytes), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static pid_t run(const char *const arguments[])
{
	pid_t pid;
	union {
		const char *const *given;
		char *const *taken;
	} through = {.given = arguments};
	assert_int_equal(posix_spawnp(&pid, arguments[0], NULL, NULL, through.taken, environ), 0);
	return pid;
}

static bool accepts(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool connected = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
	close(fd);
	return connected;
}

static void broker_start(struct broker *broker)
{
	broker->pid = run((const char *const[]){broker->program, "-c", broker->config, NULL});
	for (int i = 0; i < 2000 && !accepts(broker->port); i++)
		poll(NULL, 0, 10);
	assert_true(accepts(broker->port));
}

static void broker_stop(struct broker *broker)
{
	kill(broker->pid, SIGKILL);
	waitpid(broker->pid, NULL, 0);
	broker->pid = 0;
}

static int broker_set_up(void **state)
{
	static const char form[] = "/tmp/ducha-test-mqtt-XXXXXX";
	struct broker *broker = calloc(1, sizeof *broker);
	assert_non_null(broker);
	broker->program = broker_program();
	memcpy(broker->directory, form, sizeof form);
	assert_non_null(mkdtemp(broker->directory));
	snprintf(broker->config, sizeof broker->config, "%s/conf", broker->directory);
	broker->port = free_port();
	snprintf(broker->port_text, sizeof broker->port_text, "%u", broker->port);
	FILE *file = fopen(broker->config, "w");
	assert_non_null(file);
	fprintf(file,
		"listener %u 127.0.0.1\nallow_anonymous true\npersistence false\nlog_dest none\n",
		broker->port);
	fclose(file);
	*state = broker;
	return 0;
}

static int broker_tear_down(void **state)
{
	struct broker *broker = *state;
	if (broker->pid > 0) /* the test has failed */
		broker_stop(broker);
	unlink(broker->config);
	rmdir(broker->directory);
	free(broker);
	return 0;
}

static void publish(const struct broker *broker, const char *qos, const char *topic,
		    const char *payload, const char *more)
{
	const char *const arguments[] = {"mosquitto_pub", "-p", broker->port_text, "-q", qos, "-t",
					 topic,           "-m", payload,           more, NULL};
	int status = -1;
	waitpid(run(arguments), &status, 0);
	assert_int_equal(status, 0);
}

/* --- the driver on a door --- */

struct bench {
	struct door *door;
	struct metrics *metrics;
	struct mqtt_connection connection;
	char uri[64];
	void *driver;
};

static const struct mqtt_point points[] = {
	{.monitor = 0, .topic = "wuhua/outfall-3/ph", .scale = 1},
	{.monitor = 1, .topic = "wuhua/+/nh3n", .value = "/data/nh3n", .time = "/ts", .scale = 1},
	{.monitor = 2, .topic = "wuhua/outfall-3/ph", .scale = 10},
};

static void bench_start(struct bench *bench, const struct broker *broker)
{
	*bench = (struct bench){.door = fake_door_new()};
	assert_int_equal(metrics_new(&bench->metrics), 0);
	snprintf(bench->uri, sizeof bench->uri, "mqtt://127.0.0.1:%u", broker->port);
	bench->connection = (struct mqtt_connection){.connection = 5,
						     .id = "broker",
						     .uri = bench->uri,
						     .client_id = "ducha-test",
						     .qos = 1,
						     .keepalive_s = 60,
						     .ack_timeout_ms = 500,
						     .ack = MQTT_ACK_STORED,
						     .points = points,
						     .n_points = 3};
	struct driver_host host = {.door = bench->door, .metrics = bench->metrics};
	assert_int_equal(mqtt_driver.start(&host, &bench->connection, 1, &bench->driver), 0);
}

static void bench_stop(struct bench *bench)
{
	mqtt_driver.stop(bench->driver);
	bench->driver = NULL;
}

static void bench_end(struct bench *bench)
{
	if (bench->driver != NULL)
		bench_stop(bench);
	metrics_free(bench->metrics);
	fake_door_free(bench->door);
}

/* The subscription stands once a first message comes through. */
static void await_subscription(struct bench *bench, const struct broker *broker, int value)
{
	char text[16];
	snprintf(text, sizeof text, "%d", value);
	for (int i = 0; i < 200; i++) {
		publish(broker, "0", "wuhua/outfall-3/ph", text, NULL);
		poll(NULL, 0, 50);
		pthread_mutex_lock(&bench->door->lock);
		bool there = fake_door_has_value(bench->door, value);
		pthread_mutex_unlock(&bench->door->lock);
		if (there)
			return;
	}
	fail();
}

static int64_t counted(struct bench *bench, const char *name, const char *labels)
{
	return metric_get(metrics_counter(bench->metrics, name, "", labels));
}

/* --- tests --- */

static void test_messages_reach_every_point_that_wants_them(void **state)
{
	struct broker *broker = *state;
	struct bench bench;
	broker_start(broker);
	bench_start(&bench, broker);
	await_subscription(&bench, broker, 1);
	publish(broker, "1", "wuhua/outfall-3/ph", "725", NULL);
	assert_true(fake_door_await(bench.door, fake_door_has_value, 725));
	assert_true(fake_door_await(bench.door, fake_door_has_value, 7250));
	assert_int_equal(bench.door->shown_first, 2); /* all of a message before any of it */
	publish(broker, "1", "wuhua/river-2/nh3n",
		"{\"data\":{\"nh3n\":38},\"ts\":\"2026-01-02T03:04:05+08:00\"}", NULL);
	assert_true(fake_door_await(bench.door, fake_door_has_value, 38));
	const struct sample *last = &bench.door->samples[bench.door->n_samples - 1];
	assert_int_equal(last->monitor, 1);
	assert_true(last->has_time);
	assert_true(last->measured_ms == 1767294245000);
	publish(broker, "1", "wuhua/river-2/nh3n", "{\"data\":{\"nh3n\":null},\"ts\":1767294246}",
		NULL);
	assert_true(fake_door_await(bench.door, fake_door_has_fault, 1));
	assert_true(bench.door->links[0]);
	assert_int_equal(metric_get(metrics_gauge(bench.metrics, "ducha_connections_up", "",
						  "connection=\"broker\"")),
			 1);
	bench_end(&bench);
	broker_stop(broker);
}

static void test_an_unusable_payload_is_counted_and_all_goes_on(void **state)
{
	struct broker *broker = *state;
	struct bench bench;
	broker_start(broker);
	bench_start(&bench, broker);
	await_subscription(&bench, broker, 1);
	publish(broker, "1", "wuhua/river-2/nh3n", "{\"data\":", NULL);
	publish(broker, "1", "wuhua/outfall-3/ph", "high", NULL);
	publish(broker, "1", "wuhua/outfall-3/ph", "9", NULL);
	assert_true(fake_door_await(bench.door, fake_door_has_value, 9));
	assert_int_equal(counted(&bench, "ducha_unrecorded_total", "reason=\"payload\""), 3);
	bench_end(&bench);
	broker_stop(broker);
}

static void test_an_acknowledgement_waits_for_the_disk(void **state)
{
	struct broker *broker = *state;
	struct bench bench;
	broker_start(broker);
	bench_start(&bench, broker);
	await_subscription(&bench, broker, 1);
	assert_int_equal(bench.door->waits, 0); /* QoS 0 waits for nothing */
	fake_door_release(bench.door, true);
	publish(broker, "1", "wuhua/outfall-3/ph", "11", NULL);
	publish(broker, "1", "wuhua/outfall-3/ph", "12", NULL);
	assert_true(fake_door_await(bench.door, fake_door_has_waits, 1));
	assert_true(fake_door_await(bench.door, fake_door_has_value, 11));
	pthread_mutex_lock(&bench.door->lock);
	assert_int_equal(bench.door->waited_for, bench.door->n_samples);
	pthread_mutex_unlock(&bench.door->lock);
	/* Never stored: both are let go at their deadline, two points each, and said so. */
	assert_true(fake_door_await(bench.door, fake_door_has_unrecorded, 4));
	fake_door_release(bench.door, false);
	publish(broker, "1", "wuhua/outfall-3/ph", "13", NULL);
	assert_true(fake_door_await(bench.door, fake_door_has_waits, 3));
	assert_int_equal(bench.door->unrecorded, 4);
	bench_end(&bench);
	broker_stop(broker);
}

static void test_a_full_ring_is_tried_again_before_the_acknowledgement(void **state)
{
	struct broker *broker = *state;
	struct bench bench;
	broker_start(broker);
	bench_start(&bench, broker);
	await_subscription(&bench, broker, 1);
	fake_door_refuse(bench.door, 3);
	publish(broker, "1", "wuhua/outfall-3/ph", "21", NULL);
	assert_true(fake_door_await(bench.door, fake_door_has_value, 21));
	assert_true(fake_door_await(bench.door, fake_door_has_value, 210));
	assert_int_equal(counted(&bench, "ducha_unrecorded_total", "reason=\"ring\""), 0);
	fake_door_refuse(bench.door, 1);
	publish(broker, "0", "wuhua/outfall-3/ph", "31", NULL);
	assert_true(fake_door_await(bench.door, fake_door_has_value, 310));
	assert_int_equal(counted(&bench, "ducha_unrecorded_total", "reason=\"ring\""), 1);
	bench_end(&bench);
	broker_stop(broker);
}

/* The broker still has it, and brings it again. */
static void test_what_cannot_be_kept_is_not_acknowledged(void **state)
{
	struct broker *broker = *state;
	struct bench bench;
	broker_start(broker);
	bench_start(&bench, broker);
	await_subscription(&bench, broker, 1);
	fake_door_release(bench.door, true);
	pthread_mutex_lock(&bench.door->lock);
	bench.door->lost = true;
	pthread_mutex_unlock(&bench.door->lock);
	publish(broker, "1", "wuhua/outfall-3/ph", "41", NULL);
	assert_true(fake_door_await(bench.door, fake_door_has_unrecorded, 4)); /* twice two */
	fake_door_release(bench.door, false);
	bench_end(&bench);
	broker_stop(broker);
}

static void test_what_a_full_ring_refused_comes_again(void **state)
{
	struct broker *broker = *state;
	struct bench bench;
	broker_start(broker);
	bench_start(&bench, broker);
	await_subscription(&bench, broker, 1);
	fake_door_refuse(bench.door, 1000000);
	publish(broker, "1", "wuhua/outfall-3/ph", "51", NULL);
	for (int i = 0; counted(&bench, "ducha_unrecorded_total", "reason=\"ring\"") == 0; i++) {
		assert_true(i < 20000);
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	fake_door_refuse(bench.door, 0);
	assert_true(fake_door_await(bench.door, fake_door_has_value, 51));
	bench_end(&bench);
	broker_stop(broker);
}

static void test_the_driver_outlives_its_broker(void **state)
{
	struct broker *broker = *state;
	struct bench bench;
	bench_start(&bench, broker); /* before there is a broker at all */
	broker_start(broker);
	await_subscription(&bench, broker, 1);
	broker_stop(broker);
	assert_true(fake_door_await(bench.door, fake_door_has_links, 2));
	broker_start(broker); /* it has forgotten the subscription */
	assert_true(fake_door_await(bench.door, fake_door_has_links, 3));
	await_subscription(&bench, broker, 2);
	assert_true(bench.door->links[0] && !bench.door->links[1] && bench.door->links[2]);
	bench_end(&bench);
	broker_stop(broker);
}

static void test_a_retained_value_without_a_time_is_left_out(void **state)
{
	struct broker *broker = *state;
	struct bench bench;
	broker_start(broker);
	publish(broker, "1", "wuhua/outfall-3/ph", "999", "-r");
	publish(broker, "1", "wuhua/river-2/nh3n", "{\"data\":{\"nh3n\":77},\"ts\":1767294246}",
		"-r");
	bench_start(&bench, broker);
	assert_true(fake_door_await(bench.door, fake_door_has_value, 77));
	await_subscription(&bench, broker, 1);
	pthread_mutex_lock(&bench.door->lock);
	assert_false(fake_door_has_value(bench.door, 999));
	pthread_mutex_unlock(&bench.door->lock);
	bench_end(&bench);
	broker_stop(broker);
}

static void test_a_stop_without_a_broker_comes_to_an_end(void **state)
{
	struct bench bench;
	bench_start(&bench, *state);
	bench_end(&bench);
}

/* A disk that is held up keeps Paho's only thread, and with it the disconnect, behind messages. */
static void test_what_comes_after_the_end_is_left_with_the_broker(void **state)
{
	enum { FIRST = 101, LAST = 120 };
	struct broker *broker = *state;
	struct bench bench, next;
	char text[16];
	broker_start(broker);
	bench_start(&bench, broker);
	await_subscription(&bench, broker, 1);
	fake_door_release(bench.door, true);
	for (int i = FIRST; i <= LAST; i++) {
		snprintf(text, sizeof text, "%d", i);
		publish(broker, "1", "wuhua/outfall-3/ph", text, NULL);
	}
	assert_true(fake_door_await(bench.door, fake_door_has_waits, 1));
	bench_stop(&bench);
	bench_start(&next, broker);
	/* a slow machine may have let all of them go to the first, at their deadlines */
	assert_true(fake_door_has_value(bench.door, LAST) ||
		    fake_door_await(next.door, fake_door_has_value, LAST));
	for (int i = FIRST; i <= LAST; i++)
		assert_true(fake_door_has_value(bench.door, i) ||
			    fake_door_has_value(next.door, i));
	bench_end(&next);
	bench_end(&bench);
	broker_stop(broker);
}

static void test_a_uri_tells_the_port_to_cut(void **state)
{
	(void)state;
	assert_int_equal(cut_port("mqtt://192.0.2.1:1884"), 1884);
	assert_int_equal(cut_port("mqtt://broker.example"), 1883);
	assert_int_equal(cut_port("MQTTS://broker.example"), 8883);
	assert_int_equal(cut_port("mqtts://[2001:db8::1]:8884"), 8884);
	assert_int_equal(cut_port("mqtt://[2001:db8::1]"), 1883);
	assert_int_equal(cut_port("mqtt://h:70000"), 0);
}

static void test_nothing_leaves_by_a_connection_that_is_cut(void **state)
{
	(void)state;
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0), link = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(connect(link, (struct sockaddr *)&address, size), 0);
	uint16_t port = ntohs(address.sin_port);
	cut(port == 1 ? 2 : 1);
	assert_int_equal(send(link, "a", 1, MSG_NOSIGNAL), 1);
	cut(port);
	assert_int_equal(send(link, "b", 1, MSG_NOSIGNAL), -1);
	close(link);
	close(listener);
}

static void test_a_message_finds_its_points(void **state)
{
	(void)state;
	struct interest interest;
	assert_int_equal(interest_init(&interest, points, 3), 0);
	uint32_t hits[3];
	assert_int_equal(interest_match(&interest, "wuhua/outfall-3/ph", hits), 2);
	assert_int_equal(hits[0], 0);
	assert_int_equal(hits[1], 2);
	assert_int_equal(interest_match(&interest, "wuhua/x/nh3n", hits), 1);
	assert_int_equal(hits[0], 1);
	assert_int_equal(interest_match(&interest, "wuhua/outfall-3/p", hits), 0);
	assert_int_equal(interest_match(&interest, "zzz", hits), 0);
	assert_int_equal(interest.n_filters, 2);
	interest_deinit(&interest);
}

#define WITH_BROKER(test) cmocka_unit_test_setup_teardown(test, broker_set_up, broker_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_message_finds_its_points),
		cmocka_unit_test(test_a_uri_tells_the_port_to_cut),
		cmocka_unit_test(test_nothing_leaves_by_a_connection_that_is_cut),
		WITH_BROKER(test_messages_reach_every_point_that_wants_them),
		WITH_BROKER(test_an_unusable_payload_is_counted_and_all_goes_on),
		WITH_BROKER(test_an_acknowledgement_waits_for_the_disk),
		WITH_BROKER(test_a_full_ring_is_tried_again_before_the_acknowledgement),
		WITH_BROKER(test_what_cannot_be_kept_is_not_acknowledged),
		WITH_BROKER(test_what_a_full_ring_refused_comes_again),
		WITH_BROKER(test_the_driver_outlives_its_broker),
		WITH_BROKER(test_a_retained_value_without_a_time_is_left_out),
		WITH_BROKER(test_a_stop_without_a_broker_comes_to_an_end),
		WITH_BROKER(test_what_comes_after_the_end_is_left_with_the_broker),
	};
	if (broker_program() == NULL || access("/usr/bin/mosquitto_pub", X_OK) != 0) {
		fprintf(stderr, "skipped: mosquitto and mosquitto_pub are not installed\n");
		return SKIPPED;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
