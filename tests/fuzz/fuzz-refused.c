/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences that quote what came from outside: said in another language, or as they are. The first
 * byte chooses a form, whose places the rest fills. */
#include "core/refused.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *none(const char *english)
{
	return english;
}

/* A form is translated into itself, elsewhere in memory; nothing else is. */
static char form[256];
static const char *itself(const char *english)
{
	if (strchr(english, '{') == NULL || strlen(english) >= sizeof form)
		return english;
	return strcpy(form, english);
}

static void fill(struct text *out, const char *places, const char *with)
{
	while (*places != '\0') {
		size_t n = strcspn(places, "{");
		text_add_n(out, places, n);
		places += n;
		if (*places == '{') {
			text_add(out, with);
			places += strcspn(places, "}") + 1;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text with = {0}, in = {0}, out = {0};
	size_t n = 0;
	while (refused_form(n) != NULL)
		n++;
	if (size < 1)
		return 0;
	text_add_n(&with, (const char *)data + 1, size - 1);
	fill(&in, data[0] < n ? refused_form(data[0]) : "{x}", with.at == NULL ? "" : with.at);
	refused_say(&out, in.at == NULL ? "" : in.at, none);
	if (strcmp(in.at == NULL ? "" : in.at, out.at == NULL ? "" : out.at) != 0)
		abort();
	text_clear(&out);
	refused_say(&out, in.at == NULL ? "" : in.at, itself);
	text_deinit(&with);
	text_deinit(&in);
	text_deinit(&out);
	return 0;
}
