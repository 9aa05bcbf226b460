/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/modbus/asked.h"

#include <errno.h>
#include <stdlib.h>

/* Registers (or bits) of one table that are asked for together. */
struct lot {
	enum modbus_table table;
	uint32_t first, end;
	bool is_block; /* nothing is added to it */
};

struct bounds {
	uint32_t max_gap, max_registers;
};

static void sort_lots(struct lot *lots, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct lot lot = lots[i];
		size_t at = i;
		for (; at > 0 &&
		       (lots[at - 1].table > lot.table ||
			(lots[at - 1].table == lot.table && lots[at - 1].first > lot.first));
		     at--)
			lots[at] = lots[at - 1];
		lots[at] = lot;
	}
}

static bool join(struct lot *to, const struct lot *lot, const struct bounds *bounds)
{
	uint32_t most = modbus_is_bits(to->table) ? MODBUS_MAX_BITS : bounds->max_registers;
	uint32_t end = lot->end > to->end ? lot->end : to->end;
	if (lot->table != to->table || lot->first > to->end + bounds->max_gap)
		return false;
	if (end > to->end && (to->is_block || lot->is_block || end - to->first > most))
		return false;
	to->end = end;
	return true;
}

/* The block of a point holds its first number, and perhaps others. */
static struct lot lot_of(const struct modbus_point *point, size_t i)
{
	uint16_t width;
	struct modbus_place place = modbus_place(point, i, &width);
	if (i == 0 && point->block_count > 0)
		return (struct lot){place.table, point->block,
				    (uint32_t)point->block + point->block_count, true};
	return (struct lot){place.table, place.address, (uint32_t)place.address + width, false};
}

/* Return: how many lots the registers of @point make, in the order of their addresses. */
static size_t lots_of(const struct modbus_point *point, const struct bounds *bounds,
		      struct lot lots[1 + MODBUS_EXTRAS_MOST])
{
	size_t n = modbus_places(point), kept = 1;
	bool exact = point->exact || point->block_count > 0;
	struct bounds own = {exact ? 0 : bounds->max_gap, bounds->max_registers};
	for (size_t i = 0; i < n; i++)
		lots[i] = lot_of(point, i);
	sort_lots(lots, n);
	for (size_t i = 1; i < n; i++)
		if (!join(&lots[kept - 1], &lots[i], &own))
			lots[kept++] = lots[i];
	return kept;
}

static int add_entries(struct modbus_asked *asked, const struct modbus_connection *config,
		       uint32_t i, const struct bounds *bounds)
{
	struct lot lots[1 + MODBUS_EXTRAS_MOST];
	size_t n = lots_of(&config->points[i], bounds, lots);
	for (size_t k = 0; k < n; k++) {
		struct modbus_point *entry = &asked->made[asked->n];
		if (lots[k].end > 65536)
			return -ERANGE;
		*entry = config->points[i];
		entry->table = lots[k].table;
		entry->address = (uint16_t)lots[k].first;
		entry->registers = (uint16_t)(lots[k].end - lots[k].first);
		entry->exact = entry->exact || entry->block_count > 0;
		entry->block_count = lots[k].is_block ? entry->block_count : 0;
		asked->of[asked->n++] = i;
	}
	return 0;
}

int modbus_asked_init(struct modbus_asked *asked, const struct modbus_connection *config)
{
	struct bounds bounds = {config->max_gap, config->max_registers};
	size_t most = 0;
	bool plain = true;
	*asked = (struct modbus_asked){.points = config->points, .n = config->n_points};
	for (size_t i = 0; i < config->n_points; i++) {
		most += modbus_places(&config->points[i]);
		plain = plain && config->points[i].more == NULL;
	}
	if (plain)
		return 0;
	asked->made = calloc(most, sizeof *asked->made);
	asked->of = calloc(most, sizeof *asked->of);
	asked->points = asked->made;
	asked->n = 0;
	if (asked->made == NULL || asked->of == NULL)
		return -ENOMEM;
	int error = 0;
	for (uint32_t i = 0; error == 0 && i < config->n_points; i++)
		error = add_entries(asked, config, i, &bounds);
	return error;
}

void modbus_asked_deinit(struct modbus_asked *asked)
{
	free(asked->made);
	free(asked->of);
	*asked = (struct modbus_asked){.points = NULL};
}
