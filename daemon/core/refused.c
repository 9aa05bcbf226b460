/* SPDX-License-Identifier: Apache-2.0 */
#include "core/refused.h"

#include "core/casewords.h"
#include "core/phrase.h"

#include <stdlib.h>
#include <string.h>

/* A form that begins as another one, and goes on, stands before it. */
static const char *const forms[] = {
	"{name} may not {action}; it takes the role {roles}",
	"the token is that of {name}, who acts for nobody else",
	"{name} acts as the user \"{user}\", and you are \"{peer}\"",
	"\"{name}\" is none of the officers",
	"field \"{field}\" is longer than {count} bytes",
	"field \"{field}\" holds a control character",
	"field \"{field}\" is not valid UTF-8",
	"field \"{field}\" is \"{value}\"; it must be a day, as 2026-03-31",
	"field \"{field}\" is \"{value}\"; it must be a date or an RFC 3339 time",
	"field \"{field}\" is \"{value}\"; it must be one of {words}",
	"field \"{field}\" must be text",
	"field \"{field}\" must be the id of a case",
	"field \"{field}\" must be seconds, at most {count}",
	"field \"{field}\" must be an RFC 3339 time or epoch seconds, as text",
	"field \"{field}\" must be one of N, F, M, S, D, C, T, B",
	"field \"{field}\" is missing",
	"field \"{field}\" stands beside a file, as a parameter",
	"unknown field \"{value}\"",
	"unknown action \"{value}\"",
	"the body is not JSON: line {line}, column {column}: {value}",
	"unknown parameter \"{value}\"",
	"parameter \"{value}\": one of month and year is given, once",
	"parameter \"{value}\" is given twice",
	"parameter \"{parameter}\" is \"{value}\"; it must be {what}",
	"parameter \"{value}\" is missing",
	"no site \"{value}\"",
	"site \"{site}\" has no factor \"{value}\"",
	"no case {id}",
	"no delivery \"{value}\"",
	"a case that is {status} does not take the action {action}",
	"case {id} of the same site, factor, kind and averaging is open",
	"there is no other case {id}",
	"the case cannot be closed yet; it lacks: {lacks}",
	"{action} needs {field}",
	"whole days count from {day} on",
	"{valid} of {due} readings are valid, and {needed} are needed",
	"{valid} of {due} hours have a valid reading, and {needed} are needed",
	"{count} days before them count as little",
};

const char *refused_form(size_t i)
{
	return i < sizeof forms / sizeof forms[0] ? forms[i] : NULL;
}

/* --- what stands in the places --- */

struct found {
	char *copy; /* of the sentence, in which each piece ends */
	struct phrase places;
	char names[PHRASE_PLACES_MOST][16];
	struct text words[PHRASE_PLACES_MOST]; /* in the reader's language */
};

static void found_deinit(struct found *f)
{
	for (size_t i = 0; i < PHRASE_PLACES_MOST; i++)
		text_deinit(&f->words[i]);
	free(f->copy);
}

/* The name of the place at @form, "{name}". Return: what follows it; NULL: no room. */
static const char *take_name(struct found *f, const char *form)
{
	size_t length = strcspn(form + 1, "}"), i = f->places.n;
	if (i == PHRASE_PLACES_MOST || length >= sizeof f->names[0])
		return NULL;
	memcpy(f->names[i], form + 1, length);
	f->names[i][length] = '\0';
	f->places.name[i] = f->names[i];
	return form + 1 + length + 1;
}

/* What stands at @at up to the next piece of the form. Return: that piece's beginning; NULL. */
static char *take_piece(struct found *f, char *at, const char *form)
{
	char literal[96] = "";
	size_t length = strcspn(form, "{");
	if (length >= sizeof literal)
		return NULL;
	memcpy(literal, form, length);
	f->places.text[f->places.n++] = at;
	if (form[length] != '\0')
		return strstr(at, literal);
	char *end = at + strlen(at) - (strlen(at) < length ? 0 : length);
	return strcmp(end, literal) == 0 ? end : NULL; /* the last piece ends the sentence */
}

/* Has the sentence this form? Pieces are not ended yet. */
static bool match(struct found *f, const char *form, char *ends[PHRASE_PLACES_MOST])
{
	char *at = f->copy;
	f->places.n = 0;
	while (*form != '\0') {
		size_t length = strcspn(form, "{");
		if (strncmp(at, form, length) != 0)
			return false;
		at += length;
		form += length;
		if (*form == '\0')
			break;
		size_t place = f->places.n;
		form = take_name(f, form);
		at = form == NULL ? NULL : take_piece(f, at, form);
		if (at == NULL)
			return false;
		ends[place] = at;
	}
	return *at == '\0';
}

