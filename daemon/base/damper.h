/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Damper: lets changes through, and of what changes all the time only the newest, ever more rarely.
 *
 * Messages of one topic about one subject share a slot. The first four in a minute are said at
 * once; then the newest is kept until the minute is over, and said with how many there were. While
 * that goes on the interval doubles, up to an hour; after an interval without any the slot is free
 * again. So a line that flaps all night costs some lines an hour, and the last line still says how
 * it stands. Where more subjects than there are slots flap at the same time, the rest is said
 * undamped.
 *
 * Time is an argument. One thread at a time: log.c holds a lock.
 */
#include "base/record.h"

#include <stddef.h>

enum {
	DAMPER_SLOTS = 256,
	DAMPER_AT_ONCE = 4,
	DAMPER_SHORTEST_S = 60,
	DAMPER_LONGEST_S = 3600,
};

struct damper_slot {
	bool taken;
	uint32_t at_once; /* how many were said in this interval */
	uint64_t held;    /* how many were not */
	int64_t interval_ns, ends_ns;
	struct log_record newest; /* of those held; else only its topic and subject are meant */
};

struct damper {
	struct damper_slot slots[DAMPER_SLOTS];
};

/** damper_offer() - Return: true if @record is to be said now, false if it is kept */
bool damper_offer(struct damper *damper, const struct log_record *record, int64_t now_ns);
/**
 * damper_due() - the next record whose interval is over, or with @all any that is kept
 * @out: what is to be said, with its number of times
 * Return: false if there is none
 */
bool damper_due(struct damper *damper, int64_t now_ns, bool all, struct log_record *out);
