/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Plan: the configuration as the daemon runs it, immutable and shared by all threads.
 *
 * assemble.c builds it once from the checked configuration; every pointer lives as long as the
 * plan. Readings, verdicts and tables name sites, monitors and connections by their index here.
 */
#include "core/zone.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum site_kind {
	SITE_RIVER_SECTION,
	SITE_WATER_SOURCE,
	SITE_OUTFALL,
	SITE_AIR,
	SITE_SOIL,
	SITE_NOISE
};
enum { SITE_KINDS = SITE_NOISE + 1 };

/* Kinds of alerts (ISA-18.2: an alarm is a condition that needs a response). */
enum alert_kind {
	ALERT_WARNING,
	ALERT_EXCEEDANCE,
	ALERT_STALE,
	ALERT_FLAT,
	ALERT_STEP,
	ALERT_CLUE,
	ALERT_UNDETERMINED,
	ALERT_FAULT,
	ALERT_CONNECTION,
	ALERT_LOAD,
	ALERT_KINDS
};

enum average {
	AVERAGE_INSTANT,
	AVERAGE_HOUR,
	AVERAGE_DAY,
	AVERAGE_DAY_8H, /* the largest moving mean of eight hours in a day */
	AVERAGES
};
enum compare { COMPARE_FULL, COMPARE_ROUNDED };

#define NO_INDEX UINT32_MAX

/* Where a rule comes from (core/rules.h lists them). */
enum whence {
	WHENCE_BUILT_IN,
	WHENCE_CONFIGURATION,
	WHENCE_MODEL,    /* of the instrument */
	WHENCE_STANDARD, /* its data, which the configuration asks for there */
	WHENCE_PRACTICE, /* the data for the kind of site */
	WHENCE_DATA      /* other data */
};
struct rule_place {
	unsigned whence : 3, file : 9, line : 20; /* file: in plan.files; line 0: not known */
};

struct limit {
	bool has_max, has_min;
	double max, min; /* in the monitor's unit */
	enum average average;
	bool by_flow;    /* a mean weighted by the site's flow */
	bool of_results; /* a mean of new results, not of readings */
	/* In force for what is measured from the one (included) to the other (excluded), both a
	 * start of a day in the node's zone; 0: without bound. A window counts by its start. */
	int64_t valid_from_ms, valid_to_ms;
	bool derived; /* bounds were computed by a conversion of units: compared to 12 digits */
	double deadband;
	int64_t on_delay_ms, off_delay_ms;
	uint32_t on_count, off_count; /* new results; 0: not asked for */
	double warn_at;               /* share of max; 0: no warning */
	enum compare compare;
	int decimals; /* for COMPARE_ROUNDED */
	int64_t grace_ms;
	int64_t mark_until_ms; /* of the day behind a window of a day: until then it may be marked,
				* and opens no case; 0: not waited for */
	double min_valid;
	bool opens_case;    /* what an exceedance of this limit does, the site's list included */
	const char *source; /* such as "GB18918-2002 1A table 1" or "configuration" */
	const char *key;    /* names the entry across restarts, such as "instant:max=50" */
	const struct rule_place *places; /* by enum limit_rule; NULL: not known */
};

/* The bounds of classes I to V (GB 3838-2002, table 1) of a factor, in the monitor's unit. */
enum { SECTION_CLASSES = 5 };
struct class_bounds {
	bool has_max, has_min;
	double max[SECTION_CLASSES], min[SECTION_CLASSES];
};

/* Of a permitted discharge: when it is said how much of it is used up. */
struct permit_share {
	double share;     /* of the permit; the last is 1 */
	const char *name; /* "80%": the reason of its alert, and its name across restarts */
};

