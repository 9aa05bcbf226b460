/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/modbus/units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint16_t unit_index(struct modbus_units *units, uint8_t id)
{
	for (size_t i = 0; i < units->n; i++)
		if (units->at[i].id == id)
			return (uint16_t)i;
	units->at[units->n] = (struct modbus_unit){.id = id, .cause = "not connected"};
	return (uint16_t)units->n++;
}

int modbus_units_init(struct modbus_units *units, const struct modbus_plan *plan,
		      int64_t interval_ms)
{
	size_t most = plan->n_spans < 256 ? plan->n_spans : 256;
	int64_t cap = MODBUS_REST_CAP_MS / interval_ms;
	*units =
		(struct modbus_units){.at = calloc(most + 1, sizeof *units->at),
				      .of_span = calloc(plan->n_spans + 1, sizeof *units->of_span)};
	if (units->at == NULL || units->of_span == NULL) {
		modbus_units_deinit(units);
		return -ENOMEM;
	}
	units->cap_rounds = cap > MODBUS_REST_ROUNDS ? MODBUS_REST_ROUNDS
			    : cap < 1                ? 1
						     : (uint32_t)cap;
	for (size_t i = 0; i < plan->n_spans; i++)
		units->of_span[i] = unit_index(units, plan->spans[i].unit);
	return 0;
}

void modbus_units_deinit(struct modbus_units *units)
{
	free(units->at);
	free(units->of_span);
	*units = (struct modbus_units){.at = NULL};
}

int modbus_units_reserve(struct modbus_units *units, size_t n_spans)
{
	uint16_t *of_span = reallocarray(units->of_span, n_spans, sizeof *of_span);
	if (of_span == NULL)
		return -ENOMEM;
	units->of_span = of_span;
	return 0;
}

void modbus_units_part(struct modbus_units *units, size_t i, size_t n_spans)
{
	memmove(&units->of_span[i + 1], &units->of_span[i], (n_spans - i) * sizeof *units->of_span);
}

bool modbus_units_rest(const struct modbus_units *units, const struct modbus_unit *unit,
		       uint64_t round)
{
	return units->n > 1 && unit->failures > 1 && round < unit->next_round;
}

void modbus_unit_missed(struct modbus_unit *unit, uint64_t round)
{
	if (unit->missed_in == round + 1)
		return;
	unit->missed_in = round + 1;
	unit->missed++;
}

void modbus_units_failed(const struct modbus_units *units, struct modbus_unit *unit, uint64_t round,
			 uint64_t next, const char *cause, bool alone)
{
	uint32_t rounds = 1, cap = units->cap_rounds;
	unit->cause = cause;
	if (unit->failures > 0 && round < unit->next_round)
		return; /* another span of it failed in this round */
	if (!alone && cap > MODBUS_REST_ALL_DEAD_ROUNDS)
		cap = MODBUS_REST_ALL_DEAD_ROUNDS;
	unit->failures++;
	for (uint32_t i = 2; i < unit->failures && rounds < cap; i++)
		rounds *= 2;
	unit->next_round = next - 1 + (rounds < cap ? rounds : cap);
}

void modbus_units_wake(struct modbus_units *units)
{
	for (size_t i = 0; i < units->n; i++) {
		struct modbus_unit *unit = &units->at[i];
		unit->next_round = 0;
		if (!unit->is_said)
			unit->failures = 0;
	}
}
