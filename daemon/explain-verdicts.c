/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts as sentences: why they came, and what they did to a case. */
#include "explain-lines.h"

#include "backtest-events.h"
#include "core/clue.h"
#include "core/supcase.h"

#include <libintl.h>
#include <stdlib.h>
#include <string.h>

/* --- why a condition of the signal holds --- */

static void say_clue_limit(struct explain *x, const struct verdict *v, const char *english,
			   uint64_t count, double limit, int64_t ms)
{
	explain_say(x, v->time_ms, english, "count", explain_count(x, count), "limit",
		    explain_number(x, limit), "seconds", explain_seconds(x, ms), NULL);
}

static const struct contradiction *contradiction_of(const struct clue_rules *rules,
						    const char *reason)
{
	for (size_t i = 0; i < rules->n_contradictions; i++)
		if (strcmp(rules->contradictions[i].reason, reason) == 0)
			return &rules->contradictions[i];
	return NULL;
}

static void say_contradiction(struct explain *x, const struct verdict *v,
			      const struct contradiction *c)
{
	const struct clue_rules *rules = x->monitor->clues;
	const struct plan *plan = x->subject.plan;
	const char *english =
		c->kind == CONTRADICTION_SATURATION
			? SAY("{value} is above {times} times the saturation of oxygen at the "
			      "{other_value} °C of {other}, for {count} results and {seconds} s")
			: SAY("{value} is above {times} times the {other_value} of {other}, for "
			      "{count} results and {seconds} s");
	explain_say(x, v->time_ms, english, "value", explain_number(x, v->value), "times",
		    explain_computed(x, c->times), "other_value",
		    explain_number(x, x->evaluator->monitors[c->other].valid_value), "other",
		    plan->monitors[c->other].factor, "count",
		    explain_count(x, rules->contradicts_count), "seconds",
		    explain_seconds(x, rules->hold_ms), NULL);
}

static bool is_low_by_itself(const struct monitor *m, double value)
{
	return signal_is_dead(m, value) || (m->has_range && value < m->range_low);
}

static void say_clue(struct explain *x, const struct verdict *v)
{
	const struct clue_rules *rules = x->monitor->clues;
	if (strcmp(v->reason, "over_range") == 0)
		say_clue_limit(x, v,
			       SAY("above the measuring range, which ends at {limit}, with a limit "
				   "inside it"),
			       0, x->monitor->range_high, 0);
	else if (strcmp(v->reason, "under_range") == 0 && !is_low_by_itself(x->monitor, v->value))
		explain_say(x, v->time_ms,
			    SAY("{value} where most of what is read beside it shows no water"),
			    "value", explain_number(x, v->value), NULL);
	else if (strcmp(v->reason, "under_range") == 0)
		say_clue_limit(
			x, v,
			SAY("below the measuring range, or what a dead signal gives, up to "
			    "{limit}"),
			0, x->monitor->has_dead ? x->monitor->dead_at : x->monitor->range_low, 0);
	else if (strcmp(v->reason, "impossible") == 0)
		explain_say(
			x, v->time_ms,
			SAY("{value} is no measurement: a logger's code, or more than water can "
			    "have"),
			"value", explain_number(x, v->value), NULL);
	else if (strcmp(v->reason, "fill_code") == 0)
		explain_say(x, v->time_ms,
			    SAY("{value} is what loggers write where they have nothing; it may be "
				"measured as well, or be all that the analyser can show: somebody "
				"has to look"),
			    "value", explain_number(x, v->value), NULL);
	else if (strcmp(v->reason, "out_of_order") == 0)
		say_clue_limit(x, v,
			       SAY("{count} late readings in a row, each newer than the one before "
				   "it: one "
				   "was dated ahead, or the clock was set back"),
			       x->monitor->late_count, 0, 0);
	else if (strcmp(v->reason, "dated_ahead") == 0)
		explain_say(x, v->time_ms,
			    SAY("a row is dated ahead of all that follows, which goes on from the "
				"rows before: its time cannot be, and it is no reading"),
			    NULL);
	else if (rules == NULL)
		return;
	else if (strcmp(v->reason, "clipped") == 0)
		say_clue_limit(x, v,
			       SAY("{count} results in a row, and {seconds} s, at the top of the "
				   "range, from {limit} on"),
			       rules->clipped_count, rules->clipped_from, rules->hold_ms);
	else if (strcmp(v->reason, "weak_flat") == 0)
		say_clue_limit(x, v,
			       SAY("the last {count} results have a coefficient of variation below "
				   "{limit}"),
			       rules->weak_flat_count, rules->weak_flat_share, 0);
	else if (strcmp(v->reason, "repeating") == 0)
		say_clue_limit(x, v,
			       SAY("a pattern of results repeats over the last {count} or more"),
			       rules->repeating_count, 0, 0);
	else if (strcmp(v->reason, "flagged") == 0)
		say_clue_limit(x, v, SAY("set aside by flag or mark for {seconds} s"), 0, 0,
			       rules->flagged_after_ms);
	else if (strcmp(v->reason, "shut") == 0)
		say_clue_limit(x, v,
			       SAY("{count} results change by more than the share {limit} while "
				   "nothing is discharged"),
			       rules->shut_count, rules->shut_share, 0);
	else if (strcmp(v->reason, "shut_over_limit") == 0)
		say_clue_limit(x, v,
			       SAY("for {seconds} s what is measured while nothing is discharged "
				   "lies beyond a limit"),
			       0, 0, rules->shut_after_ms);
	else if (strcmp(v->reason, "settled") == 0)
		say_clue_limit(x, v,
			       SAY("{count} results in a row that were set aside as the first ones "
				   "after a stop lie beyond a limit"),
			       rules->shut_count, 0, 0);
	else if (strcmp(v->reason, "negative_flow") == 0)
		say_clue_limit(x, v,
			       SAY("{count} results in a row, and {seconds} s, of a flow that runs "
				   "backwards, which is taken for discharge"),
			       rules->contradicts_count, 0, rules->hold_ms);
	else if (strncmp(v->reason, "alike ", 6) == 0)
		explain_say(x, v->time_ms, SAY("the same {count} results in a row as at {other}"),
			    "count", explain_count(x, rules->alike_count), "other", v->reason + 6,
			    NULL);
	else if (contradiction_of(rules, v->reason) != NULL)
		say_contradiction(x, v, contradiction_of(rules, v->reason));
}

