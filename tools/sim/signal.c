/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/signal.h"

#include <math.h>

enum { QUICK_MS = 1000, SLOW_MS = 30000 };

/* Sebastiano Vigna's splitmix64: every input bit reaches every output bit. */
static uint64_t signal_mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

uint64_t signal_key(uint64_t seed, const char *name)
{
	uint64_t key = signal_mix(seed);
	for (; *name != '\0'; name++)
		key = signal_mix(key ^ (unsigned char)*name);
	return key;
}

/* Nearly normal, deviation 1, never beyond 3.47: the sum of four 16-bit uniforms. */
static double signal_draw(uint64_t key, int64_t slot)
{
	uint64_t bits = signal_mix(key ^ signal_mix((uint64_t)slot));
	double sum = 0.0;
	for (int i = 0; i < 4; i++, bits >>= 16)
		sum += (double)(bits & 0xffff) / 65535.0 - 0.5;
	return sum * sqrt(3.0);
}

/* Jitter that is new each second, on a drift that changes over half minutes. */
static double signal_noise(const struct signal *s, int64_t time_ms)
{
	uint64_t drift = s->key ^ 0x6472696674u;
	int64_t slot = time_ms / SLOW_MS;
	double part = (double)(time_ms % SLOW_MS) / SLOW_MS;
	double slow = signal_draw(drift, slot) * (1.0 - part) + signal_draw(drift, slot + 1) * part;
	return s->noise * (0.6 * signal_draw(s->key, time_ms / QUICK_MS) + 0.8 * slow);
}

static const struct signal_event *signal_active(const struct signal *s, enum signal_event_kind kind,
						int64_t time_ms)
{
	for (size_t i = 0; i < s->n_events; i++) {
		const struct signal_event *e = &s->events[i];
		if (e->kind == kind && time_ms >= e->at_ms &&
		    (e->for_ms == 0 || time_ms < e->at_ms + e->for_ms))
			return e;
	}
	return NULL;
}

static double signal_rounded(const struct signal *s, double value)
{
	static const double tens[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
	value = fmin(fmax(value, s->low), s->high);
	return round(value * tens[s->decimals]) / tens[s->decimals];
}

static double signal_level(const struct signal *s, int64_t time_ms)
{
	double hour = s->start_hour + (double)time_ms / 3600000.0;
	double level = s->base + s->daily * cos((hour - s->peak_hour) * M_PI / 12.0);
	const struct signal_event *e = signal_active(s, SIGNAL_EXCEEDANCE, time_ms);
	if (e != NULL)
		level = e->amount;
	e = signal_active(s, SIGNAL_STEP, time_ms);
	if (e != NULL)
		level += e->amount;
	return signal_rounded(s, level + signal_noise(s, time_ms));
}

double signal_value(const struct signal *s, int64_t time_ms)
{
	if (signal_active(s, SIGNAL_NAN, time_ms) != NULL)
		return NAN;
	const struct signal_event *stuck = signal_active(s, SIGNAL_STUCK, time_ms);
	return signal_level(s, stuck != NULL ? stuck->at_ms : time_ms);
}

bool signal_is_silent(const struct signal *s, int64_t time_ms)
{
	return signal_active(s, SIGNAL_SILENCE, time_ms) != NULL;
}
