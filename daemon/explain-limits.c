/* SPDX-License-Identifier: Apache-2.0 */
/* What readings and windows did to limits. */
#include "explain-lines.h"

#include "core/number.h"

#include <libintl.h>

/* --- runs of single readings --- */

/* One level of a limit around one reading. */
struct around {
	const struct limit *limit;
	const struct level *level;
	const struct track *now;
	const char *name;
	struct level_view *view;
	const struct reading *raw;
	double judged;
};

static const char *when(struct text *out, struct explain *x, const char *at_once, const char *delay,
			const char *count, const char *both, int64_t delay_ms, uint32_t results)
{
	const char *english =
		delay_ms > 0 ? (results > 1 ? both : delay) : (results > 1 ? count : at_once);
	explain_phrase(out, english, "seconds", explain_seconds(x, delay_ms), "count",
		       explain_count(x, results), NULL);
	return out->at;
}

static void run_begins(struct explain *x, const struct around *a, const char *compared)
{
	struct text how = {0};
	const struct limit *l = a->limit;
	when(&how, x, SAY("it raises at once"), SAY("it raises after {seconds} s (on_delay_s)"),
	     SAY("it raises with {count} new results (on_count)"),
	     SAY("it raises after {seconds} s (on_delay_s) and with {count} new results "
		 "(on_count)"),
	     l->on_delay_ms, l->on_count);
	explain_say(x, a->raw->measured_ms,
		    SAY("{limit} {compared}: a run of violating readings begins; {when}"), "limit",
		    a->name, "compared", compared, "when", how.at, NULL);
	text_deinit(&how);
}

static void recovery_begins(struct explain *x, const struct around *a, const char *compared)
{
	struct text how = {0};
	const struct limit *l = a->limit;
	when(&how, x, SAY("it clears at once"), SAY("it clears after {seconds} s (off_delay_s)"),
	     SAY("it clears with {count} new results (off_count)"),
	     SAY("it clears after {seconds} s (off_delay_s) and with {count} new results "
		 "(off_count)"),
	     l->off_delay_ms, l->off_count);
	explain_say(x, a->raw->measured_ms,
		    SAY("{limit} {compared}: a run of recovery begins; {when}"), "limit", a->name,
		    "compared", compared, "when", how.at, NULL);
	text_deinit(&how);
}

static void gap_breaks(struct explain *x, const struct around *a)
{
	const struct track *before = &a->view->before;
	const char *english =
		before->off_run
			? (x->flows_between
				   ? SAY("{limit} nothing was discharged in between: the run of "
					 "recovery is broken")
				   : SAY("{limit} no valid reading for more than {seconds} s "
					 "(stale_after_s): the run of recovery is broken"))
			: (x->flows_between
				   ? SAY("{limit} nothing was discharged in between: the run since "
					 "{since} is broken, no alert")
				   : SAY("{limit} no valid reading for more than {seconds} s "
					 "(stale_after_s): the run since {since} is broken, no "
					 "alert"));
	bool off = before->off_run && step_breaks(&x->step, a->limit->off_delay_ms);
	bool on = before->on_run && !before->alert.active &&
		  step_breaks(&x->step, a->limit->on_delay_ms);
	if (off || on)
		explain_say(x, a->raw->measured_ms, english, "limit", a->name, "seconds",
			    explain_seconds(x, x->monitor->stale_after_ms), "since",
			    explain_time(x, before->on_since_ms), NULL);
}

/* Before the alert: a run begins, goes on, is broken, or is long enough. */
static void idle_step(struct explain *x, const struct around *a)
{
	const struct track *before = &a->view->before, *now = a->now;
	struct text compared = {0};
	bool ran = before->on_run && !step_breaks(&x->step, a->limit->on_delay_ms);
	explain_compared(&compared, x, a->limit, a->level, a->raw->value, a->judged);
	if (now->on_run && !ran)
		run_begins(x, a, compared.at);
	else if (ran && !now->on_run && !now->alert.active)
		explain_say(
			x, a->raw->measured_ms,
			SAY("{limit} {compared}: the run since {since} is broken after {count} new "
			    "results, no alert"),
			"limit", a->name, "compared", compared.at, "since",
			explain_time(x, before->on_since_ms), "count",
			explain_count(x, before->on_results), NULL);
	else if (now->alert.active)
		explain_say(
			x, a->raw->measured_ms,
			SAY("{limit} {compared}: the run since {since} has {count} new results in "
			    "{seconds} s, long enough"),
			"limit", a->name, "compared", compared.at, "since",
			explain_time(x, now->on_since_ms), "count",
			explain_count(x, now->on_results), "seconds",
			explain_seconds(x, a->raw->measured_ms - now->on_since_ms), NULL);
	text_deinit(&compared);
}

