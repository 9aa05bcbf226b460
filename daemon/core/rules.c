/* SPDX-License-Identifier: Apache-2.0 */
#include "core/rules.h"

#include "core/clue.h"

#include <stdio.h>
#include <string.h>

struct listing {
	const struct plan *plan;
	const struct site *site;
	const struct monitor *m; /* NULL: what is of the site */
	const struct limit *limit;
	rule_fn fn;
	void *context;
};

static struct rule_place place_of(const struct rule_place *places, int rule)
{
	return places == NULL ? (struct rule_place){0} : places[rule];
}

static struct rule_place place_in(const struct listing *l, int rule)
{
	return place_of(l->limit != NULL ? l->limit->places
			: l->m != NULL   ? l->m->places
					 : l->site->places,
			rule);
}

static struct rule rule_of(const struct listing *l, int rule, const char *name)
{
	return (struct rule){
		.factor = l->m == NULL ? NULL : l->m->factor,
		.limit = l->limit == NULL ? NULL : l->limit->key,
		.name = name,
		.place = place_in(l, rule),
	};
}

static void say_word(const struct listing *l, int rule, const char *name, const char *word)
{
	struct rule r = rule_of(l, rule, name);
	r.text = word;
	l->fn(l->context, &r);
}

static void say_number(const struct listing *l, int rule, const char *name, double number)
{
	struct rule r = rule_of(l, rule, name);
	r.number = number;
	l->fn(l->context, &r);
}

/* What is off by default is not in force and not said; what somebody switched off is. */
static void say_if_on(const struct listing *l, int rule, const char *name, double number)
{
	if (number != 0)
		say_number(l, rule, name, number);
	else if (place_in(l, rule).whence != WHENCE_BUILT_IN)
		say_word(l, rule, name, "off");
}

/* The checks that a signal has by default are said to be off where they are. */
static void say_check(const struct listing *l, int rule, const char *name, double number)
{
	if (number != 0)
		say_number(l, rule, name, number);
	else
		say_word(l, rule, name, "off");
}

static double seconds(int64_t ms)
{
	return (double)ms / 1000;
}

/* --- of a monitor --- */

/* @sure: how much so; NULL: nobody says */
static void say_up_to(const struct listing *l, int rule, const char *name, double bound,
		      const char *sure)
{
	char number[32], words[80];
	double_text(number, bound);
	snprintf(words, sizeof words, "up to %s%s%s", number, sure == NULL ? "" : ", confidence ",
		 sure == NULL ? "" : sure);
	say_word(l, rule, name, words);
}

/* A long list is told by its beginning. */
static void say_numbers(const struct listing *l, int rule, const char *name, const double *at,
			size_t n)
{
	struct text numbers = {0};
	const size_t most = 8, said = n <= most ? n : most / 2;
	for (size_t i = 0; i < said; i++) {
		text_add(&numbers, i == 0 ? "" : ", ");
		text_double(&numbers, at[i]);
	}
	if (said < n)
		text_format(&numbers, " and %zu more", n - said);
	if (!numbers.failed && n > 0)
		say_word(l, rule, name, numbers.at);
	text_deinit(&numbers);
}

static void say_impossible(const struct listing *l)
{
	if (l->m->has_dead)
		say_up_to(l, RULE_LIVE_ZERO, "live_zero", l->m->dead_at, l->m->dead_confidence);
	else if (place_in(l, RULE_LIVE_ZERO).whence != WHENCE_BUILT_IN)
		say_word(l, RULE_LIVE_ZERO, "live_zero", "false");
	if (l->m->has_most)
		say_up_to(l, RULE_MOST, "most", l->m->most, NULL);
	say_numbers(l, RULE_CODES, "catalogue_codes", l->m->codes, l->m->n_codes);
	say_numbers(l, RULE_OWN_CODES, "codes", l->m->own_codes, l->m->n_own_codes);
	say_numbers(l, RULE_FILLS, "catalogue_fills", l->m->fills, l->m->n_fills);
	if (l->m->zero_beside)
		say_word(l, RULE_BESIDE, "zero_beside", "true");
	if (l->m->low_beside)
		say_word(l, RULE_LOW, "low_beside", "true");
}

