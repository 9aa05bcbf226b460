/* SPDX-License-Identifier: Apache-2.0 */
#include "core/minute.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
	DECIMALS_MOST = 9,
	DECIMALS_SHORT = 4, /* of floats: with more the integers take more room than they do */
	TAG_FLOAT = 32,     /* values of 4 bytes */
	TAG_DOUBLE = 64,
};

/* Integers beyond this are no longer each a double of their own. */
#define WHOLE_MOST 9007199254740992.0
/* Of a value: beneath the 12 digits that people read. */
#define EQUAL_SHARE 1e-13

static const double tens[DECIMALS_MOST + 1] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

void minute_add(struct minute *m, double value)
{
	if (!isfinite(value))
		return;
	m->low = m->n == 0 || value < m->low ? value : m->low;
	m->high = m->n == 0 || value > m->high ? value : m->high;
	m->sum = m->n == 0 ? value : m->sum + value;
	m->n++;
}

bool minutes_any(const struct minute hour[static HOUR_MINUTES])
{
	for (size_t i = 0; i < HOUR_MINUTES; i++)
		if (hour[i].n > 0)
			return true;
	return false;
}

/* --- which form --- */

static bool is_whole(double value, int decimals)
{
	double scaled = value * tens[decimals], whole = round(scaled);

	return fabs(scaled - whole) <= EQUAL_SHARE * fabs(scaled) && fabs(whole) < WHOLE_MOST;
}

static bool minute_whole(const struct minute *m, int decimals)
{
	return is_whole(m->low, decimals) && is_whole(m->high, decimals) &&
	       fabs(m->sum) * tens[decimals] < WHOLE_MOST &&
	       fabs(m->low) * tens[decimals] * m->n < WHOLE_MOST;
}

static bool hour_whole(const struct minute *hour, int decimals)
{
	for (size_t i = 0; i < HOUR_MINUTES; i++)
		if (hour[i].n > 0 && !minute_whole(&hour[i], decimals))
			return false;
	return true;
}

static bool is_float(double value)
{
	return fabs(value) <= (double)FLT_MAX && (double)(float)value == value;
}

static bool hour_floats(const struct minute *hour)
{
	for (size_t i = 0; i < HOUR_MINUTES; i++)
		if (hour[i].n > 0 && !(is_float(hour[i].low) && is_float(hour[i].high)))
			return false;
	return true;
}

static int tag_of(const struct minute *hour)
{
	bool floats = hour_floats(hour);

	for (int decimals = 0; decimals <= (floats ? DECIMALS_SHORT : DECIMALS_MOST); decimals++)
		if (hour_whole(hour, decimals))
			return decimals;
	return floats ? TAG_FLOAT : TAG_DOUBLE;
}

/* --- bytes --- */

struct bytes {
	uint8_t *out;
	const uint8_t *in, *end;
	bool bad; /* fewer than were asked for */
};

static void put_number(struct bytes *b, uint64_t number)
{
	for (; number >= 0x80; number >>= 7)
		*b->out++ = (uint8_t)(number | 0x80);
	*b->out++ = (uint8_t)number;
}

static uint64_t get_number(struct bytes *b)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < 64 && b->in < b->end; shift += 7) {
		uint8_t byte = *b->in++;
		number |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return number;
	}
	b->bad = true;
	return 0;
}

/* Small numbers of either sign are small. */
static void put_step(struct bytes *b, int64_t step)
{
	put_number(b, ((uint64_t)step << 1) ^ (uint64_t)(step >> 63));
}

static int64_t get_step(struct bytes *b)
{
	uint64_t number = get_number(b);

	return (int64_t)(number >> 1) ^ -(int64_t)(number & 1);
}

static void put_fixed(struct bytes *b, uint64_t bits, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*b->out++ = (uint8_t)(bits >> (8 * i));
}

static uint64_t get_fixed(struct bytes *b, size_t n)
{
	uint64_t bits = 0;

	b->bad |= (size_t)(b->end - b->in) < n;
	for (size_t i = 0; i < n && !b->bad; i++)
		bits |= (uint64_t)*b->in++ << (8 * i);
	return bits;
}

static void put_value(struct bytes *b, int tag, double value)
{
	float narrow = (float)value;
	uint32_t narrow_bits;
	uint64_t bits;

	memcpy(&narrow_bits, &narrow, sizeof narrow_bits);
	memcpy(&bits, &value, sizeof bits);
	put_fixed(b, tag == TAG_FLOAT ? narrow_bits : bits, tag == TAG_FLOAT ? 4 : 8);
}

