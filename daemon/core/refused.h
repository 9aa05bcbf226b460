/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Refused: an English sentence of the API in the language of whoever reads it.
 *
 * The API refuses in English, and names in it what was asked of it: fields, states, people. Whoever
 * shows such a sentence finds the form it has ("{name} may not {action}; …"), has that translated,
 * and fills in the same names: codes of the API as words in the same language, all else as it came.
 * Pure; tests/walls/words.py holds that no sentence is without its form, and no form without
 * Chinese.
 */
#include "core/text.h"

/**
 * refused_say() - adds @sentence as @translate has it; one of no known form as it is
 * @translate: the Chinese, say, of an English text; the text itself where there is none
 */
void refused_say(struct text *out, const char *sentence,
		 const char *(*translate)(const char *english));

/** refused_form() - the forms there are, for tests. Return: NULL past the last */
const char *refused_form(size_t i);