/* With the alert: recovery begins, goes on, is broken, or is long enough, which the clearing says.
 */
static void active_step(struct explain *x, const struct around *a)
{
	struct text compared = {0};
	bool ran = a->view->before.off_run && !step_breaks(&x->step, a->limit->off_delay_ms);
	bool clears = !a->now->alert.active;
	struct level level = *a->level;
	level.max = level.clear_max;
	level.min = level.clear_min;
	level.derived = level.clear_derived;
	explain_compared(&compared, x, a->limit, &level, a->raw->value, a->judged);
	if (!ran && (a->now->off_run || clears))
		recovery_begins(x, a, compared.at);
	else if (ran && !a->now->off_run && !clears)
		explain_say(x, a->raw->measured_ms,
			    SAY("{limit} {compared}: the run of recovery is broken"), "limit",
			    a->name, "compared", compared.at, NULL);
	text_deinit(&compared);
}

/* Said once for readings in a row. */
static void uncounted(struct explain *x, const struct around *a, enum why why)
{
	const struct track *before = &a->view->before;
	bool in_run = before->on_run && !before->alert.active;
	struct text words = {0};
	if ((!in_run && !before->off_run) || a->view->skipping)
		return;
	explain_why_words(&words, why, a->raw);
	explain_say(
		x, a->raw->measured_ms,
		in_run ? SAY("{limit} {why}: neither breaks nor completes the run since {since}")
		       : SAY("{limit} {why}: the run of recovery is broken"),
		"limit", a->name, "why", words.at, "since", explain_time(x, before->on_since_ms),
		NULL);
	a->view->skipping = true;
	text_deinit(&words);
}

static void level_step(struct explain *x, const struct around *a, enum why why)
{
	struct level_view *view = a->view;
	enum bound bound;
	if (why != WHY_COUNTED) {
		uncounted(x, a, why);
		return;
	}
	view->skipping = false;
	view->judged++;
	view->violated += level_violated(a->level, a->judged, &bound);
	if (x->step.gap || x->step.stood)
		gap_breaks(x, a);
	if (view->before.alert.active)
		active_step(x, a);
	else
		idle_step(x, a);
	if (a->now->on_run)
		explain_note_run(&view->longest, a->now->on_results,
				 a->raw->measured_ms - a->now->on_since_ms);
}

static bool dated(struct explain *x, uint32_t limit, const struct reading *raw)
{
	struct limit_view *view = &x->limits[limit];
	bool out = !limit_in_force(&x->monitor->limits[limit], raw->measured_ms);
	if (out != view->out_of_force)
		explain_say(x, raw->measured_ms,
			    out ? SAY("{limit} is not in force for what is measured now")
				: SAY("{limit} is in force from here on"),
			    "limit", view->name, NULL);
	view->out_of_force = out;
	return !out;
}

void explain_instant(struct explain *x, uint32_t limit, const struct reading *raw, enum why why)
{
	const struct limit *l = &x->monitor->limits[limit];
	struct limit_view *view = &x->limits[limit];
	uint32_t at = x->evaluator->first_limit[raw->monitor] + limit;
	const struct limit_state *state = &x->evaluator->limits[at];
	bool rounded = l->compare == COMPARE_ROUNDED;
	struct around a = {
		.limit = l,
		.level = &x->evaluator->exceedance[at],
		.now = &state->exceedance,
		.name = view->name,
		.view = &view->exceedance,
		.raw = raw,
		.judged = rounded ? round_even(raw->value, l->decimals) : raw->value,
	};
	if (!dated(x, limit, raw))
		return;
	level_step(x, &a, why);
	/* an exceedance silences the warning, whose run begins anew with the reading that cleared
	 * it */
	if (l->warn_at == 0 || a.now->alert.active)
		return;
	if (view->exceedance.before.alert.active)
		view->warning.before = (struct track){0};
	a.level = &x->evaluator->warning[at];
	a.now = &x->evaluator->rests[at].warning;
	a.name = view->warning_name;
	a.view = &view->warning;
	level_step(x, &a, why);
}

