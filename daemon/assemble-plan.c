/* SPDX-License-Identifier: Apache-2.0 */
#include "assemble-plan.h"

#include "assemble-clues.h"
#include "assemble-places.h"
#include "core/beside.h"
#include "core/evaluate.h"
#include "core/number.h"
#include "core/reading.h"
#include "core/text.h"
#include "zone-load.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)CONFIG_NOISE == (int)SITE_NOISE, "kinds of sites are numbered alike");
_Static_assert((int)CONFIG_DAY == (int)AVERAGE_DAY && (int)CONFIG_DAY_8H == (int)AVERAGE_DAY_8H,
	       "averages are numbered alike");

/* A name for the entry that survives reordering; equal entries get their place appended. */
static char *limit_key(const struct config_monitor *m, size_t at)
{
	const struct config_limit *l = &m->limits[at];
	struct text key = {0};
	text_add(&key, average_name((enum average)l->average));
	if (l->has_max) {
		text_add(&key, ":max=");
		text_double(&key, l->max);
	}
	if (l->has_min) {
		text_add(&key, ":min=");
		text_double(&key, l->min);
	}
	for (size_t i = 0; i < at; i++)
		if (m->limits[i].average == l->average && m->limits[i].has_max == l->has_max &&
		    m->limits[i].has_min == l->has_min &&
		    (!l->has_max || m->limits[i].max == l->max) &&
		    (!l->has_min || m->limits[i].min == l->min))
			text_format(&key, ":%zu", at);
	char *fitted = key.failed ? NULL : strdup(key.at);
	text_deinit(&key);
	return fitted;
}

/* The start of the day, in the node's zone; 0 where there is none. */
static int64_t day_start_ms(const struct zone *zone, int day)
{
	const struct civil civil = {.year = 1970, .month = 1, .day = 1 + day};
	return day == 0 ? 0 : zone_wall_ms(zone, &civil, 0);
}

static bool fill_limit(struct limit *out, const struct config_monitor *m, size_t at, unsigned opens,
		       const struct zone *zone)
{
	const struct config_limit *l = &m->limits[at];
	bool by_site = (opens & (1u << ALERT_EXCEEDANCE)) != 0;
	*out = (struct limit){
		.has_max = l->has_max,
		.has_min = l->has_min,
		.max = l->max,
		.min = l->min,
		.average = (enum average)l->average,
		.by_flow = l->by_flow,
		.of_results = l->of_results,
		.valid_from_ms = day_start_ms(zone, l->from_day),
		.valid_to_ms = l->to_day == 0 ? 0 : day_start_ms(zone, l->to_day + 1),
		.derived = l->derived,
		.deadband = l->deadband,
		.on_delay_ms = milliseconds(l->on_delay_s),
		.off_delay_ms = milliseconds(l->off_delay_s),
		.on_count = (uint32_t)l->on_count,
		.off_count = (uint32_t)l->off_count,
		.warn_at = l->warn_at,
		.compare = l->rounded ? COMPARE_ROUNDED : COMPARE_FULL,
		.decimals = l->decimals,
		.grace_ms = milliseconds(l->grace_s),
		.mark_until_ms = l->average == CONFIG_DAY ? l->mark_until_min * INT64_C(60000) : 0,
		.min_valid = l->min_valid,
		.opens_case = l->opens < 0 ? by_site : l->opens == 1,
		.source = l->source,
		.key = limit_key(m, at),
	};
	return out->key != NULL;
}

/* What share of a permit is said, and by which name: 0.8 is "80%". */
static bool fill_shares(struct monitor *out, const struct config_monitor *m)
{
	struct permit_share *shares = calloc(m->n_permit_shares + 1, sizeof *shares);
	out->permit_shares = shares;
	if (shares == NULL)
		return false;
	for (; out->n_permit_shares < m->n_permit_shares; out->n_permit_shares++) {
		struct text name = {0};
		double share = m->permit_shares[out->n_permit_shares];
		text_double(&name, round_even(100 * share, 9));
		text_char(&name, '%');
		shares[out->n_permit_shares] = (struct permit_share){share, name.at};
		if (name.failed)
			return false;
	}
	return true;
}

