/* SPDX-License-Identifier: Apache-2.0 */
#include "field.h"

#include "drivers/driver.h"
#include "flow/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 30, NUMBER_BITS = 32 };

/* --- the door: every value is looked at as it comes --- */

static bool is_of_another(struct door *door, const struct sample *sample)
{
	uint64_t raw = sample->raw, number = raw & UINT32_MAX;
	if (raw >> NUMBER_BITS != sample->monitor || number == 0 || number >= FIELD_REQUESTS)
		return true;
	return number <= door->seen[sample->monitor].last || door->field->spoiled[number] != 0;
}

uint64_t door_frame(struct door *door, enum frame_kind kind, const void *asked, size_t n_asked,
		    const void *answered, size_t n_answered)
{
	(void)door, (void)kind, (void)asked, (void)n_asked, (void)answered, (void)n_answered;
	return 0;
}

void door_show(struct door *door, const struct sample *sample)
{
	(void)door, (void)sample;
}

enum door_result door_submit(struct door *door, const struct sample *sample, uint64_t *seq)
{
	(void)seq;
	pthread_mutex_lock(&door->lock);
	struct seen *seen = &door->seen[sample->monitor];
	if (!sample->has_value) {
		seen->without += sample->flag == FLAG_COMMUNICATION;
		seen->fault += sample->flag == FLAG_FAULT;
		door->without++;
	} else {
		door->misattributed += is_of_another(door, sample);
		door->misattributed += sample->flag != FLAG_NORMAL;
		seen->good++;
		seen->last = sample->raw & UINT32_MAX;
		seen->without_before_last_good = seen->without;
		door->good++;
	}
	pthread_cond_broadcast(&door->changed);
	pthread_mutex_unlock(&door->lock);
	if (sample->monitor == 0 && door->hold_ms > 0)
		usleep(door->hold_ms * 1000);
	return DOOR_TAKEN;
}

void door_flush(struct door *door)
{
	(void)door;
}

bool door_wait_stored(struct door *door, uint64_t seq, int timeout_ms)
{
	(void)door;
	(void)seq;
	(void)timeout_ms;
	return true;
}

const struct reading *door_handed(const struct door *door)
{
	static const struct reading none;
	(void)door;
	return &none;
}

bool door_unrecorded(struct door *door, const struct reading *readings, size_t n, uint64_t seq,
		     int timeout_ms)
{
	(void)door;
	(void)readings;
	(void)n;
	(void)seq;
	(void)timeout_ms;
	return true;
}

void door_link(struct door *door, uint32_t connection, bool up)
{
	pthread_mutex_lock(&door->lock);
	if (up)
		door->ups[connection]++;
	else
		door->downs[connection]++;
	pthread_cond_broadcast(&door->changed);
	pthread_mutex_unlock(&door->lock);
}

/* --- the instruments --- */

static int64_t mono_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* True where a reply of this kind must never be taken for the answer. */
static bool is_spoiled(const struct fault *fault, const struct modbus_connection *connection)
{
	if (fault == NULL)
		return false;
	switch ((int)fault->kind) {
	case FAULT_TRICKLE:
	case FAULT_CHATTER:
		return false; /* right where it comes in time */
	case FAULT_DUPLICATE:
		return fault->delay_ms == 0; /* in one piece: no frame of the request */
	case FAULT_LATE:
		return fault->delay_ms > 2 * connection->timeout_ms;
	default:
		return true;
	}
}

static int field_read(void *context, uint8_t unit_id, uint8_t function, uint16_t address,
		      unsigned count, int64_t time_ms, uint16_t *words)
{
	struct field_line *line = context;
	struct field *field = line->field;
	(void)function;
	(void)address;
	uint64_t number = atomic_fetch_add(&field->n_requests, 1) + 1;
	if (unit_id < 1 || unit_id > field->n_units || count < 4)
		return 2;
	const struct fault *fault = fault_choose(&line->shadow, unit_id, time_ms);
	line->n_faults += fault != NULL;
	if (number < FIELD_REQUESTS)
		field->spoiled[number] =
			is_spoiled(fault, &field->connections[line - field->lines]);
	if (line->n_first < 16)
		line->first_asked_ns[line->n_first++] = mono_ns();
	line->asked[unit_id]++;
	uint64_t monitor = (uint64_t)(line - field->lines) * FIELD_UNITS + unit_id - 1;
	uint64_t value = monitor << NUMBER_BITS | number;
	memset(words, 0, count * sizeof *words);
	for (unsigned i = 0; i < 4; i++)
		words[i] = (uint16_t)(value >> (48 - 16 * i));
	return 0;
}

static void *field_answer(void *context)
{
	struct field *field = context;
	struct pollfd fds[] = {{.fd = responder_fd(field->responder), .events = POLLIN},
			       {.fd = field->stop, .events = POLLIN}};
	while (poll(fds, 2, -1) >= 0 && fds[1].revents == 0)
		if (responder_serve(field->responder, field->play_ms) != 0)
			abort();
	return NULL;
}

static void *field_poll(void *context)
{
	struct field *field = context;
	loop_run(field->loop, NULL);
	return NULL;
}

/* --- the test's hands --- */

