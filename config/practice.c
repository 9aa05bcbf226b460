/* SPDX-License-Identifier: Apache-2.0 */
#include "config/practice.h"

#include "config/checks.h"
#include "config/dates.h"
#include "config/limits.h"
#include "config/loads.h"
#include "config/origin.h"
#include "config/registers.h"
#include "config/sites.h"
#include "config/units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define YEAR_S 31622400.0
#define RESULTS_MISSED 2.25 /* until silence means something: 9 h where one comes every 4 */
#define LATE_COUNT 5        /* readings that no message which was overtaken explains */
#define RESULT_S 900.0      /* asked more rarely, every value is a new result */

/* --- data --- */

static const char *check_verdict(const char *text)
{
	return strcmp(text, "alert") == 0 || strcmp(text, "case") == 0
		       ? NULL
		       : "use \"alert\" or \"case\"";
}

#define AT(member) offsetof(struct practice_rule, member)
#define SECONDS(name)                                                                              \
	{                                                                                          \
#name, FIELD_NUMBER, .offset = AT(name), .low = 0, .high = YEAR_S                  \
	}
static const struct field rule_fields[] = {
	{"factors", FIELD_TEXTS, .offset = AT(factors), .check = check_factor},
	{"analyser", FIELD_BOOL, .offset = AT(analyser)},
	{"at_once", FIELD_BOOL, .offset = AT(at_once)},
	{"under_range", FIELD_BOOL, .offset = AT(under_range)},
	SECONDS(cycle_s),
	SECONDS(link_s),
	SECONDS(result_s),
	SECONDS(flat_after_s),
	SECONDS(on_delay_s),
	SECONDS(off_delay_s),
	{"max_step_hour", FIELD_NUMBER, .offset = AT(max_step_hour), .low = 0, .high = 1e15},
	{"step_times", FIELD_NUMBER, .offset = AT(step_times), .low = 1, .high = 1e6},
	{"step_share", FIELD_NUMBER, .offset = AT(step_share), .low = 0, .high = 1e6, .open = true},
	{"deadband", FIELD_NUMBER, .offset = AT(deadband), .low = 0, .high = 1e15},
	{"deadband_share", FIELD_NUMBER, .offset = AT(deadband_share), .low = 0, .high = 0.5},
	{"on_count", FIELD_INT, .offset = AT(on_count), .low = 0, .high = 100000},
	{"off_count", FIELD_INT, .offset = AT(off_count), .low = 0, .high = 100000},
	{"flat_count", FIELD_INT, .offset = AT(flat_count), .low = 2, .high = 1000000},
	{"settle_results", FIELD_INT, .offset = AT(settle_results), .low = 0, .high = 1000},
	{"opens", FIELD_TEXTS, .offset = AT(opens), .check = check_verdict},
};
#undef AT
static const struct schema rule_schema = {"a rule", NULL, rule_fields, COUNT(rule_fields)};

static const struct field practice_fields[] = {
	{"id", FIELD_TEXT, .offset = offsetof(struct practice, id), .required = EVERY,
	 .check = check_id},
	{"kind", FIELD_CHOICE, .offset = offsetof(struct practice, kind), .required = EVERY,
	 .choices = site_kinds},
	{"clues", FIELD_BOOL, .offset = offsetof(struct practice, clues)},
	{"join_h", FIELD_NUMBER, .offset = offsetof(struct practice, join_h), .low = 0,
	 .high = 720},
	{"mark_until", FIELD_TEXT, .offset = offsetof(struct practice, mark_until),
	 .check = check_mark_until},
	{"gate_below", FIELD_NUMBER, .offset = offsetof(struct practice, gate_below), .low = 0,
	 .high = 1e15},
	{"gate_for_s", FIELD_NUMBER, .offset = offsetof(struct practice, gate_for_s), .low = 0,
	 .high = YEAR_S},
	{"rules", FIELD_LATER, .offset = NOWHERE, .required = EVERY},
};
static const struct schema practice_schema = {"a practice", NULL, practice_fields,
					      COUNT(practice_fields)};

