/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/courier-type.h"

#include <string.h>

static const struct courier_type *const courier_types[] = {
	&courier_file,
};

const struct courier_type *courier_type_find(const char *name)
{
	for (size_t i = 0; i < sizeof courier_types / sizeof courier_types[0]; i++)
		if (strcmp(courier_types[i]->name, name) == 0)
			return courier_types[i];
	return NULL;
}
