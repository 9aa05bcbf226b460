/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever the text, what is escaped holds no markup, no quote, no control, and is UTF-8. */
#include "core/order.h"
#include "deliver/sheet.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text in = {0}, out = {0};
	text_add_n(&in, (const char *)data, size);
	html_text(&out, in.at);
	if (out.at != NULL && (strpbrk(out.at, "<>\"'\x01\x1b\x7f\r") != NULL ||
			       !text_is_utf8(out.at) || out.length > 6 * HTML_TEXT_MOST))
		abort();
	text_deinit(&in);
	text_deinit(&out);
	return 0;
}