/* --- windows --- */

static struct counts *counts_of(struct limit_view *view, int64_t start_ms)
{
	struct counts *free_one = &view->counts[0];
	for (size_t i = 0; i < WINDOWS_COUNTED; i++) {
		if (view->counts[i].used && view->counts[i].start_ms == start_ms)
			return &view->counts[i];
		if (!view->counts[i].used)
			free_one = &view->counts[i];
	}
	*free_one = (struct counts){.start_ms = start_ms, .used = true};
	return free_one;
}

uint64_t explain_readings_in(const struct explain *x, uint32_t limit, int64_t time_ms)
{
	uint32_t at = x->evaluator->first_limit[x->subject.monitor] + limit;
	const struct windows *windows = &x->evaluator->rests[at].windows;
	if (x->evaluator->eights[at] != NULL)
		return eight_readings(x->evaluator->eights[at],
				      window_span(&x->subject.plan->zone, AVERAGE_DAY, time_ms));
	for (size_t i = 0; i < WINDOWS_OPEN; i++)
		if (time_ms >= windows->open[i].span.start_ms &&
		    time_ms < windows->open[i].span.end_ms)
			return windows->open[i].n;
	return 0;
}

void explain_mean(struct explain *x, uint32_t limit, const struct reading *raw, enum why why)
{
	const struct limit *l = &x->monitor->limits[limit];
	struct limit_view *view = &x->limits[limit];
	const struct windows *w =
		&x->evaluator->rests[x->evaluator->first_limit[raw->monitor] + limit].windows;
	struct span span = window_span(&x->subject.plan->zone, l->average, raw->measured_ms);
	double weight;
	if (span.start_ms < w->next.start_ms) {
		explain_say(
			x, raw->measured_ms,
			SAY("{limit} {value} comes too late: its window from {start} was judged"),
			"limit", view->name, "value", explain_number(x, raw->value), "start",
			explain_time(x, span.start_ms), NULL);
		return;
	}
	if (explain_readings_in(x, limit, raw->measured_ms) > view->n)
		why = WHY_COUNTED;
	else if (why == WHY_COUNTED || why == WHY_LATE)
		why = l->by_flow && !reading_weight(x->evaluator, l, raw, &weight) ? WHY_FLOW
										   : WHY_HELD;
	counts_of(view, span.start_ms)->n[why]++;
}

static void counted_words(struct text *out, struct explain *x, const struct judged *j,
			  const struct counts *counts)
{
	const struct reading raw = {0};
	explain_phrase(
		out, j->due > 0 ? SAY("{n} of {due} readings due counted") : SAY("{n} counted"),
		"n", explain_count(x, j->window->n), "due", explain_computed(x, j->due), NULL);
	for (enum why why = WHY_FLAG; why < WHYS; why++) {
		struct text words = {0};
		if (counts->n[why] == 0)
			continue;
		if (why == WHY_FLAG)
			explain_phrase(&words, SAY("with another flag than N"), NULL);
		else
			explain_why_words(&words, why, &raw);
		explain_phrase(out, SAY(", not {n} {why}"), "n", explain_count(x, counts->n[why]),
			       "why", words.at, NULL);
		text_deinit(&words);
	}
}

static void lacking_words(struct text *out, struct explain *x, const struct limit *l,
			  const struct judged *j)
{
	bool share = j->due > 0 && compare12((double)j->window->n, l->min_valid * j->due) < 0;
	if (l->average == AVERAGE_DAY_8H)
		explain_phrase(out,
			       SAY("{n} means of 8 hours of the {least} that a day needs: "
				   "undetermined, neither raises nor clears"),
			       "n", explain_count(x, j->means), "least",
			       explain_count(x, EIGHT_MEANS), NULL);
	else if (share)
		explain_phrase(out,
			       SAY("fewer than {share} of those due (min_valid): undetermined, "
				   "neither raises nor clears"),
			       "share", explain_number(x, l->min_valid), NULL);
	else if (j->window->n == 0)
		explain_phrase(out, SAY("no reading: undetermined, neither raises nor clears"),
			       NULL);
	else
		explain_phrase(
			out,
			SAY("no flow to weigh them by: undetermined, neither raises nor clears"),
			NULL);
}

