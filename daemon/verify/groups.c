/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions of the ledger, as its chain shows them. The entries of one flush grow by kind and
 * row, with one of where the daybook stood as the last. A daemon changes no case and no alert
 * without an event, which it sends away; the event is in the next flush of the same transaction,
 * since it names what the chain says by then. An acknowledgement has an entry of its own instead.
 */
#include "verify/internal.h"

static bool needs_telling(uint8_t kind)
{
	return kind == CHAIN_CASE || kind == CHAIN_ALERT || kind == CHAIN_HISTORY;
}

/* Entries that no row brings stand for themselves. */
static bool ends_it(uint8_t kind)
{
	return kind == CHAIN_DAYBOOK || kind == CHAIN_PRUNED || kind == CHAIN_FORMAT ||
	       kind == CHAIN_OUTSIDE;
}

static bool goes_on(const struct entry_group *g, const struct chain_entry *e)
{
	return !ends_it(e->kind) && (e->kind > g->kind || (e->kind == g->kind && e->ref > g->ref));
}

static int untold(struct verify *v, const struct chain_entry *e)
{
	return verify_bad(v,
			  "ledger.db: entry %lld of the chain: %s %lld was changed by no daemon, "
			  "which says it by an event",
			  (long long)e->number, row_name(e->kind), (long long)e->ref);
}

/* An event tells of what its transaction changed, which no seal can have seen before. */
static bool tells_of(const struct verify *v, int64_t event, const struct chain_entry *e)
{
	return event != 0 && seals_before(v, event) == seals_before(v, e->number);
}

/* What of a flush was told by none of its entries waits for the next. */
static int flush_end(struct verify *v)
{
	struct entry_group *g = &v->group;
	struct chain_entry waits = g->waits, changed = g->changed;
	int64_t event = g->event;

	*g = (struct entry_group){.waits = changed};
	if (waits.number != 0 && !tells_of(v, event, &waits))
		return untold(v, &waits);
	if (changed.number == 0 || tells_of(v, event, &changed))
		g->waits.number = 0;
	return 0;
}

int group_end(struct verify *v)
{
	int r = flush_end(v);

	return r == 0 && v->group.waits.number != 0 ? untold(v, &v->group.waits) : r;
}

int group_take(struct verify *v, const struct chain_entry *e, bool changed)
{
	struct entry_group *g = &v->group;
	int r = g->kind == 0 || goes_on(g, e) ? 0 : flush_end(v);

	if (e->kind == CHAIN_DAYBOOK || e->kind == CHAIN_OUTSIDE)
		return r;
	if (ends_it(e->kind))
		return r == 0 ? group_end(v) : r;
	g->kind = e->kind;
	g->ref = e->ref;
	if (e->kind == CHAIN_EVENT && g->event == 0)
		g->event = e->number;
	if (e->kind == CHAIN_ACKNOWLEDGED)
		g->changed.number = 0;
	if (changed && needs_telling(e->kind) && g->changed.number == 0 &&
	    v->format >= CHAIN_FORMAT_STRICT)
		g->changed = *e;
	return r;
}
