/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Configuration: the file (libconfig), its grammar and all its checks, turned into plain structs.
 *
 * Every key is checked. The result is complete: defaults filled in, factors looked up in the
 * catalogue, `standard` + `class` replaced by the standard's limits, secrets read from their files.
 * This room sees no other; assemble.c turns the result into the daemon's plan.
 *
 * Pitfalls of libconfig 1.5 that are handled here: an unclosed comment silently ends the file,
 * integers beyond 32 bits without L read as nonsense, a BOM is a syntax error.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* One fault, said as "file:line: what is wrong, and what would be right". */
struct config_fault {
	char *file;
	int line;
	char *message;
};
struct config_faults {
	struct config_fault *at; /* sorted by file and line */
	size_t n;
};

struct config_factor { /* from the catalogue */
	char *code, *name_zh, *name_en, *unit;
	char *old_code;   /* of HJ/T 212-2005; NULL: none */
	char *other_unit; /* of another quantity that stands for the factor; NULL: none */
	char *load_unit;  /* of discharged totals; NULL: none are computed */
	double molar_g;   /* g/mol of a gas; 0: not known */
	int decimals;     /* for people, in `unit` */
	bool no_multiple;
	bool no_mean; /* pH: judged value by value */
	bool has_dead, has_most;
	bool zero_beside;     /* as in core/plan.h */
	double dead_at, most; /* what water cannot have: up to, and above, in `unit` */
	/* an instrument's zero drift, of what is never below 0; at sites of ambient air, where that
	 * differs; 0: not known */
	double drift, drift_air;
	int drift_confidence; /* of confidence_names */
	char *file;           /* where that is said; NULL: nowhere */
	int line;
};

/* Where a rule comes from. */
enum config_whence {
	CONFIG_BUILT_IN,
	CONFIG_SAID,     /* in the configuration */
	CONFIG_MODEL,    /* by the instrument's model */
	CONFIG_STANDARD, /* in the standards' data, asked for in the configuration */
	CONFIG_PRACTICE, /* in the data for the kind of site */
	CONFIG_DATA      /* in other data */
};
struct config_origin {
	unsigned whence : 3, file : 9, line : 20; /* file: in config.files; line 0: not known */
};
/* Rules of a monitor and of a limit that have an origin. */
enum {
	CONFIG_RULE_RANGE,
	CONFIG_RULE_STALE,
	CONFIG_RULE_FLAT_AFTER,
	CONFIG_RULE_FLAT_COUNT,
	CONFIG_RULE_FLAT_BAND,
	CONFIG_RULE_DETECTION,
	CONFIG_RULE_STEP,
	CONFIG_RULE_STEP_HOUR,
	CONFIG_RULE_STEP_TIMES,
	CONFIG_RULE_STEP_SHARE,
	CONFIG_RULE_CYCLE,
	CONFIG_RULE_EXPECTED,
	CONFIG_RULE_SETTLE,
	CONFIG_RULE_GATED,
	CONFIG_RULE_PERMIT,
	CONFIG_RULE_PERMIT_WARN,
	CONFIG_RULE_LIVE_ZERO,
	CONFIG_RULE_UNDER_RANGE,
	CONFIG_RULE_MOST,
	CONFIG_RULE_CODES,
	CONFIG_RULE_LATE,
	CONFIG_RULE_OWN_CODES,
	CONFIG_RULE_BESIDE,
	CONFIG_RULE_UNIT,
	CONFIG_RULE_FILLS,
	CONFIG_RULE_LOW,
	CONFIG_MONITOR_RULES
};
enum {
	CONFIG_RULE_BOUNDS,
	CONFIG_RULE_AVERAGE,
	CONFIG_RULE_ON_DELAY,
	CONFIG_RULE_OFF_DELAY,
	CONFIG_RULE_DEADBAND,
	CONFIG_RULE_ON_COUNT,
	CONFIG_RULE_OFF_COUNT,
	CONFIG_RULE_WARN_AT,
	CONFIG_RULE_OPENS,
	CONFIG_RULE_COMPARE,
	CONFIG_RULE_WEIGHT,
	CONFIG_RULE_MEAN_OF,
	CONFIG_RULE_GRACE,
	CONFIG_RULE_MIN_VALID,
	CONFIG_RULE_MARK_UNTIL,
	CONFIG_RULE_DECIMALS,
	CONFIG_LIMIT_RULES
};
enum {
	CONFIG_RULE_PRACTICE,
	CONFIG_RULE_SITE_OPENS,
	CONFIG_RULE_GATE,
	CONFIG_RULE_FLOW_WAIT,
	CONFIG_RULE_TARGET,
	CONFIG_RULE_JOIN,
	CONFIG_RULE_CLUES, /* the keys of the group, from here on */
	CONFIG_SITE_RULES = CONFIG_RULE_CLUES + 14
};

