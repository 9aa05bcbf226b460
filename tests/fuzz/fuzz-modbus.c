/* SPDX-License-Identifier: Apache-2.0 */
/* A Modbus reply, over TCP and RTU: judged byte by byte and whole, and decoded as every type. */
#include "drivers/modbus/strip.h"
#include "drivers/modbus/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void decode_all(const struct modbus_request *request, const struct modbus_reply *reply)
{
	for (int type = MODBUS_INT16; type <= MODBUS_BIT; type++) {
		for (int order = MODBUS_ABCD; order <= MODBUS_DCBA; order++) {
			for (int i = -1; i <= request->count; i++) {
				struct modbus_point point = {
					.table = request->table,
					.address = (uint16_t)(request->address + i),
					.type = (enum modbus_type)type,
					.order = (enum modbus_order)order,
					.scale = 1e10,
					.bit = (uint8_t)i & 15};
				struct modbus_value value = modbus_decode(&point, request, reply);
				check(isfinite(value.value));
			}
		}
	}
}

/* A value of several registers, each somewhere in the reply, as the reply's own bytes say. */
static void compose_one(const struct modbus_request *request, const struct modbus_reply *reply)
{
	const double invalid[] = {-9999.9, 0};
	const struct modbus_meaning meanings[] = {{.value = 1, .flag = 'M', .factor = 1e300},
						  {.bits = 0x0f00, .flag = 'D', .no_value = true}};
	struct modbus_extra extras[MODBUS_EXTRAS_MOST];
	struct modbus_words words = {.have = 0};
	for (size_t i = 0; i < MODBUS_EXTRAS_MOST; i++) {
		uint8_t seed = reply->data[(i * 5) % reply->data_bytes];
		extras[i] = (struct modbus_extra){
			.role = (enum modbus_role)(seed % (MODBUS_TIME + 1)),
			.at = {.table = request->table,
			       .address = (uint16_t)(request->address + seed % request->count),
			       .type = (enum modbus_type)(seed / 5 % (MODBUS_BIT + 1)),
			       .order = (enum modbus_order)(seed / 55 % 4)},
			.times = 1e8,
			.sign = (seed & 1) != 0 ? 1 : -1,
			.bias = -3,
			.mask = seed,
			.meanings = meanings,
			.n_meanings = 2,
			.otherwise = {.flag = 'N'},
			.clock = (enum modbus_clock)(seed >> 7)};
		if (extras[i].role == MODBUS_TIME &&
		    extras[i].clock == MODBUS_CIVIL) /* six of one */
			extras[i].at.type = (seed & 1) != 0 ? MODBUS_UINT16 : MODBUS_BCD16;
	}
	struct modbus_more more = {extras, MODBUS_EXTRAS_MOST, invalid, 2};
	struct modbus_point point = {.table = request->table,
				     .address = request->address,
				     .type = (enum modbus_type)(reply->data[0] % (MODBUS_BIT + 1)),
				     .scale = 1e10,
				     .every = 1,
				     .more = &more};
	modbus_gather(&point, request, reply, &words);
	struct modbus_result result =
		modbus_compose(&point, &words, NULL); /* what lacks is zeros */
	check(isfinite(result.value) && flag_known((int)result.flag));
	check(result.has_value || result.value == 0);
}

typedef enum modbus_verdict (*judge_fn)(const struct modbus_request *request, const uint8_t *bytes,
					size_t n, struct modbus_reply *reply);

static void judge_with(judge_fn judge, const struct modbus_request *request, const uint8_t *data,
		       size_t n)
{
	struct modbus_reply reply;
	enum modbus_verdict whole = judge(request, data, n, &reply);
	if (whole == MODBUS_COMPLETE) {
		decode_all(request, &reply);
		compose_one(request, &reply);
	}
	if (whole == MODBUS_EXCEPTION)
		check(reply.exception != 0);
	for (size_t i = 0; i < n; i++) {
		struct modbus_reply early;
		enum modbus_verdict part = judge(request, data, i, &early);
		if (whole == MODBUS_COMPLETE || whole == MODBUS_EXCEPTION || whole == MODBUS_MORE)
			check(part == MODBUS_MORE); /* nothing is taken before it is whole */
	}
}

/* Places where a packet stands. Of the bytes that are four too many, one "ping" or two of the
 * others are left out; what stands behind the reply may be packets, too. With 14 places that makes
 * 14 + 91 + 14 + 1 frames at most, and the search tries more (strip.c: 128). */
enum { PLACES_SEARCHED = 14 };
static size_t places(const uint8_t *data, size_t n)
{
	size_t found = 0;
	for (size_t i = 0; i + 1 < n; i++)
		found += (data[i] == 0xfe && data[i + 1] == 0xfe) ||
			 (n - i >= 4 && memcmp(data + i, "ping", 4) == 0);
	return found;
}

/* A right reply with a packet put into it at a place that the data says: it must be found. */
static void strip_one(const struct modbus_request *request, const uint8_t *data, size_t n)
{
	struct modbus_packet packets[STRIP_PACKETS] = {{4, "ping"}, {2, {0xfe, 0xfe}}};
	uint8_t raw[STRIP_RAW_BYTES], frame[MODBUS_REPLY_BYTES];
	struct modbus_reply reply;
	size_t used = 0, kept = n < sizeof raw ? n : sizeof raw;
	memcpy(raw, data, kept);
	enum modbus_verdict verdict =
		strip_judge(packets, request, raw, kept, frame, &reply, &used);
	check(verdict != MODBUS_COMPLETE || used <= kept);
	if (n < MODBUS_REPLY_BYTES &&
	    modbus_rtu_judge(request, data, n, &reply) == MODBUS_COMPLETE) {
		size_t at = data[n - 1] % (n + 1);
		memcpy(raw + at, "ping", 4);
		memcpy(raw + at + 4, data + at, n - at);
		verdict = strip_judge(packets, request, raw, n + 4, frame, &reply, &used);
		check(verdict == MODBUS_COMPLETE || places(raw, n + 4) > PLACES_SEARCHED);
	}
	memcpy(raw, data, kept);
	(void)strip_idle(packets, raw, &kept);
	check(kept < 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 8)
		return 0;
	struct modbus_request request = {.transaction = (uint16_t)(data[0] << 8 | data[1]),
					 .unit = data[2],
					 .table = (enum modbus_table)(data[3] & 3),
					 .address = (uint16_t)(data[4] << 8 | data[5])};
	unsigned most = modbus_is_bits(request.table) ? MODBUS_MAX_BITS : MODBUS_MAX_REGISTERS;
	request.count = (uint16_t)(1 + ((unsigned)data[6] << 8 | data[7]) % most);
	data += 8;
	n -= 8;
	judge_with(modbus_judge, &request, data, n);
	judge_with(modbus_rtu_judge, &request, data, n);
	strip_one(&request, data, n);
	if (n >= 2 && n <= MODBUS_REPLY_BYTES) { /* chance would hardly ever find the CRC */
		uint8_t closed[MODBUS_REPLY_BYTES];
		memcpy(closed, data, n);
		uint16_t crc = modbus_crc(closed, n - 2);
		closed[n - 2] = (uint8_t)(crc & 0xff);
		closed[n - 1] = (uint8_t)(crc >> 8);
		judge_with(modbus_rtu_judge, &request, closed, n);
		strip_one(&request, closed, n);
	}
	return 0;
}
