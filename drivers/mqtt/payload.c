/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/mqtt/payload.h"

#include "drivers/plain.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TOKEN_BYTES = 512 };

#define LAST_MS 253402300799999 /* the end of the year 9999 */

/* --- times --- */

/* Reads exactly @width digits. */
static bool take(const char **at, const char *end, int width, int *out)
{
	*out = 0;
	if (end - *at < width)
		return false;
	for (; width > 0; width--, ++*at) {
		if (**at < '0' || **at > '9')
			return false;
		*out = *out * 10 + (**at - '0');
	}
	return true;
}

static bool take_one(const char **at, const char *end, const char *of)
{
	if (*at == end || **at == '\0' || strchr(of, **at) == NULL)
		return false;
	++*at;
	return true;
}

static bool take_fraction_ms(const char **at, const char *end, int *ms)
{
	*ms = 0;
	if (!take_one(at, end, "."))
		return true;
	size_t n = plain_digits(*at, (size_t)(end - *at));
	for (size_t i = 0, unit = 100; i < n && i < 3; i++, unit /= 10)
		*ms += (int)unit * ((*at)[i] - '0');
	*at += n;
	return n > 0;
}

static bool take_offset_s(const char **at, const char *end, int *seconds)
{
	*seconds = 0;
	if (take_one(at, end, "Zz"))
		return true;
	bool west = *at < end && **at == '-';
	int hours, minutes;
	if (!take_one(at, end, "+-") || !take(at, end, 2, &hours) || !take_one(at, end, ":") ||
	    !take(at, end, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*seconds = (hours * 60 + minutes) * (west ? -60 : 60);
	return true;
}

static bool day_exists(int year, int month, int day)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (month < 1 || month > 12 || day < 1)
		return false;
	return day <= lengths[month - 1] + (leap && month == 2 ? 1 : 0);
}

/* Days since 1970, in years that begin in March so that the leap day comes last. */
static int64_t days_since_1970(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t m = month > 2 ? month - 3 : month + 9;
	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

bool payload_time(const char *text, size_t n, int64_t *ms)
{
	const char *at = text, *end = text + n;
	int year, month, day, hour, minute, second, fraction_ms, offset_s;
	if (!take(&at, end, 4, &year) || !take_one(&at, end, "-") || !take(&at, end, 2, &month) ||
	    !take_one(&at, end, "-") || !take(&at, end, 2, &day) || !take_one(&at, end, "Tt "))
		return false;
	if (!take(&at, end, 2, &hour) || !take_one(&at, end, ":") || !take(&at, end, 2, &minute) ||
	    !take_one(&at, end, ":") || !take(&at, end, 2, &second) ||
	    !take_fraction_ms(&at, end, &fraction_ms) || !take_offset_s(&at, end, &offset_s))
		return false;
	if (at != end || !day_exists(year, month, day) || hour > 23 || minute > 59 || second > 60)
		return false;
	int64_t seconds =
		days_since_1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
	*ms = (seconds - offset_s) * 1000 + fraction_ms;
	return *ms >= 0 && *ms <= LAST_MS;
}

static bool epoch_ms(double number, int64_t *ms)
{
	double exact_ms = number >= 1e11 ? number : number * 1000;
	if (!(number >= 0) || exact_ms > (double)LAST_MS)
		return false;
	*ms = (int64_t)llround(exact_ms);
	return true;
}

static bool json_time(const json_t *json, int64_t *ms)
{
	double number;
	if (json_is_number(json))
		return epoch_ms(json_number_value(json), ms);
	if (!json_is_string(json))
		return false;
	const char *text = json_string_value(json);
	size_t n = json_string_length(json);
	if (payload_time(text, n, ms))
		return true;
	return plain_number(text, n, &number) && epoch_ms(number, ms);
}

/* --- JSON --- */

/* Unescapes the token at @pointer up to the next slash. Return: its length, or -1. */
static int token_of(const char **pointer, char token[TOKEN_BYTES])
{
	int n = 0;
	for (; **pointer != '\0' && **pointer != '/'; ++*pointer) {
		char c = **pointer;
		if (c == '~') {
			++*pointer;
			if (**pointer != '0' && **pointer != '1')
				return -1;
			c = **pointer == '0' ? '~' : '/';
		}
		if (n == TOKEN_BYTES - 1)
			return -1;
		token[n++] = c;
	}
	token[n] = '\0';
	return n;
}

static const json_t *json_element(const json_t *array, const char *token, size_t n)
{
	if (n == 0 || n > 9 || plain_digits(token, n) != n || (n > 1 && *token == '0'))
		return NULL;
	return json_array_get(array, strtoul(token, NULL, 10));
}

/* RFC 6901. Return: NULL where it points at nothing. */
static const json_t *json_at(const json_t *json, const char *pointer)
{
	char token[TOKEN_BYTES];
	while (json != NULL && *pointer != '\0') {
		if (*pointer++ != '/')
			return NULL;
		int n = token_of(&pointer, token);
		if (n < 0)
			return NULL;
		if (json_is_array(json))
			json = json_element(json, token, (size_t)n);
		else
			json = json_object_get(json, token);
	}
	return json;
}

/* The parser recurses, so this comes first. Brackets within texts do not count. */
static bool is_too_deep(const char *bytes, size_t n)
{
	size_t depth = 0;
	bool in_text = false;
	for (size_t i = 0; i < n; i++) {
		char c = bytes[i];
		if (c == '"')
			in_text = !in_text;
		else if (c == '\\' && in_text)
			i++;
		else if (!in_text && (c == '[' || c == '{') && ++depth > PAYLOAD_DEPTH)
			return true;
		else if (!in_text && (c == ']' || c == '}') && depth > 0)
			depth--;
	}
	return false;
}

static enum payload_result json_value_of(const json_t *json, const char *pointer, double *number,
					 struct payload *out)
{
	const json_t *found = json_at(json, pointer);
	if (found == NULL) {
		snprintf(out->cause, sizeof out->cause, "nothing at \"%s\"", pointer);
		return PAYLOAD_NOT_FOUND;
	}
	if (json_is_null(found))
		return PAYLOAD_NO_VALUE;
	if (json_is_number(found)) {
		*number = json_number_value(found);
		return PAYLOAD_VALUE;
	}
	if (!json_is_string(found)) {
		snprintf(out->cause, sizeof out->cause, "no number at \"%s\"", pointer);
		return PAYLOAD_WRONG_TYPE;
	}
	const char *text = json_string_value(found);
	if (strcasecmp(text, "nan") == 0)
		return PAYLOAD_NO_VALUE;
	if (plain_number(text, json_string_length(found), number))
		return PAYLOAD_VALUE;
	snprintf(out->cause, sizeof out->cause, "the text at \"%s\" is no number", pointer);
	return PAYLOAD_NOT_A_NUMBER;
}

static enum payload_result json_time_of(const json_t *json, const char *pointer,
					struct payload *out)
{
	const json_t *found = json_at(json, pointer);
	out->has_time = found != NULL && json_time(found, &out->time_ms);
	if (out->has_time)
		return PAYLOAD_VALUE;
	snprintf(out->cause, sizeof out->cause,
		 found == NULL ? "no time at \"%s\""
			       : "the time at \"%s\" is neither RFC 3339 nor epoch",
		 pointer);
	return PAYLOAD_BAD_TIME;
}

/* Flags are those of HJ 212; a device that leaves its flag out means a normal reading. */
static enum payload_result json_flag_of(const json_t *json, const char *pointer,
					struct payload *out)
{
	const json_t *found = json_at(json, pointer);
	if (found == NULL || json_is_null(found))
		return PAYLOAD_VALUE;
	const char *text = json_string_value(found);
	if (text != NULL && json_string_length(found) == 1 && flag_known(text[0])) {
		out->flag = (enum flag)text[0];
		return PAYLOAD_VALUE;
	}
	snprintf(out->cause, sizeof out->cause, "the flag at \"%s\" is none of HJ 212", pointer);
	return PAYLOAD_BAD_FLAG;
}

static enum payload_result map_json(const struct mqtt_point *point, const char *bytes, size_t n,
				    double *number, struct payload *out)
{
	if (is_too_deep(bytes, n)) {
		snprintf(out->cause, sizeof out->cause, "JSON nested more than %d deep",
			 PAYLOAD_DEPTH);
		return PAYLOAD_BAD_JSON;
	}
	json_error_t error;
	json_t *json = json_loadb(
		bytes, n, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL | JSON_DECODE_ANY,
		&error);
	if (json == NULL) {
		const char *quote =
			strstr(error.text, " near "); /* the payload stays out of logs */
		int shown = quote != NULL ? (int)(quote - error.text) : (int)strlen(error.text);
		snprintf(out->cause, sizeof out->cause,
			 "malformed JSON at line %d, column %d: %.*s", error.line, error.column,
			 shown, error.text);
		return PAYLOAD_BAD_JSON;
	}
	enum payload_result rest = PAYLOAD_VALUE;
	enum payload_result result = json_value_of(json, point->value, number, out);
	if (result <= PAYLOAD_NO_VALUE && point->time != NULL)
		rest = json_time_of(json, point->time, out);
	if (result <= PAYLOAD_NO_VALUE && rest == PAYLOAD_VALUE && point->flag != NULL)
		rest = json_flag_of(json, point->flag, out);
	json_decref(json);
	return rest != PAYLOAD_VALUE ? rest : result;
}

static enum payload_result map_plain(const char *bytes, size_t n, double *number,
				     struct payload *out)
{
	if (plain_number(bytes, n, number))
		return PAYLOAD_VALUE;
	snprintf(out->cause, sizeof out->cause, "%zu bytes that are no plain number", n);
	return PAYLOAD_NOT_A_NUMBER;
}

enum payload_result payload_map(const struct mqtt_point *point, const void *bytes, size_t n,
				struct payload *out)
{
	double number = 0;
	*out = (struct payload){.flag = FLAG_NORMAL};
	if (n > PAYLOAD_BYTES) {
		snprintf(out->cause, sizeof out->cause, "%zu bytes, at most %d are taken", n,
			 PAYLOAD_BYTES);
		return PAYLOAD_TOO_BIG;
	}
	enum payload_result result = point->value == NULL ? map_plain(bytes, n, &number, out)
							  : map_json(point, bytes, n, &number, out);
	if (result != PAYLOAD_VALUE)
		return result;
	memcpy(&out->raw, &number, sizeof out->raw);
	out->value = number * point->scale + point->offset;
	if (isfinite(out->value))
		return PAYLOAD_VALUE;
	snprintf(out->cause, sizeof out->cause, "%g cannot be scaled", number);
	return PAYLOAD_NOT_A_NUMBER;
}
