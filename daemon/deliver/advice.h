/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Advice: what an alert means, what is to be done, and how soon; for whoever is called at night and
 * for whoever reads the case later. English, for the catalogue. None of it accuses anybody.
 */
#include "core/plan.h"

struct advice {
	const char *consequence, *action, *time;
};

/** advice_of() - of a kind of alert at a kind of site */
struct advice advice_of(enum alert_kind kind, enum site_kind site);
/** advice_kind() - the kind of this name; ALERT_KINDS if unknown */
enum alert_kind advice_kind(const char *name);
