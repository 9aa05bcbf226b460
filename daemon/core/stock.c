/* SPDX-License-Identifier: Apache-2.0 */
#include "core/stock.h"

enum { TENTH = 10 };

static bool is_within(int64_t at_ms, const struct stock_span *span)
{
	return at_ms >= span->from_ms && at_ms <= span->to_ms;
}

static bool span_needs(const struct stock_span *span, const struct stock_file *file,
		       const struct stock_rules *rules)
{
	if (span->from_ms > file->to_ms || span->to_ms < file->from_ms)
		return false;
	if (is_within(file->from_ms, span) || is_within(file->to_ms, span) || rules->holds == NULL)
		return true;
	return rules->holds(rules->context, file, span);
}

static bool file_needed(const struct stock_file *file, const struct stock_rules *rules)
{
	for (size_t i = 0; i < rules->n_spans; i++)
		if (span_needs(&rules->spans[i], file, rules))
			return true;
	return false;
}

void stock_settle(struct stock_file *files, size_t n, int64_t today)
{
	int64_t newest = INT64_MIN;

	for (size_t i = 0; i < n; i++) {
		if (files[i].day < newest)
			files[i].day = newest;
		else if (files[i].day <= today)
			newest = files[i].day;
	}
}

static int64_t keep_of(enum stock_class class, const struct stock_rules *rules)
{
	switch (class) {
	case STOCK_FRAMES:
		return rules->keep_frames;
	case STOCK_READINGS:
		return rules->keep_days;
	case STOCK_MINUTES:
		return rules->keep_minutes;
	case STOCK_HOURS:
	case STOCK_CLASSES:
	default:
		return INT32_MAX; /* whoever adds hours up counts their time */
	}
}

bool stock_early(const struct stock_file *file, enum stock_class class,
		 const struct stock_rules *rules)
{
	return file->day >= rules->today - keep_of(class, rules);
}

static bool may_go(const struct stock_file *file, enum stock_class class,
		   const struct stock_rules *rules, enum stock_why why)
{
	bool sent = class != STOCK_READINGS || file->last <= rules->sent;
	bool old = !stock_early(file, class, rules) && sent;
	bool there = class != STOCK_FRAMES || file->frames_bytes > 0;

	return there && (old || why == STOCK_ROOM) && !file->held && !file_needed(file, rules);
}

/* The oldest file of a class that may go. */
static bool find(const struct stock *stock, const struct stock_rules *rules,
		 struct stock_choice *choice)
{
	bool minutes = choice->class == STOCK_MINUTES;
	const struct stock_file *files = minutes ? stock->minutes : stock->readings;
	size_t n = minutes ? stock->n_minutes : stock->n_readings;

	if (choice->class == STOCK_HOURS)
		return choice->why == STOCK_ROOM && stock->hours_from_ms < rules->hours_stay_ms;
	for (choice->which = 0; choice->which < n; choice->which++)
		if (may_go(&files[choice->which], choice->class, rules, choice->why))
			return true;
	return false;
}

struct stock_choice stock_choose(const struct stock *stock, const struct stock_rules *rules)
{
	enum stock_why last = rules->used_bytes > rules->most_bytes ? STOCK_ROOM : STOCK_AGE;
	struct stock_choice c;

	for (c.why = STOCK_AGE; c.why <= last; c.why++)
		for (int i = 0; i < STOCK_CLASSES; i++) {
			c.class = (enum stock_class)i;
			if (find(stock, rules, &c))
				return c;
		}
	return (struct stock_choice){.why = STOCK_STAYS};
}

int64_t stock_most(int64_t max_bytes, int64_t disk_all_bytes)
{
	int64_t share = disk_all_bytes - disk_all_bytes / 16;

	return max_bytes < share ? max_bytes : share;
}

static bool is_short(int64_t left, int64_t all, bool now)
{
	int64_t tenth = all / TENTH;

	return left < (now ? tenth + tenth / 2 : tenth);
}

bool stock_filling(const struct stock_room *room, bool now)
{
	/* a large disk of which a tenth is left is not short of room for us */
	int64_t all =
		room->disk_all_bytes < room->most_bytes ? room->disk_all_bytes : room->most_bytes;

	return is_short(room->most_bytes - room->used_bytes, room->most_bytes, now) ||
	       is_short(room->disk_free_bytes, all, now);
}
