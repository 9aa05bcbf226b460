/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Trouble: since when a delivery does not get through, and why; after a while, or at once where
 * the receiver has said no, it is an alert of kind `fault`, cleared when it gets through again.
 *
 * The delivery's thread owns it; trouble_view() is for any.
 */
#include "base/log.h"
#include "store/ledger.h"

#include <pthread.h>

enum { TROUBLE_BYTES = 256 };
#define TROUBLE_KEY "delivery/" /* of its alert, followed by the delivery's id */

struct trouble {
	struct ledger *ledger;
	const char *id;         /* of the delivery */
	int64_t alarm_after_ms; /* 0: never for time alone */
	pthread_mutex_t lock;
	/* under the lock */
	char text[TROUBLE_BYTES];
	int64_t since_wall_ms; /* 0: none */
	/* the thread's own */
	int64_t since_ms; /* CLOCK_MONOTONIC */
	bool refused;     /* the receiver said no: an alert at once */
	bool alarmed;     /* the alert is active in the ledger */
	bool silent;      /* whose it is speaks in the log itself */
	struct log_repeat repeat, note_repeat, ledger_repeat;
};

struct trouble_view {
	char text[TROUBLE_BYTES];
	int64_t since_ms; /* wall clock; 0: all is well, and @text is the last trouble's */
};

int trouble_init(struct trouble *trouble, struct ledger *ledger, const char *id,
		 int64_t alarm_after_ms);
void trouble_deinit(struct trouble *trouble);
/** trouble_is() - it did not get through. @text: why, with the receiver's words */
void trouble_is(struct trouble *trouble, const char *text, bool refused, int64_t waiting);
/** trouble_note() - it got through, and yet @text is to be said */
void trouble_note(struct trouble *trouble, const char *text);
void trouble_over(struct trouble *trouble);
/** trouble_tick() - raise or clear the alert as is due; cheap where nothing is */
void trouble_tick(struct trouble *trouble);
struct trouble_view trouble_view(struct trouble *trouble);
