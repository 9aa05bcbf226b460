/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Refusal: the sentences with which a case refuses what its status would allow. They are words of
 * ours, so that a page can say them in its own language.
 */
#include <stddef.h>

enum refusal {
	REFUSE_PAST,
	REFUSE_ONCE,
	REFUSE_EARLIER,
	REFUSE_LENGTH,
	REFUSE_EXTENDED,
	REFUSE_STEP,
	REFUSE_SETTLED,
	REFUSE_MOVED,
	REFUSE_AHEAD,
	REFUSE_AT_ONCE,
	REFUSE_LONGEST,
	REFUSE_LOUD,
	REFUSE_NO_STEP,
	REFUSE_STEPS,
	REFUSE_MERGE,
	REFUSE_ACCEPTED,
	REFUSE_TWO_DAYS,
	REFUSALS
};
/** refusal_text() - in English */
const char *refusal_text(enum refusal refusal);
