/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/modbus/strip.h"

#include <string.h>

enum {
	HEADER_BYTES = 3, /* unit, function, byte count: what is wrong in them ends a way */
	EXCEPTION_BYTES = 5,
	MOST_FRAMES = 128, /* with a wrong CRC: each more may have it right by chance */
};

struct search {
	const struct modbus_packet *packets;
	const struct modbus_request *request;
	const uint8_t *raw;
	size_t n;
	uint8_t *frame;
	struct modbus_reply *reply;
	unsigned frames;             /* that had a wrong CRC */
	bool may_come;               /* more bytes could make some way right */
	enum modbus_verdict verdict; /* of the way that takes everything, or of the right one */
	size_t used;
};

enum strip_match strip_match(const struct modbus_packet *packet, const uint8_t *raw, size_t n)
{
	size_t both = n < packet->n ? n : packet->n;
	if (both == 0 || memcmp(raw, packet->bytes, both) != 0)
		return STRIP_NONE;
	return both == packet->n ? STRIP_WHOLE : STRIP_PART;
}

/* The longest packet that @raw begins with. Return: its bytes, 0: none. */
static size_t whole_packet(const struct modbus_packet *packets, const uint8_t *raw, size_t n,
			   bool *part)
{
	size_t longest = 0;
	for (size_t i = 0; i < STRIP_PACKETS; i++) {
		enum strip_match match = strip_match(&packets[i], raw, n);
		if (match == STRIP_WHOLE && packets[i].n > longest)
			longest = packets[i].n;
		*part = *part || match == STRIP_PART;
	}
	return longest;
}

size_t strip_idle(const struct modbus_packet packets[STRIP_PACKETS], uint8_t *raw, size_t *n)
{
	size_t at = 0, unasked = 0;
	bool part = false;
	while (at < *n && !part) {
		size_t packet = whole_packet(packets, raw + at, *n - at, &part);
		if (packet > 0)
			part = false;
		else if (!part)
			unasked++;
		at += packet > 0 ? packet : !part;
	}
	*n -= at;
	memmove(raw, raw + at, *n);
	return unasked;
}

/* A right reply ends at @at: behind it only packets may stand. */
static bool search_ends(struct search *search, size_t at, enum modbus_verdict verdict)
{
	bool part = false;
	size_t packet;
	while ((packet = whole_packet(search->packets, search->raw + at, search->n - at, &part)) >
	       0) {
		at += packet;
		part = false;
	}
	bool right = at == search->n || part;
	search->used = at;
	search->verdict = right ? verdict : MODBUS_WRONG_LENGTH;
	return right;
}

/* The least bytes of the reply that begins with these, which hold more than its function. */
static size_t whole_bytes(const struct modbus_request *request, const uint8_t *frame)
{
	return (frame[1] & 0x80) != 0 ? EXCEPTION_BYTES : modbus_rtu_reply_bytes(request);
}

/* The last @taken bytes before @at end with the packet that stands there, too: to leave that one
 * out instead gives the same frame, and was tried. */
static bool was_tried(const struct search *search, const struct modbus_packet *packet, size_t at,
		      size_t taken)
{
	return taken >= packet->n &&
	       memcmp(search->raw + at - packet->n, packet->bytes, packet->n) == 0;
}

/* Of all ways to go on from raw byte @at with @filled bytes of the frame: is one right? A way that
 * has left out too much to be whole yet is not followed, so that beside the reply's own bytes only
 * as many are left out as came too many: the ways are few. */
static bool search_from(struct search *search, size_t at, size_t filled, unsigned left)
{
	for (size_t taken = 0;; taken++, search->frame[filled++] = search->raw[at++]) {
		search->verdict =
			modbus_rtu_judge(search->request, search->frame, filled, search->reply);
		if (search->verdict == MODBUS_COMPLETE || search->verdict == MODBUS_EXCEPTION)
			return search_ends(search, at, search->verdict);
		search->frames += search->verdict == MODBUS_WRONG_CRC;
		if (search->verdict != MODBUS_MORE)
			return false;
		if (at == search->n ||
		    (filled >= HEADER_BYTES &&
		     filled + search->n - at < whole_bytes(search->request, search->frame))) {
			search->may_come = true;
			return false;
		}
		for (size_t i = 0; i < STRIP_PACKETS && left > 0 && search->frames < MOST_FRAMES;
		     i++) {
			const struct modbus_packet *packet = &search->packets[i];
			enum strip_match match =
				strip_match(packet, search->raw + at, search->n - at);
			if (match == STRIP_PART)
				search->may_come = true;
			else if (match == STRIP_WHOLE && !was_tried(search, packet, at, taken) &&
				 search_from(search, at + packet->n, filled,
					     filled == 0 ? left : left - 1))
				return true;
		}
	}
}

enum modbus_verdict strip_judge(const struct modbus_packet packets[STRIP_PACKETS],
				const struct modbus_request *request, const uint8_t *raw, size_t n,
				uint8_t *frame, struct modbus_reply *reply, size_t *used)
{
	struct search search = {.packets = packets,
				.request = request,
				.raw = raw,
				.n = n,
				.frame = frame,
				.reply = reply};
	if (search_from(&search, 0, 0, STRIP_MOST)) {
		*used = search.used;
		return search.verdict;
	}
	if (n >= STRIP_RAW_BYTES)
		return MODBUS_WRONG_LENGTH;
	if (search.frames >= MOST_FRAMES)
		return MODBUS_WRONG_CRC;
	return search.may_come ? MODBUS_MORE : search.verdict;
}
