/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * HJ 212 connections as assemble.c hands them over: an address where data loggers dial in, and what
 * is wanted of each.
 */
#include "drivers/hj212/message.h"

/* Which messages a point takes its readings from. A logger sends its own means beside the values
 * that they are made of: one kind alone counts. */
enum hj212_kind { HJ212_OF_REALTIME, HJ212_OF_MINUTES, HJ212_OF_HOURS, HJ212_OF_DAYS };

enum { HJ212_SESSIONS_MOST = 4096 }; /* of all connections together */

enum hj212_ack { HJ212_ACK_STORED, HJ212_ACK_RECEIVED };

struct hj212_point {
	uint32_t monitor;
	const char *mn;
	const char *factor, *old_factor; /* old: of HJ/T 212-2005, NULL: none */
	enum hj212_kind kind;
	enum hj212_field field; /* HJ212_RTD to HJ212_ZSMAX */
	int64_t period_ms;      /* the device stamps the end of a period so long; 0: its start */
	double scale, offset;
};

struct hj212_connection {
	uint32_t connection;
	const char *id;
	const char *listen;   /* address:port, the address in digits; one connection alone has it */
	const char *password; /* PW of all of them; NULL: any */
	enum hj212_ack ack;
	int64_t idle_ms;
	const struct hj212_point *points; /* by mn, those of one together */
	size_t n_points;
	const struct zone *zone; /* of the loggers' clocks; NULL: UTC */
};
