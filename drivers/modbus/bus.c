/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/modbus/bus.h"

#include "drivers/modbus/same.h"

#include "base/log.h"
#include "drivers/modbus/round.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- readings --- */

static void submit(struct bus *bus, struct sample *sample, uint64_t frame)
{
	sample->frame = frame;
	/* What is refused, the ring counts. */
	(void)door_submit(bus->host->driver.door, sample, NULL);
	bus->host->submitted = true;
}

/* The configured point of the @i-th entry of @span. */
static uint32_t span_point(const struct bus *bus, const struct modbus_span *span, uint32_t i)
{
	return modbus_asked_of(&bus->asked, bus->plan.order[span->first + i]);
}

void bus_without_value(struct bus *bus, size_t i, char flag)
{
	const struct modbus_span *span = &bus->plan.spans[i];
	for (uint32_t j = 0; j < span->n_points; j++) {
		struct sample sample;
		if (values_missed(&bus->values, span_point(bus, span, j), flag, &sample))
			submit(bus, &sample, i == bus->turn ? bus->frame : 0);
	}
}

/* What a reply holds is of one moment: all of it is shown before any is handed in. */
static void span_values(struct bus *bus, const struct modbus_span *span,
			const struct modbus_reply *reply)
{
	size_t n = 0;
	for (uint32_t i = 0; i < span->n_points; i++)
		n += values_reply(&bus->values, span_point(bus, span, i), &bus->request, reply,
				  &bus->samples[n]);
	for (size_t i = 0; i < n; i++)
		door_show(bus->host->driver.door, &bus->samples[i]);
	for (size_t i = 0; i < n; i++)
		submit(bus, &bus->samples[i], bus->frame);
}

/* --- link --- */

void bus_link_down(struct bus *bus)
{
	if (bus->link == BUS_DOWN)
		return;
	bus->link = BUS_DOWN;
	metric_set(bus->up, 0);
	door_link(bus->host->driver.door, bus->config->connection, false);
	const char *id = bus->config->id;
	if (bus->rounds_missed == 0)
		log_event(LOGGED_CONNECTION_LOST, ABOUT(.connection = id), "%s: no answer (%s)", id,
			  bus->cause);
	else
		log_event(LOGGED_CONNECTION_LOST, ABOUT(.connection = id),
			  "%s: no answer for %" PRIu64 " polls (%s, unit %u)", id,
			  bus->rounds_missed, bus->cause, bus->request.unit);
}

static void link_up(struct bus *bus)
{
	if (bus->link == BUS_DOWN) {
		log_event(LOGGED_CONNECTION_BACK, ABOUT(.connection = bus->config->id),
			  "%s: answering again, %" PRIu64 " polls missed", bus->config->id,
			  bus->rounds_missed);
		modbus_units_wake(&bus->units);
	}
	bus->rounds_missed = 0;
	bus->answered = true;
	if (bus->link == BUS_UP)
		return;
	bus->link = BUS_UP;
	metric_set(bus->up, 1);
	door_link(bus->host->driver.door, bus->config->connection, true);
}

/* --- units --- */

/* An outage of the whole link is said by bus_link_down(). */
void bus_say_units(struct bus *bus)
{
	for (size_t i = 0; i < bus->units.n; i++) {
		struct modbus_unit *unit = &bus->units.at[i];
		if (unit->is_said || !modbus_unit_dead(unit))
			continue;
		unit->is_said = true;
		log_event(LOGGED_UNIT_LOST, ABOUT(.connection = bus->config->id, .unit = unit->id),
			  "%s: no answer from unit %u for %" PRIu64 " polls (%s)", bus->config->id,
			  unit->id, unit->missed, unit->cause);
	}
}

static void unit_failed(struct bus *bus, const char *cause)
{
	struct modbus_unit *unit = modbus_units_of(&bus->units, bus->turn);
	modbus_units_failed(&bus->units, unit, bus->running, bus->round, cause,
			    bus->answered || bus->link == BUS_UP);
	if (modbus_units_rest(&bus->units, unit, bus->running))
		round_miss_others(bus, unit);
}

static void unit_answered(struct bus *bus)
{
	struct modbus_unit *unit = modbus_units_of(&bus->units, bus->turn);
	if (unit->is_said)
		log_event(LOGGED_UNIT_BACK, ABOUT(.connection = bus->config->id, .unit = unit->id),
			  "%s: unit %u answering again, %" PRIu64 " polls missed", bus->config->id,
			  unit->id, unit->missed);
	unit->is_said = false;
	unit->failures = 0;
	unit->missed = 0;
}

