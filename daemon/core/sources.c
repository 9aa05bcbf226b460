/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sources.h"

#include "core/phrase.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { PIECE_BYTES = 256 };

struct translating {
	struct text *out;
	const struct speaking *speaking;
};

static const char *find(const struct translating *t, const char *english)
{
	return t->speaking->find(t->speaking->context, english);
}

static void add_phrase(const struct translating *t, const char *english, ...)
	__attribute__((sentinel));
static void add_phrase(const struct translating *t, const char *english, ...)
{
	va_list list;
	va_start(list, english);
	const struct phrase places = phrase_places(list);
	va_end(list);
	phrase_add(t->out, english, find(t, english), &places, text_add);
}

/* "table 1", "permit 91530…", "cited by permit 91530…". */
static bool add_numbered(const struct translating *t, const char *piece)
{
	static const struct {
		const char *begin, *sentence;
	} forms[] = {
		{"table ", "table {n}"},
		{"permit ", "permit {n}"},
		{"cited by permit ", "cited by permit {n}"},
	};
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		size_t n = strlen(forms[i].begin);
		if (strncmp(piece, forms[i].begin, n) != 0)
			continue;
		add_phrase(t, forms[i].sentence, "n", piece + n, NULL);
		return true;
	}
	return false;
}

/* "GB3838-2002 III": a standard and its class. */
static bool add_standard(const struct translating *t, const char *piece)
{
	char key[PIECE_BYTES];
	const char *class = strrchr(piece, ' ');
	size_t n = class == NULL ? 0 : (size_t)(class - piece);
	if (n == 0 || memchr(piece, ' ', n) != NULL || !isupper((unsigned char)piece[0]) ||
	    strcspn(piece, "0123456789") >= n)
		return false;
	snprintf(key, sizeof key, "class %s", class + 1);
	const char *found = find(t, key);
	text_add_n(t->out, piece, n + 1);
	text_add(t->out, found == key ? class + 1 : found);
	return true;
}

/* "6 to 9 mg/L": the figure where it stands in another unit. */
static bool add_figures(const struct translating *t, const char *piece)
{
	char low[PIECE_BYTES];
	const char *to = strstr(piece, " to ");
	if (to == NULL || (!isdigit((unsigned char)piece[0]) && piece[0] != '-'))
		return false;
	snprintf(low, sizeof low, "%.*s", (int)(to - piece), piece);
	add_phrase(t, "{low} to {high}", "low", low, "high", to + 4, NULL);
	return true;
}

static void add_piece(const struct translating *t, char *piece)
{
	static const char unsure[] = " (figure not confirmed)";
	size_t n = strlen(piece), tail = strlen(unsure);
	bool is_unsure = n > tail && strcmp(piece + n - tail, unsure) == 0;
	if (is_unsure)
		piece[n - tail] = '\0';
	if (!add_numbered(t, piece) && !add_standard(t, piece) && !add_figures(t, piece))
		text_add(t->out, find(t, piece));
	if (is_unsure)
		text_add(t->out, find(t, " (figure not confirmed)"));
}

void source_say(struct text *out, const struct speaking *speaking, const char *source)
{
	const struct translating t = {out, speaking};
	const char *end;
	if (source == NULL || strlen(source) >= PIECE_BYTES) {
		text_add(out, source == NULL ? "" : source);
		return;
	}
	for (;; source = end + 2) {
		char piece[PIECE_BYTES];
		end = strstr(source, ", ");
		snprintf(piece, sizeof piece, "%.*s",
			 end == NULL ? PIECE_BYTES - 1 : (int)(end - source), source);
		add_piece(&t, piece);
		if (end == NULL)
			return;
		text_add(out, find(&t, ", "));
	}
}

void reason_say(struct text *out, const struct speaking *speaking, const char *reason)
{
	const struct translating t = {out, speaking};
	char first[PIECE_BYTES];
	size_t n = reason == NULL ? 0 : strcspn(reason, " ");
	if (n == 0 || n >= sizeof first)
		return;
	snprintf(first, sizeof first, "%.*s", (int)n, reason);
	const char *found = find(&t, first);
	for (const char *s = found; *s != '\0'; s++)
		text_char(out, found == first && *s == '_' ? ' ' : *s);
	text_add(out, reason + n);
}
