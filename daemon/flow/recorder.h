/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Recorder: the thread that brings every reading to disk, knowing nothing of limits.
 *
 * It reads the same slots as the judge, in place, and frees them only after the commit that holds
 * them. It commits every flush_ms, and at once while somebody waits for an acknowledgement. When
 * the disk is behind and a ring is three quarters full it passes slots without storing them,
 * counted, so that the judge never starves.
 */
#include "core/metrics.h"
#include "flow/rings.h"

struct recorder;

struct recorder_setup {
	struct rings *rings;
	int64_t flush_ms;
	/* Return: 0, negative errno (offered again), positive: a failed fsync, the daemon must end
	 */
	int (*append)(void *context, const struct reading *readings, size_t n);
	int (*commit)(void *context);
	void (*committed)(void *context); /* after each commit; quick */
	void (*fatal)(void *context);
	void *context;
	struct metrics *metrics;
	_Atomic uint64_t *heartbeat;
};

int recorder_new(struct recorder **out, const struct recorder_setup *setup);
struct recorder *recorder_free(struct recorder *recorder);
int recorder_start(struct recorder *recorder);
/** recorder_failing() - readings wait because the disk cannot be written (any thread) */
bool recorder_failing(const struct recorder *recorder);
/** recorder_stop() - after all producers ended: stores what is left (trying for up to 5 s) and
 * joins */
void recorder_stop(struct recorder *recorder);