static void read_rule(struct walk *walk, const struct catalogue *catalogue,
		      const config_setting_t *group, struct practice_rule *rule)
{
	size_t before = walk->faults->list.n;
	schema_read(walk, &rule_schema, group, 0, rule);
	rule->line = (int)origin_said(walk, group).line;
	for (size_t i = 0; i < rule->factors.n; i++)
		if (catalogue->n > 0 && !catalogue_find(catalogue, rule->factors.at[i]))
			FAULT(walk, schema_key(group, "factors"),
			      "factor \"%s\" is not in the catalogue", rule->factors.at[i]);
	if (walk->faults->list.n == before && rule->opens.n != 0 &&
	    rule->opens.n != PRACTICE_AVERAGES)
		FAULT(walk, schema_key(group, "opens"),
		      "opens needs three verdicts: of a value, of an hour's mean, of a day's");
	if ((rule->step_times > 0) != (rule->step_share > 0))
		FAULT(walk, group, "step_times and step_share stand only together");
}

static void read_practice(struct walk *walk, struct practice *practice,
			  const struct catalogue *catalogue, const config_setting_t *group)
{
	size_t n = schema_length(walk, group, "rules");
	*practice = (struct practice){.rules = calloc(n + 1, sizeof(*practice->rules))};
	schema_read(walk, &practice_schema, group, 0, practice);
	practice->file = schema_copy(walk, walk->document->scan.files[0].name);
	practice->line = (int)origin_said(walk, group).line;
	if (!practice->rules)
		walk->faults->no_memory = true;
	for (size_t i = 0; practice->rules && i < n; i++)
		read_rule(walk, catalogue, schema_element(group, "rules", i),
			  &practice->rules[practice->n_rules++]);
}

void practices_read(struct walk *walk, struct practices *practices,
		    const struct catalogue *catalogue, const config_setting_t *root)
{
	size_t n = schema_length(walk, root, "practices");
	struct practice *grown = realloc(practices->at, (practices->n + n + 1) * sizeof(*grown));
	if (!grown) {
		walk->faults->no_memory = true;
		return;
	}
	practices->at = grown;
	for (size_t i = 0; i < n; i++)
		read_practice(walk, &practices->at[practices->n++], catalogue,
			      schema_element(root, "practices", i));
}

void practices_deinit(struct practices *practices)
{
	for (size_t i = 0; i < practices->n; i++) {
		struct practice *p = &practices->at[i];
		for (size_t j = 0; j < p->n_rules; j++)
			schema_free(&rule_schema, &p->rules[j]);
		schema_free(&practice_schema, p);
		free(p->rules);
		free(p->file);
	}
	free(practices->at);
	*practices = (struct practices){0};
}

void practice_check(struct walk *walk, const struct practices *practices,
		    const config_setting_t *group)
{
	const char *id = schema_peek(group, "practice"), *names[8];
	size_t n = 0;
	if (!id || strcmp(id, "none") == 0)
		return;
	for (size_t i = 0; i < practices->n; i++) {
		const char *name = practices->at[i].id;
		if (name && strcmp(name, id) == 0)
			return;
		if (name && n < COUNT(names) && (n == 0 || strcmp(names[n - 1], name) != 0))
			names[n++] = name;
	}
	char *known = listed(names, n);
	FAULT(walk, schema_key(group, "practice"),
	      "practice \"%s\" is not in the data; there are %s, and \"none\"", id,
	      n > 0 && known ? known : "none there");
	free(known);
}

/* --- what a monitor does not say --- */

struct settling {
	const struct practice *practice;
	const struct practice_rule *rule;
	const struct config_connection *connection;
	struct config_monitor *m;
	struct config_origin from;
};

static bool built_in(const struct config_origin *from, int rule)
{
	return from[rule].whence == CONFIG_BUILT_IN;
}

static void take_number(const struct settling *s, int rule, double *at, double value)
{
	if (value <= 0 || !built_in(s->m->from, rule))
		return;
	*at = value;
	s->m->from[rule] = s->from;
}

