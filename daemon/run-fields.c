/* SPDX-License-Identifier: Apache-2.0 */
/* The threads at the instruments: event loops and what each polls or hears, serial lines, MQTT. */
#include "run-state.h"

#include "drivers/driver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void *loop_main(void *context)
{
	struct field *field = context;
	int r = loop_run(field->loop, &field->beat.count);
	if (r < 0)
		run_failed("the event loop ended", r);
	return NULL;
}

/* Where the share of loop @i ends. Those that are dialled into come first, and stay in one loop,
 * since some share a listener. */
static size_t share_until(const struct run *run, const struct assembly *a, size_t i)
{
	size_t until = a->n_modbus * (i + 1) / run->n_fields;
	return until > a->n_listening ? until : a->n_listening;
}

static size_t field_by_spread(const struct run *run, const struct assembly *a, size_t connection)
{
	size_t i = 0;
	while (connection >= share_until(run, a, i))
		i++;
	return i;
}

static bool is_of_field(const struct field *field, const char *id)
{
	for (size_t i = 0; i < field->n_connections; i++)
		if (strcmp(field->connections[i].id, id) == 0)
			return true;
	return false;
}

/* Where it is already, else where there are fewest. */
static size_t field_by_use(const struct run *run, const struct assembly *a, size_t connection,
			   const size_t *n)
{
	size_t fewest = 0;
	if (connection < a->n_listening)
		return 0;
	for (size_t i = 0; i < run->n_fields; i++) {
		if (is_of_field(&run->fields[i], a->modbus[connection].id))
			return i;
		if (n[i] < n[fewest])
			fewest = i;
	}
	return fewest;
}

int run_share(const struct run *run, const struct assembly *a, bool before,
	      struct modbus_connection **shares, size_t *n)
{
	for (size_t i = 0; i < run->n_fields; i++) {
		n[i] = 0;
		shares[i] = calloc(a->n_modbus + 1, sizeof *shares[i]);
		if (shares[i] == NULL)
			return -ENOMEM;
	}
	for (size_t i = 0; i < a->n_modbus; i++) {
		size_t field = before ? field_by_use(run, a, i, n) : field_by_spread(run, a, i);
		shares[field][n[field]++] = a->modbus[i];
	}
	return 0;
}

static int share_out(struct run *run)
{
	struct modbus_connection *shares[CONFIG_MOST_THREADS] = {NULL};
	size_t n[CONFIG_MOST_THREADS];
	int r = run_share(run, run->assembly, false, shares, n);
	for (size_t i = 0; i < run->n_fields; i++) {
		run->fields[i].connections = shares[i];
		run->fields[i].n_connections = n[i];
	}
	return r;
}

/* Also without any: a reload may bring some, and the loop takes no newcomers. */
static int start_loggers(struct run *run)
{
	const struct assembly *a = run->assembly;
	struct driver_host host = {
		.door = run->loggers, .loop = run->fields[0].loop, .metrics = run->metrics};
	return hj212_driver.start(&host, a->hj212, a->n_hj212, &run->hj212);
}

/* All series are registered before any of these threads runs. */
static int start_fields(struct run *run)
{
	int r = share_out(run);
	for (size_t i = 0; r == 0 && i < run->n_fields; i++) {
		struct field *field = &run->fields[i];
		struct driver_host host = {
			.door = field->door, .loop = field->loop, .metrics = run->metrics};
		r = modbus_driver.start(&host, field->connections, field->n_connections,
					&field->driver);
	}
	if (r == 0)
		r = start_loggers(run);
	for (size_t i = 0; r == 0 && i < run->n_fields; i++) {
		struct field *field = &run->fields[i];
		r = -pthread_create(&field->thread, NULL, loop_main, field);
		if (r == 0)
			run_alive(&field->beat);
	}
	return r;
}

static int start_buses(struct run *run)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < run->assembly->n_buses; i++) {
		struct bus *bus = &run->buses[i];
		struct driver_host host = {
			.door = bus->door, .metrics = run->metrics, .heartbeat = &bus->beat.count};
		r = modbus_rtu_driver.start(&host, &run->assembly->buses[i], 1, &bus->driver);
		if (r == 0)
			run_alive(&bus->beat);
	}
	return r;
}

int run_start_drivers(struct run *run)
{
	const struct assembly *a = run->assembly;
	struct driver_host pushed = {.door = run->pushed, .metrics = run->metrics};
	int r = start_fields(run);
	if (r == 0)
		r = start_buses(run);
	if (r == 0 && a->n_mqtt > 0)
		r = mqtt_driver.start(&pushed, a->mqtt, a->n_mqtt, &run->mqtt);
	return r < 0 ? run_failed("the drivers cannot be started", r) : 0;
}

void run_end_fields(struct run *run)
{
	for (size_t i = 0; i < run->n_fields; i++)
		if (run->fields[i].beat.runs)
			loop_stop(run->fields[i].loop);
	for (size_t i = 0; i < run->n_fields; i++) {
		struct field *field = &run->fields[i];
		if (field->beat.runs)
			pthread_join(field->thread, NULL);
		if (field->driver != NULL)
			modbus_driver.stop(field->driver);
	}
	if (run->hj212 != NULL)
		hj212_driver.stop(run->hj212);
}
