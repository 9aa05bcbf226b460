/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Office: the page on which an office reads its ledger: open cases by severity and deadline, the
 * sites with their state and last day, and what an alert asks for.
 *
 * It is whole without a script; the small one in it only asks for the page again when an event
 * comes. It acts on nothing. Who may not see persons sees units and posts, no unverified case
 * against an enterprise, and of an enterprise's site only whether data come.
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
	int64_t now_ms;
};

/** office_policy() - adds the page's content security policy */
void office_policy(struct text *out);
/** office_write() - adds the whole page (any thread). Return: 0; negative errno of the ledger. */
int office_write(const struct office *office, struct text *out);
