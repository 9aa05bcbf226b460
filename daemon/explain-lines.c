/* SPDX-License-Identifier: Apache-2.0 */
#include "explain-lines.h"

#include "core/number.h"
#include "core/phrase.h"

#include <libintl.h>
#include <stdlib.h>
#include <string.h>

/* --- lines --- */

static struct line *line_room(struct explain *x)
{
	if (x->n_lines == x->room) {
		size_t room = x->room == 0 ? 256 : 2 * x->room;
		struct line *more = reallocarray(x->lines, room, sizeof *more);
		if (more == NULL) {
			x->failed = true;
			return NULL;
		}
		x->lines = more;
		x->room = room;
	}
	x->lines[x->n_lines] = (struct line){.place = x->n_lines};
	return &x->lines[x->n_lines++];
}

static void fill(struct text *out, const char *english, va_list list)
{
	const struct phrase places = phrase_places(list);
	phrase_add(out, english, gettext(english), &places, text_add);
}

void explain_phrase(struct text *out, const char *english, ...)
{
	va_list list;
	va_start(list, english);
	fill(out, english, list);
	va_end(list);
}

/* @round: what is said before and behind within one reading. */
static void line_said(struct explain *x, int64_t time_ms, uint64_t round, size_t verdict,
		      struct text *sentence)
{
	struct line *line = line_room(x);
	x->failed |= sentence->failed;
	if (line == NULL) {
		text_deinit(sentence);
		return;
	}
	line->time_ms = time_ms;
	line->round = round;
	line->verdict = verdict;
	line->text = sentence->at;
}

void explain_say(struct explain *x, int64_t time_ms, const char *english, ...)
{
	struct text sentence = {0};
	va_list list;
	va_start(list, english);
	fill(&sentence, english, list);
	va_end(list);
	line_said(x, time_ms, 2 * x->round, SIZE_MAX, &sentence);
}

void explain_say_verdict(struct explain *x, const struct verdict *v, size_t kept,
			 const char *english, ...)
{
	struct text sentence = {0};
	bool of_reading = x->in_reading && v->average == AVERAGE_INSTANT && v->kind != ALERT_STALE;
	va_list list;
	va_start(list, english);
	fill(&sentence, english, list);
	va_end(list);
	line_said(x, v->time_ms, 2 * x->round + of_reading, kept, &sentence);
}

/* --- numbers and times --- */

static char *word(struct explain *x)
{
	return x->words[x->next_word++ % WORDS];
}

/* To 12 digits, as what is computed is compared. */
const char *explain_computed(struct explain *x, double value)
{
	char *out = word(x);
	snprintf(out, sizeof x->words[0], "%.12g", value);
	return out;
}

const char *explain_number(struct explain *x, double value)
{
	char *out = word(x);
	double_text(out, value);
	return out;
}

const char *explain_count(struct explain *x, uint64_t n)
{
	char *out = word(x);
	out[digits_text(out, n)] = '\0';
	return out;
}

const char *explain_seconds(struct explain *x, int64_t ms)
{
	return explain_number(x, (double)ms / 1000);
}

const char *explain_time(struct explain *x, int64_t time_ms)
{
	struct text time = {0};
	char *out = word(x);
	text_time(&time, time_ms, &x->subject.plan->zone, 3);
	snprintf(out, sizeof x->words[0], "%s", time.at == NULL ? "" : time.at);
	text_deinit(&time);
	return out;
}

/* --- limits --- */

/* "6 ≤ 7.2 ≤ 9", "61.3 > 50" */
static void relation(struct text *out, struct explain *x, const struct level *level, double judged)
{
	const char *(*number)(struct explain *, double) =
		level->derived ? explain_computed : explain_number;
	enum bound bound = BOUND_NONE;
	bool violated = level_violated(level, judged, &bound);
	if (!violated && level->has_min && level->has_max) {
		text_add(out, number(x, level->min));
		text_add(out, " ≤ ");
	}
	text_add(out, number(x, judged));
	if (violated)
		text_add(out, bound == BOUND_MAX ? " > " : " < ");
	else
		text_add(out, level->has_max ? " ≤ " : " ≥ ");
	bool high = violated ? bound == BOUND_MAX : level->has_max;
	text_add(out, number(x, high ? level->max : level->min));
}

