/* SPDX-License-Identifier: Apache-2.0 */
#include "explain.h"

#include "core/clue.h"
#include "core/number.h"
#include "explain-lines.h"

#include <errno.h>
#include <libintl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- what is asked about --- */

static bool asks_for(struct explain_subject *s, const char *word)
{
	for (enum average a = AVERAGE_INSTANT; a < AVERAGES; a++)
		if (strcmp(word, average_name(a)) == 0) {
			s->average = a;
			s->all_averages = false;
			return true;
		}
	for (enum alert_kind kind = 0; kind < ALERT_KINDS; kind++)
		if (strcmp(word, alert_kind_name(kind)) == 0) {
			s->kind = kind;
			s->all_kinds = false;
			return true;
		}
	return false;
}

bool explain_subject(struct explain_subject *out, const struct plan *plan, const char *what)
{
	char *words = strdup(what), *rest = words;
	char *site = strsep(&rest, ":"), *factor = strsep(&rest, ":");
	*out = (struct explain_subject){
		.plan = plan, .monitor = NO_INDEX, .all_kinds = true, .all_averages = true};
	if (factor != NULL)
		out->monitor = plan_monitor(plan, site, factor);
	bool good = out->monitor != NO_INDEX && (rest == NULL || asks_for(out, rest));
	free(words);
	return good;
}

/* What has an averaging. */
static bool is_of_limits(enum alert_kind kind)
{
	return kind == ALERT_EXCEEDANCE || kind == ALERT_WARNING || kind == ALERT_UNDETERMINED;
}

bool explains_limit(const struct explain *x, uint32_t limit)
{
	const struct explain_subject *s = &x->subject;
	return (s->all_kinds || is_of_limits(s->kind)) &&
	       (s->all_averages || s->average == x->monitor->limits[limit].average);
}

bool explains_kind(const struct explain *x, enum alert_kind kind)
{
	return x->subject.all_kinds ? x->subject.all_averages : x->subject.kind == kind;
}

/* --- around a reading --- */

void explain_before(struct explain *x, const struct reading *raw)
{
	const struct evaluator *e = x->evaluator;
	const struct monitor_state *m = &e->monitors[raw->monitor];
	uint32_t first = e->first_limit[raw->monitor];
	for (uint32_t i = 0; i < x->monitor->n_limits; i++) {
		x->limits[i].exceedance.before = e->limits[first + i].exceedance;
		x->limits[i].warning.before = e->rests[first + i].warning;
		x->limits[i].n = explain_readings_in(x, i, raw->measured_ms);
	}
	x->step = reading_step(e, raw);
	x->flows_between = x->step.stood;
	x->had_valid = m->has_valid;
	x->valid_value = m->valid_value;
	x->valid_ms = m->valid_ms;
	x->in_reading = true;
}

/* What became of a reading, as far as it is the same for all limits. */
static enum why why_not(const struct explain *x, const struct reading *raw)
{
	const struct evaluator *e = x->evaluator;
	struct reading room;
	const struct reading *r = e->marks == NULL ? raw : marks_reading(e->marks, raw, &room);
	if (r->flag != FLAG_NORMAL)
		return r != raw ? WHY_MARK : r->flag == FLAG_OVER_RANGE ? WHY_RANGE : WHY_FLAG;
	if (reading_shut(e, r))
		return WHY_SHUT;
	if (raw->measured_ms < e->monitors[raw->monitor].newest_ms)
		return WHY_LATE;
	return e->monitors[raw->monitor].settling ? WHY_SETTLES : WHY_COUNTED;
}

static void most(uint32_t *seen, uint32_t now)
{
	if (now > *seen)
		*seen = now;
}

static void watch_clues(struct explain *x)
{
	const struct clue_rules *rules = x->monitor->clues;
	struct signal_view *s = &x->signal;
	if (rules == NULL)
		return;
	const struct clue_state *state = &x->evaluator->clues[rules - x->subject.plan->clues];
	most(&s->clipped, state->clipped.on ? state->clipped.results : 0);
	most(&s->shut, state->shut_results);
	most(&s->alike, state->alike_results);
	for (size_t i = 0; i < rules->n_contradictions; i++) {
		const struct clue_hold *hold = &state->contradictions[i];
		most(&s->contradictions[i], hold->on ? hold->results : 0);
	}
}

static void watch_signal(struct explain *x, const struct reading *raw, enum why why)
{
	const struct monitor_state *m = &x->evaluator->monitors[raw->monitor];
	struct signal_view *s = &x->signal;
	if (raw->flag != FLAG_COMMUNICATION && why != WHY_LATE) {
		int64_t silence_ms = raw->received_ms - s->heard_ms;
		if (s->heard && silence_ms > s->silence_ms)
			s->silence_ms = silence_ms;
		s->heard_ms = raw->received_ms;
		s->heard = true;
	}
	watch_clues(x);
	if (why != WHY_COUNTED)
		return;
	if (m->flat_run)
		explain_note_run(&s->flat, m->flat_results, raw->measured_ms - m->flat_since_ms);
	if (x->had_valid && !x->step.gap && !x->step.stood)
		s->step = fmax(s->step, fabs(raw->value - x->valid_value));
}

