/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Sheet: HTML for people, in one of two languages.
 *
 * Everything that is not markup of ours passes through one escaping function, because names and
 * notes come from outside and end in a browser. Sentences are English texts with named places, as
 * "above the limit {limit}"; a translation that does not name the same places is faulty, and the
 * English stands in its stead.
 */
#include "core/plan.h"
#include "core/text.h"
#include "deliver/wording.h"

#include <jansson.h>

/* Marks a text for the catalogue without translating it. */
#define SAY(english) english

struct sheet {
	struct text *out;
	const struct wording *words; /* NULL: English */
	const struct zone *zone;
};

/**
 * html_text() - adds @s with & < > " ' as references; NULL adds nothing
 *
 * Bytes that are no UTF-8, control characters but line ends, and the marks that turn the direction
 * of writing become U+FFFD. What is longer than HTML_TEXT_MOST bytes is cut, and ends in "…".
 */
void html_text(struct text *out, const char *s);
enum { HTML_TEXT_MOST = 8192 };

/** html_policy_hash() - @inlined as a source of a content security policy: 'sha256-…' */
void html_policy_hash(struct text *out, const char *inlined);

/** sheet_markup() - adds markup of ours as it is */
void sheet_markup(struct sheet *sheet, const char *markup);
/** sheet_text() - adds what came from outside */
void sheet_text(struct sheet *sheet, const char *s);
/** sheet_say() - adds a word or sentence in the sheet's language */
void sheet_say(struct sheet *sheet, const char *english);
/** sheet_code() - adds a word of the API, such as "river_section", as people read it */
void sheet_code(struct sheet *sheet, const char *code);
/** sheet_word() - Return: the word in the sheet's language, not escaped */
const char *sheet_word(const struct sheet *sheet, const char *english);
/** factor_words() - the catalogue's name of what a monitor measures, in the language of @words */
const char *factor_words(const struct wording *words, const struct monitor *monitor);
/**
 * sheet_phrase() - adds a sentence with places
 * @...: pairs of a place's name and its text (not escaped), then NULL
 */
void sheet_phrase(struct sheet *sheet, const char *english, ...) __attribute__((sentinel));
/** sheet_table() - the heads of a table's columns in a box of this class; then rows; then the end
 */
void sheet_table(struct sheet *sheet, const char *class, const char *const *heads, size_t n);
void sheet_table_end(struct sheet *sheet);
/** sheet_time() - "2026-01-02 03:04:05", with <time>; "-" for 0 */
void sheet_time(struct sheet *sheet, int64_t wall_ms);
/** sheet_moment() - the same as text for a place of a phrase; @out: at least SHEET_TIME_BYTES */
enum { SHEET_TIME_BYTES = 32 };
const char *sheet_moment(const struct sheet *sheet, int64_t wall_ms, char *out);

/* --- members of the case's JSON --- */

/** json_words() - the member's text; NULL where it is missing or null */
const char *json_words(const json_t *object, const char *name);
/** json_ms() - the member's time; 0 where it is missing or null */
int64_t json_ms(const json_t *object, const char *name);
/** json_factor() - what the case is about, by the catalogue's name in the language of @words; of a
 * monitor that the plan no longer has as it was told, and NULL where it is about no one factor */
const char *json_factor(const json_t *c, const struct plan *plan, const struct wording *words);
/** json_is() - is the member this text? */
bool json_is(const json_t *object, const char *name, const char *value);
/** json_kind() - what an alert or a case is, for people: an exceedance that nobody has verified is
 * a suspected one, and a load that is not above its permit is none above it */
const char *json_kind(const json_t *object);
/** json_load() - of an alert or a case of a load: the year's sum as it is now, since it may have
 * become less; of a year that is over, its highest. Return: false where there is none. */
bool json_load(const json_t *object, double *tonnes);
/** json_step() - what a step of a history is, in English (core/casewords.h) */
const char *json_step(const json_t *history, const json_t *step);
/** json_episode_end() - of a case: when what was wrong ended; 0: it goes on. An alert of means
 * clears at the end of the first window that is good again; what was wrong ended when that began.
 */
int64_t json_episode_end(const json_t *c, const json_t *episode, const struct zone *zone);
/** json_case_ended() - when a case was closed, withdrawn or merged; 0: it is open */
int64_t json_case_ended(const json_t *c);