static void line_new(struct field *field, size_t i, int64_t interval_ms, int64_t timeout_ms)
{
	struct field_line *line = &field->lines[i];
	line->field = field;
	line->plan = (struct fault_plan){.rules = line->rules, .seed = i * 7919};
	for (size_t u = 0; u < field->n_units; u++)
		line->points[u] = (struct modbus_point){.monitor = (uint32_t)(i * FIELD_UNITS + u),
							.unit_id = (uint8_t)(u + 1),
							.type = MODBUS_UINT64,
							.scale = 1,
							.every = 1};
	snprintf(line->id, sizeof line->id, "line-%zu", i);
	field->connections[i] = (struct modbus_connection){.connection = (uint32_t)i,
							   .id = line->id,
							   .host = "127.0.0.1",
							   .interval_ms = interval_ms,
							   .timeout_ms = timeout_ms,
							   .max_registers = 125,
							   .points = line->points,
							   .n_points = field->n_units};
}

struct field *field_new(size_t n_lines, size_t n_units, int64_t interval_ms, int64_t timeout_ms)
{
	struct field *field = calloc(1, sizeof *field);
	assert_non_null(field);
	field->spoiled = calloc(FIELD_REQUESTS, sizeof *field->spoiled);
	assert_non_null(field->spoiled);
	field->n_lines = n_lines;
	field->n_units = n_units;
	field->stop = eventfd(0, EFD_CLOEXEC);
	field->door.field = field;
	pthread_mutex_init(&field->door.lock, NULL);
	pthread_cond_init(&field->door.changed, NULL);
	assert_int_equal(responder_new(&field->responder), 0);
	assert_int_equal(loop_new(&field->loop), 0);
	assert_int_equal(metrics_new(&field->metrics), 0);
	for (size_t i = 0; i < n_lines; i++)
		line_new(field, i, interval_ms, timeout_ms);
	return field;
}

void field_fault(struct field *field, size_t line, uint8_t unit, struct fault fault, double share,
		 int64_t until_ms)
{
	struct field_line *l = &field->lines[line];
	l->rules[l->plan.n++] = (struct fault_rule){.fault = fault,
						    .unit_id = unit == 0 ? -1 : unit,
						    .for_ms = until_ms,
						    .share = share};
}

void field_start(struct field *field)
{
	char name[] = "/tmp/ducha-field-XXXXXX";
	field->said = mkstemp(name);
	assert_true(field->said >= 0);
	unlink(name);
	fflush(stderr);
	field->stderr_before = dup(STDERR_FILENO);
	dup2(field->said, STDERR_FILENO);
	for (size_t i = 0; i < field->n_lines; i++) {
		struct field_line *line = &field->lines[i];
		line->shadow = line->plan;
		assert_int_equal(
			responder_listen(field->responder, "127.0.0.1", &line->port,
					 (struct responder_source){field_read, line, &line->plan}),
			0);
		field->connections[i].port = line->port;
	}
	struct driver_host host = {
		.door = &field->door, .loop = field->loop, .metrics = field->metrics};
	assert_int_equal(
		modbus_driver.start(&host, field->connections, field->n_lines, &field->driver), 0);
	assert_int_equal(pthread_create(&field->answering, NULL, field_answer, field), 0);
	assert_int_equal(pthread_create(&field->polling, NULL, field_poll, field), 0);
}

void field_await(struct field *field, bool (*reached)(struct field *field, uint64_t wanted),
		 uint64_t wanted)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&field->door.lock);
	int error = 0;
	while (!reached(field, wanted) && error != ETIMEDOUT)
		error = pthread_cond_timedwait(&field->door.changed, &field->door.lock, &until);
	bool is_reached = reached(field, wanted);
	pthread_mutex_unlock(&field->door.lock);
	if (!is_reached)
		dup2(field->stderr_before, STDERR_FILENO); /* else nobody sees it fail */
	assert_true(is_reached);
}

struct seen field_seen(struct field *field, size_t line, uint8_t unit)
{
	pthread_mutex_lock(&field->door.lock);
	struct seen seen = field->door.seen[line * FIELD_UNITS + unit - 1];
	pthread_mutex_unlock(&field->door.lock);
	return seen;
}

int64_t field_polls(struct field *field, size_t line, const char *result)
{
	char labels[64];
	snprintf(labels, sizeof labels, "connection=\"line-%zu\",result=\"%s\"", line, result);
	return metric_get(metrics_counter(field->metrics, "ducha_polls_total", "", labels));
}

void field_stop(struct field *field)
{
	loop_stop(field->loop);
	pthread_join(field->polling, NULL);
	eventfd_write(field->stop, 1);
	pthread_join(field->answering, NULL);
	fflush(stderr);
	dup2(field->stderr_before, STDERR_FILENO);
	close(field->stderr_before);
}

unsigned field_said(struct field *field, const char *text)
{
	static char all[1 << 20]; /* one test at a time */
	ssize_t n = pread(field->said, all, sizeof all - 1, 0);
	unsigned times = 0;
	assert_true(n >= 0);
	all[n] = '\0';
	for (const char *at = all; (at = strstr(at, text)) != NULL; at++)
		times++;
	return times;
}

void field_free(struct field *field)
{
	uint64_t misattributed = field->door.misattributed;
	uint64_t writes = responder_writes(field->responder);
	modbus_driver.stop(field->driver);
	responder_free(field->responder);
	metrics_free(field->metrics);
	loop_free(field->loop);
	close(field->said);
	close(field->stop);
	pthread_cond_destroy(&field->door.changed);
	pthread_mutex_destroy(&field->door.lock);
	free((void *)(uintptr_t)field->spoiled);
	free(field);
	assert_int_equal(misattributed, 0);
	assert_int_equal(writes, 0);
}
