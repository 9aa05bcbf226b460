/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Section: the class of surface water (GB 3838-2002, table 1), by the worst single factor.
 *
 * Temperature, total nitrogen and faecal coliforms do not count (surface water assessment rules,
 * 环办〔2011〕22号); the bounds of a class are in the plan, brought to the monitor's unit. A value
 * that equals a bound still has its class.
 */
#include "core/plan.h"

/* A value speaks of the present for a day: analysers measure every four hours (HJ 915-2017). */
#define SECTION_FRESH_MS INT64_C(86400000)

enum { SECTION_UNKNOWN = 0, SECTION_INFERIOR = SECTION_CLASSES + 1 }; /* 1 is class I; 劣Ⅴ */

struct section_class {
	int class;        /* SECTION_UNKNOWN: no factor has a value */
	uint32_t monitor; /* the worst; NO_INDEX */
	double ratio;     /* of its value to the bound, to tell two of one class apart */
};

/** section_class_of() - Return: 1 to 5, SECTION_INFERIOR. */
int section_class_of(const struct class_bounds *bounds, double value);
/** section_begin(), section_take() - one value after another, in any order; a monitor without
 * bounds changes nothing */
void section_begin(struct section_class *section);
void section_take(struct section_class *section, const struct plan *plan, uint32_t monitor,
		  double value);
/** section_counts() - does a monitor decide the class of its site? */
bool section_counts(const struct plan *plan, uint32_t monitor);
/** section_is() - does a site have a class? */
bool section_is(const struct plan *plan, uint32_t site);
/** section_name() - "I" … "V", "inferior V"; NULL: unknown */
const char *section_name(int class);

/**
 * section_below() - by how many classes a factor's value lies below its site's target
 * @class: out: of the value; SECTION_UNKNOWN where the factor has none
 * @beyond: out: inferior to V, and above @inferior_times its bound
 * Return: 0 or less where it meets the target, or there is none.
 */
int section_below(const struct plan *plan, uint32_t monitor, double value, double inferior_times,
		  int *class, bool *beyond);
