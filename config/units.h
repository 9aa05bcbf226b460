/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Units: which spellings name the same unit, and how a figure is carried from one to another.
 *
 * Powers of ten are applied to the decimal digits, so that 50 mg/L is 50000 µg/L exactly; whatever
 * needs a multiplication (m³/h and L/s, °F, ppm) is kept to 12 significant digits and says so.
 * A reading is never converted: limits are brought to the monitor's unit, once, here.
 */
#include <stdbool.h>
#include <stddef.h>

/* What a share by volume needs to become a mass in a volume; 0: not known. */
struct gas {
	double molar_g; /* g/mol */
	double kelvin;  /* of the reference state, at 101.325 kPa */
};

struct conversion {
	int exponent;          /* of ten */
	double factor, offset; /* y = x × factor × 10^exponent + offset */
	bool exact;            /* the exponent is all */
};

/** unit_known() - is it a spelling of a unit of the table */
bool unit_known(const char *unit);
/**
 * unit_conversion() - how a figure in @from becomes one in @to
 * @gas: for ppm and ppb against mg/m³; NULL: not known
 *
 * Two equal texts are the same unit even where the table has none of that name.
 * Return: false where the two measure different things, or one is unknown
 */
bool unit_conversion(const char *from, const char *to, const struct gas *gas,
		     struct conversion *out);
/** conversion_level() - a figure on the scale; conversion_size() - a difference, without offset */
double conversion_level(const struct conversion *conversion, double value);
double conversion_size(const struct conversion *conversion, double value);
/** conversion_times() - conversion_size() of 1 in full, for sums of very many */
double conversion_times(const struct conversion *conversion);
/** digits12() - a computed figure, to 12 significant digits */
double digits12(double value);
/** unit_siblings() - the units that measure the same as @unit, for messages; to be freed; NULL: no
 * memory */
char *unit_siblings(const char *unit);
