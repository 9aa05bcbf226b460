/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Beside: a value of nothing among probes that show nothing.
 *
 * Water without oxygen is measured as 0, and so is the input that no oxygen probe is connected to;
 * a pH of 4 is an acid, and what an input of 4 to 10 gives for a loop without current. One reading
 * cannot tell, but what else was read at that moment over the same connection can. It is asked as a
 * reading comes in, before it is recorded, so that its flag is the same for all that reads it: by
 * what was shown within a minute of it, and by what comes in the same message, reply or telegram,
 * which is shown before any of it is settled.
 *
 * What each of the others shows: nothing (a code, a dead signal), its low end (an exact 0, or the
 * beginning of its range), or water. No water is
 *  - an oxygen of 0 where more show nothing, or have flag D, than show water;
 *  - a low end, where three at least show nothing or their low end, one of them nothing, and water
 *    no more than one in four;
 *  - what is below the `min` of a limit, and is a low end or, where no range says what that is, a
 *    whole number or nearly one: where two at least show nothing or their low end, and either one
 *    of them nothing and water no more than one in three, or none water; and where two at least
 *    fell from water to their low end at once;
 *  - what clings to a low end that was settled to be none within the last minute, while two at
 * least show nothing or their low end. A loop has noise, and not all channels of a row are read
 * anew.
 */
#include "core/plan.h"
#include "core/reading.h"

enum { BESIDE_MS = 60000 }; /* apart, and still of one moment */

enum shows { SHOWS_UNKNOWN, SHOWS_NOTHING, SHOWS_FAULT, SHOWS_LOW_END, SHOWS_WATER };

/* What a monitor showed last. */
struct beside {
	int64_t measured_ms;
	double value;
	uint8_t flag;
	enum shows shows;
	bool fell;       /* from water, to its low end */
	bool dead;       /* settled as no water */
	bool clings;     /* to a low end that was */
	double dead_end; /* that one */
};

/** beside_begin() - up to which value a monitor asks at all; all else is filled in */
void beside_begin(struct monitor *monitor);

/** beside_asks() - does what is beside a monitor mean something to a value of it, whatever that is?
 * Where no value asks, none is settled by others. */
bool beside_asks(const struct plan *plan, uint32_t monitor, double value);

/**
 * beside_show() - what a reading shows to those beside it, which has the flag of its own value
 * @shown: by monitor, zeros at first; only those of one connection are looked at, so that each
 * thread that has connections of its own may have a table of its own
 */
void beside_show(const struct plan *plan, struct beside *shown, const struct reading *reading);

/**
 * beside_settle() - the same, and then the flag that counts: FLAG_FAULT in place of N where what is
 * beside it says so, which is noted with the reading, also where its flag was FLAG_FAULT already
 */
void beside_settle(const struct plan *plan, struct beside *shown, struct reading *reading);
