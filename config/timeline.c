/* SPDX-License-Identifier: Apache-2.0 */
#include "config/timeline.h"
#include "config/dates.h"

#include <stdlib.h>
#include <string.h>

static const char *const limit_names[] = {"limit of a value", "limit of the hour's mean",
					  "limit of the day's mean",
					  "limit of the day's largest mean of 8 hours"};

void timeline_add(struct walk *walk, struct timeline *timeline, const struct timed_limit *limit)
{
	if (limit->limit.source && timeline->n == timeline->room) {
		size_t room = timeline->room ? 2 * timeline->room : 8;
		struct timed_limit *grown = realloc(timeline->at, room * sizeof(*grown));
		if (grown) {
			timeline->at = grown;
			timeline->room = room;
		}
	}
	if (limit->limit.source && timeline->n < timeline->room) {
		timeline->at[timeline->n++] = *limit;
		return;
	}
	free(limit->limit.source);
	walk->faults->no_memory = true;
}

void timeline_deinit(struct timeline *timeline)
{
	for (size_t i = 0; i < timeline->n; i++)
		free(timeline->at[i].limit.source);
	free(timeline->at);
	*timeline = (struct timeline){0};
}

/* --- permits --- */

#define FOREVER 0x7fffffff
#define NOTICE_DAYS 180 /* a permit is to be renewed, a standard looked up */

static int last_day(const struct config_limit *limit)
{
	return limit->to_day == 0 ? FOREVER : limit->to_day;
}

/* The part of @limit within the days, if there is any; bounds that @but has are left out. */
static void add_part(struct walk *walk, struct timeline *out, const struct timed_limit *limit,
		     int from, int to, const struct config_limit *but)
{
	struct timed_limit part = *limit;
	struct config_limit *l = &part.limit;
	if (from > l->from_day)
		l->from_day = from;
	if (to < last_day(l))
		l->to_day = to;
	l->has_max = l->has_max && !(but && but->has_max);
	l->has_min = l->has_min && !(but && but->has_min);
	if (l->from_day > last_day(l) || to <= 0 || (!l->has_max && !l->has_min))
		return;
	l->source = schema_copy(walk, limit->limit.source);
	timeline_add(walk, out, &part);
}

/* Before, while and after the permit is valid. */
static void part_by(struct walk *walk, struct timeline *out, const struct timed_limit *limit,
		    const struct config_limit *permit)
{
	int end = last_day(permit);
	add_part(walk, out, limit, 0, permit->from_day - 1, NULL);
	add_part(walk, out, limit, permit->from_day, end, permit);
	if (end < FOREVER)
		add_part(walk, out, limit, end + 1, FOREVER, NULL);
}

static void give_way(struct walk *walk, struct timeline *timeline,
		     const struct config_limit *permit)
{
	struct timeline parted = {0};
	for (size_t i = 0; i < timeline->n; i++) {
		const struct timed_limit *limit = &timeline->at[i];
		if (limit->origin == ORIGIN_STANDARD && limit->limit.average == permit->average)
			part_by(walk, &parted, limit, permit);
		else
			add_part(walk, &parted, limit, 0, FOREVER, NULL);
	}
	timeline_deinit(timeline);
	*timeline = parted;
}

void timeline_prefer_permits(struct walk *walk, struct timeline *timeline)
{
	for (size_t i = 0; i < timeline->n && !walk->faults->no_memory; i++) {
		struct config_limit permit = timeline->at[i].limit;
		if (timeline->at[i].origin == ORIGIN_PERMIT && !timeline->at[i].went_first) {
			timeline->at[i].went_first = true;
			give_way(walk, timeline, &permit);
			i = (size_t)-1;
		}
	}
}

/* --- gaps --- */

/* The limit that covers the day for the longest; NULL: none does. */
static const struct timed_limit *cover(const struct timeline *timeline, int average, int day)
{
	const struct timed_limit *best = NULL;
	for (size_t i = 0; i < timeline->n; i++) {
		const struct timed_limit *t = &timeline->at[i];
		if ((int)t->limit.average == average && t->limit.from_day <= day &&
		    last_day(&t->limit) >= day &&
		    (!best || last_day(&t->limit) > last_day(&best->limit)))
			best = t;
	}
	return best;
}

