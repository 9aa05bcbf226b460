/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/hj212/message.h"

#include "core/zone.h"
#include "drivers/plain.h"

#include <string.h>

enum { SECOND_DIGITS = 14, TIME_DIGITS_MOST = 17 };

static const char open[] = "CP=&&", shut[] = "&&";
enum { OPEN = sizeof open - 1, SHUT = sizeof shut - 1 };

static const char *const field_names[HJ212_FIELDS] = {"Rtd",   "Avg",   "Min",       "Max",
						      "Cou",   "ZsRtd", "ZsAvg",     "ZsMin",
						      "ZsMax", "Flag",  "SampleTime"};

bool hj212_is(struct hj212_text text, const char *word)
{
	return text.n == strlen(word) && memcmp(text.at, word, text.n) == 0;
}

/* A number of at most nine digits; -1: it is none. */
static int number_of(struct hj212_text text)
{
	int number = 0;
	if (text.n == 0 || text.n > 9 || plain_digits(text.at, text.n) != text.n)
		return -1;
	for (size_t i = 0; i < text.n; i++)
		number = number * 10 + (text.at[i] - '0');
	return number;
}

/* --- name=value --- */

struct item {
	struct hj212_text name, value;
};

static bool is_parting(char c)
{
	return c == ';' || c == ',';
}

/* Texts of a log stand between // and //, and may hold what parts items elsewhere (C.40). */
static size_t value_length(const char *at, size_t n)
{
	size_t from = 0;
	if (n >= 4 && at[0] == '/' && at[1] == '/') {
		const char *end = memmem(at + 2, n - 2, "//", 2);
		from = end == NULL ? 0 : (size_t)(end - at) + 2;
	}
	while (from < n && !is_parting(at[from]))
		from++;
	return from;
}

/* Empty ones are passed over. Return: false at the end. */
static bool item_next(struct hj212_text *rest, struct item *out)
{
	while (rest->n > 0 && is_parting(*rest->at)) {
		rest->at++;
		rest->n--;
	}
	if (rest->n == 0)
		return false;
	size_t name = 0;
	while (name < rest->n && rest->at[name] != '=' && !is_parting(rest->at[name]))
		name++;
	out->name = (struct hj212_text){rest->at, name};
	bool has_value = name < rest->n && rest->at[name] == '=';
	const char *value = rest->at + name + has_value;
	size_t left = rest->n - name - has_value;
	out->value = (struct hj212_text){value, has_value ? value_length(value, left) : 0};
	rest->at = value + out->value.n;
	rest->n = left - out->value.n;
	return true;
}

/* --- the fields in front --- */

static const char *head_item(const struct item *item, struct hj212_message *out)
{
	if (hj212_is(item->name, "QN"))
		out->qn = item->value;
	else if (hj212_is(item->name, "PW"))
		out->pw = item->value;
	else if (hj212_is(item->name, "MN"))
		out->mn = item->value;
	else if (hj212_is(item->name, "ST"))
		out->system = number_of(item->value);
	else if (hj212_is(item->name, "CN"))
		out->command = number_of(item->value);
	else if (hj212_is(item->name, "Flag"))
		out->flag = number_of(item->value);
	return out->flag < 0 || out->flag > 255 ? "its Flag is no number of 0 to 255" : NULL;
}

static const char *head_parse(struct hj212_text head, struct hj212_message *out)
{
	struct item item;
	const char *wrong = NULL;
	while (wrong == NULL && item_next(&head, &item))
		wrong = head_item(&item, out);
	if (wrong != NULL)
		return wrong;
	if (out->mn.n == 0)
		return "it has no MN";
	if (out->command < 0)
		return "it has no CN";
	if (out->mn.n > HJ212_ECHO_MOST || out->qn.n > HJ212_ECHO_MOST ||
	    out->pw.n > HJ212_ECHO_MOST)
		return "its QN, PW or MN is longer than 40 characters";
	return NULL;
}

