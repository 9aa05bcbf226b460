/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Sources of limits and reasons of alerts (core/sources.h) in the language of a page or mail.
 */
#include "core/text.h"
#include "deliver/wording.h"

/** source_words() - adds @source to @out, not escaped; NULL adds nothing
 * @words: NULL: English */
void source_words(struct text *out, const struct wording *words, const char *source);

/** reason_words() - of an alert, "alike outfall-2": the first word is one of ours, the rest a name;
 * not escaped; NULL adds nothing */
void reason_words(struct text *out, const struct wording *words, const char *reason);
