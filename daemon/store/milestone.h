/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Milestone: a step of a plan (限期整改), with a deadline of its own, struck off when it is
 * reported.
 *
 * Nothing is stored beside the history: a step is what the last plan of that name says, done by the
 * first report of it after that, and what was said before and after its deadline stands there, too.
 */
#include "store/json.h"

struct milestone {
	const char *step;
	int64_t planned_ms, due_ms; /* due_ms 0: it has no deadline */
	int64_t done_ms;            /* 0: it is not struck off */
	size_t at;                  /* in the history */
};

/** reopened_from() - what a step of reopening took up again: the status that the last end before it
 * gave. Return: CASE_STATUSES where history[@at] is another step. */
enum case_status reopened_from(const struct history_view *history, size_t at);
/** milestone_at() - Return: true if history[@at] plans a step, and nothing later plans it again or
 * takes the case up again from withdrawal: what was planned before that is no plan any more. */
bool milestone_at(const struct history_view *history, size_t n, size_t at, struct milestone *out);
/** milestones_open() - how many are not struck off. @step: of this name alone; NULL: all */
int milestones_open(const struct history_view *history, size_t n, const char *step);

/** milestone_clock() - the deadline of a milestone as one of @clock's case, with what was said of
 * it until now (core/deadline.h) */
struct case_clock milestone_clock(const struct plan *plan, const struct case_clock *clock,
				  const struct history_view *history, size_t n,
				  const struct milestone *milestone);
/**
 * milestone_next() - the open milestone of which there is something to say first
 * @clock: of the case; only while it is rectified
 * Return: when, and @out; 0: never
 */
int64_t milestone_next(const struct plan *plan, const struct case_clock *clock,
		       const struct history_view *history, size_t n, struct milestone *out);
