/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Tally: what flowed through a site and what it carried, hour by hour.
 *
 *   flow           ─┬────────┬─────╳ (flag M)        ┬──────  a reading speaks until the next one,
 *   concentration  ───┬──────────────────┬─ hold ─╳           at most for its hold
 *   covered           ├──────┼─────┤                          both speak: load += c × q × time
 *
 * Load is the sum of concentration × flow over slices (HJ 212-2017 appendix D: slices of at most
 * 5 s). Both are held until their next reading, so a slice here is the time between two of them,
 * and the sum is that of the finest slices there could be. A flow monitor that is a counter gives
 * differences instead, spread evenly between two readings; behind `rollover` it begins again, any
 * other step back is a reset and says nothing. What is not spoken for is not covered, and nothing
 * is put in its place.
 *
 * Readings may come in any order until tally_until() has passed their time; later ones are late,
 * and whoever has the record adds the day up anew. Pure: time is an argument.
 */
#include "core/reading.h"
#include "core/verdict.h"
#include "core/window.h"

/* How long after a moment it is added up: results are sent up to 10 minutes after they were
 * measured (HJ 355-2019, chapter 6). */
#define TALLY_GRACE_MS INT64_C(600000)

/* Of one monitor in one hour. */
struct tally_sum {
	double load;   /* in the factor's load unit; of the flow monitor: volume in m³ */
	double excess; /* what was above monitor.target of it */
	int64_t covered_ms;
	uint32_t readings; /* of whatever flag, that were measured in it; of an hour that was
			    * taken up after a restart, since then */
};

/* The readings of a monitor in a day. */
struct tally_count {
	int64_t n, valid;      /* of whatever flag, with flag N */
	double sum, low, high; /* of the valid ones */
	uint32_t hours;        /* of the day with a valid one: bit 0 is its first */
};

/* What a monitor says at present. */
struct tally_value {
	bool valid;
	double value;
	int64_t at_ms, until_ms; /* speaks from the one to the other (excluded) */
};

/* More than this may not wait at a site: its older half is added up before its grace is over. */
enum { TALLY_WAITING_MOST = 32768 };

struct tally_event {
	int64_t time_ms, sequence; /* in the daybook; 0: in none */
	double value;
	uint32_t monitor; /* place at the site */
	bool valid;
};

struct tally {
	const struct plan *plan;
	const struct site *site;
	bool begun;
	int64_t at_ms;              /* added up until here */
	struct span hour;           /* that holds at_ms */
	struct tally_value *values; /* by place at the site */
	struct tally_sum *sums;     /* of the hour, by place */
	struct tally_event *events; /* ascending, not yet added up */
	size_t n_events, room;
	bool has_count; /* of a counter: its last valid reading */
	double count;
	int64_t count_ms;
	bool failed; /* without memory: an event was dropped */
};

/** tally_wanted() - can anything be added up at a site: is its flow measured? */
bool tally_wanted(const struct plan *plan, uint32_t site);
/** tally_counts() - does a monitor take part in it? */
bool tally_counts(const struct plan *plan, uint32_t monitor);
bool tally_init(struct tally *tally, const struct plan *plan, uint32_t site);
void tally_deinit(struct tally *tally);

/** tally_begin() - nothing before a moment matters, and nothing is known there */
void tally_begin(struct tally *tally, int64_t at_ms);
/** tally_add() - a reading of the site, whatever its flag, of a monitor that counts.
 * Return: false if its time was added up already. */
bool tally_add(struct tally *tally, const struct reading *reading, int64_t sequence);
/** tally_oldest() - the lowest sequence that waits; INT64_MAX: none does */
int64_t tally_oldest(const struct tally *tally);

/* An hour is complete: sums by place at the site, valid during the call. */
typedef void (*tally_hour_fn)(void *context, const struct tally *tally, struct span hour,
			      const struct tally_sum *sums);
/** tally_until() - add up to a moment; @fn hears of each hour that ends until then and had
 * anything. A counter's last reading may hold this back until the next, at most for its hold. */
void tally_until(struct tally *tally, int64_t until_ms, tally_hour_fn fn, void *context);

/** year_of(), month_of() - the calendar year or month that holds a moment, as a span */
struct span year_of(const struct zone *zone, int64_t wall_ms);
struct span month_of(const struct zone *zone, int64_t wall_ms);
