/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trust.h"

#define AWAY_MS (TRUST_AWAY_DAYS * TRUST_STEP_MS)

int64_t trust_ahead(const struct trust *trust, const struct trust_clocks *now)
{
	return now->wall_ms - now->mono_ms - trust->lived_ms;
}

void trust_confirm(struct trust *trust, const struct trust_clocks *now)
{
	*trust = (struct trust){.lived_ms = now->wall_ms - now->mono_ms,
				.away_ms = TRUST_STEP_MS,
				.behind_ms = INT64_MAX};
}

void trust_begin(struct trust *trust, int64_t lived_ms, bool doubted,
		 const struct trust_clocks *now)
{
	int64_t ahead_ms = now->wall_ms - lived_ms;
	bool away = !doubted && ahead_ms > 0 && ahead_ms <= AWAY_MS;

	*trust = (struct trust){.lived_ms = lived_ms - now->mono_ms,
				.away_ms = TRUST_STEP_MS + (away ? ahead_ms : 0),
				.behind_ms = INT64_MAX};
	(void)trust_look(trust, now);
}

/* A clock that ran ahead and was believed is not to be believed again when it goes there again. */
static bool long_behind(struct trust *trust, int64_t ahead_ms, int64_t mono_ms)
{
	if (ahead_ms >= -TRUST_STEP_MS)
		trust->behind_ms = INT64_MAX;
	else if (trust->behind_ms == INT64_MAX)
		trust->behind_ms = mono_ms;
	return trust->behind_ms != INT64_MAX && mono_ms - trust->behind_ms >= TRUST_STEP_MS;
}

bool trust_look(struct trust *trust, const struct trust_clocks *now)
{
	int64_t ahead_ms = trust_ahead(trust, now);
	bool near = ahead_ms >= -TRUST_STEP_MS && ahead_ms <= TRUST_STEP_MS;

	if (near || now->synced || long_behind(trust, ahead_ms, now->mono_ms))
		trust_confirm(trust, now);
	trust->doubted = trust_ahead(trust, now) > trust->away_ms;
	return trust->doubted;
}

int64_t trust_recorded(const int64_t *days, uint64_t n, int64_t wall_ms)
{
	if (n == 0)
		return wall_ms;
	int64_t newest = days[0];
	for (uint64_t i = 1; i < n; i++)
		if (days[i] > newest && days[i] - newest <= TRUST_AWAY_DAYS)
			newest = days[i];
	int64_t end_ms = (newest + 1) * TRUST_STEP_MS; /* of UTC: a zone is less than a day */
	return end_ms < wall_ms ? end_ms : wall_ms;
}
