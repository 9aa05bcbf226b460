/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Timeline: the limits of one monitor over the years. It lets a permit go before the standards
 * while it is valid, and finds the days that no limit covers any more.
 */
#include "config/schema.h"

enum origin { ORIGIN_OWN, ORIGIN_STANDARD, ORIGIN_PERMIT };

struct timed_limit {
	struct config_limit limit;
	enum origin origin;
	const config_setting_t *entry; /* where it is written */
	bool went_first;               /* a permit whose precedence is settled */
};

struct timeline {
	struct timed_limit *at;
	size_t n, room;
};

/** timeline_add() - takes over the limit's source, also where memory runs out (@walk hears of it)
 */
void timeline_add(struct walk *walk, struct timeline *timeline, const struct timed_limit *limit);
/**
 * timeline_prefer_permits() - while a permit is valid, its bounds take the place of those of the
 * standards' limits of the same averaging; what it does not bound, and what is measured before and
 * after, stays theirs
 */
void timeline_prefer_permits(struct walk *walk, struct timeline *timeline);
/**
 * timeline_check() - an averaging that had a limit and has none today is a gap in time: a fault, or
 * a note where @dates says so; one that is known to end within 180 days is a note
 */
void timeline_check(struct walk *walk, const struct timeline *timeline,
		    const struct config_dates *dates);
void timeline_deinit(struct timeline *timeline);
