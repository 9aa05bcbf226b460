/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/loads.h"

#include "core/number.h"

struct loads {
	struct text *out;
	const struct plan *plan;
	struct tallies *tallies;
	int64_t until_ms;
	bool excess; /* of a monitor with a target */
	size_t n;
	struct tally_sum sum;
};

/* Of the part of a span that was added up; nothing of it is no share at all. */
static void covered_json(struct loads *p, struct span span, int64_t covered_ms)
{
	int64_t end_ms = span.end_ms < p->until_ms ? span.end_ms : p->until_ms;
	text_add(p->out, ",\"covered\":");
	if (end_ms <= span.start_ms)
		text_add(p->out, "null");
	else
		text_double(p->out, round12((double)covered_ms / (double)(end_ms - span.start_ms)));
}

static void sum_json(struct loads *p, struct span span, const struct tally_sum *sum)
{
	text_add(p->out, "\"load\":");
	text_double(p->out, round12(sum->load));
	if (p->excess) {
		text_add(p->out, ",\"excess\":");
		text_double(p->out, round12(sum->excess));
	}
	covered_json(p, span, sum->covered_ms);
}

static bool part_json(void *context, const struct tally_row *row)
{
	struct loads *p = context;
	text_add(p->out, p->n++ == 0 ? "{\"time\":\"" : ",{\"time\":\"");
	text_time(p->out, row->span.start_ms, &p->plan->zone, 3);
	text_add(p->out, "\",");
	sum_json(p, row->span, &row->sum);
	text_char(p->out, '}');
	return !p->out->failed;
}

static bool add_row(void *context, const struct tally_row *row)
{
	struct loads *p = context;
	p->sum.load += row->sum.load;
	p->sum.excess += row->sum.excess;
	p->sum.covered_ms += row->sum.covered_ms;
	return true;
}

static int total(struct loads *p, uint32_t monitor, struct span span)
{
	p->sum = (struct tally_sum){0};
	return p->tallies == NULL ? 0
				  : tallies_rows(p->tallies, monitor, TALLY_DAY, span, add_row, p);
}

static void permit_json(struct loads *p, const struct monitor *m)
{
	text_add(p->out, ",\"permit_tonnes_year\":");
	if (m->permit_load == 0) {
		text_add(p->out, "null,\"permit_share\":null");
		return;
	}
	text_double(p->out, m->permit_tonnes);
	text_add(p->out, ",\"permit_share\":");
	text_double(p->out, round12(p->sum.load / m->permit_load));
}

static void names_json(struct loads *p, const struct monitor *m)
{
	text_add(p->out, "{\"factor\":");
	text_json(p->out, m->factor);
	text_add(p->out, ",\"factor_name\":");
	text_json(p->out, m->factor_name);
	text_add(p->out, ",\"unit\":");
	text_json(p->out, m->load_unit);
	text_char(p->out, ',');
}

static int monitor_json(struct loads *p, uint32_t monitor, const struct query *query,
			struct span span)
{
	const struct monitor *m = &p->plan->monitors[monitor];
	struct span year = year_of(&p->plan->zone, span.start_ms);
	p->excess = m->has_target;
	p->n = 0;
	int r = total(p, monitor, span);
	names_json(p, m);
	sum_json(p, span, &p->sum);
	if (r == 0)
		r = total(p, monitor, year);
	text_add(p->out, ",\"year\":{");
	sum_json(p, year, &p->sum);
	text_char(p->out, '}');
	permit_json(p, m);
	text_add(p->out, ",\"parts\":[");
	if (r == 0 && p->tallies != NULL)
		r = tallies_rows(p->tallies, monitor, query->period, span, part_json, p);
	text_add(p->out, "]}");
	return r;
}

static void time_json(struct loads *p, const char *name, int64_t time_ms)
{
	text_format(p->out, ",\"%s\":", name);
	if (time_ms == 0) {
		text_add(p->out, "null");
		return;
	}
	text_char(p->out, '"');
	text_time(p->out, time_ms, &p->plan->zone, 3);
	text_char(p->out, '"');
}

int page_loads(struct text *out, const struct plan *plan, struct tallies *tallies,
	       const struct query *query, int64_t now_ms)
{
	const struct site *site = &plan->sites[plan_site(plan, query->site)];
	struct loads p = {.out = out, .plan = plan, .tallies = tallies};
	struct span span = query->has_span ? query->span : month_of(&plan->zone, now_ms);
	const char *comma = "";
	int r = 0;
	p.until_ms = tallies == NULL ? 0 : tallies_until(tallies);
	text_add(out, "{\"site\":");
	text_json(out, site->id);
	time_json(&p, "from", span.start_ms);
	time_json(&p, "to", span.end_ms);
	time_json(&p, "until", p.until_ms);
	text_add(out, ",\"loads\":[");
	for (uint32_t i = 0; r == 0 && i < site->n_monitors; i++) {
		uint32_t monitor = site->first_monitor + i;
		if (!tally_wanted(plan, plan->monitors[monitor].site) ||
		    !tally_counts(plan, monitor) ||
		    (query->factor != NULL &&
		     monitor != plan_monitor(plan, site->id, query->factor)))
			continue;
		text_add(out, comma);
		r = monitor_json(&p, monitor, query, span);
		comma = ",";
	}
	text_add(out, "]}\n");
	return r;
}
