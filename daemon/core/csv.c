/* SPDX-License-Identifier: Apache-2.0 */
#include "core/csv.h"

#include "core/digits.h"
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

/* What a look at LOOK_BYTES bytes of a line finds: a bit for each, the first byte's lowest. */
struct look {
	uint64_t commas, ends; /* ends: line feeds */
	uint64_t closer;       /* what takes a closer look: a quote, a blank, what is no ASCII; and
				* line feeds */
};

#ifdef __SSE2__
enum { LOOK_BYTES = 16 };
static uint64_t bits_of(__m128i bytes)
{
	return (unsigned)_mm_movemask_epi8(bytes);
}

static struct look look(const char *at)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
	__m128i closer = _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(' ' + 1)),
				      _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
	return (struct look){bits_of(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(','))),
			     bits_of(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n'))), bits_of(closer)};
}
#else
enum { LOOK_BYTES = 8 };
static uint64_t bits_of(uint64_t high)
{
	return (high >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

/* Above a byte that takes a closer look, others may seem to: the first one is right. */
static struct look look(const char *at)
{
	uint64_t word = digits_load(at);
	uint64_t low = ((word - EACH_BYTE * (' ' + 1)) | word) & (EACH_BYTE << 7);
	return (struct look){bits_of(zero_bytes(word ^ (EACH_BYTE * ','))),
			     bits_of(zero_bytes(word ^ (EACH_BYTE * '\n'))),
			     bits_of(low | zero_bytes(word ^ (EACH_BYTE * '"')))};
}
#endif

enum { PLAIN_BYTES = 64 }; /* that the commas of a plain line lie in */

/* A plain line, from @from on, where PLAIN_BYTES can be read. */
static bool plain_line(const char *from, struct csv_line *out)
{
	uint64_t commas = 0;
	for (unsigned at = 0; at < PLAIN_BYTES; at += LOOK_BYTES) {
		struct look seen = look(from + at);
		commas |= seen.commas << at;
		if (seen.closer == 0)
			continue;
		unsigned first = (unsigned)__builtin_ctzll(seen.closer);
		size_t length = at + first;
		bool feed = from[length] == '\r' && length + 1 < PLAIN_BYTES &&
			    from[length + 1] == '\n';
		*out = (struct csv_line){.at = from,
					 .length = length,
					 .taken = length + 1 + feed,
					 .commas = commas & ((UINT64_C(1) << length) - 1),
					 .plain = true};
		return feed || (seen.ends >> first & 1) != 0;
	}
	return false;
}

static struct csv_line whole_line(const char *line, size_t length)
{
	char room[PLAIN_BYTES];
	struct csv_line out;
	if (length > 0 && length < PLAIN_BYTES) {
		memset(room + length, '\n', PLAIN_BYTES - length);
		memcpy(room, line, length);
		if (plain_line(room, &out) && out.length == length) {
			out.at = line;
			return out;
		}
	}
	return (struct csv_line){.at = line, .length = length};
}

void csv_line(const char *from, const char *to, struct csv_line *out)
{
	if (to - from >= PLAIN_BYTES && plain_line(from, out))
		return;
	const char *end = memchr(from, '\n', (size_t)(to - from));
	size_t length = (size_t)((end == NULL ? to : end) - from);
	size_t taken = length + (end != NULL);
	while (length > 0 && from[length - 1] == '\r')
		length--;
	*out = whole_line(from, length);
	out->taken = taken;
}

/* The usual line is short, and holds neither quotes nor blanks. */
static int split(const struct csv_line *line, struct field *out)
{
	const char *from = line->at;
	int n = 0;
	if (!line->plain)
		return split_closely(line->at, line->length, out);
	for (uint64_t commas = line->commas; commas != 0; commas &= commas - 1) {
		const char *comma = line->at + __builtin_ctzll(commas);
		out[n++] = (struct field){from, (size_t)(comma - from)};
		from = comma + 1;
	}
	out[n++] = (struct field){from, (size_t)(line->at + line->length - from)};
	return n;
}

int csv_split(const char *line, size_t length, struct csv_field out[CSV_FIELDS_MAX])
{
	struct field fields[FIELDS_MAX];
	const struct csv_line whole = whole_line(line, length);
	int n = split(&whole, fields);
	for (int i = 0; i < n; i++)
		out[i] = (struct csv_field){fields[i].at, fields[i].length};
	return n;
}

static bool is(struct field f, const char *word)
{
	return f.length == strlen(word) && strncasecmp(f.at, word, f.length) == 0;
}

static bool is_usual(const struct csv_header *h)
{
	bool flagged = h->place[CSV_FLAG] >= 0;
	return h->place[CSV_TIME] == 0 && h->place[CSV_SITE] == 1 && h->place[CSV_FACTOR] == 2 &&
	       h->place[CSV_VALUE] == 3 && (!flagged || h->place[CSV_FLAG] == 4) &&
	       h->n_fields == (flagged ? 5 : 4);
}

bool csv_header(const char *line, size_t length, struct csv_header *out, char *why, size_t why_size)
{
	static const char *const names[CSV_COLUMNS] = {"time", "site", "factor", "value", "flag"};
	struct field fields[FIELDS_MAX];
	if (length >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
		line += 3;
		length -= 3;
	}
	const struct csv_line whole = whole_line(line, length);
	out->n_fields = split(&whole, fields);
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
	out->usual = is_usual(out);
	return true;
}

static const double powers[] = {1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
				1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

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

/* The number that eight bytes are, of digits and at most one point; most values have no more. */
static inline bool decimal_word(uint64_t word, double *out)
{
	uint64_t point = zero_bytes(word ^ (EACH_BYTE * '.'));
	int behind = 0;
	if (point != 0) { /* what stands before it moves up, over it */
		int at = __builtin_ctzll(point) / 8;
		uint64_t below = (UINT64_C(1) << (8 * at)) - 1;
		word = (word & ~((below << 8) | 0xff)) | (word & below) << 8 | '0';
		behind = 7 - at;
	}
	if (!digits_only(word))
		return false;
	*out = (double)digits_eight(word) / powers[behind];
	return true;
}

/* The same for 4 to 8 bytes, without a look at each. */
static bool decimal_short(const char *text, size_t length, double *out)
{
	return length >= 4 && length <= 8 && decimal_word(right_aligned(text, length), out);
}

/* Up to 15 digits and a small power of ten: both are exact doubles, so one division is exact too.
 */
static bool decimal_fast(const char *text, size_t length, double *out)
{
	const char *at = text, *end = text + length, *point = NULL;
	bool negative = length > 0 && *at == '-';
	uint64_t digits = 0;
	at += negative;
	if (decimal_short(at, (size_t)(end - at), out)) {
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
		value /= powers[end - point - 1];
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
	if (length != f.length || length == 0)
		return false;
	if (length < 8 || length > 16)
		return memcmp(text, f.at, length) == 0;
	return digits_load(text) == digits_load(f.at) &&
	       digits_load(text + length - 8) == digits_load(f.at + length - 8);
}

bool csv_row(const char *line, size_t length, const struct csv_header *header,
	     const struct zone *zone, struct csv_row *out, char *why, size_t why_size)
{
	const struct csv_line whole = whole_line(line, length);
	return csv_row_of(&whole, header, zone, out, why, why_size);
}

bool csv_row_of(const struct csv_line *line, const struct csv_header *header,
		const struct zone *zone, struct csv_row *out, char *why, size_t why_size)
{
	/* Clearing a kibibyte for each row would cost as much as reading it. */
	__attribute__((uninitialized)) struct field fields[FIELDS_MAX];
	struct field flag = {"", 0};
	int n = split(line, fields);
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

/* --- the row that is expected --- */

enum { WORD = 8, EPOCH_DIGITS = 10, VALUE_MOST = 16, TAIL_BYTES = VALUE_MOST + 4 };

static uint64_t word_differs(const char *a, const char *b)
{
	return digits_load(a) ^ digits_load(b);
}

/* Of @length bytes, WORD at the least; mostly not more than two words. */
static inline bool alike(const char *a, const char *b, size_t length)
{
	uint64_t differs = word_differs(a, b) | word_differs(a + length - WORD, b + length - WORD);
	for (size_t i = WORD; i + WORD < length; i += WORD)
		differs |= word_differs(a + i, b + i);
	return differs == 0;
}

static bool ten_digits(const char *text, int64_t *out_ms)
{
	uint64_t head = digits_load(text);
	unsigned tens = (unsigned)(text[WORD] - '0'), ones = (unsigned)(text[WORD + 1] - '0');
	*out_ms = (int64_t)(digits_eight(head) * 100 + tens * 10 + ones) * 1000;
	return digits_only(head) && tens <= 9 && ones <= 9;
}

/* How long the value at @at is; 0: too long for one look, or there is none. */
static size_t value_length(const char *at)
{
	for (unsigned from = 0; from < VALUE_MOST; from += LOOK_BYTES) {
		struct look seen = look(at + from);
		if ((seen.commas | seen.closer) != 0)
			return from + (unsigned)__builtin_ctzll(seen.commas | seen.closer);
	}
	return 0;
}

/* The value at @at, behind names of eight bytes at the least: those that stand before it in a word
 * that ends with it are made zeros. */
static bool value_behind(const char *at, size_t length, double *out)
{
	if (length < 2 || length > WORD) /* one byte may be the point alone */
		return decimal_fast(at, length, out);
	uint64_t kept = ~UINT64_C(0) << (8 * (WORD - length));
	uint64_t word = digits_load(at + length - WORD);
	return decimal_word((word & kept) | (EACH_BYTE * '0' & ~kept), out) ||
	       decimal_fast(at, length, out);
}

/* What ends a row behind its value. Return: its length; 0: something else. */
static size_t row_end(const char *at, const struct csv_header *header)
{
	bool flagged = header->place[CSV_FLAG] >= 0 && at[0] == ',' && at[1] == FLAG_NORMAL;
	size_t length = flagged ? 2 : 0;
	length += at[length] == '\r';
	return at[length] == '\n' ? length + 1 : 0;
}

size_t csv_row_like(const char *from, const char *to, const struct csv_header *header,
		    const char *names, size_t length, struct csv_row *row)
{
	size_t time = row->time_length;
	int64_t time_ms = row->time_ms;
	double value;
	if (!header->usual || length < WORD || time < WORD ||
	    (size_t)(to - from) < time + EPOCH_DIGITS + 1 + length + TAIL_BYTES)
		return 0;
	if (!alike(from, row->time, time) || from[time] != ',') {
		time = EPOCH_DIGITS;
		if (!ten_digits(from, &time_ms) || from[time] != ',')
			return 0;
	}
	const char *at = from + time + 1;
	size_t digits = alike(at, names, length) ? value_length(at + length) : 0;
	size_t end = digits > 0 ? row_end(at + length + digits, header) : 0;
	if (end == 0 || !value_behind(at + length, digits, &value))
		return 0;
	row->time = from;
	row->time_length = time;
	row->time_ms = time_ms;
	row->value = value;
	row->has_value = true;
	row->flag = FLAG_NORMAL;
	return (size_t)(at - from) + length + digits + end;
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
