/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened: sentences, values, the curve, the episodes, the place.
 */
#include "deliver/dossier-parts.h"

#include "core/casewords.h"
#include "deliver/advice.h"
#include "deliver/sources.h"
#include "deliver/times.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EPISODES_SHOWN = 60, DATE_BYTES = 64 };

/* --- sentences --- */

/* What a sentence can name. */
struct facts {
	const char *kind, *average, *factor;
	struct text value, limit, multiple, share; /* the first two with their unit */
	struct text reason;                        /* of the newest episode */
	char when[DATE_BYTES], began[SHEET_TIME_BYTES], year[SHEET_TIME_BYTES];
};

/* "2026-11-22" of a mean of that day, "… 03:00" of an hour, the moment of a single reading. A mean
 * is told at the end of its time. */
static void when_words(const struct parts *parts, const char *average, int64_t wall_ms, char *out)
{
	bool day = average_daily(average_named(average));
	bool hour = average_named(average) == AVERAGE_HOUR;
	struct civil c = zone_civil(parts->sheet.zone, day || hour ? wall_ms - 1 : wall_ms);
	int n = parts->sheet.words == NULL
			? snprintf(out, DATE_BYTES, "%04d-%02d-%02d", (int)c.year, c.month, c.day)
			: snprintf(out, DATE_BYTES, "%d\u5e74%d\u6708%d\u65e5", (int)c.year,
				   c.month, c.day);
	if (hour)
		snprintf(out + n, DATE_BYTES - (size_t)n, " %02d:00", c.hour);
	else if (!day)
		snprintf(out + n, DATE_BYTES - (size_t)n, " %02d:%02d:%02d", c.hour, c.minute,
			 c.second);
}

static const char *factor_name(const struct parts *parts)
{
	const char *name = json_factor(parts->dossier->c, parts->dossier->plan, parts->sheet.words);
	return name == NULL ? "" : name;
}

static int64_t first_began(const json_t *c)
{
	return json_ms(json_array_get(json_object_get(c, "episodes"), 0), "began_at");
}

/* Of the newest episode, which is what a sentence says is so since then. */
static int64_t episode_began(const json_t *c)
{
	const json_t *episodes = json_object_get(c, "episodes");
	size_t n = json_array_size(episodes);
	int64_t ms = n == 0 ? 0 : json_ms(json_array_get(episodes, n - 1), "began_at");
	return ms == 0 ? json_ms(c, "opened_at") : ms;
}

/* What was discharged in the permit's year, and until when; as added up, else as the case has it.
 */
static double load_now(const struct parts *parts, int64_t *until_ms)
{
	const struct dossier_load *load = parts->dossier->load;
	double tonnes;
	*until_ms = json_ms(parts->dossier->c, "peak_at");
	if (load == NULL || load->chart == NULL || load->chart->n == 0)
		return json_load(parts->dossier->c, &tonnes) ? tonnes : 0;
	*until_ms = load->chart->last_ms + 1;
	return load->total;
}

static void load_words(const struct parts *parts, struct text *value, struct text *share,
		       int64_t *until_ms)
{
	const json_t *c = parts->dossier->c, *decimals = json_object_get(c, "decimals");
	double tonnes = load_now(parts, until_ms),
	       permit = json_number_value(json_object_get(c, "limit"));
	text_clear(value);
	text_fixed(value, tonnes,
		   json_is_integer(decimals) ? (int)json_integer_value(decimals) : 3);
	text_fixed(share, permit > 0 ? 100 * tonnes / permit : 0, 1);
}

static const char *newest_reason(const json_t *c)
{
	const json_t *episodes = json_object_get(c, "episodes");
	return json_words(json_array_get(episodes, json_array_size(episodes) - 1), "reason");
}

/* pH has none. */
static void add_unit(struct text *out, const json_t *c)
{
	const char *unit = json_words(c, "unit");
	if (out->length > 0 && unit != NULL && unit[0] != '\0')
		text_format(out, " %s", unit);
}

