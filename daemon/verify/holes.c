/* SPDX-License-Identifier: Apache-2.0 */
/* What a daemon that did not end cleanly left out: between the last batch before its end and the
 * first one of the next there is none. */
#include "verify/internal.h"

#include <stdio.h>

static bool is_hole(const struct verify *v, size_t i)
{
	return v->seals[i].reason == SEAL_START && i > 0 && v->seals[i - 1].reason != SEAL_STOP;
}

void hole_note(struct verify *v, const struct chain_trailer *link)
{
	char from[32];

	for (; v->next_hole < v->n_seals; v->next_hole++) {
		const struct seal_known *start = &v->seals[v->next_hole];
		if (!is_hole(v, v->next_hole))
			continue;
		if (start->daybook.number >= link->batch)
			break;
		if (start->daybook.number + 1 != link->batch || v->last_at_ms == 0)
			continue;
		snprintf(from, sizeof from, "%s", time_of(v->last_at_ms));
		verify_note(v, "hole: nothing was recorded between %s (batch %lld) and %s", from,
			    (long long)link->batch - 1, time_of(link->at_ms));
	}
	v->last_at_ms = link->at_ms;
}