static void say_range(const struct listing *l)
{
	char low[32], high[32], range[80];
	double_text(low, l->m->range_low);
	double_text(high, l->m->range_high);
	snprintf(range, sizeof range, "%s to %s", low, high);
	if (l->m->has_range)
		say_word(l, RULE_RANGE, "range", range);
	say_impossible(l);
	if (l->m->under_range)
		say_word(l, RULE_UNDER_RANGE, "under_range", "true");
}

static void say_flat(const struct listing *l)
{
	const struct monitor *m = l->m;
	if (m->flat_count != 0)
		say_number(l, RULE_FLAT_COUNT, "flat_count", m->flat_count);
	else
		say_check(l, RULE_FLAT_AFTER, "flat_after_s", seconds(m->flat_after_ms));
	if (m->flat_count == 0 && m->flat_after_ms == 0)
		return;
	say_number(l, RULE_FLAT_BAND, "flat_band", m->flat_band);
	say_if_on(l, RULE_DETECTION, "detection_limit", m->detection_limit);
}

static void say_step(const struct listing *l)
{
	const struct monitor *m = l->m;
	if (m->max_step_hour == 0 && m->step_times == 0)
		say_check(l, RULE_STEP, "max_step", m->max_step);
	else
		say_if_on(l, RULE_STEP, "max_step", m->max_step);
	say_if_on(l, RULE_STEP_HOUR, "max_step_hour", m->max_step_hour);
	say_if_on(l, RULE_STEP_TIMES, "step_times", m->step_times);
	if (m->step_times != 0)
		say_number(l, RULE_STEP_SHARE, "step_share", m->step_share);
}

static void say_permit(const struct listing *l)
{
	if (l->m->permit_tonnes == 0)
		return;
	say_number(l, RULE_PERMIT, "permit_tonnes_year", l->m->permit_tonnes);
	for (size_t i = 0; i + 1 < l->m->n_permit_shares; i++)
		say_number(l, RULE_PERMIT_WARN, "permit_warn_at", l->m->permit_shares[i].share);
}

static void say_signal(const struct listing *l)
{
	const struct monitor *m = l->m;
	if (m->unit != NULL)
		say_word(l, RULE_UNIT, "unit", m->unit);
	say_range(l);
	say_check(l, RULE_STALE, "stale_after_s", seconds(m->stale_after_ms));
	say_if_on(l, RULE_CYCLE, "cycle_s", seconds(m->cycle_ms));
	say_if_on(l, RULE_EXPECTED, "expected_per_hour", m->expected_per_hour);
	say_flat(l);
	say_step(l);
	if (l->site->has_gate)
		say_word(l, RULE_GATED, "gated", m->gated ? "true" : "false");
	say_if_on(l, RULE_SETTLE, "settle_results", m->settle_results);
	say_check(l, RULE_LATE, "late_count", m->late_count);
	say_permit(l);
}

/* --- of a limit --- */

static void say_bound(const struct listing *l, const char *name, double bound)
{
	struct rule r = rule_of(l, RULE_BOUNDS, name);
	const char *source = l->limit->source;
	bool own = r.place.whence == WHENCE_CONFIGURATION && source != NULL &&
		   strcmp(source, "configuration") == 0;
	r.number = bound;
	r.source = own ? NULL : source;
	l->fn(l->context, &r);
}

static void say_day(const struct listing *l, const char *name, int64_t wall_ms)
{
	char day[32];
	if (wall_ms == 0)
		return;
	struct civil c = zone_civil(&l->plan->zone, wall_ms);
	snprintf(day, sizeof day, "%04d-%02d-%02d", (int)c.year % 10000, c.month % 100,
		 c.day % 100);
	say_word(l, RULE_BOUNDS, name, day);
}

static void say_time_of_day(const struct listing *l, int64_t ms)
{
	char time[16];
	snprintf(time, sizeof time, "%02d:%02d", (int)(ms / 3600000) % 100, (int)(ms / 60000) % 60);
	say_word(l, RULE_MARK_UNTIL, "mark_until", ms == 0 ? "off" : time);
}

