/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/telegram.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ASKS = 5, SECOND_DIGITS = 14, AROUND = 12 }; /* Flag: of 2017, answer required */

/* Annex A: for each byte the register's high byte with it, the low byte is dropped. */
static uint16_t check_of(const char *data, size_t n)
{
	unsigned reg = 0xffff;
	for (size_t i = 0; i < n; i++) {
		reg = reg >> 8 ^ (unsigned char)data[i];
		for (int shift = 0; shift < 8; shift++) {
			unsigned out = reg & 1;
			reg >>= 1;
			if (out != 0)
				reg ^= 0xa001;
		}
	}
	return (uint16_t)reg;
}

/* YYYYMMDDhhmmsszzz */
static void stamp(char qn[TELEGRAM_QN + 1], int64_t wall_ms, const struct zone *zone)
{
	struct civil c = zone_civil(zone, wall_ms);
	int64_t day = (c.year * 100 + c.month) * 100 + c.day;
	int64_t time = (c.hour * 100 + c.minute) * 100 + c.second;
	int64_t all = (day * 1000000 + time) * 1000 + wall_ms % 1000;
	for (int i = TELEGRAM_QN; i-- > 0; all /= 10)
		qn[i] = (char)('0' + all % 10);
	qn[TELEGRAM_QN] = '\0';
}

static bool add_factors(const struct telegram_sender *sender, int64_t time_ms, struct text *data)
{
	bool any = false;
	for (size_t i = 0; i < sender->n_factors; i++) {
		const struct telegram_factor *f = &sender->factors[i];
		if (signal_is_silent(&f->signal, time_ms))
			continue;
		double value = signal_value(&f->signal, time_ms);
		text_format(data, ";%s-Rtd=", f->code);
		if (!isnan(value))
			text_fixed(data, value, f->signal.decimals);
		text_format(data, ",%s-Flag=%c", f->code, isnan(value) ? 'D' : 'N');
		any = true;
	}
	return any;
}

bool telegram_write(const struct telegram_sender *sender, int64_t time_ms, int64_t wall_ms,
		    const struct zone *zone, char qn[TELEGRAM_QN + 1], struct text *out)
{
	struct text data = {0};
	stamp(qn, wall_ms, zone);
	text_format(&data, "QN=%s;ST=%d;CN=2011;PW=%s;MN=%s;Flag=%d;CP=&&DataTime=%.*s", qn,
		    sender->system, sender->password, sender->mn, ASKS, SECOND_DIGITS, qn);
	bool any = add_factors(sender, time_ms, &data);
	text_add(&data, "&&");
	if (any && !data.failed)
		text_format(out, "##%04zu%s%04X\r\n", data.length, data.at,
			    check_of(data.at, data.length));
	out->failed = out->failed || data.failed;
	text_deinit(&data);
	return any;
}

static bool is_answer(const char *line, size_t n, const char *qn)
{
	char wanted[TELEGRAM_QN + 5], check[16];
	snprintf(wanted, sizeof wanted, "QN=%s;", qn);
	if (n < AROUND - 2 || memcmp(line, "##", 2) != 0)
		return false;
	const char *data = line + 6;
	size_t length = n - (AROUND - 2);
	snprintf(check, sizeof check, "%04X", check_of(data, length));
	return memmem(data, length, ";CN=9014;", 9) != NULL &&
	       memmem(data, length, wanted, strlen(wanted)) != NULL &&
	       strtoul(line + 2, NULL, 10) == length && memcmp(data + length, check, 4) == 0;
}

bool telegram_answer(const char *bytes, size_t n, const char *qn, size_t *used)
{
	const char *end = memmem(bytes, n, "\r\n", 2);
	*used = end == NULL ? 0 : (size_t)(end - bytes) + 2;
	return end != NULL && is_answer(bytes, (size_t)(end - bytes), qn);
}