struct monitor {
	uint32_t site, connection;
	const char *factor;             /* HJ 525 code */
	const char *factor_name, *unit; /* the name in the node's language */
	const char *name_zh, *name_en;  /* the catalogue's, for pages in either; NULL: as above */
	int decimals;
	bool no_mean;     /* pH, rain: a plain mean of readings says nothing */
	bool no_multiple; /* pH, dissolved oxygen, temperature: no multiple over the limit */
	bool has_range;
	double range_low, range_high;
	double scale, offset; /* value = raw × scale + offset; 1 and 0 where values are read */
	bool has_dead, has_most;
	const char *dead_confidence; /* how sure that is, by a drift: "low"; NULL: by none */
	double dead_at;              /* at or below it: what a signal without an instrument gives */
	double most;                 /* above it: no water, whatever the instrument's range */
	const double *codes;         /* that loggers write where they have nothing */
	size_t n_codes;
	double codes_from; /* the smallest amount of theirs, of own_codes, fills and unreal_from */
	double plain_low, plain_high; /* strictly between them quality_flag() says N; set by
				       * quality_begin(), and else it looks closely at each value */
	double unreal_from;      /* amounts so large are no measurement of anything; 0: not said */
	const double *own_codes; /* the same of this monitor, also inside its range */
	size_t n_own_codes;
	/* What loggers write for nothing and may be measured as well: beyond its range and above
	 * its limits; to 7 digits, as float32 has them */
	const double *fills;
	size_t n_fills;
	bool has_nothing;       /* whatever is judged of it: */
	double nothing_at;      /* at or below it no water is measured */
	bool zero_beside;       /* a 0 is no water where most beside it show none (core/beside.h) */
	bool low_beside;        /* a low end is none where those beside it show as little */
	bool seen_beside;       /* such a monitor, or one beside it */
	double asks_most;       /* no larger value asks what is beside it; set by beside_begin() */
	bool under_range;       /* what lies below the range is a clue */
	uint32_t late_count;    /* late readings in a row that are one; 0: off */
	int64_t interval_ms;    /* 0: unknown (pushed) */
	int64_t stale_after_ms; /* 0: never */
	int64_t flat_after_ms;  /* 0: not by time */
	uint32_t flat_count;    /* 0: not by count */
	double flat_band;
	double max_step;        /* 0: not checked */
	double max_step_hour;   /* in an hour, also where it takes less; 0: not checked */
	double step_times;      /* above so many times the last value, and */
	double step_share;      /* above this share of the lowest max in force; 0: not checked */
	double detection_limit; /* at or below it nothing is flat; 0: not known */
	int64_t cycle_ms;       /* how long an instrument holds a result; 0: every reading is new */
	double expected_per_hour; /* 0: from interval_ms */
	bool gated;               /* counts only while its site discharges */
	uint32_t settle_results;  /* results not counted after flow or instrument are back */
	bool own_pace; /* stale_after is a guess of how often results come: a gap is what is long
			* against how far they lie apart, too */
	const struct clue_rules *clues; /* core/clue.h; NULL: none */
	double rollover; /* of a counter: where it begins again at 0, in the monitor's unit; 0: none
			  */
	/* for the dossier; NULL where not given: dates of its acceptance and of its last comparison
	 * with samples (YYYY-MM-DD), and who runs it */
	const char *accepted_on, *last_comparison, *operator;
	/* Discharged totals (core/tally.h). Of the site's flow monitor: m³/s in its unit, of a
	 * counter m³; of a concentration: its load unit in one unit and m³. 0: none are computed.
	 */
	double load_times;
	const char *load_unit;              /* such as "kg"; of flow "m³" */
	int64_t hold_ms;                    /* how long a reading speaks at most; more than 0 */
	const struct class_bounds *classes; /* NULL: does not decide the class of its site */
	bool has_target; /* above which a load is in excess, in the monitor's unit */
	double target;
	double permit_tonnes, permit_load;        /* of a year, the latter in load_unit; 0: none */
	const char *permit_source;                /* "permit 91530000…", or "configuration" */
	const struct permit_share *permit_shares; /* ascending */
	size_t n_permit_shares;
	const struct limit *limits;
	size_t n_limits;
	const struct rule_place *places; /* by enum monitor_rule; NULL: not known */
};

