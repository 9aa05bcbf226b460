/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/sheet.h"

#include "core/casewords.h"
#include "core/phrase.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- escaping --- */

/* Bytes of the well-formed character at @s and its code; 0: there is none (Unicode, table 3-7). */
static size_t character(const unsigned char *s, uint32_t *code)
{
	size_t length = s[0] < 0x80       ? 1
			: s[0] >> 5 == 6  ? 2
			: s[0] >> 4 == 14 ? 3
			: s[0] >> 3 == 30 ? 4
					  : 0;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	if (length == 0)
		return 0;
	*code = length == 1 ? s[0] : s[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (s[i] & 0x3f);
	}
	bool good =
		*code >= least[length] && *code <= 0x10ffff && (*code < 0xd800 || *code > 0xdfff);
	return good ? length : 0;
}

/* Controls, and the marks and overrides of the bidirectional algorithm (UAX #9). */
static bool is_hidden(uint32_t code)
{
	return (code < 0x20 && code != '\n' && code != '\t') || (code >= 0x7f && code < 0xa0) ||
	       code == 0x61c || code == 0x200e || code == 0x200f ||
	       (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
	       code == 0xfeff || code == 0xfffe || code == 0xffff;
}

static const char *reference(uint32_t code)
{
	switch (code) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void html_text(struct text *out, const char *s)
{
	const char *begin = s;
	uint32_t code = 0;
	for (size_t n; s != NULL && *s != '\0'; s += n == 0 ? 1 : n) {
		n = character((const unsigned char *)s, &code);
		if (s - begin > HTML_TEXT_MOST - 4) {
			text_add(out, "\xe2\x80\xa6");
			return;
		}
		if (n == 0 || is_hidden(code))
			text_add(out, "\xef\xbf\xbd");
		else if (reference(code) != NULL)
			text_add(out, reference(code));
		else
			text_add_n(out, s, n);
	}
}

void html_policy_hash(struct text *out, const char *inlined)
{
	unsigned char digest[SHA256_DIGEST_LENGTH], base64[4 * (SHA256_DIGEST_LENGTH / 3 + 1) + 1];
	SHA256((const unsigned char *)inlined, strlen(inlined), digest);
	EVP_EncodeBlock(base64, digest, sizeof digest);
	text_format(out, "'sha256-%s'", (const char *)base64);
}

/* --- words --- */

void sheet_markup(struct sheet *sheet, const char *markup)
{
	text_add(sheet->out, markup);
}

void sheet_text(struct sheet *sheet, const char *s)
{
	html_text(sheet->out, s);
}

const char *factor_words(const struct wording *words, const struct monitor *monitor)
{
	const char *name = words == NULL ? monitor->name_en : monitor->name_zh;
	return name == NULL ? monitor->factor_name : name;
}

const char *sheet_word(const struct sheet *sheet, const char *english)
{
	return english == NULL || english[0] == '\0' ? "" : wording_find(sheet->words, english);
}

void sheet_say(struct sheet *sheet, const char *english)
{
	html_text(sheet->out, sheet_word(sheet, english));
}

void sheet_code(struct sheet *sheet, const char *code)
{
	struct text plain = {0};
	for (const char *s = sheet_word(sheet, code); *s != '\0'; s++)
		text_char(&plain, *s == '_' ? ' ' : *s);
	html_text(sheet->out, plain.at);
	text_deinit(&plain);
}

/* --- sentences --- */

void sheet_phrase(struct sheet *sheet, const char *english, ...)
{
	va_list list;
	va_start(list, english);
	const struct phrase places = phrase_places(list);
	va_end(list);
	phrase_add(sheet->out, english, sheet_word(sheet, english), &places, html_text);
}

/* --- tables --- */

void sheet_table(struct sheet *sheet, const char *class, const char *const *heads, size_t n)
{
	text_format(sheet->out, "<div class=\"%s\"><table><thead><tr>", class);
	for (size_t i = 0; i < n; i++) {
		sheet_markup(sheet, "<th scope=\"col\">");
		sheet_say(sheet, heads[i]);
		sheet_markup(sheet, "</th>");
	}
	sheet_markup(sheet, "</tr></thead><tbody>\n");
}

void sheet_table_end(struct sheet *sheet)
{
	sheet_markup(sheet, "</tbody></table></div>\n");
}

/* --- times --- */

const char *sheet_moment(const struct sheet *sheet, int64_t wall_ms, char *out)
{
	struct civil c = zone_civil(sheet->zone, wall_ms);
	snprintf(out, SHEET_TIME_BYTES, "%04d-%02d-%02d %02d:%02d:%02d", (int)c.year, c.month,
		 c.day, c.hour, c.minute, c.second);
	return out;
}

void sheet_time(struct sheet *sheet, int64_t wall_ms)
{
	char moment[SHEET_TIME_BYTES];
	if (wall_ms == 0) {
		text_char(sheet->out, '-');
		return;
	}
	text_add(sheet->out, "<time datetime=\"");
	text_time(sheet->out, wall_ms, sheet->zone, 0);
	text_format(sheet->out, "\">%s</time>", sheet_moment(sheet, wall_ms, moment));
}

/* --- JSON --- */

const char *json_words(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

int64_t json_ms(const json_t *object, const char *name)
{
	const char *time = json_words(object, name);
	int64_t ms = 0;
	return time != NULL && time_parse(time, strlen(time), NULL, &ms) ? ms : 0;
}

const char *json_factor(const json_t *c, const struct plan *plan, const struct wording *words)
{
	const char *site = json_words(c, "site"), *factor = json_words(c, "factor");
	const char *told = json_words(c, "factor_name");
	uint32_t monitor =
		site == NULL || factor == NULL ? NO_INDEX : plan_monitor(plan, site, factor);
	if (monitor != NO_INDEX)
		told = factor_words(words, &plan->monitors[monitor]);
	return told != NULL && told[0] != '\0' ? told : factor;
}

bool json_is(const json_t *object, const char *name, const char *value)
{
	const char *s = json_words(object, name);
	return s != NULL && strcmp(s, value) == 0;
}

bool json_load(const json_t *object, double *tonnes)
{
	const json_t *last = json_object_get(object, "last_value"),
		     *peak = json_object_get(object, "peak_value");
	*tonnes = json_number_value(json_number_value(last) > 0 ? last : peak);
	return json_is(object, "kind", "load") && json_is_number(peak);
}

static bool within_permit(const json_t *object)
{
	const json_t *permit = json_object_get(object, "limit");
	double load;
	return json_load(object, &load) && json_is_number(permit) &&
	       load <= json_number_value(permit);
}

const char *json_kind(const json_t *object)
{
	const char *kind = json_words(object, "kind");
	if (json_is(object, "kind", "exceedance") &&
	    json_is_false(json_object_get(object, "verified")))
		return SAY("suspected exceedance");
	return within_permit(object) ? SAY("permit nearly used up") : kind_words(kind);
}

const char *json_step(const json_t *history, const json_t *step)
{
	const char *ended = NULL;
	for (size_t i = 0; i < json_array_size(history) && json_array_get(history, i) != step; i++)
		if (step_ends(json_words(json_array_get(history, i), "action")))
			ended = json_words(json_array_get(history, i), "action");
	return step_words(json_words(step, "action"), ended);
}

int64_t json_episode_end(const json_t *c, const json_t *episode, const struct zone *zone)
{
	const char *average = json_words(c, "average");
	int64_t ended_ms = json_ms(episode, "ended_at"), end_ms = ended_ms;
	if (ended_ms == 0 || average == NULL)
		return ended_ms;
	if (strncmp(average, "day", 3) == 0)
		end_ms = zone_day_ms(zone, zone_day(zone, ended_ms - 1));
	else if (strcmp(average, "hour") == 0)
		end_ms = ended_ms - INT64_C(3600000);
	return end_ms > json_ms(episode, "began_at") ? end_ms : ended_ms;
}

int64_t json_case_ended(const json_t *c)
{
	const json_t *step, *history = json_object_get(c, "history");
	int64_t ended_ms = json_ms(c, "closed_at");
	size_t i;
	if (!json_is(c, "status", "withdrawn"))
		return ended_ms;
	json_array_foreach(history, i, step)
	{
		if (json_is(step, "action", "withdraw") || json_is(step, "action", "merge"))
			ended_ms = json_ms(step, "at");
	}
	return ended_ms;
}
