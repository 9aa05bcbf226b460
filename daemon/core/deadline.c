/* SPDX-License-Identifier: Apache-2.0 */
#include "core/deadline.h"

#include "core/refusal.h"

#define DAY_MS INT64_C(86400000)
enum { SEARCH_DAYS = 1000 }; /* for a working day: no list is that long */

static bool listed(const int64_t *days, size_t n, int64_t day)
{
	size_t low = 0, high = n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (days[middle] < day)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && days[low] == day;
}

bool workday(const struct workdays *days, int64_t day)
{
	if (listed(days->on, days->n_on, day))
		return true;
	if (listed(days->off, days->n_off, day))
		return false;
	int64_t weekday = ((day + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday; 0 is Sunday */
	return weekday >= 1 && weekday <= 5;
}

/* The @n-th working day before (@step -1) or after (+1) @day; 0: @day itself or the next. */
static int64_t workday_from(const struct workdays *days, int64_t day, int n, int step)
{
	int64_t end = day + step * (int64_t)SEARCH_DAYS;
	if (n == 0)
		for (; day != end && !workday(days, day); day += step)
			continue;
	for (; n > 0 && day != end; n -= workday(days, day))
		day += step;
	return day;
}

int64_t term_end(struct term term, int64_t from_ms, const struct workdays *days,
		 const struct zone *zone)
{
	int64_t day = zone_day(zone, from_ms);
	switch (term.unit) {
	case TERM_MINUTES:
		return from_ms + term.n * INT64_C(60000);
	case TERM_DAYS:
		day = workday_from(days, day + term.n, 0, 1);
		break;
	case TERM_WORKDAYS:
		day = workday_from(days, day, term.n, 1);
		break;
	case TERM_NONE:
	case TERM_HALF:
	default:
		return 0;
	}
	return zone_day_ms(zone, day + 1) - 1000;
}

/* The same time of the day, so many days before. */
static int64_t days_before(const struct zone *zone, int64_t at_ms, int64_t day)
{
	return zone_day_ms(zone, day) + at_ms - zone_day_ms(zone, zone_day(zone, at_ms));
}

static int64_t reminder_at(struct term term, const struct case_clock *clock,
			   const struct workdays *days, const struct zone *zone)
{
	int64_t day = zone_day(zone, clock->due_ms);
	switch (term.unit) {
	case TERM_MINUTES:
		return clock->due_ms - term.n * INT64_C(60000);
	case TERM_DAYS:
		return days_before(zone, clock->due_ms, day - term.n);
	case TERM_WORKDAYS:
		return days_before(zone, clock->due_ms, workday_from(days, day, term.n, -1));
	case TERM_HALF:
		return clock->stage_ms + (clock->due_ms - clock->stage_ms) / 2;
	case TERM_NONE:
	default:
		return 0;
	}
}

enum stage deadline_stage(enum case_status status, bool verified)
{
	switch (status) {
	case CASE_REGISTERED:
		return verified ? STAGE_ASSIGN : STAGE_VERIFY;
	case CASE_ASSIGNED:
		return STAGE_PLAN;
	case CASE_RECTIFYING:
		return STAGE_RECTIFY;
	case CASE_REVIEW:
		return STAGE_CHECK;
	case CASE_CLOSED:
	case CASE_WITHDRAWN:
	case CASE_STATUSES:
	default:
		return STAGE_NONE;
	}
}

static const struct terms *terms_of(const struct plan *plan, const struct case_clock *clock)
{
	return &plan->rules->terms[clock->kind][clock->severity];
}

static int64_t due_of(const struct plan *plan, const struct case_clock *clock)
{
	const struct terms *terms = terms_of(plan, clock);
	enum stage stage = deadline_stage(clock->status, clock->verified);
	struct term term = stage == STAGE_RECTIFY && clock->track == TRACK_PLANNED
				   ? terms->planned
				   : terms->stage[stage];
	return term_end(term, clock->stage_ms, &plan->rules->workdays, &plan->zone);
}

void deadline_begin(const struct plan *plan, struct case_clock *clock, int64_t now_ms)
{
	clock->stage_ms = now_ms;
	clock->due_ms = plan->rules == NULL ? 0 : due_of(plan, clock);
	clock->reminded = clock->escalation = 0;
	clock->extended = clock->fixed = false;
	clock->kept.due_ms = 0;
}

void deadline_check(const struct plan *plan, struct case_clock *clock, int64_t now_ms)
{
	const struct case_clock before = *clock;

	clock->status = CASE_REVIEW;
	deadline_begin(plan, clock, now_ms);
	clock->kept.stage_ms = before.stage_ms;
	clock->kept.due_ms = before.due_ms;
	clock->kept.extended = before.extended;
	clock->kept.fixed = before.fixed;
}

/* What rectification may take in all; 0: nothing holds it. */
static int64_t in_all(const struct plan *plan, const struct case_clock *clock)
{
	const struct terms *terms = terms_of(plan, clock);
	const struct workdays *days = &plan->rules->workdays;
	int64_t longest_ms = term_end(terms->longest, clock->stage_ms, days, &plan->zone),
		extended_ms = term_end(terms->extended, clock->stage_ms, days, &plan->zone);
	return longest_ms > extended_ms ? longest_ms : extended_ms;
}

void deadline_again(const struct plan *plan, struct case_clock *clock, int64_t now_ms)
{
	const struct case_clock before = *clock;

	clock->status = CASE_RECTIFYING;
	deadline_begin(plan, clock, now_ms);
	if (plan->rules == NULL || before.kept.due_ms == 0)
		return;
	clock->stage_ms = before.kept.stage_ms;
	clock->due_ms = before.kept.due_ms;
	clock->extended = before.kept.extended;
	clock->fixed = before.kept.fixed;
	if (clock->due_ms > now_ms)
		return;
	int64_t most_ms = in_all(plan, clock);
	clock->due_ms = term_end(terms_of(plan, clock)->stage[STAGE_RECTIFY], now_ms,
				 &plan->rules->workdays, &plan->zone);
	if (most_ms != 0 && most_ms < clock->due_ms)
		clock->due_ms = most_ms;
}

void deadline_tighten(const struct plan *plan, struct case_clock *clock)
{
	if (plan->rules == NULL || clock->due_ms == 0 || clock->extended || clock->fixed)
		return;
	int64_t due_ms = due_of(plan, clock);
	if (due_ms != 0 && due_ms < clock->due_ms)
		clock->due_ms = due_ms;
}

/* When reminder @i is due; 0 where the stage is too short for it. */
static int64_t reminder(const struct plan *plan, const struct case_clock *clock, int i)
{
	int64_t at = reminder_at(terms_of(plan, clock)->remind[i], clock, &plan->rules->workdays,
				 &plan->zone);
	return at > clock->stage_ms ? at : 0;
}

/* When escalation @level (1 to 3) is reached; 0: never. */
static int64_t escalation(const struct plan *plan, const struct case_clock *clock, int level)
{
	if (level == 1)
		return clock->due_ms;
	return term_end(terms_of(plan, clock)->escalate[level - 2], clock->due_ms,
			&plan->rules->workdays, &plan->zone);
}

static bool runs(const struct plan *plan, const struct case_clock *clock)
{
	return plan->rules != NULL && clock->due_ms != 0 && case_status_open(clock->status);
}

int64_t deadline_timer(const struct plan *plan, const struct case_clock *clock)
{
	if (!runs(plan, clock))
		return 0;
	if (clock->escalation == 0)
		for (int i = clock->reminded; i < REMINDERS; i++)
			if (reminder(plan, clock, i) != 0)
				return reminder(plan, clock, i);
	return clock->escalation < ESCALATIONS ? escalation(plan, clock, clock->escalation + 1) : 0;
}

enum deadline_word deadline_tell(const struct plan *plan, struct case_clock *clock, int64_t now_ms)
{
	if (!runs(plan, clock))
		return DEADLINE_NOTHING;
	for (int level = ESCALATIONS; level > clock->escalation; level--) {
		int64_t at = escalation(plan, clock, level);
		if (at == 0 || now_ms < at)
			continue;
		clock->escalation = level;
		return DEADLINE_OVERDUE;
	}
	for (int i = REMINDERS; i > clock->reminded && clock->escalation == 0; i--) {
		int64_t at = reminder(plan, clock, i - 1);
		if (at == 0 || now_ms < at)
			continue;
		clock->reminded = i;
		return DEADLINE_REMINDED;
	}
	return DEADLINE_NOTHING;
}

static bool too_long(const struct plan *plan, const struct case_clock *clock, int64_t due_ms)
{
	return clock->status == CASE_RECTIFYING && in_all(plan, clock) != 0 &&
	       due_ms > in_all(plan, clock);
}

const char *deadline_extend(const struct plan *plan, struct case_clock *clock, int64_t due_ms,
			    int64_t now_ms)
{
	bool bound = plan->rules != NULL && clock->due_ms != 0;
	if (bound && now_ms >= clock->due_ms)
		return refusal_text(REFUSE_PAST);
	if (bound && clock->extended)
		return refusal_text(REFUSE_ONCE);
	if (bound && due_ms <= clock->due_ms)
		return refusal_text(REFUSE_EARLIER);
	if (bound && due_ms - clock->due_ms > clock->due_ms - clock->stage_ms)
		return refusal_text(REFUSE_LENGTH);
	if (bound && too_long(plan, clock, due_ms))
		return refusal_text(REFUSE_EXTENDED);
	clock->due_ms = due_ms;
	clock->extended = true;
	clock->reminded = 0;
	return NULL;
}

/* What a date that a person names may not go beyond; 0: nothing. */
static int64_t latest(const struct plan *plan, const struct case_clock *clock)
{
	const struct terms *terms = terms_of(plan, clock);
	bool at_once = clock->status == CASE_RECTIFYING && clock->track == TRACK_IMMEDIATE;
	return term_end(at_once ? terms->stage[STAGE_RECTIFY] : terms->longest, clock->stage_ms,
			&plan->rules->workdays, &plan->zone);
}

/* Return: NULL; else why the deadline does not become @due_ms. */
static const char *settled(const struct case_clock *clock, int64_t due_ms, bool whole,
			   int64_t now_ms)
{
	if (due_ms == clock->due_ms)
		return NULL;
	if (!whole && (clock->fixed || clock->extended))
		return refusal_text(REFUSE_STEP);
	if (clock->fixed || clock->extended)
		return refusal_text(REFUSE_SETTLED);
	if (clock->due_ms != 0 && now_ms >= clock->due_ms)
		return refusal_text(REFUSE_MOVED);
	return NULL;
}

const char *deadline_plan(const struct plan *plan, struct case_clock *clock, int64_t due_ms,
			  bool whole, int64_t now_ms)
{
	const char *why = NULL;
	bool moves = whole || due_ms > clock->due_ms;
	if (plan->rules != NULL && due_ms <= now_ms)
		return refusal_text(REFUSE_AHEAD);
	if (plan->rules != NULL && latest(plan, clock) != 0 && due_ms > latest(plan, clock))
		return clock->status == CASE_RECTIFYING && clock->track == TRACK_IMMEDIATE
			       ? refusal_text(REFUSE_AT_ONCE)
			       : refusal_text(REFUSE_LONGEST);
	if (moves && plan->rules != NULL)
		why = settled(clock, due_ms, whole, now_ms);
	if (!moves || why != NULL)
		return why;
	clock->reminded = due_ms == clock->due_ms ? clock->reminded : 0;
	clock->due_ms = due_ms;
	clock->fixed = true;
	return NULL;
}
