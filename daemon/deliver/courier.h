/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Courier: takes events from the ledger's outbox to the deliveries, each behind its own cursor
 * "delivery/ID", which moves only after the receiver has the event. One thread for each delivery
 * (delivery.h), so that one receiver that hangs holds up none of the others.
 *
 * A delivery type is a struct courier_type; to add one, write a file and a line in courier-types.c.
 */
#include "core/metrics.h"
#include "deliver/outbox.h"
#include "store/ledger.h"

#include <stdatomic.h>

struct courier;
struct wording;

struct delivery_setup {
	const char *id, *type; /* type: a name of courier-types.c */
	struct outbox_filter filter;
	int64_t alarm_after_ms;   /* out of reach for so long is an alert; 0: never */
	int64_t longest_pause_ms; /* between tries; 0: the type's */
	int64_t timeout_ms;       /* of one try */
	const char *directory;    /* type file: made if missing */
	const char *url;
	const char *secret;      /* Standard Webhooks, one or more behind each other; NULL: none */
	const char *signing_key; /* Ed25519, as whsk_…; NULL: none */
	const char *ca_file, *cert_file, *key_file; /* NULL: the system's, none, none */
	const char *username, *password;            /* NULL: none */
	const char *from, *const *to;               /* type smtp: addresses alone */
	size_t n_to;
	bool no_starttls;
	const char *client_id,
		*topic;    /* type mqtt; {node} and {event} in the topic are filled in */
	int64_t resend_ms; /* type alertmanager */
};
struct courier_setup {
	const struct delivery_setup *deliveries; /* outlive the courier */
	size_t n_deliveries;
	const struct plan *plan;
	struct ledger *ledger;
	struct metrics *metrics;
	_Atomic uint64_t *heartbeat;
	const char *(*translate)(const char *english);
	const char *directory;       /* of the store, for dossiers; NULL: mails have none */
	const struct wording *words; /* of dossiers; NULL: English */
};
int courier_new(struct courier **out, const struct courier_setup *setup);
int courier_start(struct courier *courier);
void courier_stop(struct courier *courier);
/** courier_free() - after the last metrics_print(), as gauges read from it */
struct courier *courier_free(struct courier *courier);
void courier_wake(struct courier *courier); /* any thread */
/** courier_json() - {"deliveries":[…]}: backlog, last error, next try (any thread) */
void courier_json(struct courier *courier, struct text *out);
/** courier_test() - let the delivery @id send a marked test, once (any thread)
 * @test: out: the number under which courier_json() says how it went
 * Return: false: there is no such delivery */
bool courier_test(struct courier *courier, const char *id, int64_t *test);