/* How far apart values come, where that is known; 0: they come when they come. */
static double interval_s(const struct config_monitor *m)
{
	if (m->interval_ms > 0)
		return (double)m->interval_ms / 1000;
	return m->expected_per_hour > 0 ? 3600 / m->expected_per_hour : 0;
}

/* A value that is asked for again and again is held, until it changes or its time is over. */
static void take_cycle(const struct settling *s)
{
	if (s->rule->analyser && interval_s(s->m) < RESULT_S)
		take_number(s, CONFIG_RULE_CYCLE, &s->m->cycle_s, s->rule->cycle_s);
}

/* What is asked, or sends at a known rate, speaks on though its result is old; what sends its
 * results alone is silent between them. Who sends at a rate unknown keeps the built-in default. */
static void take_stale(const struct settling *s)
{
	const struct config_monitor *m = s->m;
	bool results =
		s->rule->analyser && (s->connection->driver != CONFIG_MODBUS || registers_dated(m));
	double every_s = fmax(m->cycle_s, interval_s(m));
	double after_s = results ? fmax(s->rule->result_s, RESULTS_MISSED * every_s)
				 : fmax(s->rule->link_s, 3 * interval_s(m));
	if (!results && interval_s(m) == 0)
		return;
	take_number(s, CONFIG_RULE_STALE, &s->m->stale_after_s, after_s);
	s->m->own_pace = results && m->from[CONFIG_RULE_STALE].whence == CONFIG_PRACTICE;
}

/* Equal for so long, and never on fewer than four values. */
static void take_flat(const struct settling *s)
{
	struct config_monitor *m = s->m;
	if (!built_in(m->from, CONFIG_RULE_FLAT_AFTER) ||
	    !built_in(m->from, CONFIG_RULE_FLAT_COUNT))
		return;
	if (s->rule->flat_after_s > 0)
		take_number(s, CONFIG_RULE_FLAT_AFTER, &m->flat_after_s,
			    fmax(s->rule->flat_after_s, 3 * interval_s(m)));
	if (s->rule->flat_count == 0)
		return;
	m->flat_count = s->rule->flat_count;
	m->from[CONFIG_RULE_FLAT_COUNT] = s->from;
}

/* A difference in the catalogue's unit as one in the monitor's; 0 where it means nothing there. */
static double in_unit(const struct config_monitor *m, double size)
{
	struct conversion c;
	if (!m->unit || !m->factor.unit || !unit_conversion(m->factor.unit, m->unit, NULL, &c))
		return 0;
	return conversion_size(&c, size);
}

static void take_step(const struct settling *s)
{
	struct config_monitor *m = s->m;
	for (int rule = CONFIG_RULE_STEP; rule <= CONFIG_RULE_STEP_SHARE; rule++)
		if (!built_in(m->from, rule))
			return;
	take_number(s, CONFIG_RULE_STEP_HOUR, &m->max_step_hour,
		    in_unit(m, s->rule->max_step_hour));
	take_number(s, CONFIG_RULE_STEP_TIMES, &m->step_times, s->rule->step_times);
	take_number(s, CONFIG_RULE_STEP_SHARE, &m->step_share, s->rule->step_share);
}

static void take_settle(const struct settling *s)
{
	if (s->rule->settle_results == 0 || !built_in(s->m->from, CONFIG_RULE_SETTLE))
		return;
	s->m->settle_results = s->rule->settle_results;
	s->m->from[CONFIG_RULE_SETTLE] = s->from;
}

static void take_under_range(const struct settling *s)
{
	struct config_monitor *m = s->m;
	if (!s->rule->under_range || !m->has_range || !built_in(m->from, CONFIG_RULE_UNDER_RANGE))
		return;
	m->under_range = true;
	m->from[CONFIG_RULE_UNDER_RANGE] = s->from;
}

/* --- what a limit does not say --- */

