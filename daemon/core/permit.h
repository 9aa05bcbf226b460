/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Permit: a year's load of one monitor against what may be discharged in a year. Pure.
 *
 * Each share that the load lies above has an alert of its own, named by the share; it is said at
 * the end of the hour that goes beyond it, and cleared with the first hour of the next year, or
 * when the load was added up anew and is less.
 */
#include "core/tally.h"

enum { PERMIT_SHARES_MOST = 8 };

/* What has been said of a monitor's permit. */
struct permit {
	struct span year;
	double load;    /* of the year's hours that are complete */
	size_t reached; /* shares whose alert is raised */
	/* of the monitor, since the beginning of the hour that went beyond each: what the evidence
	 * holds */
	uint32_t readings[PERMIT_SHARES_MOST];
};

typedef void (*permit_fn)(void *context, const struct verdict *verdict);

/** permit_reached() - how many of a monitor's shares a year's load lies above; equal does not */
size_t permit_reached(const struct monitor *monitor, double load);
/** permit_hour() - an hour is complete, in the order of time, with what the monitor had in it;
 * values and limits of the verdicts are tonnes */
void permit_hour(struct permit *permit, const struct plan *plan, uint32_t monitor, struct span hour,
		 const struct tally_sum *sum, permit_fn fn, void *context);
/** permit_judge() - the load as it stands at the end of @hour; @clears: it may have become less */
void permit_judge(struct permit *permit, const struct plan *plan, uint32_t monitor,
		  struct span hour, bool clears, permit_fn fn, void *context);
