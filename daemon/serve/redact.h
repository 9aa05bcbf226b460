/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Redact: what an answer says to everybody, made from what it says to the office.
 *
 * Over the listener without an officer's token nobody is named: the members stay where they are and
 * become null, so that a client need not know. What lies before the inspection of a case is not
 * held against an enterprise by name: while an unverified case stands at a site whose `enterprise`
 * is configured (or at one that the plan no longer has), the case does not say whose it is.
 *
 * Pure: over the JSON that the ledger has written, whose other values come out as they were.
 */
#include "core/plan.h"
#include "core/text.h"

/**
 * redact() - replace @json, an answer or an event
 * @remarks: its reasons are what somebody wrote, as those of marks and shelves; else listed words
 * Return: true; false without memory or where it is no JSON, and then @json is empty.
 */
bool redact(const struct plan *plan, bool remarks, struct text *json);
