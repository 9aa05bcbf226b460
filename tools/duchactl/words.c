/* SPDX-License-Identifier: Apache-2.0 */
#include "words.h"

#include "core/text.h"

#include <libintl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

void words_open(void)
{
	const char *folder = getenv("DUCHA_LOCALE_DIRECTORY");
	setlocale(LC_ALL, "C.UTF-8");
	setlocale(LC_NUMERIC, "C");
	bindtextdomain("ducha", folder != NULL && folder[0] != '\0' ? folder : LOCALEDIR);
	bind_textdomain_codeset("ducha", "UTF-8");
	textdomain("ducha");
}

const char *tr(const char *english)
{
	return english == NULL || english[0] == '\0' ? english : gettext(english);
}

/* One character: its bytes, and its code; a byte that is no UTF-8 counts as U+FFFD. */
static size_t character(const char *s, wchar_t *code)
{
	mbstate_t state = {0};
	size_t n = mbrtowc(code, s, strlen(s), &state);
	if (n == (size_t)-1 || n == (size_t)-2) {
		*code = 0xfffd;
		return 1;
	}
	return n;
}

void words_clean(struct text *out, const char *s)
{
	wchar_t code;
	for (size_t n; *s != '\0'; s += n) {
		n = character(s, &code);
		if (code == 0xfffd)
			text_add(out, "\xef\xbf\xbd");
		else if (code < 0x20 || (code >= 0x7f && code < 0xa0))
			text_char(out, code == '\n' || code == '\t' ? ' ' : '?');
		else
			text_add_n(out, s, n);
	}
}

int words_width(const char *s)
{
	int width = 0;
	wchar_t code;
	for (size_t n; *s != '\0'; s += n) {
		n = character(s, &code);
		int columns = wcwidth(code);
		width += columns < 0 ? 1 : columns;
	}
	return width;
}
