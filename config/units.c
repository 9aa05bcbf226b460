/* SPDX-License-Identifier: Apache-2.0 */
#include "config/units.h"
#include "config/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MOLAR_GAS_CONSTANT 8.31446261815324 /* J/(mol K), CODATA 2018 */
#define STANDARD_PRESSURE_KPA 101.325

enum measure {
	NOTHING, /* pH: a number by itself */
	MASS_IN_VOLUME,
	SHARE,
	FLOW,
	CONDUCTIVITY,
	TEMPERATURE,
	PRESSURE,
	SPEED,
	COUNT_IN_VOLUME,
	SOUND,
	TURBIDITY,
	COLOUR,
	DILUTION,
	ANGLE,
	ACTIVITY,
	LENGTH,
	VOLUME,
	MASS,
	POTENTIAL
};

/* In the measure's base unit a figure x is x × times ÷ per × 10^exponent + offset. */
struct unit {
	const char *name; /* as spelling() makes it; the first of its size is the one to show */
	enum measure measure;
	int exponent;
	double times, per, offset;
};

#define TEN(name, measure, exponent)                                                               \
	{                                                                                          \
		name, measure, exponent, 1, 1, 0                                                   \
	}
static const struct unit units[] = {
	TEN("", NOTHING, 0),
	TEN("-", NOTHING, 0),
	TEN("pH", NOTHING, 0),
	TEN("无量纲", NOTHING, 0),
	TEN("mg/L", MASS_IN_VOLUME, 0),
	TEN("ug/L", MASS_IN_VOLUME, -3),
	TEN("ng/L", MASS_IN_VOLUME, -6),
	TEN("g/L", MASS_IN_VOLUME, 3),
	TEN("mg/m3", MASS_IN_VOLUME, -3),
	TEN("ug/m3", MASS_IN_VOLUME, -6),
	TEN("ng/m3", MASS_IN_VOLUME, -9),
	TEN("g/m3", MASS_IN_VOLUME, 0),
	TEN("kg/m3", MASS_IN_VOLUME, 3),
	TEN("毫克/升", MASS_IN_VOLUME, 0),
	TEN("微克/升", MASS_IN_VOLUME, -3),
	TEN("毫克/立方米", MASS_IN_VOLUME, -3),
	TEN("微克/立方米", MASS_IN_VOLUME, -6),
	TEN("%", SHARE, -2),
	TEN("ppm", SHARE, -6),
	TEN("ppb", SHARE, -9),
	TEN("umol/mol", SHARE, -6),
	TEN("nmol/mol", SHARE, -9),
	TEN("m3/s", FLOW, 0),
	TEN("L/s", FLOW, -3),
	{"m3/h", FLOW, 0, 1, 3600, 0},
	{"m3/d", FLOW, 0, 1, 86400, 0},
	{"m3/min", FLOW, 0, 1, 60, 0},
	{"L/min", FLOW, -3, 1, 60, 0},
	{"L/h", FLOW, -3, 1, 3600, 0},
	TEN("立方米/秒", FLOW, 0),
	TEN("升/秒", FLOW, -3),
	{"立方米/小时", FLOW, 0, 1, 3600, 0},
	{"立方米/日", FLOW, 0, 1, 86400, 0},
	TEN("uS/cm", CONDUCTIVITY, 0),
	TEN("mS/cm", CONDUCTIVITY, 3),
	TEN("mS/m", CONDUCTIVITY, 1),
	TEN("S/m", CONDUCTIVITY, 4),
	TEN("°C", TEMPERATURE, 0),
	{"K", TEMPERATURE, 0, 1, 1, -273.15},
	{"°F", TEMPERATURE, 0, 5, 9, -160.0 / 9},
	TEN("degC", TEMPERATURE, 0),
	{"degF", TEMPERATURE, 0, 5, 9, -160.0 / 9},
	TEN("Pa", PRESSURE, 0),
	TEN("hPa", PRESSURE, 2),
	TEN("kPa", PRESSURE, 3),
	TEN("mbar", PRESSURE, 2),
	TEN("bar", PRESSURE, 5),
	{"mmHg", PRESSURE, 0, 133.322387415, 1, 0},
	TEN("m/s", SPEED, 0),
	TEN("cm/s", SPEED, -2),
	{"km/h", SPEED, 3, 1, 3600, 0},
	TEN("个/L", COUNT_IN_VOLUME, 0),
	TEN("个/mL", COUNT_IN_VOLUME, 3),
	TEN("个/100mL", COUNT_IN_VOLUME, 1),
	TEN("/L", COUNT_IN_VOLUME, 0),
	TEN("1/L", COUNT_IN_VOLUME, 0),
	TEN("MPN/L", COUNT_IN_VOLUME, 0),
	TEN("MPN/100mL", COUNT_IN_VOLUME, 1),
	TEN("CFU/L", COUNT_IN_VOLUME, 0),
	TEN("CFU/100mL", COUNT_IN_VOLUME, 1),
	TEN("cells/L", COUNT_IN_VOLUME, 0),
	TEN("cells/mL", COUNT_IN_VOLUME, 3),
	TEN("dB", SOUND, 0),
	TEN("dB(A)", SOUND, 0),
	TEN("dBA", SOUND, 0),
	TEN("NTU", TURBIDITY, 0),
	TEN("FNU", TURBIDITY, 0),
	TEN("FTU", TURBIDITY, 0),
	TEN("度", COLOUR, 0),
	TEN("degree", COLOUR, 0),
	TEN("Pt-Co", COLOUR, 0),
	TEN("倍", DILUTION, 0),
	TEN("times", DILUTION, 0),
	TEN("°", ANGLE, 0),
	TEN("deg", ANGLE, 0),
	TEN("Bq/L", ACTIVITY, 0),
	TEN("mBq/L", ACTIVITY, -3),
	TEN("m", LENGTH, 0),
	TEN("cm", LENGTH, -2),
	TEN("mm", LENGTH, -3),
	TEN("m3", VOLUME, 0),
	TEN("L", VOLUME, -3),
	TEN("kg", MASS, 0),
	TEN("g", MASS, -3),
	TEN("mg", MASS, -6),
	TEN("t", MASS, 3),
	TEN("V", POTENTIAL, 0),
	TEN("mV", POTENTIAL, -3),
};
#undef TEN

