/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Value: from the replies of a round to the samples of a bus's points. Pure.
 *
 * Most points lie whole in one reply. A point whose registers are far apart, or in two tables, is
 * asked for with several requests of the same round, and its sample is made when the last of them
 * has had its say: if any of them failed, there is none (flag B). Between those requests the
 * instrument may have changed its mind; where that matters, let one request hold them (max_gap).
 *
 * Where the instrument says when it measured (MODBUS_TIME), one result is read many times. It is
 * handed in once: what has the same time, flag and kind is the same result, even with another
 * value, which then was read between its two writes. A missed poll says nothing about when the
 * instrument measures, so its flag B stands at the time of the last result, once until there is a
 * newer one (before the first: not at all). Else a result of before the outage that is fetched
 * after it would be late, and reach no limit.
 */
#include "drivers/modbus/asked.h"
#include "flow/door.h"

struct value_memory; /* of a point with a clock or several requests */

struct values {
	const struct modbus_point *points;
	const struct zone *zone;
	struct value_memory *memories; /* by point, ascending */
	size_t n_memories;
};

/** values_init() - for the points of @config, which outlives it, asked for as @asked. Return: 0,
 * -ENOMEM */
int values_init(struct values *values, const struct modbus_connection *config,
		const struct modbus_asked *asked);
void values_deinit(struct values *values);

/** values_reply() - a reply that holds one of the entries of @point. Return: true where *out is to
 * be handed in now */
bool values_reply(struct values *values, uint32_t point, const struct modbus_request *request,
		  const struct modbus_reply *reply, struct sample *out);

/**
 * values_missed() - one of the entries of @point was not read
 * @flag: what to say of the point; 0: nothing, the next round asks again
 */
bool values_missed(struct values *values, uint32_t point, char flag, struct sample *out);
