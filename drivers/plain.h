/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Plain: numbers that devices write as text, the same for every protocol. Pure.
 */
#include <stdbool.h>
#include <stddef.h>

/**
 * plain_number() - a decimal number: sign, digits, point, exponent; blanks around it
 *
 * No hexadecimal, no locale, no infinity, no NaN, at most 128 characters, within a double.
 */
bool plain_number(const char *text, size_t n, double *value);

/** plain_digits() - how many digits @text begins with */
size_t plain_digits(const char *text, size_t n);
