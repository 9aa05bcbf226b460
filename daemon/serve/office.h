/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Office: the page on which an office reads its ledger: open cases by severity and deadline, the
 * sites with their state and last day, and what an alert asks for.
 *
 * It is whole without a script; the one in it (office.js) asks for the page again when an event
 * comes, and lets an officer type a token. A page that is asked for with an officer's token offers
 * for each case the actions that it and the officer's roles allow; they go to the API as any
 * client's would, which decides. There are no cookies, so no other site can act in an officer's
 * name. Who may not see persons sees units and posts, no unverified case against an enterprise, and
 * of an enterprise's site only whether data come.
 *
 * A page holds a hundred sites and fifty cases, which is below 100 KiB.
 */
#include "serve/documents.h"
#include "serve/query.h"
#include "serve/sparks.h"

struct office {
	const struct serve_setup *setup;
	struct sparks *sparks;
	const struct query *query;
	bool sees_persons;
	bool signs_in; /* a token can be given: over a listener with officers */
	const struct serve_officer *officer; /* whose token was shown; NULL: nobody's */
	unsigned deeds;                      /* deeds_of() the officer */
	int64_t now_ms;
};

/** office_policy() - adds the page's content security policy */
void office_policy(struct text *out);
/** office_write() - adds the whole page (any thread). Return: 0; negative errno of the ledger. */
int office_write(const struct office *office, struct text *out);