/* A valid reading that is late counts all the same where its window is open, and in a load. */
static bool counts_late(const struct explain *x, const struct reading *raw)
{
	if (x->monitor->permit_load > 0)
		return true;
	for (uint32_t i = 0; i < x->monitor->n_limits; i++)
		if (x->monitor->limits[i].average != AVERAGE_INSTANT &&
		    explain_readings_in(x, i, raw->measured_ms) > x->limits[i].n)
			return true;
	return false;
}

void explain_after(struct explain *x, const struct reading *raw)
{
	enum why why = why_not(x, raw);
	bool counts = why == WHY_LATE && counts_late(x, raw);
	x->in_reading = false;
	x->readings[counts ? WHY_COUNTED : why]++;
	for (uint32_t i = 0; i < x->monitor->n_limits; i++) {
		if (!explains_limit(x, i))
			continue;
		if (x->monitor->limits[i].average != AVERAGE_INSTANT)
			explain_mean(x, i, raw, why);
		else if (why != WHY_LATE && why != WHY_SHUT)
			explain_instant(x, i, raw, why);
	}
	watch_signal(x, raw, why);
	x->round++;
}

/* --- birth, end, print --- */

void explain_begin(struct explain *x, struct evaluator *evaluator)
{
	uint32_t first = evaluator->first_limit[x->subject.monitor];
	x->evaluator = evaluator;
	evaluator_watch(evaluator, explain_judged, x);
	for (uint32_t i = 0; i < x->monitor->n_limits; i++) {
		const struct limit *l = &x->monitor->limits[i];
		x->limits[i].name = explain_limit_name(x, l, NULL);
		if (l->warn_at != 0)
			x->limits[i].warning_name =
				explain_limit_name(x, l, &evaluator->warning[first + i]);
	}
}

void explain_end(struct explain *x, int64_t time_ms)
{
	x->round++;
	explain_never(x, time_ms);
}

static int order_lines(const void *left, const void *right)
{
	const struct line *a = left, *b = right;
	int d = (a->time_ms > b->time_ms) - (a->time_ms < b->time_ms);
	if (d == 0)
		d = (a->round > b->round) - (a->round < b->round);
	if (d == 0)
		d = (a->place > b->place) - (a->place < b->place);
	return d;
}

static void print_head(struct explain *x, FILE *out)
{
	const struct explain_subject *s = &x->subject;
	const struct monitor *m = x->monitor;
	struct text head = {0};
	explain_phrase(&head,
		       s->name == NULL ? SAY("{site} {factor} {name}")
		       : is_of_limits(s->kind)
			       ? SAY("{site} {factor} {name}: case {case}, {kind}, {average}")
			       : SAY("{site} {factor} {name}: case {case}, {kind}"),
		       "site", s->plan->sites[m->site].id, "factor", m->factor, "name",
		       m->factor_name, "case", s->name, "kind", gettext(alert_kind_name(s->kind)),
		       "average", gettext(average_name(s->average)), NULL);
	fprintf(out, "%s\n", head.at == NULL ? "" : head.at);
	x->failed |= head.failed;
	text_deinit(&head);
}

bool explain_print(struct explain *x, FILE *out)
{
	print_head(x, out);
	if (x->n_lines > 0)
		qsort(x->lines, x->n_lines, sizeof *x->lines, order_lines);
	for (size_t i = 0; i < x->n_lines && !x->failed; i++) {
		struct line *line = &x->lines[i];
		if (line->verdict != SIZE_MAX)
			explain_add_fate(x, line);
		fprintf(out, "%s %s\n", explain_time(x, line->time_ms),
			line->text == NULL ? "" : line->text);
	}
	return !x->failed && fflush(out) == 0 && !ferror(out);
}

int explain_new(struct explain **out, const struct explain_subject *subject)
{
	struct explain *x = calloc(1, sizeof *x);
	*out = x;
	if (x == NULL)
		return -ENOMEM;
	x->subject = *subject;
	x->monitor = &subject->plan->monitors[subject->monitor];
	x->limits = calloc(x->monitor->n_limits + 1, sizeof *x->limits);
	if (x->limits == NULL)
		*out = explain_free(x);
	return *out == NULL ? -ENOMEM : 0;
}

struct explain *explain_free(struct explain *x)
{
	if (x == NULL)
		return NULL;
	for (size_t i = 0; x->limits != NULL && i < x->monitor->n_limits; i++) {
		free(x->limits[i].name);
		free(x->limits[i].warning_name);
	}
	for (size_t i = 0; i < x->n_lines; i++)
		free(x->lines[i].text);
	for (size_t i = 0; i < x->n_verdicts; i++)
		free(x->verdicts[i].number);
	free(x->lines);
	free(x->verdicts);
	free(x->limits);
	free(x);
	return NULL;
}