static void take_delay(const struct settling *s, struct config_limit *l, bool on)
{
	int of_delay = on ? CONFIG_RULE_ON_DELAY : CONFIG_RULE_OFF_DELAY;
	int of_count = on ? CONFIG_RULE_ON_COUNT : CONFIG_RULE_OFF_COUNT;
	double delay_s = on ? s->rule->on_delay_s : s->rule->off_delay_s;
	int count = on ? s->rule->on_count : s->rule->off_count;
	if (!built_in(l->from, of_delay) || !built_in(l->from, of_count))
		return;
	if (l->average == CONFIG_INSTANT && delay_s > 0) {
		*(on ? &l->on_delay_s : &l->off_delay_s) = delay_s;
		l->from[of_delay] = s->from;
	}
	if (l->average < CONFIG_DAY && count > 0) {
		*(on ? &l->on_count : &l->off_count) = count;
		l->from[of_count] = s->from;
	}
}

/* Between two bounds a share is that of what lies between, so that something always clears. */
static double deadband_of(const struct settling *s, const struct config_limit *l)
{
	bool between = l->has_max && l->has_min;
	double size = between ? l->max - l->min : fabs(l->has_max ? l->max : l->min);
	double band = s->rule->deadband_share > 0 ? digits12(s->rule->deadband_share * size)
						  : in_unit(s->m, s->rule->deadband);
	return between && band > size / 4 ? size / 4 : band;
}

static void take_deadband(const struct settling *s, struct config_limit *l)
{
	double band = deadband_of(s, l);
	if (l->average != CONFIG_INSTANT || band <= 0 || !built_in(l->from, CONFIG_RULE_DEADBAND))
		return;
	l->deadband = band;
	l->from[CONFIG_RULE_DEADBAND] = s->from;
}

/* The standards' data say what is usual, the office what it does. */
static void take_opens(const struct settling *s, struct config_limit *l, bool site_says)
{
	const struct texts *opens = &s->rule->opens;
	unsigned whence = l->from[CONFIG_RULE_OPENS].whence;
	if (opens->n == 0 || whence == CONFIG_SAID || site_says)
		return;
	int judged_by = l->average == CONFIG_DAY_8H ? CONFIG_DAY : (int)l->average;
	l->opens = strcmp(opens->at[judged_by], "case") == 0;
	l->from[CONFIG_RULE_OPENS] = s->from;
}

/* Until then the day behind a mean may be marked, and opens no case. */
static void take_mark_until(const struct settling *s, struct config_limit *l)
{
	if (!s->practice->mark_until || l->average != CONFIG_DAY ||
	    !built_in(l->from, CONFIG_RULE_MARK_UNTIL))
		return;
	l->mark_until_min = minute_of_day(s->practice->mark_until);
	l->from[CONFIG_RULE_MARK_UNTIL] =
		origin_at(CONFIG_PRACTICE, s->from.file, s->practice->line);
}

/* One result is an alert at once, and as many as the rule counts open the case: two entries. */
static bool alerts_at_once(const struct settling *s, const struct config_limit *l)
{
	return s->rule->at_once && l->average == CONFIG_INSTANT && l->opens == 1 &&
	       l->from[CONFIG_RULE_ON_COUNT].whence == CONFIG_PRACTICE &&
	       l->from[CONFIG_RULE_OPENS].whence == CONFIG_PRACTICE;
}

static void add_at_once(struct walk *walk, const struct settling *s, size_t at)
{
	struct config_monitor *m = s->m;
	char *source = schema_copy(walk, m->limits[at].source);
	struct config_limit *grown = realloc(m->limits, (m->n_limits + 1) * sizeof(*grown));
	if (grown)
		m->limits = grown;
	if (!grown || !source) {
		walk->faults->no_memory = true;
		free(source);
		return;
	}
	struct config_limit *added = &m->limits[m->n_limits++];
	*added = m->limits[at];
	added->source = source;
	added->on_count = added->off_count = 1;
	added->opens = 0;
}

