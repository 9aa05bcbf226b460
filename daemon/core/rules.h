/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Rules: all that is in force for a site and its monitors, each with its figure and where it comes
 * from, for people who ask why something rings, or does not.
 *
 * Pure: the plan holds everything. A figure is as the configuration would say it: seconds, the
 * monitor's unit, a word.
 */
#include "core/plan.h"
#include "core/text.h"

/* Rules that have a place, in the plan's arrays. */
enum monitor_rule {
	RULE_RANGE,
	RULE_STALE,
	RULE_FLAT_AFTER,
	RULE_FLAT_COUNT,
	RULE_FLAT_BAND,
	RULE_DETECTION,
	RULE_STEP,
	RULE_STEP_HOUR,
	RULE_STEP_TIMES,
	RULE_STEP_SHARE,
	RULE_CYCLE,
	RULE_EXPECTED,
	RULE_SETTLE,
	RULE_GATED,
	RULE_PERMIT,
	RULE_PERMIT_WARN,
	RULE_LIVE_ZERO,
	RULE_UNDER_RANGE,
	RULE_MOST,
	RULE_CODES,
	RULE_LATE,
	RULE_OWN_CODES,
	RULE_BESIDE,
	RULE_UNIT,
	RULE_FILLS,
	RULE_LOW,
	MONITOR_RULES
};
enum limit_rule {
	RULE_BOUNDS,
	RULE_AVERAGE,
	RULE_ON_DELAY,
	RULE_OFF_DELAY,
	RULE_DEADBAND,
	RULE_ON_COUNT,
	RULE_OFF_COUNT,
	RULE_WARN_AT,
	RULE_OPENS,
	RULE_COMPARE,
	RULE_WEIGHT,
	RULE_MEAN_OF,
	RULE_GRACE,
	RULE_MIN_VALID,
	RULE_MARK_UNTIL,
	RULE_DECIMALS,
	LIMIT_RULES
};
enum site_rule {
	RULE_PRACTICE,
	RULE_SITE_OPENS,
	RULE_FLOW_GATE,
	RULE_FLOW_WAIT,
	RULE_TARGET_CLASS,
	RULE_JOIN,
	RULE_CLUES, /* the keys of the group `clues`, from here on */
	RULE_CLIPPED_COUNT = RULE_CLUES,
	RULE_CLIPPED_SHARE,
	RULE_WEAK_FLAT_COUNT,
	RULE_WEAK_FLAT_SHARE,
	RULE_REPEATING_COUNT,
	RULE_ALIKE_COUNT,
	RULE_SHUT_COUNT,
	RULE_SHUT_SHARE,
	RULE_SHUT_AFTER,
	RULE_FLAGGED_AFTER,
	RULE_CONTRADICTS_COUNT,
	RULE_WITHIN,
	RULE_HOLD,
	RULE_ALTITUDE,
	SITE_RULES
};

struct rule {
	const char *factor; /* NULL: of the site */
	const char *limit;  /* its key, such as "day:max=50"; NULL: of the monitor or site */
	const char *name;   /* as the configuration has it */
	const char *text;   /* its figure as a word; NULL: a number */
	double number;
	struct rule_place place;
	const char *source; /* of a bound; NULL */
};

typedef void (*rule_fn)(void *context, const struct rule *rule);
/** rules_each() - calls @fn for each rule in force at a site; texts last for the call */
void rules_each(const struct plan *plan, uint32_t site, rule_fn fn, void *context);
/** rule_value() - its figure as text, at most 12 digits */
void rule_value(struct text *out, const struct rule *rule);
/** rule_from() - where it comes from, as "FILE:12 (practice office)" or "built-in" */
void rule_from(struct text *out, const struct plan *plan, const struct rule *rule);
const char *whence_name(enum whence whence); /* "practice" */