static void facts_take(struct facts *facts, const struct parts *parts)
{
	const json_t *c = parts->dossier->c;
	int64_t peak_ms = json_ms(c, "peak_at");
	*facts = (struct facts){.kind = json_words(c, "kind"), .average = json_words(c, "average")};
	facts->factor = factor_name(parts);
	part_value_words(parts, &facts->value, c, "peak_value");
	part_value_words(parts, &facts->limit, c, "limit");
	if (json_number_value(json_object_get(c, "multiple")) > 0)
		text_fixed(&facts->multiple, json_number_value(json_object_get(c, "multiple")), 2);
	if (json_is(c, "kind", "load"))
		load_words(parts, &facts->value, &facts->share, &peak_ms);
	add_unit(&facts->value, c);
	add_unit(&facts->limit, c);
	reason_words(&facts->reason, parts->sheet.words, newest_reason(c));
	when_words(parts, facts->average, peak_ms == 0 ? episode_began(c) : peak_ms, facts->when);
	sheet_moment(&parts->sheet, episode_began(c), facts->began);
	snprintf(facts->year, sizeof facts->year, "%d",
		 (int)zone_civil(parts->sheet.zone, load_began(c)).year);
}

static void facts_deinit(struct facts *facts)
{
	text_deinit(&facts->value);
	text_deinit(&facts->limit);
	text_deinit(&facts->multiple);
	text_deinit(&facts->share);
	text_deinit(&facts->reason);
}

/* The sentence of an exceedance: by bound, and whether a multiple exists. */
static const char *exceedance_sentence(const struct facts *facts, const char *bound)
{
	if (facts->value.length == 0 || facts->limit.length == 0)
		return SAY("{factor} is outside of its limit since {began}");
	if (bound != NULL && strcmp(bound, "min") == 0)
		return SAY("{when}: {factor}, {average} {value}, below the limit of {limit}");
	if (facts->multiple.length == 0)
		return SAY("{when}: {factor}, {average} {value}, above the limit of {limit}");
	return SAY("{when}: {factor}, {average} {value}, above the limit of {limit}, "
		   "{multiple} times over");
}

static const char *kind_sentence(const struct parts *parts, const struct facts *facts)
{
	const json_t *c = parts->dossier->c;
	static const struct {
		const char *kind, *sentence;
	} sentences[] = {
		{"warning", SAY("{when}: {factor}, {average} {value}, near the limit of {limit}")},
		{"stale", SAY("No valid data of {factor} since {began}")},
		{"flat", SAY("{factor} reads {value} without change since {began}")},
		{"step", SAY("{when}: {factor} jumped to {value}")},
		{"undetermined", SAY("Too few valid data of {factor} since {began} for a verdict")},
		{"load", SAY("{factor}: {value} were discharged from the beginning of {year} "
			     "until {when}, {share}% of the {limit} that are permitted in "
			     "the year")},
		{"above", SAY("{factor}: {value} were discharged from the beginning of {year} "
			      "until {when}, more than the {limit} that are permitted in "
			      "the year ({share}%)")},
		{"fault", SAY("The equipment reports a fault since {began}")},
		{"connection", SAY("The connection is interrupted since {began}")},
		{"clue", SAY("A clue that is to be looked into, since {began}")},
		{"sign",
		 SAY("{factor}, since {began}: {reason}. A clue that is to be looked into")},
	};
	const char *kind = facts->kind;
	if (strcmp(json_words(c, "source"), "automatic") != 0)
		return json_words(c, "title") != NULL && !parts->dossier->open
			       ? SAY("What is reported: {title}")
			       : SAY("Registered by hand on {began}; source: {source}");
	if (json_is(c, "kind", "load") && strcmp(json_kind(c), kind_words(kind)) == 0)
		kind = "above";
	if (json_is(c, "kind", "clue") && facts->reason.length > 0)
		kind = "sign";
	for (size_t i = 0; kind != NULL && i < sizeof sentences / sizeof sentences[0]; i++)
		if (strcmp(kind, sentences[i].kind) == 0)
			return sentences[i].sentence;
	return exceedance_sentence(facts, json_words(c, "bound"));
}

static void say_main(struct parts *parts)
{
	struct facts facts;
	facts_take(&facts, parts);
	sheet_phrase(&parts->sheet, kind_sentence(parts, &facts), "when", facts.when, "began",
		     facts.began, "factor", facts.factor, "average",
		     sheet_word(&parts->sheet, facts.average), "value", facts.value.at, "limit",
		     facts.limit.at, "reason", facts.reason.at, "multiple", facts.multiple.at,
		     "share", facts.share.at, "year", facts.year, "source",
		     sheet_word(&parts->sheet, json_words(parts->dossier->c, "source")), "title",
		     json_words(parts->dossier->c, "title"), NULL);
	facts_deinit(&facts);
}

/* The last moment of the last window of means: midnight would be read as the next day. */
static int64_t shown_end(const struct parts *parts, const json_t *episode)
{
	int64_t end_ms = json_episode_end(parts->dossier->c, episode, parts->sheet.zone);
	return end_ms != 0 && end_ms != json_ms(episode, "ended_at") ? end_ms - 1 : end_ms;
}

