/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alarms that cost attention (IEC 62682, 3.1: chattering and stale alarms): what is raised again
 * and again tells people nothing, and what has been on for days is looked at by nobody.
 */
#include "deliver/report-tables.h"

#include <string.h>

#define CHATTER_MS INT64_C(600000)
#define STANDING_MS INT64_C(86400000)

/* Alerts are told newest first: the two that were raised last before the present one. */
static struct report_recent *recent_of(struct report_alerts *a, const json_t *alert)
{
	const char *kind = json_words(alert, "kind"), *average = json_words(alert, "average");
	double limit = json_number_value(json_object_get(alert, "limit"));
	struct report_recent *r = a->recent;
	struct report_recent new = {.limit = limit};
	strncpy(new.kind, kind == NULL ? "" : kind, sizeof new.kind - 1);
	strncpy(new.average, average == NULL ? "" : average, sizeof new.average - 1);
	for (; r < a->recent + REPORT_RECENT - 1 && r->at_ms[0] != 0; r++)
		if (strcmp(r->kind, new.kind) == 0 && strcmp(r->average, new.average) == 0 &&
		    !(r->limit < limit) && !(r->limit > limit))
			return r;
	*r = new;
	return r;
}

void report_alarm(const struct report *report, const json_t *alert, struct span active,
		  struct report_alerts *a)
{
	const struct span span = report->span;
	struct report_recent *r = recent_of(a, alert);
	if (r->at_ms[1] != 0 && r->at_ms[1] - active.start_ms <= CHATTER_MS &&
	    active.start_ms >= span.start_ms && r->at_ms[1] < span.end_ms)
		a->chattering++;
	r->at_ms[1] = r->at_ms[0];
	r->at_ms[0] = active.start_ms;
	/* as far as it was known when the span ended */
	int64_t until_ms = active.end_ms < span.end_ms ? active.end_ms : span.end_ms;
	a->standing += until_ms - active.start_ms >= STANDING_MS && until_ms > span.start_ms;
}
