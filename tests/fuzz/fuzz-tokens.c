/* SPDX-License-Identifier: Apache-2.0 */
/* The officers' tokens: whatever the file, what is taken is a line of it, written again. */
#include "config/scan.h"
#include "config/token-lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good)
{
	if (!good)
		abort();
}

/* The line of this number. */
static const char *line_at(const char *text, int number)
{
	while (--number > 0)
		text = strchr(text, '\n') + 1;
	return text;
}

static void take(void *context, const struct token_line *line, const char *wrong)
{
	const char *text = line_at(context, line->number);
	char hash[2 * TOKEN_HASH_BYTES + 1];
	if (wrong != NULL) {
		require(wrong[0] != '\0' && strlen(wrong) < TOKEN_WRONG_BYTES);
		return;
	}
	size_t name = strlen(line->name);
	require(name > 0 && name <= TOKEN_NAME_BYTES && scan_utf8(line->name, name));
	require(line->roles > 0 && line->roles < 8 && line->name[0] != '#');
	require(strncmp(text, line->name, name) == 0 && text[name] == ':');
	for (size_t i = 0; i < TOKEN_HASH_BYTES; i++)
		snprintf(hash + 2 * i, 3, "%02x", line->hash[i]);
	const char *end = text + strcspn(text, "\r\n");
	require(end - text > 2 * TOKEN_HASH_BYTES);
	require(strncmp(end - 2 * TOKEN_HASH_BYTES, hash, 2 * TOKEN_HASH_BYTES) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *copy = malloc(size + 1);
	require(text != NULL && copy != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	memcpy(copy, text, size + 1);
	token_lines(text, take, copy);
	free(text);
	free(copy);
	return 0;
}
