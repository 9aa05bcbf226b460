/* SPDX-License-Identifier: Apache-2.0 */
#include "core/order.h"

#include "core/text.h"

#include <string.h>

enum {
	FREE = -1,
	DAY = -2,
	CASES = USE_ACT | USE_OPEN | USE_ATTACH,
	ALL = CASES | USE_SHELVE | USE_ACKNOWLEDGE | USE_MARK
};
#define AT(member) offsetof(struct case_order, member)

const struct order_field order_fields[] = {
	{"by", AT(by), 200, ALL, false, FREE},
	{"note", AT(note), 4000, CASES, true, FREE},
	{"unit", AT(unit), 300, USE_ACT | USE_OPEN, false, FREE},
	{"leader", AT(leader), 200, USE_ACT | USE_OPEN, false, FREE},
	{"team", AT(team), 200, USE_ACT | USE_OPEN, false, FREE},
	{"reason", AT(reason), 100, USE_ACT, false, LIST_REASON},
	{"track", AT(track), 40, USE_ACT, false, LIST_TRACK},
	{"step", AT(step), 300, USE_ACT, false, FREE},
	{"document", AT(document), 200, USE_ACT | USE_OPEN, false, FREE},
	{"level", AT(level), 40, USE_ACT | USE_OPEN, false, LIST_LEVEL},
	{"checkers", AT(checkers), 600, USE_ACT, false, FREE},
	{"approved_by", AT(approved_by), 200, USE_ACT, false, FREE},
	{"relation", AT(relation), 100, USE_ACT, false, FREE},
	{"dated", AT(dated), 10, USE_ACT | USE_OPEN, false, DAY},
	{"site", AT(site), 64, USE_OPEN | USE_SHELVE | USE_MARK, false, FREE},
	{"factor", AT(factor), 64, USE_OPEN | USE_SHELVE | USE_MARK, false, FREE},
	{"kind", AT(kind), 40, USE_OPEN, false, FREE},
	{"source", AT(source), 40, USE_OPEN, false, LIST_SOURCE},
	{"severity", AT(severity), 40, USE_OPEN, false, LIST_SEVERITY},
	{"title", AT(title), 300, USE_OPEN, false, FREE},
	{"name", AT(file), 200, USE_ATTACH | USE_MARK, false, FREE},
	{"type", AT(type), 40, USE_ATTACH, false, LIST_ATTACHMENT},
	{"reason", AT(why), 1000, USE_SHELVE | USE_MARK, false, FREE},
};
const size_t n_order_fields = sizeof order_fields / sizeof order_fields[0];

const struct order_field *order_field_find(const char *name, enum order_use use)
{
	for (size_t i = 0; i < n_order_fields; i++)
		if ((order_fields[i].uses & use) != 0 && strcmp(order_fields[i].name, name) == 0)
			return &order_fields[i];
	return NULL;
}

const char **order_text(struct case_order *order, const struct order_field *field)
{
	return (const char **)((char *)order + field->offset);
}