enum config_average { CONFIG_INSTANT, CONFIG_HOUR, CONFIG_DAY, CONFIG_DAY_8H };

struct config_limit {
	bool has_max, has_min;
	double max, min;
	enum config_average average;
	bool by_flow, of_results; /* weight = "flow", mean_of = "results" */
	int from_day, to_day;     /* days since 1970-01-01, both included; 0: without bound */
	bool derived;             /* bounds were computed by a conversion of units */
	double deadband, on_delay_s, off_delay_s;
	int on_count, off_count;
	double warn_at; /* 0: none */
	bool rounded;   /* compare = "rounded" */
	int decimals;   /* for rounded; the catalogue's where not given */
	double grace_s, min_valid;
	int mark_until_min; /* of the day after, in minutes; 0: nobody waits for marks */
	int opens;          /* 0 "alert", 1 "case", -1 not said: the site's list decides */
	char *source;       /* "GB18918-2002 1A, table 1" or "configuration" */
	struct config_origin from[CONFIG_LIMIT_RULES];
};

enum config_site_kind {
	CONFIG_RIVER_SECTION,
	CONFIG_WATER_SOURCE,
	CONFIG_OUTFALL,
	CONFIG_AIR,
	CONFIG_SOIL,
	CONFIG_NOISE
};

/* Further registers of a value; numbers as in drivers/modbus/modbus.h. */
struct config_place {
	int table, address, type, order, bit;
};
struct config_meaning {      /* of a code */
	int64_t bits, value; /* one of the bits is set; 0: equals value */
	int flag;            /* status: a letter of HJ 212 */
	double factor;       /* unit_code */
};
struct config_extra {
	int role;
	struct config_place at;
	int step; /* of a model: added to the address for each further input */
	double times;
	bool negative;
	int bias;
	int64_t mask; /* 0: the whole code */
	struct config_meaning *meanings;
	size_t n_meanings;
	int otherwise; /* status: the flag of all other codes */
	bool no_value; /* status: with a flag other than N there is none */
	int clock;     /* sample_time: 0 civil, 1 epoch */
	bool is_utc;
};

/* Clues of a site; defaults filled in where the group stands. Figures as in core/clue.h. */
struct config_clues {
	bool on; /* the group stands */
	int clipped_count, weak_flat_count, repeating_count, alike_count, shut_count,
		contradicts_count;
	double clipped_share, weak_flat_share, shut_share, shut_after_s, flagged_after_s, within_s,
		hold_s, altitude_m;
};
enum { CONFIG_MOST_COURSE = 64, CONFIG_MOST_CONTRADICTIONS = 4 };
struct config_contradiction {
	char *reason;
	size_t other;    /* monitor of the same site */
	bool saturation; /* of oxygen at the other's temperature, else the other's value */
	double times;    /* with the units brought together */
	struct config_origin from;
};

