/* SPDX-License-Identifier: Apache-2.0 */
/* A Modbus reply: judged byte by byte and whole, and decoded as every type. */
#include "drivers/modbus/codec.h"

#include <math.h>
#include <stdlib.h>

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
	struct modbus_reply reply;
	enum modbus_verdict whole = modbus_judge(&request, data, n, &reply);
	if (whole == MODBUS_COMPLETE)
		decode_all(&request, &reply);
	if (whole == MODBUS_EXCEPTION)
		check(reply.exception != 0);
	for (size_t i = 0; i < n; i++) {
		struct modbus_reply early;
		enum modbus_verdict part = modbus_judge(&request, data, i, &early);
		if (whole == MODBUS_COMPLETE || whole == MODBUS_EXCEPTION || whole == MODBUS_MORE)
			check(part == MODBUS_MORE); /* nothing is taken before it is whole */
	}
	return 0;
}
