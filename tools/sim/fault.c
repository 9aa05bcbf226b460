/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/fault.h"

#include <string.h>

const char *const fault_words[] = {
	"silence",    "refusal",    "half-open",   "close",       "reset",    "trickle", "late",
	"stray",      "duplicate",  "foreign",     "transaction", "protocol", "unit",    "function",
	"byte-count", "length-low", "length-high", "cut",         "surplus",  "fewer",   "more",
	"garbage",    "chatter",    "exception",   NULL};

static bool rule_is_on(const struct fault_rule *rule, int64_t time_ms)
{
	return time_ms >= rule->at_ms &&
	       (rule->for_ms == 0 || time_ms < rule->at_ms + rule->for_ms);
}

/* From 0 to below 1, the same for the same request of the same seed. */
static double drawn(uint64_t seed, uint64_t request)
{
	uint64_t x = seed + request * 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return (double)((x ^ (x >> 31)) >> 11) * 0x1p-53;
}

const struct fault *fault_choose(struct fault_plan *plan, uint8_t unit_id, int64_t time_ms)
{
	uint64_t request = plan->n_asked++;
	for (size_t i = 0; i < plan->n; i++) {
		const struct fault_rule *rule = &plan->rules[i];
		if (rule->fault.kind != FAULT_REFUSAL &&
		    (rule->unit_id < 0 || rule->unit_id == unit_id) && rule_is_on(rule, time_ms) &&
		    drawn(plan->seed + i, request) < rule->share)
			return &rule->fault;
	}
	return NULL;
}

bool fault_refuses(const struct fault_plan *plan, int64_t time_ms)
{
	for (size_t i = 0; i < plan->n; i++)
		if (plan->rules[i].fault.kind == FAULT_REFUSAL &&
		    rule_is_on(&plan->rules[i], time_ms))
			return true;
	return false;
}

bool fault_has_refusal(const struct fault_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++)
		if (plan->rules[i].fault.kind == FAULT_REFUSAL)
			return true;
	return false;
}

static void add16(uint8_t *at, int by)
{
	unsigned value = ((unsigned)at[0] << 8 | at[1]) + (unsigned)by;
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static size_t behind(uint8_t *reply, size_t n, size_t more)
{
	memset(reply + n, 0x41, more);
	return n + more;
}

/* A register less or more, with all lengths telling the truth about it. */
static size_t resized(uint8_t *reply, size_t n, int by)
{
	if ((reply[7] & 0x80) != 0 || (by < 0 && n < 11) || (by > 0 && reply[8] > 253))
		return n;
	if (by > 0)
		(void)behind(reply, n, 2);
	add16(reply + 4, by);
	reply[8] = (uint8_t)(reply[8] + by);
	return by > 0 ? n + 2 : n - 2;
}

static size_t garbage_first(uint8_t *reply, size_t n)
{
	static const uint8_t garbage[] = {0xff, 0x00, 0x55, 0xaa, 0x0d};
	memmove(reply + sizeof garbage, reply, n);
	memcpy(reply, garbage, sizeof garbage);
	return n + sizeof garbage;
}

static size_t exception(uint8_t *reply, uint8_t code)
{
	reply[4] = 0;
	reply[5] = 3;
	reply[7] |= 0x80;
	reply[8] = code;
	return 9;
}

size_t fault_spoil(const struct fault *fault, uint8_t *reply, size_t n)
{
	switch (fault->kind) {
	case FAULT_TRANSACTION:
		add16(reply, 1);
		return n;
	case FAULT_PROTOCOL:
		reply[3] = 1;
		return n;
	case FAULT_UNIT:
		reply[6]++;
		return n;
	case FAULT_FUNCTION:
		reply[7] = (uint8_t)(reply[7] == 3 ? 4 : 3);
		return n;
	case FAULT_BYTE_COUNT:
		reply[8] = (uint8_t)(reply[8] - 2);
		return n;
	case FAULT_LENGTH_LOW:
		add16(reply + 4, -2);
		return n;
	case FAULT_LENGTH_HIGH:
		add16(reply + 4, 2);
		return n;
	case FAULT_CUT:
		return n - 1;
	case FAULT_SURPLUS:
		return behind(reply, n, 2);
	case FAULT_FEWER:
		return resized(reply, n, -2);
	case FAULT_MORE:
		return resized(reply, n, 2);
	case FAULT_GARBAGE:
		return garbage_first(reply, n);
	case FAULT_EXCEPTION:
		return exception(reply, fault->code);
	case FAULT_SILENCE:
	case FAULT_REFUSAL:
	case FAULT_HALF_OPEN:
	case FAULT_CLOSE:
	case FAULT_RESET:
	case FAULT_TRICKLE:
	case FAULT_LATE:
	case FAULT_STRAY:
	case FAULT_DUPLICATE:
	case FAULT_FOREIGN:
	case FAULT_CHATTER:
		return n;
	}
	return n;
}