static double get_value(struct bytes *b, int tag)
{
	uint64_t bits = get_fixed(b, tag == TAG_FLOAT ? 4 : 8);
	uint32_t narrow_bits = (uint32_t)bits;
	float narrow;
	double value;

	memcpy(&narrow, &narrow_bits, sizeof narrow);
	memcpy(&value, &bits, sizeof value);
	value = tag == TAG_FLOAT ? (double)narrow : value;
	b->bad |= !isfinite(value);
	return value;
}

/* --- a minute --- */

static void put_whole(struct bytes *b, const struct minute *m, double times, int64_t *before)
{
	int64_t low = llround(m->low * times), high = llround(m->high * times),
		above = llround(m->sum * times) - low * (int64_t)m->n;

	put_step(b, low - *before);
	*before = low;
	if (m->n > 1)
		put_number(b, (uint64_t)(high - low));
	if (high > low)
		put_step(b, above);
}

static void get_whole(struct bytes *b, struct minute *m, double times, int64_t *before)
{
	double low = (double)*before + (double)get_step(b),
	       high = low + (m->n > 1 ? (double)get_number(b) : 0),
	       above = high > low ? (double)get_step(b) : 0;

	b->bad |= fabs(low) >= WHOLE_MOST || high >= WHOLE_MOST;
	*before = b->bad ? 0 : (int64_t)low;
	m->low = low / times;
	m->high = high / times;
	m->sum = (low * m->n + above) / times;
}

/* Of values at the end of what a double can say, the sum is beyond it. */
static double mean_of(const struct minute *m)
{
	return isfinite(m->sum) ? m->sum / m->n : m->high;
}

static void put_plain(struct bytes *b, const struct minute *m, int tag)
{
	put_value(b, tag, m->low);
	if (m->n > 1)
		put_value(b, tag, m->high);
	if (m->high > m->low)
		put_value(b, tag, mean_of(m));
}

static void get_plain(struct bytes *b, struct minute *m, int tag)
{
	m->low = get_value(b, tag);
	m->high = m->n > 1 ? get_value(b, tag) : m->low;
	m->sum = (m->high > m->low ? get_value(b, tag) : m->low) * m->n;
}

/* --- an hour --- */

size_t minutes_pack(const struct minute hour[static HOUR_MINUTES],
		    uint8_t out[static MINUTES_PACKED_MOST])
{
	int tag = tag_of(hour);
	struct bytes b = {.out = out};
	uint64_t has = 0;
	int64_t before = 0;

	for (size_t i = 0; i < HOUR_MINUTES; i++)
		has |= (uint64_t)(hour[i].n > 0) << i;
	*b.out++ = (uint8_t)tag;
	put_fixed(&b, has, 8);
	for (size_t i = 0; i < HOUR_MINUTES; i++) {
		if (hour[i].n == 0)
			continue;
		put_number(&b, hour[i].n);
		if (tag <= DECIMALS_MOST)
			put_whole(&b, &hour[i], tens[tag], &before);
		else
			put_plain(&b, &hour[i], tag);
	}
	return (size_t)(b.out - out);
}

static void get_minute(struct bytes *b, struct minute *m, int tag, int64_t *before)
{
	uint64_t n = get_number(b);

	b->bad |= n == 0 || n > UINT32_MAX;
	m->n = (uint32_t)n;
	if (tag <= DECIMALS_MOST)
		get_whole(b, m, tens[tag], before);
	else
		get_plain(b, m, tag);
}

bool minutes_unpack(struct minute hour[static HOUR_MINUTES], const uint8_t *data, size_t size)
{
	struct bytes b = {.in = data, .end = data + size};
	int tag = (int)get_fixed(&b, 1);
	uint64_t has = get_fixed(&b, 8);
	int64_t before = 0;

	memset(hour, 0, HOUR_MINUTES * sizeof *hour);
	b.bad |= (tag > DECIMALS_MOST && tag != TAG_FLOAT && tag != TAG_DOUBLE) ||
		 has >> HOUR_MINUTES != 0;
	for (size_t i = 0; i < HOUR_MINUTES && !b.bad; i++)
		if (has >> i & 1)
			get_minute(&b, &hour[i], tag, &before);
	if (b.bad || b.in != b.end)
		memset(hour, 0, HOUR_MINUTES * sizeof *hour);
	return !b.bad && b.in == b.end;
}
