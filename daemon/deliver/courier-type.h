/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Courier type: how one kind of delivery hands over one event. The courier calls from one thread
 * per delivery and does cursors, filters, order and pauses; a type only says whether the receiver
 * has it.
 */
#include "deliver/courier.h"
#include "deliver/outbox.h"

struct courier_type {
	const char *name;
	/** open() - state of one delivery; does not touch the receiver. Return: 0, negative errno.
	 */
	int (*open)(void **state, const struct delivery_setup *setup);
	/**
	 * send() - hand over @event; may block up to its own deadlines
	 * Return: 0 once the receiver keeps it, negative errno otherwise; the same event comes
	 * again.
	 */
	int (*send)(void *state, const struct outbox_event *event);
	void (*close)(void *state);
};

extern const struct courier_type courier_file;

/** courier_type_find() - Return: the type of this name, NULL if there is none. */
const struct courier_type *courier_type_find(const char *name);
