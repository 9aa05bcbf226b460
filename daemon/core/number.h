/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Numbers as people read them: comparing to 12 significant digits and rounding half to even.
 *
 * 0.3 - 0.1 is not 0.2 in binary. A threshold that was computed, or a mean, is therefore compared
 * to 12 significant digits, so that what reads as equal complies.
 */

/** round12() - what was added up or divided, as it reads: to 12 significant digits */
double round12(double value);
/** compare12() - -1, 0 or 1 as @a reads below, equal to or above @b to 12 significant digits */
int compare12(double a, double b);
/** round_even() - @value to @decimals places (-9 to 9; -2: to hundreds), half to even (GB/T 8170), of the number as
 * it reads: 50.15 to one place is 50.2 although the double lies a little below */
double round_even(double value, int decimals);