/* --- exchange --- */

void bus_ask(struct bus *bus, int64_t now_ns)
{
	const struct modbus_span *span = &bus->plan.spans[bus->turn];
	bus->request =
		(struct modbus_request){.transaction = (uint16_t)(bus->request.transaction + 1),
					.unit = span->unit,
					.table = span->table,
					.address = span->address,
					.count = span->count};
	if (bus->first && now_ns - bus->round_due_ns > bus->interval_ns / 10)
		metric_add(bus->host->late, 1);
	bus->first = false;
}

static void say_exception(struct bus *bus, const struct modbus_span *span, uint8_t code)
{
	uint16_t *said = &bus->spans[bus->turn].said;
	uint16_t bit = (uint16_t)(1U << (code < 16 ? code : 0));
	if ((*said & bit) != 0)
		return;
	*said |= bit;
	log_event(LOGGED_EXCEPTION, ABOUT(.connection = bus->config->id, .unit = span->unit),
		  "%s: unit %u answers exception %u (%s) for address %u, count %u", bus->config->id,
		  span->unit, code, modbus_exception_name(code), span->address, span->count);
}

static void say_parted(struct bus *bus, const struct modbus_span *whole)
{
	struct modbus_unit *unit = modbus_units_of(&bus->units, bus->turn);
	if (!unit->is_parted)
		log_warnx("%s: unit %u does not answer address %u, count %u in one request "
			  "(illegal data address); its values are asked apart from now on",
			  bus->config->id, unit->id, whole->address, whole->count);
	unit->is_parted = true;
}

/* Return: true where the span whose turn it is has become two, of which nothing is asked yet. */
static bool part_span(struct bus *bus)
{
	size_t n = bus->plan.n_spans, i = bus->turn;
	struct modbus_span whole = bus->plan.spans[i];
	if (whole.n_points == 1 || modbus_units_reserve(&bus->units, n + 1) != 0)
		return false;
	struct bus_span *spans = reallocarray(bus->spans, n + 1, sizeof *spans);
	if (spans == NULL)
		return false;
	bus->spans = spans;
	if (modbus_plan_part(&bus->plan, bus->asked.points, i) != MODBUS_PARTED)
		return false;
	memmove(&spans[i + 1], &spans[i], (n - i) * sizeof *spans);
	modbus_units_part(&bus->units, i, n);
	say_parted(bus, &whole);
	return true;
}

/* Busy (5, 6) says nothing about the value: the next round asks again. Code 4 is the instrument's
 * own word that it has failed. All others mean that the value could not be had, as silence does, so
 * that an instrument which only ever refuses goes stale. */
static void replied_exception(struct bus *bus, const struct modbus_span *span, uint8_t code)
{
	metric_add(bus->exception, 1);
	if (code == 10 || code == 11) { /* the gateway speaks, not the unit */
		unit_failed(bus, modbus_exception_name(code));
		modbus_unit_missed(modbus_units_of(&bus->units, bus->turn), bus->running);
	} else {
		unit_answered(bus);
		say_exception(bus, span, code);
	}
	bool is_busy = code == 5 || code == 6;
	bus_without_value(bus, bus->turn,
			  (char)(is_busy     ? 0
				 : code == 4 ? FLAG_FAULT
					     : FLAG_COMMUNICATION));
}

void bus_replied(struct bus *bus, enum modbus_verdict verdict, const struct modbus_reply *reply,
		 int64_t after_ns)
{
	const struct modbus_span *span = &bus->plan.spans[bus->turn];
	histogram_observe(bus->host->seconds, after_ns);
	link_up(bus);
	if (verdict == MODBUS_COMPLETE) {
		metric_add(bus->ok, 1);
		unit_answered(bus);
		span_values(bus, span, reply);
	} else if (reply->exception == 2 && part_span(bus)) {
		metric_add(bus->exception, 1);
		unit_answered(bus);
		bus->frame = 0;
		return;
	} else {
		replied_exception(bus, span, reply->exception);
	}
	bus->frame = 0;
	round_advance(bus);
}

void bus_frame(struct bus *bus, enum frame_kind kind, const uint8_t *asked, size_t n_asked,
	       const uint8_t *answered, size_t n_answered)
{
	bus->frame = door_frame(bus->host->driver.door, kind, asked, n_asked, answered, n_answered);
}

