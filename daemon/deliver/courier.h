/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Courier: takes events from the ledger's outbox to the deliveries, each behind its own cursor
 * "delivery/ID", which moves only after the receiver has the event. One thread for each delivery,
 * so that one receiver that hangs holds up none of the others.
 *
 * A delivery type is a struct courier_type; to add one, write a file and a line in courier-types.c.
 */
#include "core/metrics.h"
#include "store/ledger.h"

#include <stdatomic.h>

struct courier;

struct delivery_setup {
	const char *id, *type; /* type "file" */
	const char *directory; /* type file: made if missing */
	const char *const
		*events; /* filters without "ducha.", '*' matches any rest; n_events 0: all */
	size_t n_events;
};
struct courier_setup {
	const struct delivery_setup *deliveries;
	size_t n_deliveries;
	struct ledger *ledger;
	struct metrics *metrics;
	_Atomic uint64_t *heartbeat;
};
int courier_new(struct courier **out, const struct courier_setup *setup);
int courier_start(struct courier *courier);
void courier_stop(struct courier *courier);
/** courier_free() - after the last metrics_print(), as gauges read from it */
struct courier *courier_free(struct courier *courier);
void courier_wake(struct courier *courier); /* any thread */
/** courier_filter() - does event type "case.opened" pass these filters? (pure) */
bool courier_filter(const char *const *events, size_t n, const char *type);
