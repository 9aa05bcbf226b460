/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Sources: where a limit is from, in the language of whoever reads it.
 *
 * The plan names a source in English, as its data do: "GB3838-2002 III, table 1, river". Standards
 * and the numbers of permits stay as they are; classes, clauses and conditions are words. What an
 * office wrote itself (limits, `source`) passes unchanged. The same of the reasons of alerts.
 */
#include "core/text.h"

/* Finds the words of a language: the text itself where it has none. */
struct speaking {
	const char *(*find)(const void *context, const char *english);
	const void *context;
};

/** source_say() - adds @source to @out, not escaped; NULL adds nothing */
void source_say(struct text *out, const struct speaking *speaking, const char *source);

/** reason_say() - of an alert, "alike outfall-2": the first word is one of ours, the rest a name;
 * not escaped; NULL adds nothing */
void reason_say(struct text *out, const struct speaking *speaking, const char *reason);