static void say_mean(const struct listing *l)
{
	const struct limit *limit = l->limit;
	say_word(l, RULE_WEIGHT, "weight", limit->by_flow ? "flow" : "none");
	say_word(l, RULE_MEAN_OF, "mean_of", limit->of_results ? "results" : "readings");
	say_number(l, RULE_MIN_VALID, "min_valid", limit->min_valid);
	say_number(l, RULE_GRACE, "grace_s", seconds(limit->grace_ms));
	if (limit->average == AVERAGE_DAY)
		say_time_of_day(l, limit->mark_until_ms);
}

static void say_limit(const struct listing *l)
{
	const struct limit *limit = l->limit;
	bool instant = limit->average == AVERAGE_INSTANT;
	if (limit->has_max)
		say_bound(l, "max", limit->max);
	if (limit->has_min)
		say_bound(l, "min", limit->min);
	say_day(l, "from", limit->valid_from_ms);
	say_day(l, "to", limit->valid_to_ms == 0 ? 0 : limit->valid_to_ms - 1);
	say_word(l, RULE_OPENS, "opens", limit->opens_case ? "case" : "alert");
	if (instant) {
		say_number(l, RULE_ON_DELAY, "on_delay_s", seconds(limit->on_delay_ms));
		say_number(l, RULE_OFF_DELAY, "off_delay_s", seconds(limit->off_delay_ms));
		say_number(l, RULE_DEADBAND, "deadband", limit->deadband);
	}
	say_if_on(l, RULE_ON_COUNT, "on_count", limit->on_count);
	say_if_on(l, RULE_OFF_COUNT, "off_count", limit->off_count);
	say_if_on(l, RULE_WARN_AT, "warn_at", limit->warn_at);
	say_word(l, RULE_COMPARE, "compare",
		 limit->compare == COMPARE_ROUNDED ? "rounded" : "full");
	if (limit->compare == COMPARE_ROUNDED)
		say_number(l, RULE_DECIMALS, "decimals", limit->decimals);
	if (!instant)
		say_mean(l);
}

/* --- clues of a monitor --- */

static void say_clue(const struct listing *l, int rule, const char *name, double number)
{
	struct rule r = rule_of(l, RULE_RANGE, name);
	r.number = number;
	r.place = place_of(l->site->places, rule);
	l->fn(l->context, &r);
}

static void say_counted(const struct listing *l, int rule, const char *name, uint32_t count,
			int share_rule, const char *share_name, double share)
{
	if (count == 0)
		return;
	say_clue(l, rule, name, count);
	if (share_name != NULL)
		say_clue(l, share_rule, share_name, share);
}

static void say_contradictions(const struct listing *l, const struct clue_rules *c)
{
	for (size_t i = 0; i < c->n_contradictions; i++) {
		const struct contradiction *of = &c->contradictions[i];
		bool saturation = of->kind == CONTRADICTION_SATURATION;
		char text[160];
		struct rule r = rule_of(l, RULE_RANGE, "contradiction");
		snprintf(text, sizeof text, "%s: above %.12g times %s %s", of->reason, of->times,
			 saturation ? "saturation at" : "the value of",
			 l->plan->monitors[of->other].factor);
		r.text = text;
		r.place = of->place;
		l->fn(l->context, &r);
	}
	if (c->n_contradictions > 0) {
		say_clue(l, RULE_CONTRADICTS_COUNT, "contradicts_count", c->contradicts_count);
		say_clue(l, RULE_WITHIN, "within_s", seconds(c->within_ms));
	}
}

static void say_clues(const struct listing *l)
{
	const struct clue_rules *c = l->m->clues;
	if (c == NULL)
		return;
	say_counted(l, RULE_CLIPPED_COUNT, "clipped_count", c->clipped_count, RULE_CLIPPED_SHARE,
		    "clipped_from", c->clipped_from);
	say_counted(l, RULE_WEAK_FLAT_COUNT, "weak_flat_count", c->weak_flat_count,
		    RULE_WEAK_FLAT_SHARE, "weak_flat_share", c->weak_flat_share);
	say_counted(l, RULE_REPEATING_COUNT, "repeating_count", c->repeating_count, 0, NULL, 0);
	say_counted(l, RULE_ALIKE_COUNT, "alike_count", c->alike_count, 0, NULL, 0);
	say_counted(l, RULE_SHUT_COUNT, "shut_count", l->m->gated ? c->shut_count : 0,
		    RULE_SHUT_SHARE, "shut_share", c->shut_share);
	if (c->shut_after_ms != 0 && l->m->gated)
		say_clue(l, RULE_SHUT_AFTER, "shut_after_s", seconds(c->shut_after_ms));
	if (c->flagged_after_ms != 0)
		say_clue(l, RULE_FLAGGED_AFTER, "flagged_after_s", seconds(c->flagged_after_ms));
	say_contradictions(l, c);
	say_clue(l, RULE_HOLD, "hold_s", seconds(c->hold_ms));
}

