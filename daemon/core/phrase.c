/* SPDX-License-Identifier: Apache-2.0 */
#include "core/phrase.h"

#include <string.h>

/* The next "{name}" in @sentence; its name's length in @length. NULL: there is none. */
static const char *place_next(const char *sentence, size_t *length)
{
	for (const char *open = strchr(sentence, '{'); open != NULL; open = strchr(open + 1, '{')) {
		*length = strspn(open + 1, "abcdefghijklmnopqrstuvwxyz_");
		if (*length > 0 && open[1 + *length] == '}')
			return open;
	}
	return NULL;
}

static size_t place_find(const struct phrase *places, const char *name, size_t length)
{
	size_t i = 0;
	while (i < places->n &&
	       (strlen(places->name[i]) != length || strncmp(places->name[i], name, length) != 0))
		i++;
	return i;
}

/* Which of the places a sentence names, as bits; bit PHRASE_PLACES_MOST: one that is not given. */
static unsigned places_named(const struct phrase *places, const char *sentence)
{
	unsigned named = 0;
	size_t length;
	while ((sentence = place_next(sentence, &length)) != NULL) {
		size_t i = place_find(places, sentence + 1, length);
		named |= 1u << (i < places->n ? i : PHRASE_PLACES_MOST);
		sentence += length + 2;
	}
	return named;
}

static void add_piece(struct text *out, const char *s, size_t n,
		      void (*add)(struct text *, const char *))
{
	struct text piece = {0};
	text_add_n(&piece, s, n);
	if (piece.at != NULL)
		add(out, piece.at);
	out->failed |= piece.failed;
	text_deinit(&piece);
}

struct phrase phrase_places(va_list list)
{
	struct phrase places = {.n = 0};
	for (const char *name;
	     places.n < PHRASE_PLACES_MOST && (name = va_arg(list, const char *)) != NULL;
	     places.n++) {
		places.name[places.n] = name;
		places.text[places.n] = va_arg(list, const char *);
	}
	return places;
}

void phrase_add(struct text *out, const char *english, const char *translated,
		const struct phrase *places, void (*add)(struct text *, const char *))
{
	bool same = places_named(places, translated) == places_named(places, english);
	const char *sentence = same ? translated : english, *open;
	size_t length;
	while ((open = place_next(sentence, &length)) != NULL) {
		add_piece(out, sentence, (size_t)(open - sentence), add);
		size_t i = place_find(places, open + 1, length);
		if (i < places->n && places->text[i] != NULL)
			add(out, places->text[i]);
		sentence = open + length + 2;
	}
	add(out, sentence);
}
