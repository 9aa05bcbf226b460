/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Signal: what an instrument of the simulated district shows at a moment of the scenario.
 *
 * A pure function of seed, instrument and time, so that a run can be repeated and a test can say
 * beforehand what will be on the wire: nothing is remembered between two calls, and asking more
 * often does not change the noise.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum signal_event_kind {
	SIGNAL_EXCEEDANCE, /* the level is `amount`, with the usual noise */
	SIGNAL_STEP,       /* the level is higher by `amount` */
	SIGNAL_STUCK,      /* the value stays what it was when the event began */
	SIGNAL_NAN,        /* the instrument has no number to show */
	SIGNAL_SILENCE     /* the instrument neither answers nor publishes */
};

struct signal_event {
	enum signal_event_kind kind;
	int64_t at_ms, for_ms; /* since the start of the scenario; for_ms 0: to its end */
	double amount;
};

/*
 * value = base + daily * cos(hours from the peak) + noise. The noise has about the given standard
 * deviation and never exceeds 4.9 times it: a limit beyond that is not crossed by chance.
 */
struct signal {
	uint64_t key; /* signal_key() */
	double base, daily, peak_hour, noise;
	double start_hour; /* hour of the day at which the scenario begins */
	double low, high;  /* the instrument shows nothing outside */
	int decimals;      /* its resolution, 0 to 9 */
	struct signal_event *events;
	size_t n_events;
};

/** signal_key() - the instrument's own source of noise */
uint64_t signal_key(uint64_t seed, const char *name);
/** signal_value() - @time_ms since the start of the scenario, from 0. Return: NaN when so scripted.
 */
double signal_value(const struct signal *s, int64_t time_ms);
bool signal_is_silent(const struct signal *s, int64_t time_ms);
