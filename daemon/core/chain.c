/* SPDX-License-Identifier: Apache-2.0 */
#include "core/chain.h"

#include "core/reading.h"

#include <endian.h>
#include <string.h>

static uint8_t *put(uint8_t *out, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		out[i] = (uint8_t)(value >> (8 * i));
	return out + bytes;
}

/* A whole word at once: most of what is hashed passes here. */
static uint8_t *put_u64(uint8_t *out, uint64_t value)
{
	value = htole64(value);
	memcpy(out, &value, sizeof value);
	return out + sizeof value;
}

static uint8_t *put_i64(uint8_t *out, int64_t value)
{
	return put_u64(out, (uint64_t)value);
}

static uint8_t *put_double(uint8_t *out, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof bits);
	return put_u64(out, bits);
}

/* As SQLite keeps a number: a zero has no sign there, and what is none is NULL. */
uint8_t *chain_reading_bytes(uint8_t *out, const struct chain_reading *r)
{
	bool has_value = r->has_value && r->value == r->value;

	*out++ = 'r';
	out = put_i64(out, r->sequence);
	out = put_i64(out, r->boot);
	*out++ = (uint8_t)r->ring;
	out = put_i64(out, r->ring_seq);
	out = put_i64(out, r->monitor);
	out = put_i64(out, r->measured_ms);
	out = put_i64(out, r->received_ms);
	out = put_double(out, has_value && r->value != 0 ? r->value : 0);
	*out++ = has_value ? r->flag : (uint8_t)(r->flag | 0x80);
	return put_u64(out, r->raw);
}

static uint8_t *put_name(uint8_t *out, const char *name, size_t length)
{
	out = put(out, length, 2);
	memcpy(out, name, length);
	return out + length;
}

uint8_t *chain_name_bytes(uint8_t *out, int64_t id, const char *site, const char *factor)
{
	*out++ = 'm';
	out = put_i64(out, id);
	out = put_name(out, site, strnlen(site, 255));
	return put_name(out, factor, strnlen(factor, 255));
}

uint8_t *chain_gap_bytes(uint8_t *out, const struct gap *gap, int64_t monitor)
{
	*out++ = 'g';
	out = put_i64(out, monitor);
	out = put_i64(out, gap->from_ms);
	out = put_i64(out, gap->to_ms);
	return put_u64(out, gap->count);
}

uint8_t *chain_frames_bytes(uint8_t *out, const struct chain_frames *f)
{
	*out++ = 'f';
	out = put_i64(out, f->first);
	out = put_i64(out, f->last);
	memcpy(out, f->digest, CHAIN_HASH_BYTES);
	return out + CHAIN_HASH_BYTES;
}

uint8_t *chain_begin_bytes(uint8_t *out, const struct chain_begin *b)
{
	*out++ = 'a';
	out = put_i64(out, b->seq);
	out = put_i64(out, b->monitors);
	out = put_i64(out, b->gaps);
	return put_name(out, b->name, strnlen(b->name, 255));
}

uint8_t *chain_trailer_bytes(uint8_t *out, const struct chain_trailer *t)
{
	*out++ = 'b';
	out = put_i64(out, t->batch);
	out = put_i64(out, t->first);
	out = put_i64(out, t->last);
	out = put_i64(out, t->monitors);
	out = put_i64(out, t->gaps);
	out = put_i64(out, t->at_ms);
	out = put_i64(out, t->mono_ms);
	return put_i64(out, t->clock_error_us);
}

uint8_t *chain_entry_bytes(uint8_t *out, const struct chain_entry *e)
{
	*out++ = 'e';
	out = put_i64(out, e->number);
	*out++ = e->kind;
	out = put_i64(out, e->ref);
	memcpy(out, e->digest, CHAIN_HASH_BYTES);
	return out + CHAIN_HASH_BYTES;
}

uint8_t *chain_null_bytes(uint8_t *out)
{
	*out++ = 'n';
	return out;
}

uint8_t *chain_int_bytes(uint8_t *out, int64_t value)
{
	*out++ = 'i';
	return put_i64(out, value);
}

uint8_t *chain_double_bytes(uint8_t *out, double value)
{
	*out++ = 'd';
	return put_double(out, value);
}

uint8_t *chain_text_bytes(uint8_t *out, size_t length)
{
	*out++ = 't';
	return put(out, length, 8);
}

int chain_format_of(uint8_t kind)
{
	static const int formats[CHAIN_KINDS] = {
		[CHAIN_CASE] = 1,         [CHAIN_ALERT] = 1,      [CHAIN_HISTORY] = 1,
		[CHAIN_EVENT] = 1,        [CHAIN_SHELF] = 1,      [CHAIN_DIGEST] = 1,
		[CHAIN_DAY] = 1,          [CHAIN_FRAMES] = 2,     [CHAIN_MARK] = 2,
		[CHAIN_CHANGE] = 2,       [CHAIN_INSTRUMENT] = 2, [CHAIN_LEFT] = 3,
		[CHAIN_OPENED] = 4,       [CHAIN_RAISED] = 4,     [CHAIN_CLEARED] = 5,
		[CHAIN_ACKNOWLEDGED] = 5, [CHAIN_SETTLED] = 5,    [CHAIN_COURSE] = 5,
	};
	return kind < CHAIN_KINDS ? formats[kind] : 0;
}

bool chain_is_once(uint8_t kind)
{
	return chain_format_of(kind) != 0 && kind != CHAIN_CASE && kind != CHAIN_ALERT &&
	       kind != CHAIN_SHELF && kind != CHAIN_DIGEST && kind != CHAIN_COURSE;
}

void chain_hex(char *out, const uint8_t *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * n] = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool chain_unhex(uint8_t *out, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(text[2 * i]);
		int low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);
		if (low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}
