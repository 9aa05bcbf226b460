/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Instruments in the ledger: with which range and slope each monitor was read, and since when.
 *
 * A range or slope that is set otherwise makes other values of the same water, and an office that
 * reads a case must see that it was. The list only grows: a line for each monitor when the daemon
 * first has it, and one whenever a plan has other settings than the last line.
 */
#include "store/ledger.h"

/** ledger_instruments() - take up the plan's settings where they are new. Return: 0, LEDGER_FATAL,
 * negative errno and then none is. */
int ledger_instruments(struct ledger *ledger, int64_t now_ms);

/* What a monitor was read with from @since_ms on. */
struct instrument_view {
	int64_t since_ms;
	bool has_range;
	double low, high;     /* in the monitor's unit */
	double scale, offset; /* value = raw × scale + offset */
};
/** ledger_instrument() - oldest first, as long as @fn returns true. Return: 0, negative errno. */
int ledger_instrument(struct ledger *ledger, const char *site, const char *factor,
		      bool (*fn)(void *context, const struct instrument_view *view), void *context);
