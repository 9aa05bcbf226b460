/* SPDX-License-Identifier: Apache-2.0 */
#include "core/verdict.h"

#include <stdio.h>

const char *own_fault_name(enum own_fault fault)
{
	static const char *const names[OWN_FAULTS] = {
		[OWN_UNRECORDED] = "unrecorded",
		[OWN_FILLING] = "disk_filling",
		[OWN_REMOVED_EARLY] = "removed_early",
		[OWN_REMOVED_UNSENT] = "removed_unsent",
		[OWN_DAMAGED] = "damaged",
		[OWN_CLOCK] = "clock_doubted",
		[OWN_FLOOD] = "flood",
	};
	return names[fault];
}

void verdict_key(const struct plan *plan, const struct verdict *verdict, char *out, size_t size)
{
	const char *kind = alert_kind_name(verdict->kind);
	if (verdict->connection != NO_INDEX) {
		snprintf(out, size, "%s/%s", kind, plan->connections[verdict->connection].id);
		return;
	}
	if (verdict->monitor == NO_INDEX) {
		const char *own = verdict->own != NULL ? verdict->own : verdict->reason;
		snprintf(out, size, "%s/%s", kind, own == NULL ? "" : own);
		return;
	}
	const struct monitor *m = &plan->monitors[verdict->monitor];
	const char *detail = "";
	if (verdict->limit != NO_INDEX)
		detail = m->limits[verdict->limit].key;
	else if ((verdict->kind == ALERT_CLUE || verdict->kind == ALERT_LOAD) &&
		 verdict->reason != NULL)
		detail = verdict->reason;
	snprintf(out, size, "%s/%s/%s/%s", plan->sites[m->site].id, m->factor, kind, detail);
}
