/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Serve: the HTTP API on the Unix socket and the listener, events as a stream, metrics.
 */
#include "core/metrics.h"
#include "store/daybook.h"
#include "store/ledger.h"

struct serve;

struct serve_setup {
	const char *socket; /* path; a stale file is replaced; mode 0660 */
	const char *listen; /* "127.0.0.1:9212" or "[::1]:9212"; NULL: off. Reading only. */
	const char *directory; /* of the store */
	const char *version;
	const struct plan *plan;
	struct daybook *daybook;
	struct ledger *ledger;
	struct metrics *metrics;
	/* health(): adds one reason per line to @reasons and returns false when not well */
	bool (*health)(void *context, struct text *reasons);
	void *context;
};
/** serve_new() - binds both; on failure *error (static or strdup'ed sentence) says which and why */
int serve_new(struct serve **out, const struct serve_setup *setup, char **error);
/** serve_stop() - ends all event streams and closes the listeners */
struct serve *serve_free(struct serve *serve);
