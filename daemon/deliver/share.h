/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Share: chosen readings for other departments, over MQTT.
 *
 * Each share reads the daybook behind its own stored cursor "share/ID", on a thread of its own, and
 * publishes with QoS 1; the cursor moves when the broker has acknowledged. A reading tells its HJ
 * 212 flag, and its value only with flag N: what is not valid here is not to be taken for valid
 * elsewhere. What is older than max_age_ms when its turn comes is passed over: other departments
 * want to know what is, and we keep what was.
 */
#include "core/metrics.h"
#include "deliver/publisher.h"
#include "store/daybook.h"
#include "store/ledger.h"

struct share_setup {
	const char *id;
	const char *url, *client_id, *username, *password;
	const char *ca_file, *cert_file, *key_file;
	const char *topic;        /* {node}, {site} and {factor} are filled in */
	const char *const *sites; /* n_sites 0: all; so with factors */
	size_t n_sites;
	const char *const *factors;
	size_t n_factors;
	int64_t every_ms; /* of a monitor at most one reading in it, but each change of flag; 0: all
			   */
	int64_t max_age_ms, timeout_ms, alarm_after_ms;
};
struct shares_setup {
	const struct share_setup *shares; /* outlive them */
	size_t n_shares;
	const char *directory; /* of the store */
	const struct plan *plan;
	struct daybook *daybook;
	struct ledger *ledger;
	struct metrics *metrics;
};

struct shares;
int shares_new(struct shares **out, const struct shares_setup *setup);
int shares_start(struct shares *shares);
void shares_stop(struct shares *shares); /* NULL welcome */
/** shares_free() - after the last metrics_print() */
struct shares *shares_free(struct shares *shares);
/** share_payload() - adds a reading as JSON (pure) */
void share_payload(struct text *out, const struct plan *plan, uint32_t monitor,
		   const struct reading *reading);
