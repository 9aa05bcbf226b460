/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sealline.h"

#include <stdlib.h>
#include <string.h>

static const char *const reason_names[SEAL_REASONS] = {"start", "time", "event", "midnight",
						       "stop"};

const char *seal_reason_name(enum seal_reason reason)
{
	return reason_names[reason];
}

/* --- writing --- */

static void add_hex(struct text *out, const uint8_t *bytes, size_t n)
{
	char hex[2 * SEAL_SIGNATURE_BYTES + 1];

	chain_hex(hex, bytes, n);
	text_char(out, ' ');
	text_add(out, hex);
}

static void add_head(struct text *out, const struct chain_head *head)
{
	text_format(out, " %lld", (long long)head->number);
	add_hex(out, head->hash, sizeof head->hash);
}

void seal_line_text(struct text *out, const struct seal_line *s)
{
	text_format(out, "seal 1 %s %s %lld %lld %lld %s", SEAL_ALGORITHMS, s->node,
		    (long long)s->number, (long long)s->time_ms, (long long)s->key,
		    seal_reason_name(s->reason));
	add_head(out, &s->daybook);
	add_head(out, &s->ledger);
	add_hex(out, s->previous, sizeof s->previous);
}

void key_line_text(struct text *out, const struct key_line *k)
{
	text_format(out, "key 1 %s %s %lld %lld %lld", SEAL_ALGORITHMS, k->node,
		    (long long)k->number, (long long)k->time_ms, (long long)k->seal);
	add_hex(out, k->public, sizeof k->public);
	add_hex(out, k->previous, sizeof k->previous);
}

void line_signature(struct text *out, const uint8_t signature[SEAL_SIGNATURE_BYTES])
{
	add_hex(out, signature, SEAL_SIGNATURE_BYTES);
}

/* --- reading --- */

/* The rest of a line; fields are taken from its front. */
struct fields {
	const char *at, *end;
	const char *field; /* the one taken last */
	size_t length;
};

static bool take(struct fields *f)
{
	if (f->at == NULL)
		return false;
	const char *blank = memchr(f->at, ' ', (size_t)(f->end - f->at));
	f->field = f->at;
	f->length = (size_t)((blank == NULL ? f->end : blank) - f->at);
	f->at = blank == NULL ? NULL : blank + 1;
	return f->length > 0;
}

static bool take_word(struct fields *f, const char *word)
{
	return take(f) && f->length == strlen(word) && memcmp(f->field, word, f->length) == 0;
}

/* As it is written: no sign but a minus, no leading zero, so that a line has one form only. */
static bool take_number(struct fields *f, int64_t *out)
{
	char digits[21];

	if (!take(f) || f->length >= sizeof digits || f->length > 18)
		return false;
	memcpy(digits, f->field, f->length);
	digits[f->length] = '\0';
	size_t sign = digits[0] == '-';
	if (strspn(digits + sign, "0123456789") != f->length - sign || f->length == sign ||
	    (digits[sign] == '0' && f->length > 1))
		return false;
	*out = strtoll(digits, NULL, 10);
	return true;
}

static bool take_bytes(struct fields *f, uint8_t *out, size_t n)
{
	return take(f) && f->length == 2 * n && chain_unhex(out, n, f->field);
}

static bool take_head(struct fields *f, struct chain_head *out)
{
	return take_number(f, &out->number) && take_bytes(f, out->hash, sizeof out->hash);
}

static bool take_node(struct fields *f, char out[SEAL_NODE_BYTES])
{
	if (!take(f) || f->length >= SEAL_NODE_BYTES || memchr(f->field, '\0', f->length) != NULL)
		return false;
	memcpy(out, f->field, f->length);
	out[f->length] = '\0';
	return true;
}

static bool take_reason(struct fields *f, enum seal_reason *out)
{
	if (!take(f))
		return false;
	for (int i = 0; i < SEAL_REASONS; i++)
		if (f->length == strlen(reason_names[i]) &&
		    memcmp(f->field, reason_names[i], f->length) == 0) {
			*out = (enum seal_reason)i;
			return true;
		}
	return false;
}

/* Kind, version and algorithms, which every line begins with. */
static const char *take_begin(struct fields *f, const char *kind)
{
	if (!take_word(f, kind))
		return "another kind of line is expected here";
	if (!take_word(f, "1"))
		return "a version of the format that is not known here";
	return take_word(f, SEAL_ALGORITHMS) ? NULL : "algorithms that are not known here";
}

static bool take_signature(struct fields *f, const char *line, uint8_t *out, size_t *signed_length)
{
	if (f->at == NULL)
		return false;
	*signed_length = (size_t)(f->at - line) - 1;
	return take_bytes(f, out, SEAL_SIGNATURE_BYTES) && f->at == NULL;
}

const char *seal_line_parse(const char *line, size_t length, struct seal_line *out,
			    size_t *signed_length)
{
	struct fields f = {.at = line, .end = line + length};

	*out = (struct seal_line){0};
	*signed_length = 0;
	const char *why = take_begin(&f, "seal");
	if (why != NULL)
		return why;
	if (take_node(&f, out->node) && take_number(&f, &out->number) &&
	    take_number(&f, &out->time_ms) && take_number(&f, &out->key) &&
	    take_reason(&f, &out->reason) && take_head(&f, &out->daybook) &&
	    take_head(&f, &out->ledger) && take_bytes(&f, out->previous, sizeof out->previous) &&
	    take_signature(&f, line, out->signature, signed_length))
		return NULL;
	return "the line is not whole";
}

const char *key_line_parse(const char *line, size_t length, struct key_line *out,
			   size_t *signed_length)
{
	struct fields f = {.at = line, .end = line + length};

	*out = (struct key_line){0};
	*signed_length = 0;
	const char *why = take_begin(&f, "key");
	if (why != NULL)
		return why;
	if (take_node(&f, out->node) && take_number(&f, &out->number) &&
	    take_number(&f, &out->time_ms) && take_number(&f, &out->seal) &&
	    take_bytes(&f, out->public, sizeof out->public) &&
	    take_bytes(&f, out->previous, sizeof out->previous) &&
	    take_signature(&f, line, out->signature, signed_length))
		return NULL;
	return "the line is not whole";
}
