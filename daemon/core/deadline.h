/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Deadline: when a case falls due, and what is to be said before and after. Time is an argument.
 *
 *      stage begins                 reminders          due      later     still later
 *   ───────┼──────────────────────────┼─────────┼───────┼─────────┼───────────┼──►
 *   escalation 0                  "reminded" "reminded" 1 催办     2 督办单     3 建议提请上级督办
 *
 * Due times stand on the wall clock, as people read them; whoever asks late (a daemon that was
 * down, a clock that was set) hears of the newest thing only: what a later one has made pointless
 * is passed over. A case that has ended keeps its last deadline, which then says no more.
 *
 * Rectification has one deadline, however often it is returned:
 *
 *   plan        reported        returned, relapsed        reported
 *   ──┼─────────────┼───────────────┼─────────────────────────┼──►
 *     rectify ······ check ········· rectify again: what was named, or extended, holds still
 */
#include "core/caserules.h"

/* What the deadlines need to know of a case. */
struct case_clock {
	enum site_kind kind;
	enum severity severity;
	enum case_status status;
	bool verified;
	enum case_track track;
	int64_t stage_ms; /* since when this stage runs */
	int64_t due_ms;   /* 0: it has no deadline */
	int reminded;     /* reminders of this deadline that are behind */
	int escalation;   /* 0 to 3; above 0 it was said to be overdue */
	bool extended;    /* this deadline was moved once */
	bool fixed;       /* a person has set it: from then on only an extension moves it */
	struct {
		int64_t stage_ms, due_ms; /* due_ms 0: nothing is kept */
		bool extended, fixed;
	} kept; /* of rectification, while it is checked */
};

/** workday() - @day counted from 1970-01-01: the lists, else Monday to Friday */
bool workday(const struct workdays *days, int64_t day);

/**
 * term_end() - when a term that begins at @from_ms ends
 *
 * Minutes run on. Days and working days are those of the zone: the day of the beginning does not
 * count, and the last one counts to its end (23:59:59); calendar days that end on a day off go on
 * to the next working day. Return: 0 for TERM_NONE.
 */
int64_t term_end(struct term term, int64_t from_ms, const struct workdays *days,
		 const struct zone *zone);

/** deadline_stage() - which stage a status is in */
enum stage deadline_stage(enum case_status status, bool verified);

/** deadline_begin() - a new stage, or the same one anew, begins now: sets stage_ms, due_ms and
 * forgets reminders, escalation, extension and what a person had set. Without rules there is no
 * deadline. */
void deadline_begin(const struct plan *plan, struct case_clock *clock, int64_t now_ms);

/** deadline_check() - rectification is reported, and what is left of its deadline kept; the stage
 * of the check begins */
void deadline_check(const struct plan *plan, struct case_clock *clock, int64_t now_ms);

/**
 * deadline_again() - back from the check to rectification, which goes on with the deadline it had
 *
 * Where that has passed meanwhile, the case has the term for what is put right at once, but none
 * beyond the longest with an extension, counted from when rectification began.
 */
void deadline_again(const struct plan *plan, struct case_clock *clock, int64_t now_ms);

/** deadline_tighten() - the severity has risen: an earlier deadline of the same stage holds, unless
 * a person has set the one there is */
void deadline_tighten(const struct plan *plan, struct case_clock *clock);

/** deadline_timer() - when there is something to say next; 0: never */
int64_t deadline_timer(const struct plan *plan, const struct case_clock *clock);

enum deadline_word { DEADLINE_NOTHING, DEADLINE_REMINDED, DEADLINE_OVERDUE };
/** deadline_tell() - what is to be said at @now_ms; @clock counts it, so that it is said once */
enum deadline_word deadline_tell(const struct plan *plan, struct case_clock *clock, int64_t now_ms);

/**
 * deadline_extend() - 延期: before the deadline has passed, once, by at most the original term,
 * and in rectification up to the longest with an extension
 * Return: NULL and @clock moved; else why not, as a sentence. Without a deadline any is set.
 */
const char *deadline_extend(const struct plan *plan, struct case_clock *clock, int64_t due_ms,
			    int64_t now_ms);

/**
 * deadline_plan() - whoever assigns or plans names when it will be done, the whole or a step
 * @whole: the case's deadline is set to it; else it is only moved out where the step lies beyond
 * What is put right at once has the term of its stage at most, all else the longest. The first date
 * settles the deadline; another one is an extension, with what that asks.
 * Return: NULL and @clock moved; else why not, as a sentence.
 */
const char *deadline_plan(const struct plan *plan, struct case_clock *clock, int64_t due_ms,
			  bool whole, int64_t now_ms);