enum { SPELLING_BYTES = 128 };

/* One letter for each of the ways to write it: "µg/l", "㎍ / L" and "ug/L" are one unit. */
static void spelling(const char *text, char out[SPELLING_BYTES])
{
	static const struct {
		const char *from, *to;
	} signs[] = {{"\xc2\xb5", "u"}, {"\xce\xbc", "u"}, {"³", "3"},   {"^3", "3"},
		     {"㎎", "mg"},      {"㎍", "ug"},      {"㎏", "kg"}, {"㎥", "m3"},
		     {"ℓ", "L"},        {"℃", "°C"},       {"℉", "°F"},  {"㎩", "Pa"},
		     {"㎪", "kPa"},     {"㎜", "mm"},      {"㎝", "cm"}, {"／", "/"},
		     {" ", ""}};
	size_t n = 0;
	while (*text && n + 4 < SPELLING_BYTES) {
		size_t i = 0;
		while (i < COUNT(signs) && strncmp(text, signs[i].from, strlen(signs[i].from)) != 0)
			i++;
		if (i == COUNT(signs)) {
			out[n++] = *text++;
			continue;
		}
		memcpy(out + n, signs[i].to, strlen(signs[i].to));
		n += strlen(signs[i].to);
		text += strlen(signs[i].from);
	}
	out[n] = '\0';
}

/* Capitals do not count: no two units of the table differ by them alone. */
static const struct unit *find_unit(const char *text)
{
	char name[SPELLING_BYTES];
	spelling(text, name);
	for (size_t i = 0; i < COUNT(units); i++)
		if (strcasecmp(units[i].name, name) == 0)
			return &units[i];
	return NULL;
}

bool unit_known(const char *unit)
{
	return find_unit(unit) != NULL;
}

/* A share becomes mg/L: x mol/mol × M g/mol ÷ V L/mol is x × M ÷ V × 1000 mg/L. */
static double mass_of_share(const struct gas *gas)
{
	if (!gas || gas->molar_g <= 0 || gas->kelvin <= 0)
		return 0;
	return gas->molar_g * STANDARD_PRESSURE_KPA / (MOLAR_GAS_CONSTANT * gas->kelvin);
}

static bool between_gas(const struct unit *from, const struct unit *to, const struct gas *gas,
			struct conversion *out)
{
	double mass = mass_of_share(gas);
	bool forth = from->measure == SHARE && to->measure == MASS_IN_VOLUME;
	bool back = from->measure == MASS_IN_VOLUME && to->measure == SHARE;
	if (mass == 0 || (!forth && !back))
		return false;
	*out = (struct conversion){.exponent = from->exponent - to->exponent + (forth ? 3 : -3),
				   .factor = forth ? mass : 1 / mass};
	return true;
}

bool unit_conversion(const char *from, const char *to, const struct gas *gas,
		     struct conversion *out)
{
	*out = (struct conversion){.factor = 1, .exact = true};
	if (strcmp(from, to) == 0)
		return true;
	const struct unit *a = find_unit(from), *b = find_unit(to);
	if (!a || !b)
		return false;
	if (a->measure != b->measure)
		return between_gas(a, b, gas, out);
	double times = a->times * b->per, per = a->per * b->times;
	out->exponent = a->exponent - b->exponent;
	out->factor = times / per;
	out->offset = (a->offset - b->offset) * b->per / b->times;
	out->exact = times == per && a->offset == b->offset;
	return true;
}

/* The digits stay, the point moves: what strtod() makes of them is the nearest there is. */
static double shifted(double value, int exponent)
{
	char digits[32], text[48];
	if (exponent == 0)
		return value;
	number_text(value, digits);
	char *e = strchr(digits, 'e');
	int own = e ? atoi(e + 1) : 0;
	if (e)
		*e = '\0';
	snprintf(text, sizeof(text), "%se%d", digits, own + exponent);
	return strtod(text, NULL);
}

double digits12(double value)
{
	char text[32];
	snprintf(text, sizeof(text), "%.12g", value);
	return strtod(text, NULL);
}

double conversion_size(const struct conversion *conversion, double value)
{
	double size = shifted(value, conversion->exponent);
	return conversion->exact ? size : digits12(size * conversion->factor);
}

double conversion_times(const struct conversion *conversion)
{
	return shifted(1, conversion->exponent) * conversion->factor;
}

double conversion_level(const struct conversion *conversion, double value)
{
	double size = shifted(value, conversion->exponent);
	return conversion->exact ? size : digits12(size * conversion->factor + conversion->offset);
}

char *unit_siblings(const char *unit)
{
	const struct unit *own = find_unit(unit);
	const char *names[30];
	size_t n = 0;
	if (!own)
		return listed(&unit, 1);
	for (size_t i = 0; i < COUNT(units) && n < COUNT(names); i++)
		if (units[i].measure == own->measure)
			names[n++] = units[i].name;
	return listed(names, n);
}