enum { CONFIG_SHARES = 8, CONFIG_CLASSES = 5 };
struct config_monitor {
	struct config_factor factor;
	size_t connection; /* index */
	char *unit;        /* as the instrument measures and all figures here are; the catalogue's
			      unless given */
	int decimals;      /* for people, in `unit` */
	/* modbus; numbers as in drivers/modbus/modbus.h (enum order below is the same) */
	int unit_id, table, address, type, order, bit;
	bool exact;
	int block, block_count; /* count 0: none */
	double scale, offset;
	struct config_extra *extras;
	size_t n_extras;
	double *invalid;
	size_t n_invalid;
	/* mqtt */
	char *topic, *value, *time, *flag;
	/* hj212; numbers as in drivers/hj212: enum hj212_kind, enum hj212_field */
	char *mn;
	int data, field, end_stamp_s;
	int64_t interval_ms; /* a multiple of the connection's; 0: pushed */
	bool has_range, live_zero, under_range, has_dead, has_most, has_codes;
	bool has_nothing, zero_beside, low_beside;
	double dead_at, most, nothing_at; /* as in core/plan.h */
	const char *dead_confidence;      /* the same */
	double *codes;                    /* its own */
	size_t n_codes;
	double *fills; /* as in core/plan.h */
	size_t n_fills;
	double range_low, range_high;
	double stale_after_s; /* resolved default */
	double flat_after_s, flat_band, max_step, max_step_hour, step_times, cycle_s,
		expected_per_hour, permit_tonnes_year; /* 0: off */
	double step_share;                             /* beside step_times */
	double rollover; /* a counter that begins again behind it, in the monitor's unit; 0: none */
	int flat_count, settle_results, late_count;
	double detection_limit; /* 0: not known */
	bool has_course;        /* results far enough apart for clues of their course, or */
	bool may_have_course;   /* nobody said how far: those that are count */
	bool own_pace;          /* stale_after_s is the practice's, of results */
	bool is_probe;          /* by the practice, which looks for no such clues of one */
	struct config_contradiction *contradictions;
	size_t n_contradictions;
	/* discharged totals, as in core/plan.h; load_times 0: none */
	double load_times, hold_s, permit_load;
	double permit_shares[CONFIG_SHARES];
	size_t n_permit_shares;
	/* classes of surface water I to V, in the monitor's unit */
	bool classed, class_has_max, class_has_min;
	double class_max[CONFIG_CLASSES], class_min[CONFIG_CLASSES];
	bool gated;
	char *accepted_on, *last_comparison, *operator; /* NULL where not given */
	struct config_limit *limits;
	size_t n_limits;
	struct config_origin from[CONFIG_MONITOR_RULES];
};

struct config_site {
	char *id, *name;
	enum config_site_kind kind;
	char *river, *subdistrict, *community;
	bool has_place;
	double longitude, latitude;
	char *unit, *leader, *team, *phone; /* responsible */
	struct config_parties {
		char *support_units, *territory, *contact, *appointed_by, *valid_until, *officer,
			*river_chief, *enterprise, *credit_code, *permit_no, *outlet;
	} parties;         /* NULL where not said */
	char *upstream_of; /* id of a site further down; NULL: none */
	double travel_h;   /* of the water, until it is there */
	char *rain_site;   /* id of the site whose rain gauge speaks for this one; NULL: itself */
	double join_h;     /* so long further factors join a case; 0: each has its own */
	int target_class;  /* 1 to 5; 0: none */
	bool lake;
	char *flow_factor; /* what measures the flow; the usual one unless given */
	bool has_gate;
	double gate_below, gate_for_s;
	double flow_wait_s; /* so long a result waits for the flow of its moment */
	struct config_clues clues;
	char *practice; /* the site's or the node's; NULL: none */
	struct config_origin from[CONFIG_SITE_RULES];
	unsigned opens; /* bit (1u << kind), kinds numbered as in core/plan.h; a table here says the
			names */
	struct config_monitor *monitors;
	size_t n_monitors;
};

/* How an office deals with cases; numbered as in core/caserules.h. */
enum config_term_unit {
	CONFIG_TERM_NONE, /* not said */
	CONFIG_TERM_MINUTES,
	CONFIG_TERM_DAYS,
	CONFIG_TERM_WORKDAYS,
	CONFIG_TERM_HALF
};
struct config_term {
	enum config_term_unit unit;
	int n;
};
/** config_term_read() - "30min", "24h", "30d", "5wd", "half". Return: false if it is none. */
bool config_term_read(const char *text, struct config_term *out);

