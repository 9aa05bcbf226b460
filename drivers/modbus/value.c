/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/modbus/value.h"

#include <errno.h>
#include <stdlib.h>

/* A sample that was handed in. */
struct said {
	bool any;
	enum flag flag;
	int64_t time_ms;
};

struct value_memory {
	uint32_t point;
	uint16_t entries, heard; /* in a round; of the running one, so many had their say */
	char missed;             /* flag of an entry that was not read; 0: none */
	bool unsaid;             /* one was not read, and there is nothing to say of it */
	bool has_clock;
	struct said with, without; /* the last result, and the last sample without value */
	struct modbus_words words;
};

static bool has_clock(const struct modbus_point *point)
{
	for (size_t i = 0; i + 1 < modbus_places(point); i++)
		if (point->more->extras[i].role == MODBUS_TIME)
			return true;
	return false;
}

static bool needs_memory(const struct modbus_point *point, uint16_t entries)
{
	return entries > 1 || has_clock(point);
}

/* Return: how many of the entries from *at on are those of @point; *at moves behind them. */
static uint16_t entries_of(const struct modbus_asked *asked, uint32_t point, size_t *at)
{
	uint16_t n = 0;
	for (; *at < asked->n && modbus_asked_of(asked, (uint32_t)*at) == point; (*at)++)
		n++;
	return n;
}

int values_init(struct values *values, const struct modbus_connection *config,
		const struct modbus_asked *asked)
{
	size_t n = 0, at = 0;
	*values = (struct values){.points = config->points, .zone = config->zone};
	for (uint32_t i = 0; i < config->n_points; i++)
		n += needs_memory(&config->points[i], entries_of(asked, i, &at));
	if (n == 0)
		return 0;
	values->memories = calloc(n, sizeof *values->memories);
	if (values->memories == NULL)
		return -ENOMEM;
	at = 0;
	for (uint32_t i = 0; i < config->n_points; i++) {
		uint16_t entries = entries_of(asked, i, &at);
		if (needs_memory(&config->points[i], entries))
			values->memories[values->n_memories++] =
				(struct value_memory){.point = i,
						      .entries = entries,
						      .has_clock = has_clock(&config->points[i])};
	}
	return 0;
}

void values_deinit(struct values *values)
{
	free(values->memories);
	*values = (struct values){.points = NULL};
}

static int by_point(const void *key, const void *memory)
{
	uint32_t a = *(const uint32_t *)key, b = ((const struct value_memory *)memory)->point;
	return (a > b) - (a < b);
}

static struct value_memory *memory_of(const struct values *values, uint32_t point)
{
	if (values->n_memories == 0)
		return NULL;
	return bsearch(&point, values->memories, values->n_memories, sizeof *values->memories,
		       by_point);
}

/* --- repeated results --- */

/* Return: true where this was not handed in before. */
static bool is_news(struct value_memory *memory, const struct sample *sample)
{
	struct said *said = sample->has_value ? &memory->with : &memory->without;
	bool same = said->any && sample->has_time && sample->measured_ms == said->time_ms &&
		    sample->flag == said->flag;
	if (sample->has_time)
		*said = (struct said){true, sample->flag, sample->measured_ms};
	return !same;
}

static bool say_missed(struct value_memory *memory, struct sample *sample)
{
	if (!memory->has_clock)
		return true;
	const struct said *with = &memory->with, *without = &memory->without;
	if (!with->any && !without->any)
		return false;
	bool later = !with->any || (without->any && without->time_ms > with->time_ms);
	sample->has_time = true;
	sample->measured_ms = later ? without->time_ms : with->time_ms;
	return is_news(memory, sample);
}

/* --- samples --- */

static bool say_result(const struct values *values, uint32_t point, struct value_memory *memory,
		       const struct modbus_words *words, struct sample *out)
{
	struct modbus_result result = modbus_compose(&values->points[point], words, values->zone);
	*out = (struct sample){.monitor = values->points[point].monitor,
			       .has_time = result.has_time,
			       .measured_ms = result.measured_ms,
			       .has_value = result.has_value,
			       .value = result.value,
			       .flag = result.flag,
			       .raw = result.raw};
	return memory == NULL || !memory->has_clock || is_news(memory, out);
}

/* The round of a point is over: all its entries have had their say. */
static bool conclude(const struct values *values, struct value_memory *memory, struct sample *out)
{
	bool unsaid = memory->unsaid;
	char missed = memory->missed;
	memory->heard = 0;
	memory->unsaid = false;
	memory->missed = 0;
	if (missed == 0 && unsaid)
		return false;
	if (missed == 0)
		return say_result(values, memory->point, memory, &memory->words, out);
	*out = (struct sample){.monitor = values->points[memory->point].monitor,
			       .flag = (enum flag)missed};
	return say_missed(memory, out);
}

static bool say_plain(const struct modbus_point *point, const struct modbus_request *request,
		      const struct modbus_reply *reply, struct sample *out)
{
	struct modbus_value value = modbus_decode(point, request, reply);
	*out = (struct sample){.monitor = point->monitor,
			       .has_value = value.has_value,
			       .value = value.value,
			       .flag = value.has_value ? FLAG_NORMAL : FLAG_FAULT,
			       .raw = value.raw};
	return true;
}

bool values_reply(struct values *values, uint32_t point, const struct modbus_request *request,
		  const struct modbus_reply *reply, struct sample *out)
{
	const struct modbus_point *at = &values->points[point];
	if (at->more == NULL)
		return say_plain(at, request, reply, out);
	struct value_memory *memory = memory_of(values, point);
	struct modbus_words here, *words = memory != NULL ? &memory->words : &here;
	modbus_gather(at, request, reply, words);
	if (memory == NULL)
		return say_result(values, point, NULL, words, out);
	memory->heard++;
	return memory->heard >= memory->entries && conclude(values, memory, out);
}

bool values_missed(struct values *values, uint32_t point, char flag, struct sample *out)
{
	struct value_memory *memory = memory_of(values, point);
	if (memory == NULL) {
		*out = (struct sample){.monitor = values->points[point].monitor,
				       .flag = (enum flag)flag};
		return flag != 0;
	}
	memory->heard++;
	if (flag == 0)
		memory->unsaid = true;
	else if (memory->missed == 0)
		memory->missed = flag;
	return memory->heard >= memory->entries && conclude(values, memory, out);
}
