/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Sources: where a limit is from, in the language of a page.
 *
 * The plan names a source in English, as its data do: "GB3838-2002 III, table 1, river". Standards
 * and the numbers of permits stay as they are; classes, clauses and conditions are words. What an
 * office wrote itself (limits, `source`) passes unchanged. The same of the reasons of alerts.
 */
#include "core/text.h"
#include "deliver/wording.h"

/** source_words() - adds @source to @out, not escaped; NULL adds nothing
 * @words: NULL: English */
void source_words(struct text *out, const struct wording *words, const char *source);

/** reason_words() - of an alert, "alike outfall-2": the first word is one of ours, the rest a name;
 * not escaped; NULL adds nothing */
void reason_words(struct text *out, const struct wording *words, const char *reason);