void bus_cause(struct bus *bus, const char *cause, bool is_timeout)
{
	bus->cause = cause;
	bus->cause_is_timeout = is_timeout;
}

void bus_failed(struct bus *bus)
{
	unit_failed(bus, bus->cause);
	round_miss(bus);
}

/* --- birth and death --- */

int bus_host_init(struct bus_host *host, const struct driver_host *driver)
{
	*host = (struct bus_host){.driver = *driver};
	host->late = metrics_counter(driver->metrics, "ducha_polls_late_total",
				     "Polls sent late, and intervals left out", "");
	host->seconds = metrics_histogram(driver->metrics, "ducha_poll_seconds",
					  "From request to reply", "");
	return host->late != NULL && host->seconds != NULL ? 0 : -ENOMEM;
}

void bus_host_flush(struct bus_host *host)
{
	if (host->submitted)
		door_flush(host->driver.door);
	host->submitted = false;
}

static struct metric *poll_counter(struct metrics *metrics, const char *id, const char *result)
{
	char labels[512];
	snprintf(labels, sizeof labels, "connection=\"%s\",result=\"%s\"", id, result);
	return metrics_counter(metrics, "ducha_polls_total",
			       "Requests to instruments by their result", labels);
}

static int bus_metrics(struct bus *bus, struct metrics *metrics)
{
	const char *id = bus->config->id;
	char labels[512];
	snprintf(labels, sizeof labels, "connection=\"%s\"", id);
	bus->ok = poll_counter(metrics, id, "ok");
	bus->timeout = poll_counter(metrics, id, "timeout");
	bus->exception = poll_counter(metrics, id, "exception");
	bus->error = poll_counter(metrics, id, "error");
	bus->up = metrics_gauge(metrics, "ducha_connections_up", "1 while the connection answers",
				labels);
	bool all = bus->ok != NULL && bus->timeout != NULL && bus->exception != NULL &&
		   bus->error != NULL && bus->up != NULL;
	return all ? 0 : -ENOMEM;
}

int bus_init(struct bus *bus, struct bus_host *host, const struct modbus_connection *config)
{
	*bus = (struct bus){.config = config,
			    .host = host,
			    .cause = "not connected",
			    .interval_ns = config->interval_ms * INT64_C(1000000)};
	int error = modbus_asked_init(&bus->asked, config);
	if (error == 0)
		error = values_init(&bus->values, config, &bus->asked);
	if (error == 0)
		error = modbus_plan_init(&bus->plan, bus->asked.points, bus->asked.n,
					 config->max_gap, config->max_registers);
	if (error != 0)
		return error;
	bus->turn = bus->plan.n_spans;
	bus->spans = calloc(bus->plan.n_spans + 1, sizeof *bus->spans);
	bus->samples = calloc(bus->asked.n + 1, sizeof *bus->samples);
	if (bus->spans == NULL || bus->samples == NULL)
		return -ENOMEM;
	error = modbus_units_init(&bus->units, &bus->plan, config->interval_ms);
	if (error != 0)
		return error;
	return bus_metrics(bus, host->driver.metrics);
}

/* What says which plan it is for; all else is the course of things. */
static void swap_frame(struct bus *a, struct bus *b)
{
	struct bus kept = *a;
	a->config = b->config;
	a->host = b->host;
	a->asked = b->asked;
	a->values.points = b->values.points;
	a->values.zone = b->values.zone;
	b->config = kept.config;
	b->host = kept.host;
	b->asked = kept.asked;
	b->values.points = kept.values.points;
	b->values.zone = kept.values.zone;
}

static void keep_phase(struct bus *next, const struct bus *old)
{
	next->due_ns = old->due_ns;
	next->round = old->round;
	next->link = old->link;
	next->rounds_missed = old->rounds_missed;
	next->cause = old->cause;
	next->cause_is_timeout = old->cause_is_timeout;
	next->request = old->request;
}

bool bus_succeed(struct bus *next, struct bus *old)
{
	if (!modbus_same_points(next->config, old->config)) {
		keep_phase(next, old);
		return false;
	}
	struct bus course = *old;
	*old = *next;
	*next = course;
	swap_frame(next, old);
	return true;
}

void bus_deinit(struct bus *bus)
{
	modbus_plan_deinit(&bus->plan);
	values_deinit(&bus->values);
	modbus_asked_deinit(&bus->asked);
	modbus_units_deinit(&bus->units);
	free(bus->spans);
	free(bus->samples);
	bus->spans = NULL;
	bus->samples = NULL;
}
