/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/modbus/round.h"

static void round_to_next(struct bus *bus)
{
	for (;;) {
		for (; round_runs(bus); bus->turn++)
			if (bus->spans[bus->turn].pending &&
			    (bus->doubtful ||
			     !modbus_unit_doubtful(modbus_units_of(&bus->units, bus->turn))))
				return;
		if (bus->doubtful)
			return;
		bus->doubtful = true;
		bus->turn = 0;
	}
}

static void round_end(struct bus *bus)
{
	if (bus->answered) {
		bus_say_units(bus);
		return;
	}
	bus->rounds_missed++;
	if (bus->rounds_missed >= BUS_MISSES_OF_A_LOST_LINK)
		bus_link_down(bus);
}

void round_advance(struct bus *bus)
{
	bus->spans[bus->turn].pending = false;
	round_to_next(bus);
	if (!round_runs(bus))
		round_end(bus);
}

static void round_miss_span(struct bus *bus, size_t i)
{
	bus->spans[i].pending = false;
	modbus_unit_missed(modbus_units_of(&bus->units, i), bus->running);
	bus_without_value(bus, i, FLAG_COMMUNICATION);
}

void round_miss(struct bus *bus)
{
	bus->request.unit = bus->plan.spans[bus->turn].unit;
	metric_add(bus->cause_is_timeout ? bus->timeout : bus->error, 1);
	round_miss_span(bus, bus->turn);
	round_advance(bus);
}

void round_miss_others(struct bus *bus, const struct modbus_unit *unit)
{
	for (size_t i = 0; i < bus->plan.n_spans; i++)
		if (i != bus->turn && bus->spans[i].pending &&
		    modbus_units_of(&bus->units, i) == unit)
			round_miss_span(bus, i);
}

/* Return: the dead unit whose turn it is; NULL: none. */
static const struct modbus_unit *round_probe(const struct bus *bus)
{
	const struct modbus_unit *probe = NULL;
	for (size_t i = 0; i < bus->plan.n_spans; i++) {
		const struct modbus_unit *unit = modbus_units_of(&bus->units, i);
		if (bus->spans[i].pending && modbus_unit_dead(unit) &&
		    !modbus_units_rest(&bus->units, unit, bus->running) &&
		    (probe == NULL || unit->next_round < probe->next_round))
			probe = unit;
	}
	return probe;
}

/* Spans of units at rest get readings without value; nothing is asked, no poll counted. */
static void round_rest(struct bus *bus)
{
	const struct modbus_unit *probe = round_probe(bus);
	for (size_t i = 0; i < bus->plan.n_spans; i++) {
		const struct modbus_unit *unit = modbus_units_of(&bus->units, i);
		if (bus->spans[i].pending && ((modbus_unit_dead(unit) && unit != probe) ||
					      modbus_units_rest(&bus->units, unit, bus->running)))
			round_miss_span(bus, i);
	}
}

/* Intervals that went by are left out, and so is this one while a round still runs. */
static void leave_out(struct bus *bus, int64_t now_ns)
{
	int64_t early_ns = ROUND_TICK_MS * INT64_C(1000000) / 2;
	int64_t skipped = (now_ns + early_ns - bus->due_ns) / bus->interval_ns;
	if (round_runs(bus))
		skipped++;
	metric_add(bus->host->late, skipped);
	bus->round += (uint64_t)skipped;
	bus->due_ns += skipped * bus->interval_ns;
}

static void mark_pending(struct bus *bus)
{
	for (size_t i = 0; i < bus->plan.n_spans; i++) {
		struct bus_span *span = &bus->spans[i];
		uint64_t every = bus->plan.spans[i].every;
		span->pending = bus->round >= span->next_round;
		if (span->pending)
			span->next_round = bus->round - bus->round % every + every;
	}
}

bool round_begin(struct bus *bus, int64_t now_ns)
{
	leave_out(bus, now_ns);
	if (round_runs(bus))
		return false;
	mark_pending(bus);
	bus->round_due_ns = bus->due_ns;
	bus->running = bus->round++;
	bus->due_ns += bus->interval_ns;
	bus->first = true;
	bus->answered = false;
	bus->doubtful = false;
	bus->turn = 0;
	if (bus->units.n > 1)
		round_rest(bus);
	round_to_next(bus);
	if (!round_runs(bus) && bus->link == BUS_DOWN)
		bus->rounds_missed++; /* nobody was asked: no news */
	return true;
}
