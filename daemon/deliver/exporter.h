/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Exporter: readings and case events to InfluxDB as line protocol, behind stored cursors.
 *
 * It reads the daybook behind the cursor "influx/readings" and the events behind "influx/events"
 * and moves a cursor only after the server has accepted the lines, so a database that is down costs
 * disk and not memory, and a resend writes the same points again. One thread of its own.
 *
 * What the server refuses for good is put aside as text (deliver/rejects.h) when it was seen to
 * take other lines; a server that refuses everything is trouble, and an alert, and costs no line.
 *
 * After an outage, what is new goes first and what waited is caught up between (deliver/behind.h).
 */
#include "core/metrics.h"
#include "deliver/influx.h"
#include "store/daybook.h"
#include "store/ledger.h"

#include <stdatomic.h>

struct exporter;

struct exporter_setup {
	struct influx_setup influx; /* the server; its heartbeat is set here */
	size_t batch_lines;
	int64_t flush_ms;
	int64_t pause_ms;      /* after a first failure, doubled by each further one; 0: a second */
	const char *directory; /* of the store */
	const struct plan *plan;
	struct daybook *daybook;
	struct ledger *ledger;
	struct metrics *metrics;
	void (*fatal)(void *context); /* an fsync failed (the exporter's thread) */
	void *context;
	_Atomic uint64_t *heartbeat; /* grows while the thread lives; may be NULL */
};
int exporter_new(struct exporter **out, const struct exporter_setup *setup);
int exporter_start(struct exporter *exporter);
/** exporter_stop() - ends the running transfer at once and joins the thread */
void exporter_stop(struct exporter *exporter);
/** exporter_free() - after the last metrics_print(), as gauges read from it */
struct exporter *exporter_free(struct exporter *exporter);
/** exporter_wake() - there is something new (any thread, cheap) */
void exporter_wake(struct exporter *exporter);
