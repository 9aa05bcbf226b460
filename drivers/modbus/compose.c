/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/modbus/compose.h"

#include "core/zone.h"

#include <math.h>

enum {
	CIVIL_REGISTERS = 6,
	POWER_MOST = 22, /* 10^22 is the largest power of ten that a double holds exactly */
	CLOCK_SET_FROM_YEAR = 2001,
	CENTURY = 2000,
};

struct modbus_place modbus_place(const struct modbus_point *point, size_t i, uint16_t *width)
{
	struct modbus_place place = i == 0 ? modbus_place_of(point) : point->more->extras[i - 1].at;
	bool is_civil = i > 0 && point->more->extras[i - 1].role == MODBUS_TIME &&
			point->more->extras[i - 1].clock == MODBUS_CIVIL;
	*width = is_civil ? CIVIL_REGISTERS : modbus_width(place.table, place.type);
	return place;
}

void modbus_gather(const struct modbus_point *point, const struct modbus_request *request,
		   const struct modbus_reply *reply, struct modbus_words *words)
{
	for (size_t i = 0; i < modbus_places(point); i++) {
		uint16_t width;
		struct modbus_place place = modbus_place(point, i, &width);
		if (modbus_take(place.table, place.address, width, request, reply, words->at[i]))
			words->have |= (uint16_t)(1U << i);
	}
}

/* --- the number --- */

static bool is_invalid(const struct modbus_point *point, double number)
{
	for (size_t i = 0; i < point->more->n_invalid; i++) {
		double invalid = point->more->invalid[i];
		if (point->type == MODBUS_FLOAT32 && !modbus_is_bits(point->table))
			invalid = (double)(float)invalid;
		if (number == invalid)
			return true;
	}
	return false;
}

/* Divided by, where it is negative: 1234 and two decimals are 12.34, and not 1234 * 0.01. */
static bool shift(double *number, double power)
{
	static const double tens[POWER_MOST + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
						    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
						    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	if (!(power >= -POWER_MOST && power <= POWER_MOST) || power != (double)(int)power)
		return false;
	if (power < 0)
		*number /= tens[-(int)power];
	else
		*number *= tens[(int)power];
	return true;
}

static const struct modbus_meaning *meaning_of(const struct modbus_extra *extra, double number)
{
	int64_t code = number > -9e15 && number < 9e15 ? (int64_t)number : INT64_MIN;
	if (extra->mask != 0)
		code &= extra->mask;
	for (size_t i = 0; i < extra->n_meanings; i++) {
		const struct modbus_meaning *m = &extra->meanings[i];
		if (m->bits != 0 ? (code & m->bits) != 0 : code == m->value)
			return m;
	}
	return NULL;
}

static bool number_apply(double *number, const struct modbus_extra *extra, const uint8_t *bytes)
{
	double other;
	uint64_t raw;
	if (extra->role == MODBUS_STATUS || extra->role == MODBUS_TIME)
		return true;
	if (!modbus_number(&extra->at, bytes, &other, &raw))
		return false;
	if (extra->role == MODBUS_EXPONENT)
		return shift(number, extra->sign * other + extra->bias);
	if (extra->role == MODBUS_PLUS) {
		*number += other * extra->times;
		return true;
	}
	const struct modbus_meaning *m = meaning_of(extra, other);
	if (m != NULL)
		*number *= m->factor;
	return m != NULL;
}

/* Sums come before factors, in whatever order they stand. */
static bool number_compose(const struct modbus_point *point, const struct modbus_words *words,
			   double *number)
{
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < point->more->n_extras; i++) {
			const struct modbus_extra *extra = &point->more->extras[i];
			if ((extra->role == MODBUS_PLUS) == (pass == 0) &&
			    !number_apply(number, extra, words->at[i + 1]))
				return false;
		}
	*number = *number * point->scale + point->offset;
	return isfinite(*number);
}

/* --- flag --- */

static void flag_apply(struct modbus_result *out, const struct modbus_extra *extra,
		       const uint8_t *bytes)
{
	double number;
	uint64_t raw;
	const struct modbus_meaning *m = &extra->otherwise;
	if (modbus_number(&extra->at, bytes, &number, &raw)) {
		const struct modbus_meaning *fits = meaning_of(extra, number);
		m = fits != NULL ? fits : m;
	}
	if (out->flag == FLAG_NORMAL)
		out->flag = (enum flag)m->flag;
	if (m->no_value)
		out->has_value = false;
}

/* --- time --- */

static bool civil_time(const struct modbus_extra *extra, const uint8_t *bytes, struct civil *civil)
{
	double at[CIVIL_REGISTERS];
	uint64_t raw;
	for (size_t i = 0; i < CIVIL_REGISTERS; i++)
		if (!modbus_number(&extra->at, bytes + 2 * i, &at[i], &raw))
			return false;
	*civil = (struct civil){.year = (int64_t)at[0] + (at[0] < 100 ? CENTURY : 0),
				.month = (int)at[1],
				.day = (int)at[2],
				.hour = (int)at[3],
				.minute = (int)at[4],
				.second = (int)at[5]};
	return civil_valid(civil);
}

static bool epoch_time(const struct modbus_extra *extra, const uint8_t *bytes, struct civil *civil,
		       int *millisecond)
{
	double number;
	uint64_t raw;
	if (!modbus_number(&extra->at, bytes, &number, &raw) || number < 0 || number > 2.5e14)
		return false;
	int64_t ms = (int64_t)(number < 1e11 ? number * 1000 : number);
	*civil = zone_civil(NULL, ms);
	*millisecond = (int)(ms % 1000);
	return civil_valid(civil);
}

static void time_apply(struct modbus_result *out, const struct modbus_extra *extra,
		       const uint8_t *bytes, const struct zone *zone)
{
	struct civil civil;
	int millisecond = 0;
	bool is_time = extra->clock == MODBUS_CIVIL
			       ? civil_time(extra, bytes, &civil)
			       : epoch_time(extra, bytes, &civil, &millisecond);
	out->has_time = is_time && civil.year >= CLOCK_SET_FROM_YEAR;
	if (out->has_time)
		out->measured_ms = zone_wall_ms(extra->is_utc ? NULL : zone, &civil, millisecond);
}

struct modbus_result modbus_compose(const struct modbus_point *point,
				    const struct modbus_words *words, const struct zone *zone)
{
	struct modbus_result out = {.flag = FLAG_NORMAL};
	struct modbus_place place = modbus_place_of(point);
	double number;
	out.has_value = modbus_number(&place, words->at[0], &number, &out.raw) &&
			!is_invalid(point, number) && number_compose(point, words, &number);
	for (size_t i = 0; i < point->more->n_extras; i++) {
		const struct modbus_extra *extra = &point->more->extras[i];
		if (extra->role == MODBUS_STATUS)
			flag_apply(&out, extra, words->at[i + 1]);
		else if (extra->role == MODBUS_TIME)
			time_apply(&out, extra, words->at[i + 1], zone);
	}
	out.value = out.has_value ? number : 0;
	if (!out.has_value && out.flag == FLAG_NORMAL)
		out.flag = FLAG_FAULT;
	return out;
}
