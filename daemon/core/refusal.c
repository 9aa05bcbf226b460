/* SPDX-License-Identifier: Apache-2.0 */
#include "core/refusal.h"

const char *refusal_text(enum refusal refusal)
{
	static const char *const texts[REFUSALS] = {
		[REFUSE_PAST] = "the deadline has passed, and only one that runs can be extended",
		[REFUSE_ONCE] = "this deadline was extended once already",
		[REFUSE_EARLIER] = "the new deadline must lie after the one that holds",
		[REFUSE_LENGTH] = "a deadline is extended by its own length at most",
		[REFUSE_EXTENDED] = "with its extension, too, rectification may not go beyond the "
				    "longest term of this kind of site",
		[REFUSE_STEP] = "the step lies beyond the deadline; extend that first, before it "
				"passes and with a reason",
		[REFUSE_SETTLED] = "the deadline is settled; another one is an extension (action "
				   "extend), before it passes and with a reason",
		[REFUSE_MOVED] = "the deadline has passed, and is not moved any more",
		[REFUSE_AHEAD] = "what is planned must lie ahead",
		[REFUSE_AT_ONCE] = "what is put right at once may not go beyond the term for that",
		[REFUSE_LONGEST] = "a plan may not go beyond the longest term of this kind of site",
		[REFUSE_LOUD] = "the case cannot be closed while an alert of it is active",
		[REFUSE_NO_STEP] = "no step of that name is planned and not struck off",
		[REFUSE_STEPS] = "steps of the plan are not struck off; each is reported with step",
		[REFUSE_MERGE] = "a case is merged into one that is open",
		[REFUSE_ACCEPTED] = "the case is accepted already",
		[REFUSE_TWO_DAYS] = "the document has one day, and dated is another than the one "
				    "behind its number",
	};
	return texts[refusal];
}
