/* SPDX-License-Identifier: Apache-2.0 */
#include "core/frame.h"

enum { LENGTH_AT = 1, KIND_AT = 5 };

static uint8_t *put(uint8_t *out, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		out[i] = (uint8_t)(value >> (8 * i));
	return out + bytes;
}

static uint64_t get(const uint8_t **at, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < bytes; i++)
		value |= (uint64_t)(*at)[i] << (8 * i);
	*at += bytes;
	return value;
}

void frame_head(uint8_t out[FRAME_HEAD_BYTES], const struct frame_record *r)
{
	size_t follows = FRAME_HEAD_BYTES - KIND_AT + r->n_asked + r->n_answered;

	*out++ = 'F';
	out = put(out, follows, 4);
	*out++ = r->kind;
	*out++ = r->ring;
	out = put(out, (uint64_t)r->boot, 8);
	out = put(out, r->seq, 8);
	out = put(out, (uint64_t)r->at_ms, 8);
	out = put(out, r->frame, 8);
	put(out, r->n_asked, 4);
}

size_t frame_parse(const uint8_t *bytes, size_t n, struct frame_record *out)
{
	const uint8_t *at = bytes + LENGTH_AT;

	if (n < FRAME_HEAD_BYTES || bytes[0] != 'F')
		return 0;
	size_t length = KIND_AT + (size_t)get(&at, 4);
	*out = (struct frame_record){.kind = at[0], .ring = at[1]};
	at += 2;
	out->boot = (int64_t)get(&at, 8);
	out->seq = get(&at, 8);
	out->at_ms = (int64_t)get(&at, 8);
	out->frame = get(&at, 8);
	out->n_asked = (size_t)get(&at, 4);
	if (length < FRAME_HEAD_BYTES || length > n || out->n_asked > length - FRAME_HEAD_BYTES ||
	    frame_kind_name(out->kind) == NULL)
		return 0;
	out->asked = at;
	out->answered = at + out->n_asked;
	out->n_answered = length - FRAME_HEAD_BYTES - out->n_asked;
	return length;
}

const char *frame_kind_name(int kind)
{
	switch (kind) {
	case FRAME_MODBUS_TCP:
		return "modbus-tcp";
	case FRAME_MODBUS_RTU:
		return "modbus-rtu";
	case FRAME_MQTT:
		return "mqtt";
	case FRAME_HJ212:
		return "hj212";
	case FRAME_SAME:
		return "same";
	case FRAME_OVERWRITTEN:
		return "overwritten";
	default:
		return NULL;
	}
}
