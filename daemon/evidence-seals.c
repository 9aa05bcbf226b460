/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence-work.h"
#include "seal/pem.h"
#include "seal/sign.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 100, PATH_BYTES = 4400 };
#define DAY_MS INT64_C(86400000)
/* A step is sealed within this, also where that is another day. */
#define AROUND_MS INT64_C(120000)
/* YYYY-MM-DD.seals */
enum { DATE_BYTES = 10 };

/* Whole lines of a text one by one. Return: NULL behind the last; *next goes on. */
static const char *line_next(const char **next, size_t *length)
{
	const char *line = *next, *end = line == NULL ? NULL : strchr(line, '\n');

	if (end == NULL)
		return NULL;
	*length = (size_t)(end - line);
	*next = end + 1;
	return line;
}

/* --- keys --- */

/* A store that was restored without its secret begins anew: that key signs itself, and who asks
 * says that it is the one that was written down then. */
static bool begins_anew(struct work *w, const struct key_line *key, const char *line, size_t length)
{
	char hex[2 * SEAL_PUBLIC_BYTES + 1];

	chain_hex(hex, key->public, sizeof key->public);
	if (w->setup->trusted == NULL || strcmp(hex, w->setup->trusted) != 0 ||
	    !sign_verify(key->public, line, length, key->signature))
		return false;
	work_note(
		w,
		"key %lld begins anew and is trusted by who asked: what is sealed behind it rests "
		"on %s, to be compared with the one that was written down "
		"密钥 %lld 为恢复后新建，须与书面登记核对",
		(long long)key->number, hex, (long long)key->number);
	return true;
}

static void key_take(struct work *w, const char *line, size_t length)
{
	const struct key_taken *former = w->n_keys > 0 ? &w->key[w->n_keys - 1] : NULL;
	struct key_line key;
	size_t signed_length;

	const char *why = key_line_parse(line, length, &key, &signed_length);
	if (why != NULL) {
		work_bad(w, "seals/keys: line %zu: %s", w->n_keys + 1, why);
		return;
	}
	if (!sign_verify(former != NULL ? former->public : key.public, line, signed_length,
			 key.signature) &&
	    !begins_anew(w, &key, line, signed_length))
		work_bad(w,
			 "seals/keys: key %lld is not signed by the one before it (after a restore "
			 "without secret/ it begins anew: --trust KEY)",
			 (long long)key.number);
	void *grown = reallocarray(w->key, w->n_keys + 1, sizeof *w->key);
	if (grown == NULL) {
		w->r = -ENOMEM;
		return;
	}
	w->key = grown;
	w->key[w->n_keys] = (struct key_taken){.number = key.number, .seal = key.seal};
	memcpy(w->key[w->n_keys++].public, key.public, sizeof key.public);
}

void keys_take(struct work *w)
{
	char path[PATH_BYTES];
	size_t length;

	snprintf(path, sizeof path, "%s/seals/keys", w->setup->directory);
	int r = work_read(path, &w->keys);
	if (r != 0) {
		w->r = r;
		return;
	}
	work_put_text(w, "keys", &w->keys);
	const char *next = w->keys.at;
	for (const char *line; (line = line_next(&next, &length)) != NULL;)
		key_take(w, line, length);
}

static const struct key_taken *key_numbered(const struct work *w, int64_t number)
{
	for (size_t i = w->n_keys; i > 0; i--)
		if (w->key[i - 1].number == number)
			return &w->key[i - 1];
	return NULL;
}

/* --- seals --- */

struct seal_asked {
	int64_t batch, entry;
	struct cover *out;
};

static void line_look(const struct seal_asked *asked, const char *line, size_t length)
{
	struct seal_line seal;
	size_t signed_length;
	struct cover *out = asked->out;

	if (seal_line_parse(line, length, &seal, &signed_length) != NULL ||
	    seal.daybook.number < asked->batch || seal.ledger.number < asked->entry ||
	    (out->line.number != 0 && out->line.number < seal.number))
		return;
	out->line = seal;
	text_clear(&out->text);
	text_add_n(&out->text, line, signed_length);
}

static void lines_look(const struct seal_asked *asked, const struct text *lines)
{
	const char *next = lines->at, *line;
	size_t length;

	while ((line = line_next(&next, &length)) != NULL)
		line_look(asked, line, length);
}