_Static_assert((int)CONFIG_CLASSES == (int)SECTION_CLASSES, "classes are the same");

/* What a load may be at most is the target's bound; oxygen and acidity have no load of excess. */
static bool fill_classes(struct monitor *out, const struct config_site *site,
			 const struct config_monitor *m)
{
	if (!m->classed)
		return true;
	struct class_bounds *bounds = calloc(1, sizeof *bounds);
	out->classes = bounds;
	if (bounds == NULL)
		return false;
	bounds->has_max = m->class_has_max;
	bounds->has_min = m->class_has_min;
	memcpy(bounds->max, m->class_max, sizeof bounds->max);
	memcpy(bounds->min, m->class_min, sizeof bounds->min);
	out->has_target = m->class_has_max && !m->class_has_min && site->target_class > 0;
	if (out->has_target)
		out->target = m->class_max[site->target_class - 1];
	return true;
}

/* Discharged totals; without a site's flow there are none. */
static bool fill_loads(struct monitor *out, const struct config_site *site,
		       const struct config_monitor *m)
{
	struct text source = {0};
	out->load_times = m->load_times;
	out->load_unit = m->factor.load_unit;
	out->hold_ms = milliseconds(m->hold_s);
	if (m->permit_load == 0)
		return true;
	out->permit_tonnes = m->permit_tonnes_year;
	out->permit_load = m->permit_load;
	text_format(&source, site->parties.permit_no == NULL ? "configuration" : "permit %s",
		    site->parties.permit_no);
	out->permit_source = source.at;
	return !source.failed && fill_shares(out, m);
}

static double smallest_code(const struct config *config, const struct config_monitor *m)
{
	double smallest = config->codes_from;
	if (config->unreal_from > 0)
		smallest = fmin(smallest, config->unreal_from);
	for (size_t i = 0; i < m->n_codes; i++)
		smallest = fmin(smallest, fabs(m->codes[i]));
	for (size_t i = 0; i < m->n_fills; i++)
		smallest = fmin(smallest, (1 - 1e-7) * m->fills[i]);
	return smallest;
}

