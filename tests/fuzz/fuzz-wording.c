/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/wording.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wording words;
	char *copy = malloc(size + 1);
	memcpy(copy, data, size);
	if (wording_parse(&words, copy, size) == 0 &&
	    strlen(wording_find(&words, "limit")) > size + 5)
		abort();
	wording_deinit(&words);
	return 0;
}
