/* SPDX-License-Identifier: Apache-2.0 */
/* Seals and keys as a stranger may have left them: what is taken must be what would be written. */
#include "core/sealline.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good)
{
	if (!good)
		abort();
}

static void check(struct text *text, const uint8_t *signature, const char *line, size_t length,
		  size_t signed_length)
{
	require(text->length == signed_length && memcmp(text->at, line, signed_length) == 0);
	line_signature(text, signature);
	require(text->length == length && memcmp(text->at, line, length) == 0);
	text_deinit(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seal_line seal;
	struct key_line key;
	struct text text = {0};
	size_t length;
	char *line = malloc(size > 0 ? size : 1); /* exact, so that a step too far is seen */
	require(line != NULL);
	if (size > 0)
		memcpy(line, data, size);
	if (seal_line_parse(line, size, &seal, &length) == NULL) {
		seal_line_text(&text, &seal);
		check(&text, seal.signature, line, size, length);
		text = (struct text){0};
	}
	if (key_line_parse(line, size, &key, &length) == NULL) {
		key_line_text(&text, &key);
		check(&text, key.signature, line, size, length);
	}
	free(line);
	return 0;
}
