/* SPDX-License-Identifier: Apache-2.0 */
/* Words and numbers for messages. */
#include "config/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *number_text(double value, char text[static 32])
{
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, 32, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	if (strchr(text, 'e') && value > -1e15 && value < 1e15 && value == (double)(int64_t)value)
		snprintf(text, 32, "%.0f", value);
	return text;
}

#define MAX_WORD 32

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;
	return ab < c ? ab : c;
}

/* How many letters to add, drop or replace (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
	size_t n = strlen(b), row[MAX_WORD + 1];
	if (n > MAX_WORD || strlen(a) > MAX_WORD)
		return MAX_WORD;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < n; j++) {
			size_t above = row[j + 1];
			row[j + 1] = least(above + 1, row[j] + 1, diagonal + (a[i] != b[j]));
			diagonal = above;
		}
	}
	return row[n];
}

const char *nearest(const char *word, const char *const *names, size_t n)
{
	const char *best = NULL;
	size_t best_distance = 3;
	for (size_t i = 0; i < n; i++) {
		size_t length = strlen(names[i]), far = distance(word, names[i]);
		if (far < best_distance && far * 2 < length) {
			best = names[i];
			best_distance = far;
		}
	}
	return best;
}

char *listed(const char *const *names, size_t n)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	for (size_t i = 0; i < n && i < 30; i++)
		fprintf(out, "%s\"%s\"", i ? ", " : "", names[i]);
	if (n > 30)
		fprintf(out, " and %zu more", n - 30);
	if (n == 0)
		fputs("none", out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}
