/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Held: events that a receiver will not take, and the later ones of the same case behind them.
 *
 * A refused event may neither be dropped nor hold up the other cases. So the cursor passes it, and
 * it stays here, with every later event of its case, until the receiver takes it: the order within
 * a case is kept, and the rest flows. The list lies in the ledger beside the cursor; a cursor of
 * its own keeps its events from being pruned. One thread owns it; `count` is for any.
 */
#include "store/ledger.h"

#include <stdatomic.h>

enum { HELD_MOST = 4096 }; /* beyond that the delivery stops, as everything seems to be refused */

struct held_event {
	int64_t id, key; /* events of one key keep their order */
	unsigned failures;
	int64_t due_ms; /* on the caller's clock: not to be tried before; of a key's first event */
};
struct held {
	struct ledger *ledger;
	char name[80], cursor[96]; /* in the ledger */
	struct held_event *at;     /* by id */
	size_t n, capacity;
	_Atomic size_t count; /* n */
	bool changed;         /* since it was stored */
};

/**
 * held_init() - take up what was stored
 * @passed: the delivery's cursor; what lies behind it will be seen again and is left out
 */
int held_init(struct held *held, struct ledger *ledger, const char *delivery, int64_t passed);
void held_deinit(struct held *held);
/** held_key() - what an event keeps its order with: its case, else its site; @site may be NULL */
int64_t held_key(int64_t case_id, const char *site);
bool held_has(const struct held *held, int64_t key);
/** held_add() - @id is larger than any here. Return: 0, -ENOSPC, -ENOMEM. */
int held_add(struct held *held, int64_t id, int64_t key, int64_t due_ms);
/** held_next() - the first of a key that is due. Return: NULL if none is. */
struct held_event *held_next(struct held *held, int64_t now_ms);
/** held_due() - when the next one is; INT64_MAX: nothing is held */
int64_t held_due(const struct held *held);
/** held_hurry() - all are due now: the receiver has come back */
void held_hurry(struct held *held);
void held_remove(struct held *held, struct held_event *event);
/** held_store() - if changed. To come before the delivery's own cursor. Return: as ledger_put() */
int held_store(struct held *held);
