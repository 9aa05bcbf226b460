/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/wording.h"

#include "core/order.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAGIC_AT = 0, REVISION_AT = 4, COUNT_AT = 8, ORIGINALS_AT = 12, TRANSLATIONS_AT = 16 };
enum { HEAD_BYTES = 20, ENTRY_BYTES = 8, FILE_BYTES_MOST = 4 << 20 };

static uint32_t number_at(const char *data, size_t at)
{
	uint32_t value;
	memcpy(&value, data + at, sizeof value);
	return value;
}

/* The text of an entry whose table lies within the file. */
static const char *text_at(const struct wording *wording, uint32_t table, uint32_t index)
{
	size_t entry = table + (size_t)index * ENTRY_BYTES;
	return wording->data + number_at(wording->data, entry + 4);
}

static bool table_fits(uint32_t table, uint32_t n, size_t size)
{
	return table <= size && n <= (size - table) / ENTRY_BYTES;
}

static bool entry_is_good(const char *data, size_t size, size_t entry)
{
	size_t length = number_at(data, entry), at = number_at(data, entry + 4);
	return at < size && length < size - at && data[at + length] == '\0' &&
	       text_is_utf8(data + at);
}

static bool entries_are_good(const struct wording *c, size_t size)
{
	for (uint32_t i = 0; i < c->n; i++) {
		size_t skip = (size_t)i * ENTRY_BYTES;
		if (!entry_is_good(c->data, size, c->originals + skip) ||
		    !entry_is_good(c->data, size, c->translations + skip))
			return false;
		if (i > 0 &&
		    strcmp(text_at(c, c->originals, i - 1), text_at(c, c->originals, i)) >= 0)
			return false;
	}
	return true;
}

int wording_parse(struct wording *wording, char *data, size_t size)
{
	*wording = (struct wording){.data = data};
	if (size >= HEAD_BYTES && number_at(data, MAGIC_AT) == 0x950412de &&
	    number_at(data, REVISION_AT) >> 16 == 0) {
		wording->n = number_at(data, COUNT_AT);
		wording->originals = number_at(data, ORIGINALS_AT);
		wording->translations = number_at(data, TRANSLATIONS_AT);
		if (table_fits(wording->originals, wording->n, size) &&
		    table_fits(wording->translations, wording->n, size) &&
		    entries_are_good(wording, size))
			return 0;
	}
	wording_deinit(wording);
	return -EBADMSG;
}

int wording_load(struct wording *wording, const char *path)
{
	*wording = (struct wording){0};
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return -errno;
	char *data = malloc(FILE_BYTES_MOST);
	size_t size = data == NULL ? 0 : fread(data, 1, FILE_BYTES_MOST, file);
	bool whole = data != NULL && feof(file) != 0 && ferror(file) == 0;
	fclose(file);
	if (!whole) {
		free(data);
		return data == NULL ? -ENOMEM : -EIO;
	}
	char *fitting = realloc(data, size + 1);
	return wording_parse(wording, fitting == NULL ? data : fitting, size);
}

void wording_deinit(struct wording *wording)
{
	free(wording->data);
	*wording = (struct wording){0};
}

const char *wording_find(const struct wording *wording, const char *english)
{
	uint32_t low = 0, high = wording == NULL ? 0 : wording->n;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = strcmp(english, text_at(wording, wording->originals, middle));
		if (order == 0) {
			const char *found = text_at(wording, wording->translations, middle);
			return found[0] == '\0' ? english : found;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return english;
}
