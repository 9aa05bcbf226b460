/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * InfluxDB line protocol text. One call writes one whole line, or nothing at all.
 *
 * Tags are sorted by key and escaped; field types never change. NaN and infinities never leave: the
 * field is left out.
 */
#include "core/plan.h"
#include "core/reading.h"

struct text;

/** line_reading() - "reading,factor=…,kind=…,node=…,site=… value=38.2,flag="N" <ns>\n" */
void line_reading(struct text *out, const struct plan *plan, uint32_t monitor,
		  const struct reading *reading);

/* Whose a line is, where no plan says it; what is NULL or empty is left out. */
struct line_names {
	const char *factor, *kind, *node, *site;
};

/* The same in two steps, as the first half of a monitor's lines never changes. */
void line_series_of(struct text *out, const struct line_names *names);
void line_series(struct text *out, const struct plan *plan, uint32_t monitor);
void line_point(struct text *out, const struct reading *reading);

/* The outside of a case event as a line; see interface "Line protocol". */
struct line_case {
	const char *node, *site, *factor, *kind; /* kind of the case: "exceedance" */
	int64_t id;
	const char *event; /* "opened", "updated", "closed" */
	bool has_value, has_limit;
	double value, limit;
	const char *head; /* where the ledger's chain stood; NULL: the event says none */
	int64_t time_ms;
};
/* The class of a section: "section,kind=river_section,node=…,site=… class=4i,worst="w21011" <ns>"
 */
struct line_section {
	const char *node, *site, *kind; /* kind of the site */
	int class;                      /* 1 to 5, 6 inferior to V */
	const char *worst;              /* factor */
	int64_t time_ms;
};
void line_section(struct text *out, const struct line_section *section);
void line_case(struct text *out, const struct line_case *event);

/** line_anchor() - "anchor,node=… seal=17i,head="…" <ns>\n": a seal's number and hash */
void line_anchor(struct text *out, const char *node, int64_t seal, const char *head,
		 int64_t time_ms);
