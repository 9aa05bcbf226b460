/* SPDX-License-Identifier: Apache-2.0 */
#include "core/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

double round12(double value)
{
	char buffer[32];
	snprintf(buffer, sizeof buffer, "%.11e", value);
	return strtod(buffer, NULL);
}

int compare12(double a, double b)
{
	/* Neighbours at 12 digits lie at most 1e-11 of their size apart: beyond that no rounding
	 * brings two numbers together, and the costly way is not needed. */
	if (!(fabs(a - b) <= 1e-11 * fmax(fabs(a), fabs(b))))
		return (a > b) - (a < b);
	a = round12(a);
	b = round12(b);
	return (a > b) - (a < b);
}

double round_even(double value, int decimals)
{
	static const double power[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
	double scaled = decimals < 0 ? value / power[-decimals] : value * power[decimals];
	if (fabs(scaled) >= 1e15)
		return value;
	if (fabs(scaled - trunc(scaled)) != 0)
		scaled = round12(scaled);
	scaled = rint(scaled);
	return decimals < 0 ? scaled * power[-decimals] : scaled / power[decimals];
}
