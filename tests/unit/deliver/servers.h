/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Servers for the tests of what leaves: the real influxd and VictoriaMetrics on free ports, and a
 * responder that answers HTTP with whatever a test tells it to, right or wrong.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

int64_t servers_now_ms(void);
/** servers_port() - a free loopback port */
int servers_port(void);
/** servers_temporary() - make a directory below $TMPDIR; @out at least 128 bytes */
void servers_temporary(char *out, size_t size);
void servers_remove(const char *directory);
/** servers_request() - GET, or POST of @post. Return: the body, to be freed; @status 0: none. */
char *servers_request(const char *url, const char *post, long *status);

struct influxd {
	pid_t pid;
	int port, rpc_port;
	char directory[128], url[64];
};
bool influxd_here(void);
void influxd_init(struct influxd *influxd);
void influxd_start(struct influxd *influxd); /* returns when it answers */
void influxd_stop(struct influxd *influxd);
void influxd_deinit(struct influxd *influxd);
/** influxd_query() - Return: the answer's JSON, to be freed */
char *influxd_query(struct influxd *influxd, const char *query);
/** influxd_count() - points that have @field in @measurement, 0 if there are none */
int64_t influxd_count(struct influxd *influxd, const char *measurement, const char *field);

/* A server that takes InfluxDB's v2 write address; the package influxdb has none that does. */
struct victoria {
	pid_t pid;
	char directory[128], url[64];
};
bool victoria_here(void);
void victoria_start(struct victoria *victoria); /* empty; returns when it answers */
void victoria_stop(struct victoria *victoria);
/** victoria_export() - all series of a name, one JSON object a line, to be freed */
char *victoria_export(struct victoria *victoria, const char *name);

/* What a responder may do instead of answering. */
extern const char responder_reset[], responder_silence[];
extern const char responder_half[];    /* a part of an answer, then a reset */
extern const char responder_trickle[]; /* 204, a byte at a time */
extern const char responder_endless[]; /* a body that goes on until the client has enough */
#define RESPONDER_204 "HTTP/1.1 204 No Content\r\n\r\n"
#define RESPONDER_KEPT 256

struct responder {
	int listener;
	char url[64];
	/* Return: a whole HTTP answer, or one of the above; @n counts requests from 0 */
	const char *(*answer)(void *context, const char *body, size_t n);
	void *context;
	pthread_t thread;
	pthread_mutex_t mutex;
	_Atomic bool stop;
	_Atomic size_t n;
	char *bodies[RESPONDER_KEPT];
	char head[4096]; /* of the newest request */
};
void responder_start(struct responder *responder,
		     const char *(*answer)(void *context, const char *body, size_t n),
		     void *context);
void responder_stop(struct responder *responder);
