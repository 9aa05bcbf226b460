/* SPDX-License-Identifier: Apache-2.0 */
#include "config/loads.h"
#include "config/units.h"

#include <string.h>

static bool is_list(const config_setting_t *setting)
{
	int type = config_setting_type(setting);
	return type == CONFIG_TYPE_LIST || type == CONFIG_TYPE_ARRAY;
}

/* Four fifths of a year's permit leave an office time to act. */
static void shares_default(struct config_monitor *monitor)
{
	monitor->permit_shares[0] = 0.8;
	monitor->n_permit_shares = 1;
}

static bool share_good(const config_setting_t *at, const struct config_monitor *monitor,
		       double *share)
{
	size_t n = monitor->n_permit_shares;
	return schema_number(at, share) && *share > 0 && *share < 1 &&
	       (n == 0 || *share > monitor->permit_shares[n - 1]);
}

void shares_read(struct walk *walk, const config_setting_t *group, struct config_monitor *monitor)
{
	const config_setting_t *list = config_setting_get_member(group, "permit_warn_at");
	int n = list != NULL && is_list(list) ? config_setting_length(list) : 0;
	bool good = list == NULL || (is_list(list) && n < CONFIG_SHARES);
	for (int i = 0; good && i < n; i++) {
		double share;
		good = share_good(config_setting_get_elem(list, (unsigned)i), monitor, &share);
		if (good)
			monitor->permit_shares[monitor->n_permit_shares++] = share;
	}
	if (!good)
		FAULT(walk, list,
		      "permit_warn_at must be a list of at most %d ascending shares between 0 and "
		      "1, "
		      "such as (0.8, 0.95)",
		      CONFIG_SHARES - 1);
	if (list == NULL)
		shares_default(monitor);
	if (list != NULL && !schema_has(group, "permit_tonnes_year"))
		FAULT(walk, list, "permit_warn_at stands only beside permit_tonnes_year");
	monitor->permit_shares[monitor->n_permit_shares++] = 1;
}

/* What one of @from is in @to; 0 where they measure different things. */
static double times(const char *from, const char *to)
{
	struct conversion c;
	return unit_conversion(from, to, NULL, &c) ? conversion_times(&c) : 0;
}

bool loads_is_flow(const struct config_site *site, const struct config_monitor *m)
{
	return m->factor.code && site->flow_factor &&
	       strcmp(m->factor.code, site->flow_factor) == 0;
}

/* mg/L is g in a cubic metre. */
static double load_times(const struct config_site *site, const struct config_monitor *m)
{
	if (!m->unit || !m->factor.load_unit)
		return 0;
	if (loads_is_flow(site, m))
		return times(m->unit, m->rollover > 0 ? "m3" : "m3/s");
	return times(m->unit, "g/m3") * times("g", m->factor.load_unit);
}

/* As the default of stale_after_s, where that is switched off: nothing speaks for ever. */
static double hold_s(const struct config_monitor *m)
{
	double intervals_s = 3 * (double)m->interval_ms / 1000;
	if (m->stale_after_s > 0)
		return m->stale_after_s;
	if (m->interval_ms == 0)
		return 7200;
	return intervals_s > 60 ? intervals_s : 60;
}

static void settle_flow(struct walk *walk, const config_setting_t *group,
			const config_setting_t *monitor, const struct config_site *site,
			const struct config_monitor *m)
{
	bool volume = m->unit && times(m->unit, "m3") > 0;
	bool weighs = false;
	for (size_t i = 0; i < site->n_monitors; i++)
		for (size_t j = 0; j < site->monitors[i].n_limits; j++)
			weighs = weighs || site->monitors[i].limits[j].by_flow;
	if (volume && m->rollover == 0)
		FAULT(walk, schema_key(monitor, "unit"),
		      "a flow in %s is a counter's, and needs rollover, behind which it begins "
		      "again",
		      m->unit);
	if (!volume && m->rollover > 0)
		FAULT(walk, schema_key(monitor, "rollover"),
		      "rollover marks a counter of volume; its unit must be one, such as m³");
	if (volume && (site->has_gate || weighs))
		FAULT(walk, schema_key(group, site->has_gate ? "flow_gate" : "monitors"),
		      "flow_gate and weight = \"flow\" need a flow in a unit such as L/s; the "
		      "monitor "
		      "of %s is a counter",
		      site->flow_factor);
}

static void settle_permit(struct walk *walk, const config_setting_t *monitor, bool has_flow,
			  struct config_monitor *m)
{
	if (m->permit_tonnes_year == 0)
		return;
	if (!has_flow || m->load_times == 0) {
		NOTE(walk, schema_key(monitor, "permit_tonnes_year"),
		     "no load of %s can be computed here: %s", m->factor.code,
		     has_flow ? "the catalogue has no load unit for it"
			      : "no monitor measures the site's flow");
		return;
	}
	m->permit_load = m->permit_tonnes_year * times("t", m->factor.load_unit);
}

void loads_settle(struct walk *walk, const config_setting_t *group, struct config_site *site)
{
	bool has_flow = false;
	for (size_t i = 0; i < site->n_monitors; i++) {
		struct config_monitor *m = &site->monitors[i];
		const config_setting_t *monitor = schema_element(group, "monitors", i);
		m->load_times = load_times(site, m);
		m->hold_s = hold_s(m);
		if (loads_is_flow(site, m))
			settle_flow(walk, group, monitor, site, m);
		has_flow = has_flow || (loads_is_flow(site, m) && m->load_times > 0);
	}
	for (size_t i = 0; i < site->n_monitors; i++)
		if (!loads_is_flow(site, &site->monitors[i]) && site->monitors[i].factor.code)
			settle_permit(walk, schema_element(group, "monitors", i), has_flow,
				      &site->monitors[i]);
}
