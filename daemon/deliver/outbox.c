/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/outbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCAN_EVENTS = 256 };

static const char *plain_type(const char *type)
{
	return strncmp(type, "ducha.", 6) == 0 ? type + 6 : type;
}

int outbox_init(struct outbox *outbox, struct ledger *ledger, const char *name,
		const struct outbox_filter *filter)
{
	int64_t cursor = ledger_cursor(ledger, name, -1);
	int rc = 0;
	if (cursor < 0) {
		cursor = 0;
		rc = ledger_put_cursor(ledger, name,
				       cursor); /* from now on nothing is pruned unseen */
	}
	*outbox = (struct outbox){
		.ledger = ledger, .name = name, .filter = *filter, .stored = cursor};
	atomic_store(&outbox->passed, cursor);
	atomic_store(&outbox->scanned, cursor);
	return rc;
}

static bool wants_type(const struct outbox_filter *filter, const char *type)
{
	for (size_t i = 0; i < filter->n_events; i++) {
		const char *wanted = filter->events[i];
		size_t length = strlen(wanted);
		bool open = length > 0 && wanted[length - 1] == '*';
		if (open ? strncmp(wanted, type, length - 1) == 0 : strcmp(wanted, type) == 0)
			return true;
	}
	return filter->n_events == 0 && strncmp(type, "seal.", 5) != 0;
}

static bool wants_site(const struct outbox_filter *filter, const char *site)
{
	for (size_t i = 0; site != NULL && i < filter->n_sites; i++)
		if (strcmp(filter->sites[i], site) == 0)
			return true;
	return filter->n_sites == 0;
}

/* In a string of JSON every quote is escaped, so this text stands nowhere but at the member. */
static bool wants_severity(const struct outbox_filter *filter, const char *json)
{
	static const char member[] = "\"severity\":\"";
	const char *at = filter->least > SEVERITY_GENERAL ? strstr(json, member) : NULL;
	if (at == NULL)
		return true;
	at += sizeof member - 1;
	for (int s = (int)filter->least; s < SEVERITIES; s++) {
		const char *name = severity_name((enum severity)s);
		if (strncmp(at, name, strlen(name)) == 0 && at[strlen(name)] == '"')
			return true;
	}
	return false;
}

bool outbox_filter_wants(const struct outbox_filter *filter, const char *type, const char *site,
			 const char *json)
{
	return wants_type(filter, type) && wants_site(filter, site) && wants_severity(filter, json);
}

bool outbox_wants(const struct outbox *outbox, const struct outbox_event *event)
{
	return outbox_filter_wants(&outbox->filter, event->type, event->site, event->json);
}

struct scan {
	const struct outbox *outbox;
	int64_t last, wanted;
	size_t n;
};

static bool scan_event(void *context, const struct ledger_event *event)
{
	struct scan *scan = context;
	scan->last = event->id;
	scan->wanted += outbox_filter_wants(&scan->outbox->filter, plain_type(event->type),
					    event->site, event->json);
	scan->n++;
	return true;
}

int outbox_scan(struct outbox *outbox)
{
	struct scan scan;
	do {
		scan = (struct scan){.outbox = outbox, .last = atomic_load(&outbox->scanned)};
		if (ledger_event_last(outbox->ledger) <= scan.last)
			return 0;
		int rc = ledger_events(outbox->ledger, scan.last, SCAN_EVENTS, scan_event, &scan);
		if (rc != 0)
			return rc;
		/* waiting first: a reader in between sees too many, never too few */
		atomic_fetch_add(&outbox->waiting, scan.wanted);
		atomic_store(&outbox->scanned, scan.last);
	} while (scan.n == SCAN_EVENTS);
	return 0;
}

static void event_free(struct outbox_event *event)
{
	free(event->json);
	free(event->site);
}

static bool copy_event(void *context, const struct ledger_event *event)
{
	struct outbox_events *out = context;
	if (out->n == out->capacity) {
		size_t capacity = out->capacity == 0 ? 16 : out->capacity * 2;
		struct outbox_event *at = realloc(out->at, capacity * sizeof *at);
		if (at == NULL) {
			out->failed = true;
			return false;
		}
		out->at = at;
		out->capacity = capacity;
	}
	struct outbox_event *copy = &out->at[out->n];
	*copy = (struct outbox_event){
		.id = event->id, .at_ms = event->at_ms, .case_id = event->case_id};
	snprintf(copy->type, sizeof copy->type, "%s", plain_type(event->type));
	copy->json = strdup(event->json);
	copy->site = event->site == NULL ? NULL : strdup(event->site);
	out->failed = copy->json == NULL || (event->site != NULL && copy->site == NULL);
	if (out->failed)
		event_free(copy);
	out->n += !out->failed;
	return !out->failed;
}

int outbox_fetch(struct outbox *outbox, int64_t after, size_t limit, struct outbox_events *out)
{
	*out = (struct outbox_events){0};
	int rc = ledger_events(outbox->ledger, after, limit, copy_event, out);
	if (rc == 0 && out->failed && out->n == 0)
		rc = -ENOMEM;
	if (rc != 0)
		outbox_events_deinit(out);
	return rc;
}

void outbox_events_deinit(struct outbox_events *events)
{
	for (size_t i = 0; i < events->n; i++)
		event_free(&events->at[i]);
	free(events->at);
	*events = (struct outbox_events){0};
}

void outbox_pass(struct outbox *outbox, int64_t id, int64_t wanted)
{
	int64_t scanned = atomic_load(&outbox->scanned);
	atomic_store(&outbox->passed, id);
	if (id > scanned)
		atomic_store(&outbox->scanned, id); /* passed before they were counted */
	else
		atomic_fetch_sub(&outbox->waiting, wanted);
}

int outbox_store(struct outbox *outbox)
{
	int64_t passed = atomic_load(&outbox->passed);
	if (passed == outbox->stored)
		return 0;
	int rc = ledger_put_cursor(outbox->ledger, outbox->name, passed);
	if (rc == 0)
		outbox->stored = passed;
	return rc;
}

int64_t outbox_pending(struct outbox *outbox)
{
	int64_t unseen = ledger_event_last(outbox->ledger) - atomic_load(&outbox->scanned);
	int64_t waiting = atomic_load(&outbox->waiting);
	return waiting + (unseen > 0 ? unseen : 0);
}
