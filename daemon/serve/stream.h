/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Stream: events as they are committed, to each client that keeps a request open (server-sent
 * events, WHATWG HTML 9.2).
 *
 * A stream with nothing to say is suspended, and one ticking thread resumes it when the ledger has
 * newer events or a comment line is due. It asks the ledger (a number in memory) twenty times a
 * second and only while there are streams: a listener of the ledger would have to outlive the
 * server, and the committing thread would pay for the slowest client. The comment line also finds
 * clients that have gone, because a suspended connection that hangs up is not noticed.
 *
 * libmicrohttpd ends the process if it is stopped with suspended connections: streams_stop() first.
 */
#include "base/pulse.h"
#include "serve/query.h"

#include <pthread.h>

struct MHD_Connection;
struct MHD_Response;
struct stream;

enum { STREAMS_MOST = 32 };

enum stream_reader {
	STREAM_SOCKET,
	STREAM_OFFICER,   /* over the listener, with a token */
	STREAM_EVERYBODY, /* redact() */
};

struct streams {
	struct pulse pulse;
	pthread_mutex_t mutex; /* guards all below and every stream's `suspended` */
	pthread_cond_t changed;
	pthread_t thread;
	struct stream *first;
	size_t n;
	bool stopping;
	struct ledger *ledger;
	const struct plan *plan;
	int64_t ping_ms;
};

/** streams_start() - Return: 0, negative errno. */
int streams_start(struct streams *streams, struct ledger *ledger, const struct plan *plan,
		  int64_t ping_ms);
/** streams_stop() - no stream is or will be suspended when it returns; each ends by itself */
void streams_stop(struct streams *streams);
/** streams_succeed() - go on by the next plan (any thread). Those of officers end, and begin again
 * if the token is good yet. */
void streams_succeed(struct streams *streams, const struct plan *plan);
/** streams_deinit() - after the server has closed all connections */
void streams_deinit(struct streams *streams);

/**
 * streams_open() - the response for one more stream (on the connection's thread)
 * @query: site and last, and last_event_id where @last_event_id (the header) is NULL
 *
 * Where it begins: after Last-Event-ID; with an unknown one at the oldest kept; with `last` N
 * events back; otherwise with the next. Return: 0; -EBUSY when there are STREAMS_MOST; other
 * negative errno.
 */
int streams_open(struct streams *streams, struct MHD_Connection *connection,
		 enum stream_reader reader, const struct query *query, const char *last_event_id,
		 struct MHD_Response **out);
