/* SPDX-License-Identifier: Apache-2.0 */
/* What never came, and how near it was: said at the end of the data. */
#include "explain-lines.h"

#include "core/clue.h"
#include "core/permit.h"

#include <libintl.h>

static void limit_never(struct explain *x, int64_t time_ms, const struct level_view *view,
			const char *name)
{
	const char *english =
		view->judged == 0
			? SAY("{limit} never raised: no reading counted while it was in force")
		: view->violated == 0
			? SAY("{limit} never raised: none of {n} readings that counted violated it")
			: SAY("{limit} never raised: of {n} readings that counted {violated} "
			      "violated it; the longest run had {count} new results in "
			      "{seconds} s");
	if (view->raised == 0)
		explain_say(x, time_ms, english, "limit", name, "n", explain_count(x, view->judged),
			    "violated", explain_count(x, view->violated), "count",
			    explain_count(x, view->longest.results), "seconds",
			    explain_seconds(x, view->longest.ms), NULL);
}

static void mean_never(struct explain *x, int64_t time_ms, const struct level_view *view,
		       const char *name)
{
	if (view->raised == 0)
		explain_say(
			x, time_ms,
			SAY("{limit} never raised: of {n} windows {violated} exceeded, {open} were "
			    "undetermined, {silent} said nothing"),
			"limit", name, "n", explain_count(x, view->judged), "violated",
			explain_count(x, view->violated), "open",
			explain_count(x, view->undetermined), "silent",
			explain_count(x, view->silent), NULL);
}

static void limits_never(struct explain *x, int64_t time_ms)
{
	for (uint32_t i = 0; i < x->monitor->n_limits; i++) {
		const struct limit_view *view = &x->limits[i];
		if (!explains_limit(x, i))
			continue;
		if (x->monitor->limits[i].average != AVERAGE_INSTANT) {
			mean_never(x, time_ms, &view->exceedance, view->name);
			continue;
		}
		limit_never(x, time_ms, &view->exceedance, view->name);
		if (view->warning_name != NULL && view->exceedance.raised == 0)
			limit_never(x, time_ms, &view->warning, view->warning_name);
	}
}

/* --- the signal --- */

/* @english: with {kind}, {seconds}, {count}, {limit}, {reached}; NULL where it is not checked */
static void never(struct explain *x, int64_t time_ms, enum alert_kind kind, const char *english,
		  const struct longest *reached, double size, double limit)
{
	if (!explains_kind(x, kind) || x->signal.raised[kind] > 0)
		return;
	explain_say(x, time_ms, english == NULL ? SAY("{kind} is not checked here") : english,
		    "kind", gettext(alert_kind_name(kind)), "seconds",
		    explain_seconds(x, reached->ms), "count", explain_count(x, reached->results),
		    "limit", explain_number(x, limit), "reached", explain_computed(x, size), NULL);
}

static void signal_never(struct explain *x, int64_t time_ms)
{
	const struct monitor *m = x->monitor;
	const struct signal_view *s = &x->signal;
	const struct longest silence = {0, s->silence_ms};
	never(x, time_ms, ALERT_STALE,
	      m->stale_after_ms == 0
		      ? NULL
		      : SAY("{kind} never raised: the longest time without a reading "
			    "was {seconds} s, {limit} s are wanted (stale_after_s)"),
	      &silence, 0, (double)m->stale_after_ms / 1000);
	never(x, time_ms, ALERT_FLAT,
	      m->flat_after_ms > 0
		      ? SAY("{kind} never raised: the longest run had {count} new results in "
			    "{seconds} s, {limit} s are wanted (flat_after_s)")
	      : m->flat_count > 0
		      ? SAY("{kind} never raised: the longest run had {count} new results in "
			    "{seconds} s, {limit} results are wanted (flat_count)")
		      : NULL,
	      &s->flat, 0,
	      m->flat_after_ms > 0 ? (double)m->flat_after_ms / 1000 : (double)m->flat_count);
	never(x, time_ms, ALERT_STEP,
	      monitor_looks_for_steps(m)
		      ? SAY("{kind} never raised: the largest difference was {reached}")
		      : NULL,
	      &silence, s->step, 0);
}

