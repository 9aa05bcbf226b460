/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Wording: the Chinese texts of pages and dossiers, read from the same file as gettext's.
 *
 * gettext translates into the one language of the process; a page is asked for in either, on any
 * thread. So the file (GNU MO, "The Format of GNU MO Files" in the gettext manual) is read once at
 * the start, checked in full, and never changes afterwards. Whatever is wrong with it costs the
 * translation and no page: without a wording, or a text in it, the English stands.
 */
#include <stddef.h>
#include <stdint.h>

struct wording {
	char *data;                          /* owned; NULL: none, everything stays English */
	uint32_t n, originals, translations; /* texts; where their tables begin */
};

/**
 * wording_parse() - take @data over and check all of it
 * Return: 0; -EBADMSG where it is no such file, a text lies outside of it, is no UTF-8 or out of
 * order: then @data is freed and @wording empty.
 */
int wording_parse(struct wording *wording, char *data, size_t size);
/** wording_load() - from a file of at most 4 MiB. Return: 0; negative errno. */
int wording_load(struct wording *wording, const char *path);
void wording_deinit(struct wording *wording);

/** wording_find() - the text for @english (any thread); @wording NULL, or none there: @english
 */
const char *wording_find(const struct wording *wording, const char *english);
