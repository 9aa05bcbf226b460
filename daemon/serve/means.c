/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/means.h"

#include "core/csv.h"
#include "core/number.h"

#define DAY_MS INT64_C(86400000)

struct means {
	struct text *out;
	const struct plan *plan;
	const struct query *query;
	const struct monitor *monitor;
	bool csv;
	size_t n;
	int64_t last_ms; /* of the newest row written */
};

static void row_json(struct means *p, int64_t start_ms, int64_t count, const double values[3])
{
	static const char *const names[] = {"mean", "min", "max"};

	text_add(p->out, p->n == 0 ? "{\"time\":\"" : ",{\"time\":\"");
	text_time(p->out, start_ms, &p->plan->zone, 3);
	text_format(p->out, "\",\"count\":%lld", (long long)count);
	for (size_t i = 0; i < 3; i++) {
		text_format(p->out, ",\"%s\":", names[i]);
		text_double(p->out, values[i]);
	}
	text_char(p->out, '}');
}

static void row_csv(struct means *p, int64_t start_ms, int64_t count, const double values[3])
{
	text_time(p->out, start_ms, &p->plan->zone, 3);
	text_format(p->out, ",%s,%s,%lld", p->plan->sites[p->monitor->site].id, p->monitor->factor,
		    (long long)count);
	for (size_t i = 0; i < 3; i++) {
		text_char(p->out, ',');
		text_double(p->out, values[i]);
	}
	text_char(p->out, '\n');
}

/* Return: false when the page is full. */
static bool give(struct means *p, int64_t start_ms, int64_t count, double sum, double low,
		 double high)
{
	const double values[] = {round12(sum / (double)count), round12(low), round12(high)};

	if (count == 0 || (p->query->after != 0 && start_ms <= p->query->after))
		return true;
	if (p->csv)
		row_csv(p, start_ms, count, values);
	else
		row_json(p, start_ms, count, values);
	p->last_ms = start_ms;
	return ++p->n < p->query->limit && !p->out->failed;
}

static bool give_minute(void *context, int64_t start_ms, const struct minute *m)
{
	return give(context, start_ms, m->n, m->sum, m->low, m->high);
}

static bool give_row(void *context, const struct tally_row *row)
{
	const struct tally_count *c = &row->count;

	return give(context, row->span.start_ms, c->valid, c->sum, c->low, c->high);
}

/* Without "from" of minutes the last day, of others all there is. */
static struct span span_of(const struct query *query, int64_t now_ms)
{
	int64_t to_ms = query->has_to ? query->to_ms : INT64_MAX;
	int64_t last_ms = to_ms < now_ms ? to_ms : now_ms;

	return (struct span){query->has_from  ? query->from_ms
			     : query->minutes ? last_ms - DAY_MS
					      : 0,
			     to_ms};
}

static int rows(struct means *p, struct tallies *tallies, uint32_t monitor, struct span span)
{
	if (tallies == NULL)
		return 0;
	if (!p->query->minutes)
		return tallies_rows(tallies, monitor, p->query->period, span, give_row, p);
	if (p->query->after >= span.start_ms)
		span.start_ms = p->query->after;
	return tallies_minutes(tallies, monitor, span, give_minute, p);
}

static void head(struct means *p)
{
	if (p->csv) {
		text_add(p->out, "time,site,factor,count,mean,min,max\n");
		return;
	}
	text_add(p->out, "{\"site\":");
	text_json(p->out, p->plan->sites[p->monitor->site].id);
	text_add(p->out, ",\"factor\":");
	text_json(p->out, p->monitor->factor);
	text_add(p->out, ",\"unit\":");
	text_json(p->out, p->monitor->unit);
	text_add(p->out, ",\"means\":[");
}

int page_means(struct text *out, const struct plan *plan, struct tallies *tallies, uint32_t monitor,
	       const struct query *query, int64_t now_ms, bool csv, int64_t *next)
{
	struct means p = {.out = out,
			  .plan = plan,
			  .query = query,
			  .monitor = &plan->monitors[monitor],
			  .csv = csv};

	head(&p);
	int r = rows(&p, tallies, monitor, span_of(query, now_ms));
	*next = p.n >= query->limit ? p.last_ms : 0;
	if (csv || r != 0)
		return r;
	text_char(out, ']');
	if (*next != 0)
		text_format(out, ",\"next\":%lld", (long long)*next);
	text_add(out, "}\n");
	return 0;
}