/* --- of a site --- */

static void say_opens(const struct listing *l)
{
	struct text kinds = {0};
	for (unsigned kind = 0; kind < ALERT_KINDS; kind++)
		if ((l->site->opens & 1u << kind) != 0) {
			text_add(&kinds, kinds.length == 0 ? "" : ", ");
			text_add(&kinds, alert_kind_name((enum alert_kind)kind));
		}
	say_word(l, RULE_SITE_OPENS, "opens", kinds.length == 0 ? "none" : kinds.at);
	text_deinit(&kinds);
}

static void say_gate(const struct listing *l)
{
	const struct site *s = l->site;
	char text[160];
	if (!s->has_gate || !s->has_flow)
		return;
	const struct monitor *flow = &l->plan->monitors[s->flow_monitor];
	snprintf(text, sizeof text, "%s below %.12g %s for %.12g s", flow->factor, s->gate_below,
		 flow->unit, seconds(s->gate_for_ms));
	say_word(l, RULE_FLOW_GATE, "flow_gate", text);
}

static void say_flow(const struct listing *l)
{
	say_gate(l);
	if (l->site->has_flow)
		say_number(l, RULE_FLOW_WAIT, "flow_wait_s", seconds(l->site->flow_wait_ms));
}

static void say_site(const struct listing *l)
{
	say_word(l, RULE_PRACTICE, "practice",
		 l->site->practice == NULL ? "none" : l->site->practice);
	say_opens(l);
	say_flow(l);
	say_if_on(l, RULE_TARGET_CLASS, "target_class", l->site->target_class);
	say_if_on(l, RULE_JOIN, "join_h", (double)l->site->join_ms / 3600e3);
}

void rules_each(const struct plan *plan, uint32_t site, rule_fn fn, void *context)
{
	struct listing l = {.plan = plan, .site = &plan->sites[site], .fn = fn, .context = context};
	say_site(&l);
	for (uint32_t i = 0; i < l.site->n_monitors; i++) {
		l.m = &plan->monitors[l.site->first_monitor + i];
		say_signal(&l);
		say_clues(&l);
		for (size_t j = 0; j < l.m->n_limits; j++) {
			l.limit = &l.m->limits[j];
			say_limit(&l);
		}
		l.limit = NULL;
	}
}

/* --- as text --- */

void rule_value(struct text *out, const struct rule *rule)
{
	if (rule->text != NULL)
		text_add(out, rule->text);
	else
		text_format(out, "%.12g", rule->number);
}

const char *whence_name(enum whence whence)
{
	static const char *const names[] = {
		[WHENCE_BUILT_IN] = "built-in", [WHENCE_CONFIGURATION] = "configuration",
		[WHENCE_MODEL] = "model",       [WHENCE_STANDARD] = "standard",
		[WHENCE_PRACTICE] = "practice", [WHENCE_DATA] = "data"};
	return names[whence];
}

void rule_from(struct text *out, const struct plan *plan, const struct rule *rule)
{
	enum whence whence = (enum whence)rule->place.whence;
	bool placed = rule->place.line != 0 && plan->files != NULL;
	if (placed)
		text_format(out, "%s:%u", plan->files[rule->place.file], rule->place.line);
	if (whence == WHENCE_CONFIGURATION && placed && rule->source == NULL)
		return;
	text_add(out, placed ? " (" : "");
	text_add(out, rule->source != NULL ? rule->source : whence_name(whence));
	text_add(out, placed ? ")" : "");
}