/* How long something was wrong in all, in hours with one decimal; 0: it is not known. */
static void hours_words(const struct parts *parts, struct text *out)
{
	const json_t *c = parts->dossier->c, *episode;
	struct times times = {0};
	size_t i;
	json_array_foreach(json_object_get(c, "episodes"), i, episode)
	{
		int64_t end_ms = json_episode_end(c, episode, parts->sheet.zone);
		times_add(&times, (struct span){json_ms(episode, "began_at"),
						end_ms == 0 ? parts->dossier->now_ms : end_ms});
	}
	text_fixed(out, (double)times_ms(&times) / 3600e3, 1);
	free(times.at);
}

static bool goes_on(const json_t *c)
{
	const json_t *episode;
	size_t i;
	json_array_foreach(json_object_get(c, "episodes"), i, episode)
	{
		if (json_ms(episode, "ended_at") == 0)
			return true;
	}
	return false;
}

static const char *duration_sentence(size_t n, bool on)
{
	if (n == 1)
		return on ? SAY("It began on {from} and goes on; hours so far: {hours}.")
			  : SAY("It lasted from {from} to {to}; hours: {hours}.");
	return on ? SAY("Episodes: {count}; hours in all so far: {hours}. The first began on "
			"{from}; the last began on {last} and goes on.")
		  : SAY("Episodes: {count}; hours in all: {hours}. The first began on {from}; "
			"the last lasted from {last} to {to}.");
}

static void say_duration(struct parts *parts)
{
	const json_t *episodes = json_object_get(parts->dossier->c, "episodes");
	size_t n = json_array_size(episodes);
	const json_t *newest = json_array_get(episodes, n == 0 ? 0 : n - 1);
	char count[24], from[SHEET_TIME_BYTES], last[SHEET_TIME_BYTES], to[SHEET_TIME_BYTES];
	struct text hours = {0};
	if (n == 0 || json_is(parts->dossier->c, "kind", "load"))
		return; /* of a load the shares of the permit follow each other */
	int64_t end_ms = shown_end(parts, newest);
	snprintf(count, sizeof count, "%zu", n);
	hours_words(parts, &hours);
	sheet_markup(&parts->sheet, "<p>");
	sheet_phrase(&parts->sheet, duration_sentence(n, goes_on(parts->dossier->c)), "count",
		     count, "hours", hours.at, "from",
		     sheet_moment(&parts->sheet, first_began(parts->dossier->c), from), "last",
		     sheet_moment(&parts->sheet, json_ms(newest, "began_at"), last), "to",
		     sheet_moment(&parts->sheet, end_ms, to), NULL);
	sheet_markup(&parts->sheet, "</p>\n");
	text_deinit(&hours);
}

void part_facts(struct parts *parts)
{
	part_begin(parts, SAY("Facts"));
	sheet_markup(&parts->sheet, "<p><strong>");
	sheet_say(&parts->sheet, json_kind(parts->dossier->c));
	sheet_markup(&parts->sheet, "</strong> ");
	sheet_text(&parts->sheet, part_site_name(parts));
	sheet_markup(&parts->sheet, "</p>\n<p class=\"fact\">");
	say_main(parts);
	sheet_markup(&parts->sheet, "</p>\n");
	say_duration(parts);
	part_rain(parts);
	part_end(parts);
}

void part_untold(struct parts *parts)
{
	part_begin(parts, SAY("Facts"));
	sheet_markup(&parts->sheet, "<p><strong>");
	sheet_say(&parts->sheet, json_kind(parts->dossier->c));
	sheet_markup(&parts->sheet, "</strong> ");
	sheet_text(&parts->sheet, part_site_name(parts));
	sheet_markup(&parts->sheet, "</p>\n<p>");
	sheet_say(&parts->sheet, SAY("What was found, and when, is not public until the case is "
				     "verified."));
	sheet_markup(&parts->sheet, "</p>\n");
	part_end(parts);
}

void part_advice(struct parts *parts)
{
	enum alert_kind kind = advice_kind(json_words(parts->dossier->c, "kind"));
	bool automatic = strcmp(json_words(parts->dossier->c, "source"), "automatic") == 0;
	if (kind == ALERT_KINDS || !automatic || parts->site == NULL)
		return;
	struct advice advice = advice_of(kind, parts->site->kind);
	part_begin(parts, SAY("What it means and asks for"));
	part_pairs(parts);
	part_row_word(parts, SAY("What it means"), advice.consequence);
	part_row_word(parts, SAY("What to do"), advice.action);
	part_row_word(parts, SAY("How soon"), advice.time);
	part_pairs_end(parts);
	part_end(parts);
}

