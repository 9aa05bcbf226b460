/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Delivery: one receiver, its place in the outbox, and the thread that serves it.
 *
 *   fetch behind the cursor ─► unwanted ─────────────────────────────► passed
 *                            ├► its case is held ─► held behind it ──► passed
 *                            └► send ─► delivered ───────────────────► passed
 *                                    ├► refused, or failed 3 times ─► held ─► passed
 *                                    └► unreachable, turned away: pause, all of it waits
 *
 * Nothing is ever dropped. A refused event is tried again by itself, at growing pauses.
 */
#include "deliver/courier.h"

struct delivery;

int delivery_new(struct delivery **out, const struct delivery_setup *setup,
		 const struct courier_setup *all);
int delivery_start(struct delivery *delivery);
void delivery_stop(struct delivery *delivery); /* tell it */
void delivery_join(struct delivery *delivery);
struct delivery *delivery_free(struct delivery *delivery);
void delivery_wake(struct delivery *delivery); /* any thread */
const char *delivery_id(const struct delivery *delivery);
/** delivery_alarmed() - its alert is active since the last run (before the start) */
void delivery_alarmed(struct delivery *delivery);
/** delivery_json(), delivery_test() - as of courier.h (any thread) */
void delivery_json(struct delivery *delivery, struct text *out);
int64_t delivery_test(struct delivery *delivery);
