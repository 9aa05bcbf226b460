/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Restore: after a restart, conditions and alerts as they were.
 *
 * The judge's last snapshot is taken up, the readings recorded behind it are judged again, and the
 * ledger's word on which alerts are active is final: what the judge decided shortly before a kill
 * may rest on readings that were not yet on disk. All this before any thread runs.
 */
#include "core/plan.h"
#include "flow/door-keeper.h"
#include "flow/judge.h"
#include "revise.h"
#include "store/daybook.h"
#include "store/ledger.h"

struct restore_setup {
	const struct plan *plan;
	const char *directory; /* of the store */
	struct ledger *ledger;
	struct judge *judge;
	struct verdicts *verdicts; /* the judge's; empty, and empty again afterwards */
	struct revise *revise;     /* NULL: no marks */
	/* Doors whose senders may send again what they sent before: of MQTT, of HJ 212. NULL: nobody
	 * sends, and what they sent need not be read. */
	struct door *pushed, *loggers;
};

#define RESTORE_SNAPSHOT "judge/snapshot"

/* Active alerts as the ledger has them, by the plan that it goes by. */
struct restore_alerts {
	struct open_alert *at;
	size_t n;
	bool failed;
};
/** restore_alerts() - Return: 0, negative errno. free() alerts->at either way. */
int restore_alerts(struct ledger *ledger, struct restore_alerts *alerts);
/**
 * restore_adopt() - the ledger's word on which alerts are active
 *
 * Return: how many the plan has a condition for; the others are left in @alerts, to be dropped.
 */
size_t restore_adopt(const struct plan *plan, struct evaluator *evaluator,
		     struct restore_alerts *alerts);
/** restore_drop() - clear those that are left, as far as it goes. Return: 0, negative errno. */
int restore_drop(struct ledger *ledger, struct restore_alerts *alerts);

/** restore() - main thread. Return: 0, negative errno: the store cannot be read or written. */
int restore(const struct restore_setup *setup);