/* --- the area --- */

/* "w01018-Rtd" is a factor and its field; codes have no dash. Return: HJ212_FIELDS: no such. */
static enum hj212_field split(struct hj212_text name, struct hj212_text *code)
{
	const char *dash = memrchr(name.at, '-', name.n);
	*code = (struct hj212_text){name.at, dash == NULL ? 0 : (size_t)(dash - name.at)};
	if (code->n == 0)
		return HJ212_FIELDS;
	struct hj212_text field = {dash + 1, name.n - code->n - 1};
	int i = 0;
	while (i < HJ212_FIELDS && !hj212_is(field, field_names[i]))
		i++;
	return (enum hj212_field)i;
}

static void area_scan(struct hj212_message *out)
{
	struct hj212_text rest = out->area;
	struct item item;
	while (item_next(&rest, &item)) {
		struct hj212_text code;
		bool is_time = hj212_is(item.name, "DataTime");
		out->is_readable =
			out->is_readable || is_time || split(item.name, &code) != HJ212_FIELDS;
		if (is_time && out->time.at == NULL)
			out->time = item.value;
		else if (hj212_is(item.name, "Flag") && item.value.n == 1)
			out->quality = *item.value.at;
	}
}

const char *hj212_message_parse(const char *data, size_t n, struct hj212_message *out)
{
	*out = (struct hj212_message){.system = -1, .command = -1};
	const char *area = memmem(data, n, open, OPEN);
	if (area == NULL)
		return "it has no CP=&&";
	const char *wrong = head_parse((struct hj212_text){data, (size_t)(area - data)}, out);
	if (wrong != NULL)
		return wrong;
	size_t left = n - (size_t)(area - data) - OPEN;
	if (left < SHUT || memcmp(data + n - SHUT, shut, SHUT) != 0)
		return "its data area does not end in &&";
	out->area = (struct hj212_text){area + OPEN, left - SHUT};
	area_scan(out);
	return NULL;
}

static bool same(struct hj212_text a, struct hj212_text b)
{
	return a.n == b.n && memcmp(a.at, b.at, a.n) == 0;
}

bool hj212_record_next(struct hj212_text *rest, struct hj212_record *out)
{
	struct item item;
	struct hj212_text before = *rest;
	*out = (struct hj212_record){.code = {NULL, 0}};
	for (; item_next(rest, &item); before = *rest) {
		struct hj212_text code;
		enum hj212_field field = split(item.name, &code);
		if (field == HJ212_FIELDS)
			continue;
		bool any = out->code.at != NULL;
		if (any && (!same(code, out->code) || out->fields[field].at != NULL)) {
			*rest = before;
			return true;
		}
		out->code = code;
		out->fields[field] = item.value;
	}
	return out->code.at != NULL;
}

/* --- times --- */

static int two_of(const char *at)
{
	return (at[0] - '0') * 10 + (at[1] - '0');
}

bool hj212_time(struct hj212_text text, const struct zone *zone, int64_t *ms)
{
	static const int weights[] = {100, 10, 1};
	const char *at = text.at;
	if (text.n < SECOND_DIGITS || text.n > TIME_DIGITS_MOST ||
	    plain_digits(at, text.n) != text.n)
		return false;
	struct civil civil = {.year = two_of(at) * 100 + two_of(at + 2),
			      .month = two_of(at + 4),
			      .day = two_of(at + 6),
			      .hour = two_of(at + 8),
			      .minute = two_of(at + 10),
			      .second = two_of(at + 12)};
	int millisecond = 0;
	for (size_t i = SECOND_DIGITS; i < text.n; i++)
		millisecond += weights[i - SECOND_DIGITS] * (at[i] - '0');
	if (civil.year < 1970 || !civil_valid(&civil))
		return false;
	*ms = zone_wall_ms(zone, &civil, millisecond);
	return true;
}
