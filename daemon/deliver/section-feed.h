/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Section feed: which classes of sections (store/tallies.h) have left for InfluxDB, behind the
 * cursor "influx/sections". One thread owns it; section_feed_pending() is for any.
 */
#include "deliver/batch.h"
#include "store/ledger.h"

#include <stdatomic.h>

struct section_feed {
	const char *directory;
	const struct plan *plan;
	struct ledger *ledger;
	struct tallies *tallies; /* NULL: there is no file yet */
	_Atomic int64_t passed, newest;
	int64_t stored;
};

void section_feed_init(struct section_feed *feed, const char *directory, const struct plan *plan,
		       struct ledger *ledger);
void section_feed_deinit(struct section_feed *feed);
/** section_feed_look() - what there is by now */
void section_feed_look(struct section_feed *feed);
int64_t section_feed_pending(const struct section_feed *feed);
/** section_feed_fill() - at most @limit that have not left, as lines. Return: 0, negative errno. */
int section_feed_fill(struct section_feed *feed, size_t limit, struct batch *batch);
void section_feed_pass(struct section_feed *feed, int64_t id);
/** section_feed_store() - Return: as ledger_put_cursor() */
int section_feed_store(struct section_feed *feed);
