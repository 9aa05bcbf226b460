/* SPDX-License-Identifier: Apache-2.0 */
#include "base/damper.h"

#include <string.h>

#define SECOND_NS INT64_C(1000000000)

static bool same_subject(const struct log_record *a, const struct log_record *b)
{
	return log_message_topic(a->message) == log_message_topic(b->message) &&
	       a->unit == b->unit && a->case_id == b->case_id &&
	       memcmp(a->about, b->about, sizeof a->about) == 0;
}

static void begin(struct damper_slot *slot, int64_t interval_ns, int64_t now_ns)
{
	slot->at_once = 0;
	slot->held = 0;
	slot->interval_ns = interval_ns;
	slot->ends_ns = now_ns + interval_ns;
}

/* Of this subject, else a free one, else one that has nothing to say and whose time is over. */
static struct damper_slot *slot_for(struct damper *damper, const struct log_record *record,
				    int64_t now_ns)
{
	struct damper_slot *spare = NULL;
	for (size_t i = 0; i < DAMPER_SLOTS; i++) {
		struct damper_slot *slot = &damper->slots[i];
		if (slot->taken && same_subject(&slot->newest, record))
			return slot;
		if (spare == NULL && (!slot->taken || (slot->held == 0 && now_ns >= slot->ends_ns)))
			spare = slot;
	}
	if (spare != NULL)
		spare->taken = false;
	return spare;
}

/* What is held stays until damper_due() has said it, however long its interval is over. */
static bool is_over(const struct damper_slot *slot, int64_t now_ns)
{
	return !slot->taken || (slot->held == 0 && now_ns >= slot->ends_ns);
}

bool damper_offer(struct damper *damper, const struct log_record *record, int64_t now_ns)
{
	struct damper_slot *slot = slot_for(damper, record, now_ns);
	if (slot == NULL)
		return true;
	if (is_over(slot, now_ns))
		begin(slot, DAMPER_SHORTEST_S * SECOND_NS, now_ns);
	slot->taken = true;
	slot->newest = *record;
	if (slot->interval_ns == DAMPER_SHORTEST_S * SECOND_NS && slot->held == 0 &&
	    slot->at_once < DAMPER_AT_ONCE) {
		slot->at_once++;
		return true;
	}
	slot->held++;
	return false;
}

bool damper_due(struct damper *damper, int64_t now_ns, bool all, struct log_record *out)
{
	for (size_t i = 0; i < DAMPER_SLOTS; i++) {
		struct damper_slot *slot = &damper->slots[i];
		if (!slot->taken || slot->held == 0 || (!all && now_ns < slot->ends_ns))
			continue;
		*out = slot->newest;
		out->times = slot->held;
		int64_t next_ns = slot->interval_ns * 2;
		if (next_ns > DAMPER_LONGEST_S * SECOND_NS)
			next_ns = DAMPER_LONGEST_S * SECOND_NS;
		begin(slot, next_ns, now_ns);
		return true;
	}
	return false;
}