static int fill_monitor(struct monitor *out, const struct config *config,
			const struct config_site *site, const struct config_monitor *m,
			uint32_t site_index, const struct zone *zone)
{
	bool chinese = strcmp(config->language, "zh_CN") == 0;
	struct limit *limits = calloc(m->n_limits > 0 ? m->n_limits : 1, sizeof *limits);
	*out = (struct monitor){
		.site = site_index,
		.connection = (uint32_t)m->connection,
		.factor = m->factor.code,
		.factor_name = chinese ? m->factor.name_zh : m->factor.name_en,
		.name_zh = m->factor.name_zh,
		.name_en = m->factor.name_en,
		.unit = m->unit,
		.decimals = m->decimals,
		.no_mean = m->factor.no_mean,
		.no_multiple = m->factor.no_multiple,
		.has_range = m->has_range,
		.range_low = m->range_low,
		.range_high = m->range_high,
		.scale = m->scale,
		.offset = m->offset,
		.has_dead = m->has_dead,
		.has_most = m->has_most,
		.dead_at = m->dead_at,
		.dead_confidence = m->dead_confidence,
		.most = m->most,
		.codes = config->codes,
		.n_codes = m->has_codes ? config->n_codes : 0,
		.codes_from = smallest_code(config, m),
		.unreal_from = config->unreal_from,
		.own_codes = m->codes,
		.n_own_codes = m->n_codes,
		.fills = m->fills,
		.n_fills = m->n_fills,
		.has_nothing = m->has_nothing,
		.nothing_at = m->nothing_at,
		.zero_beside = m->zero_beside,
		.low_beside = m->low_beside,
		.under_range = m->under_range,
		.late_count = (uint32_t)m->late_count,
		.interval_ms = m->interval_ms,
		.stale_after_ms = milliseconds(m->stale_after_s),
		.flat_after_ms = milliseconds(m->flat_after_s),
		.flat_count = (uint32_t)m->flat_count,
		.flat_band = m->flat_band,
		.max_step = m->max_step,
		.max_step_hour = m->max_step_hour,
		.step_times = m->step_times,
		.step_share = m->step_share,
		.detection_limit = m->detection_limit,
		.cycle_ms = milliseconds(m->cycle_s),
		.expected_per_hour = m->expected_per_hour,
		.settle_results = (uint32_t)m->settle_results,
		.own_pace = m->own_pace,
		.gated = m->gated && site->has_gate &&
			 strcmp(m->factor.code, site->flow_factor) != 0,
		.rollover = m->rollover,
		.accepted_on = m->accepted_on,
		.last_comparison = m->last_comparison,
		.operator= m->operator,
		.limits = limits,
		.n_limits = limits == NULL ? 0 : m->n_limits,
	};
	quality_begin(out);
	if (!fill_loads(out, site, m) || !fill_classes(out, site, m))
		return -ENOMEM;
	for (size_t i = 0; i < out->n_limits; i++)
		if (!fill_limit(&limits[i], m, i, site->opens, zone))
			return -ENOMEM;
	return limits == NULL ? -ENOMEM : 0;
}

/* Which of a site's monitors measures its flow. */
static void fill_flow(struct site *out, const struct config_site *s)
{
	out->has_gate = s->has_gate;
	out->gate_below = s->gate_below;
	out->gate_for_ms = milliseconds(s->gate_for_s);
	out->flow_wait_ms = milliseconds(s->flow_wait_s);
	for (uint32_t i = 0; i < s->n_monitors; i++)
		if (strcmp(s->monitors[i].factor.code, s->flow_factor) == 0) {
			out->has_flow = true;
			out->flow_monitor = out->first_monitor + i;
		}
}

static void fill_site(struct site *out, const struct config_site *s, uint32_t first_monitor)
{
	*out = (struct site){
		.id = s->id,
		.name = s->name,
		.kind = (enum site_kind)s->kind,
		.river = s->river,
		.subdistrict = s->subdistrict,
		.community = s->community,
		.has_place = s->has_place,
		.longitude = s->longitude,
		.latitude = s->latitude,
		.responsible = {s->unit, s->leader, s->team, s->phone},
		.parties = {.support_units = s->parties.support_units,
			    .territory = s->parties.territory,
			    .contact = s->parties.contact,
			    .appointed_by = s->parties.appointed_by,
			    .valid_until = s->parties.valid_until,
			    .officer = s->parties.officer,
			    .river_chief = s->parties.river_chief,
			    .enterprise = s->parties.enterprise,
			    .credit_code = s->parties.credit_code,
			    .permit_no = s->parties.permit_no,
			    .outlet = s->parties.outlet},
		.upstream_of = s->upstream_of,
		.rain_site = s->rain_site,
		.travel_ms = milliseconds(s->travel_h * 3600),
		.join_ms = milliseconds(s->join_h * 3600),
		.opens = s->opens,
		.first_monitor = first_monitor,
		.n_monitors = (uint32_t)s->n_monitors,
		.target_class = s->target_class,
		.practice = s->practice,
	};
	fill_flow(out, s);
}

/* Of two probes neither can tell of the other that its low end is none. */
static void fill_low(struct monitor *monitors, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t there = 0;
		for (size_t j = 0; monitors[i].low_beside && j < n; j++)
			there += monitors[j].connection == monitors[i].connection;
		monitors[i].low_beside = there > 2;
	}
}

