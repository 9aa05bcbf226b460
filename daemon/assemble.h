/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Assembly: the checked configuration as the daemon's immutable plan and the drivers' connections.
 *
 * This is the only place that knows both the configuration and the drivers. Strings still belong to
 * the configuration, which must outlive the assembly.
 */
#include "config/config.h"
#include "core/caserules.h"
#include "core/plan.h"
#include "core/supcase.h"
#include "deliver/courier.h"
#include "deliver/share.h"
#include "drivers/hj212/hj212.h"
#include "drivers/modbus/modbus.h"
#include "drivers/mqtt/mqtt.h"
#include "serve/officers.h"

struct assembly {
	struct plan plan;
	struct case_rules rules;     /* the plan points here */
	struct severity_steps steps; /* and here */
	struct modbus_connection *modbus;
	size_t n_modbus;
	size_t n_listening;              /* the first of them: their units dial in */
	struct modbus_connection *buses; /* serial lines of this machine */
	size_t n_buses;
	struct mqtt_connection *mqtt;
	size_t n_mqtt;
	struct hj212_connection *hj212;
	size_t n_hj212;
	struct delivery_setup *deliveries;
	size_t n_deliveries;
	struct share_setup *shares;
	size_t n_shares;
	struct serve_officer *officers; /* who may act over HTTP */
	size_t n_officers;
	size_t polled_per_minute; /* readings that polling brings at most, for the rings' size */
};

/** assemble() - Return: 0 and *out (assembly_free() it), negative errno. Main thread: sets $TZ. */
int assemble(struct assembly **out, const struct config *config);
/** assemble_next() - the same while others run: the zone is that of @before, whose name is the same
 */
int assemble_next(struct assembly **out, const struct config *config,
		  const struct assembly *before);
struct assembly *assembly_free(struct assembly *assembly);
