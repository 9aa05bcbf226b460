/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "deliver/courier-type.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct courier_type *const courier_types[] = {
	&courier_file, &courier_webhook,      &courier_smtp,
	&courier_mqtt, &courier_alertmanager, &courier_postgresql,
};

const struct courier_type *courier_type_find(const char *name)
{
	for (size_t i = 0; i < sizeof courier_types / sizeof courier_types[0]; i++)
		if (strcmp(courier_types[i]->name, name) == 0)
			return courier_types[i];
	return NULL;
}

enum courier_outcome courier_errno(struct courier_answer *answer, const char *what, int error)
{
	snprintf(answer->text, sizeof answer->text, "%s: %s", what, log_error_text(abs(error)));
	return COURIER_UNREACHABLE;
}
