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

bool stock_early(const struct stock_file *file, const struct stock_rules *rules)
{
	return file->day >= rules->today - rules->keep_days;
}

static bool may_go(const struct stock_file *file, const struct stock_rules *rules,
		   enum stock_why why)
{
	bool old = !stock_early(file, rules) && file->last <= rules->sent;

	return (old || why == STOCK_ROOM) && !file->held && !file_needed(file, rules);
}

enum stock_why stock_next(const struct stock_file *files, size_t n, const struct stock_rules *rules,
			  size_t *which)
{
	bool full = rules->used_bytes > rules->most_bytes;

	for (enum stock_why why = STOCK_AGE; why <= (full ? STOCK_ROOM : STOCK_AGE); why++)
		for (*which = 0; *which < n; ++*which)
			if (may_go(&files[*which], rules, why))
				return why;
	return STOCK_STAYS;
}

enum stock_why stock_next_frames(const struct stock_file *files, size_t n,
				 const struct stock_rules *rules, size_t *which)
{
	bool full = rules->used_bytes > rules->most_bytes;

	for (*which = 0; *which < n; ++*which) {
		const struct stock_file *file = &files[*which];
		bool old = file->day < rules->today - rules->keep_frames;
		if (file->frames_bytes > 0 && (old || full) && !file->held &&
		    !file_needed(file, rules))
			return old ? STOCK_AGE : STOCK_ROOM;
	}
	return STOCK_STAYS;
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
