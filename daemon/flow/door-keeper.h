/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The side of a door that drivers do not see: which ring is behind it.
 */
#include "core/change.h"
#include "flow/door.h"
#include "flow/rings.h"

struct door_setup {
	const struct plan *plan;
	struct rings *rings;
	size_t ring;        /* which of them; this door is its producer */
	const char *driver; /* for metrics */
	size_t remembered; /* newest samples of a monitor that a redelivered one is compared with */
	size_t redelivered; /* so many of all monitors, where they have a time of their own */
	struct metrics *metrics;
	/* door_unrecorded(): make durable what no commit holds yet; NULL: nobody can */
	bool (*keep)(void *context, const struct plan *plan, const struct reading *readings,
		     size_t n, int timeout_ms);
	void *context;
};

/** door_new() - Return: 0, -ENOMEM. Main thread. */
int door_new(struct door **out, const struct door_setup *setup);
struct door *door_free(struct door *door);
/**
 * door_succeed() - take over from @next, a door made for the next plan on the same ring, while the
 * producing thread stands: what was remembered goes along, and @next has the old tables, for
 * door_free()
 */
void door_succeed(struct door *door, struct door *next, const struct plan_change *change);
/** door_remember() - a reading recorded by an earlier life, oldest first (before the driver starts)
 * @value: NAN where the reading has none */
void door_remember(struct door *door, uint32_t monitor, int64_t measured_ms, double value);
