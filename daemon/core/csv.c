/* SPDX-License-Identifier: Apache-2.0 */
#include "core/csv.h"

#include "core/text.h"

#include <endian.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FIELDS_MAX = CSV_FIELDS_MAX };

struct field {
	const char *at;
	size_t length;
};

static struct field trimmed(const char *from, const char *to)
{
	while (from < to && (*from == ' ' || *from == '\t'))
		from++;
	while (to > from && (to[-1] == ' ' || to[-1] == '\t' || to[-1] == '\r'))
		to--;
	if (to - from >= 2 && *from == '"' && to[-1] == '"') {
		from++;
		to--;
	}
	return (struct field){from, (size_t)(to - from)};
}

/* Splits at commas outside quotes. Return: the number of fields, -1 if a quote stays open or there
 * are too many. */
static int split_quoted(const char *line, size_t length, struct field *out)
{
	const char *from = line, *end = line + length;
	bool quoted = false;
	int n = 0;
	for (const char *at = line;; at++) {
		if (at < end && *at == '"')
			quoted = !quoted;
		if (at < end && (*at != ',' || quoted))
			continue;
		if (n == FIELDS_MAX)
			return -1;
		out[n++] = trimmed(from, at);
		from = at + 1;
		if (at == end)
			break;
	}
	return quoted ? -1 : n;
}

static bool bare(const char *from, const char *to)
{
	return from<to && * from> ' ' && to[-1] > ' ';
}

/* A line with blanks, or a long one; fields in quotes byte by byte. */
static int split_closely(const char *line, size_t length, struct field *out)
{
	const char *from = line, *end = line + length;
	if (memchr(line, '"', length) != NULL)
		return split_quoted(line, length, out);
	for (int n = 0; n < FIELDS_MAX; n++) {
		const char *comma = memchr(from, ',', (size_t)(end - from));
		const char *to = comma == NULL ? end : comma;
		out[n] = bare(from, to) ? (struct field){from, (size_t)(to - from)}
					: trimmed(from, to);
		if (comma == NULL)
			return n + 1;
		from = comma + 1;
	}
	return -1;
}

#define EACH_BYTE UINT64_C(0x0101010101010101)
#define LOW_BITS (EACH_BYTE * 0x7f)

/* The high bit of each byte that is 0. */
static uint64_t zero_bytes(uint64_t word)
{
	return ~(((word & LOW_BITS) + LOW_BITS) | word | LOW_BITS);
}

/* What a look at LOOK_BYTES bytes of a line finds: a bit for each comma, the first byte's lowest,
 * and whether there is anything that takes a closer look: a quote, a blank, what is no ASCII. */
#ifdef __SSE2__
enum { LOOK_BYTES = 16 };
static uint64_t look(const char *at, bool *closer)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
	__m128i odd = _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(' ' + 1)),
				   _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
	*closer |= _mm_movemask_epi8(odd) != 0;
	return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(',')));
}
#else
enum { LOOK_BYTES = 8 };
static uint64_t look(const char *at, bool *closer)
{
	uint64_t word;
	memcpy(&word, at, sizeof word);
	word = le64toh(word);
	uint64_t low = (word - EACH_BYTE * (' ' + 1)) | word; /* below, or no ASCII */
	*closer |= ((low & (EACH_BYTE << 7)) | zero_bytes(word ^ (EACH_BYTE * '"'))) != 0;
	uint64_t commas = zero_bytes(word ^ (EACH_BYTE * ',')) >> 7;
	return commas * UINT64_C(0x0102040810204080) >> 56;
}
#endif

/* The commas of a line of LOOK_BYTES to 64 bytes, a bit each; the last look lies over the one
 * before it. Return: false if something takes a closer look. */
static bool commas_of(const char *line, size_t length, uint64_t *commas)
{
	uint64_t found = 0;
	bool closer = false;
	for (size_t at = 0; at < length; at += LOOK_BYTES) {
		size_t from = at + LOOK_BYTES <= length ? at : length - LOOK_BYTES;
		found |= look(line + from, &closer) << from;
	}
	*commas = found;
	return !closer;
}

/* The usual line is short, and holds neither quotes nor blanks. */
static int split(const char *line, size_t length, struct field *out)
{
	const char *from = line;
	uint64_t commas;
	int n = 0;
	if (length < LOOK_BYTES || length > 64 || !commas_of(line, length, &commas))
		return split_closely(line, length, out);
	for (; commas != 0 && n < FIELDS_MAX; commas &= commas - 1) {
		const char *comma = line + __builtin_ctzll(commas);
		out[n++] = (struct field){from, (size_t)(comma - from)};
		from = comma + 1;
	}
	if (n == FIELDS_MAX)
		return -1;
	out[n++] = (struct field){from, (size_t)(line + length - from)};
	return n;
}

