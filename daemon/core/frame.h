/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Frame: what was exchanged on the wire for a reading, and how it is kept as evidence.
 *
 * A record is  'F' | bytes that follow (u32) | kind | ring | boot | seq | at_ms | frame |
 * length of asked (u32) | asked | answered; numbers little-endian, of 8 bytes where nothing is
 * said. It is of the reading that boot, ring and seq name. Several readings of one exchange have
 * the same number `frame`: the bytes stand in the first record, the others are FRAME_SAME.
 */
#include "core/reading.h"

enum {
	FRAME_HEAD_BYTES = 43,
	FRAME_BYTES_MOST = 1 << 18, /* asked and answered together; longer ones are not kept */
};

struct frame_record {
	uint8_t kind; /* enum frame_kind */
	uint8_t ring;
	int64_t boot;
	uint64_t seq;
	int64_t at_ms; /* wall clock when it was complete; 0: not known */
	uint64_t frame;
	const uint8_t *asked, *answered; /* a request and its reply, a topic or a sender and its message */
	size_t n_asked, n_answered;
};

/** frame_head() - all of the record but what was asked and answered, which follow in this order */
void frame_head(uint8_t out[FRAME_HEAD_BYTES], const struct frame_record *record);
/**
 * frame_parse() - the record that begins at @bytes; *out points into them
 * Return: its length; 0 if none begins there, or it does not end within @n bytes
 */
size_t frame_parse(const uint8_t *bytes, size_t n, struct frame_record *out);
/** frame_kind_name() - such as "modbus-tcp"; NULL: no such kind */
const char *frame_kind_name(int kind);
