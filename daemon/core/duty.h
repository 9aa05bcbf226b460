/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Duty: whom an alert calls, now or with the next morning's digest, and who is next when nobody
 * acknowledges it. Pure; the ledger keeps how often an alert has called.
 *
 *   raised ──► rings? ── yes ──► person on duty ── 30 min ──► next person ── 30 min ──► ... twice
 *                └── no ──► digest of 08:30              acknowledged or cleared ends it
 */
#include "core/supcase.h"

enum duty_rotation { DUTY_BY_DAY, DUTY_BY_WEEK, DUTY_FIXED };

struct duty {
	const char *const *people; /* in the order of calling */
	size_t n;                  /* 0: nobody is called, and there is no digest */
	enum duty_rotation rotation;
	int change_min, digest_min;    /* minutes of the day */
	int next_min, source_next_min; /* until the next person; at water sources */
};

/** duty_person() - who is called by the @call-th call (from 0) of an alert of @at_ms */
const char *duty_person(const struct duty *duty, const struct zone *zone, int64_t at_ms, int call);
/** duty_next() - when the next person is called; 0: all were called twice */
int64_t duty_next(const struct duty *duty, enum site_kind kind, int64_t called_ms, int calls);
/** duty_digest() - the next digest after @at_ms */
int64_t duty_digest(const struct duty *duty, const struct zone *zone, int64_t at_ms);

/**
 * duty_rings() - does an alert call somebody at once?
 *
 * What happens at a water source, what is grave or toxic, and pH of 4 and below or 11 and above at
 * an outfall; never what is more than six hours old when it is heard of. In a @flood of alerts the
 * water sources' others wait for the digest, too: one call says that there is a flood.
 */
bool duty_rings(enum alert_kind kind, const struct severity_facts *facts, int64_t raised_ms,
		int64_t now_ms, bool flood);
