/* SPDX-License-Identifier: Apache-2.0 */
#include "core/steady.h"

bool steady_look(struct steady *s, int64_t wall_ms, int64_t mono_ms)
{
	int64_t offset_ms = wall_ms - mono_ms, step_ms = offset_ms - s->offset_ms;
	if (!s->known)
		*s = (struct steady){.known = true, .stepped_ms = INT64_MIN / 2};
	else if (step_ms >= STEADY_STEP_MS || step_ms <= -STEADY_STEP_MS)
		s->stepped_ms = mono_ms;
	s->offset_ms = offset_ms; /* a clock that is only slewed is followed */
	return mono_ms - s->stepped_ms >= STEADY_HOLD_MS;
}