static void say_step(struct explain *x, const struct verdict *v)
{
	static const char *const english[] = {
		[STEP_NONE] = "",
		[STEP_MAX] =
			SAY("{value} is further than {step} (max_step) from the valid {before} "
			    "before it"),
		[STEP_HOUR] = SAY("{value} is further than {step} (max_step_hour) from the valid "
				  "{before} before it"),
		[STEP_TIMES] = SAY("{value} is above {times} times the valid {before} before it "
				   "(step_times), and above {step} (step_share)"),
	};
	double allowed;
	enum step_rule rule =
		step_rule(x->monitor, &x->step, x->valid_value, x->valid_ms, &allowed);
	explain_say(x, v->time_ms, english[rule], "value", explain_number(x, v->value), "step",
		    explain_computed(x, allowed), "times",
		    explain_number(x, x->monitor->step_times), "before",
		    explain_number(x, x->valid_value), NULL);
}

static void say_why(struct explain *x, const struct verdict *v)
{
	const struct monitor *m = x->monitor;
	if (v->kind == ALERT_STALE)
		explain_say(x, v->time_ms,
			    SAY("for {seconds} s nothing came, or only flag B (stale_after_s)"),
			    "seconds", explain_seconds(x, m->stale_after_ms), NULL);
	else if (v->kind == ALERT_FLAT)
		explain_say(x, v->time_ms,
			    SAY("since {since} the values differ by at most {band} (flat_band)"),
			    "since", explain_time(x, v->began_ms), "band",
			    explain_number(x, m->flat_band), NULL);
	else if (v->kind == ALERT_STEP)
		say_step(x, v);
	else if (v->kind == ALERT_CLUE)
		say_clue(x, v);
	else if (v->kind == ALERT_LOAD)
		explain_say(x, v->time_ms,
			    SAY("the load of the year is {load} t, above {share} of the permitted "
				"{permit} t ({source})"),
			    "load", explain_computed(x, v->value), "share", v->reason, "permit",
			    explain_number(x, m->permit_tonnes), "source",
			    gettext(m->permit_source), NULL);
}

/* --- the verdict itself --- */

static void note_raised(struct explain *x, const struct verdict *v)
{
	x->signal.raised[v->kind]++;
	if (v->limit == NO_INDEX)
		return;
	struct limit_view *view = &x->limits[v->limit];
	view->exceedance.raised += v->kind == ALERT_EXCEEDANCE;
	view->warning.raised += v->kind == ALERT_WARNING;
}

/* "exceedance", "clue clipped" */
static void kind_words(struct text *out, const struct verdict *v)
{
	text_add(out, gettext(alert_kind_name(v->kind)));
	if (v->reason != NULL) {
		text_char(out, ' ');
		text_add(out, gettext(v->reason));
	}
}

static const char *value_of(struct explain *x, const struct verdict *v)
{
	bool computed = v->kind == ALERT_LOAD || v->average != AVERAGE_INSTANT;
	return computed ? explain_computed(x, v->value) : explain_number(x, v->value);
}