static int is_seals(const struct dirent *entry)
{
	return strspn(entry->d_name, "0123456789-") == DATE_BYTES &&
	       strcmp(entry->d_name + DATE_BYTES, ".seals") == 0;
}

static void file_note(struct work *w, const char *file)
{
	if (w->seals.at == NULL || strstr(w->seals.at, file) == NULL)
		text_format(&w->seals, "%s\n", file);
}

static void file_read(struct work *w, const char *file, struct text *out)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof path, "%s/seals/%s", w->setup->directory, file);
	if (work_read(path, out) != 0)
		text_clear(out);
}

static void file_look(struct work *w, const struct seal_asked *asked, const char *file, bool note)
{
	struct text lines = {0};

	file_read(w, file, &lines);
	lines_look(asked, &lines);
	if (note || asked->out->line.number != 0)
		file_note(w, file);
	text_deinit(&lines);
}

static void file_name(const struct work *w, int64_t at_ms, char out[NAME_BYTES])
{
	struct civil day = zone_civil(&w->setup->plan->zone, at_ms);

	snprintf(out, NAME_BYTES, "%04d-%02u-%02u.seals", (int)day.year, (unsigned)day.month,
		 (unsigned)day.day);
}

/* A day's file is named by its date: what came before is of no use here. */
static void seal_find(struct work *w, const struct seal_asked *asked, int64_t from_ms, bool note)
{
	char path[PATH_BYTES], first[NAME_BYTES];
	struct dirent **names;

	snprintf(path, sizeof path, "%s/seals", w->setup->directory);
	file_name(w, from_ms, first);
	int n = scandir(path, &names, is_seals, alphasort);
	for (int i = 0; i < n; i++) {
		if (asked->out->line.number == 0 && strcmp(names[i]->d_name, first) >= 0)
			file_look(w, asked, names[i]->d_name, note);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

static void seal_put(struct work *w, const char *which, const struct cover *cover)
{
	const struct key_taken *key = key_numbered(w, cover->line.key);
	char name[NAME_BYTES], pem[PEM_BYTES];

	snprintf(name, sizeof name, "seal%s.txt", which);
	work_put_text(w, name, &cover->text);
	snprintf(name, sizeof name, "seal%s.sig", which);
	work_put(w, name, cover->line.signature, sizeof cover->line.signature);
	if (key == NULL ||
	    !sign_verify(key->public, cover->text.at, cover->text.length, cover->line.signature))
		work_bad(w, "seal %lld: the signature is not right", (long long)cover->line.number);
	if (key == NULL)
		return;
	pem_public(pem, key->public);
	snprintf(name, sizeof name, "key%s.pem", which);
	work_put(w, name, pem, strlen(pem));
}

void seal_take(struct work *w, const char *which, int64_t from_ms, int64_t batch, int64_t entry,
	       struct cover *out)
{
	const struct seal_asked asked = {batch, entry, out};

	*out = (struct cover){0};
	seal_find(w, &asked, from_ms - DAY_MS, true);
	if (out->line.number == 0) /* the clock may have been set since */
		seal_find(w, &asked, 0, false);
	if (out->line.number == 0)
		work_bad(w, "seals: none covers batch %lld and entry %lld", (long long)batch,
			 (long long)entry);
	else
		seal_put(w, which, out);
}

void seals_of(struct work *w, int64_t at_ms)
{
	char name[NAME_BYTES];

	for (int64_t around = -AROUND_MS; around <= AROUND_MS; around += AROUND_MS) {
		file_name(w, at_ms + around, name);
		file_note(w, name);
	}
}

/* The daemon goes on sealing: whole lines alone. */
static void file_put(struct work *w, const char *file)
{
	char name[NAME_BYTES];
	struct text lines = {0};

	file_read(w, file, &lines);
	const char *end = lines.at == NULL ? NULL : strrchr(lines.at, '\n');
	snprintf(name, sizeof name, "seals/%.80s", file);
	if (end != NULL)
		work_put(w, name, lines.at, (size_t)(end + 1 - lines.at));
	text_deinit(&lines);
}

void seals_put(struct work *w)
{
	const char *next = w->seals.at, *line;
	char name[NAME_BYTES];
	size_t length;

	if (w->seals.failed)
		w->r = -ENOMEM;
	while ((line = line_next(&next, &length)) != NULL) {
		snprintf(name, sizeof name, "%.*s", (int)length, line);
		file_put(w, name);
	}
}

void cover_deinit(struct cover *cover)
{
	text_deinit(&cover->text);
}