int csv_split(const char *line, size_t length, struct csv_field out[CSV_FIELDS_MAX])
{
	struct field fields[FIELDS_MAX];
	int n = split(line, length, fields);
	for (int i = 0; i < n; i++)
		out[i] = (struct csv_field){fields[i].at, fields[i].length};
	return n;
}

static bool is(struct field f, const char *word)
{
	return f.length == strlen(word) && strncasecmp(f.at, word, f.length) == 0;
}

bool csv_header(const char *line, size_t length, struct csv_header *out, char *why, size_t why_size)
{
	static const char *const names[CSV_COLUMNS] = {"time", "site", "factor", "value", "flag"};
	struct field fields[FIELDS_MAX];
	if (length >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
		line += 3;
		length -= 3;
	}
	out->n_fields = split(line, length, fields);
	for (int column = 0; column < CSV_COLUMNS; column++) {
		out->place[column] = -1;
		for (int i = 0; i < out->n_fields; i++) {
			if (!is(fields[i], names[column]))
				continue;
			if (out->place[column] >= 0) {
				snprintf(why, why_size, "column \"%s\" stands twice",
					 names[column]);
				return false;
			}
			out->place[column] = i;
		}
		if (out->place[column] < 0 && column != CSV_FLAG) {
			snprintf(why, why_size,
				 "the header lacks column \"%s\"; it names "
				 "time,site,factor,value[,flag]",
				 names[column]);
			return false;
		}
	}
	return true;
}

/* The last @length bytes of eight: "12.5" as "0000" and "12.5". */
static uint64_t right_aligned(const char *text, size_t length)
{
	uint32_t head, tail;
	memcpy(&head, text, sizeof head);
	memcpy(&tail, text + length - sizeof tail, sizeof tail);
	uint64_t word = (uint64_t)le32toh(tail) << 32 |
			((uint64_t)le32toh(head) << 32 >> (8 * (length - sizeof tail)));
	uint64_t filled = length == 8 ? 0 : (EACH_BYTE * '0') >> (8 * length);
	return word | filled;
}

/* Eight digits, the first in the lowest byte. */
static uint64_t eight_digits(uint64_t word)
{
	word = (word & (EACH_BYTE * 0x0f)) * 2561 >> 8;
	word = (word & UINT64_C(0x00ff00ff00ff00ff)) * 6553601 >> 16;
	return (word & UINT64_C(0x0000ffff0000ffff)) * UINT64_C(42949672960001) >> 32;
}

/* Is each byte '0' to '9'? */
static bool all_digits(uint64_t word)
{
	return (((word + EACH_BYTE * 0x46) | (word - EACH_BYTE * '0')) & (EACH_BYTE << 7)) == 0;
}

/* The same for 4 to 8 bytes, without a look at each: most values have no more. */
static bool decimal_short(const char *text, size_t length, const double *power, double *out)
{
	if (length < 4 || length > 8)
		return false;
	uint64_t word = right_aligned(text, length);
	uint64_t point = zero_bytes(word ^ (EACH_BYTE * '.'));
	int behind = 0;
	if (point != 0) { /* what stands before it moves up, over it */
		int at = __builtin_ctzll(point) / 8;
		uint64_t below = (UINT64_C(1) << (8 * at)) - 1;
		word = (word & ~((below << 8) | 0xff)) | (word & below) << 8 | '0';
		behind = 7 - at;
	}
	if (!all_digits(word))
		return false;
	*out = (double)eight_digits(word) / power[behind];
	return true;
}

/* Up to 15 digits and a small power of ten: both are exact doubles, so one division is exact too.
 */
