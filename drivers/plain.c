/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/plain.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_CHARACTERS = 128 };

size_t plain_digits(const char *text, size_t n)
{
	size_t i = 0;
	while (i < n && text[i] >= '0' && text[i] <= '9')
		i++;
	return i;
}

static bool is_sign(const char *text, size_t n)
{
	return n > 0 && (*text == '+' || *text == '-');
}

static bool number_form(const char *text, size_t n)
{
	size_t at = is_sign(text, n) ? 1 : 0;
	size_t whole = plain_digits(text + at, n - at), broken = 0;
	at += whole;
	if (at < n && text[at] == '.') {
		broken = plain_digits(text + at + 1, n - at - 1);
		at += 1 + broken;
	}
	if (whole + broken == 0)
		return false;
	if (at < n && (text[at] == 'e' || text[at] == 'E')) {
		at++;
		at += is_sign(text + at, n - at) ? 1 : 0;
		size_t exponent = plain_digits(text + at, n - at);
		if (exponent == 0)
			return false;
		at += exponent;
	}
	return at == n;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool plain_number(const char *text, size_t n, double *value)
{
	while (n > 0 && is_blank(text[n - 1]))
		n--;
	for (; n > 0 && is_blank(*text); n--)
		text++;
	if (n > NUMBER_CHARACTERS || !number_form(text, n))
		return false;
	char copy[NUMBER_CHARACTERS + 1];
	memcpy(copy, text, n);
	copy[n] = '\0';
	/* glibc hands out its one "C" locale here; nothing is allocated. */
	locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (plain == (locale_t)0)
		return false;
	*value = strtod_l(copy, NULL, plain);
	freelocale(plain);
	return isfinite(*value);
}
