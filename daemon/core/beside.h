/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Beside: a value of nothing among probes that show nothing.
 *
 * Water without oxygen is measured as 0, and so is the input that no oxygen probe is connected to.
 * One reading cannot tell, but what else was read at that moment over the same connection can:
 * where most of the site's other probes gave codes or dead signals, an oxygen of exactly 0 is no
 * water either. It is asked as a reading comes in, before it is recorded, so that its flag is the
 * same for all that reads it; what comes behind it at the same moment is not known yet.
 */
#include "core/plan.h"
#include "core/reading.h"

enum { BESIDE_MS = 60000 }; /* apart, and still of one moment */

enum shows { SHOWS_UNKNOWN, SHOWS_NOTHING, SHOWS_WATER };

/* What a monitor showed last. */
struct beside {
	int64_t measured_ms;
	enum shows shows;
};

/**
 * beside_flag() - the flag that counts, of a reading that has the one of its own value already
 * @shown: by monitor, zeros at first; only those of one connection are looked at, so that each
 * thread that has connections of its own may have a table of its own
 * Return: FLAG_FAULT in place of N; else the flag as it is
 */
enum flag beside_flag(const struct plan *plan, struct beside *shown, const struct reading *reading);
