/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Sse: bytes of an event stream to events (WHATWG HTML 9.2.6). Pure.
 */
#include "core/text.h"

struct sse_event {
	const char *id, *type, *data; /* "" where not given */
};

struct sse {
	struct text line, id, type, data;
	bool has_data, after_return;
	/* @fn: each whole event; @comment: each comment line, without its colon; may be NULL */
	void (*fn)(void *context, const struct sse_event *event);
	void (*comment)(void *context, const char *text);
	void *context;
};

enum { SSE_LINE_BYTES_MOST = 1 << 20 };

/** sse_feed() - Return: true; false when a line is too long or memory is short */
bool sse_feed(struct sse *sse, const char *data, size_t n);
/** sse_restart() - forget what is half read: a new connection begins */
void sse_restart(struct sse *sse);
void sse_deinit(struct sse *sse);
