/* SPDX-License-Identifier: Apache-2.0 */
#include "store/evidence-days.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* One that is no daybook keeps nobody from the others: what it should hold is missed by its number.
 */
static int unreadable(const char *path, int r)
{
	if (r >= 0 || r == -ENOMEM)
		return r;
	errno = -r;
	log_warn("%s: left out of the evidence", path);
	return 0;
}

int evidence_days(const char *directory, evidence_day_fn fn, void *context)
{
	char folder[4200], path[4300];
	struct day_name *names;
	size_t n;

	snprintf(folder, sizeof folder, "%.4096s/daybook", directory);
	int r = day_list(folder, &names, &n);
	for (size_t i = 0; r == 0 && i < n; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i].text);
		r = unreadable(path, fn(context, path, &names[i]));
	}
	free(names);
	return r > 0 ? 0 : r;
}
