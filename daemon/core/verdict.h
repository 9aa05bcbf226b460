/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Verdict: what the judge decided. It is a plain value: the judge decides, the clerk commits it to
 * the ledger, and only then is it announced. The ledger takes the same verdict twice without harm
 * (same entry, same raised_ms), because after a restart the judge goes over the last readings
 * again.
 */
#include "core/plan.h"

enum verdict_type {
	VERDICT_RAISED,  /* a condition began to hold */
	VERDICT_CLEARED, /* it ended */
	VERDICT_PEAK,    /* it goes on and its worst or last value changed; never announced */
	VERDICT_SETTLED, /* a mean that holds it up stands after the time for marking: now it may
			  * open a case */
};

enum bound { BOUND_NONE, BOUND_MAX, BOUND_MIN };

/* What the daemon reports of itself, by alerts of kind `fault` with no site. */
enum own_fault {
	OWN_UNRECORDED,     /* readings are judged, and not on disk */
	OWN_FILLING,        /* the store comes near its bound, or the disk its end */
	OWN_REMOVED_EARLY,  /* readings went before their time, for room */
	OWN_REMOVED_UNSENT, /* readings went before the time-series database had them */
	OWN_DAMAGED,        /* a file of the store was damaged, and lies set aside */
	OWN_CLOCK,          /* the wall clock is ahead of what was lived, and not believed */
	OWN_FLOOD,          /* more alerts than an operator can follow; the evaluator itself sees
			     * it, and is told of those before it */
	OWN_FAULTS
};

struct verdict {
	enum verdict_type type;
	enum alert_kind kind;
	uint32_t monitor;    /* index; NO_INDEX for a connection or the daemon itself */
	uint32_t connection; /* index; NO_INDEX unless kind is ALERT_CONNECTION */
	uint32_t limit;      /* index into monitor.limits; NO_INDEX for stale, flat, step … */
	enum average average;
	enum bound bound;
	int64_t time_ms;   /* of this event: the reading's measured time, or the tick's moment */
	int64_t began_ms;  /* when the condition began (interface: began_at) */
	int64_t raised_ms; /* when it was raised; equal to time_ms in VERDICT_RAISED */
	bool has_value, has_limit;
	double value;       /* that raised it */
	double limit_value; /* the limit (of a warning: the limit itself, not its level) */
	double peak_value;  /* the worst since it began; meaningful where has_value */
	int64_t peak_ms;
	double last_value;        /* the newest valid value */
	uint32_t readings;        /* of whatever flag, since it began: what the evidence holds */
	const char *reason;       /* static English word such as "over_range", or NULL */
	const char *own;          /* of a fault whose reason is no name: what it is of; else NULL */
	int64_t received_mono_ns; /* CLOCK_BOOTTIME of the receipt that raised it; 0 on a tick */
};

/** own_fault_name() - the `reason` of its alert, such as "unrecorded" */
const char *own_fault_name(enum own_fault fault);

/**
 * verdict_key() - the entry's name across restarts: "SITE/FACTOR/KIND/…"; unique among active
 * alerts
 * @out: at least 256 bytes; cut if longer
 */
void verdict_key(const struct plan *plan, const struct verdict *verdict, char *out, size_t size);