enum { CONFIG_SITE_KINDS = CONFIG_NOISE + 1, CONFIG_STAGES = 5, CONFIG_DEEDS = 20 };
struct config_terms {
	struct config_term stage[CONFIG_STAGES]; /* verify, assign, plan, rectify, check */
	struct config_term planned, longest, extended, remind[2], escalate[2];
	bool reminds, escalates; /* the list was said */
};
struct config_days { /* since 1970-01-01, ascending */
	int64_t *at;
	size_t n;
};
struct config_closing {
	bool clear, other_person, record, approval, five_ones, steps, laboratory, release;
	int checkers, attachments, compliant_days[CONFIG_SITE_KINDS];
};
struct config_officer {
	char *id, *name, *user; /* user NULL: none */
	unsigned roles;         /* 1 handler, 2 inspector, 4 leader */
};
struct config_duty {
	char **people; /* none: nobody is called */
	size_t n;
	int rotate;                 /* 0 day, 1 week, 2 none */
	int change_min, digest_min; /* minutes of the day */
	int next_min, source_next_min;
};
/* Steps of severity, as in core/supcase.h. */
struct config_severity {
	double serious_multiple, grave_multiple, source_grave_multiple, ph_serious, ph_grave_low,
		ph_grave_high, oxygen_serious, grave_inferior_times;
	int serious_classes, serious_days;
};
struct config_cases {
	struct config_severity severity;
	struct config_terms terms[CONFIG_SITE_KINDS][3]; /* of all severities, serious, grave */
	struct config_days off, work;
	char *days_file; /* the last file of days off that was read, and where they begin; NULL:
			    none */
	int days_line;
	bool set; /* the configuration has something of its own to say of cases */
	int fault_shelve_workdays;
	struct config_closing closing;
	struct config_officer *officers;
	size_t n_officers;
	unsigned may[CONFIG_DEEDS]; /* roles; 0: not said */
	struct config_duty duty;
};
extern const char *const config_deeds[CONFIG_DEEDS]; /* their names */

enum config_driver { CONFIG_MODBUS, CONFIG_MQTT, CONFIG_HJ212 };

/* Keys of a connection that its configuration says, so that no model changes them. */
enum {
	CONFIG_SAYS_REQUEST_GAP = 1,
	CONFIG_SAYS_CONNECT_PAUSE = 2,
	CONFIG_SAYS_TIMEOUT = 4,
	CONFIG_SAYS_MAX_GAP = 8,
	CONFIG_SAYS_MAX_REGISTERS = 16
};

struct config_connection {
	uint32_t alike; /* place, from 1, of an earlier one whose id hashes alike; 0: none */
	char *id;
	enum config_driver driver;
	/* modbus; host: tcp, rtu-over-tcp; listen and what follows: dtu */
	char *transport, *host;
	int port, max_gap, max_registers;
	bool exact;
	int64_t interval_ms, timeout_ms, request_gap_ms, connect_pause_ms;
	unsigned said;                          /* CONFIG_SAYS_… */
	char *device;                           /* rtu, with what follows */
	int baud, parity, data_bits, stop_bits; /* parity: 0 N, 1 E, 2 O */
	int rts, rts_delay_us;                  /* 0 none, 1 up, 2 down; -1: one character */
	bool rs485, echo;
	char *listen, *registration, *heartbeat; /* packets as written: packet_bytes() */
	int idle_s;
	/* mqtt */
	char *uri, *client_id, *username, *password, *ca_file, *cert_file, *key_file;
	int qos, keepalive_s, ack_timeout_ms;
	bool clean_session, ack_received;
};

struct config_delivery {
	char *id, *type;
	char **events; /* filters; none: all */
	size_t n_events;
	char **sites; /* none: all */
	size_t n_sites;
	int min_severity; /* 0 general, 1 serious, 2 grave */
	int64_t alarm_after_s, retry_longest_s, timeout_ms;
	char *directory;                      /* file */
	char *url, *secret, *signing_key;     /* NULL where not said, as what follows */
	char *username, *password;            /* not webhook */
	char *ca_file, *cert_file, *key_file; /* TLS */
	char *from;                           /* smtp */
	char **to;
	size_t n_to;
	int starttls;      /* 0 required, 1 off */
	size_t connection; /* mqtt: its index; what follows */
	char *topic;
	int64_t resend_s; /* alertmanager */
};