/* Does it take the rule of 12 digits to decide? */
static bool by_digits(const struct level *level, double judged)
{
	struct level plain = *level;
	enum bound bound;
	plain.derived = false;
	return level_violated(&plain, judged, &bound) != level_violated(level, judged, &bound);
}

void explain_compared(struct text *out, struct explain *x, const struct limit *l,
		      const struct level *level, double value, double judged)
{
	struct text compared = {0};
	if (l->compare == COMPARE_ROUNDED) {
		struct text rest = {0};
		char decimals[16];
		snprintf(decimals, sizeof decimals, "%d", l->decimals);
		relation(&rest, x, level, judged);
		explain_phrase(&compared, SAY("{value}, to {decimals} decimals {compared}"),
			       "value", explain_number(x, value), "decimals", decimals, "compared",
			       rest.at, NULL);
		text_deinit(&rest);
	} else {
		relation(&compared, x, level, judged);
	}
	if (by_digits(level, judged))
		explain_phrase(out, SAY("{compared} to 12 digits"), "compared", compared.at, NULL);
	else
		text_add(out, compared.at == NULL ? "" : compared.at);
	text_deinit(&compared);
}

static void bounds(struct text *out, struct explain *x, const struct limit *l,
		   const struct level *level)
{
	const char *max =
		level == NULL ? explain_number(x, l->max) : explain_computed(x, level->max);
	const char *min =
		level == NULL ? explain_number(x, l->min) : explain_computed(x, level->min);
	if (l->has_max && l->has_min)
		explain_phrase(out, SAY("{min} to {max}"), "min", min, "max", max, NULL);
	else if (l->has_max)
		explain_phrase(out, SAY("at most {max}"), "max", max, NULL);
	else
		explain_phrase(out, SAY("at least {min}"), "min", min, NULL);
}

char *explain_limit_name(struct explain *x, const struct limit *l, const struct level *warning)
{
	struct text name = {0}, range = {0}, unit = {0};
	text_add(&unit, x->monitor->unit[0] == '\0' ? "" : " ");
	text_add(&unit, x->monitor->unit);
	bounds(&range, x, l, warning);
	explain_phrase(&name,
		       warning == NULL ? SAY("[{average} limit {bounds}{unit}, {source}]")
				       : SAY("[{average} warning {bounds}{unit}, {source}]"),
		       "average", gettext(average_name(l->average)), "bounds", range.at, "unit",
		       unit.at == NULL ? "" : unit.at, "source", gettext(l->source), NULL);
	text_deinit(&range);
	text_deinit(&unit);
	x->failed |= name.failed;
	return name.at;
}

/* --- readings --- */

void explain_why_words(struct text *out, enum why why, const struct reading *raw)
{
	const char flag[2] = {(char)raw->flag, '\0'};
	static const char *const words[WHYS] = {
		[WHY_COUNTED] = "",
		[WHY_FLAG] = SAY("flag {flag}"),
		[WHY_RANGE] = SAY("flag T (beyond the measuring range)"),
		[WHY_MARK] = SAY("marked"),
		[WHY_LATE] = SAY("late"),
		[WHY_SHUT] = SAY("measured while nothing was discharged"),
		[WHY_SETTLES] = SAY("settling after flow or instrument came back (settle_results)"),
		[WHY_HELD] = SAY("a result that is repeated (cycle_s)"),
		[WHY_FLOW] = SAY("without a known flow"),
	};
	explain_phrase(out, words[why], "flag", flag, NULL);
}

void explain_note_run(struct longest *longest, uint32_t results, int64_t ms)
{
	if (results > longest->results)
		longest->results = results;
	if (ms > longest->ms)
		longest->ms = ms;
}
