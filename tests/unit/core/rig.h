/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Rig: one evaluator on a small plan, played by short scripts, for the tests of the rules.
 *
 * A script is words parted by blanks, times in seconds after the start of the rig:
 *
 *   10:51      a reading of 51 at 10 s, flag N        10:51@12   … received at 12 s
 *   10:51D     the same with flag D                   10:-B      no value, flag B
 *   10!        a tick                                 10$        a clock that reached 10 s
 *   10v  10^   connection 0 ceased to answer, answers
 *   m1         from here on readings are of monitor 1
 *
 * What the evaluator says is kept as words too: "+exceedance@10/0=51" was raised at 10 s with 51,
 * having begun at 0 s; "-exceedance@30" was cleared; "^exceedance@40=60" has a peak of 60. Limits
 * but the first add "#index", a lower bound "(min)", other monitors than the first "m1.", clues but
 * over_range their reason: "+clue(repeating)@10/0=51".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/clue.h"
#include "core/evaluate.h"

/* 2026-01-01T19:00:00Z, the start of an hour and of a third hour in UTC+8. */
#define RIG_START_MS INT64_C(1767294000000)
#define RIG_MONO_NS INT64_C(5000000000000)

enum { RIG_MONITORS = 3, RIG_LIMITS = 3, RIG_SAID = 256 };

struct rig {
	struct plan plan;
	struct site site;
	struct connection connections[2];
	struct monitor monitors[RIG_MONITORS];
	struct limit limits[RIG_LIMITS];       /* of monitor 0; the first is max = 50 */
	struct clue_rules clues[RIG_MONITORS]; /* of monitors that point here */
	struct evaluator *evaluator;           /* made by the first rig_play() */
	uint32_t current;
	struct verdict said[RIG_SAID]; /* since the last rig_said() */
	size_t n_said;
	char text[RIG_SAID * 64];
};

/* cmocka set-up and tear-down: *state is the rig */
int rig_make(void **state);
int rig_remove(void **state);

void rig_start(struct rig *rig);
void rig_play(struct rig *rig, const char *script);
/** rig_said() - what was said since the last call is @expected, and nothing else */
void rig_said_at(struct rig *rig, const char *expected, const char *file, int line);
#define rig_said(rig, expected) rig_said_at(rig, expected, __FILE__, __LINE__)
#define rig_check(rig, script, expected)                                                           \
	do {                                                                                       \
		rig_play(rig, script);                                                             \
		rig_said(rig, expected);                                                           \
	} while (0)

#define rig_test(f) cmocka_unit_test_setup_teardown(f, rig_make, rig_remove)
