/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/hj212/value.h"

#include "drivers/plain.h"

#include <math.h>
#include <string.h>
#include <strings.h>

static bool is_of(struct hj212_text code, const struct hj212_point *point)
{
	return hj212_is(code, point->factor) ||
	       (point->old_factor != NULL && hj212_is(code, point->old_factor));
}

bool hj212_takes(const struct hj212_point *point, int command)
{
	static const int commands[] = {[HJ212_OF_REALTIME] = HJ212_REALTIME,
				       [HJ212_OF_MINUTES] = HJ212_MINUTE,
				       [HJ212_OF_HOURS] = HJ212_HOUR,
				       [HJ212_OF_DAYS] = HJ212_DAY};
	return commands[point->kind] == command;
}

/* Of the factor, else of the whole message, else N: loggers of 2005 leave it out where all is well.
 */
static enum flag flag_of(const struct hj212_message *message, const struct hj212_record *record)
{
	struct hj212_text said = record->fields[HJ212_FLAG];
	char letter = message->quality;
	if (said.n > 0)
		letter = said.n == 1 ? *said.at : '?';
	if (letter == '\0')
		return FLAG_NORMAL;
	return flag_known(letter) ? (enum flag)letter : FLAG_FAULT;
}

static bool is_none(struct hj212_text text)
{
	return text.n == 0 || hj212_is(text, "-") || hj212_is(text, "--") ||
	       (text.n == 3 && strncasecmp(text.at, "nan", 3) == 0) ||
	       (text.n == 4 && strncasecmp(text.at, "null", 4) == 0);
}

static bool take_value(const struct hj212_point *point, struct hj212_text text, struct sample *out)
{
	double number;
	if (!plain_number(text.at, text.n, &number))
		return false;
	memcpy(&out->raw, &number, sizeof out->raw);
	out->value = number * point->scale + point->offset;
	out->has_value = isfinite(out->value);
	return out->has_value;
}

/* Where an analyser has had no sample yet, loggers write zeros. */
static bool take_time(const struct hj212_point *point, const struct hj212_message *message,
		      const struct hj212_record *record, const struct zone *zone,
		      struct sample *out)
{
	struct hj212_text sampled = record->fields[HJ212_SAMPLE_TIME];
	out->has_time = hj212_time(sampled, zone, &out->measured_ms);
	if (out->has_time || message->time.n == 0)
		return true;
	out->has_time = hj212_time(message->time, zone, &out->measured_ms);
	out->measured_ms -= point->period_ms;
	return out->has_time;
}

enum hj212_taken hj212_sample(const struct hj212_point *point, const struct hj212_message *message,
			      const struct hj212_record *record, const struct zone *zone,
			      struct sample *out)
{
	struct hj212_text value = record->fields[point->field];
	enum flag flag = flag_of(message, record);
	*out = (struct sample){.monitor = point->monitor, .flag = flag};
	if (!is_of(record->code, point) || !hj212_takes(point, message->command) ||
	    (value.at == NULL && flag == FLAG_NORMAL))
		return HJ212_NOT_WANTED;
	if (!take_time(point, message, record, zone, out))
		return HJ212_NO_TIME;
	if (is_none(value)) {
		out->flag = flag == FLAG_NORMAL ? FLAG_FAULT : flag;
		return HJ212_SAMPLE;
	}
	return take_value(point, value, out) ? HJ212_SAMPLE : HJ212_NO_NUMBER;
}
