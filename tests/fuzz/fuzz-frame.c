/* SPDX-License-Identifier: Apache-2.0 */
/* Records of frames as a stranger may have left them: what is taken lies within the bytes, and is
 * what would be written. */
#include "core/frame.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct frame_record *record, const uint8_t *data, size_t length)
{
	uint8_t head[FRAME_HEAD_BYTES];

	frame_head(head, record);
	if (memcmp(head, data, sizeof head) != 0 || record->asked != data + sizeof head ||
	    record->answered != record->asked + record->n_asked ||
	    sizeof head + record->n_asked + record->n_answered != length)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame_record record;
	size_t length;

	for (; (length = frame_parse(data, size, &record)) > 0; data += length, size -= length) {
		if (length > size)
			abort();
		check(&record, data, length);
	}
	return 0;
}
