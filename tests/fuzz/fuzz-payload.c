/* SPDX-License-Identifier: Apache-2.0 */
/* An MQTT payload: the first two bytes choose the point, the rest is what came. */
#include "drivers/mqtt/payload.h"
#include "drivers/mqtt/topic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_payload(const struct mqtt_point *point, const uint8_t *data, size_t n)
{
	struct payload out;
	enum payload_result result = payload_map(point, data, n, &out);
	check(isfinite(out.value));
	check(memchr(out.cause, '\0', sizeof out.cause) != NULL);
	check((result <= PAYLOAD_NO_VALUE) == (out.cause[0] == '\0'));
	if (out.has_time)
		check(out.time_ms >= 0 && out.time_ms <= 253402300799999);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const pointers[] = {NULL, "",         "/v",  "/data/nh3n",
					       "/0", "/a~1b/~0", "/1/v"};
	static const char *const times[] = {NULL, "/ts", "/t/0", ""};
	if (n < 2)
		return 0;
	struct mqtt_point point = {.value = pointers[data[0] % 7],
				   .time = times[data[1] % 4],
				   .scale = 3,
				   .offset = -1};
	check_payload(&point, data + 2, n - 2);
	char *text = malloc(n);
	if (text == NULL)
		return 0;
	memcpy(text, data + 1, n - 1);
	text[n - 1] = '\0';
	(void)topic_matches(text, "wuhua/outfall-3/ph");
	(void)topic_matches("wuhua/+/#", text);
	check(topic_matches("#", text) == (*text != '$'));
	int64_t ms;
	(void)payload_time(text, n - 1, &ms);
	free(text);
	return 0;
}