static void load_never(struct explain *x, int64_t time_ms)
{
	const struct monitor *m = x->monitor;
	bool watched = m->permit_load > 0 && tally_wanted(x->subject.plan, m->site);
	const struct longest none = {0};
	never(x, time_ms, ALERT_LOAD,
	      watched ? SAY("{kind} never raised: no year lay above {reached} of {limit} t") : NULL,
	      &none, watched ? m->permit_shares[0].share : 0, m->permit_tonnes);
}

static void clue_never(struct explain *x, int64_t time_ms, const char *reason, uint32_t reached,
		       uint32_t wanted)
{
	if (wanted > 0 && reached < wanted)
		explain_say(x, time_ms,
			    SAY("clue {reason} never raised: at most {count} results in a row, "
				"{wanted} "
				"are wanted"),
			    "reason", gettext(reason), "count", explain_count(x, reached), "wanted",
			    explain_count(x, wanted), NULL);
}

static void clues_never(struct explain *x, int64_t time_ms)
{
	const struct clue_rules *rules = x->monitor->clues;
	const struct signal_view *s = &x->signal;
	bool watched = rules != NULL || x->monitor->has_range || x->monitor->has_dead;
	if (!explains_kind(x, ALERT_CLUE))
		return;
	if (rules == NULL || x->signal.raised[ALERT_CLUE] == 0)
		never(x, time_ms, ALERT_CLUE, watched ? SAY("{kind} never raised") : NULL, &s->flat,
		      0, 0);
	if (rules == NULL)
		return;
	clue_never(x, time_ms, SAY("clipped"), s->clipped, rules->clipped_count);
	clue_never(x, time_ms, SAY("shut"), s->shut, rules->shut_count);
	clue_never(x, time_ms, SAY("alike"), s->alike, rules->alike_count);
	for (size_t i = 0; i < rules->n_contradictions; i++)
		clue_never(x, time_ms, rules->contradictions[i].reason, s->contradictions[i],
			   rules->contradicts_count);
}

/* What became of the monitor's readings in all. */
static void readings_words(struct explain *x, int64_t time_ms)
{
	const struct reading raw = {0};
	struct text rest = {0};
	uint64_t all = 0;
	for (enum why why = WHY_COUNTED; why < WHYS; why++)
		all += x->readings[why];
	for (enum why why = WHY_FLAG; why < WHYS; why++) {
		struct text words = {0};
		if (x->readings[why] == 0)
			continue;
		if (why == WHY_FLAG)
			explain_phrase(&words, SAY("with another flag than N"), NULL);
		else
			explain_why_words(&words, why, &raw);
		explain_phrase(&rest, SAY(", not {n} {why}"), "n",
			       explain_count(x, x->readings[why]), "why", words.at, NULL);
		text_deinit(&words);
	}
	explain_say(x, time_ms, SAY("end of the data: {n} of {all} readings counted{rest}"), "n",
		    explain_count(x, x->readings[WHY_COUNTED]), "all", explain_count(x, all),
		    "rest", rest.at == NULL ? "" : rest.at, NULL);
	text_deinit(&rest);
}

void explain_year(struct explain *x, const struct permit *permit, int64_t covered_ms,
		  int64_t until_ms)
{
	const struct monitor *m = x->monitor;
	if (!explains_kind(x, ALERT_LOAD))
		return;
	explain_say(x, until_ms,
		    SAY("load of the year so far: {load} t of {permit} t ({source}), {hours} h "
			"covered"),
		    "load", explain_computed(x, permit->load / m->permit_load * m->permit_tonnes),
		    "permit", explain_number(x, m->permit_tonnes), "source",
		    gettext(m->permit_source), "hours",
		    explain_computed(x, (double)covered_ms / 3600e3), NULL);
}

void explain_never(struct explain *x, int64_t time_ms)
{
	readings_words(x, time_ms);
	limits_never(x, time_ms);
	signal_never(x, time_ms);
	load_never(x, time_ms);
	clues_never(x, time_ms);
}
