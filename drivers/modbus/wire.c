/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/modbus/wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000)
enum {
	SETTLE_MS = 20, /* how long a line must be silent after bytes that nobody wants */
};

int wire_init(struct wire *wire, const struct modbus_connection *config, struct metrics *metrics)
{
	*wire = (struct wire){.framing = config->framing,
			      .timeout_ns = config->timeout_ms * MS,
			      .gap_ns = config->request_gap_ms * MS,
			      .pause_ns = config->connect_pause_ms * MS};
	if (!wire_is_serial(wire))
		return 0;
	char labels[512];
	snprintf(labels, sizeof labels, "connection=\"%s\"", config->id);
	wire->unasked = metrics_counter(metrics, "ducha_unasked_bytes_total",
					"Bytes from serial lines that nobody asked for", labels);
	if (wire->unasked == NULL)
		return -ENOMEM;
	if (wire->framing != MODBUS_DTU)
		return 0;
	wire->dial = calloc(1, sizeof *wire->dial);
	if (wire->dial == NULL)
		return -ENOMEM;
	wire->dial->packets = config->packets;
	wire->dial->idle_ns = config->idle_ms * MS;
	return 0;
}

void wire_deinit(struct wire *wire)
{
	free(wire->dial);
	wire->dial = NULL;
}

void wire_succeed(struct wire *next, struct wire *old)
{
	struct wire course = *old;
	if (old->dial != NULL) {
		const struct modbus_packet *packets = old->dial->packets;
		old->dial->packets = next->dial->packets;
		next->dial->packets = packets;
	}
	*old = *next;
	*next = course;
}

size_t wire_build(const struct wire *wire, const struct modbus_request *request,
		  uint8_t out[MODBUS_REQUEST_BYTES])
{
	if (wire_is_serial(wire)) {
		modbus_rtu_build(request, out);
		return MODBUS_RTU_REQUEST_BYTES;
	}
	modbus_build(request, out);
	return MODBUS_REQUEST_BYTES;
}

enum modbus_verdict wire_judge(struct wire *wire, const struct modbus_request *request,
			       const uint8_t *bytes, size_t n, struct modbus_reply *reply)
{
	if (wire_dials_in(wire))
		return strip_judge(wire->dial->packets, request, bytes, n, wire->dial->frame, reply,
				   &wire->dial->used);
	if (wire_is_serial(wire))
		return modbus_rtu_judge(request, bytes, n, reply);
	return modbus_judge(request, bytes, n, reply);
}

static void quiet_until(struct wire *wire, int64_t at_ns)
{
	if (wire->quiet_until_ns < at_ns)
		wire->quiet_until_ns = at_ns;
}

void wire_connected(struct wire *wire, int64_t now_ns)
{
	quiet_until(wire, now_ns + wire->pause_ns);
}

void wire_replied(struct wire *wire, int64_t now_ns)
{
	quiet_until(wire, now_ns + wire->gap_ns);
}

void wire_failed(struct wire *wire, int64_t now_ns)
{
	quiet_until(wire, now_ns + (wire_is_serial(wire) ? wire->timeout_ns : wire->gap_ns));
}

size_t wire_leave(struct wire *wire, uint8_t *bytes, size_t n, int64_t now_ns)
{
	size_t unasked = n, kept = 0;
	if (wire_dials_in(wire)) {
		kept = n;
		unasked = strip_idle(wire->dial->packets, bytes, &kept);
	}
	metric_add(wire->unasked, (int64_t)unasked);
	if (unasked > 0)
		quiet_until(wire, now_ns + SETTLE_MS * MS);
	return kept;
}

size_t wire_rest(const struct wire *wire, uint8_t *bytes, size_t n)
{
	if (!wire_dials_in(wire))
		return 0;
	memmove(bytes, bytes + wire->dial->used, n - wire->dial->used);
	return n - wire->dial->used;
}

void wire_heard(struct wire *wire, int64_t now_ns)
{
	if (wire_dials_in(wire))
		wire->dial->heard_ns = now_ns;
}
