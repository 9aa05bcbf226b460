/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Message: the data of a telegram, taken apart. Pure; everything points into the telegram.
 *
 *   QN=…;ST=32;CN=2011;PW=…;MN=…;Flag=5;CP=&&DataTime=…;w01018-Rtd=38.2,w01018-Flag=N;…&&
 *
 * (HJ 212-2017, 6.3 and table 3.) The fields of HJ/T 212-2005 and of 2025 are the same. Fields are
 * known by their names, not by their order, which devices change; unknown ones are passed over.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zone;

struct hj212_text {
	const char *at; /* no NUL behind it; NULL where there is none */
	size_t n;
};

/* Commands of which something is known here (table 9; 9015: 2025). */
enum hj212_command {
	HJ212_STOP_REALTIME = 2012,
	HJ212_STOP_FACILITIES = 2022,
	HJ212_ASK_CLOCK = 1013,
	HJ212_REALTIME = 2011,
	HJ212_DAY = 2031,
	HJ212_MINUTE = 2051,
	HJ212_HOUR = 2061,
	HJ212_NOTICE_ANSWER = 9013,
	HJ212_DATA_ANSWER = 9014,
	HJ212_HEARTBEAT = 9015,
};

/* Bits of Flag (6.3.1); above them the version: 0 of 2005, 1 of 2017, 2 of 2025. */
enum { HJ212_ASKS_ANSWER = 1, HJ212_IS_PART = 2, HJ212_VERSION = 0xfc };

enum { HJ212_ECHO_MOST = 40 }; /* bytes of QN, PW, MN: what an answer repeats */

struct hj212_message {
	struct hj212_text qn, pw, mn;
	int system;             /* ST as a number; -1: none, or none that is one */
	int command;            /* CN; one of enum hj212_command, or another */
	int flag;               /* 0 where there is none */
	struct hj212_text area; /* between CP=&& and && */
	struct hj212_text time; /* DataTime */
	char quality;           /* the one Flag of a whole area; '\0': none */
	bool is_readable; /* there is a DataTime, or a value of a factor; not so when encrypted */
};

/**
 * hj212_message_parse() - the @n bytes of a telegram
 * Return: NULL; else why it is none, a sentence for the log
 */
const char *hj212_message_parse(const char *data, size_t n, struct hj212_message *out);

/* What an area has of a factor (table 4); Zs: converted to the reference state, flue gas. */
enum hj212_field {
	HJ212_RTD,
	HJ212_AVG,
	HJ212_MIN,
	HJ212_MAX,
	HJ212_COU,
	HJ212_ZSRTD,
	HJ212_ZSAVG,
	HJ212_ZSMIN,
	HJ212_ZSMAX,
	HJ212_FLAG,
	HJ212_SAMPLE_TIME,
	HJ212_FIELDS
};

struct hj212_record {
	struct hj212_text code; /* of the factor */
	struct hj212_text fields[HJ212_FIELDS];
};

/**
 * hj212_record_next() - the next factor of an area
 * @rest: at first the area, then what is left of it
 *
 * What follows one another of one factor is one record, whether commas or semicolons part it; where
 * a field comes again, another record begins.
 * Return: false at the end
 */
bool hj212_record_next(struct hj212_text *rest, struct hj212_record *out);

/** hj212_time() - YYYYMMDDhhmmss and up to three digits of a second, civil time of @zone
 * Return: true and ms since 1970 */
bool hj212_time(struct hj212_text text, const struct zone *zone, int64_t *ms);

/** hj212_is() - is the text this one? */
bool hj212_is(struct hj212_text text, const char *word);
