/* SPDX-License-Identifier: Apache-2.0 */
/* What a data logger sends: as a stream, in which telegrams are sought, and as the data of one. */
#include "core/zone.h"
#include "drivers/hj212/frame.h"
#include "drivers/hj212/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static bool is_within(struct hj212_text text, const char *data, size_t n)
{
	return text.n == 0 || (text.at >= data && text.at + text.n <= data + n);
}

static void check_sample(const struct hj212_message *message, const struct hj212_record *record)
{
	static const struct zone utc = {0};
	static const struct hj212_point point = {.factor = "w01018",
						 .old_factor = "011",
						 .field = HJ212_RTD,
						 .scale = 3,
						 .offset = -1};
	struct sample sample;
	if (hj212_sample(&point, message, record, &utc, &sample) != HJ212_SAMPLE)
		return;
	check(message->command == HJ212_REALTIME);
	check(isfinite(sample.value) && flag_known((int)sample.flag));
	check(sample.has_value || sample.flag != FLAG_NORMAL);
	if (sample.has_time)
		check(sample.measured_ms >= 0 && sample.measured_ms <= 253402300799999);
}

static void check_message(const char *data, size_t n)
{
	struct hj212_message message;
	struct hj212_record record;
	const char *wrong = hj212_message_parse(data, n, &message);
	if (wrong != NULL)
		return;
	check(message.mn.n > 0 && is_within(message.mn, data, n));
	check(is_within(message.qn, data, n) && is_within(message.pw, data, n));
	check(message.flag >= 0 && message.flag <= 255);
	struct hj212_text rest = message.area;
	for (size_t records = 0; hj212_record_next(&rest, &record); records++) {
		check(records <= n && record.code.n > 0 && is_within(record.code, data, n));
		for (int i = 0; i < HJ212_FIELDS; i++)
			check(is_within(record.fields[i], data, n));
		check_sample(&message, &record);
	}
}

/* Return: a number that the telegrams of the stream make, one after the other. */
static uint64_t telegrams(const char *bytes, size_t n, size_t step)
{
	uint64_t seen = 0;
	struct hj212_frame frame;
	for (size_t done = 0, fill = 0; fill < n;) {
		fill = n - fill < step ? n : fill + step;
		enum hj212_found found;
		while (found = hj212_frame_next(bytes + done, fill - done, &frame),
		       found != HJ212_MORE) {
			check(frame.used > 0 && frame.used <= fill - done);
			if (found == HJ212_FRAME) {
				seen = (seen + frame.n) * 31 + hj212_crc(frame.data, frame.n);
				check_message(frame.data, frame.n);
			}
			done += frame.used;
		}
		check(frame.used == 0 && fill - done < HJ212_FRAME_MOST);
	}
	return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static char out[HJ212_FRAME_MOST + 1];
	const char *bytes = (const char *)data;
	uint64_t whole = telegrams(bytes, n, HJ212_FRAME_MOST);
	if (n <= 2000)
		check(telegrams(bytes, n, 1) == whole);
	check_message(bytes, n);
	if (n > HJ212_DATA_MOST)
		return 0;
	struct hj212_frame frame;
	size_t length = hj212_frame_write(out, bytes, n);
	bool is_text = true;
	for (size_t i = 0; i < n; i++)
		is_text = is_text && data[i] >= ' ' && data[i] != 0x7f;
	check((hj212_frame_next(out, length, &frame) == HJ212_FRAME) == is_text);
	check(!is_text || (frame.n == n && frame.used == length));
	return 0;
}