/* --- values --- */

static void row_value(struct parts *parts, const char *name, const char *member)
{
	if (!json_is_number(json_object_get(parts->dossier->c, member)))
		return;
	part_row_begin(parts, name);
	part_value(parts, parts->dossier->c, member);
	part_row_end(parts);
}

static void row_multiple(struct parts *parts)
{
	const json_t *multiple = json_object_get(parts->dossier->c, "multiple");
	struct text words = {0};
	if (json_is_number(multiple) && json_number_value(multiple) > 0) {
		text_fixed(&words, json_number_value(multiple), 2);
		part_row(parts, SAY("times over"), words.at);
	}
	text_deinit(&words);
}

/* Of a load all values are the year's sum as it grew. */
static void rows_load(struct parts *parts)
{
	struct text now = {0}, share = {0};
	int64_t until_ms;
	load_words(parts, &now, &share, &until_ms);
	text_char(&now, ' ');
	text_add(&now, json_words(parts->dossier->c, "unit"));
	text_char(&share, '%');
	row_value(parts, SAY("permitted in the year"), "limit");
	part_row_source(parts, SAY("Source of the permit"),
			json_words(parts->dossier->c, "limit_source"));
	row_value(parts, SAY("discharged in the year when it was registered"), "first_value");
	part_row(parts, SAY("discharged in the year so far"), now.at);
	part_row_time(parts, SAY("until"), until_ms);
	part_row(parts, SAY("share of permit"), share.at);
	text_deinit(&now);
	text_deinit(&share);
}

static void rows_values(struct parts *parts)
{
	const json_t *c = parts->dossier->c;
	const int64_t peak_ms = json_ms(c, "peak_at");
	char when[DATE_BYTES] = "";
	part_row_word(parts, SAY("averaging"), json_words(c, "average"));
	row_value(parts, SAY("limit"), "limit");
	part_row_source(parts, SAY("Source of the limit"), json_words(c, "limit_source"));
	row_value(parts, SAY("first value"), "first_value");
	row_value(parts, SAY("peak value"), "peak_value");
	if (peak_ms != 0)
		when_words(parts, json_words(c, "average"), peak_ms, when);
	part_row(parts, SAY("peak at"), when);
	row_value(parts, SAY("last value"), "last_value");
	row_multiple(parts);
}

void part_values(struct parts *parts)
{
	const json_t *c = parts->dossier->c;
	if (json_words(c, "factor") == NULL)
		return; /* by hand, about no one factor */
	part_begin(parts, SAY("Values"));
	part_pairs(parts);
	if (parts->secrecy == SECRECY_NONE)
		part_row(parts, SAY("Site id"), json_words(c, "site"));
	part_row(parts, SAY("Factor"), factor_name(parts));
	part_row(parts, SAY("Code of the factor"), json_words(c, "factor"));
	part_row_word(parts, SAY("kind"), json_kind(c));
	if (json_is(c, "kind", "load") && json_is_number(json_object_get(c, "limit")))
		rows_load(parts);
	else
		rows_values(parts);
	part_pairs_end(parts);
	part_end(parts);
}

/* --- factors that have joined --- */

const char *part_factor(const struct parts *parts, const json_t *of)
{
	const char *site = json_words(parts->dossier->c, "site"),
		   *factor = json_words(of, "factor");
	uint32_t monitor =
		site == NULL ? NO_INDEX : plan_monitor(parts->dossier->plan, site, factor);
	return monitor == NO_INDEX
		       ? factor
		       : factor_words(parts->sheet.words, &parts->dossier->plan->monitors[monitor]);
}

static void factor_row(struct parts *parts, const json_t *factor)
{
	struct sheet *sheet = &parts->sheet;
	const json_t *multiple = json_object_get(factor, "multiple");
	sheet_markup(sheet, "<tr><td>");
	sheet_text(sheet, part_factor(parts, factor));
	sheet_markup(sheet, "</td><td>");
	part_value(parts, factor, "peak_value");
	sheet_markup(sheet, "</td><td>");
	sheet_time(sheet, json_ms(factor, "peak_at"));
	sheet_markup(sheet, "</td><td>");
	part_value(parts, factor, "limit");
	sheet_markup(sheet, "</td><td>");
	if (json_is_number(multiple))
		text_fixed(sheet->out, json_number_value(multiple), 2);
	else
		text_char(sheet->out, '-');
	sheet_markup(sheet, "</td></tr>\n");
}