/* Bytes of the well-formed character at @s; 0: there is none. Table 3-7 of Unicode. */
static size_t utf8_length(const unsigned char *s)
{
	static const struct {
		unsigned char first, last, low, high; /* of the first byte; of the second */
		size_t length;
	} forms[] = {
		{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
		{0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	if (s[0] < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		if (s[0] < forms[i].first || s[0] > forms[i].last || s[1] < forms[i].low ||
		    s[1] > forms[i].high)
			continue;
		for (size_t k = 2; k < forms[i].length; k++)
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		return forms[i].length;
	}
	return 0;
}

bool text_is_utf8(const char *s)
{
	const unsigned char *at = (const unsigned char *)s;
	while (*at != '\0') {
		size_t n = utf8_length(at);
		if (n == 0)
			return false;
		at += n;
	}
	return true;
}

static bool has_control(const char *s, bool lines)
{
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;
		bool end = c == '\n' || c == '\r' || c == '\t';
		bool c1 = c == 0xc2 && (unsigned char)s[1] >= 0x80 && (unsigned char)s[1] < 0xa0;
		if (((c < ' ' || c == 0x7f) && !(end && lines)) || c1)
			return true;
	}
	return false;
}

static bool day_exists(int year, int month, int day)
{
	static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return month >= 1 && month <= 12 && day >= 1 &&
	       day <= lengths[month - 1] - (month == 2 && !leap);
}

/* Up to @most digits. Return: behind them and @mark; NULL where there are none, or another mark. */
static const char *number_read(const char *s, int least, int most, const char *mark, int *out)
{
	int n = 0;
	for (*out = 0; n < most && *s >= '0' && *s <= '9'; n++)
		*out = 10 * *out + (*s++ - '0');
	return n >= least && strncmp(s, mark, strlen(mark)) == 0 ? s + strlen(mark) : NULL;
}

static void digits_put(char *out, int n, int value)
{
	for (; n > 0; value /= 10)
		out[--n] = (char)('0' + value % 10);
}

/* A day of the calendar at @s, as 2026-03-31 or 2026年3月31日. Return: behind it; NULL: none. */
static const char *day_read(const char *s, char out[DOCUMENT_DAY])
{
	static const struct {
		const char *marks[3];
		int least;
	} forms[] = {{{"-", "-", ""}, 2}, {{"年", "月", "日"}, 1}};
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		int year, month, day;
		const char *at = number_read(s, 4, 4, forms[i].marks[0], &year);
		at = at == NULL ? NULL
				: number_read(at, forms[i].least, 2, forms[i].marks[1], &month);
		at = at == NULL ? NULL
				: number_read(at, forms[i].least, 2, forms[i].marks[2], &day);
		if (at == NULL || !day_exists(year, month, day))
			continue;
		memcpy(out, "....-..-..", DOCUMENT_DAY);
		digits_put(out, 4, year);
		digits_put(out + 5, 2, month);
		digits_put(out + 8, 2, day);
		return at;
	}
	return NULL;
}

static bool is_day(const char *s)
{
	char day[DOCUMENT_DAY];
	const char *end = day_read(s, day);
	return end != NULL && *end == '\0' && strcmp(s, day) == 0;
}

/* Behind one of the signs that may stand there, or as it is. */
static const char *behind(const char *s, const char *const *signs)
{
	for (; *signs != NULL; signs++)
		if (strncmp(s, *signs, strlen(*signs)) == 0)
			return s + strlen(*signs);
	return s;
}

/* A day that is part of a number, as in KS-2026-03-31, is none. */
static bool ends_number(const char *document, const char *at)
{
	static const char last[] = "\xe5\x8f\xb7"; /* 号 */
	size_t n = sizeof last - 1;
	return (at > document && at[-1] == ' ') ||
	       ((size_t)(at - document) >= n && memcmp(at - n, last, n) == 0);
}

static size_t trimmed(const char *text, size_t length)
{
	while (length > 0 && text[length - 1] == ' ')
		length--;
	return length;
}

size_t document_day(const char *document, char day[DOCUMENT_DAY])
{
	static const char *const opens[] = {"(", "\xef\xbc\x88", NULL}, *const closes[] = {
										")", "\xef\xbc\x89",
										NULL};
	for (const char *at = document; *at != '\0'; at++) {
		const char *digits = behind(at, opens), *end = day_read(digits, day);
		if (end == NULL || *behind(end, closes) != '\0' ||
		    (digits == at && !ends_number(document, at)))
			continue;
		return trimmed(document, (size_t)(at - document));
	}
	return 0;
}

/* Spaces, lines and ideographic spaces (U+3000) say nothing. */
static bool is_blank(const char *s)
{
	while (*s != '\0') {
		size_t n = strchr(" \t\r\n", *s) != NULL ? 1 : strncmp(s, "\u3000", 3) == 0 ? 3 : 0;
		if (n == 0)
			return false;
		s += n;
	}
	return true;
}

bool order_take(struct case_order *order, const struct order_field *field, const char *value,
		struct text *error)
{
	if (value == NULL || is_blank(value))
		return true;
	if (strlen(value) > field->most) {
		text_format(error, "field \"%s\" is longer than %zu bytes", field->name,
			    field->most);
		return false;
	}
	if (!text_is_utf8(value) || has_control(value, field->lines)) {
		text_format(error, "field \"%s\" %s", field->name,
			    text_is_utf8(value) ? "holds a control character"
						: "is not valid UTF-8");
		return false;
	}
	if (field->list == DAY && !is_day(value)) {
		text_format(error, "field \"%s\" is \"%.64s\"; it must be a day, as 2026-03-31",
			    field->name, value);
		return false;
	}
	const char *kept = field->list < 0 ? value : case_word((enum case_list)field->list, value);
	if (kept == NULL) {
		text_format(error, "field \"%s\" is \"%.64s\"; it must be one of ", field->name,
			    value);
		case_words((enum case_list)field->list, error);
		return false;
	}
	*order_text(order, field) = kept;
	return true;
}

static bool has_day(const struct case_order *order)
{
	char day[DOCUMENT_DAY];
	return order->document != NULL && document_day(order->document, day) != 0;
}

bool order_two_days(const struct case_order *order)
{
	char day[DOCUMENT_DAY];
	return order->dated != NULL && order->document != NULL &&
	       document_day(order->document, day) != 0 && strcmp(day, order->dated) != 0;
}

const char *order_lacks(const struct case_order *order)
{
	const struct {
		unsigned need;
		bool given;
		const char *name;
	} needs[] = {
		{NEED_UNIT, order->unit != NULL, "unit"},
		{NEED_REASON, order->reason != NULL, "reason"},
		{NEED_DUE, order->due_ms != 0, "due"},
		{NEED_OTHER, order->other != 0, "other"},
		{NEED_LEVEL, order->level != NULL, "level"},
		{NEED_DOCUMENT, order->document != NULL, "document"},
		{NEED_DATED, order->dated != NULL || has_day(order), "dated"},
		{NEED_NOTE, order->note != NULL, "note"},
	};
	for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++)
		if ((case_needs(order->action) & needs[i].need) != 0 && !needs[i].given)
			return needs[i].name;
	return order->dated != NULL && order->document == NULL ? "document" : NULL;
}

const char *order_document(const struct case_order *order, struct text *room)
{
	char own[DOCUMENT_DAY];
	const char *dated = own;
	if (order->document == NULL)
		return NULL;
	size_t number = document_day(order->document, own);
	if (number == 0 && order->dated == NULL)
		return order->document;
	if (number == 0) {
		dated = order->dated;
		number = trimmed(order->document, strlen(order->document));
	}
	text_clear(room);
	text_add_n(room, order->document, number);
	text_format(room, " (%s)", dated);
	return room->failed ? NULL : room->at;
}
