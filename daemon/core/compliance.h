/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Compliance: does a day that is over count towards striking off a case?
 *
 * By the record alone, which is what was measured on that day, whenever it came in and whoever was
 * watching: an alert is raised only by a daemon that runs and by a reading that is in time, so that
 * there was none says nothing of a day of which there are no data. A day that says nothing does not
 * count, and an exceedance breaks the row of those that do. Pure; the day is an argument.
 */
#include "core/tally.h"

enum day_state {
	DAY_COMPLIES,
	DAY_IDLE,    /* nothing was discharged: it says nothing */
	DAY_SHORT,   /* too little valid data */
	DAY_NOTHING, /* nothing was recorded */
	DAY_PENDING, /* not added up yet */
	DAY_UNKNOWN, /* of a monitor that is no longer configured */
	DAY_EXCEEDS,
	DAY_STATES
};
/** day_state_name(), day_state_text() - "too_little"; in words */
const char *day_state_name(enum day_state state);
const char *day_state_text(enum day_state state);

struct day_record {
	struct span span;
	struct tally_count count;
	uint32_t shut; /* hours of the day in which nothing was discharged, by bits as in count */
	bool late;     /* it exceeds by its readings in the order of their times, some of which came
			* late and raised nothing */
};

/* Of what a day has so much, and needs: readings, or hours with one where nobody has said how many
 * readings are due, or the site does not always discharge. */
struct day_share {
	bool hours;
	double valid, needed, due;
};

/** monitor_due() - readings due in a time; 0: not known */
double monitor_due(const struct monitor *monitor, double length_ms);
/**
 * compliance_day() - what a day says
 *
 * Enough is the largest min_valid of the monitor's limits (0.75 where it has none). It exceeds
 * where its plain mean violates a limit of day means, or a valid reading one of instant values that
 * waits for nothing, or with what came late; for all other limits the alerts speak, which the
 * caller knows.
 * @share: out
 */
enum day_state compliance_day(const struct monitor *monitor, const struct day_record *day,
			      struct day_share *share);
/** hour_of_day() - the bit of the hour of a day that holds a moment, from its start */
uint32_t hour_of_day(struct span day, int64_t wall_ms);
/** flow_shut() - has so much volume, m³, in an hour that was covered so long flowed below the
 * site's gate? */
bool flow_shut(const struct site *site, const struct monitor *flow, const struct tally_sum *hour);
