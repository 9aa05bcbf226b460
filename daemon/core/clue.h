/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Clues: signs of trouble, or of somebody's hand, that several results or several monitors show
 * together and no single value does. Each is an alert of kind `clue` with its reason; what it means
 * a person finds out on the spot.
 *
 * The rules of a monitor, part of the plan. A count of 0 switches a clue off. Sources: the signs
 * that auditors of online monitors look for (HJ 356-2019 5.4, the provisions on falsified data of
 * 2015, office practice); their figures are practice, not law.
 */
#include "core/plan.h"

enum clue {
	CLUE_CLIPPED,   /* results in a row at the very top of the measuring range */
	CLUE_WEAK_FLAT, /* results that hardly differ */
	CLUE_REPEATING, /* a pattern of different results that comes again */
	CLUE_FLAGGED,   /* set aside for long by M, C, F or S, while something is discharged */
	CLUE_SHUT,      /* results that change while nothing is discharged */
	CLUE_SHUT_OVER, /* results beyond a limit for long, while nothing is discharged */
	CLUE_SETTLED,   /* the first results after stops lie beyond a limit time and again */
	CLUE_ALIKE,     /* the same course as at another site */
	CLUES
};

/* Two factors that contradict each other: this monitor's value is above what the other's allows. */
enum contradiction_kind {
	CONTRADICTION_ABOVE,     /* above `times` the other's */
	CONTRADICTION_SATURATION /* above `times` the saturation of oxygen at the other's °C */
};
struct contradiction {
	const char *reason; /* "ammonia_over_total_nitrogen" */
	uint32_t other;     /* monitor of the same site */
	enum contradiction_kind kind;
	double times; /* with the units brought together */
	struct rule_place place;
};
enum { CONTRADICTIONS_MOST = 4 }; /* of one monitor */

/* A quarter of an hour, less what clocks are off: results so far apart make a course. */
enum { COURSE_APART_MS = 840000 };

struct clue_rules {
	uint32_t clipped_count, weak_flat_count, repeating_count, shut_count, alike_count;
	double weak_flat_share, shut_share, clipped_from; /* clipped_from: in the monitor's unit */
	int64_t flagged_after_ms, shut_after_ms;          /* 0: off */
	int64_t apart_ms; /* a nearer result begins the course anew; 0: all count */
	int64_t hold_ms;  /* how long clipped and contradictions hold before they are said */
	uint32_t contradicts_count;
	int64_t within_ms; /* how old the other's result may be */
	const struct contradiction *contradictions;
	size_t n_contradictions;
	uint32_t next_alike; /* monitor of the same factor to compare with, in a circle; itself:
				none */
	const char *alike;   /* reason where another monitor is like this one: "alike SITE" */
};

/** oxygen_saturation() - mg/L of dissolved oxygen in fresh water at a temperature, °C, at sea level
 * (HJ 2.3-2018, appendix D: 468 / (31.6 + T)) */
double oxygen_saturation(double celsius);
/** air_pressure_share() - of that at sea level, at an altitude in metres (ISO 2533, troposphere) */
double air_pressure_share(double altitude_m);