void part_factors(struct parts *parts)
{
	static const char *const heads[] = {SAY("Factor"), SAY("peak value"), SAY("peak at"),
					    SAY("limit"), SAY("times over")};
	const json_t *factors = json_object_get(parts->dossier->c, "factors");
	if (json_array_size(factors) == 0)
		return;
	part_begin(parts, SAY("Factors of the same event"));
	part_newest(parts, heads, sizeof heads / sizeof heads[0], factors, EPISODES_SHOWN,
		    factor_row);
	part_end(parts);
}

/* --- episodes --- */

/* Which columns a table of episodes has. */
static bool has_member(const json_t *list, const char *name)
{
	const json_t *one;
	size_t i;
	json_array_foreach(list, i, one) if (json_words(one, name) != NULL) return true;
	return false;
}

static void cell(struct parts *parts, const char *words)
{
	sheet_markup(&parts->sheet, "<td>");
	sheet_text(&parts->sheet, words);
	sheet_markup(&parts->sheet, "</td>");
}

static void reason_cell(struct parts *parts, const json_t *episode)
{
	struct text words = {0};
	reason_words(&words, parts->sheet.words, json_words(episode, "reason"));
	cell(parts, words.at);
	text_deinit(&words);
}

static void episode_row(struct parts *parts, const json_t *episode)
{
	const json_t *episodes = json_object_get(parts->dossier->c, "episodes");
	struct sheet *sheet = &parts->sheet;
	int64_t end_ms = shown_end(parts, episode);
	sheet_markup(sheet, "<tr>");
	if (has_member(episodes, "factor"))
		cell(parts, part_factor(parts, episode));
	if (has_member(episodes, "reason"))
		reason_cell(parts, episode);
	sheet_markup(sheet, "<td>");
	sheet_time(sheet, json_ms(episode, "began_at"));
	sheet_markup(sheet, "</td><td>");
	if (end_ms == 0)
		sheet_say(sheet, SAY("goes on"));
	else
		sheet_time(sheet, end_ms);
	sheet_markup(sheet, "</td><td>");
	part_value(parts, episode, "peak_value");
	sheet_markup(sheet, "</td><td>");
	part_value(parts, episode, "limit");
	sheet_markup(sheet, "</td><td>");
	part_source(parts, json_words(episode, "limit_source"));
	sheet_markup(sheet, "</td></tr>\n");
}

void part_episodes(struct parts *parts)
{
	static const char *const always[] = {SAY("Began"), SAY("Ended"), SAY("peak value"),
					     SAY("limit"), SAY("Source of the limit")};
	const json_t *episodes = json_object_get(parts->dossier->c, "episodes");
	const char *heads[2 + sizeof always / sizeof always[0]];
	size_t n = 0;
	if (json_array_size(episodes) == 0)
		return;
	if (has_member(episodes, "factor"))
		heads[n++] = SAY("Factor");
	if (has_member(episodes, "reason"))
		heads[n++] = json_is(parts->dossier->c, "kind", "load") ? SAY("share of permit")
									: SAY("Sign");
	memcpy(heads + n, always, sizeof always);
	part_begin(parts, SAY("Episodes"));
	part_newest(parts, heads, n + sizeof always / sizeof always[0], episodes, EPISODES_SHOWN,
		    episode_row);
	part_end(parts);
}

/* --- place --- */

void part_place(struct parts *parts)
{
	const struct site *site = parts->site;
	char place[64];
	part_begin(parts, SAY("Place"));
	part_pairs(parts);
	part_row(parts, SAY("Site"), part_site_name(parts));
	if (site != NULL && parts->secrecy == SECRECY_NONE) {
		part_row_code(parts, SAY("Kind of site"), site_kind_name(site->kind));
		part_row(parts, SAY("River"), site->river);
		part_row(parts, SAY("Subdistrict"), site->subdistrict);
		part_row(parts, SAY("Community"), site->community);
		if (site->has_place) {
			snprintf(place, sizeof place, "%.6f, %.6f", site->longitude,
				 site->latitude);
			part_row(parts, SAY("Longitude, latitude"), place);
		}
	} else if (site != NULL) {
		part_row_code(parts, SAY("Kind of site"), site_kind_name(site->kind));
	} else {
		part_row_word(parts, SAY("Configuration"), SAY("the site is no longer configured"));
	}
	part_pairs_end(parts);
	part_end(parts);
}