struct config_share { /* readings for others */
	char *id, *topic;
	char **sites; /* none: all; so with factors */
	size_t n_sites;
	char **factors;
	size_t n_factors;
	size_t connection; /* index */
	int64_t every_s, max_age_s, timeout_ms, alarm_after_s;
};

enum { CONFIG_HASH_BYTES = 32 };
struct config_token { /* of http.officers_file */
	char *name;
	unsigned roles;                  /* as of an officer */
	uint8_t hash[CONFIG_HASH_BYTES]; /* SHA-256 */
};

struct reader;

struct config {
	char **files; /* the configuration's and those of the data that a rule comes from */
	size_t n_files;
	double *codes; /* that loggers write where they have nothing */
	size_t n_codes;
	double codes_from;  /* the smallest amount of theirs */
	double unreal_from; /* as in core/plan.h */
	int threads;        /* event loops that poll over sockets */
	/* node */
	char *practice; /* NULL: none */
	char *id, *office, *case_prefix, *case_number, *timezone, *language, *data_directory;
	/* storage */
	char *directory;
	int64_t flush_ms, max_bytes;
	int64_t frames_memory; /* bytes of frames that wait for an alert */
	int anchor_s;          /* a seal's hash leaves so often */
	int keep_frames, keep_raw, keep_minute, keep_mean; /* days */
	/* http */
	char *socket, *listen; /* NULL: off */
	char *officers_file;   /* NULL: none */
	struct config_token *tokens;
	size_t n_tokens;
	/* influx; url NULL: off */
	struct {
		char *url, *api, *database, *org, *bucket, *token, *username, *password;
		bool gzip;
		int batch_lines;
		int64_t flush_ms;
	} influx;
	struct config_connection *connections;
	size_t n_connections;
	/* By the hash of an id: place, from 1, of the last connection with it; 0: none. */
	uint32_t by_id[4096];
	struct config_site *sites;
	size_t n_sites;
	struct config_delivery *deliveries;
	size_t n_deliveries;
	struct config_share *shares;
	size_t n_shares;
	struct config_cases cases;
	struct config_faults notes; /* what is worth knowing although it is no fault */
	/* for --check's last line */
	size_t n_monitors, n_limits;
};

/* What is said of limits that ended, or begin, and leave a gap in time. */
struct config_dates {
	const char *today; /* "2026-03-01" */
	bool gap_is_fault; /* else a note */
};

/**
 * config_load() - read and check the file with its includes
 * @file: printed as given in faults
 * @dates: NULL: for recorded data, where a limit that ended is no fault
 * Return: 0 and *out (config_free() it); -EINVAL and *faults filled; -ENOMEM.
 */
int config_load(const char *file, const struct config_dates *dates, struct config **out,
		struct config_faults *faults);
/** config_load_with() - config_load() through a reader (config/reader.h), such as one from memory
 */
int config_load_with(const char *file, const struct config_dates *dates,
		     const struct reader *reader, struct config **out,
		     struct config_faults *faults);
enum {
	CONFIG_PACKET_BYTES = 64,
	CONFIG_MOST_BUSES = 32 /* serial lines, a thread each */,
	CONFIG_MOST_THREADS = 16
};
/** packet_bytes() - the bytes of a packet as written, "text" or "hex:0a1b". Return: 0 where it is
 * not right; NULL is none */
size_t packet_bytes(const char *text, uint8_t out[CONFIG_PACKET_BYTES]);
/** config_fault() - add a fault at the line of a key such as "node.id", or of the file's first
 * line where it is not said */
void config_fault(const char *file, const char *key, const char *message,
		  struct config_faults *faults);
struct config *config_free(struct config *config);
void config_faults_print(const struct config_faults *faults, FILE *out);
void config_faults_deinit(struct config_faults *faults);
