/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Courier type: how one kind of delivery hands over one event. The delivery's thread does cursors,
 * filters, order and pauses; a type only says what became of the event.
 */
#include "deliver/courier.h"
#include "deliver/outbox.h"
#include "deliver/pause.h"

enum courier_outcome {
	COURIER_DELIVERED,   /* the receiver has it */
	COURIER_UNREACHABLE, /* no answer, or "not now": everything waits */
	COURIER_FAILED,      /* the receiver fails, at this event or at any */
	COURIER_REFUSED,     /* it will not take this event: its case waits, the others go on */
	COURIER_TURNED_AWAY, /* it will not take anything from us: everything waits, with an alert
			      */
	COURIER_STOPPED,     /* we end */
};

struct courier_answer {
	int64_t retry_after_ms; /* as the receiver asked; 0: it did not */
	bool partly;            /* delivered, and @text says to whom not */
	char text[200];         /* why not, with the receiver's words; one line */
};

/* What a type may hold on to as long as it is open. */
struct courier_host {
	const struct delivery_setup *setup; /* the texts; valid until close() */
	const struct plan *plan;
	struct ledger *ledger;
	struct pause *pause; /* long calls beat it, and end once it is stopped */
	const char *(*translate)(const char *english);
	const char *directory;       /* of the store; NULL: no dossiers */
	const struct wording *words; /* of dossiers; NULL: English */
};

struct courier_type {
	const char *name;
	int64_t longest_pause_ms; /* between tries, unless the configuration says so */
	/** open() - state of one delivery; does not touch the receiver. Return: 0, negative errno.
	 */
	int (*open)(void **state, const struct courier_host *host);
	/** send() - hand over @event; may block up to its own deadlines; the same one may come
	 * again. @answer: zeroed */
	enum courier_outcome (*send)(void *state, const struct outbox_event *event,
				     struct courier_answer *answer);
	/** idle() - what is due without an event; NULL: nothing ever is. Called twice a second. */
	enum courier_outcome (*idle)(void *state, struct courier_answer *answer);
	void (*close)(void *state);
};

extern const struct courier_type courier_file, courier_webhook, courier_smtp, courier_mqtt,
	courier_alertmanager, courier_postgresql;

/** courier_type_find() - Return: the type of this name, NULL if there is none. */
const struct courier_type *courier_type_find(const char *name);
/** courier_errno() - the answer to an errno of our own; a negative @error is welcome */
enum courier_outcome courier_errno(struct courier_answer *answer, const char *what, int error);
