/* SPDX-License-Identifier: Apache-2.0 */
/* The group `severity`: from where on a case is more than general. */
#include "config/cases.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define AT(member) offsetof(struct config_severity, member)
static const struct field fields[] = {
	{"serious_multiple", FIELD_NUMBER, .offset = AT(serious_multiple), .low = 0, .high = 1000},
	{"grave_multiple", FIELD_NUMBER, .offset = AT(grave_multiple), .low = 0, .high = 1000},
	{"source_grave_multiple", FIELD_NUMBER, .offset = AT(source_grave_multiple), .low = 0,
	 .high = 1000},
	{"ph_serious", FIELD_NUMBER, .offset = AT(ph_serious), .low = 0, .high = 7},
	{"ph_grave_low", FIELD_NUMBER, .offset = AT(ph_grave_low), .low = 0, .high = 7},
	{"ph_grave_high", FIELD_NUMBER, .offset = AT(ph_grave_high), .low = 7, .high = 14},
	{"oxygen_serious", FIELD_NUMBER, .offset = AT(oxygen_serious), .low = 0, .high = 20},
	{"serious_classes", FIELD_INT, .offset = AT(serious_classes), .low = 1, .high = 5},
	{"grave_inferior_times", FIELD_NUMBER, .offset = AT(grave_inferior_times), .low = 1,
	 .high = 1000},
	{"serious_days", FIELD_INT, .offset = AT(serious_days), .low = 1, .high = 30},
};
#undef AT
static const struct schema schema = {"severity", NULL, fields, COUNT(fields)};

void severity_read(struct walk *walk, struct config_severity *severity,
		   const config_setting_t *root)
{
	const config_setting_t *group = config_setting_get_member(root, "severity");
	*severity = (struct config_severity){
		.serious_multiple = 0.5,
		.grave_multiple = 2,
		.source_grave_multiple = 0.5,
		.ph_serious = 0.5,
		.ph_grave_low = 2,
		.ph_grave_high = 12.5,
		.oxygen_serious = 2,
		.serious_classes = 2,
		.grave_inferior_times = 2,
		.serious_days = 3,
	};
	if (!group)
		return;
	schema_read(walk, &schema, group, 0, severity);
	if (severity->grave_multiple < severity->serious_multiple)
		FAULT(walk, schema_key(group, "grave_multiple"),
		      "grave_multiple is below serious_multiple; what is grave is serious, too");
}
