/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Serve: the HTTP API on the Unix socket and the listener, events as a stream, metrics.
 *
 * libmicrohttpd answers on a few threads of its own; everything here is read from the ledger and
 * the daybook, which lock for themselves. Who may act over the socket is decided by the mode of its
 * file; over the listener those who show the token of an officer, and else it only reads. The
 * number of event streams is limited well below that of connections, because a client beyond the
 * latter is not refused but left waiting, and `status` must always get through.
 */
#include "core/metrics.h"
#include "deliver/wording.h"
#include "store/daybook.h"
#include "serve/officers.h"
#include "store/ledger.h"

struct serve;

struct serve_setup {
	const char *socket; /* path; a stale file is replaced; mode 0660. NULL: off */
	const char *listen; /* "127.0.0.1:9212" or "[::1]:9212"; NULL: off */
	const struct serve_officer *officers; /* who may act over the listener, too */
	size_t n_officers;
	const char *directory; /* of the store */
	const char *version;
	const struct plan *plan;
	struct daybook *daybook;
	struct ledger *ledger;
	struct metrics *metrics;
	/* health(): adds one reason per line to @reasons and returns false when not well (any
	 * thread); NULL: always well */
	bool (*health)(void *context, struct text *reasons);
	/* deliveries_json(), deliveries_test(): as of deliver/courier.h; NULL: there are none */
	void (*deliveries_json)(void *context, struct text *out);
	bool (*deliveries_test)(void *context, const char *id, int64_t *test);
	/* evidence(): the archive of a case, as evidence_tar_write(); @trusted: hex of a public key
	 * that may begin anew, or NULL; NULL: there are none */
	int (*evidence)(void *context, int64_t id, const char *trusted, const struct text *dossier,
			struct text *out);
	/* configuration(): adds the files of the configuration in force, as members of a JSON array
	 * (any thread); NULL: nobody keeps them */
	void (*configuration)(void *context, struct text *out);
	void (*marked)(void *context); /* a mark was given; quick (any thread); NULL: nobody asks */
	/* confirm_clock(): somebody says that the wall clock is right; quick (any thread); NULL:
	 * nobody asks */
	void (*confirm_clock)(void *context);
	void *context;
	/* reload(): take the configuration up anew and wait for it (any thread). Return: true and
	 * one JSON object in @answer, or false and a sentence a line; NULL: it cannot be done */
	bool (*reload)(void *context, struct text *answer);
	const struct wording *chinese; /* of pages; NULL: all in English */
	const char *language; /* of pages that are not asked for in another; NULL: the plan's */
	int64_t ping_ms;      /* between comment lines of a silent event stream; 0: 15000 */
};

/**
 * serve_new() - bind both, register the metrics, and begin to answer (main thread)
 * @setup: copied; what it points to outlives the server
 * @error: out: a sentence that says which and why on failure; the caller frees it
 * Return: 0; negative errno.
 */
int serve_new(struct serve **out, const struct serve_setup *setup, char **error);

/**
 * serve_free() - end all event streams, finish what is being answered, close both, remove the file
 * The ledger may go on committing. metrics_print() must not be called afterwards.
 */
struct serve *serve_free(struct serve *serve);

/**
 * serve_hold() - wait for what is being answered; what comes from now on waits (main thread)
 *
 * Event streams and a reload's own request go on. Meanwhile metrics may be registered, and latest
 * readings and active kinds are asked for by nobody.
 */
void serve_hold(struct serve *serve);
/** serve_release() - go on, by @plan, and if that is another one by @officers, which have the old
 * list then */
void serve_release(struct serve *serve, const struct plan *plan, struct officers *officers);

/** serve_port() - the listener's bound port, 0 if off (for an address with port 0) */
uint16_t serve_port(const struct serve *serve);