struct responsible {
	const char *unit, *leader, *team, *phone; /* NULL where not given */
};

/* Who else has to do with a site; NULL where not given. */
struct parties {
	const char *support_units, *territory;            /* 配合单位, 属地街道 */
	const char *contact, *appointed_by, *valid_until; /* 联络员 in writing, YYYY-MM-DD */
	const char *officer, *river_chief;                /* 网格员, 河长 */
	const char *enterprise, *credit_code, *permit_no, *outlet;
};

struct site {
	const char *id, *name;
	enum site_kind kind;
	const char *river, *subdistrict, *community; /* NULL where not given */
	bool has_place;
	double longitude, latitude;
	struct responsible responsible;
	struct parties parties;
	const char *upstream_of; /* id of a site further down; NULL: none */
	int64_t travel_ms;       /* of the water, until it is there */
	const char *rain_site;   /* id of the site with the rain gauge; NULL: this one */
	int64_t join_ms;         /* so long further factors join a case; 0: each has its own */
	uint32_t opens;          /* bit (1u << enum alert_kind): kinds that open cases here */
	uint32_t first_monitor, n_monitors; /* in plan.monitors */
	bool has_flow;                      /* a monitor measures the flow */
	uint32_t flow_monitor;
	int target_class; /* of a section, 1 to 5; 0: none */
	bool has_gate;    /* a flow below gate_below for gate_for_ms is no discharge */
	double gate_below;
	int64_t gate_for_ms;
	int64_t flow_wait_ms;            /* so long a result waits for the flow of its moment */
	const char *practice;            /* NULL: none */
	const struct rule_place *places; /* by enum site_rule; NULL: not known */
};

struct connection {
	const char *id, *driver;
};

struct plan {
	const char *node, *office, *case_prefix;
	const char *case_number;         /* pattern with {prefix} {year} {seq} */
	const char *language;            /* "zh_CN" or "en" */
	const char *const *files;        /* that rules come from */
	const struct rule_place *places; /* all of them */
	const double *codes;             /* that loggers write where they have nothing */
	size_t n_codes;
	struct zone zone;
	const struct site *sites;
	size_t n_sites;
	const struct monitor *monitors; /* ordered by site, then as configured */
	size_t n_monitors;
	const struct clue_rules *clues;
	size_t n_clues;
	const struct connection *connections;
	size_t n_connections;
	const struct severity_steps *steps; /* core/supcase.h; NULL: its defaults */
	const struct case_rules *rules; /* core/caserules.h; NULL: nothing falls due, all may act */
};

const char *alert_kind_name(enum alert_kind kind); /* "exceedance" */
const char *site_kind_name(enum site_kind kind);   /* "river_section" */
const char *average_name(enum average average);    /* "instant" */
/** average_named() - the averaging of a name, AVERAGE_INSTANT for any other or NULL */
enum average average_named(const char *name);
/** average_daily() - is it judged once a day? */
bool average_daily(enum average average);
/** limit_in_force() - is a limit so at a moment? */
bool limit_in_force(const struct limit *l, int64_t wall_ms);
/** alert_unit(), alert_decimals() - in which the values of an alert are: of a load, tonnes */
const char *alert_unit(const struct monitor *monitor, enum alert_kind kind);
int alert_decimals(const struct monitor *monitor, enum alert_kind kind);
/** monitor_looks_for_steps() - of any of the three sorts */
bool monitor_looks_for_steps(const struct monitor *monitor);
/** plan_monitor() - Return: the index, NO_INDEX if there is none. Either name may be unknown. */
uint32_t plan_monitor(const struct plan *plan, const char *site, const char *factor);
uint32_t plan_site(const struct plan *plan, const char *site);
