/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Clerk: the thread that commits verdicts to the ledger, and announces them only then.
 *
 * What could not be committed is offered again, in order, until it is. Snapshots of the judge
 * travel the same road, so that one is stored only after all verdicts decided before it.
 */
#include "core/metrics.h"
#include "flow/gate.h"
#include "flow/verdicts.h"

struct clerk;

struct clerk_setup {
	struct verdicts *verdicts;
	/* As ledger_apply(): 0, negative errno (offered again), positive: the daemon must end. */
	int (*commit)(void *context, const struct verdict *verdicts, size_t n, int64_t *opened);
	int (*keep)(void *context, const void *snapshot, size_t size);
	void (*announce)(void *context, const struct verdict *verdict, int64_t opened);
	void (*fatal)(void *context);
	void *context;
	struct metrics *metrics;
	_Atomic uint64_t *heartbeat;
};

int clerk_new(struct clerk **out, const struct clerk_setup *setup);
struct clerk *clerk_free(struct clerk *clerk);
int clerk_start(struct clerk *clerk);
/** clerk_failing() - verdicts wait because the ledger cannot be written (any thread) */
bool clerk_failing(const struct clerk *clerk);
/** clerk_gate() - it stands there with nothing left to commit */
struct gate *clerk_gate(struct clerk *clerk);
/** clerk_hurry() - the end is near: from now on a ledger that cannot be written is given up after 5
 * s */
void clerk_hurry(struct clerk *clerk);
/** clerk_join() - after verdicts_close(): commits what is left and joins */
void clerk_join(struct clerk *clerk);