static bool decimal_fast(const char *text, size_t length, double *out)
{
	static const double power[] = {1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
				       1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
	const char *at = text, *end = text + length, *point = NULL;
	bool negative = length > 0 && *at == '-';
	uint64_t digits = 0;
	at += negative;
	if (decimal_short(at, (size_t)(end - at), power, out)) {
		*out = negative ? -*out : *out;
		return true;
	}
	if (end - at > 16 || at == end)
		return false;
	for (; at < end; at++) {
		unsigned digit = (unsigned)(*at - '0');
		if (digit <= 9)
			digits = digits * 10 + digit;
		else if (*at == '.' && point == NULL)
			point = at;
		else
			return false;
	}
	ptrdiff_t count = end - text - negative - (point != NULL);
	if (count < 1 || count > 15)
		return false;
	double value = (double)digits;
	if (point != NULL && end - point > 1)
		value /= power[end - point - 1];
	*out = negative ? -value : value;
	return true;
}

/* Apart, as its buffer is cleared at each call. */
__attribute__((noinline)) static bool decimal_slow(const char *text, size_t length, double *out)
{
	char buffer[64], *end;
	if (length == 0 || length >= sizeof buffer)
		return false;
	memcpy(buffer, text, length);
	buffer[length] = '\0';
	if (strspn(buffer, "+-.0123456789eE") < length)
		return false;
	*out = strtod(buffer, &end);
	return end == buffer + length && isfinite(*out);
}

bool decimal_parse(const char *text, size_t length, double *out)
{
	return decimal_fast(text, length, out) || decimal_slow(text, length, out);
}

static bool no_value(struct field f)
{
	return f.length == 0 || is(f, "NA") || is(f, "NaN");
}

static bool refuse(char *why, size_t why_size, const char *what, struct field f)
{
	snprintf(why, why_size, "%s \"%.*s\"", what, (int)(f.length > 60 ? 60 : f.length), f.at);
	return false;
}

static bool read_flag(struct field f, struct csv_row *out, char *why, size_t why_size)
{
	out->flag = FLAG_NORMAL;
	if (f.length == 0)
		return true;
	if (f.length != 1 || !flag_known(f.at[0]))
		return refuse(why, why_size, "unknown flag", f);
	out->flag = (enum flag)f.at[0];
	return true;
}

static bool reads_as(const char *text, size_t length, struct field f)
{
	return length == f.length && length > 0 && memcmp(text, f.at, length) == 0;
}

bool csv_row(const char *line, size_t length, const struct csv_header *header,
	     const struct zone *zone, struct csv_row *out, char *why, size_t why_size)
{
	/* Clearing a kibibyte for each row would cost as much as reading it. */
	__attribute__((uninitialized)) struct field fields[FIELDS_MAX];
	struct field flag = {"", 0};
	int n = split(line, length, fields);
	if (n < 0) {
		snprintf(why, why_size, "a quote is not closed, or more than %d fields",
			 FIELDS_MAX);
		return false;
	}
	bool without_flag = n == header->n_fields - 1 && header->place[CSV_FLAG] == n;
	if (n != header->n_fields && !without_flag) {
		snprintf(why, why_size, "%d fields, the header has %d", n, header->n_fields);
		return false;
	}
	struct field time = fields[header->place[CSV_TIME]],
		     value = fields[header->place[CSV_VALUE]];
	struct field site = fields[header->place[CSV_SITE]],
		     factor = fields[header->place[CSV_FACTOR]];
	if (header->place[CSV_FLAG] >= 0 && !without_flag)
		flag = fields[header->place[CSV_FLAG]];
	if (!reads_as(out->time, out->time_length, time) &&
	    !time_parse(time.at, time.length, zone, &out->time_ms)) {
		out->time_length = 0;
		return refuse(why, why_size, "not a time with seconds:", time);
	}
	out->time = time.at;
	out->time_length = time.length;
	out->site = site.at;
	out->site_length = site.length;
	out->factor = factor.at;
	out->factor_length = factor.length;
	out->value = 0;
	out->has_value = !no_value(value);
	if (out->has_value && !decimal_parse(value.at, value.length, &out->value))
		return refuse(why, why_size, "not a finite number:", value);
	return read_flag(flag, out, why, why_size);
}

/* --- writing --- */

/* A field as RFC 4180 has it. */
static void csv_text(struct text *out, const char *s)
{
	if (strpbrk(s, ",\"\r\n") == NULL) {
		text_add(out, s);
		return;
	}
	text_char(out, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"')
			text_char(out, '"');
		text_char(out, *s);
	}
	text_char(out, '"');
}

void csv_reading(struct text *out, const struct zone *zone, const char *site, const char *factor,
		 const struct reading *reading)
{
	text_time(out, reading->measured_ms, zone, 3);
	text_char(out, ',');
	text_time(out, reading->received_ms, zone, 3);
	text_char(out, ',');
	csv_text(out, site);
	text_char(out, ',');
	csv_text(out, factor);
	text_char(out, ',');
	if (reading->has_value)
		text_double(out, reading->value);
	text_format(out, ",%c\n", (char)reading->flag);
}