/* The one that ended last before the day; NULL: none did. */
static const struct timed_limit *ended(const struct timeline *timeline, int average, int day)
{
	const struct timed_limit *last = NULL;
	for (size_t i = 0; i < timeline->n; i++) {
		const struct timed_limit *t = &timeline->at[i];
		if ((int)t->limit.average == average && last_day(&t->limit) < day &&
		    (!last || t->limit.to_day > last->limit.to_day))
			last = t;
	}
	return last;
}

/* A standard's limit that begins later, where nothing goes before it. */
static const struct timed_limit *begins(const struct timeline *timeline, int average)
{
	const struct timed_limit *first = NULL;
	for (size_t i = 0; i < timeline->n; i++) {
		const struct timed_limit *t = &timeline->at[i];
		if ((int)t->limit.average == average && t->origin == ORIGIN_STANDARD &&
		    (!first || t->limit.from_day < first->limit.from_day))
			first = t;
	}
	return first;
}

static const config_setting_t *place_of(const struct timed_limit *t)
{
	static const char *const keys[] = {
		[ORIGIN_OWN] = "to", [ORIGIN_STANDARD] = "standard", [ORIGIN_PERMIT] = "valid_to"};
	return schema_key(t->entry, keys[t->origin]);
}

static void say_gap(struct walk *walk, const struct timeline *timeline, int average,
		    const struct config_dates *dates, int today)
{
	const struct timed_limit *last = ended(timeline, average, today);
	const struct timed_limit *at = last ? last : begins(timeline, average);
	char text[DATE_TEXT], sentence[512];
	if (!at)
		return;
	date_text(last ? at->limit.to_day : at->limit.from_day, text);
	snprintf(sentence, sizeof(sentence),
		 "%s %s on %s, and no %s is in force on %s: a gap in time; state the one that is "
		 "with max or min",
		 at->limit.source, last ? "ended" : "begins", text, limit_names[average],
		 dates->today);
	if (dates->gap_is_fault)
		FAULT(walk, place_of(at), "%s", sentence);
	else
		NOTE(walk, place_of(at), "%s", sentence);
}

static void say_end(struct walk *walk, const struct timeline *timeline, int average, int today)
{
	const struct timed_limit *last = NULL;
	char text[DATE_TEXT];
	for (int day = today;;) {
		const struct timed_limit *next = cover(timeline, average, day);
		if (!next)
			break;
		last = next;
		if (last->limit.to_day == 0 || last->limit.to_day > today + NOTICE_DAYS)
			return;
		day = last->limit.to_day + 1;
	}
	NOTE(walk, place_of(last), "%s ends on %s, and nothing that follows it as %s is known here",
	     last->limit.source, date_text(last->limit.to_day, text), limit_names[average]);
}

/* Where a permit ended a standard may go on, which is seldom what is meant. */
static void say_permits(struct walk *walk, const struct timeline *timeline, int today)
{
	char text[DATE_TEXT];
	for (size_t i = 0; i < timeline->n; i++) {
		const struct timed_limit *t = &timeline->at[i];
		if (t->origin == ORIGIN_PERMIT && last_day(&t->limit) < today)
			NOTE(walk, place_of(t), "%s ended on %s; enter the one that follows it",
			     t->limit.source, date_text(t->limit.to_day, text));
	}
}

void timeline_check(struct walk *walk, const struct timeline *timeline,
		    const struct config_dates *dates)
{
	int today = dates ? date_days(dates->today) : 0;
	if (today > 0)
		say_permits(walk, timeline, today);
	for (int average = 0; today > 0 && average <= CONFIG_DAY_8H; average++) {
		if (cover(timeline, average, today))
			say_end(walk, timeline, average, today);
		else
			say_gap(walk, timeline, average, dates, today);
	}
}