/* The monitors that are looked at when one of them reads little: those of its site and connection.
 */
static void fill_beside(struct monitor *monitors, size_t n)
{
	fill_low(monitors, n);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; (monitors[i].zero_beside || monitors[i].low_beside) && j < n;
		     j++)
			monitors[j].seen_beside |= monitors[j].connection == monitors[i].connection;
	for (size_t i = 0; i < n; i++)
		beside_begin(&monitors[i]);
}

static int fill_sites(struct plan *plan, const struct config *config)
{
	struct site *sites = calloc(config->n_sites + 1, sizeof *sites);
	struct monitor *monitors = calloc(config->n_monitors + 1, sizeof *monitors);
	uint32_t next = 0;
	plan->codes = config->codes;
	plan->n_codes = config->n_codes;
	plan->sites = sites;
	plan->monitors = monitors;
	if (sites == NULL || monitors == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < config->n_sites; i++) {
		const struct config_site *s = &config->sites[i];
		fill_site(&sites[i], s, next);
		plan->n_sites++;
		for (size_t j = 0; j < s->n_monitors; j++) {
			plan->n_monitors = next + 1;
			if (fill_monitor(&monitors[next++], config, s, &s->monitors[j], i,
					 &plan->zone) < 0)
				return -ENOMEM;
		}
		fill_beside(&monitors[sites[i].first_monitor], s->n_monitors);
	}
	return 0;
}

static int fill_connections(struct plan *plan, const struct config *config)
{
	static const char *const drivers[] = {
		[CONFIG_MODBUS] = "modbus", [CONFIG_MQTT] = "mqtt", [CONFIG_HJ212] = "hj212"};
	struct connection *connections = calloc(config->n_connections + 1, sizeof *connections);
	plan->connections = connections;
	if (connections == NULL)
		return -ENOMEM;
	plan->n_connections = config->n_connections;
	for (size_t i = 0; i < config->n_connections; i++)
		connections[i] = (struct connection){config->connections[i].id,
						     drivers[config->connections[i].driver]};
	return 0;
}

static int copy_zone(struct zone *out, const struct zone *zone)
{
	struct zone_change *changes = calloc(zone->n_changes + 1, sizeof *changes);
	if (changes == NULL)
		return -ENOMEM;
	memcpy(changes, zone->changes, zone->n_changes * sizeof *changes);
	*out = (struct zone){changes, zone->n_changes};
	return 0;
}

int plan_fill(struct plan *plan, const struct config *config, const struct zone *zone)
{
	plan->node = config->id;
	plan->office = config->office;
	plan->case_prefix = config->case_prefix;
	plan->case_number = config->case_number;
	plan->language = config->language;
	int r = zone == NULL ? zone_load(&plan->zone, config->timezone)
			     : copy_zone(&plan->zone, zone);
	if (r == 0)
		r = fill_connections(plan, config);
	if (r == 0)
		r = fill_sites(plan, config);
	if (r == 0)
		r = clues_fill(plan, config);
	if (r == 0)
		r = places_fill(plan, config);
	return r;
}

static void release(const void *memory)
{
	free((void *)(uintptr_t)memory);
}

void plan_deinit(struct plan *plan)
{
	for (size_t i = 0; i < plan->n_monitors; i++) {
		for (size_t j = 0; j < plan->monitors[i].n_limits; j++)
			release(plan->monitors[i].limits[j].key);
		for (size_t j = 0; j < plan->monitors[i].n_permit_shares; j++)
			release(plan->monitors[i].permit_shares[j].name);
		release(plan->monitors[i].permit_shares);
		release(plan->monitors[i].permit_source);
		release(plan->monitors[i].classes);
		release(plan->monitors[i].limits);
	}
	clues_deinit(plan);
	places_deinit(plan);
	release(plan->monitors);
	release(plan->sites);
	release(plan->connections);
	release(plan->zone.changes);
}
