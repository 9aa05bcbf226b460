/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/sources.h"

#include "core/sources.h"

static const char *find(const void *context, const char *english)
{
	return wording_find(context, english);
}

void source_words(struct text *out, const struct wording *words, const char *source)
{
	const struct speaking speaking = {find, words};
	if (words == NULL)
		text_add(out, source == NULL ? "" : source);
	else
		source_say(out, &speaking, source);
}

void reason_words(struct text *out, const struct wording *words, const char *reason)
{
	reason_say(out, &(const struct speaking){find, words}, reason);
}