static const char *limit_called(const struct explain *x, const struct verdict *v)
{
	const struct limit_view *view = &x->limits[v->limit];
	return v->kind == ALERT_WARNING ? view->warning_name : view->name;
}

static size_t keep_verdict(struct explain *x, const struct verdict *v, size_t index)
{
	if (x->n_verdicts == x->verdicts_room) {
		size_t room = x->verdicts_room == 0 ? 64 : 2 * x->verdicts_room;
		struct said_verdict *more = reallocarray(x->verdicts, room, sizeof *more);
		if (more == NULL) {
			x->failed = true;
			return SIZE_MAX;
		}
		x->verdicts = more;
		x->verdicts_room = room;
	}
	x->verdicts[x->n_verdicts] = (struct said_verdict){.index = index, .verdict = *v};
	return x->n_verdicts++;
}

void explain_verdict(struct explain *x, const struct verdict *v, size_t index)
{
	struct text kind = {0}, of = {0};
	if (v->type == VERDICT_PEAK || v->monitor != x->subject.monitor)
		return; /* another monitor has limits of its own */
	if (v->limit != NO_INDEX ? !explains_limit(x, v->limit) : !explains_kind(x, v->kind))
		return;
	const char *name = v->limit == NO_INDEX ? NULL : limit_called(x, v);
	if (name != NULL)
		text_format(&of, " %s", name);
	const char *of_limit = of.at == NULL ? "" : of.at;
	kind_words(&kind, v);
	if (v->type == VERDICT_RAISED) {
		say_why(x, v);
		note_raised(x, v);
		explain_say_verdict(
			x, v, keep_verdict(x, v, index),
			v->has_value ? SAY("=> {kind}{limit} raised by {value}, begun at {began}")
				     : SAY("=> {kind}{limit} raised, begun at {began}"),
			"kind", kind.at, "limit", of_limit, "value", value_of(x, v), "began",
			explain_time(x, v->began_ms), NULL);
	} else if (v->type == VERDICT_CLEARED) {
		explain_say_verdict(x, v, SIZE_MAX, SAY("=> {kind}{limit} cleared"), "kind",
				    kind.at, "limit", of_limit, NULL);
	} else {
		explain_say_verdict(
			x, v, keep_verdict(x, v, index),
			SAY("{limit} the time for marking is over: the exceedance stands"), "limit",
			name, NULL);
	}
	text_deinit(&kind);
	text_deinit(&of);
}

/* --- and its case --- */

static void no_case_words(struct explain *x, const struct verdict *v, struct text *out)
{
	const struct limit *l = v->limit == NO_INDEX ? NULL : &x->monitor->limits[v->limit];
	char until[16];
	if (l != NULL && v->kind == ALERT_EXCEEDANCE && !l->opens_case) {
		explain_phrase(out, SAY("no case: the limit opens alerts only (opens)"), NULL);
	} else if (case_wanted(x->subject.plan, v)) {
		explain_phrase(out, SAY("no case"), NULL);
	} else if (l != NULL && v->kind == ALERT_EXCEEDANCE) {
		snprintf(until, sizeof until, "%02d:%02d", (int)(l->mark_until_ms / 3600000),
			 (int)(l->mark_until_ms / 60000 % 60));
		explain_phrase(out, SAY("its case waits until {time} of the next day (mark_until)"),
			       "time", until, NULL);
	} else {
		explain_phrase(out, SAY("no case: the site's opens does not name this kind"), NULL);
	}
}

static int order_index(const void *left, const void *right)
{
	const struct said_verdict *a = left, *b = right;
	return (a->index > b->index) - (a->index < b->index);
}

void explain_fate(struct explain *x, const struct backtest_fate *fate)
{
	const struct said_verdict wanted = {.index = fate->verdict};
	struct said_verdict *said = x->n_verdicts == 0
					    ? NULL
					    : bsearch(&wanted, x->verdicts, x->n_verdicts,
						      sizeof *x->verdicts, order_index);
	if (said == NULL || fate->number == NULL)
		return;
	free(said->number);
	said->number = strdup(fate->number);
	said->opened |= fate->opened;
	x->failed |= said->number == NULL;
}

void explain_add_fate(struct explain *x, struct line *line)
{
	const struct said_verdict *said = &x->verdicts[line->verdict];
	struct text whole = {0}, words = {0};
	if (said->number == NULL)
		no_case_words(x, &said->verdict, &words);
	else
		explain_phrase(&words,
			       said->opened ? SAY("it opens case {number}")
					    : SAY("it joins case {number} as another episode"),
			       "number", said->number, NULL);
	explain_phrase(&whole, SAY("{sentence}; {case}"), "sentence", line->text, "case", words.at,
		       NULL);
	x->failed |= whole.failed;
	free(line->text);
	line->text = whole.at;
	text_deinit(&words);
}
