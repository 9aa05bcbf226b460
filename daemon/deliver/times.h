/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Times: how long something was on, whatever it was, where times may overlap.
 */
#include "core/window.h"

#include <stdbool.h>
#include <stddef.h>

struct times {
	struct span *at;
	size_t n, room;
	bool failed; /* without memory: what came then is missing */
};
/** times_add() - one more; the memory of `at` is the owner's */
void times_add(struct times *times, struct span span);
/** times_ms() - how long at least one of them lasts; they are in order afterwards */
int64_t times_ms(struct times *times);