static const char *find_form(struct found *f)
{
	char *ends[PHRASE_PLACES_MOST];
	for (size_t i = 0; refused_form(i) != NULL; i++) {
		if (!match(f, forms[i], ends))
			continue;
		for (size_t k = 0; k < f->places.n; k++)
			*ends[k] = '\0';
		return forms[i];
	}
	return NULL;
}

/* --- codes as words --- */

struct saying {
	struct text *out;
	const char *(*translate)(const char *english);
	const char *(*words)(const char *code);
};

static const char *same(const char *code)
{
	return code;
}

static const char *role_words(const char *code)
{
	return strcmp(code, "handler") == 0     ? "handling officer"
	       : strcmp(code, "inspector") == 0 ? "inspecting officer"
	       : strcmp(code, "leader") == 0    ? "leading officer"
						: code;
}

static const char *field_or_code(const char *code)
{
	const char *words = field_words(code);
	return words == NULL ? code : words;
}

/* One word; what a number in brackets counts stays behind it: "more compliant days (1 of 7)". */
static void say_one(const struct saying *s, const char *at, size_t length)
{
	char word[192];
	const char *open;
	if (length >= sizeof word) {
		text_add_n(s->out, at, length);
		return;
	}
	memcpy(word, at, length);
	word[length] = '\0';
	const char *said = s->translate(s->words(word));
	if (said == s->words(word) && (open = strstr(word, " (")) != NULL && open[2] >= '0' &&
	    open[2] <= '9') {
		say_one(s, word, (size_t)(open - word));
		text_add(s->out, open);
		return;
	}
	text_add(s->out, said);
}

/* What a case lacks, and of what a day that does not count: "2026-03-31: nothing was recorded". */
static void say_lack(const struct saying *s, const char *at, size_t length)
{
	char lack[192];
	const char *colon;
	if (length >= sizeof lack) {
		text_add_n(s->out, at, length);
		return;
	}
	memcpy(lack, at, length);
	lack[length] = '\0';
	if (lack[0] >= '0' && lack[0] <= '9' && (colon = strstr(lack, ": ")) != NULL) {
		text_add_n(s->out, lack, (size_t)(colon + 2 - lack));
		refused_say(s->out, colon + 2, s->translate);
	} else if (strstr(lack, " (") != NULL) {
		say_one(s, lack, length);
	} else {
		refused_say(s->out, lack, s->translate);
	}
}

/* Several, between which stands one of these. */
static void say_list(const struct saying *s, const char *list, const char *const *between, size_t n,
		     void (*say)(const struct saying *s, const char *at, size_t length))
{
	while (*list != '\0') {
		size_t length = strlen(list), gap = 0;
		for (size_t i = 0; i < n; i++) {
			const char *next = strstr(list, between[i]);
			if (next != NULL && (size_t)(next - list) < length) {
				length = (size_t)(next - list);
				gap = strlen(between[i]);
			}
		}
		say(s, list, length);
		list += length + gap;
		if (gap > 0)
			text_add(s->out, s->translate(", "));
	}
}

static void say_place(const char *name, const char *text, struct text *out,
		      const char *(*translate)(const char *english))
{
	static const char *const commas[] = {", ", " or "}, *const lacks[] = {"; "};
	struct saying s = {out, translate, same};
	if (strcmp(name, "action") == 0)
		s.words = action_words;
	if (strcmp(name, "field") == 0)
		s.words = field_or_code;
	if (strcmp(name, "roles") == 0)
		s.words = role_words;
	if (strcmp(name, "lacks") == 0)
		say_list(&s, text, lacks, 1, say_lack);
	else if (strcmp(name, "words") == 0 || strcmp(name, "roles") == 0)
		say_list(&s, text, commas, 2, say_one);
	else if (s.words != same || strcmp(name, "status") == 0 || strcmp(name, "what") == 0)
		say_one(&s, text, strlen(text));
	else
		text_add(out, text);
}

void refused_say(struct text *out, const char *sentence,
		 const char *(*translate)(const char *english))
{
	bool whole = translate(sentence) != sentence;
	struct found f = {.copy = strdup(sentence)};
	const char *form = whole || f.copy == NULL ? NULL : find_form(&f);
	/* where nothing translates, the sentence is the best there is */
	if (form == NULL || translate(form) == form) {
		text_add(out, translate(sentence));
	} else {
		for (size_t i = 0; i < f.places.n; i++) {
			say_place(f.places.name[i], f.places.text[i], &f.words[i], translate);
			f.places.text[i] = f.words[i].at;
		}
		phrase_add(out, form, translate(form), &f.places, text_add);
	}
	found_deinit(&f);
}
