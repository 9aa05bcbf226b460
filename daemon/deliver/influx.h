/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Influx: one request at a time to a server that takes line protocol, and what its answer means.
 *
 * Only 204 says that points are stored; everything else is put into a few classes by
 * influx_judge(), because a wrong line, a wrong right and a server in trouble need different things
 * done. Redirects, proxies and other schemes are off: the lines and the password go where the
 * configuration says or nowhere. One thread owns it; influx_interrupt() is for any.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum influx_verdict {
	INFLUX_ACCEPTED,  /* all of it is stored */
	INFLUX_PARTIAL,   /* the good lines are stored, the rest never will be */
	INFLUX_MALFORMED, /* nothing stored, because of a line: find it */
	INFLUX_DOUBTFUL,  /* nothing known; a line or the server may be the cause */
	INFLUX_TOO_LARGE, /* nothing stored: send less at a time */
	INFLUX_REFUSED,   /* database, right or path is missing: no fault of the lines */
	INFLUX_BUSY,      /* overload: wait as asked */
	INFLUX_UNKNOWN,   /* not known whether stored: the same bytes again */
	INFLUX_STOPPED    /* interrupted by influx_interrupt() */
};

struct influx_answer {
	enum influx_verdict verdict;
	long status;            /* HTTP status, 0: no answer */
	int64_t retry_after_ms; /* as asked by the server, 0: not asked */
	char text[512];         /* what the server or the network said, printable */
};

/** influx_judge() - the class of an HTTP answer (pure); @body: its beginning, NUL-terminated */
enum influx_verdict influx_judge(long status, const char *body);
/** influx_dropped() - how many lines a partial write lost: at least 1, as the number in it may be 0
 */
int64_t influx_dropped(const char *body);

/* The write addresses differ in path, names of precisions and authorization. */
enum influx_api {
	INFLUX_V1, /* /write, basic authentication: InfluxDB 1.x */
	INFLUX_V2, /* /api/v2/write, Token: InfluxDB 2.x, VictoriaMetrics */
	INFLUX_V3  /* /api/v3/write_lp, Bearer: InfluxDB 3; after its published format only */
};

/** influx_api() - "v1", "v2" or "v3" as an enumerator */
enum influx_api influx_api(const char *name);

struct influx_setup {
	const char *url;
	enum influx_api api;
	const char *database;            /* v1, v3 */
	const char *org, *bucket;        /* v2 */
	const char *username, *password; /* v1; NULL: none */
	const char *token;               /* v2, v3 */
	bool gzip;
	_Atomic uint64_t *heartbeat; /* may be NULL */
};

struct influx;

/** influx_new() - main thread, as it may be the first to use libcurl. Return: 0, negative errno. */
int influx_new(struct influx **out, const struct influx_setup *setup);
struct influx *influx_free(struct influx *influx);
/** influx_write() - send @text (whole lines); blocks up to 30 s. Return: 0, -ENOMEM. */
int influx_write(struct influx *influx, const char *text, size_t length,
		 struct influx_answer *answer);
/** influx_interrupt() - end the running and every later write at once (any thread) */
void influx_interrupt(struct influx *influx);
