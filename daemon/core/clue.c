/* SPDX-License-Identifier: Apache-2.0 */
#include "core/clue.h"

#include <math.h>

double oxygen_saturation(double celsius)
{
	return 468 / (31.6 + celsius);
}

double air_pressure_share(double altitude_m)
{
	return pow(1 - 2.25577e-5 * altitude_m, 5.25588);
}
