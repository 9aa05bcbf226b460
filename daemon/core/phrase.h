/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Phrase: a sentence with named places, as "above the limit {limit}", filled in whatever language
 * it was translated into. Pure; who shows it says how its pieces are escaped.
 */
#include "core/text.h"

#include <stdarg.h>

enum { PHRASE_PLACES_MOST = 12 };

/* The texts for the places of one sentence; valid as long as those are. */
struct phrase {
	const char *name[PHRASE_PLACES_MOST], *text[PHRASE_PLACES_MOST];
	size_t n;
};

/** phrase_places() - from pairs of a place's name and its text, then NULL */
struct phrase phrase_places(va_list list);
/**
 * phrase_add() - @translated filled in, or @english where a translation does not name the same
 * places
 * @add: writes one piece, as text_add() does
 */
void phrase_add(struct text *out, const char *english, const char *translated,
		const struct phrase *places, void (*add)(struct text *out, const char *piece));