/* What the mean of a window is called, and how it compares. */
static const char *outcome_phrase(const struct limit *l, bool exceeds)
{
	if (l->average == AVERAGE_DAY_8H)
		return exceeds ? SAY("largest of {n} means of 8 hours {compared}: exceeds")
			       : SAY("largest of {n} means of 8 hours {compared}: complies");
	if (l->by_flow)
		return exceeds ? SAY("mean weighted by the flow {compared}: exceeds")
			       : SAY("mean weighted by the flow {compared}: complies");
	return exceeds ? SAY("mean {compared}: exceeds") : SAY("mean {compared}: complies");
}

static void outcome_words(struct text *out, struct explain *x, const struct limit *l,
			  const struct judged *j)
{
	struct text compared = {0};
	uint32_t at = x->evaluator->first_limit[j->monitor] + j->limit;
	explain_compared(&compared, x, l, &x->evaluator->exceedance[at], j->mean, j->judged);
	explain_phrase(out, outcome_phrase(l, j->outcome == OUTCOME_EXCEEDS), "n",
		       explain_count(x, j->means), "compared", compared.at, NULL);
	text_deinit(&compared);
}

/* Where several windows in a row are wanted, which one this is. */
static void place_words(struct text *out, struct explain *x, const struct limit *l,
			const struct judged *j)
{
	uint32_t at = x->evaluator->first_limit[j->monitor] + j->limit;
	const struct track *t = &x->evaluator->limits[at].exceedance;
	bool exceeds = j->outcome == OUTCOME_EXCEEDS;
	uint32_t wanted = exceeds ? l->on_count : l->off_count;
	if (wanted <= 1 || exceeds == t->alert.active)
		return;
	uint32_t n = exceeds ? (t->on_run ? t->on_results : 0) : (t->off_run ? t->off_results : 0);
	explain_phrase(out,
		       exceeds ? SAY(", window {n} of {count} in a row that raise (on_count)")
			       : SAY(", window {n} of {count} in a row that clear (off_count)"),
		       "n", explain_count(x, n + 1), "count", explain_count(x, wanted), NULL);
}

static void verdict_words(struct text *out, struct explain *x, const struct limit *l,
			  const struct judged *j)
{
	switch (j->outcome) {
	case OUTCOME_NONE:
		explain_phrase(out,
			       limit_in_force(l, j->window->span.start_ms)
				       ? SAY("nothing was discharged: it says nothing")
				       : SAY("the limit is not in force: it says nothing"),
			       NULL);
		break;
	case OUTCOME_UNDETERMINED:
		lacking_words(out, x, l, j);
		break;
	case OUTCOME_COMPLIES:
	case OUTCOME_EXCEEDS:
		outcome_words(out, x, l, j);
		place_words(out, x, l, j);
		break;
	}
}

void explain_judged(void *context, const struct judged *j)
{
	struct explain *x = context;
	if (j->monitor != x->subject.monitor || !explains_limit(x, j->limit))
		return;
	const struct limit *l = &x->monitor->limits[j->limit];
	struct limit_view *view = &x->limits[j->limit];
	struct counts *counts = counts_of(view, j->window->span.start_ms);
	struct text counted = {0}, verdict = {0};
	counted_words(&counted, x, j, counts);
	verdict_words(&verdict, x, l, j);
	explain_say(x, j->window->span.end_ms,
		    SAY("{limit} window from {start}: {counted}; {verdict}"), "limit", view->name,
		    "start", explain_time(x, j->window->span.start_ms), "counted", counted.at,
		    "verdict", verdict.at, NULL);
	counts->used = false;
	view->exceedance.judged++;
	view->exceedance.violated += j->outcome == OUTCOME_EXCEEDS;
	view->exceedance.undetermined += j->outcome == OUTCOME_UNDETERMINED;
	view->exceedance.silent += j->outcome == OUTCOME_NONE;
	text_deinit(&counted);
	text_deinit(&verdict);
}
