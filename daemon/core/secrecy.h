/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Secrecy: how much of a case everybody may know before somebody has verified it.
 *
 * What the machine, or a complaint, holds against an enterprise is not told by its name until a
 * person stands for it (domain practice: no unverified case against a named enterprise on an open
 * page). Where the configuration names the enterprise, hiding the name is not enough: a factor, a
 * time or a value is found again among the readings, which are everybody's, and another case of the
 * same site names it. Pure.
 */
#include "core/plan.h"

enum secrecy {
	SECRECY_NONE,
	SECRECY_NAMES, /* without its names: at an outfall, or where the case has no site */
	SECRECY_ALL /* nothing that leads to them: at an enterprise, or a site of no plan any more
		     */
};
/** secrecy_of_site() - of what nobody has verified, at the site @id (NULL: at none) */
enum secrecy secrecy_of_site(const struct plan *plan, const char *id);
/** secrecy_of_case() - of a case there */
enum secrecy secrecy_of_case(const struct plan *plan, const char *id, bool verified);
/** secrecy_in() - does a text, such as the unit that somebody has assigned a case to, name any
 * enterprise of the plan? */
bool secrecy_in(const struct plan *plan, const char *text);
