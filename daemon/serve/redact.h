/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Redact: what an answer says to everybody, made from what it says to the office.
 *
 * Over the listener without an officer's token nobody is named: the members stay where they are and
 * become null, so that a client need not know. What lies before the inspection of a case is not
 * held against an enterprise by name, as on the office page: an unverified case at an outfall, at a
 * site whose `enterprise` is configured, or at one that the plan no longer has is withheld, and so
 * is an alert there, but for those that only say whether data come. What is withheld has no
 * site_name and names no party; where the enterprise is configured, no site and no subject either.
 *
 * Pure: over the JSON that the ledger has written, whose other values come out as they were.
 */
#include "core/plan.h"
#include "core/text.h"

enum redaction {
	REDACT_REMARKS = 1, /* reasons are what somebody wrote, as those of marks; else words */
	REDACT_DROP = 2     /* what is withheld is left out of lists: they are asked of one site */
};
/**
 * redact() - replace @json, an answer or an event
 * @how: OR of enum redaction
 * Return: true; false without memory or where it is no JSON, and then @json is empty.
 */
bool redact(const struct plan *plan, unsigned how, struct text *json);
/** redact_withholds() - is there anything withheld in @json? */
bool redact_withholds(const struct plan *plan, const char *json);
/** redact_names() - may everybody know of any alert whose site it is? */
bool redact_names(const struct plan *plan, uint32_t site);
/** redact_kinds() - which kinds of alerts everybody may know of at a site, of the mask @kinds */
uint32_t redact_kinds(const struct plan *plan, uint32_t site, uint32_t kinds);
