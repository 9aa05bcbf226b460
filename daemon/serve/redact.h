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
 * site_name and names no party.
 *
 * Where the enterprise is configured, or the site is gone, nothing may lead to it either: not
 * another case that is told, nor a time or value that stands among the readings. Such a case keeps
 * its number, kind, severity and how far it has come; no other case, alert, shelf or mark says that
 * it has to do with it.
 *
 * Pure: over the JSON that the ledger has written, whose other values come out as they were.
 */
#include "core/secrecy.h"
#include "core/text.h"
#include "store/ledger.h"

enum redaction {
	REDACT_REMARKS = 1 /* reasons are what somebody wrote, as those of marks; else words */
};
struct redactor {
	const struct plan *plan;
	/* whose another case is; NULL: cases are not looked up. Return: false: it is not known. */
	bool (*whose)(void *context, int64_t id, struct case_whose *out);
	void *context;
};
/** redactor_of() - one that looks cases up in a ledger */
struct redactor redactor_of(const struct plan *plan, struct ledger *ledger);
/**
 * redact() - replace @json, an answer or an event
 * @how: OR of enum redaction
 * Return: true; false without memory or where it is no JSON, and then @json is empty.
 */
bool redact(const struct redactor *by, unsigned how, struct text *json);
/** redact_withholds() - is there anything withheld in @json? */
bool redact_withholds(const struct redactor *by, const char *json);
/** redact_names() - may everybody know of any alert whose site it is? */
bool redact_names(const struct plan *plan, uint32_t site);
/** redact_kinds() - which kinds of alerts everybody may know of at a site, of the mask @kinds */
uint32_t redact_kinds(const struct plan *plan, uint32_t site, uint32_t kinds);
/** redact_case_tells(), redact_alert_tells() - may it stand in a list that was asked for by site or
 * time? Whoever asks so would know whose it is, or when. */
bool redact_case_tells(const struct plan *plan, const struct ledger_row *row);
bool redact_alert_tells(const struct plan *plan, const struct ledger_row *row);
