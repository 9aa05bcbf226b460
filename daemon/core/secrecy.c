/* SPDX-License-Identifier: Apache-2.0 */
#include "core/secrecy.h"

#include <string.h>

enum secrecy secrecy_of_site(const struct plan *plan, const char *id)
{
	uint32_t site = id == NULL ? NO_INDEX : plan_site(plan, id);
	if (id == NULL)
		return SECRECY_NAMES;
	/* one that the plan no longer has may have been an enterprise's */
	if (site == NO_INDEX || plan->sites[site].parties.enterprise != NULL)
		return SECRECY_ALL;
	return plan->sites[site].kind == SITE_OUTFALL ? SECRECY_NAMES : SECRECY_NONE;
}

enum secrecy secrecy_of_case(const struct plan *plan, const char *id, bool verified)
{
	return verified ? SECRECY_NONE : secrecy_of_site(plan, id);
}

static bool holds(const char *text, const char *part)
{
	return part != NULL && part[0] != '\0' && strstr(text, part) != NULL;
}

bool secrecy_in(const struct plan *plan, const char *text)
{
	for (size_t i = 0; text != NULL && i < plan->n_sites; i++) {
		const struct parties *p = &plan->sites[i].parties;
		if (holds(text, p->enterprise) || holds(text, p->credit_code) ||
		    holds(text, p->permit_no))
			return true;
	}
	return false;
}