static void take_limits(struct walk *walk, const struct settling *s, bool site_opens)
{
	size_t n = s->m->n_limits;
	for (size_t i = 0; i < n; i++) {
		struct config_limit *l = &s->m->limits[i];
		take_delay(s, l, true);
		take_delay(s, l, false);
		take_deadband(s, l);
		take_opens(s, l, site_opens);
		take_mark_until(s, l);
		if (alerts_at_once(s, l))
			add_at_once(walk, s, i);
	}
}

/* --- a site --- */

static const struct practice *practice_of(const struct practices *practices, const char *id,
					  int kind)
{
	for (size_t i = 0; id && i < practices->n; i++)
		if (practices->at[i].kind == kind && practices->at[i].id &&
		    strcmp(practices->at[i].id, id) == 0)
			return &practices->at[i];
	return NULL;
}

static const struct practice_rule *rule_of(const struct practice *practice, const char *factor)
{
	for (size_t i = 0; i < practice->n_rules; i++) {
		const struct texts *factors = &practice->rules[i].factors;
		bool named = factors->n == 0;
		for (size_t j = 0; j < factors->n; j++)
			named = named || strcmp(factors->at[j], factor) == 0;
		if (named)
			return &practice->rules[i];
	}
	return NULL;
}

static void settle_monitor(struct walk *walk, struct settling *s, size_t file, bool site_opens)
{
	if (!s->rule)
		return;
	s->from = origin_at(CONFIG_PRACTICE, file, s->rule->line);
	take_cycle(s);
	take_stale(s);
	take_flat(s);
	take_step(s);
	take_settle(s);
	take_under_range(s);
	take_limits(walk, s, site_opens);
}

/* A counter of volume shows no flow of a moment, and has no gate. */
static void settle_gate(const struct practice *practice, struct config_origin from,
			const config_setting_t *group, struct config_site *site)
{
	struct conversion c;
	for (size_t i = 0; i < site->n_monitors; i++) {
		const struct config_monitor *m = &site->monitors[i];
		if (practice->gate_below == 0 || schema_has(group, "flow_gate") ||
		    !loads_is_flow(site, m) || !m->unit ||
		    !unit_conversion("L/s", m->unit, NULL, &c))
			continue;
		site->has_gate = true;
		site->gate_below = conversion_size(&c, practice->gate_below);
		site->gate_for_s = practice->gate_for_s;
		site->from[CONFIG_RULE_GATE] = from;
	}
}

void practice_settle(struct walk *walk, const struct practices *practices, const char *id,
		     struct config *config, const config_setting_t *group, struct config_site *site)
{
	const struct practice *practice = practice_of(practices, id, (int)site->kind);
	if (!practice || !practice->file)
		return;
	size_t file = origin_file(walk, config, practice->file);
	site->clues.on = practice->clues && !schema_has(group, "clues");
	for (int i = CONFIG_RULE_CLUES; site->clues.on && i < CONFIG_SITE_RULES; i++)
		site->from[i] = origin_at(CONFIG_PRACTICE, file, practice->line);
	if (practice->join_h > 0 && !schema_has(group, "join_h")) {
		site->join_h = practice->join_h;
		site->from[CONFIG_RULE_JOIN] = origin_at(CONFIG_PRACTICE, file, practice->line);
	}
	settle_gate(practice, origin_at(CONFIG_PRACTICE, file, practice->line), group, site);
	for (size_t i = 0; i < site->n_monitors; i++) {
		struct config_monitor *m = &site->monitors[i];
		struct settling s = {.practice = practice,
				     .m = m,
				     .connection = &config->connections[m->connection]};
		s.rule = m->factor.code ? rule_of(practice, m->factor.code) : NULL;
		m->is_probe = site->clues.on && s.rule && !s.rule->analyser;
		if (site->clues.on && built_in(m->from, CONFIG_RULE_LATE)) {
			m->late_count = LATE_COUNT;
			m->from[CONFIG_RULE_LATE] = site->from[CONFIG_RULE_CLUES];
		}
		settle_monitor(walk, &s, file, schema_has(group, "opens"));
	}
}
