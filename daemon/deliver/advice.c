/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/advice.h"

#include "deliver/sheet.h"

#include <string.h>

static const struct advice general[ALERT_KINDS] = {
	[ALERT_WARNING] = {SAY("The value comes near its limit."),
			   SAY("Watch it, and tell the operating unit."), SAY("the same day")},
	[ALERT_EXCEEDANCE] = {SAY("The value is beyond its limit."),
			      SAY("Check the instrument and the place, and take a sample."),
			      SAY("within 24 hours")},
	[ALERT_STALE] = {SAY("Without data an exceedance would not be seen."),
			 SAY("Ask the operating unit; check power, network and instrument."),
			 SAY("within 4 hours; at a water source 30 minutes")},
	[ALERT_FLAT] = {SAY("The instrument may stand still, or not see the water any more."),
			SAY("Check sampling and instrument on site."), SAY("within 1 working day")},
	[ALERT_STEP] =
		{SAY("A sudden change: pollution, a calibration, or a fault."),
		 SAY("Compare with the neighbours and the operator's log; take a sample where in "
		     "doubt."),
		 SAY("within 4 hours")},
	[ALERT_CLUE] = {SAY("A sign that data or operation may not be in order."),
			SAY("Look into it on site before anybody is blamed."),
			SAY("within 1 working day")},
	[ALERT_UNDETERMINED] = {SAY("There are too few valid data for a verdict."),
				SAY("Have the operating unit explain and mark the data."),
				SAY("by noon of the next day")},
	[ALERT_FAULT] = {SAY("The equipment cannot be relied on."),
			 SAY("Have it repaired, and take samples by hand meanwhile."),
			 SAY("within 24 hours; repaired within 5 working days")},
	[ALERT_CONNECTION] = {SAY("All monitors behind the connection are silent."),
			      SAY("Check power and line."), SAY("within 4 hours")},
	[ALERT_LOAD] = {SAY("The permitted load is used up, or will be before the year ends."),
			SAY("Check discharge hours and flow, and talk to the permit's office."),
			SAY("within 5 working days")},
};

static const struct advice exceedance[SITE_KINDS] = {
	[SITE_RIVER_SECTION] = {SAY("The section may miss its class. It accuses nobody."),
				SAY("Trace the source upstream first, and take a sample."),
				SAY("within 1 working day")},
	[SITE_WATER_SOURCE] =
		{SAY("Drinking water may be in danger."),
		 SAY("Verify at once; where necessary advise the water supplier to stop taking "
		     "water or to change the source; report as the emergency plan says."),
		 SAY("acknowledge within 15 minutes, check within 30 minutes, decide on a report "
		     "within 2 hours, take another sample within 4 hours")},
	[SITE_OUTFALL] = {SAY("Waste water beyond the limit may be leaving the outfall."),
			  SAY("Check instrument and plant on site, keep a sample, and ask the "
			      "enterprise for "
			      "the cause."),
			  SAY("within 24 hours")},
};

struct advice advice_of(enum alert_kind kind, enum site_kind site)
{
	if (kind == ALERT_EXCEEDANCE && exceedance[site].action != NULL)
		return exceedance[site];
	return general[kind];
}

enum alert_kind advice_kind(const char *name)
{
	int kind = 0;
	while (kind < ALERT_KINDS &&
	       (name == NULL || strcmp(name, alert_kind_name((enum alert_kind)kind)) != 0))
		kind++;
	return (enum alert_kind)kind;
}
